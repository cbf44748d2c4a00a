"""Every arm fitted once on all rows, to be looked at: embeddings, errors, losses, networks."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from narrows._checks import refusal
from narrows.comparison._arms import (
    CONTROLS,
    Arm,
    RawColumns,
    all_arms,
    seed_parameters,
)
from narrows.comparison._fit_arguments import FitArguments, fit_with
from narrows.comparison._out_of_fold import first_tests, joined
from narrows.comparison.results._fingerprint import estimator_text, hash_of, lasting
from narrows.comparison.running._design import SeedSource
from narrows.comparison.running._fit import PreparedRows, describe, fit_one, lanes_of
from narrows.comparison.running._preprocessing import NAMED, choices_of
from narrows.comparison.running._survey import survey
from narrows.data import DataTable, labels_of, shift_of, shifted, table_of, thinned

if TYPE_CHECKING:
    import pandas as pd

    from narrows.comparison import Comparison
    from narrows.comparison.resampling._resamples import Resamples

_CALLER = "portraits"
_MOST_REBUILT, _WORST = 1_000, 5


@dataclass(frozen=True)
class Worst:
    """One of the rows that are reconstructed worst.

    Attributes
    ----------
    error : float
        Mean squared error over the prepared columns.
    column : str
        The column that is furthest off, in standard deviations of it.
    original, rebuilt : float
        Its value and its reconstruction.
    """

    row: int
    error: float
    column: str
    original: float
    rebuilt: float


@dataclass(frozen=True)
class Portrait:
    """One arm under one preprocessing, fitted on all rows.

    Attributes
    ----------
    arm, preprocess : str
    control : bool
    points : float ndarray of shape (n_rows, width)
        The embedding; empty where the fit failed. Of an arm that uses labels it is out of fold:
        each row stands where a fit put it that did not see its label, as
        `narrows.out_of_fold` does, in the first of the comparison's resamples that tests it;
        NaN if none does.
    failure : str or None
    columns : list of str
        The prepared columns.
    original, rebuilt : float ndarrays of shape (n_sample, n_columns), or None
        Rows of `Portraits.sample` and their reconstruction; None without a way back. In the
        table's own units where the preprocessing can be undone, otherwise in prepared ones.
    lost : float ndarray of shape (n_columns,), or None
        Mean squared error of each column over its variance: 0 is exact, 1 no better than the
        column's mean. NaN for a constant column.
    typical : float
        Median over rows of the mean squared error, in squared units of the prepared columns.
    worst : list of Worst
    history : pandas.DataFrame or None
        One row per restart and epoch, of an arm that is trained.
    in_use : int or None
        The restart that is shown, the one with the lowest loss.
    network : str
        The network as an SVG element; empty without one.
    summary : str
        Its layers as text.
    uses_labels : bool
        Whether the arm is fitted with labels.
    """

    arm: str
    preprocess: str
    control: bool
    points: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    failure: str | None = None
    columns: list[str] = field(default_factory=list)
    original: np.ndarray | None = None
    rebuilt: np.ndarray | None = None
    lost: np.ndarray | None = None
    typical: float = np.nan
    worst: list[Worst] = field(default_factory=list)
    history: pd.DataFrame | None = None
    in_use: int | None = None
    network: str = ""
    summary: str = ""
    uses_labels: bool = False


@dataclass(frozen=True)
class Portraits:
    """All arms of a comparison fitted once on all rows, to be looked at.

    No score comes from them: scores come from the refits in every resample, or, of a comparison
    without refitting, from other such fits.

    Attributes
    ----------
    items : list of Portrait
        Preprocessing by preprocessing, arms in the comparison's order; raw columns left out.
    sample : int ndarray of shape (n_sample,)
        The rows whose reconstruction was kept.
    seconds : float
        What the fits took.
    """

    items: list[Portrait]
    sample: np.ndarray
    seconds: float


def portraits(
    comparison: Comparison, arms: Mapping[str, Any], X: Any, preprocess: Any = None
) -> Portraits:
    """
    Fit every arm of a comparison once on all rows, to be looked at.

    Parameters
    ----------
    comparison : Comparison
    arms : mapping of str to transformer
        What was compared. Networks are trained from as many seeds as in each resample of the
        comparison, and the training with the lowest loss is kept. Arms that use labels get them,
        and their points are out of fold, see `Portrait`.
    X : table or array-like of shape (n_rows, n_columns)
        The rows that were compared.
    preprocess : str, transformer, sequence of these, or mapping of str to these, default=None
        What was given to `narrows.compare`; None where that was ``"none"``, ``"standardize"`` or
        both.

    Returns
    -------
    Portraits
        An arm that cannot be fitted on all rows says why, the others go on.

    Raises
    ------
    ValueError
        If `X` is not the table that was compared, `arms` are others or have other settings, or
        `preprocess` has other names.
    """
    began = time.perf_counter()
    table = table_of(X, _CALLER)
    check_same_rows(comparison, table)
    _check_arms(comparison, arms)
    choices = _choices(comparison, preprocess, table.mixed)
    width = survey(choices, table, _CALLER).narrowest
    everyone = _arms(comparison, arms, width)
    sample = thinned(_codes(comparison), _MOST_REBUILT)
    with _said_before():
        items = _items(comparison, everyone, choices, table, sample)
    return Portraits(items, sample, time.perf_counter() - began)


def _codes(comparison) -> np.ndarray:
    """Return class codes, int of shape (n_rows,); of numbers zeros."""
    if not comparison.settings["classes"]:
        return np.zeros(len(comparison.labels), int)
    return np.unique(np.asarray(comparison.labels, dtype=str), return_inverse=True)[1]


@contextlib.contextmanager
def _said_before() -> Iterator[None]:
    """Fit again in silence: `compare` has let pass what the arms warn of, and errors are shown."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _items(
    comparison: Comparison,
    everyone: list[Arm],
    choices: dict[str, Any],
    table: DataTable,
    sample: np.ndarray,
) -> list[Portrait]:
    """Fit every arm under every preprocessing."""
    items, records = [], comparison.arm_records
    for choice, transformer in choices.items():
        try:
            prepared = _PreparedTable(clone(transformer).fit(table.native), table)
        except Exception as problem:  # the other choices can be shown
            failed = f"the preprocessing failed: {describe(problem)}"
            items += [Portrait(a.name, choice, a.control, failure=failed) for a in everyone]
            continue
        for arm in everyone:
            # The first fit of a comparison without refitting.
            kept = records[arm.name]
            seed = SeedSource(kept.random_state).get(arm.untrained or arm.name, choice, 0, 0)
            drawn = _portrait(arm, choice, prepared, seed, kept.seeds, sample, comparison)
            items.append(replace(drawn, uses_labels=arm.uses_labels))
    return items


