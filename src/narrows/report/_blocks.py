"""What a report says, before it looks like anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Figure:
    """
    A drawing with its words.

    Parameters
    ----------
    svg : str
        A whole SVG document, as `narrows.plots.figure_svg` returns.
    alt : str
        What the figure shows, for readers who do not see it.
    caption : str, optional
        The line below the figure.
    """

    svg: str
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Chart:
    """
    A figure to work with, and the drawing that stands in for it on paper or without a script.

    Parameters
    ----------
    kind : {"intervals", "embeddings", "reconstruction", "history"}
        Which script draws it.
    data : mapping
        What the script draws: text, finite numbers, None, lists and mappings of these.
    figure : Figure
        The drawing, and the words for both.
    """

    kind: str
    data: Mapping[str, Any]
    figure: Figure


@dataclass(frozen=True)
class Drawing:
    """
    An SVG element that takes the page's colours, written into the page as it is.

    Parameters
    ----------
    svg : str
        Markup to be trusted: whatever text is in it has been escaped by its maker.
    caption : str, optional
        The line below it.
    """

    svg: str
    caption: str = ""


@dataclass(frozen=True)
class Listing:
    """
    Sentences, one below the other.

    Parameters
    ----------
    items : sequence of str
        Plain text.
    """

    items: Sequence[str]


@dataclass(frozen=True)
class Download:
    """
    A file inside the page.

    Parameters
    ----------
    name : str
        What the file will be called.
    text : str
        What is in it.
    words : str
        What the link says.
    """

    name: str
    text: str
    words: str


@dataclass(frozen=True)
class Table:
    """
    A data frame to print; readers sort it by any column.

    Parameters
    ----------
    frame : DataFrame of shape (rows, columns)
        What to print; one row a line.
    caption : str, optional
        The line above the table.
    formats : mapping of str to str, optional
        Python format specifications by column, such as ``{"accuracy": ".3f"}``. Other numeric
        columns show four significant digits of their largest value.
    index : bool
        Whether the frame's index is printed as the first column.
    max_rows : int
        Longer frames are cut there, and the page says so.
    bars : sequence of str
        Columns of numbers from 0 to 1 that get a bar behind the number; what lies outside is
        drawn as the nearer end.
    """

    frame: pd.DataFrame
    caption: str = ""
    formats: Mapping[str, str] = field(default_factory=dict)
    index: bool = False
    max_rows: int = 100
    bars: Sequence[str] = ()


@dataclass(frozen=True)
class Preformatted:
    """
    Text whose line breaks and columns matter, such as a network's summary.

    Parameters
    ----------
    text : str
        Printed as it is.
    caption : str, optional
        The line above it.
    """

    text: str
    caption: str = ""


Block = str | Figure | Chart | Drawing | Table | Preformatted | Listing | Download


@dataclass(frozen=True)
class Section:
    """
    A heading and what stands below it.

    Parameters
    ----------
    title : str
        The heading.
    blocks : sequence of Block
        In the order of the page; a str is one paragraph of plain text.
    """

    title: str
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Report:
    """
    One page.

    Parameters
    ----------
    title : str
        The page's heading.
    command : str
        The exact command that made it; empty where none did.
    created : datetime
        When. A time with a zone is printed with it.
    versions : mapping of str to str
        Library names and versions.
    sections : sequence of Section
        The body, in order.
    lead : str, optional
        The paragraph below the title: what was found, in a sentence or two.
    seed : int, optional
        The random seed; None prints that none was fixed.
    """

    title: str
    command: str
    created: datetime
    versions: Mapping[str, str]
    sections: Sequence[Section]
    lead: str = ""
    seed: int | None = None
