"""From a report to one HTML page that needs nothing else."""

from __future__ import annotations

import os
from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from narrows._files import replace_file
from narrows.report._cells import cells
from narrows.report._summary import Block, Figure, Preformatted, Report, Table

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = ("report.html.j2", "blocks.html.j2", "report.css")


def render(report: Report) -> str:
    """
    Return a report as one self-contained HTML page.

    Parameters
    ----------
    report : Report
        What to say. All of its text is escaped.

    Returns
    -------
    str
        The page: styles and figures inside, no script, no network request.
    """
    return _template().render(report=report, kind=_kind, cells=cells, data_uri=data_uri)


def write_report(report: Report, path: str | os.PathLike[str]) -> Path:
    """
    Write a report as an HTML file.

    Parameters
    ----------
    report : Report
        What to say.
    path : path-like
        The file; its folder must exist.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    OSError
        If the file cannot be written. What was at ``path`` is then untouched.
    """
    return replace_file(path, render(report).encode("utf-8"))


def data_uri(svg: str) -> str:
    """
    Return an SVG document as an address that holds it.

    matplotlib names parts ``axes_1``, ``patch_2`` … in every figure, whatever its salt, so
    figures written straight into one page would share ids and borrow each other's clipping
    paths. An image is a document of its own; and nothing in it can run as a script.
    """
    return "data:image/svg+xml;base64," + b64encode(svg.encode("utf-8")).decode("ascii")


def _kind(block: Block) -> str:
    if isinstance(block, str):
        return "text"
    kinds = {Figure: "figure", Table: "table", Preformatted: "preformatted"}
    if type(block) not in kinds:
        raise TypeError(
            "A section's blocks must be str, Figure, Table or Preformatted. "
            f"Got {type(block).__name__} instead."
        )
    return kinds[type(block)]


def _template() -> Template:
    from jinja2 import DictLoader, Environment, StrictUndefined

    folder = files("narrows.report").joinpath("templates")
    sources = {name: folder.joinpath(name).read_text("utf-8") for name in TEMPLATES}
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATES[0])
