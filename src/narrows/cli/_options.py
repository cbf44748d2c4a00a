"""Options that several commands have, and what they decide."""

import sys
from typing import Annotated

import typer

Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Write nothing but errors and warnings to stderr."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def shows_progress(quiet: bool) -> bool:
    """Whether a progress bar is wanted: on a terminal only, whose user did not ask for quiet."""
    return not quiet and sys.stderr.isatty()


def note(text: str, *, quiet: bool) -> None:
    """Tell the user something on stderr that is no result."""
    if not quiet:
        print(text, file=sys.stderr)
