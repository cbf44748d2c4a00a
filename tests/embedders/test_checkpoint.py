import numpy as np
import pytest

import narrows
from narrows._keras import keras


def embedders():
    small = {"encoder": (6,), "epochs": 3, "random_state": 1}
    return [
        narrows.Autoencoder(restarts=3, validation_fraction=0.2, patience=2, **small),
        narrows.LinearAutoencoder(epochs=3, random_state=1),
        narrows.VariationalAutoencoder(**small),
        narrows.TSNEMapEncoder(landmarks=20, map_steps=20, **small),
        narrows.ParametricTSNE(**small),
    ]


@pytest.mark.long
@pytest.mark.parametrize("embedder", embedders(), ids=lambda e: type(e).__name__)
def test_a_fit_with_a_checkpoint_is_the_fit_without(embedder, tmp_path):
    X = narrows.datasets.iris().drop(columns="Species")
    plain = embedder.fit_transform(X)
    path = tmp_path / "fit.checkpoint"
    first = embedder.fit(X, checkpoint=path).transform(X)
    again = embedder.fit(X, checkpoint=path).transform(X)
    np.testing.assert_array_equal(first, plain)
    np.testing.assert_array_equal(again, plain)


@pytest.mark.parametrize("embedder", embedders()[::3], ids=lambda e: type(e).__name__)
def test_a_seed_is_needed(embedder, tmp_path):
    X = narrows.datasets.iris().drop(columns="Species")
    with pytest.raises(ValueError, match="With a checkpoint, the 'random_state' parameter"):
        embedder.set_params(random_state=None).fit(X, checkpoint=tmp_path / "c")
    assert not list(tmp_path.iterdir())


def squared(target, output):
    return (target - output) ** 2


FUNCTIONS = {
    "another lambda": ({"loss": lambda t, o: (t - o) ** 2}, {"loss": lambda t, o: abs(t - o)}),
    "another activation": (
        {"encoder": lambda x: keras.layers.Dense(2, activation=lambda v: v * 2)(x)},
        {"encoder": lambda x: keras.layers.Dense(2, activation=lambda v: v * 3)(x)},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("functions", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_checkpoint_knows_the_functions_that_it_was_made_with(tmp_path, functions):
    X = narrows.datasets.iris().drop(columns="Species")
    path = tmp_path / "fit.checkpoint"
    ours = {"encoder": (3,), "decoder": (3,), "epochs": 2, "random_state": 0}
    one, other = (narrows.Autoencoder(**{**ours, **more}) for more in functions)
    one.fit(X, checkpoint=path)
    again = narrows.Autoencoder(**{**ours, **functions[0]}).fit(X, checkpoint=path)
    np.testing.assert_array_equal(again.transform(X), one.transform(X))
    with pytest.raises(ValueError, match="differs in its network"):
        other.fit(X, checkpoint=path)


def test_a_checkpoint_of_a_function_of_the_same_code_is_the_same(tmp_path):
    X = narrows.datasets.iris().drop(columns="Species")
    path = tmp_path / "fit.checkpoint"
    ours = {"encoder": (3,), "epochs": 2, "random_state": 0}
    narrows.Autoencoder(**ours, loss=squared).fit(X, checkpoint=path)
    narrows.Autoencoder(**ours, loss=lambda t, o: (t - o) ** 2).fit(X, checkpoint=path)