def _labels(comparison: Comparison) -> np.ndarray:
    """Return class codes, numbered as they were and not as their names sort, or numbers."""
    classes = comparison.settings["classes"]
    if not classes:
        return np.asarray(comparison.labels, dtype=np.float64)
    order = {name: code for code, name in enumerate(classes)}
    return np.array([order[str(name)] for name in comparison.labels])


def check_same_rows(comparison: Comparison, table: DataTable) -> None:
    """Raise a ValueError unless a table is the one that was compared."""
    n_rows = comparison.settings["n_rows"]
    if len(table) == n_rows:
        codes = labels_of(comparison.labels, n_rows, _CALLER, comparison.settings["task"]).values
        if comparison.settings["classes"]:
            codes = _labels(comparison).astype(codes.dtype)
        if hash_of(table, codes) == comparison.settings["data"]:
            return
    raise refusal(
        None,
        "X",
        f"be the table that was compared, of {n_rows} rows and "
        f"{comparison.settings['n_columns']} columns",
        f"{len(table)} rows and {table.shape[1]} columns with other values or labels",
    )


class _PreparedTable:
    """All rows after a preprocessing, and the way back where there is one."""

    def __init__(self, fitted: Any, table: DataTable):
        self.fitted = fitted
        self.matrix = np.asarray(fitted.transform(table.native), dtype=np.float64)
        self.names = _column_names(fitted, self.matrix.shape[1], table)
        self._plain = not table.mixed and table.shape[1] == self.matrix.shape[1]

    def back(self, matrix: np.ndarray) -> np.ndarray:
        """Return rows in the table's own units, or as they are where that cannot be."""
        if not self._plain or not hasattr(self.fitted, "inverse_transform"):
            return matrix
        try:
            return np.asarray(self.fitted.inverse_transform(matrix), np.float64)
        except Exception:  # a transformer that cannot be undone is shown in its own units
            return matrix


