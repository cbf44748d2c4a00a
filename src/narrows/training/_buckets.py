"""Rows on their way into a compiled program: buckets, padding, and who must not see padding."""

import math

import numpy as np

VALIDATION_BATCH = 1024
_SMALLEST_BUCKET = 256
_LARGE = 64_000_000  # bytes of data that are not copied for padding; compiling again is cheaper
_SMALL = 4_000_000  # bytes of data that may as well be twice as many


def bucket(rows: int, multiple: int = 1) -> int:
    """Round a row count up, so that data of similar size shares one compiled program.

    Four sizes to each power of two: at most a quarter is padding, from 256 rows on.
    """
    size = max(rows, _SMALLEST_BUCKET)
    grain = 2 ** max(math.ceil(math.log2(size)) - 3, 0)
    size = math.ceil(size / grain) * grain
    return math.ceil(size / multiple) * multiple


def data_rows(x: np.ndarray) -> int:
    """How many rows the data have on the device: a bucket, or as they are where a copy is dear.

    Nothing is computed for padding rows here, a program only never looks them up: for few bytes
    the bucket is the next power of two, so that five folds and five bootstraps share a program.
    """
    if x.nbytes > _LARGE:
        return len(x)
    size = bucket(len(x))
    return 1 << (size - 1).bit_length() if x.nbytes < _SMALL else size


def validation_rows(rows: int) -> int:
    """Round a number of validation rows up; 0 stays 0.

    Padding is computed like rows, after every epoch, so few rows get a small bucket: powers of two
    from 32, then whole batches.
    """
    if rows == 0:
        return 0
    if rows > VALIDATION_BATCH:
        return bucket(rows, VALIDATION_BATCH)
    return max(2 ** math.ceil(math.log2(rows)), 32)


def pad_rows(x: np.ndarray, rows: int) -> np.ndarray:
    """Return `x` with zero rows appended up to `rows`; no copy where there is nothing to add."""
    if len(x) == rows:
        return x
    padded = np.zeros((rows, *x.shape[1:]), x.dtype)
    padded[: len(x)] = x
    return padded
