"""How every embedder takes rows: a table or array in, checked numbers out."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from narrows._session import usual_numbers
from narrows.data import check_columns, coarse_message, row_names_message, shown, to_matrix
from narrows.embedders._capabilities import capabilities_of

_ADVICE = (
    "Put a StandardScaler or narrows.TablePreprocessor before it in a pipeline, which subtract the "
    "mean in float64."
)


class TakesRows:
    """An estimator that remembers the columns of `fit` and takes rows with the same ones."""

    _dtype = "float32"  # of what it computes with

    def _takes_images(self) -> bool:
        """Whether a row may have more than one axis."""
        return False

    def _check_rows_of_fit(self, values: np.ndarray) -> None:
        """Raise ValueError for rows of `fit` that the parameters cannot take."""

    def _matrix(self, X: Any, *, reset: bool, warns: bool = False) -> np.ndarray:
        """Return `X` as an array, checked for numbers that are none.

        With `warns`, say which columns lose too much on the way, or name the rows.
        """
        owner = type(self).__name__
        expected = None if reset else getattr(self, "feature_names_in_", None)
        with usual_numbers():
            found = to_matrix(
                X, owner=owner, names=expected, dtype=self._dtype,
                allow_images=self._takes_images(), min_rows=2 if reset else 1, look=warns,
            )  # fmt: skip
        count = found.values.shape[1]
        if not reset:
            check_columns(expected, self.n_features_in_, found.names, count, owner)
            return found.values
        self._check_rows_of_fit(found.values)
        said = []
        if found.coarse:
            said.append(coarse_message(owner, found.coarse, _ADVICE))
        # Without names it may be what a preprocessing returned, which has told of it.
        if found.row_names and found.names is not None:
            place = found.names.index(found.row_names[0])
            first = shown(found.values[:, place])
            said.append(row_names_message(owner, found.row_names, first))
        depth = 4 if capabilities_of(self).network else 3  # to the caller of `fit`
        for message in said:
            warnings.warn(message, UserWarning, stacklevel=depth)
        self.n_features_in_: int = count
        if found.names is not None:
            self.feature_names_in_ = np.asarray(found.names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return found.values

    @contextlib.contextmanager
    def _columns_of_fit(self) -> Iterator[None]:
        """Put an earlier fit's columns back if the block fails: all else is still of that fit."""
        names = ("n_features_in_", "feature_names_in_")
        before = {name: vars(self)[name] for name in names if name in vars(self)}
        try:
            yield
        except BaseException:
            for name in names:
                vars(self).pop(name, None)
            vars(self).update(before)
            raise

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.target_tags.required = capabilities_of(self).labels
        return tags

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._matrix(X, reset=False)
