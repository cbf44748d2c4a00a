"""Networks from functions: built again where a function may have done more than call layers.

A function may set weights (`set_weights`, `assign`, pretrained arrays), and what it set is the
start of every restart. It may also compute with the numbers that a layer was drawn with, which no
restart could draw anew. Two builds from two seeds tell one from the other: what is equal in both
was set, or is a constant.
"""

from collections.abc import Callable

import jax
import numpy as np

from narrows._keras import fresh_names, keras
from narrows._session import usual_numbers
from narrows.networks._copying import is_described
from narrows.networks._digest import digest
from narrows.networks._initializers import Build, deferred_initializers

_SEEDS = (1, 2)


@usual_numbers()
@jax.disable_jit(False)
def settled(make: Callable) -> tuple:
    """Build networks, and make sure that building them again gives the same."""
    networks, build = _made(make)
    undescribed = build.read or not all(is_described(model) for model in _parts(networks))
    if not undescribed and not build.assigned():
        return networks, build
    (first, one), (networks, build) = (_made(make, seed) for seed in _SEEDS)
    _check_set(one, build)
    if undescribed:
        _check_same(first.trained, networks.trained)
        for model in (*_parts(networks), networks.trained):
            _check_closed(model)
    return networks, build


def _parts(networks) -> list[keras.Model]:
    parts = (networks.posterior or networks.encoder, networks.decoder)
    return [model for model in parts if model is not None]


def _made(make: Callable, seed: int | None = None):
    with fresh_names(), deferred_initializers(seed) as build:
        return make(build), build


def _check_set(one: Build, other: Build) -> None:
    """Refuse weights that a function set from numbers that differ from build to build."""
    first, second = one.assigned(), other.assigned()
    different = [
        b.path
        for a, b in zip(first, second, strict=False)
        if not np.array_equal(np.asarray(a.value), np.asarray(b.value), equal_nan=True)
    ]
    if different or len(first) != len(second):
        raise ValueError(
            "Weights that an encoder or decoder function sets must be the same whenever it is "
            f"called, as every restart starts from them. Those of {', '.join(different) or 'it'} "
            "come from numbers that are drawn anew. Set them from a seeded generator, or give "
            "the layer an initializer."
        )


def _check_same(one: keras.Model, other: keras.Model) -> None:
    """Refuse functions that make another network every time."""
    shapes = [[tuple(v.shape) for v in model.variables] for model in (one, other)]
    same = shapes[0] == shapes[1] and computes(one) == computes(other)
    if not same:
        raise ValueError(
            "An encoder or decoder function must make the same network whenever it is called. "
            "It holds numbers that were drawn while it was built, such as an operation on a "
            "layer's kernel, and no training would change them. Tie weights with "
            "narrows.networks.Transposed, or draw constants from a seeded generator."
        )


def computes(model: keras.Model) -> str | None:
    """Return a text for what a model computes, with its weights as inputs; see `digest`."""

    def run(trainable, other, rows):
        return [
            model.stateless_call(trainable, other, rows, training=training)[:2]
            for training in (False, True)
        ]

    rows = np.zeros((2, *model.input.shape[1:]), model.input.dtype)
    weights = [
        [jax.ShapeDtypeStruct(tuple(v.shape), v.dtype) for v in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    ]
    return digest(run, *weights, rows)


class _Reads(keras.StatelessScope):
    """Notes the variables that are read and that nobody gave a value for."""

    def __init__(self, known):
        super().__init__(state_mapping=[(v, v.value) for v in known])
        self.unknown: dict = {}

    def get_current_value(self, variable):
        found = super().get_current_value(variable)
        if found is None and "seed_generator" not in variable.path:
            self.unknown[id(variable)] = variable
        return found


def _check_closed(model: keras.Model) -> None:
    """Refuse a model that uses weights which are not among its own."""
    unknown: dict = {}

    def run(rows):
        for training in (False, True):
            with _Reads(model.variables) as scope:
                model(rows, training=training)
            unknown.update(scope.unknown)

    rows = jax.ShapeDtypeStruct((2, *model.input.shape[1:]), model.input.dtype)
    jax.eval_shape(run, rows)
    if unknown:
        names = ", ".join(sorted(variable.path for variable in unknown.values()))
        raise ValueError(
            f"The {model.name} must hold every weight that it uses. It uses {names}, which "
            "belongs to a layer that is not in it. Tie weights with narrows.networks.Transposed, "
            "or with a layer class that keeps the other layer as an attribute."
        )
