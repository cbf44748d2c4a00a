"""Whether nearest neighbours in an embedding share their class."""

from typing import Any

import numpy as np
import pandas as pd

from narrows._session import usual_numbers
from narrows.data import as_numpy_takes, check_columns, to_matrix
from narrows.quality._check import check_neighbours


@usual_numbers()
def neighbour_accuracy(
    Z_train: Any, y_train: Any, Z_test: Any, y_test: Any, n_neighbors: int = 1
) -> float:
    """Return the share of held-out rows that their nearest training rows classify right.

    Every test row gets the most frequent class among its k nearest training rows, by Euclidean
    distance; between equally frequent classes the first in sorted order, as scikit-learn's
    ``KNeighborsClassifier``, which does the work.

    Parameters
    ----------
    Z_train : table or array-like of shape (n_train, n_components)
        Embedding of the training rows, or any other rows of numbers.
    y_train : array-like of shape (n_train,)
        Their classes.
    Z_test : table or array-like of shape (n_test, n_components)
        Embedding of rows that were not trained on.
    y_test : array-like of shape (n_test,)
        Their classes.
    n_neighbors : int, default=1
        k, at most the number of training rows.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If the parts do not fit together, labels are missing or have nothing in common, or
        there is text, NaN or infinity among the rows.

    Notes
    -----
    Arrays of float32 are compared as such, others in float64. Among training rows at the same
    distance, scikit-learn decides which are the nearest.

    References
    ----------
    van der Maaten, L. (2009). Learning a parametric embedding by preserving local structure.
    AISTATS 2009, PMLR 5, 384–391, which judges embeddings by the 1-nearest-neighbour error.
    https://proceedings.mlr.press/v5/maaten09a.html

    Examples
    --------
    >>> import narrows
    >>> from narrows.quality import neighbour_accuracy
    >>> table = narrows.datasets.iris()
    >>> train, test = narrows.partition(table["Species"], random_state=0)
    >>> X, y = table.drop(columns="Species"), table["Species"]
    >>> pca = narrows.PCA(2).fit(X.iloc[train])
    >>> Z_train, Z_test = pca.transform(X.iloc[train]), pca.transform(X.iloc[test])
    >>> neighbour_accuracy(Z_train, y.iloc[train], Z_test, y.iloc[test])
    1.0
    """
    from sklearn import config_context
    from sklearn.neighbors import KNeighborsClassifier

    train, test = _rows(Z_train, Z_test)
    true = [_labels(y_train, len(train), "train"), _labels(y_test, len(test), "test")]
    codes = pd.factorize(np.concatenate(true), sort=True)[0]
    known, wanted = codes[: len(train)], codes[len(train) :]
    if not np.isin(wanted, known).any():
        raise ValueError(
            "The 'y_test' parameter of neighbour_accuracy must have labels in common with "
            f"'y_train'. Got none instead: {true[1][0]!r} here, {true[0][0]!r} there."
        )
    why = f"at most the {len(train)} training rows"
    k = check_neighbours(n_neighbors, len(train), "neighbour_accuracy", why)
    with config_context(assume_finite=True, skip_parameter_validation=True):
        predicted = KNeighborsClassifier(k).fit(train, known).predict(test)
    return float(np.mean(predicted == wanted))


def _rows(Z_train: Any, Z_test: Any) -> tuple[np.ndarray, np.ndarray]:
    single = all(getattr(Z, "dtype", None) == np.float32 for Z in (Z_train, Z_test))
    train, test = (
        to_matrix(
            Z,
            owner=f"neighbour_accuracy ({name})",
            dtype="float32" if single else "float64",
            allow_images=True,
        )
        for name, Z in (("Z_train", Z_train), ("Z_test", Z_test))
    )
    a, b = (m.values.reshape(len(m.values), -1) for m in (train, test))
    check_columns(train.names, a.shape[1], test.names, b.shape[1], "neighbour_accuracy")
    return a, b


def _labels(y: Any, n_rows: int, part: str) -> np.ndarray:
    labels = np.asarray(as_numpy_takes(y), dtype=object)
    if labels.shape != (n_rows,):
        raise ValueError(
            f"The 'y_{part}' parameter of neighbour_accuracy must have one label for each of the "
            f"{n_rows} rows of Z_{part}. Got shape {labels.shape} instead."
        )
    missing = pd.isna(labels)
    if missing.any():
        raise ValueError(
            f"The 'y_{part}' parameter of neighbour_accuracy must have a label in every row. Got "
            f"{missing.sum()} missing, the first in row {missing.argmax()} (counted from 0), "
            "instead. Remove those rows or fill in their labels."
        )
    return labels
