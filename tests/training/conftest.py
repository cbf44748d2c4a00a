"""A small network and data that the engine's tests share."""

import numpy as np
import pytest

from narrows._keras import keras
from narrows.objectives import Reconstruction
from narrows.training import Recipe, train


def small_network():
    """Build a network with everything that could tell lanes apart: dropout and batch-norm."""
    layers = keras.layers
    x = inputs = keras.Input((4,))
    x = layers.Dense(12, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(2)(x)
    return keras.Model(inputs, layers.Dense(4)(x))


@pytest.fixture(scope="session")
def recipe():
    """The small network under mean squared error and Adam."""
    metric = keras.metrics.CategoricalAccuracy("accuracy")
    return Recipe(small_network(), Reconstruction("mse"), keras.optimizers.Adam(), (metric,))


@pytest.fixture(scope="session")
def rows():
    """70 rows of 4 columns; the last 20 are for validation."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(70, 4)) @ rng.normal(size=(4, 4))).astype("float32")


@pytest.fixture(scope="session")
def fit(recipe, rows):
    """Train lanes of the small network: ``fit(seeds, ...)``."""

    def run(seeds, *, epochs=4, batch_size=16, rate=1e-3, x=rows, lane_rows=None, **more):
        lanes = len(seeds)
        lane_rows = lane_rows or [np.arange(50)] * lanes
        validation = more.pop("validation", [np.arange(50, 70)] * lanes)
        return train(
            more.pop("recipe", recipe), x, lane_rows, validation, epochs=epochs,
            batch_size=batch_size, seeds=seeds, learning_rates=[rate] * lanes, **more,
        )  # fmt: skip

    return run
