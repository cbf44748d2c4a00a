"""Texts from files and from other libraries, made fit for a message of one line."""

import re

_LONGEST = 300
# Keras puts a sentence of its own before what was wrong.
_KERAS = re.compile(r"Exception encountered(?: when calling .*\s+\x1b\[1m|: )(.+)")


def printable(text: str) -> str:
    """Return a text without characters that a terminal would act on."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def in_one_line(error: object) -> str:
    """Return what an error says, or another text: one line that a terminal only shows."""
    text = str(error)
    while (found := _KERAS.search(text)) is not None:
        text = text[found.start(1) :]
    lines = text.replace("\x1b[0m", "").splitlines() or [type(error).__name__]
    text = printable(lines[0])
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
    return text.rstrip(".")
