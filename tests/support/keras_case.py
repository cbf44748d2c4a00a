"""A small network and table, trained here and by Keras's own ``fit`` on the same batches."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from narrows._keras import keras
from narrows.objectives import Reconstruction
from narrows.training import Recipe, train

ROWS, BATCH, EPOCHS = 22, 8, 3  # the last batch of an epoch is short


def classes_of(module, base) -> dict[str, type]:
    """Return the classes of a Keras module, each under the first of its names."""
    found: dict[type, str] = {}
    for name, member in sorted(vars(module).items()):
        if inspect.isclass(member) and issubclass(member, base) and member is not base:
            found.setdefault(member, name)
    return {name: member for member, name in found.items()}


def table(columns=3, rows=ROWS) -> np.ndarray:
    """Rows of numbers between 0.1 and 0.9, as every loss takes them."""
    return np.random.default_rng(0).uniform(0.1, 0.9, (rows, columns)).astype("float32")


def orders(rows=ROWS) -> np.ndarray:
    return np.stack([np.random.default_rng(epoch).permutation(rows) for epoch in range(EPOCHS)])


def small_network() -> keras.Model:
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((3,))
    for units in (4, 2, 4):
        x = keras.layers.Dense(units, activation="tanh")(x)
    return keras.Model(inputs, keras.layers.Dense(3, activation="sigmoid")(x))


def train_here(recipe: Recipe, x, rate, weights=None, validation=None):
    """Train one lane from the model's own weights on the shared orders."""
    return train(
        recipe, x, [np.arange(ROWS)], validation, epochs=EPOCHS, batch_size=BATCH, seeds=[(0, 0)],
        learning_rates=[rate], orders=[orders()], sample_weights=weights,
        initial=[np.asarray(v.value)[None] for v in recipe.model.variables],
    )  # fmt: skip


def fit_keras(model, x, y=None, weights=None, **compiled) -> dict[str, list]:
    """Call Keras's ``fit`` an epoch at a time, on rows put in the epoch's order beforehand."""
    model.compile(**compiled)
    history: dict[str, list] = {}
    for order in orders():
        parts = keras.tree.map_structure(lambda part, o=order: part[o], (x, x if y is None else y))
        chosen = None
        if weights is not None:
            chosen = keras.tree.map_structure(lambda part, o=order: part[o], weights)
        found = model.fit(
            *parts, sample_weight=chosen, batch_size=BATCH, epochs=1, shuffle=False, verbose=0
        ).history
        for name, values in found.items():
            history.setdefault(name, []).extend(values)
    return history


def assert_equal_weights(ours, model, rtol=1e-4) -> None:
    for variable, mine in zip(model.variables, ours.weights, strict=True):
        if "seed_generator" in variable.path:
            continue
        reference = np.asarray(variable.value)
        np.testing.assert_allclose(
            mine[0], reference, rtol=rtol, atol=rtol * max(np.abs(reference).max(), 1e-3),
            err_msg=variable.path,
        )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One thing to train with.

    Attributes
    ----------
    make : callable
        Returns the Keras object.
    refused : str or None
        What the sentence must say that refuses it; None for one that must agree.
    """

    make: Callable
    refused: str | None = None


def compare_network(model, x, **more) -> None:
    ours = train_here(Recipe(model, Reconstruction("mse"), keras.optimizers.SGD()), x, 0.05, **more)
    theirs = fit_keras(model, x, optimizer=keras.optimizers.SGD(0.05), loss="mse")
    np.testing.assert_allclose(ours.history[0, :, 0], theirs["loss"], rtol=1e-4)
    assert_equal_weights(ours, model)
