"""The entry point: subcommands, and what becomes of errors.

Exit codes: 0 done, 1 our fault (with a traceback), 2 bad input (one sentence), 130 interrupted
(one sentence on what is left).
"""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from narrows._errors import WrongBackendError
from narrows._files import at_home
from narrows.cli._errors import (
    BadInputError,
    InterruptedCommandError,
    interruption,
    is_refusal,
    sentence_of,
)
from narrows.cli._stdout import encodable_stdout, open_streams
from narrows.cli.commands._compare import compare
from narrows.cli.commands._embed import embed
from narrows.cli.commands._export import export
from narrows.cli.commands._fit import fit
from narrows.cli.commands._inspect import inspect
from narrows.cli.commands._reconstruct import reconstruct
from narrows.cli.commands._width import width
from narrows.cli.iris import iris

_OURS = (
    "this is a fault of narrows, not of your input. Please report it with the command and the "
    "lines above"
)


class _Commands(TyperGroup):
    """The subcommands; typer itself would end without a word at Ctrl-C."""

    def invoke(self, ctx: Any) -> Any:
        with interruption(lambda: "no file was changed."):
            return super().invoke(ctx)


class _Command(TyperCommand):
    """A subcommand; of ``--out=~/x`` a shell expands no ``~``."""

    def invoke(self, ctx: Any) -> Any:
        for name, value in ctx.params.items():
            if isinstance(value, Path):
                ctx.params[name] = at_home(value)
        return super().invoke(ctx)


app = typer.Typer(
    name="narrows",
    cls=_Commands,
    help="Learn a small embedding of your data, and find out whether it was worth it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        # Imported here, as it starts JAX.
        from narrows.cli._versions import versions_text

        typer.echo(versions_text())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the versions of narrows, Python, Keras and JAX, and the device.",
        ),
    ] = False,
) -> None:
    pass


for _command in (iris, fit, embed, reconstruct, compare, width, inspect, export):
    app.command(_command.__name__, cls=_Command)(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; by default what it was called with.
    """
    with open_streams(), encodable_stdout():
        code = _run(arguments)
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> Any:
    try:
        app(args=None if arguments is None else list(arguments), prog_name="narrows")
    except (BadInputError, WrongBackendError) as error:
        return _fail(str(error), 2)
    except InterruptedCommandError as error:
        return _fail(str(error), 130)
    except SystemExit as stop:
        return stop.code
    except MemoryError as error:
        return _fail(_too_large(error), 2)
    except Exception as error:
        if isinstance(error, OSError) and is_refusal(error):
            return _fail(sentence_of(error), 2)
        traceback.print_exc()
        return _fail(f"{_OURS}: {type(error).__name__}.", 1)
    return 0


def _too_large(error: MemoryError) -> str:
    said = f": {error}".rstrip(". ") if str(error) else ""
    return (
        f"The work must fit into memory. There is not enough{said}. Give narrower layers or fewer "
        "rows or columns; Parquet and Arrow are embedded some rows at a time."
    )


def _fail(sentence: str, code: int) -> int:
    print(f"narrows: {sentence}", file=sys.stderr)
    return code
