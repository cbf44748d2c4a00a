"""One column of a table as plain values, the same whatever container it came in.

Numbers, booleans and dates are float64 with NaN where they are missing; dates count days since
1970-01-01 UTC. Text and categories are objects with None where they are missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from narrows._checks import listed
from narrows.data._containers import as_array, as_frame, names_of, positional
from narrows.data._from_r import NA_INTEGER, is_na

Kind = Literal["number", "boolean", "text", "date", "missing", "other"]
NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
DATES = {"datetime", "datetime64", "date"}
TEXT = str(pd.Series(["a"]).dtype)  # "str", or "object" before pandas 3


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
    kind : {"number", "boolean", "text", "date", "missing", "other"}
        "missing" has no value at all; "other" is nothing that becomes numbers.
    values : ndarray of shape (n_rows,)
    dtype : str
        The dtype it has, or would have, in pandas.
    categories : tuple or None
        A categorical's categories in their order, unused ones included.
    ordered : bool
        Whether the order of the categories means something.
    """

    name: str
    kind: Kind
    values: np.ndarray
    dtype: str
    categories: tuple | None = None
    ordered: bool = False

    @property
    def missing(self) -> np.ndarray:
        """Where values are missing; shape (n_rows,)."""
        return pd.isna(self.values)


def columns_of(X: Any, owner: str) -> tuple[list[Column], tuple[str, ...] | None]:
    """Read every column of a table or matrix.

    Shapes: `X` (n_rows, n_columns).
    """
    frame = as_frame(X, owner)
    if frame is None:
        return list(_array_columns(as_array(X, owner))), None
    names = names_of(frame)
    called = names or positional(frame.shape[1])
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        series = [native.iloc[:, number] for number in range(native.shape[1])]
        return [pandas_column(one, name) for one, name in zip(series, called, strict=True)], names
    return [
        narwhals_column(frame[name], shown)
        for name, shown in zip(frame.columns, called, strict=True)
    ], names


def without_values(column: Column, kind: Literal["number", "text"]) -> Column:
    """Return a column of missing values only as one of text or of numbers."""
    values = np.full(len(column.values), None if kind == "text" else np.nan)
    return Column(column.name, kind, values, column.dtype)


def rows_of(X: Any, owner: str) -> tuple[int, int]:
    """Return the shape of a table or matrix without reading its values."""
    frame = as_frame(X, owner)
    rows, columns = as_array(X, owner).shape if frame is None else frame.shape
    return int(rows), int(columns)


def _array_columns(array: np.ndarray) -> Iterator[Column]:
    for name, values in zip(positional(array.shape[1]), array.T, strict=True):
        if array.dtype.kind in "OUSM":
            yield pandas_column(pd.Series(values, dtype=object).infer_objects(), name)
        else:
            yield pandas_column(pd.Series(values), name)


def pandas_column(series: pd.Series, name: str) -> Column:
    """Read a column of pandas."""
    types, dtype = pd.api.types, series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical(series, name)
    if pd.api.types.is_object_dtype(dtype):
        return _objects(series.to_numpy(), name)
    if types.is_complex_dtype(dtype):
        raise ValueError(
            f"Complex data not supported. Got column {name!r} of {dtype} instead of real numbers. "
            "Give real and imaginary parts as columns of their own."
        )
    if isinstance(dtype, pd.ArrowDtype):
        import narwhals as nw

        return narwhals_column(nw.from_native(series, series_only=True), name)
    if types.is_bool_dtype(dtype):
        return Column(name, "boolean", _floats(series), str(dtype))
    if types.is_numeric_dtype(dtype):
        # A column of a sparse frame comes back dense.
        dtype = dtype.subtype if isinstance(dtype, pd.SparseDtype) else dtype
        missing = is_na(series.to_numpy()) if str(dtype) in {"int32", "int64"} else None
        if missing is not None:
            values = np.where(missing, np.nan, _floats(series))
            return Column(name, "number", values, str(dtype).replace("i", "I"))
        return Column(name, "number", _floats(series), str(dtype))
    if types.is_datetime64_any_dtype(dtype):
        naive = series.dt.tz_convert("UTC").dt.tz_localize(None) if _zone(dtype) else series
        return Column(name, "date", _days(naive.to_numpy()), str(dtype))
    if isinstance(dtype, pd.StringDtype):
        return Column(name, "text", _with_none(series.astype(object).to_numpy()), str(dtype))
    return Column(name, "other", series.astype(object).to_numpy(), str(dtype))


