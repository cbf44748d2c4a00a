"""What the report makes of comparisons: loaded when it is first used."""

from narrows.report._comparing import comparison_sections, headline
from narrows.report._notebook import notebook_html
from narrows.report._page import comparison_report, versions
from narrows.report._portraits import Portrait, Portraits, portraits
from narrows.report._showing import View

__all__ = [
    "Portrait",
    "Portraits",
    "View",
    "comparison_report",
    "comparison_sections",
    "headline",
    "notebook_html",
    "portraits",
    "versions",
]
