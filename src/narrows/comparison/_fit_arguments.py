"""What an arm's `fit` gets beside the rows: their labels, and the groups that they belong to."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import MetaEstimatorMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from narrows.embedders import capabilities_of

_PREDICTS = ("classifier", "regressor")


@dataclass(frozen=True)
class FitArguments:
    """What goes into one fit beside its rows; nothing is known of any other row.

    Attributes
    ----------
    labels : ndarray of shape (n_fit_rows,) or (n_fit_rows, n_classes), or None
        Class codes or numbers, or a column of zeros and ones for each class; None where none
        are used.
    groups : int ndarray of shape (n_fit_rows,) or None
    """

    labels: np.ndarray | None = None
    groups: np.ndarray | None = None


ROWS_ALONE = FitArguments()


def fit_with(estimator: Any, X: Any, given: FitArguments) -> Any:
    """Fit an estimator with the labels and groups that it takes."""
    labels = () if given.labels is None else (np.copy(given.labels),)
    groups = {}
    if given.groups is not None:
        groups = {name: np.copy(given.groups) for name in group_parameters(estimator)}
    return estimator.fit(X, *labels, **groups)


def uses_labels(estimator: Any) -> bool:
    """Whether an estimator, or a step of it, is fitted with labels, as far as it says so."""
    return any(map(_says_so, _parts(estimator)))


def group_parameters(estimator: Any) -> list[str]:
    """Return by what names `fit` takes groups; those of a pipeline's steps are nested."""
    if isinstance(estimator, Pipeline):
        return [
            f"{name}__{own}" for name, step in estimator.steps for own in group_parameters(step)
        ]
    takes = hasattr(estimator, "fit") and has_fit_parameter(estimator, "groups")
    return ["groups"] if takes else []


def labels_for(estimator: Any, labels: np.ndarray, *, classes: bool) -> np.ndarray:
    """Return the labels of some rows as an estimator takes them.

    A regressor of several columns gets one for each class, of zeros and ones, as in PLS-DA
    (Barker and Rayens 2003, doi:10.1002/cem.785).

    Shapes: `labels` (n_rows,), (n_rows,) or (n_rows, n_classes) returned.
    """
    if not (classes and _takes_columns(estimator)):
        return labels
    return (labels[:, None] == np.unique(labels)).astype(np.float64)


def _takes_columns(estimator: Any) -> bool:
    """Whether those parts that use labels are regressors of several columns."""
    parts = list(_parts(estimator))
    those = [one for one in parts if _says_so(one)] or parts[-1:]
    tags = [_tags(one) for one in those]
    return bool(tags) and all(
        own is not None and own.estimator_type == "regressor" and own.target_tags.multi_output
        for own in tags
    )


def _parts(estimator: Any) -> Iterator[Any]:
    """Yield an estimator, or instead of a container of estimators those in it."""
    if isinstance(estimator, Pipeline):
        inside = [step for _, step in estimator.steps]
    elif isinstance(estimator, FeatureUnion):
        inside = [one for _, one in estimator.transformer_list]
    elif isinstance(estimator, ColumnTransformer):
        inside = [one for _, one, _ in estimator.transformers]
    elif isinstance(estimator, MetaEstimatorMixin) and hasattr(estimator, "estimator"):
        inside = [estimator.estimator]
    else:
        inside = []
        if hasattr(estimator, "fit"):  # not a step such as "passthrough"
            yield estimator
    for one in inside:
        yield from _parts(one)


def _says_so(estimator: Any) -> bool:
    """Whether an estimator that holds no others says that it uses labels."""
    if getattr(estimator, "_uses_labels", False) or capabilities_of(estimator).labels:
        return True
    tags = _tags(estimator)
    # PLSRegression predicts and says that it requires no labels, which is not so.
    if tags is not None and (tags.target_tags.required or tags.estimator_type in _PREDICTS):
        return True
    return _has_no_default(estimator)


def _tags(estimator: Any) -> Any:
    """Return scikit-learn's tags; None of what has none."""
    return get_tags(estimator) if hasattr(estimator, "__sklearn_tags__") else None


def _has_no_default(estimator: Any) -> bool:
    """Whether `fit` cannot be called without labels."""
    try:
        y = inspect.signature(estimator.fit).parameters.get("y")
    except (TypeError, ValueError):  # of another language
        return False
    return y is not None and y.default is inspect.Parameter.empty
