"""Stdout that takes all text: what its encoding does not have is written in another way."""

import codecs
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

# What narrows itself prints. A minus that became a question mark would change a result.
_SIGNS = {
    "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{MULTIPLICATION SIGN}": "x", "\N{PLUS-MINUS SIGN}": "+/-", "\N{MIDDLE DOT}": "*",
    "\N{SUPERSCRIPT TWO}": "^2", "\N{RIGHTWARDS ARROW}": "->", "\N{NOT EQUAL TO}": "!=",
}  # fmt: skip
_HANDLER = "narrows.cli"


@contextlib.contextmanager
def encodable_stdout() -> Iterator[None]:
    r"""Let nothing be lost in the block because stdout is not UTF-8, or a file name is not.

    Signs such as a minus become ASCII, other characters escapes such as ``\u732b``. How stdout
    treats them stays, if the user has chosen a way (``PYTHONIOENCODING=ascii:replace``).
    """
    stream, way = sys.stdout, getattr(sys.stdout, "errors", None)
    if way not in {"strict", "surrogateescape"} or not hasattr(stream, "reconfigure"):
        yield
        return
    stream.reconfigure(errors=_HANDLER)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):  # a full disk below it, or it was closed
            stream.reconfigure(errors=way)


@contextlib.contextmanager
def open_streams() -> Iterator[None]:
    """Let what the block prints go nowhere if its stream was closed (``2>&-``), and not elsewhere.

    Python has None for such a stream, for which ``print`` takes stdout; and the next file that is
    opened would get its number, and what libraries write to stderr.
    """
    with contextlib.ExitStack() as stack:
        for name, redirect in (
            ("stdout", contextlib.redirect_stdout), ("stderr", contextlib.redirect_stderr)
        ):  # fmt: skip
            if getattr(sys, name) is None:
                stack.enter_context(redirect(stack.enter_context(open(os.devnull, "w"))))
        yield


class PatientStdout:
    """Stdout for a command that prints while it works: an error of it waits for the work's end."""

    def __init__(self) -> None:
        self._stream = sys.stdout
        self._error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text, or nothing once that has failed."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what waits in the stream."""
        self._try(self._stream.flush)

    def _try(self, step: Callable[[], object]) -> None:
        if self._error is None:
            try:
                step()
            except OSError as error:  # a full disk, or a reader that has gone
                self._error = error

    def finish(self) -> None:
        """Raise the error that came, if one did."""
        if self._error is not None:
            raise self._error


def is_utf8(encoding: str | None) -> bool:
    """Whether a stream's encoding is UTF-8; streams without one take text."""
    return encoding is None or codecs.lookup(encoding).name == "utf-8"


def printable_name(name: str) -> str:
    """Return a file's name as text that every file takes, bytes that are not UTF-8 escaped."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _otherwise(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_in_ascii, error.object[error.start : error.end])), error.end


def _in_ascii(sign: str) -> str:
    return _SIGNS.get(sign) or sign.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_HANDLER, _otherwise)
