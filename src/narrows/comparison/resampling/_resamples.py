"""Which rows train and which rows test, with a fingerprint."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from narrows._checks import check_integer, refusal

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False, repr=False)
class Resamples:
    """Pairs of training and test rows of one table.

    Two objects are equal when their fingerprints are.

    Parameters
    ----------
    kind : str
        How the pairs were made: ``"bootstrap"``, ``"k-fold"``, ``"holdout"``, ``"own"``.
    pairs : sequence of (train_rows, test_rows)
        Row numbers from 0, an int array of shape (n_train,), repeats allowed, and one of shape
        (n_test,), without rows of the first.
    n_rows : int
        Rows of the table.
    description : str, default=""
        How they were made, in words, e.g. ``"5 × 5 stratified folds"``.

    Raises
    ------
    ValueError
        If there is no pair, or a pair has no training or no test rows, rows outside the table
        or rows in both parts.
    """

    kind: str
    pairs: Sequence[Pair]
    n_rows: int
    description: str = ""

    def __post_init__(self) -> None:
        pairs = tuple((_frozen(train), _frozen(test)) for train, test in self.pairs)
        if not pairs:
            raise refusal(
                "Resamples", "pairs", "have at least one pair of training and test rows", "none"
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

    def __repr__(self) -> str:
        return f"<Resamples: {self}>"

    def __str__(self) -> str:
        return f"{self.describe()} of {self.n_rows} rows, fingerprint {self.fingerprint[:8]}…"

    def describe(self) -> str:
        """Return in words how the pairs were made.

        Returns
        -------
        str
            E.g. ``"5 × 5 stratified folds"``.
        """
        return self.description or f"{len(self)} {self.kind} resample{'s' if len(self) > 1 else ''}"

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
        return float(np.mean([len(test) for _, test in self.pairs] / self.n_distinct))

    @cached_property
    def n_distinct(self) -> np.ndarray:
        """Distinct training rows of each pair, shape (n_resamples,)."""
        return np.array([len(np.unique(train)) for train, _ in self.pairs])

    def frame(self) -> pd.DataFrame:
        """Return the sizes, one row a resample; the row numbers themselves are in `pairs`.

        Returns
        -------
        pandas.DataFrame of shape (n_resamples, 4)
            Columns ``resample`` (from 0), ``n_train``, ``n_distinct`` (training rows, each
            counted once), ``n_test``.
        """
        return pd.DataFrame(
            {
                "resample": np.arange(len(self)),
                "n_train": [len(train) for train, _ in self.pairs],
                "n_distinct": self.n_distinct,
                "n_test": [len(test) for _, test in self.pairs],
            }
        )

    def to_config(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can hold.

        Returns
        -------
        dict
            ``kind``, ``description``, ``n_rows``, ``fingerprint`` and ``pairs``, a list of
            dictionaries with the row numbers ``train`` and ``test``. One of the two is None
            where it is all the other rows of the table in order.
        """
        return {
            "kind": self.kind,
            "description": self.description,
            "n_rows": int(self.n_rows),
            "fingerprint": self.fingerprint,
            "pairs": [_pair_config(train, test, self.n_rows) for train, test in self.pairs],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Resamples":
        """Return the resamples that `to_config` described.

        Parameters
        ----------
        config : mapping
            What `to_config` returned, also after a way through JSON.

        Returns
        -------
        Resamples
            Equal to the ones described.

        Raises
        ------
        ValueError
            If something is missing, rows are not valid, or the fingerprint is another.
        """
        try:
            n_rows = config["n_rows"]
            pairs = [_pair_from(pair["train"], pair["test"], n_rows) for pair in config["pairs"]]
            found = cls(config["kind"], pairs, n_rows, config["description"])
            expected = config["fingerprint"]
        except (KeyError, TypeError) as problem:
            raise refusal(
                "Resamples.from_config",
                "config",
                "be what to_config returned",
                f"one that cannot be read ({problem!r})",
            ) from None
        if found.fingerprint != expected:
            raise ValueError(
                f"The 'config' parameter of Resamples.from_config must have rows with the "
                f"fingerprint it states, {str(expected)[:8]}…. Got {found.fingerprint[:8]}… "
                "instead: rows were changed."
            )
        return found


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

    check_integer("bootstrap", "n_rows", n_rows, least=2)
    check_integer("bootstrap", "times", times, least=1)
    rng = check_random_state(random_state)
    pairs = tuple(_one_bootstrap(n_rows, rng) for _ in range(times))
    return Resamples("bootstrap", pairs, n_rows, f"{times} bootstrap{'s' if times > 1 else ''}")


def _one_bootstrap(n_rows: int, rng: np.random.RandomState) -> Pair:
    while True:
        train = np.sort(rng.randint(n_rows, size=n_rows))
        test = np.setdiff1d(np.arange(n_rows), train)
        if len(test):
            return train, test


def _others(rows: np.ndarray, n_rows: int) -> np.ndarray:
    return np.setdiff1d(np.arange(n_rows), rows)


def _pair_config(train: np.ndarray, test: np.ndarray, n_rows: int) -> dict[str, Any]:
    # A test part of 12,000 rows says it all about 48,000 training rows.
    if np.array_equal(train, _others(test, n_rows)):
        return {"train": None, "test": test.tolist()}
    if np.array_equal(test, _others(train, n_rows)):
        return {"train": train.tolist(), "test": None}
    return {"train": train.tolist(), "test": test.tolist()}


def _pair_from(train: Any, test: Any, n_rows: int) -> tuple[Any, Any]:
    if train is None:
        train = _others(np.asarray(test), n_rows)
    if test is None:
        test = _others(np.asarray(train), n_rows)
    return train, test


def _frozen(rows: Any) -> np.ndarray:
    given = np.asarray(rows)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise refusal("Resamples", "pairs", "have row numbers (ints)", f"dtype {given.dtype}")
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
