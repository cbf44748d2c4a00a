"""A comparison on a terminal: the verdict first, then tables that fit its width.

Pipes and files get the comparison's own text instead, see `show_comparison`.
"""

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from narrows.comparison import Answer, Comparison

_MARK = "\N{MIDDLE DOT} "  # before a control, for terminals that do not dim
_TOLD = " *"  # after an arm that is fitted with labels
# Columns of the comparison's table that a narrow terminal has no room for, with the width from
# which it has.
_WIDER = {"95 % interval": 64, "better/equiv./worse": 100, "SD splits": 120, "SD seeds": 120}
_STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "yellow"}


def show_comparison(found: "Comparison", console: "Console | None" = None) -> None:
    """Print a comparison: tables on a terminal, its own text in a pipe or file."""
    from rich.console import Console

    console = console or Console(highlight=False)
    if not console.is_terminal:
        console.out(found, highlight=False)
        return
    for part in _parts(found, console.width):
        console.print(part, soft_wrap=False, highlight=False)


def _parts(found: "Comparison", width: int) -> "list[RenderableType]":
    """Everything that is printed, in its order."""
    from rich.text import Text

    from narrows.comparison import answers, failure_lines, heading, headline, score_tables

    parts: list[RenderableType] = [Text(headline(found), style="bold"), ""]
    parts += [Text(sentence) for sentence in found.sentences()]
    tables = score_tables(answers(found))
    for title, rows in tables:
        parts += ["", _table(title, rows, width)]
    if any(row.is_control for _, rows in tables for row in rows):
        what = f"{_MARK}a control: what no learning, or no reduction, gives"
        parts.append(Text(what, style="dim"))
    if any(row.uses_labels for _, rows in tables for row in rows):
        what = f"{_TOLD.strip()} fitted with labels, those of the training rows only"
        parts.append(Text(what, style="dim"))
    if failed := failure_lines(found):
        parts += ["", Text(failed[0], style="bold red"), *map(Text, failed[1:])]
    return [*parts, "", Text(heading(found), style="dim")]


def _table(title: str, rows: "list[Answer]", width: int) -> "Table":
    """One probe's scores, the rows of a preprocessing under its name."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from narrows.comparison import score_cells

    names = [
        name
        for name in score_cells(rows[0])
        if name not in ("preprocessing", "verdict") and width >= _WIDER.get(name, 0)
    ]
    names.append("verdict")
    table = Table(
        title=title, title_justify="left", title_style="bold",
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for name in names:
        table.add_column(name, justify="left" if name in ("arm", "verdict") else "right")
    for number, (choice, own) in enumerate(groupby(rows, key=lambda row: row.preprocess)):
        if number:
            table.add_section()
        table.add_row(Text(f"preprocessing: {choice}", style="italic"))
        for row in own:
            name = _MARK * row.is_control + row.arm + _TOLD * row.uses_labels
            cells = score_cells(row) | {"arm": name}
            styles = {"verdict": _STYLES.get(row.verdict, "")}
            table.add_row(
                *(Text(cells[name], style=styles.get(name, "")) for name in names),
                style="dim" if row.is_control else None,
            )
    return table
