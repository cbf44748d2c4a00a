"""Arrays by name in the safetensors format, bfloat16 among them.

Booleans, whole numbers of 8 to 64 bits and floats of 16, 32 and 64 bits, little-endian, in C
order, with the shape they had (a scalar stays one). The header, which safetensors itself limits to
100 MB, lists arrays that lie one after the other without gap or overlap: nothing in it can claim
more than the file holds.

safetensors' own NumPy module writes bfloat16 and does not read it.
"""

from collections.abc import Mapping

import ml_dtypes
import numpy as np
import safetensors
from safetensors.numpy import save

Arrays = dict[str, np.ndarray]

_TYPES: dict[str, type] = {
    "BF16": ml_dtypes.bfloat16,
    "BOOL": np.bool_,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
    "I8": np.int8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "U8": np.uint8,
    "U16": np.uint16,
    "U32": np.uint32,
    "U64": np.uint64,
}
KNOWN = {np.dtype(kind).name for kind in _TYPES.values()}


def write_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as the content of a safetensors file."""
    ready = {name: _standard(name, np.asarray(value)) for name, value in arrays.items()}
    return save(ready)


def read_arrays(content: bytes) -> Arrays:
    """Return the arrays in the content of a safetensors file; they can be written to."""
    try:
        found = safetensors.deserialize(content)
    except (safetensors.SafetensorError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return {name: _array(name, about) for name, about in found}


def _array(name: str, about: Mapping) -> np.ndarray:
    if about["dtype"] not in _TYPES:
        raise ValueError(f"{name!r} is of the unknown type {about['dtype']!r}")
    kind = np.dtype(_TYPES[about["dtype"]]).newbyteorder("<")
    values = np.frombuffer(bytearray(about["data"]), dtype=kind).reshape(about["shape"])
    return values.astype(_TYPES[about["dtype"]], copy=False)


def _standard(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.name not in KNOWN:
        raise TypeError(
            f"Arrays in a .narrows file must be of the types {', '.join(sorted(KNOWN))}. Got "
            f"{values.dtype} in {name!r} instead."
        )
    return np.array(values, dtype=values.dtype.newbyteorder("="), order="C", copy=None)
