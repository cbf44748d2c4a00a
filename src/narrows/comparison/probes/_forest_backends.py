"""The two libraries that grow a forest: Yggdrasil (ydf) and scikit-learn."""

import functools
import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np

from narrows._checks import refusal

BACKENDS = ("auto", "sklearn", "ydf")
_quiet_lock = threading.Lock()
_quiet_inside = 0
_quiet_before = 1


@dataclass(frozen=True)
class Growth:
    """How a forest is to be grown.

    Attributes
    ----------
    max_features : int
        Columns looked at in each split.
    n_jobs : int or None
        As `Forest` has it.
    """

    n_estimators: int
    max_features: int
    seed: int
    n_jobs: int | None


def choose_backend(owner: str, backend: str, one_of_many: bool) -> str:
    """Return the library to use, ``"sklearn"`` or ``"ydf"``."""
    if backend not in BACKENDS:
        raise refusal(
            owner,
            "backend",
            f"be one of {', '.join(repr(name) for name in BACKENDS)}",
            f"{backend!r}",
        )
    has_ydf = importlib.util.find_spec("ydf") is not None
    if backend == "ydf" and not has_ydf:
        raise ImportError(
            f"{owner}(backend='ydf') needs the package 'ydf', which is not installed. "
            "Install it, or use backend='auto' for scikit-learn's forest."
        )
    if backend == "ydf" and one_of_many:
        raise refusal(
            owner,
            "max_features",
            "be at least 2 with backend='ydf' and more than one column",
            "1",
            "Use backend='auto' for scikit-learn's forest.",
        )
    usable = has_ydf and not one_of_many
    return "ydf" if usable and backend != "sklearn" else "sklearn"


def grow_ydf(X: np.ndarray, y: np.ndarray, growth: Growth) -> Any:
    """Grow ydf's forest on float32 rows X: of classes where `y` is ints, of numbers for floats."""
    numbers = np.issubdtype(y.dtype, np.floating)
    labels = y.astype(np.float32) if numbers else y.astype(str)
    learner = _learner(replace(growth, n_jobs=_threads(growth.n_jobs)), numbers)
    return _trained(learner, {"x": X, "y": labels}, growth.n_estimators)


@functools.lru_cache(maxsize=128)
def _learner(growth: Growth, numbers: bool) -> Any:
    """Return ydf's learner, which a training does not change.

    Checking its settings takes time, and in a comparison all embeddings of a resample are judged
    by the same ones.
    """
    import ydf

    task: dict[str, Any] = {"min_examples": 1, "winner_take_all": True}
    if numbers:
        # As R's nodesize of 5: a node is split when it has more draws than that, and its
        # children may have any number.
        task = {
            "task": ydf.Task.REGRESSION,
            "min_examples": 6,
            "in_split_min_examples_check": False,
        }
    return ydf.RandomForestLearner(
        label="y",
        features=["x"],
        num_trees=growth.n_estimators,
        # ydf tests one column more than it is asked for: its loop over candidates counts down
        # to zero inclusively (decision_tree/training.cc). Zero would mean its own default,
        # hence no `mtry` of one; with one column it is the same.
        num_candidate_attributes=max(growth.max_features - 1, 1),
        sampling_with_replacement=True,
        max_depth=-1,
        compute_oob_performances=False,
        random_seed=growth.seed,
        num_threads=growth.n_jobs,
        **task,
    )


def _threads(n_jobs: int | None) -> int:
    return joblib.cpu_count() if n_jobs is None else joblib.effective_n_jobs(n_jobs)


def _trained(learner: Any, data: dict[str, np.ndarray], n_estimators: int) -> Any:
    # While ydf trains, Ctrl-C is ydf's: it stops every training of the process. The last one to
    # end raises an error, the others hand over the trees they have, maybe none, and so do
    # trainings that begin before that (ydf/learner/learner.cc).
    try:
        with _silence():
            forest = learner.train(data)
    except ValueError as problem:
        if "interrupted by user" in str(problem):
            raise KeyboardInterrupt from None
        raise
    if forest.num_trees() < n_estimators:
        raise KeyboardInterrupt
    return forest


@contextmanager
def _silence() -> Iterator[None]:
    """Silence ydf while at least one thread is in here, then restore its verbosity.

    Its ``train(verbose=0)`` does so for one training alone: the verbosity is one number for the
    process, and of two trainings at once the first to end switches it on again for the other,
    which then leaves it off for good.
    """
    global _quiet_inside, _quiet_before
    import ydf

    with _quiet_lock:
        if _quiet_inside == 0:
            _quiet_before = ydf.verbose(0)
        _quiet_inside += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_inside -= 1
            if _quiet_inside == 0:
                changed = ydf.verbose(_quiet_before)
                if changed != 0:  # by the user, in the meantime
                    ydf.verbose(changed)


def vote_ydf(forest: Any, X: np.ndarray, n_classes: int, n_jobs: int | None) -> np.ndarray:
    """Return the share of trees that vote for each class code, shape (n_rows, n_classes)."""
    if n_classes == 1:
        return np.ones((len(X), 1))
    shares = _predicted(forest, X, n_jobs)
    if shares.ndim == 1:
        # ydf gives two classes as the second's share alone.
        shares = np.column_stack([1 - shares, shares])
    # Sums of 1/trees in single precision: back to the votes themselves, so that ties are ties.
    votes = np.rint(shares * forest.num_trees())
    ordered = np.zeros((len(X), n_classes))
    for column, code in enumerate(forest.label_classes()):
        ordered[:, int(code)] = votes[:, column]
    return ordered / forest.num_trees()


def mean_ydf(forest: Any, X: np.ndarray, n_jobs: int | None) -> np.ndarray:
    """Return the mean of the trees' predictions, shape (n_rows,)."""
    return _predicted(forest, X, n_jobs)


def _predicted(forest: Any, X: np.ndarray, n_jobs: int | None) -> np.ndarray:
    with _silence():
        # ydf's slow engine is quicker for some tens of rows, as the fast one is built at the
        # first call, but it keeps Python's lock and other threads waiting.
        found = forest.predict({"x": X}, num_threads=_threads(n_jobs))
    return np.asarray(found, dtype=np.float64)


def forest_to_bytes(forest: Any) -> bytes:
    """Return a forest of ydf's in ydf's own format; it advises against pickling."""
    with _silence():
        return forest.serialize()


def forest_from_bytes(content: bytes) -> Any:
    """Return the forest that `forest_to_bytes` wrote."""
    import ydf

    with _silence():
        return ydf.deserialize_model(content)


def grow_sklearn(X: np.ndarray, y: np.ndarray, growth: Growth) -> Any:
    """Grow a forest with scikit-learn: of classes where `y` is ints, of numbers otherwise."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    settings = {
        "n_estimators": growth.n_estimators,
        "max_features": growth.max_features,
        "random_state": growth.seed,
        "n_jobs": growth.n_jobs,
    }
    if np.issubdtype(y.dtype, np.floating):
        # scikit-learn counts a row that was drawn twice once, and a draw of n rows has
        # (1 − 1/e)·n different ones: more than five draws are about four rows.
        forest = RandomForestRegressor(min_samples_split=4, **settings)
    else:
        forest = RandomForestClassifier(**settings)
    # Threads would add up the trees' answers in any order; a sum's last bit depends on it.
    return forest.fit(X, y).set_params(n_jobs=1)