def _column_names(fitted: Any, width: int, table: DataTable) -> list[str]:
    if table.named and len(table.names) == width:
        return list(table.names)
    try:
        names = [str(name) for name in fitted.get_feature_names_out()]
    except Exception:  # optional in scikit-learn, and may need names that an array has not
        names = []
    return names if len(names) == width else [f"column {place}" for place in range(width)]


def _check_arms(comparison: Comparison, arms: Any) -> None:
    asked = [name for name in comparison.arms if name not in comparison.controls]
    if not isinstance(arms, Mapping) or set(arms) != set(asked):
        got = sorted(arms) if isinstance(arms, Mapping) else arms
        raise refusal(None, "arms", f"be the arms that were compared, {asked}", repr(got))
    for name in asked:
        compared, given = comparison.arm_records[name].text, estimator_text(arms[name])
        if lasting(compared) != lasting(given):
            raise refusal(
                None, "arms", f"be the arms that were compared, {name!r} as {compared}", f"{given}"
            )


def _arms(comparison: Comparison, arms: Mapping[str, Any], width: int) -> list[Arm]:
    """Return the arms and controls to be fitted, as they were and in their order."""
    given = {name: arms[name] for name in comparison.arms if name in arms}
    told = [name for name, record in comparison.arm_records.items() if record.uses_labels]
    everyone = all_arms(given, CONTROLS, width, told)
    known = {arm.name: arm for arm in everyone}
    found = [known[name] for name in comparison.arms if name in known]
    return [arm for arm in found if not isinstance(arm.estimator, RawColumns)]


def _choices(comparison: Comparison, preprocess: Any, mixed: bool) -> dict[str, Any]:
    compared = list(comparison.settings["preprocess"])
    if preprocess is None:
        other = [name for name in compared if name not in NAMED]
        if other:
            raise refusal(
                None,
                "preprocess",
                f"be what was given to compare, since {other[0]!r} is not known by its name",
                "None",
            )
        return choices_of(compared, mixed, _CALLER)
    choices = choices_of(preprocess, mixed, _CALLER)
    if set(choices) != set(compared):
        raise refusal(
            None,
            "preprocess",
            f"have the choices that were compared, {compared}",
            f"{list(choices)}",
        )
    return {name: choices[name] for name in compared}


def _portrait(
    arm: Arm,
    choice: str,
    prepared: _PreparedTable,
    seed: int,
    n_seeds: int,
    sample: np.ndarray,
    comparison: Comparison,
) -> Portrait:
    classes, labels = bool(comparison.settings["classes"]), _labels(comparison)
    try:
        if arm.uses_labels:
            points = _out_of_fold(arm, prepared.matrix, seed, comparison.resamples, labels, classes)
        if arm.untrained is not None and arm.uses_labels:
            return Portrait(arm.name, choice, arm.control, points)
        if arm.untrained is not None:
            whole = PreparedRows(0, prepared.matrix, prepared.matrix, prepared.matrix[:1])
            embedded = next(iter(lanes_of(arm, [whole], [[seed]])))
            return Portrait(arm.name, choice, arm.control, embedded.train, embedded.failure)
        # As in the comparison: float32 would lose what such columns vary by.
        alone = arm.lanes and arm.before is None
        shift = shift_of(prepared.matrix) if alone else np.zeros(prepared.matrix.shape[1])
        (matrix,) = shifted([prepared.matrix], shift)
        given = arm.fit_arguments(labels, None, classes=classes)
        embedder = _fitted(arm, matrix, seed, n_seeds, given)
        own = np.asarray(embedder.transform(matrix), dtype=np.float64)
        return Portrait(
            arm.name, choice, arm.control, points if arm.uses_labels else own,
            columns=prepared.names, **_way_back(embedder, prepared, own, sample, shift),
            **_training(embedder),
        )  # fmt: skip
    except Exception as problem:  # whatever a transformer raises is what there is to show of it
        return Portrait(arm.name, choice, arm.control, failure=describe(problem))


