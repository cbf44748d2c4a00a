"""What is done to the columns before an embedder sees them; learned in every resample."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from narrows.data import TablePreprocessor, to_matrix
from narrows.data._containers import as_frame, check_size

NAMED = ("none", "standardize")
DEFAULT = ("none", "standardize")


def choices_of(preprocess: Any, mixed: bool, caller: str) -> dict[str, Any]:
    """Return the preprocessing choices by name, as transformers that are not fitted.

    Parameters
    ----------
    preprocess : str, transformer, sequence of these, or mapping of str to these
        ``"none"`` leaves numbers as they are, ``"standardize"`` gives every column mean 0 and
        standard deviation 1. In a mixed table both turn text and gaps into numbers first, as
        `TablePreprocessor` does.
    mixed : bool
        Whether the table has other columns than finite numbers.
    caller : str
        Name of the public function, for its messages.

    Returns
    -------
    dict of str to transformer

    Raises
    ------
    ValueError
        If there is no choice, a name is unknown, or two choices have one name.
    """
    if isinstance(preprocess, Mapping):
        pairs = list(preprocess.items())
    else:
        single = isinstance(preprocess, str) or hasattr(preprocess, "fit")
        listed = [preprocess] if single else list(_sequence(preprocess, caller))
        pairs = [(_name_of(choice), choice) for choice in listed]
    names = [name for name, _ in pairs]
    if not pairs or len(set(names)) < len(names):
        raise ValueError(
            f"The 'preprocess' parameter of {caller} must have at least one choice, each under a "
            f"name of its own, e.g. ('none', 'standardize'). Got {names} instead."
        )
    return {str(name): _transformer(choice, mixed, caller) for name, choice in pairs}


def _sequence(preprocess: Any, caller: str) -> Sequence:
    if not isinstance(preprocess, Sequence):
        raise ValueError(
            f"The 'preprocess' parameter of {caller} must be names, transformers or a mapping of "
            f"names to them, e.g. ('none', 'standardize'). Got {preprocess!r} instead."
        )
    return preprocess


def _name_of(choice: Any) -> str:
    return choice if isinstance(choice, str) else type(choice).__name__


def _transformer(choice: Any, mixed: bool, caller: str) -> Any:
    if not isinstance(choice, str):
        if not all(hasattr(choice, method) for method in ("fit", "transform")):
            raise ValueError(
                f"The 'preprocess' parameter of {caller} must have names or scikit-learn "
                f"transformers. Got {choice!r} instead."
            )
        return choice
    if choice not in NAMED:
        raise ValueError(
            f"The 'preprocess' parameter of {caller} must be one of "
            f"{', '.join(map(repr, NAMED))} or a transformer. Got {choice!r} instead."
        )
    if mixed:
        return TablePreprocessor(scale=choice)
    return StandardScaler() if choice == "standardize" else FunctionTransformer()


def table_of(X: Any, caller: str) -> tuple[Any, bool]:
    """Return a table that rows can be taken from by number, and whether it is mixed.

    Parameters
    ----------
    X : table or array-like of shape (n_rows, n_columns)
    caller : str
        Name of the public function, for its messages.

    Returns
    -------
    table : float64 ndarray of shape (n_rows, n_columns), or narwhals.DataFrame if mixed
    mixed : bool
        Whether a table has text, dates, booleans or gaps, which a preprocessing has to turn into
        numbers.

    Raises
    ------
    ValueError
        If there are fewer than two rows, or NaN or infinities in an array.
    """
    frame = as_frame(X, caller)
    if frame is not None and _is_mixed(frame):
        check_size(frame.shape, caller, min_rows=2)
        return frame, True
    return to_matrix(X, owner=caller, dtype="float64", min_rows=2).values, False


def _is_mixed(frame: Any) -> bool:
    if not all(dtype.is_numeric() for dtype in frame.schema.values()):
        return True
    return any(_has_gaps(frame.get_column(name)) for name in frame.columns)


def _has_gaps(column: Any) -> bool:
    return bool(column.is_null().any() or (column.dtype.is_float() and column.is_nan().any()))


def prepare(transformer: Any, table: Any, train: np.ndarray, others: list[np.ndarray]) -> list:
    """Learn a preprocessing from training rows and apply it to them and to others.

    Parameters
    ----------
    transformer : transformer
        Cloned; it stays as it is.
    table : ndarray or narwhals.DataFrame
    train : int ndarray of shape (n_train,)
    others : list of int ndarray

    Returns
    -------
    list of float64 ndarray of shape (n_rows, n_prepared_columns)
        The training rows first.
    """
    fitted = clone(transformer).fit(_rows(table, train))
    parts = [_rows(table, rows) for rows in (train, *others)]
    return [np.asarray(fitted.transform(part), dtype=np.float64) for part in parts]


def _rows(table: Any, rows: np.ndarray) -> Any:
    return table[rows] if isinstance(table, np.ndarray) else table[rows.tolist()].to_native()
