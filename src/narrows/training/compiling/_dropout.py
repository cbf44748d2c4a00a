"""Dropout rates as inputs of a program: whose rate is one, and what tells a network without it."""

from collections.abc import Iterator, Sequence
from numbers import Real
from typing import Any

from narrows._keras import keras

FUNCTIONAL: Any = type(keras.Model(*[keras.Input((1,))] * 2))


def dropout_layers(model: Any) -> list[Any]:
    """Return the dropout layers whose rates are inputs of a program, in the order of the graph.

    They are of exactly Keras's class, and in a graph that is run operation by operation. A layer
    that is in the graph several times counts once. Rates of 0 and 1 draw nothing, so they stay.
    """
    found = {id(layer): layer for layer in _met(model) if _has_rate(layer)}
    return list(found.values())


def lanes_rates(
    layers: Sequence[Any], lanes: int, given: Sequence[Sequence[float]] | None
) -> list[list[float]]:
    """Return the layers' rates in each lane: those that are given, or the layers' own."""
    if given is None:
        return [[float(layer.rate) for layer in layers]] * lanes
    for rates in given:
        if len(rates) != len(layers) or not all(0 <= rate < 1 for rate in rates):
            raise ValueError(
                "The 'dropouts' parameter must have, for each lane, a rate of at least 0 and less "
                f"than 1 for each of the network's {len(layers)} dropout layers between 0 and 1. "
                f"Got {list(rates)!r} instead."
            )
    return [[float(rate) for rate in rates] for rates in given]


def config_without_rates(model: Any) -> dict[str, Any]:
    """Return a model's configuration without the rates of `dropout_layers`."""
    config: dict[str, Any] = model.get_config()
    _leave_out(model, config)
    return config


def _leave_out(layer: Any, config: dict[str, Any]) -> None:
    if _has_rate(layer):
        config.pop("rate")
    by_name = {one.name: one for one in _inner(layer)}
    for entry in config["layers"] if by_name else ():
        _leave_out(by_name[entry["config"]["name"]], entry["config"])


def _has_rate(layer: Any) -> bool:
    if type(layer) is not keras.layers.Dropout:
        return False
    return isinstance(layer.rate, Real) and 0 < float(layer.rate) < 1


def _inner(layer: Any) -> list[Any]:
    """Return the operations of a graph that is run one by one; none of anything else."""
    if type(layer) is FUNCTIONAL:
        return list(layer.operations)
    return list(layer._layers) if type(layer) is keras.Sequential else []


def _met(layer: Any) -> Iterator[Any]:
    yield layer
    for one in _inner(layer):
        yield from _met(one)