def _out_of_fold(
    arm: Arm,
    matrix: np.ndarray,
    seed: int,
    resamples: Resamples,
    labels: np.ndarray,
    classes: bool,
) -> np.ndarray:
    """Return each row's place by a fit of the first resample that tests it; (n_rows, width)."""
    pairs = [resamples.pairs[number] for number in first_tests(resamples, len(matrix))]
    given = [arm.fit_arguments(labels[train], None, classes=classes) for train, _ in pairs]
    # All rows are embedded: the fits are brought onto one another by rows that taught both.
    parts = [
        PreparedRows(number, matrix[train], matrix, matrix[:1])
        for number, (train, _) in enumerate(pairs)
    ]
    if arm.lanes:
        fits = list(lanes_of(arm, parts, [[seed]] * len(parts), None, given))
    else:
        fits = [
            fit_one(arm.estimator, one, seed, 0, own) for one, own in zip(parts, given, strict=True)
        ]
    for fit in fits:
        if fit.failure is not None:
            raise ValueError(fit.failure)
    return joined([fit.train for fit in sorted(fits, key=lambda fit: fit.resample)], pairs)


def _fitted(arm: Arm, matrix: np.ndarray, seed: int, n_seeds: int, given: FitArguments) -> Any:
    embedder = clone(arm.estimator)
    parameters = embedder.get_params()
    settings: dict[str, Any] = dict.fromkeys(seed_parameters(embedder), seed)
    for name in parameters:
        if arm.lanes and (name == "restarts" or name.endswith("__restarts")):
            settings[name] = max(n_seeds, parameters[name])
    return fit_with(embedder.set_params(**settings), matrix, given)


def _way_back(
    embedder: Any, prepared: _PreparedTable, points: np.ndarray, sample: np.ndarray, shift: Any
) -> dict[str, Any]:
    """Return what is told of the reconstruction; nothing where there is no way back."""
    if not hasattr(embedder, "inverse_transform"):
        return {}
    try:
        found = embedder.inverse_transform(points)
    except Exception:  # a way back that was not asked for (KernelPCA) is none
        return {}
    rebuilt = np.asarray(found, dtype=np.float64).reshape(prepared.matrix.shape) + shift
    squared = (rebuilt - prepared.matrix) ** 2
    variance = prepared.matrix.var(axis=0)
    variance[variance == 0] = np.nan
    errors = squared.mean(axis=1)
    return {
        "original": prepared.back(prepared.matrix[sample]),
        "rebuilt": prepared.back(rebuilt[sample]),
        "lost": squared.mean(axis=0) / variance,
        "typical": float(np.median(errors)),
        "worst": _worst(errors, squared / variance, rebuilt, prepared),
    }


def _worst(errors, relative, rebuilt, prepared: _PreparedTable) -> list[Worst]:
    rows = np.argsort(-errors, kind="stable")[:_WORST]
    before, after = prepared.back(prepared.matrix[rows]), prepared.back(rebuilt[rows])
    found = []
    for place, row in enumerate(rows):
        column = int(np.nan_to_num(relative[row], nan=-1.0).argmax())
        values = float(before[place, column]), float(after[place, column])
        found.append(Worst(int(row), float(errors[row]), prepared.names[column], *values))
    return found


def _training(embedder: Any) -> dict[str, Any]:
    """Return losses and network of a network's embedder, also at the end of a pipeline."""
    from sklearn.pipeline import Pipeline

    from narrows.embedders import layer_widths, network_svg

    network = embedder[-1] if isinstance(embedder, Pipeline) else embedder
    found: dict[str, Any] = {}
    if hasattr(network, "history_"):
        found["history"] = network.history_
        found["in_use"] = network.restarts_.best if hasattr(network, "restarts_") else None
    if hasattr(network, "encoder_") and hasattr(network, "summary"):
        decoder = layer_widths(network.decoder_)[1:] if hasattr(network, "decoder_") else []
        found["network"] = network_svg(layer_widths(network.encoder_), decoder)
        found["summary"] = network.summary()
    return found
