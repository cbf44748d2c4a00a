"""
Results and figures to one self-contained HTML page.

A `Report` holds what is said; `render` turns it into a page; `write_report` puts it on disk.
`comparison_report` makes one of a comparison, `portraits` what there is to look at in it. jinja2
is imported when the first page is rendered.
"""

from typing import TYPE_CHECKING

from narrows.report._blocks import (
    Block,
    Chart,
    Download,
    Drawing,
    Figure,
    Listing,
    Preformatted,
    Report,
    Section,
    Table,
)
from narrows.report._render import render, write_report

if TYPE_CHECKING:
    from narrows.report._build import (
        Portrait,
        Portraits,
        View,
        comparison_report,
        comparison_sections,
        notebook_html,
        portraits,
        versions,
    )

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "Block",
    "Chart",
    "Download",
    "Drawing",
    "Figure",
    "Listing",
    "Portrait",
    "Portraits",
    "Preformatted",
    "Report",
    "Section",
    "Table",
    "View",
    "comparison_report",
    "comparison_sections",
    "notebook_html",
    "portraits",
    "render",
    "versions",
    "write_report",
]

# They need pandas and scikit-learn, which a page as such does not.
_OF_COMPARISONS = set(__all__) - set(globals())


def __getattr__(name: str):
    if name not in _OF_COMPARISONS:
        raise AttributeError(f"module 'narrows.report' has no attribute {name!r}")
    from narrows.report import _build

    return getattr(_build, name)
