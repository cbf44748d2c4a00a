"""What the beginning of a text file says of it: its encoding, and Excel's line on separators."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from narrows.data.reading._files import opened
from narrows.data.reading._form import Form, is_separator

_START = 65_536  # bytes that tell an encoding
_MARKS = {  # in this order: one begins with another
    codecs.BOM_UTF32_LE: ("utf-32", "utf-32-le"),
    codecs.BOM_UTF32_BE: ("utf-32", "utf-32-be"),
    codecs.BOM_UTF16_LE: ("utf-16", "utf-16-le"),
    codecs.BOM_UTF16_BE: ("utf-16", "utf-16-be"),
}
_HINT = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """How a file is read.

    Attributes
    ----------
    codec : str
    separator : str
        Between fields.
    skipped : int
        Lines before the header: 1 if Excel's ``sep=;`` is the first.
    why : str
        What says how it is separated.
    """

    codec: str
    separator: str
    skipped: int
    why: str


def layout_of(path: Path, form: Form) -> Layout:
    """Return how a file is read."""
    codec = _codec(path, form)
    separator = str(form.between(path))
    with opened(path, codec) as file:
        hint = _HINT.fullmatch(file.readline(100))
    if hint is None or not is_separator(hint[1]):
        return Layout(codec, separator, 0, form.why)
    if form.separator is not None:  # who gives one knows better
        return Layout(codec, separator, 1, form.why)
    return Layout(codec, hint[1], 1, f"as its first line, {hint[0].strip()!r}, says")


def _codec(path: Path, form: Form) -> str:
    """Return the encoding to decode with: that of the form, of UTF-16 and UTF-32 the right kind."""
    given = codecs.lookup(form.encoding).name
    with opened(path) as file:
        start = file.read(_START)
    marked, kind = wide_kind(start)
    if kind is None:
        if given.startswith(("utf-16", "utf-32")) and b"\0" not in start:
            raise ValueError(
                f"{str(path)!r} must be text in {given}. It has not the zero bytes of such text. "
                "Leave encoding out if it is UTF-8 (--encoding on the command line), or give its "
                "encoding, such as encoding='latin-1'."
            )
        return form.codec
    if given not in {kind, kind[:6]}:
        advised = marked or kind
        mark = "" if marked else f" without a byte order mark, {kind.upper()}"
        raise ValueError(
            f"{str(path)!r} must be text in {given}. It looks like {kind[:6].upper()}{mark}. Give "
            f"its encoding, encoding={advised!r} (--encoding on the command line), or save it as "
            "UTF-8."
        )
    return marked or kind


def wide_kind(start: bytes) -> tuple[str | None, str | None]:
    """Tell UTF-16 and UTF-32 by how a file starts."""
    for mark, found in _MARKS.items():
        if start.startswith(mark):
            return found
    # Separators, ends of lines and digits have zeros: in every other byte, or three of four.
    zeros = [start[place::4].count(0) for place in range(4)]
    fours = len(start) // 4
    if fours and min(zeros[:2]) >= fours:
        return None, "utf-32-be"
    if fours and min(zeros[2:]) >= fours:
        return None, "utf-32-le"
    first, second = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if max(first, second) < len(start) / 50 or min(first, second) > max(first, second) / 10:
        return None, None
    return (
        (None, "utf-16-be" if first > second else "utf-16-le") if first + second else (None, None)
    )
