"""The entry point: subcommands, and what becomes of errors.

Exit codes: 0 done, 1 our fault (with a traceback), 2 bad input (one sentence), 130 interrupted
(the last by Typer).
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from narrows import __version__
from narrows._errors import WrongBackendError
from narrows.cli._compare import compare
from narrows.cli._embed import embed
from narrows.cli._errors import BadInputError
from narrows.cli._export import export
from narrows.cli._fit import fit
from narrows.cli._inspect import inspect
from narrows.cli._reconstruct import reconstruct
from narrows.cli.iris import iris

app = typer.Typer(
    name="narrows",
    help="Learn a small embedding of your data, and find out whether it was worth it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"narrows {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


for _command in (iris, fit, embed, reconstruct, compare, inspect, export):
    app.command(_command.__name__)(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; by default what it was called with.
    """
    try:
        app(args=list(arguments) if arguments is not None else None)
    except (BadInputError, WrongBackendError) as error:
        print(f"narrows: {error}", file=sys.stderr)
        sys.exit(2)
