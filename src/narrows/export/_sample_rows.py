"""Rows to compare file and model on, drawn from what the model knows of its columns."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from narrows.data import DAY, Encoding, Flag, Levels, TablePreprocessor, date_limits
from narrows.embedders import PCA
from narrows.export._model import Chain

COUNT = 200
_GAP_ROWS = 20
_GAPS = 0.1  # share of missing values, where they may be
_NEW = 0.05  # share of levels that were not there in fit

DRAWN = "drawn from the statistics of the preprocessing"
STANDARD = "drawn from the standard normal distribution"


def drawn_rows(chain: Chain) -> tuple[Any, str]:
    """Draw rows, the same at every call."""
    rng = np.random.default_rng(0)
    first = (*chain.preprocessing, chain.embedder)[0]
    if isinstance(first, TablePreprocessor):
        return _table(first, chain, rng), DRAWN
    if isinstance(first, PCA):
        scores = rng.normal(size=(COUNT, len(first.components_)))
        scores *= np.sqrt(first.explained_variance_)
        return _named(first.inverse_transform(scores), chain), DRAWN
    normal = rng.normal(size=(COUNT, *chain.row_shape))
    if not chain.preprocessing:
        return _named(normal.astype(np.float32), chain), STANDARD
    return _named(_scalers_rows(first, normal, rng), chain), DRAWN


def rows_with_gaps(chain: Chain) -> Any:
    """Return drawn rows in which every column has a gap, and one row has nothing else.

    None where there is no `TablePreprocessor`: a gap is refused then.
    """
    first = (*chain.preprocessing, chain.embedder)[0]
    if not isinstance(first, TablePreprocessor):
        return None
    rows = _table(first, chain, np.random.default_rng(1))[:_GAP_ROWS]
    table = pd.DataFrame(rows).astype(object)
    for place in range(table.shape[1]):
        table.iloc[[place % (_GAP_ROWS - 1), _GAP_ROWS - 1], place] = None
    # Back to the types that the drawn columns had: dates and numbers with what they call missing.
    table = table.apply(lambda one: one.infer_objects() if one.notna().any() else one)
    return table if chain.named else table.to_numpy(object if chain.mixed else np.float64)


def _named(rows: np.ndarray, chain: Chain) -> Any:
    return pd.DataFrame(rows, columns=list(chain.columns or ())) if chain.named else rows


def _scalers_rows(scaler: Any, normal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if isinstance(scaler, MinMaxScaler):
        return scaler.data_min_ + scaler.data_range_ * rng.uniform(-0.1, 1.1, normal.shape)
    if isinstance(scaler, StandardScaler):
        center, spread = scaler.mean_, scaler.scale_
    if isinstance(scaler, RobustScaler):
        center, spread = scaler.center_, scaler.scale_
    rows = normal if spread is None else normal * spread
    return rows if center is None else rows + center


def _table(preprocessor: Any, chain: Chain, rng: np.random.Generator) -> Any:
    unseen = preprocessor.unseen == "ignore"
    ranged = preprocessor.scale == "range"
    columns = [_column(one, ranged, unseen, rng) for one in preprocessor.encodings_]
    names = list(chain.columns or ())
    table = pd.concat(columns, axis=1, keys=names)
    if chain.named:
        return table
    return table.to_numpy(object if chain.mixed else np.float64)


def _column(encoding: Encoding, ranged: bool, unseen: bool, rng: np.random.Generator) -> pd.Series:
    gaps = rng.random(COUNT) < _GAPS
    gaps[0] = False  # a column without any value would be of no kind
    if isinstance(encoding, Levels):
        return _levels(encoding, gaps, unseen, rng)
    if isinstance(encoding, Flag):
        return pd.Series(np.where(gaps, np.nan, rng.integers(0, 2, COUNT).astype(float)))
    spread = rng.random(COUNT) if ranged else rng.normal(size=COUNT)
    values = encoding.center + encoding.scale * spread
    if encoding.center == 0 and encoding.scale == 1:  # not scaled
        values = encoding.fill + max(1.0, abs(encoding.fill)) * spread
    if encoding.step:
        ticks = np.rint(values * DAY / encoding.step) * encoding.step
        moments = np.clip(ticks, *date_limits(encoding.dtype)).astype("i8").view("M8[us]").copy()
        moments[gaps] = np.datetime64("NaT", "us")
        return pd.Series(moments)
    if "int" in encoding.dtype.lower():
        values = np.rint(values)
    return pd.Series(np.where(gaps, np.nan, values))


def _levels(
    encoding: Levels, gaps: np.ndarray, unseen: bool, rng: np.random.Generator
) -> pd.Series:
    known = [level for level in encoding.positions if level is not None]
    text = any(isinstance(level, str) for level in known)
    values = np.empty(COUNT, dtype=object if text else np.float64)
    values[:] = [known[place] for place in rng.integers(0, len(known), COUNT)]
    if unseen:
        new = rng.random(COUNT) < _NEW
        new[0] = False
        values[new] = f"not {known[0]}" if text else max(float(one) for one in known) + 1
    values[gaps] = None if text else np.nan
    return pd.Series(values)
