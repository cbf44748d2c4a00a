"""Results on stdout: lines for people, or one JSON object for machines."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def show(result: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result.

    Parameters
    ----------
    result : mapping
        What ``--json`` prints.
    text : str
        What is printed otherwise.
    as_json : bool
    """
    if as_json:
        print(json.dumps(_plain(result), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print(text)


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it; NaN and infinity, which it does not know, are null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
