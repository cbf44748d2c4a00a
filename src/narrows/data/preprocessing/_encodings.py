"""What is learned of one column: how it becomes numbers, and how they become the column again.

Every encoding is plain values, so that `to_config` can put it into JSON without loss.
"""

import dataclasses
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from narrows.data._columns import Column

MISSING = "missing"
OTHER = "other"
DAY = 86_400_000_000  # in microseconds
FIRST = np.datetime64("0001-01-01T00:00:00", "us")
LAST = np.datetime64("9999-12-31T23:59:59.999999", "us")
ONE_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Number:
    """A number or date: filled in where missing, shifted and divided.

    Attributes
    ----------
    name, dtype : str
        The column's name and pandas dtype.
    fill : float
        What stands for a missing value.
    center, scale : float
        The encoded value is ``(value - center) / scale``.
    constant : bool
        Encoded as zero, whatever comes.
    indicator : bool
        Whether a second column says where values are missing.
    step : int
        Of a date: what its moments are multiples of, in microseconds. Zero for numbers.
    """

    kind: ClassVar[str] = "number"
    name: str
    dtype: str
    fill: float
    center: float = 0.0
    scale: float = 1.0
    constant: bool = False
    indicator: bool = False
    step: int = 0

    def names(self, name: str) -> list[str]:
        """Return the encoded columns' names, if the column is called `name`."""
        return [name] + [f"{name}_{MISSING}"] * self.indicator

    def encode(self, column: Column) -> np.ndarray:
        """Return float64 of shape (n_rows, 1 or 2)."""
        missing = np.isnan(column.values)
        values = np.where(missing, self.fill, column.values)
        scaled = np.zeros(len(values)) if self.constant else (values - self.center) / self.scale
        return np.column_stack([scaled, missing] if self.indicator else [scaled])

    def decode(self, block: np.ndarray) -> pd.Series:
        """Return the column that a block of shape (n_rows, 1 or 2) stands for."""
        values = self.center + (0.0 if self.constant else block[:, 0] * self.scale)
        values = np.broadcast_to(values, len(block)).astype(np.float64)
        missing = block[:, 1] > 0.5 if self.indicator else np.zeros(len(block), bool)
        if self.step:
            return _dates(values, missing, self.dtype, self.step)
        return _numbers(values, missing, self.dtype)


@dataclass(frozen=True)
class Flag:
    """A boolean: 0 or 1, never scaled.

    Attributes
    ----------
    name, dtype : str
    fill : float
        What stands for a missing value.
    indicator : bool
    """

    kind: ClassVar[str] = "boolean"
    name: str
    dtype: str
    fill: float
    indicator: bool = False

    def names(self, name: str) -> list[str]:
        """Return the encoded columns' names, if the column is called `name`."""
        return [name] + [f"{name}_{MISSING}"] * self.indicator

    def encode(self, column: Column) -> np.ndarray:
        """Return float64 of shape (n_rows, 1 or 2)."""
        missing = np.isnan(column.values)
        values = np.where(missing, self.fill, column.values)
        odd = (values != 0) & (values != 1)
        if odd.any():
            row = int(odd.argmax())
            raise ValueError(
                f"Column {self.name!r} had booleans in fit. Got the number {values[row]:g} in row "
                f"{row} (counted from 0) instead. Give True and False, or 1 and 0."
            )
        return np.column_stack([values, missing] if self.indicator else [values])

    def decode(self, block: np.ndarray) -> pd.Series:
        """Return the column that a block of shape (n_rows, 1 or 2) stands for."""
        values = block[:, 0] > 0.5
        if self.indicator and (block[:, 1] > 0.5).any():
            return pd.Series(values, dtype="boolean").mask(block[:, 1] > 0.5)
        return pd.Series(values, dtype=self.dtype if self.dtype == "boolean" else "bool")


@dataclass(frozen=True)
class Levels:
    """Text or a categorical: one column of zeros and ones for each level.

    Attributes
    ----------
    name, dtype : str
    levels : tuple
        Seen in fit, sorted.
    pooled : tuple
        Rarer ones, which share a column.
    indicator : bool
        Whether missing is a level of its own.
    categories : tuple or None
        All of a categorical's, in their order.
    ordered : bool
    unseen : str
        What to do with other levels: "ignore" makes all zeros, "warn" says so, "error" raises.
    """

    kind: ClassVar[str] = "text"
    name: str
    dtype: str
    levels: tuple
    pooled: tuple = ()
    indicator: bool = False
    categories: tuple | None = None
    ordered: bool = False
    unseen: str = "ignore"

    @cached_property
    def positions(self) -> dict:
        """The place of every known level in the block; missing is None."""
        places = {level: place for place, level in enumerate(self.levels)}
        places.update(dict.fromkeys(self.pooled, len(self.levels)))
        if self.indicator:
            places[None] = len(self.levels) + bool(self.pooled)
        return places

    def names(self, name: str) -> list[str]:
        """Return the encoded columns' names, if the column is called `name`."""
        shown = [str(level) for level in self.levels]
        shown += [OTHER] * bool(self.pooled) + [MISSING] * self.indicator
        return [f"{name}_{level}" for level in shown]

    def encode(self, column: Column) -> np.ndarray:
        """Return float64 of shape (n_rows, levels + 1 if some are pooled + 1 if some missing)."""
        width = len(self.levels) + bool(self.pooled) + self.indicator
        values = column.values
        if column.kind != "text":  # numbers, looked up among a categorical's numbers
            values = values.astype(object)
            values[column.missing] = None
        found = np.array([self.positions.get(value, -1) for value in values], dtype=int)
        new = (found < 0) & ~column.missing
        if new.any():
            self._meet(values, new)
        block = np.zeros((len(values), width))
        rows = np.flatnonzero(found >= 0)
        block[rows, found[rows]] = 1.0
        return block

    def decode(self, block: np.ndarray) -> pd.Series:
        """Return the column of the largest entries; rows of zeros were unseen and are missing."""
        answers = [*self.levels, *([f"({OTHER})"] if self.pooled else [])]
        answers += [None] * self.indicator
        known = (block != 0).any(axis=1)
        best = block.argmax(axis=1)
        values = [answers[k] if is_known else None for k, is_known in zip(best, known, strict=True)]
        if self.categories is None:
            return pd.Series(values, dtype=self.dtype)
        categories = [*self.categories]
        if self.pooled and any(value == f"({OTHER})" for value in values):
            categories.append(f"({OTHER})")
        return pd.Series(pd.Categorical(values, categories, ordered=self.ordered))

    def _meet(self, values: np.ndarray, new: np.ndarray) -> None:
        if self.unseen == "ignore":
            return
        row = int(new.argmax())
        number = len(set(values[new]))
        message = (
            f"Column {self.name!r} has {number} {'levels' if number > 1 else 'level'} that were "
            f"not there in fit, first {values[row]!r} in row {row} (counted from 0)."
        )
        if self.unseen == "error":
            raise ValueError(
                f"{message} Use unseen='ignore' to encode them as zeros, or fit on rows with "
                "these levels."
            )
        warnings.warn(f"{message} They become zeros.", UserWarning, stacklevel=5)


