"""Pickles of embedders with Keras objects: equal bytes at any time, and everything in them."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

import narrows
from narrows._keras import keras

layers = keras.layers
X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")


def model(n_in, n_out, name):
    """Two dense layers that share one initializer, so that the configuration numbers it."""
    start = keras.initializers.HeNormal(seed=1)
    inputs = keras.Input((n_in,))
    h = layers.Dense(5, "relu", kernel_initializer=start, name=f"{name}_1")(inputs)
    return keras.Model(inputs, layers.Dense(n_out, kernel_initializer=start, name=f"{name}_2")(h))


def with_objects():
    return narrows.Autoencoder(
        2,
        encoder=model(4, 2, "in"),
        decoder=model(2, 4, "out"),
        loss=keras.losses.MeanSquaredError(reduction="mean"),
        optimizer=keras.optimizers.Adam(3e-3),
        metrics=(keras.metrics.MeanSquaredError(name="mse"), "mae"),
        epochs=1,
        random_state=0,
    )


@pytest.fixture(scope="module")
def fitted():
    return with_objects().fit(X)


@pytest.fixture
def clocks(monkeypatch):
    """Let what asks for the time of day find a day later every time."""
    import datetime
    import time

    def later(*_):
        now[0] += 86_400
        return now[0]

    class Datetime(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(later(), tz)

    now, localtime = [10**9], time.localtime
    monkeypatch.setattr(time, "localtime", lambda *_: localtime(later()))
    monkeypatch.setattr(datetime, "datetime", Datetime)


def test_the_clocks_show_in_what_keras_pickles(clocks):
    part = model(4, 2, "in")
    assert pickle.dumps(part) != pickle.dumps(part)


@pytest.mark.long
@pytest.mark.parametrize("state", ["unfitted", "fitted"])
def test_the_same_embedder_gives_the_same_bytes_at_any_time(state, fitted, clocks):
    embedder = fitted if state == "fitted" else with_objects()
    content, found = pickle.dumps(embedder), joblib.hash(embedder)
    assert pickle.dumps(embedder) == content
    assert joblib.hash(embedder) == found
    again = pickle.loads(content)
    assert joblib.hash(again) == found  # as a worker sees it
    if state == "unfitted":  # a copied table of losses is laid out otherwise
        assert joblib.hash(clone(embedder)) == found


def test_another_weight_or_setting_is_another_hash():
    embedder = with_objects()
    found = {joblib.hash(embedder)}
    changed = clone(embedder)
    kernel = changed.encoder.layers[1].kernel
    kernel.assign(kernel + 1)
    found.add(joblib.hash(changed))
    found.add(joblib.hash(clone(embedder).set_params(loss=keras.losses.MeanSquaredError())))
    found.add(joblib.hash(clone(embedder).set_params(optimizer=keras.optimizers.Adam(1e-4))))
    assert len(found) == 4


def test_a_pickle_brings_everything_back(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    Z = fitted.transform(X)
    np.testing.assert_array_equal(again.transform(X), Z)
    np.testing.assert_array_equal(again.inverse_transform(Z), fitted.inverse_transform(Z))
    np.testing.assert_array_equal(again.reconstruct(X), fitted.reconstruct(X))
    for part in ("encoder", "decoder"):
        old, new = getattr(fitted, part), getattr(again, part)
        assert new.to_json() == old.to_json()
        for one, other in zip(new.get_weights(), old.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert again.loss.get_config() == fitted.loss.get_config()
    assert again.optimizer.get_config() == fitted.optimizer.get_config()
    assert again.metrics[0].get_config() == fitted.metrics[0].get_config()
    assert again.metrics[1] == "mae"
    np.testing.assert_array_equal(again.fit(X).transform(X), Z)


def test_what_a_model_says_of_its_training_is_kept():
    embedder = with_objects()
    embedder.encoder.layers[1].trainable = False
    embedder.encoder.compile("sgd", "mae")
    again = pickle.loads(pickle.dumps(embedder)).encoder
    assert [layer.trainable for layer in again.layers] == [True, False, True]
    assert (again.compiled, again.loss) == (True, "mae")
    assert type(again.optimizer) is keras.optimizers.SGD


def test_one_object_in_two_places_stays_one():
    metric = keras.metrics.MeanSquaredError()
    again = pickle.loads(pickle.dumps(narrows.Autoencoder(metrics=[metric, metric, "mae"])))
    assert again.metrics[0] is again.metrics[1]


def test_a_shallow_copy_has_the_same_parameters():
    embedder = with_objects()
    again = copy.copy(embedder)
    for name in ("encoder", "decoder", "loss", "optimizer"):
        assert getattr(again, name) is getattr(embedder, name)
    assert again.metrics[0] is embedder.metrics[0]


def test_a_pipeline_finds_its_cache(tmp_path, monkeypatch, clocks):
    fits = []
    fit = narrows.Autoencoder.fit
    monkeypatch.setattr(narrows.Autoencoder, "fit", lambda *a, **k: fits.append(1) or fit(*a, **k))
    pipeline = make_pipeline(with_objects(), LinearRegression(), memory=str(tmp_path))
    y = X[:, 0]
    first = pipeline.fit(X, y).predict(X)
    np.testing.assert_array_equal(clone(pipeline).fit(X, y).predict(X), first)
    assert len(fits) == 1
