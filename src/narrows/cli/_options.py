"""Options that several commands have, and what they decide."""

import sys
from typing import Annotated

import typer

Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Write nothing but errors and warnings to stderr."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TABLE_HELP = "CSV, TSV (.gz too), Parquet or Arrow, by extension; other text with --separator."
Unlearned = Annotated[
    str | None, typer.Option(help="Column that is not learned from, such as a class.")
]
MoreUnlearned = Annotated[
    list[str] | None, typer.Option(help="More such columns, separated by commas.")
]
Separator = Annotated[
    str | None,
    typer.Option(help="What stands between fields, if not as the extension says: ';', '|', '\\t'."),
]
Decimal = Annotated[str, typer.Option(help="Decimal point or comma in text.")]
Encoding = Annotated[str, typer.Option(help="Of text.")]
Thousands = Annotated[
    str | None,
    typer.Option(help="What stands between groups of three digits in text, such as ','."),
]
NaValues = Annotated[
    list[str] | None,
    typer.Option(
        "--na", help="What stands for a missing value in text, beside empty fields and NA."
    ),
]
TextColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--text",
        help="Columns that stay text, such as codes of digits, NA among them; separated by commas.",
    ),
]

Keep = Annotated[
    list[str] | None,
    typer.Option(
        help="Columns to take over, such as a label; separated by commas. Those of text files stay "
        "as they are written there, and are text in Parquet and Arrow."
    ),
]


def shows_progress(quiet: bool) -> bool:
    """Whether a progress bar is wanted: on a terminal only, whose user did not ask for quiet."""
    return not quiet and sys.stderr.isatty()


def note(text: str, *, quiet: bool) -> None:
    """Tell the user something on stderr that is no result."""
    if not quiet:
        print(text, file=sys.stderr)
