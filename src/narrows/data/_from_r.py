"""R's missing values, as they arrive in Python.

R has no integer -2^31: with 32 bits, it is how NA is written, and what arrives through reticulate.
NA of a text vector arrives as "NA", and NA of a logical column as True, which nothing can tell from
TRUE.
"""

import sys
from typing import Any

import numpy as np
import pandas as pd

NA_INTEGER = -(2**31)


def called_from_r() -> bool:
    """Whether R runs this Python: reticulate has a module of its own loaded then."""
    return "rpytools" in sys.modules


def is_na(values: Any) -> Any:
    """Return where integers, an array or series of any shape, are R's NA; None if none can be."""
    dtype = getattr(values, "dtype", None)
    # A vector of R becomes a list, of which numpy makes 64 bits.
    if dtype == np.int32 or (dtype == np.int64 and called_from_r()):
        found = values == NA_INTEGER
        return found if found.any() else None
    return None


def with_nan(array: np.ndarray) -> np.ndarray:
    """Return an array with NaN where it has R's NA; otherwise the array itself."""
    found = is_na(array)
    return array if found is None else np.where(found, np.nan, array.astype(np.float64))


def with_gaps(series: pd.Series) -> pd.Series:
    """Return labels or groups with R's NA as missing."""
    found = is_na(series)
    if found is not None:
        return series.astype("Int64").mask(found)
    if called_from_r() and (
        pd.api.types.is_string_dtype(series.dtype) or pd.api.types.is_object_dtype(series.dtype)
    ):
        return series.mask((series == "NA").fillna(False).astype(bool))
    return series
