"""Cloning parameters that are Keras objects of the user's own classes."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any


def known_classes(parameters: Mapping[str, Any]) -> contextlib.AbstractContextManager:
    """Return a context in which Keras finds the classes of the parameters.

    A clone has copies of its parameters, and Keras copies an object from its configuration: of a
    loss, metric, optimizer or layer class that is not registered it would not know the name.

    Parameters
    ----------
    parameters : mapping of str to object
    """
    if "keras" not in sys.modules:  # so none of them is Keras's
        return contextlib.nullcontext()
    from narrows._keras import keras
    from narrows.networks._copying import foreign_pieces, is_own

    found: dict[str, Any] = {}
    for value in parameters.values():
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, keras.Layer):
                found |= foreign_pieces(one)
            elif isinstance(one, keras.Loss | keras.Metric | keras.Optimizer) and not is_own(one):
                found[type(one).__name__] = type(one)
    return keras.saving.CustomObjectScope(found) if found else contextlib.nullcontext()
