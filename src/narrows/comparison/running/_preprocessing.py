"""What is done to the columns before an embedder sees them; learned in every resample."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from narrows._checks import refusal
from narrows.data import DataTable, TablePreprocessor, check_usable

NAMED = ("none", "standardize")
DEFAULT = ("none", "standardize")


def choices_of(preprocess: Any, mixed: bool, caller: str) -> dict[str, Any]:
    """Return the preprocessing choices by name, as transformers that are not fitted."""
    if isinstance(preprocess, Mapping):
        pairs = list(preprocess.items())
    else:
        single = isinstance(preprocess, str) or hasattr(preprocess, "fit")
        listed = [preprocess] if single else list(_sequence(preprocess, caller))
        pairs = [(_name_of(choice), choice) for choice in listed]
    names = [name for name, _ in pairs]
    if not pairs or len(set(names)) < len(names):
        raise refusal(
            caller,
            "preprocess",
            "have at least one choice, each under a name of its own, e.g. ('none', 'standardize')",
            f"{names}",
        )
    return {str(name): _transformer(choice, mixed, caller) for name, choice in pairs}


def _sequence(preprocess: Any, caller: str) -> Sequence:
    if not isinstance(preprocess, Sequence):
        raise refusal(
            caller,
            "preprocess",
            "be names, transformers or a mapping of names to them, e.g. ('none', 'standardize')",
            repr(preprocess),
        )
    return preprocess


def _name_of(choice: Any) -> str:
    return choice if isinstance(choice, str) else type(choice).__name__


def _transformer(choice: Any, mixed: bool, caller: str) -> Any:
    if not isinstance(choice, str):
        if not all(hasattr(choice, method) for method in ("fit", "transform")):
            raise refusal(
                caller, "preprocess", "have names or scikit-learn transformers", repr(choice)
            )
        return choice
    if choice not in NAMED:
        raise refusal(
            caller,
            "preprocess",
            f"be one of {', '.join(map(repr, NAMED))} or a transformer",
            repr(choice),
        )
    if mixed:
        return TablePreprocessor(scale=choice)
    plain = StandardScaler() if choice == "standardize" else FunctionTransformer()
    return plain.set_output(transform="default")  # whatever this session is configured to


def prepare(
    transformer: Any, table: DataTable, train: np.ndarray, others: list[np.ndarray]
) -> list:
    """Learn a preprocessing from training rows and apply it to them and to others.

    Shapes: `train` (n_train,), (n_rows, n_prepared_columns) returned.
    """
    fitted = _fitted(transformer, table.rows(train))
    parts = [table.rows(rows) for rows in (train, *others)]
    return [np.asarray(dense(fitted.transform(part)), dtype=np.float64) for part in parts]


def dense(Z: Any) -> Any:
    """Return what a transformer returned, a sparse matrix as an array."""
    return Z.toarray() if hasattr(Z, "toarray") else Z


def _fitted(transformer: Any, rows: Any) -> Any:
    copy = clone(transformer)
    # What it would say in every resample, `survey` has said of the whole table.
    return getattr(copy, "_fit_quietly", copy.fit)(rows)


def check_mixed(
    choices: Mapping[str, Any], table: DataTable, trains: list[np.ndarray], caller: str
) -> None:
    """Raise before anything is trained if no resample, or not each, could be preprocessed."""
    if not (table.mixed and all(hasattr(choice, "_fit_quietly") for choice in choices.values())):
        return
    columns = table.columns(caller)
    check_usable(columns, caller)
    for column in columns:
        bare = sum(bool(column.missing[rows].all()) for rows in trains)
        if bare:
            raise ValueError(
                f"Each column that {caller} gets must have values among the training rows of "
                f"every resample. Column {column.name!r}, which has values in "
                f"{(~column.missing).sum()} of {len(column.missing)} rows, has none in {bare} of "
                f"{len(trains)} resamples. Drop it."
            )
