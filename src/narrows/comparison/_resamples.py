"""Which rows train and which rows test, with a fingerprint."""

import hashlib
import numbers
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Resamples:
    """Pairs of training and test rows of one table.

    Two objects are equal when their fingerprints are.

    Parameters
    ----------
    kind : str
        How the pairs were made, e.g. ``"bootstrap"``.
    pairs : sequence of (train_rows, test_rows)
        Row numbers from 0, an int array of shape (n_train,), repeats allowed, and one of shape
        (n_test,), without rows of the first.
    n_rows : int
        Rows of the table.

    Raises
    ------
    ValueError
        If there is no pair, or a pair has no training or no test rows, rows outside the table
        or rows in both parts.
    """

    kind: str
    pairs: Sequence[Pair]
    n_rows: int

    def __post_init__(self) -> None:
        pairs = tuple((_frozen(train), _frozen(test)) for train, test in self.pairs)
        if not pairs:
            raise ValueError(
                "The 'pairs' parameter of Resamples must have at least one pair of training and "
                "test rows. Got none instead."
            )
        for number, pair in enumerate(pairs):
            _check_pair(number, pair, self.n_rows)
        object.__setattr__(self, "pairs", pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resamples) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the number of rows and of every pair's row numbers."""
        digest = hashlib.sha256(f"rows {self.n_rows}".encode())
        for train, test in self.pairs:
            # Sizes keep the boundary between the two parts in the hash.
            digest.update(f";{len(train)},{len(test)}:".encode())
            digest.update(train.astype("<i8").tobytes())
            digest.update(test.astype("<i8").tobytes())
        return digest.hexdigest()

    @property
    def test_train_ratio(self) -> float:
        """Mean over pairs of test rows to distinct training rows."""
        return float(np.mean([len(test) / len(np.unique(train)) for train, test in self.pairs]))


def bootstrap(
    n_rows: int, times: int = 25, random_state: int | np.random.RandomState | None = None
) -> Resamples:
    """Draw bootstrap resamples, as caret's default ``trainControl(method = "boot")``.

    Parameters
    ----------
    n_rows : int
        Rows of the table, at least two.
    times : int, default=25
        How many resamples.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    Resamples
        Of kind ``"bootstrap"``: training rows are `n_rows` draws with replacement, sorted;
        test rows are the ones not drawn (out-of-bag). A draw that leaves no row out, which
        happens in tiny tables only, is repeated.

    Raises
    ------
    ValueError
        If `n_rows` is below two or `times` below one.

    References
    ----------
    Efron, B. (1983). Estimating the error rate of a prediction rule: improvement on
    cross-validation. JASA 78(382), 316–331. https://doi.org/10.1080/01621459.1983.10477973

    Examples
    --------
    >>> from narrows.comparison import bootstrap
    >>> len(bootstrap(120, random_state=0))
    25
    """
    from sklearn.utils import check_random_state

    _check_int("n_rows", n_rows, 2)
    _check_int("times", times, 1)
    rng = check_random_state(random_state)
    return Resamples("bootstrap", tuple(_one_bootstrap(n_rows, rng) for _ in range(times)), n_rows)


def _one_bootstrap(n_rows: int, rng: np.random.RandomState) -> Pair:
    while True:
        train = np.sort(rng.randint(n_rows, size=n_rows))
        test = np.setdiff1d(np.arange(n_rows), train)
        if len(test):
            return train, test


def _frozen(rows: Any) -> np.ndarray:
    given = np.asarray(rows)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            "The 'pairs' parameter of Resamples must have row numbers (ints). "
            f"Got dtype {given.dtype} instead."
        )
    copy = given.astype(np.intp)
    copy.flags.writeable = False
    return copy


def _check_pair(number: int, pair: Pair, n_rows: int) -> None:
    for name, rows in zip(("training", "test"), pair, strict=True):
        if rows.ndim != 1 or not len(rows):
            raise ValueError(
                f"Resample {number} must have a one-dimensional, non-empty array of {name} rows. "
                f"Got shape {rows.shape} instead."
            )
        if rows.min() < 0 or rows.max() >= n_rows:
            raise ValueError(
                f"Resample {number} must have {name} rows from 0 to {n_rows - 1}. "
                f"Got {rows.min()} to {rows.max()} instead."
            )
    shared = np.intersect1d(*pair)
    if len(shared):
        raise ValueError(
            f"Resample {number} must not test on rows it trains on. "
            f"Got {len(shared)} such rows, the first {shared[0]}, instead."
        )


def _check_int(name: str, value: int, low: int) -> None:
    if not isinstance(value, numbers.Integral) or value < low:
        raise ValueError(
            f"The '{name}' parameter of bootstrap must be an int in the range [{low}, inf). "
            f"Got {value!r} instead."
        )
