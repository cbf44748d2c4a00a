"""A comparison as JSON, and back."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from narrows._checks import listed
from narrows._files import at_home, replace_file
from narrows._version import __version__
from narrows.comparison.resampling._resamples import Resamples
from narrows.comparison.running._design import COLUMNS, FAILED, POINTS
from narrows.data import PREDICTED

if TYPE_CHECKING:
    from narrows.comparison._comparison import Comparison

FORMAT, VERSION = "narrows comparison", 1
_TABLES = {"scores": COLUMNS, "failures": FAILED, "points": POINTS}
_PARTS = {"settings": dict, "seconds": dict, "resamples": dict, "labels": list}
_SETTINGS = (
    "reference", "arms", "controls", "seeds", "preprocess", "probes", "task", "classes", "refit",
    "random_state", "n_rows", "n_columns", "data",
)  # fmt: skip


def to_json(comparison: "Comparison", path: str | Path | None = None) -> str:
    """Return a comparison as JSON; numbers that are none are null, as JSON has no NaN."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "narrows": __version__,
        "settings": comparison.settings,
        "summary": _records(comparison.summary()),
        "verdicts": _records(comparison.verdicts()),
        "seconds": comparison.seconds,
        "fingerprint": comparison.resamples.fingerprint,
        "resamples": comparison.resamples.to_config(),
        "labels": comparison.labels,
    }
    content |= {name: _columns(getattr(comparison, name)) for name in _TABLES}
    text = json.dumps(_plain(content), allow_nan=False, ensure_ascii=False)
    if path is not None:
        replace_file(path, text.encode())
    return text


# What older files call the tasks.
_TASKS = {predicted: task for task, predicted in PREDICTED.items()}


def from_json(text: str | Path) -> "Comparison":
    """Return the comparison that `to_json` wrote."""
    from narrows.comparison._comparison import Comparison

    is_path = isinstance(text, Path) or not str(text).lstrip().startswith("{")
    content = _parsed(at_home(text).read_text(encoding="utf-8") if is_path else str(text))
    tables = {name: pd.DataFrame(content[name]) for name in _TABLES}
    if len(tables["scores"]):
        tables["scores"]["value"] = tables["scores"]["value"].astype(float)
    task = content["settings"]["task"]
    return Comparison(
        **tables,
        labels=content["labels"],
        resamples=Resamples.from_config(content["resamples"]),
        settings=content["settings"] | {"task": _TASKS.get(task, task)},
        seconds=content["seconds"],
    )


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"A comparison must be JSON as Comparison.to_json writes it. Got a text that is none "
            f"({error}) instead."
        ) from error
    found = content.get("format") if isinstance(content, dict) else type(content).__name__
    if found != FORMAT:
        raise ValueError(
            f"A comparison must be JSON with the format {FORMAT!r}. Got {found!r} instead."
        )
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(
            f"A comparison must state its format version, a whole number. Got {version!r} instead."
        )
    if version > VERSION:
        raise ValueError(
            f"A comparison must be of format version {VERSION} or older. Got {version} instead, "
            f"written by narrows {content.get('narrows')}. Upgrade narrows to read it."
        )
    _check_parts(content)
    return content


def _check_parts(content: dict[str, Any]) -> None:
    kinds = _PARTS | dict.fromkeys(_TABLES, dict)
    lost = [name for name, kind in kinds.items() if not isinstance(content.get(name), kind)]
    if not lost:
        lost = [f"settings.{name}" for name in _SETTINGS if name not in content["settings"]]
        lost += [
            f"{table}.{column}"
            for table, columns in _TABLES.items()
            for column in columns
            if not isinstance(content[table].get(column), list)
        ]
    if lost:
        raise ValueError(
            "A comparison must have every part that Comparison.to_json writes. Got one without "
            f"{listed(lost)}, or with something else in its place, instead."
        )


def _columns(frame: pd.DataFrame) -> dict[str, list]:
    return {str(name): frame[name].tolist() for name in frame.columns}


def _records(frame: pd.DataFrame) -> list[dict]:
    return frame.to_dict("records")


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: NumPy's scalars as Python's, NaN as null, others as text."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)