def narwhals_column(series: Any, name: str) -> Column:
    """Read a column of polars or Arrow through narwhals."""
    import narwhals as nw

    dtype, missing = series.dtype, series.is_null().to_numpy()
    if missing.all():
        return Column(name, "missing", np.full(len(missing), np.nan), "float64")
    if dtype == nw.Boolean:
        return Column(name, "boolean", _filled(series, False, missing), "bool")
    if dtype.is_numeric():
        if dtype.is_decimal():
            series = series.cast(nw.Float64)
        if dtype in (nw.Int128, nw.UInt128):
            series, dtype = _within_64_bits(series)
        if dtype == nw.Int32:
            missing = missing | (series.fill_null(0).to_numpy() == NA_INTEGER)
        kind = str(dtype).lower() if dtype.is_integer() or dtype == nw.Float32 else "float64"
        if dtype.is_integer() and missing.any():
            kind = kind.replace("i", "I", 1).replace("uI", "UI", 1)
        return Column(name, "number", _filled(series, 0, missing), kind)
    if dtype == nw.String:
        return Column(name, "text", _with_none(_object_array(series.to_list())), TEXT)
    if dtype in (nw.Categorical, nw.Enum):
        values = _with_none(_object_array(series.cast(nw.String).to_list()))
        known = dtype.categories if dtype == nw.Enum else sorted(set(values) - {None})
        return Column(name, "text", values, "category", tuple(known))
    if dtype in (nw.Date, nw.Datetime):
        unit = getattr(dtype, "time_unit", "us")
        zone = getattr(dtype, "time_zone", None)
        stamps = series.dt.timestamp("ns" if unit == "ns" else "us")
        ticks = stamps.fill_null(0).to_numpy().astype("int64")
        moments = ticks.view("M8[ns]" if unit == "ns" else "M8[us]").copy()
        moments[missing] = np.datetime64("NaT", "us")
        return Column(name, "date", _days(moments), f"datetime64[{unit}{f', {zone}' * bool(zone)}]")
    return Column(name, "other", _object_array(series.to_list()), str(dtype))


def _within_64_bits(series: Any) -> tuple[Any, Any]:
    """Return whole numbers of 128 bits as ones that NumPy has, or as floats where it has none."""
    import narwhals as nw

    fits = series.min() >= -(2**63) and series.max() < 2**63
    kind = nw.Int64() if fits else nw.Float64()
    return series.cast(kind), kind


def _categorical(series: pd.Series, name: str) -> Column:
    raw = list(series.cat.categories)
    plain = [_plain(level) for level in raw]
    of_one_kind = all(isinstance(level, str) for level in plain) or not any(
        isinstance(level, str) for level in plain
    )
    if not of_one_kind:
        plain = [str(level) for level in raw]
    codes = series.cat.codes.to_numpy()
    values = _object_array([None if code < 0 else plain[code] for code in codes])
    return Column(name, "text", values, "category", tuple(plain), bool(series.cat.ordered))


def _objects(values: np.ndarray, name: str) -> Column:
    """Read a column of Python objects by what they are."""
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    missing = pd.isna(values)
    if missing.all():
        return Column(name, "missing", np.full(len(values), np.nan), "object")
    if inferred == "string":
        return Column(name, "text", _with_none(values), "object")
    if inferred == "boolean":
        return Column(name, "boolean", _number_objects(values, missing), "bool")
    if inferred in NUMBERS:
        numbers = _number_objects(values, missing)
        whole = "Int64" if missing.any() else "int64"
        fits = inferred == "integer" and bool(np.nanmax(np.abs(numbers)) < 2**63)
        return Column(name, "number", numbers, whole if fits else "float64")
    if inferred in DATES:
        return pandas_column(_moments(values, name), name)
    return Column(name, "other", values, "object")


def _moments(values: np.ndarray, name: str) -> pd.Series:
    try:
        return pd.to_datetime(pd.Series(values, dtype=object))
    except ValueError as error:
        zones = {str(getattr(one, "tzinfo", None) or "none") for one in values if not pd.isna(one)}
        if len(zones) < 2:
            raise ValueError(
                f"Column {name!r} must hold dates that pandas knows. {error}."
            ) from error
        shown = listed(sorted(zones))
        raise ValueError(
            f"Column {name!r} must hold dates of one time zone. Got the zones {shown} instead. "
            "Convert it with pd.to_datetime(column, utc=True)."
        ) from error


def _plain(level: Any) -> str | int | float | bool:
    """Return a category as what JSON knows; others, such as intervals, become text."""
    level = level.item() if isinstance(level, np.generic) else level
    return level if isinstance(level, str | int | float) else str(level)


def _number_objects(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    return np.array([np.nan if no else float(v) for v, no in zip(values, missing, strict=True)])


def _floats(series: pd.Series) -> np.ndarray:
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _filled(series: Any, filler: Any, missing: np.ndarray) -> np.ndarray:
    filled = series.fill_null(filler) if missing.any() else series
    values = filled.to_numpy().astype(np.float64)  # a copy of our own
    values[missing] = np.nan
    return values


def _with_none(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values[pd.isna(values)] = None
    return values


def _object_array(values: list) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _zone(dtype: Any) -> Any:
    return getattr(dtype, "tz", None)


def _days(moments: np.ndarray) -> np.ndarray:
    """Return days since 1970 of datetime64 values, equal whatever unit they are counted in."""
    unit, count = np.datetime_data(moments.dtype)
    if unit in "YMW":
        moments, unit, count = moments.astype("M8[D]"), "D", 1
    per_day = int(np.timedelta64(1, "D") // np.ones(1, f"m8[{count}{unit}]")[0])
    # Nanoseconds since 1970 do not fit into a float64; whole days and the rest of one do.
    whole, rest = np.divmod(moments.view("i8"), per_day)
    return np.where(np.isnat(moments), np.nan, whole + rest / per_day)
