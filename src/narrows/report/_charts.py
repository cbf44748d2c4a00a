"""From results to what the page's scripts draw: plain lists, few digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.report._point_data import PointLevels, coordinates

if TYPE_CHECKING:
    import pandas as pd

    from narrows.comparison import Answer

MOST_EPOCHS, MOST_COLUMNS = 200, 12


@dataclass(frozen=True)
class Panel:
    """One embedding of the rows that are drawn.

    Attributes
    ----------
    points : float ndarray of shape (n_drawn, width)
        Rows that an embedding lacks are NaN; of several dimensions the first two are drawn.
    """

    title: str
    points: np.ndarray


def embeddings_data(
    panels: Sequence[Panel],
    levels: PointLevels,
    label: str,
    rows: np.ndarray,
    names: Sequence[str],
    labels: Sequence[Any],
    columns: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Return the embeddings' panels and the rows that they share."""
    return {
        "label": label,
        "levels": _levels(levels),
        "level": levels.codes.tolist(),
        "rows": rows.tolist(),
        "names": list(names),
        "labels": [str(value) for value in labels],
        "columns": list(columns),
        "panels": [_panel(panel) for panel in panels],
    }


def _levels(levels: PointLevels) -> list[dict[str, str]]:
    parts = zip(levels.names, levels.colours, levels.shapes, strict=True)
    return [{"name": name, "colour": colour, "shape": shape} for name, colour, shape in parts]


def _panel(panel: Panel) -> dict[str, Any]:
    points, width = panel.points, panel.points.shape[1]
    if width == 1:
        # A height that means nothing keeps the points apart.
        height = np.random.default_rng(0).uniform(size=len(points))
        return {"title": panel.title, "x": coordinates(points[:, 0]), "y": coordinates(height),
                "axes": ["dim_1", ""]}  # fmt: skip
    x, y = coordinates(points[:, 0]), coordinates(points[:, 1])
    axes = ["dim_1", "dim_2" if width == 2 else f"dim_2 of {width}"]
    return {"title": panel.title, "x": x, "y": y, "axes": axes}


def reconstruction_data(
    panels: Sequence[tuple[str, Sequence[str], np.ndarray, np.ndarray]],
    levels: PointLevels,
    rows: np.ndarray,
    names: Sequence[str],
) -> dict[str, Any]:
    """Return original and rebuilt values of the columns that vary most."""
    return {
        "levels": _levels(levels),
        "level": levels.codes.tolist(),
        "rows": rows.tolist(),
        "names": list(names),
        "panels": [
            {
                "title": title,
                "columns": [
                    {
                        "name": columns[place],
                        "original": coordinates(original[:, place]),
                        "rebuilt": coordinates(rebuilt[:, place]),
                    }
                    for place in shown_columns(original)
                ],
            }
            for title, columns, original, rebuilt in panels
        ],
    }


def shown_columns(original: np.ndarray) -> list[int]:
    """Return the columns that vary most, in their order; shape (at most `MOST_COLUMNS`,)."""
    most = np.argsort(-np.var(original, axis=0), kind="stable")[:MOST_COLUMNS]
    return sorted(int(place) for place in most)


def history_data(panels: Sequence[tuple[str, pd.DataFrame, int | None]]) -> dict[str, Any]:
    """Return losses and metrics of trainings, at most `MOST_EPOCHS` epochs of each."""
    from narrows.plots import tidy_history

    found = []
    for title, frame, in_use in panels:
        tidy = tidy_history(frame)
        for measure, part in tidy.groupby("measure", sort=False, observed=True):
            curves = [
                {
                    "restart": int(curve["restart"].iloc[0]),
                    "data": str(curve["data"].iloc[0]),
                    "used": in_use is not None and int(curve["restart"].iloc[0]) == in_use,
                    "epochs": curve["epoch"].tolist(),
                    "values": [float(f"{value:.4g}") for value in curve["value"]],
                }
                for curve in map(_fewer_epochs, _curves(part))
            ]
            found.append({"title": f"{title}: {measure}", "measure": str(measure),
                          "curves": curves})  # fmt: skip
    return {"panels": found}


def _curves(part: pd.DataFrame) -> list[pd.DataFrame]:
    return [curve for _, curve in part.groupby("curve", sort=False, observed=True)]


def _fewer_epochs(curve: pd.DataFrame) -> pd.DataFrame:
    places = np.unique(np.linspace(0, len(curve) - 1, MOST_EPOCHS).round().astype(int))
    return curve.iloc[places]


def intervals_data(rows: Sequence[Answer]) -> dict[str, Any]:
    """Return the differences from the reference with their intervals; every row has one."""
    first = rows[0]
    several = len({row.probe for row in rows}) > 1
    panels: dict[tuple[str, str], dict[str, Any]] = {}
    # Controls stand below the others.
    for row in sorted(rows, key=lambda row: row.is_control):
        title = f"preprocessing {row.preprocess}" + f", judged by {row.probe}" * several
        panel = panels.setdefault((row.preprocess, row.probe), {"title": title, "arms": []})
        panel["arms"].append(
            {
                "name": row.label,
                **{
                    name: _digits(row.measure.factor * getattr(row, name))
                    for name in ("difference", "low", "high")
                },
                "verdict": row.verdict,
                "chances": [_digits(p) for p in (row.p_better, row.p_equivalent, row.p_worse)],
            }
        )
    return {
        "panels": list(panels.values()),
        "rope": first.measure.factor * first.rope,
        "axis": f"difference from {first.reference_label}, {first.unit}",
        "reference": first.reference_label,
    }


def _digits(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None
