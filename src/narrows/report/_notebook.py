"""A comparison as a notebook shows it: the verdict and one table, without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from narrows.comparison import answers, heading, headline, score_tables
from narrows.report._blocks import Table
from narrows.report._render import environment
from narrows.report._sections import score_frame

if TYPE_CHECKING:
    from narrows.comparison import Comparison

_COLUMNS = 6  # arm, preprocessing, score, verdict, difference, interval


def notebook_html(comparison: Comparison) -> str:
    """
    Return a comparison as a piece of HTML that takes the notebook's colours.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
        All text is escaped; the page of `Comparison.to_html` says more.
    """
    tables = []
    for title, rows in score_tables(answers(comparison)):
        frame, formats = score_frame(rows)
        tables.append(Table(frame.iloc[:, :_COLUMNS], title, formats))
    page = environment().get_template("notebook.html.j2")
    return page.render(
        headline=headline(comparison), heading=heading(comparison),
        sentences=comparison.sentences(), tables=tables,
    )  # fmt: skip
