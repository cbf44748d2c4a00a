"""From a report to one HTML page that needs nothing else."""

from __future__ import annotations

import gzip
import os
from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from narrows._files import replace_file
from narrows.report._assets import allowed, script_json, scripts, vendored
from narrows.report._blocks import (
    Block,
    Chart,
    Download,
    Drawing,
    Figure,
    Listing,
    Preformatted,
    Report,
    Table,
)
from narrows.report._cells import cells
from narrows.report._svg import compact

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = ("report.html.j2", "blocks.html.j2", "report.css", "notebook.html.j2")
_KINDS = {
    Figure: "figure", Chart: "chart", Drawing: "drawing", Table: "table",
    Preformatted: "preformatted", Listing: "listing", Download: "download",
}  # fmt: skip


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
        The page: styles, scripts, figures and data inside, no network request. Its security
        policy lets the package's own scripts run and no other.
    """
    charts = any(isinstance(block, Chart) for part in report.sections for block in part.blocks)
    parts = scripts(charts=charts)
    page = environment().get_template("report.html.j2")
    return page.render(
        report=report, scripts=parts, policy=" ".join(map(allowed, parts)), library=vendored(),
        charts=charts,
    )  # fmt: skip


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
    packed = b64encode(compact(svg).encode("utf-8")).decode("ascii")
    return "data:image/svg+xml;base64," + packed


def zipped_uri(text: str) -> str:
    """Return a file's text, compressed, as an address that holds it."""
    packed = gzip.compress(text.encode("utf-8"), mtime=0)
    return "data:application/gzip;base64," + b64encode(packed).decode("ascii")


def kind_of(block: Block) -> str:
    """Return the name of a block's template."""
    if isinstance(block, str):
        return "text"
    if type(block) not in _KINDS:
        names = ", ".join(kind.__name__ for kind in _KINDS)
        raise TypeError(
            f"A section's blocks must be str, {names}. Got {type(block).__name__} instead."
        )
    return _KINDS[type(block)]


def environment() -> Environment:
    """Return the templates, with all text escaped that is not known to be markup."""
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    folder = files("narrows.report").joinpath("templates")
    sources = {name: folder.joinpath(name).read_text("utf-8") for name in TEMPLATES}
    made = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "kind": kind_of, "cells": cells, "data_uri": data_uri, "zipped_uri": zipped_uri,
        "markup": Markup, "script_json": lambda value: Markup(script_json(value)),
    }  # fmt: skip
    return made
