"""JSON as it should be: no key twice, no NaN, no text that cannot be encoded, not too deep."""

import json
from typing import Any, NoReturn

DEPTH_LIMIT = 200  # levels


def parse_json(text: bytes) -> Any:
    """Return what a JSON text in UTF-8 says."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_distinct, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEPTH_LIMIT} levels deep") from None
    check_text(value)
    return value


def check_text(value: Any) -> None:
    """Raise ValueError for values nested too deeply, or with text that is none."""
    waiting = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEPTH_LIMIT:
            raise ValueError(f"it is nested more than {DEPTH_LIMIT} levels deep")
        if isinstance(one, dict):
            waiting += [(part, depth + 1) for part in (*one.values(), *one)]
        elif isinstance(one, list | tuple):
            waiting += [(part, depth + 1) for part in one]
        elif isinstance(one, str) and not one.isascii():
            one.encode()  # a lone surrogate


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
