"""Constructor parameters as JSON, and back."""

import numbers
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np


def to_plain(value: Any) -> Any:
    """Return a parameter as JSON knows it.

    A mapping becomes ``{"mapping": …}``, Keras's own losses, optimizers and metrics become
    ``{"keras": configuration}``. What cannot
    be described, such as a function, becomes ``{"not_stored": description, "name": name}``.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, list | tuple | range) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    ):
        return [to_plain(one) for one in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        # Elsewhere a list may as well be a tuple; in a mapping, such as of candidates, it is kept.
        return {
            "mapping": {
                name: {"list": to_plain(one)} if isinstance(one, list) else to_plain(one)
                for name, one in value.items()
            }
        }
    if "keras" in sys.modules:
        from narrows.storage._graphs import object_config

        config = object_config(value)
        if config is not None:
            return {"keras": config}
    return {"not_stored": describe(value), "name": _name(value)}


def from_plain(value: Any, custom_objects: Mapping[str, Any]) -> Any:
    """Return the parameter that `to_plain` described; lists come back as tuples.

    What was not stored is taken from `custom_objects` by its name. If it is not there it
    becomes a text that says so, which a later `fit` refuses.
    """
    if isinstance(value, list):
        return tuple(from_plain(one, custom_objects) for one in value)
    if not isinstance(value, dict):
        return value
    if "list" in value:
        return list(from_plain(value["list"], custom_objects))
    if "mapping" in value:
        return {
            name: from_plain(one, custom_objects) for name, one in dict(value["mapping"]).items()
        }
    if "keras" in value:
        from narrows.storage._graphs import object_from

        return object_from(value["keras"])
    missing = f"<{value['not_stored']}, not stored in the file>"
    return custom_objects.get(value["name"], missing)


def check_names(parameters: Mapping[str, Any], custom_objects: Mapping[str, Any]) -> None:
    """Refuse the name of a loss, optimizer or metric that the session has registered.

    A later fit would find the session's object by that name, which nobody passed.
    """
    from narrows._keras import registered_names

    names = registered_names() - set(custom_objects)
    for parameter in ("loss", "optimizer", "metrics"):
        value = parameters.get(parameter)
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, str) and one in names:
                raise ValueError(
                    f"its '{parameter}' is {one!r}, a name under which this session has registered "
                    f"something with Keras. Pass what is meant: custom_objects={{{one!r}: ...}}"
                )


def describe(value: Any) -> str:
    """Say what a value is: ``function my_loss``, ``RandomState``."""
    name = _name(value)
    kind = "function" if hasattr(value, "__name__") and not isinstance(value, type) else ""
    return f"{kind} {name}".strip()


def _name(value: Any) -> str:
    return getattr(value, "__name__", None) or type(value).__name__
