"""Results on stdout: lines for people, or one JSON object for machines."""

import contextlib
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from narrows.cli._errors import BadInputError, is_refusal
from narrows.cli._stdout import is_utf8


def show(result: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result."""
    if as_json:
        print_json(result)
        return
    with printing():
        print(wrapped(text) if on_terminal() else text, flush=True)


def on_terminal() -> bool:
    """Whether stdout is a terminal; closed, it is None."""
    return sys.stdout is not None and sys.stdout.isatty()


def print_json(result: Mapping[str, Any]) -> None:
    """Print a result as JSON: UTF-8, or escapes where stdout or a file's name is not UTF-8."""
    plain = _plain(result)
    text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
    if not (is_utf8(getattr(sys.stdout, "encoding", None)) and _is_unicode(text)):
        text = json.dumps(plain, indent=1, allow_nan=False)
    with printing():
        print(text, flush=True)


def _is_unicode(text: str) -> bool:
    """Whether UTF-8 has all of a text: it has no bytes of file names that are not UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


@contextlib.contextmanager
def printing() -> Iterator[None]:
    """Let a full disk below a file that stdout is sent to be said in one sentence."""
    try:
        yield
    except OSError as error:
        if is_refusal(error):
            raise BadInputError(f"Cannot write the result: {error.strerror}.") from error
        raise


def wrapped(text: str, width: int | None = None) -> str:
    """Break lines at words that are longer than a terminal is wide, and indent what follows."""
    width = width or shutil.get_terminal_size().columns
    return "\n".join(part for line in text.split("\n") for part in _broken(line, width))


def _broken(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * (len(line) - len(line.lstrip()) + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it; NaN and infinity, which it does not know, are null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if getattr(value, "ndim", None) == 0:  # of NumPy, which is not imported for this
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
