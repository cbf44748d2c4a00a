"""What an embedder that was taught labels can do beside embedding: predict them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from narrows._checks import check_option, check_real
from narrows.embedders._parameters import unused

if TYPE_CHECKING:
    from narrows.embedders.fitting._labels import FitLabels

_ARRAYS = ("label_coef", "label_intercept")


def _taught(embedder: Any) -> bool:
    return hasattr(embedder, "label_coef_")


def _taught_classes(embedder: Any) -> bool:
    return _taught(embedder) and embedder.label_classes_ is not None


class PredictsLabels:
    """An embedder with a linear model of the labels on its codes, if it was fitted with any."""

    label_weight: Any = 0.0
    label_loss: Any = None
    class_weight: Any = None
    label_classes_: list | None = None

    @property
    def _uses_labels(self) -> bool:
        """Whether `fit` needs labels."""
        return not _is_zero(self.label_weight)

    def _check_labels(self) -> None:
        """Raise unless the parameters for labels are of their kinds."""
        from narrows.embedders.fitting._labels import LABEL_LOSSES

        check_real(self, "label_weight", low=0)
        check_option(self, "label_loss", LABEL_LOSSES, self.label_loss, optional=True)
        check_option(self, "class_weight", ("balanced",), self.class_weight, optional=True)

    def _labels_without_effect(self) -> list[str]:
        names = [name for name in ("label_loss", "class_weight") if getattr(self, name) is not None]
        return [] if self._uses_labels else unused(self, names, "with label_weight=0")

    def _take_head(self, labels: "FitLabels", kernel: np.ndarray, bias: np.ndarray) -> None:
        """Keep the model of the labels; shapes (bottleneck, outputs) and (outputs,)."""
        scale = np.float64(labels.scale)
        self.label_coef_ = kernel.T.astype(np.float64) * scale
        self.label_intercept_ = bias.astype(np.float64) * scale + labels.mean
        self.label_classes_ = None if labels.classes is None else labels.classes.tolist()

    def _forget_head(self) -> None:
        for name in ("label_coef_", "label_intercept_", "label_classes_"):
            vars(self).pop(name, None)

    @available_if(_taught_classes)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes, by the linear model on the embedding.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        float64 ndarray of shape (n_rows, n_classes)
            In the order of ``classes_``.
        """
        return softmax(self._predicted(X), axis=1)

    @available_if(_taught)
    def predict(self, X: Any) -> np.ndarray:
        """Return the label that the linear model on the embedding predicts.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows,)
            Classes, or float64 numbers.
        """
        found = self._predicted(X)
        if self.label_classes_ is None:
            return found[:, 0]
        return np.asarray(self.label_classes_)[found.argmax(axis=1)]

    @property
    def classes_(self) -> np.ndarray:
        """The classes that were taught."""
        if not _taught_classes(self):
            raise AttributeError(f"{type(self).__name__} was not taught classes.")
        return np.asarray(self.label_classes_)

    def _predicted(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        Z = np.asarray(self.transform(X), np.float64)  # type: ignore[attr-defined]
        return Z @ self.label_coef_.T + self.label_intercept_

    def _take_learned(self, values: Mapping[str, Any]) -> None:
        known = {k: v for k, v in values.items() if k != "label_classes_" or v is not None}
        super()._take_learned(known)  # type: ignore[misc]

    def _stored_arrays(self) -> dict[str, np.ndarray]:
        own = {name: getattr(self, f"{name}_") for name in _ARRAYS} if _taught(self) else {}
        return {**super()._stored_arrays(), **own}  # type: ignore[misc]

    def _restore_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        width = self._n_features_out  # type: ignore[attr-defined]
        super()._restore_arrays(self._restore_head(arrays, width))  # type: ignore[misc]

    def _restore_head(self, arrays: Mapping[str, np.ndarray], width: int) -> dict[str, np.ndarray]:
        """Take the model of the labels; return the other arrays."""
        found = {name: arrays[name] for name in _ARRAYS if name in arrays}
        if found:
            if set(found) != set(_ARRAYS):
                raise ValueError(f"its model of the labels must have {list(_ARRAYS)}")
            coef, intercept = (found[name] for name in _ARRAYS)
            if coef.shape != (len(intercept), width) or intercept.ndim != 1:
                raise ValueError("its model of the labels does not belong to its embedding")
            self.label_coef_, self.label_intercept_ = coef, intercept
        return {name: value for name, value in arrays.items() if name not in found}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.target_tags.required = tags.target_tags.required or self._uses_labels
        if _taught_classes(self):
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        elif _taught(self):
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        return tags


def _is_zero(weight: Any) -> bool:
    return isinstance(weight, int | float | np.number) and weight == 0