Encoding = Number | Flag | Levels
KINDS: dict[str, type] = {kind.kind: kind for kind in (Number, Flag, Levels)}


def encoding_to_config(encoding: Encoding) -> dict[str, Any]:
    """Return an encoding as a dictionary for JSON."""
    values = {one.name: getattr(encoding, one.name) for one in dataclasses.fields(encoding)}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
    return {"kind": encoding.kind, **plain}


def encoding_from_config(config: dict[str, Any]) -> Encoding:
    """Return the encoding that a dictionary describes."""
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items() if k != "kind"}
    return KINDS[config["kind"]](**values)


def step_of(days: np.ndarray) -> int:
    """Return the longest of day, hour, minute, second … that all moments are multiples of.

    A day long ago or far ahead, as a float, is off by some microseconds: that much is forgiven.
    """
    ticks = np.rint(days * DAY).astype("int64")
    rounding = np.spacing(np.abs(days)) * DAY + np.spacing(np.abs(days) * DAY)
    forgiven = np.floor(rounding / 2 + 0.5)
    steps = (DAY, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)
    return next(
        step for step in steps if (np.minimum(ticks % step, -ticks % step) <= forgiven).all()
    )


def date_limits(dtype: str) -> tuple[int, int]:
    """Return the first and last moment that a column of dates can hold, in microseconds UTC.

    These are of the years 1 to 9999 on the clocks of the column's time zone, as pandas cannot
    show others; with nanoseconds, what 64 bits hold.
    """
    plain: Any = pd.api.types.pandas_dtype(dtype)
    zone = getattr(plain, "tz", None)
    unit = plain.unit if zone is not None else np.datetime_data(plain)[0]
    first, last = FIRST, LAST
    if unit == "ns":
        first, last = (
            np.datetime64(end, "us")
            for end in (pd.Timestamp.min.ceil("us"), pd.Timestamp.max.floor("us"))
        )
    low, high = (int(end.astype("i8")) for end in (first, last))
    if zone is None:
        return low, high
    near = pd.Series(np.array([first + ONE_DAY, last - ONE_DAY], "M8[us]"))
    ahead = near - near.dt.tz_localize(zone).dt.tz_convert("UTC").dt.tz_localize(None)
    least, most = (int(one) for one in ahead.to_numpy().astype("m8[us]").astype("i8"))
    # 64 bits hold no nanoseconds before their first, but microseconds before the year 1.
    return max(low, low - least) if unit == "ns" else low - least, min(high, high - most)


def _numbers(values: np.ndarray, missing: np.ndarray, dtype: str) -> pd.Series:
    plain = pd.api.types.pandas_dtype(dtype)
    if pd.api.types.is_integer_dtype(plain):
        limits = np.iinfo(getattr(plain, "numpy_dtype", plain))
        # The largest int64 is no float; the float below it is 2^63 - 1024.
        high = np.nextafter(float(limits.max), 0) if limits.bits == 64 else limits.max
        whole = np.clip(np.rint(values), limits.min, high).astype(limits.dtype)
        series = pd.Series(whole, dtype=plain)
        if not missing.any():
            return series
        return series.astype(str(plain).replace("i", "I").replace("u", "U")).mask(missing)
    series = pd.Series(np.where(missing, np.nan, values))
    if pd.api.types.is_extension_array_dtype(plain):
        return series.astype(plain)
    with np.errstate(over="ignore"):
        return series.astype(plain)


def _dates(values: np.ndarray, missing: np.ndarray, dtype: str, step: int) -> pd.Series:
    plain: Any = pd.api.types.pandas_dtype(dtype)
    low, high = date_limits(dtype)
    with np.errstate(over="ignore"):
        steps = np.clip(np.rint(values * DAY / step), -(2.0**62) / step, 2.0**62 / step)
    # Whole numbers from here: 9999-12-31 is beyond what a float counts in microseconds.
    steps = np.clip(steps.astype("int64"), -(-low // step), high // step)
    ticks = (steps * step).view("M8[us]").copy()
    ticks[missing] = np.datetime64("NaT", "us")
    series = pd.Series(ticks)
    if isinstance(plain, pd.DatetimeTZDtype):
        return series.dt.tz_localize("UTC").dt.tz_convert(plain.tz).astype(plain)
    return series.astype(plain)
