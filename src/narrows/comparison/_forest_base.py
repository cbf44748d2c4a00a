"""What both forests share: parameters, their checks, growing and pickling."""

import numbers
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from narrows.comparison._forest_backends import (
    Growth,
    choose_backend,
    forest_from_bytes,
    forest_to_bytes,
    grow_sklearn,
    grow_ydf,
)


class ForestBase(BaseEstimator):
    """Parameters and growing of a random forest with R's settings; see `Forest`."""

    def __init__(
        self,
        trees: int = 500,
        mtry: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        backend: str = "auto",
        n_jobs: int | None = None,
    ):
        self.trees = trees
        self.mtry = mtry
        self.random_state = random_state
        self.backend = backend
        self.n_jobs = n_jobs

    def _grow(self, X: np.ndarray, y: np.ndarray) -> None:
        """Check the parameters, choose a library and grow `forest_`."""
        _check_count(self, "trees", self.trees)
        _check_jobs(self, self.n_jobs)
        mtry = self._columns_per_split(X.shape[1])
        one_of_many = mtry == 1 < X.shape[1]
        self.backend_ = choose_backend(type(self).__name__, self.backend, one_of_many)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        grow = grow_ydf if self.backend_ == "ydf" else grow_sklearn
        self.forest_ = grow(X, y, Growth(int(self.trees), mtry, seed, self.n_jobs))

    def _columns_per_split(self, n_columns: int) -> int:
        if self.mtry is None:
            return min(n_columns, max(2, self._r_default(n_columns)))
        if not isinstance(self.mtry, numbers.Integral) or not 1 <= self.mtry <= n_columns:
            raise ValueError(
                f"The 'mtry' parameter of {type(self).__name__} must be None or an int from 1 to "
                f"the number of columns, {n_columns}. Got {self.mtry!r} instead."
            )
        return int(self.mtry)

    def _r_default(self, n_columns: int) -> int:
        """Return R's own `mtry` for so many columns."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__().copy()
        if state.get("backend_") == "ydf":
            state["forest_"] = forest_to_bytes(state["forest_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if state.get("backend_") == "ydf":
            state["forest_"] = forest_from_bytes(state["forest_"])
        super().__setstate__(state)


def _check_count(owner: ForestBase, name: str, value: Any) -> None:
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(
            f"The '{name}' parameter of {type(owner).__name__} must be an int in the range "
            f"[1, inf). Got {value!r} instead."
        )


def _check_jobs(owner: ForestBase, n_jobs: Any) -> None:
    if n_jobs is not None and (not isinstance(n_jobs, numbers.Integral) or n_jobs == 0):
        raise ValueError(
            f"The 'n_jobs' parameter of {type(owner).__name__} must be None or an int other than "
            f"0, where -1 is all cores. Got {n_jobs!r} instead."
        )
