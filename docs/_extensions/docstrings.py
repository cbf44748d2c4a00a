"""Small repairs of docstrings on their way to a page; ``help()`` shows them as written."""

import re

# ``n_features_in_`` inside "of shape (…)" is a name, not reStructuredText's link to a target.
_SHAPE = re.compile(r"shape \([^)]*\)")
_NAME = re.compile(r"\b(\w+)_(?=[,)\s])")


def _escape(found: re.Match) -> str:
    return _NAME.sub(r"\1\\_", found[0])


def _repair(app, what, name, obj, options, lines) -> None:
    lines[:] = [_SHAPE.sub(_escape, line) for line in lines]


def setup(app) -> dict:
    """Repair what numpydoc has made of a docstring."""
    app.connect("autodoc-process-docstring", _repair, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
