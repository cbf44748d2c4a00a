"""What belongs to the user stays the user's; what belongs to one fit stays that fit's."""

import copy
import pickle
import threading

import numpy as np
import pytest

from narrows import Autoencoder, load_weights_hdf5, save_weights_hdf5
from narrows._keras import keras

layers = keras.layers
X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")


def test_a_layer_that_had_weights_before_is_unharmed():
    trained = keras.Sequential([keras.Input((4,)), layers.Dense(6)])
    before = trained.get_weights()
    embedder = Autoencoder(encoder=lambda x: layers.Dense(2)(trained(x)), decoder=(5,), epochs=1)
    weights = embedder.fit(X).encoder_.get_weights()
    assert not np.array_equal(weights[0], before[0])
    assert all(np.array_equal(a, b) for a, b in zip(before, trained.get_weights(), strict=True))


def test_a_layer_in_a_closure_cannot_be_shared_by_two_fits():
    held = layers.Dense(2)
    embedder = Autoencoder(encoder=lambda x: held(x), decoder=(5,), epochs=1)
    with pytest.raises(ValueError, match="so that every fit has its own"):
        embedder.fit_resamples([X[:30], X[30:]], [0, 1])


def adapted():
    norm = layers.Normalization()
    norm.adapt(X)
    return keras.Sequential([keras.Input((4,)), norm, layers.Dense(2)])


def frozen():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.layers[0].trainable = False
    return model


@pytest.mark.parametrize("make", [adapted, frozen])
def test_weights_that_mean_something_are_kept(make):
    given = make()
    fitted = Autoencoder(encoder=given, decoder=(5,), epochs=1).fit(X).encoder_
    kept = [given.layers[0].get_weights(), fitted.layers[1].get_weights()]
    assert len(kept[0]) >= 2
    assert all(np.array_equal(a, b) for a, b in zip(*kept, strict=True))


@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["copy", "pickle"]
)
def test_a_copied_embedder_still_shares_its_layers(through, tmp_path):
    first = Autoencoder(encoder=(5,), epochs=1, random_state=0).fit(X)
    other = Autoencoder(encoder=(5,), epochs=1, random_state=1).fit(X)
    save_weights_hdf5(other, tmp_path / "other.hdf5")
    again = through(first)
    np.testing.assert_array_equal(again.transform(X), first.transform(X))
    np.testing.assert_array_equal(again.reconstruct(X), first.reconstruct(X))
    load_weights_hdf5(again, tmp_path / "other.hdf5")
    np.testing.assert_array_equal(again.transform(X), other.transform(X))
    np.testing.assert_array_equal(again.reconstruct(X), other.reconstruct(X))
    assert not np.array_equal(first.transform(X), other.transform(X))


def test_models_that_another_thread_builds_meanwhile_are_its_own():
    from narrows.networks import build_networks

    zeros = []
    done = threading.Event()

    def build():
        while not done.is_set():
            dense = layers.Dense(3, kernel_initializer="ones")
            dense.build((None, 2))
            if not np.asarray(dense.kernel.value).all():
                zeros.append(dense)

    user = threading.Thread(target=build)
    user.start()
    try:
        for _ in range(40):
            build_networks((4,), 2, (6, 5))
    finally:
        done.set()
        user.join()
    assert not zeros


def test_optimizer_settings_that_would_be_lost_are_refused():
    with pytest.raises(ValueError, match="must do without use_ema"):
        Autoencoder(optimizer=keras.optimizers.Adam(use_ema=True)).fit(X)
    excluding = keras.optimizers.AdamW()
    excluding.exclude_from_weight_decay(var_names=["bias"])
    with pytest.raises(ValueError, match="must do without exclude_from_weight_decay"):
        Autoencoder(optimizer=excluding).fit(X)


def test_what_a_wrapped_optimizer_would_lose_is_refused():
    wrapped = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(use_ema=True))
    with pytest.raises(ValueError, match="Autoencoder must do without use_ema"):
        Autoencoder(optimizer=wrapped).fit(X)


def test_several_optimizers_in_one_are_refused():
    several = keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.1))
    )
    with pytest.raises(ValueError, match="Autoencoder must do without several optimizers"):
        Autoencoder(optimizer=several).fit(X)


def test_a_wrapped_function_of_the_user_is_a_metric():
    metric = keras.metrics.MeanMetricWrapper(lambda a, b, scale: scale * abs(a - b), scale=2.0)
    metric.name = "double"
    fitted = Autoencoder(metrics=["mae", metric], encoder=(4,), epochs=1, random_state=0).fit(X)
    found = fitted.history_
    np.testing.assert_allclose(found["double"], 2 * found["mae"], rtol=1e-5)


def test_a_summed_loss_is_refused():
    with pytest.raises(ValueError, match="reduction='sum'"):
        Autoencoder(loss=keras.losses.MeanSquaredError(reduction="sum")).fit(X)


def test_metrics_of_one_name_are_refused():
    with pytest.raises(ValueError, match="more than once"):
        Autoencoder(metrics=[lambda a, b: a, lambda a, b: b]).fit(X)


@pytest.mark.parametrize("metric", [keras.metrics.R2Score(), keras.metrics.RootMeanSquaredError()])
def test_metric_objects_with_several_variables(metric):
    embedder = Autoencoder(encoder=(4,), epochs=2, metrics=[metric], random_state=0).fit(X)
    assert np.isfinite(embedder.history_[metric.name]).all()


def test_a_copy_that_is_lost_is_named():
    embedder = Autoencoder(encoder=(4,), epochs=3)
    with pytest.raises(
        ValueError, match="Copy 1 of 2: At least one restart must keep a finite loss"
    ):
        embedder.fit_resamples([X, X * np.float32(1e25)], [0, 1])


def test_an_error_in_progress_ends_the_training(monkeypatch):
    from narrows.embedders.fitting import _fit
    from narrows.training import train

    def broken(done, wanted):
        raise RuntimeError("the bar broke")

    def watched(*args, on_progress, **more):
        return train(*args, on_progress=broken, **more)

    monkeypatch.setattr(_fit, "train", watched)
    with pytest.raises(RuntimeError, match="the bar broke"):
        Autoencoder(encoder=(4,), epochs=10**7).fit(X)


def test_a_model_with_functions_of_the_user_is_copied():
    """Copies for the embedder and for the training go through the same door."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, activation=lambda x: keras.ops.tanh(x) * 2.0),
            layers.Lambda(lambda x: x + 1.0),
            layers.Dense(2, activation=keras.ops.sin),
        ]
    )
    embedder = Autoencoder(encoder=model, decoder=(5,), epochs=1, random_state=0).fit(X)
    kernel, bias, last, offset = (np.asarray(w.value) for w in embedder.encoder_.weights)
    by_hand = np.sin((np.tanh(X @ kernel + bias) * 2.0 + 1.0) @ last + offset)
    np.testing.assert_allclose(embedder.transform(X), by_hand, rtol=1e-4, atol=1e-5)
