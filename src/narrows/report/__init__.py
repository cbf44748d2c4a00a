"""
Results and figures to one self-contained HTML page.

A `Report` holds what is said; `render` turns it into a page; `write_report` puts it on disk.
jinja2 is imported when the first page is rendered.
"""

from narrows.report._comparing import comparison_sections
from narrows.report._render import render, write_report
from narrows.report._summary import Block, Figure, Preformatted, Report, Section, Table

__all__ = [
    "Block",
    "Figure",
    "Preformatted",
    "Report",
    "Section",
    "Table",
    "comparison_sections",
    "render",
    "write_report",
]
