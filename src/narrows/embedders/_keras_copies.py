"""Copies of Keras objects among an embedder's parameters, as `sklearn.base.clone` makes them.

Keras copies an object from its configuration: of a class that is not registered it would not know
the name, and it forgets some arguments.
"""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any


def known_classes(parameters: Mapping[str, Any]) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which Keras finds the classes of the parameters."""
    if "keras" not in sys.modules:  # so none of them is Keras's
        return contextlib.nullcontext()
    from narrows._keras import keras
    from narrows.networks import foreign_pieces, is_own

    found: dict[str, Any] = {}
    for value in parameters.values():
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, keras.Layer):
                found |= foreign_pieces(one)
            elif isinstance(one, keras.Loss | keras.Metric | keras.Optimizer) and not is_own(one):
                found[type(one).__name__] = type(one)
    return keras.saving.CustomObjectScope(found) if found else contextlib.nullcontext()


def check_same_models(parameters: Mapping[str, Any], copies: Mapping[str, Any]) -> None:
    """Refuse a copied model that computes something else than the one it is a copy of."""
    if "keras" not in sys.modules:
        return
    from narrows._keras import keras
    from narrows.networks import computes_as, is_described

    for name, value in parameters.items():
        if not isinstance(value, keras.Model) or is_described(value):
            continue
        if not computes_as(value, copies[name]):
            raise ValueError(
                f"The model {value.name!r} must compute the same when it is copied. A copy "
                "computes something else. Let get_config return every argument of its layers' "
                "constructors, or give a function that makes them."
            )


def carry_losses(parameters: Mapping[str, Any], copies: Mapping[str, Any]) -> None:
    """Give copies of losses and metrics the arguments that Keras's copying forgets."""
    if "keras" not in sys.modules:
        return
    from narrows._keras import keras
    from narrows.networks import carry_attributes

    kinds = keras.Loss | keras.Metric
    for name, value in parameters.items():
        several = isinstance(value, list | tuple)
        pairs = zip(value, copies[name], strict=True) if several else [(value, copies[name])]
        for one, copy in pairs:
            if isinstance(one, kinds) and copy is not one:
                carry_attributes(one, copy)
