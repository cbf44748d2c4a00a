"""What there is to look at: embeddings, reconstruction and training of arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows import plots
from narrows.data import thinned
from narrows.report._blocks import Block, Chart, Drawing, Figure, Preformatted, Section, Table
from narrows.report._charts import (
    Panel,
    embeddings_data,
    history_data,
    reconstruction_data,
    shown_columns,
)
from narrows.report._point_data import (
    MOST_COLUMNS,
    MOST_DRAWN,
    PointLevels,
    levels_for,
    row_names,
    row_values,
)
from narrows.report._svg import still

if TYPE_CHECKING:
    from narrows.comparison import Comparison, Portrait, Portraits

_ONCE = {
    True: "Fitted once on all rows, to look at; scores come from the refits in every resample.",
    False: "Fitted once on all rows, to look at. Scores come from such fits too: embedders have "
    "seen the rows that probes are scored on.",
}


@dataclass(frozen=True)
class View:
    """What a page shows beside a comparison's numbers.

    Parameters
    ----------
    label : str
        What the labels are called.
    X : table or array-like, optional
        The rows that were compared: their names and values stand beside the pointer.
    portraits : Portraits, optional
        Every arm fitted once on all rows.
    """

    label: str = "label"
    X: Any = None
    portraits: Portraits | None = None


def embedding_section(comparison: Comparison, view: View) -> Section | None:
    """Return the embeddings side by side; None where no arm has one."""
    drawn = thinned(levels_for(comparison.labels).codes, MOST_DRAWN)
    if view.portraits is not None:
        panels = _fitted_panels(view.portraits, drawn)
        words = _ONCE[comparison.settings["refit"]] + _out_of_fold(view.portraits)
    else:
        panels = _kept_panels(comparison, drawn)
        words = (
            "Embeddings of the first resample by the first seed, training and test rows"
            + ("" if comparison.settings["refit"] else ", all of which the embedders have seen")
            + ": what the comparison keeps. Reconstruction, training and networks are not kept; "
            "the page has them when it is made with the table and the arms."
            + _unseen_only(comparison)
        )
    if not panels:
        return None
    levels = _levels(comparison, drawn)
    names = row_names(view.X, comparison.settings["n_rows"])
    data = embeddings_data(
        panels,
        levels,
        view.label,
        drawn,
        [names[row] for row in drawn],
        [comparison.labels[row] for row in drawn],
        row_values(view.X, drawn),
    )
    labels = [comparison.labels[row] for row in drawn]
    figure = Figure(
        still(_facets(panels, labels, view.label, comparison.settings["classes"])),
        "The embeddings side by side, one panel for each arm and preprocessing, points coloured "
        f"by {view.label}.",
        "Each panel has axes of its own; its units mean nothing in another.",
    )
    notes = [words, *_notes(comparison, view, drawn)]
    return Section("The embeddings", [" ".join(notes), Chart("embeddings", data, figure)])


_WHY = "On the rows that taught them, classes look apart even where labels are noise."


def _out_of_fold(portraits: Portraits) -> str:
    """Return what is said of points of arms that are fitted with labels; empty without any."""
    told = list(dict.fromkeys(item.arm for item in portraits.items if item.uses_labels))
    if not told:
        return ""
    return (
        f" Fitted with labels, and drawn out of fold: {', '.join(told)}. Each row stands where a "
        "fit put it that did not see its label, in the first resample that tests it; the fits "
        f"are turned onto one another. {_WHY}"
    )


def _unseen_only(comparison: Comparison) -> str:
    told = [arm.name for arm in comparison.arm_records.values() if arm.uses_labels]
    if not told:
        return ""
    return f" Fitted with labels, and drawn on unseen rows only: {', '.join(told)}. {_WHY}"


def _notes(comparison: Comparison, view: View, drawn: np.ndarray) -> list[str]:
    n_rows = comparison.settings["n_rows"]
    notes = []
    if len(drawn) < n_rows:
        notes.append(
            f"{len(drawn):,} of {n_rows:,} rows are drawn, a random part of each class in its "
            "share."
        )
    n_columns = np.shape(view.X)[1] if view.X is not None and len(np.shape(view.X)) > 1 else 0
    if n_columns > MOST_COLUMNS:
        notes.append(f"The first {MOST_COLUMNS} of {n_columns} columns are told of a row.")
    if getattr(view.X, "index", None) is None or row_names(view.X, n_rows)[0] == "0":
        notes.append("Rows are numbered from 0.")
    return notes


def _levels(comparison: Comparison, rows: np.ndarray) -> PointLevels:
    found = levels_for(comparison.labels, comparison.settings["classes"])
    return PointLevels(found.names, found.colours, found.shapes, found.codes[rows])


def _fitted_panels(portraits: Portraits, drawn: np.ndarray) -> list[Panel]:
    return [
        Panel(
            f"{item.arm}{' (out of fold)' * item.uses_labels}, {item.preprocess}",
            np.asarray(item.points[drawn], dtype=np.float64),
        )
        for item in portraits.items
        if item.points.size
    ]


def _kept_panels(comparison: Comparison, drawn: np.ndarray) -> list[Panel]:
    """Return the embeddings that a comparison keeps: two dimensions of the first resample."""
    records = comparison.arm_records
    arms = [arm for arm, record in records.items() if not record.is_raw]
    kept = comparison.points
    panels = []
    for choice in comparison.settings["preprocess"]:
        for arm in arms:
            part = kept[(kept["arm"] == arm) & (kept["preprocess"] == choice)]
            if told := records[arm].uses_labels:
                part = part[part["part"] == "test"]
            if not len(part):
                continue
            points = np.full((comparison.settings["n_rows"], 2), np.nan)
            points[part["row"].to_numpy(int)] = part[["dim_1", "dim_2"]].to_numpy(float)
            panels.append(Panel(f"{arm}{' (unseen rows)' * told}, {choice}", points[drawn]))
    return panels


def _facets(panels: list[Panel], labels: list, label: str, classes: list[str]) -> Any:
    import pandas as pd

    name = label if label not in ("dim_1", "dim_2", "data_origin") else "label"
    coloured = pd.Categorical(map(str, labels), classes) if classes else labels
    frames = []
    for panel in panels:
        width = panel.points.shape[1]
        height = panel.points[:, 1] if width > 1 else np.zeros(len(panel.points))
        frame = pd.DataFrame({"dim_1": panel.points[:, 0], "dim_2": height, name: coloured})
        frames.append(frame.assign(data_origin=panel.title).dropna(subset=["dim_1", "dim_2"]))
    return plots.embedding_facets(pd.concat(frames, ignore_index=True), label=name)


def _name(item: Portrait) -> str:
    return item.arm + " (fitted with labels)" * item.uses_labels


def _title(item: Portrait) -> str:
    return f"{_name(item)}, {item.preprocess}"


def _shown(view: View, what: str) -> list[Portrait]:
    """Return the arms that were fitted to be looked at and have a reconstruction or a history."""
    items = view.portraits.items if view.portraits is not None else []
    return [item for item in items if getattr(item, what) is not None and not item.control]


def _not_shown(view: View) -> list[Block]:
    """Return a sentence on the arms that could not be fitted on all rows; nothing without any."""
    items = view.portraits.items if view.portraits is not None else []
    lost = [f"{_title(item)}: {item.failure}" for item in items if item.failure]
    said = "Not shown, since it could not be fitted on all rows: " + "; ".join(lost)
    return [said] if lost else []


def reconstruction_section(comparison: Comparison, view: View) -> Section | None:
    """Return original and reconstructed rows; None where nothing was fitted to be looked at."""
    items = _shown(view, "rebuilt")
    if not items or view.portraits is None:
        return None
    sample = view.portraits.sample
    names = row_names(view.X, comparison.settings["n_rows"])
    first = _shown_first(items)
    panels = [(_title(i), i.columns, i.original, i.rebuilt) for i in items]
    data = reconstruction_data(
        panels,  # type: ignore[arg-type]  # items have both
        _levels(comparison, sample),
        sample,
        [names[row] for row in sample],
    )
    figure = Figure(
        still(_two_columns(first)),
        f"Rows and their reconstruction by {_title(first)}, in two columns.",
        "A row on the dashed line is reconstructed exactly. In print, two columns are drawn "
        "against each other, original and reconstructed rows."
        + (
            f" {len(sample):,} of {comparison.settings['n_rows']:,} rows are drawn."
            if len(sample) < comparison.settings["n_rows"]
            else ""
        ),
    )
    once = _ONCE[comparison.settings["refit"]]
    blocks: list[Block] = [once, Chart("reconstruction", data, figure), _lost(items)]
    blocks.append(_worst(comparison, items, names))
    if not _shown(view, "history"):  # else the section on training says so
        blocks += _not_shown(view)
    return Section("Reconstruction", blocks)


def _shown_first(items: list[Portrait]) -> Portrait:
    """Return the first arm that was trained, or the first of all."""
    return next((item for item in items if item.history is not None), items[0])


def _two_columns(item: Portrait) -> Any:
    import pandas as pd

    assert item.original is not None
    assert item.rebuilt is not None
    most = np.argsort(-np.var(item.original, axis=0), kind="stable")
    x, y = most[0], most[min(1, len(most) - 1)]
    names = [str(item.columns[place]) for place in (x, y)]
    original, rebuilt = (
        pd.DataFrame({names[0]: matrix[:, x], names[1]: matrix[:, y]})
        for matrix in (item.original, item.rebuilt)
    )
    return plots.reconstruction(original, rebuilt, x=names[0], y=names[1])


def _lost(items: list[Portrait]) -> Table:
    import pandas as pd

    columns: dict[str, dict[str, float]] = {}
    for item in items:
        assert item.original is not None
        assert item.lost is not None
        keep = shown_columns(item.original)
        columns[_title(item)] = {item.columns[place]: float(item.lost[place]) for place in keep}
    frame = pd.DataFrame(columns).rename_axis("column").reset_index()
    titles = list(columns)
    return Table(
        frame,
        "How much of each column is lost: mean squared error over variance. 0 is exact, 1 no "
        "better than the column's mean.",
        dict.fromkeys(titles, ".3f"),
        bars=titles,
    )


def _worst(comparison: Comparison, items: list[Portrait], names: list[str]) -> Table:
    import pandas as pd

    rows = [
        {
            "arm": _name(item),
            "preprocessing": item.preprocess,
            "row": names[one.row],
            "label": str(comparison.labels[one.row]),
            "error": one.error,
            "times the median": one.error / item.typical if item.typical > 0 else np.nan,
            "column furthest off": one.column,
            "original": f"{one.original:.4g}",
            "reconstructed": f"{one.rebuilt:.4g}",
        }
        for item in items
        for one in item.worst
    ]
    formats = {"error": ".3g", "times the median": ".1f"}
    caption = (
        "The five rows that are reconstructed worst: mean squared error in squared units of the "
        "prepared columns, and the column that is furthest off in standard deviations of it."
    )
    return Table(pd.DataFrame(rows), caption, formats)


def training_section(comparison: Comparison, view: View) -> Section | None:
    """Return losses and networks; None where nothing was trained to be looked at."""
    items = _shown(view, "history")
    if not items:
        return None
    panels = [(_title(i), i.history, i.in_use) for i in items if i.history is not None]
    first = _shown_first(items)
    assert first.history is not None
    figure = Figure(
        still(plots.history(first.history)),
        "Loss and metrics over the epochs, a line for each training.",
        "Every training from its own seed; the one in use, of the lowest loss, is drawn strong.",
    )
    once = _ONCE[comparison.settings["refit"]]
    blocks: list[Block] = [once, Chart("history", history_data(panels), figure)]
    for name, item in _networks(items).items():
        words = f"The network of {name}: one bar for each layer, its number of values below."
        blocks += [Drawing(item.network, words), Preformatted(item.summary, f"Layers of {name}.")]
    return Section("Training", [*blocks, *_not_shown(view)])


def _networks(items: list[Portrait]) -> dict[str, Portrait]:
    """Return one portrait a network: preprocessings that keep the width share it."""
    found: dict[str, Portrait] = {}
    for item in items:
        if item.network and item.summary not in [other.summary for other in found.values()]:
            found[_name(item) if _name(item) not in found else _title(item)] = item
    return found
