"""What the preprocessings make of the whole table: learned once, before anything is trained."""

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from narrows._checks import listed
from narrows.comparison.running._preprocessing import dense
from narrows.data import (
    REGRESSION,
    DataTable,
    Labels,
    coarse,
    coarse_message,
    numbers_that_name_rows,
    row_names_message,
    shown,
)


@dataclass(frozen=True)
class Survey:
    """What is known of the preprocessings before any resample.

    Attributes
    ----------
    columns : int
        Of the table itself.
    widths : dict of str to int
        Columns after each preprocessing. One that fails is missing: each resample says why.
    messages : list of str
        What is to be warned of, once instead of in every resample.
    """

    columns: int
    widths: dict[str, int]
    messages: list[str]

    @property
    def narrowest(self) -> int:
        """How many columns all preprocessings leave at least, as far as it is known."""
        return min(self.widths.values(), default=self.columns)

    def warn(self) -> None:
        """Warn the caller's caller."""
        for message in dict.fromkeys(self.messages):
            warnings.warn(message, UserWarning, stacklevel=3)


def survey(
    choices: Mapping[str, Any], table: DataTable, caller: str, *, widths: bool = True
) -> Survey:
    """Learn the preprocessings from all rows, as far as something is asked that needs it."""
    own = table.shape[1]
    known: dict[str, int] = {}
    messages: list[str] = []
    for name, transformer in choices.items():
        warns = hasattr(transformer, "_fit_quietly")
        if isinstance(transformer, StandardScaler):
            messages += _constants(name, table, caller)
        if _keeps_width(transformer, table):
            known[name] = own
        elif warns or widths:
            width, said = _learned(transformer, table)
            messages += said if warns else []
            if width is not None:
                known[name] = width
    return Survey(own, known, messages)


def coarse_columns(
    choices: Mapping[str, Any], table: DataTable, arms: Sequence[Any], caller: str
) -> list[str]:
    """Return sentences on columns that are centred before the engine's networks see them."""
    if not any(arm.lanes for arm in arms):
        return []
    messages = []
    for name, transformer in choices.items():
        encoded = _unscaled(transformer, table)
        if encoded is None:
            continue
        rows, names = encoded
        if found := [name for name, lost in zip(names, coarse(rows), strict=True) if lost]:
            then = (
                f"Under {name!r} the training rows' mean is subtracted from "
                f"{'them' if len(found) > 1 else 'it'} before networks see "
                f"{'them' if len(found) > 1 else 'it'}, in every resample. If you fit such an "
                "embedder yourself, put a StandardScaler before it."
            )
            messages.append(coarse_message(caller, found, then))
    return messages


def row_names(table: DataTable, labels: Labels, caller: str) -> list[str]:
    """Return sentences on columns that seem to name the rows, and on labels that do."""
    said = []
    if table.matrix is not None:  # of others, the preprocessings tell
        odd = numbers_that_name_rows(table.matrix, table.names)
        if odd.any():
            first = shown(table.matrix[:, int(odd.argmax())])
            found = [name for name, is_odd in zip(table.names, odd, strict=True) if is_odd]
            said.append(row_names_message(caller, found, first))
    y = labels.values
    if labels.task == REGRESSION and numbers_that_name_rows(y[:, None], [""])[0]:
        said.append(
            f"The 'y' of {caller} has another whole number in every row "
            f"({', '.join(map(str, shown(y)))}, …): it seems to name the rows. Name another column "
            "as the label, unless that is meant."
        )
    return said


def _unscaled(transformer: Any, table: DataTable) -> Any:
    """Return all rows and their columns' names under a preprocessing that does not scale."""
    if not table.mixed:
        plain = type(transformer) is FunctionTransformer and transformer.func is None
        return (table.matrix, table.names) if plain else None
    if getattr(transformer, "scale", None) != "none" or not hasattr(transformer, "_fit_quietly"):
        return None
    with contextlib.suppress(Exception):  # each resample says what fails
        fitted = clone(transformer)._fit_quietly(table.native)
        return fitted.transform(table.native), list(fitted.get_feature_names_out())
    return None


def _keeps_width(transformer: Any, table: DataTable) -> bool:
    """Say of the preprocessings of numbers that have names that they keep every column."""
    plain = type(transformer) is FunctionTransformer and transformer.func is None
    return not table.mixed and (plain or type(transformer) is StandardScaler)


def _learned(transformer: Any, table: DataTable) -> tuple[int | None, list[str]]:
    """Return how wide rows become, None if that fails, and what the transformer warns of."""
    width = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.suppress(Exception):  # each resample says what fails
            fitted = clone(transformer).fit(table.native)
            width = int(dense(fitted.transform(table.rows(np.arange(2)))).shape[1])
    return width, [str(one.message) for one in caught if issubclass(one.category, UserWarning)]


def _constants(choice: str, table: DataTable, caller: str) -> list[str]:
    if table.matrix is None:
        return []
    flat = np.flatnonzero(table.matrix.min(axis=0) == table.matrix.max(axis=0))
    if not len(flat):
        return []
    message = (
        f"{caller} keeps constant columns at zero under {choice!r}, they cannot be scaled: "
        f"{listed([table.names[int(i)] for i in flat], 20)}. Drop them."
    )
    return [message]
