"""A comparison on a terminal: the verdict first, then tables that fit its width.

Pipes and files get the comparison's own text instead, see `show_comparison`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, RenderableType
    from rich.table import Table

    from narrows.comparison import Comparison

_CONTROL = " (control)"
_MARK = "\N{MIDDLE DOT} "  # before a control, for terminals that do not dim
# Columns of the comparison's table that a narrow terminal has no room for, with the width from
# which it has.
_WIDER = {"95 % interval": 64, "better/equiv./worse": 100, "SD splits": 120, "SD seeds": 120}
_STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "yellow"}
_TEXTS = ("preprocessing", "arm", "verdict")


def show_comparison(found: "Comparison", console: "Console | None" = None) -> None:
    """Print a comparison: tables on a terminal, its own text in a pipe or file.

    Parameters
    ----------
    found : Comparison
    console : rich.console.Console, optional
        By default one on stdout.
    """
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

    from narrows.comparison import heading, score_table
    from narrows.report import headline

    parts: list[RenderableType] = [Text(headline(found), style="bold"), ""]
    parts += [Text(sentence) for sentence in found.sentences()]
    controls = False
    for probe in found.settings["probes"]:
        cells = score_table(found, probe)
        if len(cells):
            parts += ["", _table(cells, probe, width)]
            controls |= cells["arm"].str.endswith(_CONTROL).any()
    if controls:
        what = f"{_MARK}a control: what no learning, or no reduction, gives"
        parts.append(Text(what, style="dim"))
    failures = found.failures
    if len(failures):
        parts += ["", Text(f"{len(failures)} fits failed:", style="bold red")]
        for (arm, message), group in failures.groupby(["arm", "message"], sort=False):
            parts.append(Text(f"{arm}, {len(group)} times: {message}"))
    return [*parts, "", Text(heading(found), style="dim")]


def _table(cells: "pd.DataFrame", probe: str, width: int) -> "Table":
    """One probe's scores, the rows of a preprocessing under its name."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    names = [
        name for name in cells if name != "preprocessing" and width >= _WIDER.get(str(name), 0)
    ]
    names.append(names.pop(names.index("verdict")))
    table = Table(
        title=f"{cells.columns[2]} of {probe}", title_justify="left", title_style="bold",
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for name in names:
        table.add_column(str(name), justify="left" if name in _TEXTS else "right")
    for number, (choice, rows) in enumerate(cells.groupby("preprocessing", sort=False)):
        if number:
            table.add_section()
        table.add_row(Text(f"preprocessing: {choice}", style="italic"))
        for row in rows.to_dict("records"):
            is_control = row["arm"].endswith(_CONTROL)
            row["arm"] = _MARK * is_control + row["arm"].removesuffix(_CONTROL)
            styles = {"verdict": _STYLES.get(row["verdict"], "")}
            table.add_row(
                *(Text(row[name], style=styles.get(str(name), "")) for name in names),
                style="dim" if is_control else None,
            )
    return table
