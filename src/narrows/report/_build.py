"""From a comparison to the report of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from narrows._session import usual_numbers
from narrows._version import __version__
from narrows.comparison import (
    Portrait,
    Portraits,
    check_same_rows,
    headline,
    portraits,
)
from narrows.data import table_of
from narrows.report._blocks import Report
from narrows.report._fit_sections import View
from narrows.report._notebook import notebook_html
from narrows.report._sections import comparison_sections

if TYPE_CHECKING:
    from narrows.comparison import Comparison

_LIBRARIES = ("keras", "jax", "numpy", "scikit-learn", "scipy", "ydf", "plotnine")


@usual_numbers()
def comparison_report(
    comparison: Comparison,
    *,
    X: Any = None,
    arms: Mapping[str, Any] | None = None,
    preprocess: Any = None,
    label: str = "label",
    title: str = "Was the embedding worth it?",
    command: str = "",
) -> Report:
    """
    Return the report of a comparison, still without looks; `render` makes a page of it.

    Parameters
    ----------
    comparison : Comparison
    X : table or array-like of shape (n_rows, n_columns), default=None
        The rows that were compared: their names and values stand beside the pointer.
    arms : mapping of str to transformer, default=None
        What was compared. With `X` as well, every arm is fitted once more on all rows, to be
        looked at: embeddings, reconstruction, training.
    preprocess : str, transformer, sequence of these, or mapping of str to these, default=None
        What was given to `narrows.compare`; None where that was named.
    label : str
        What the labels are called.
    title, command : str
        The page's heading, and the command that made it.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If `X` or `arms` is not what was compared, or there are `arms` without `X`.
    """
    view = View(label, X)
    if arms is not None and X is None:
        raise ValueError(
            "The 'X' parameter must be the table that was compared, to fit the arms on it. "
            "Got None instead. Give both, or neither."
        )
    if arms is not None:
        view = View(label, X, portraits(comparison, arms, X, preprocess))
    elif X is not None:
        check_same_rows(comparison, table_of(X, "comparison_report"))
    return Report(
        title=title,
        command=command,
        created=datetime.now(UTC),
        versions=versions(),
        sections=comparison_sections(comparison, view),
        lead=headline(comparison),
        seed=comparison.settings["random_state"],
    )


def versions(libraries: Sequence[str] = _LIBRARIES) -> dict[str, str]:
    """
    Return narrows's version, Python's and those of libraries that are installed.

    Parameters
    ----------
    libraries : sequence of str
    """
    found = {"narrows": __version__, "Python": platform.python_version()}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an optional one
            continue
    return found


__all__ = [
    "Portrait",
    "Portraits",
    "View",
    "comparison_report",
    "comparison_sections",
    "notebook_html",
    "portraits",
    "versions",
]
