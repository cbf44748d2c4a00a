"""What was compared, as text and as a hash: only results of the same may stand side by side."""

import hashlib
import json
import re
import sys
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from narrows.data import Column, DataTable

# Where an object lies in memory, and the number that Keras gives the next model of a kind.
_PASSING = re.compile(r" at 0x[0-9A-Fa-f]+|_\d+(?=, built=)")
_JOBS = re.compile(r", n_jobs=(?:None|-?\d+)|(?<!\w)n_jobs=(?:None|-?\d+)(?:, )?")


def estimator_text(estimator: Any) -> str:
    """Return an estimator with all its settings that are no defaults, in one line."""
    if isinstance(estimator, BaseEstimator) and type(estimator).__repr__ is BaseEstimator.__repr__:
        # By itself scikit-learn cuts the middle out: two long pipelines would look the same.
        whole = BaseEstimator.__repr__(estimator, N_CHAR_MAX=sys.maxsize)  # type: ignore[call-arg]
    else:
        whole = repr(estimator)
    return " ".join(whole.split())


def lasting(text: str) -> str:
    """Return the text of an estimator without what differs from one run to the next."""
    return _PASSING.sub("", text)


def without_jobs(text: str) -> str:
    """Return the text of an estimator without ``n_jobs``, which has no influence on any number."""
    return _JOBS.sub("", text)


def hash_of(table: DataTable, y: np.ndarray) -> str:
    """Return a hash of rows and labels, the same whatever container a table came in."""
    digest = hashlib.sha256(np.ascontiguousarray(y).tobytes())
    if table.matrix is not None:
        digest.update(np.ascontiguousarray(table.matrix).tobytes())
        return digest.hexdigest()
    try:
        columns = table.columns("compare")
    except Exception:  # columns that narrows cannot read are a transformer's of the user
        digest.update(table.frame.write_csv().encode())
        return digest.hexdigest()
    for column in columns:
        _add(digest, column)
    return digest.hexdigest()


def _add(digest: Any, column: Column) -> None:
    missing = np.asarray(column.missing)
    # A gap in all rows has no kind: pandas calls it a number, Arrow nothing at all.
    kind = "missing" if missing.all() else column.kind
    digest.update(json.dumps([column.name, kind]).encode())
    digest.update(np.packbits(missing).tobytes())
    if kind == "missing":
        return
    if kind in ("text", "other"):
        texts = [None if no else str(v) for v, no in zip(column.values, missing, strict=True)]
        digest.update(json.dumps(texts).encode())
    else:
        values = np.where(missing, 0.0, column.values.astype(np.float64))
        digest.update(np.ascontiguousarray(values).tobytes())
