"""Bad parameters are refused by ``fit``, in one form, with what was expected and found."""

import numpy as np
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from narrows import (
    Autoencoder,
    LinearAutoencoder,
    ParametricTSNE,
    TSNEMapEncoder,
    VariationalAutoencoder,
)
from support.warned import warnings_of

X = np.random.default_rng(0).normal(size=(20, 3))


def message(**parameters):
    with pytest.raises(InvalidParameterError) as error:
        Autoencoder(**{"epochs": 1, "encoder": (2,), **parameters}).fit(X)
    return str(error.value)


@pytest.mark.parametrize("name", ["bottleneck", "epochs", "batch_size", "restarts"])
@pytest.mark.parametrize("value", [0, -3, 1.5, "2", None, True])
def test_counts(name, value):
    optional = " or None" if name in ("epochs", "batch_size") else ""
    if optional and value is None:
        return
    assert message(**{name: value}) == (
        f"The '{name}' parameter of Autoencoder must be an int in the range [1, inf){optional}. "
        f"Got {value!r} instead."
    )


@pytest.mark.parametrize("value", [-1, 0.5, "3"])
def test_patience(value):
    assert "an int in the range [0, inf) or None. Got " in message(patience=value)


@pytest.mark.parametrize(
    ("name", "bad", "range_"),
    [
        ("contraction", -0.1, "[0, inf)"),
        ("validation_fraction", 1.0, "[0, 1)"),
        ("validation_fraction", -0.2, "[0, 1)"),
        ("learning_rate", 0, "(0, inf)"),
        ("learning_rate", float("inf"), "(0, inf)"),
        ("learning_rate", None, "(0, inf)"),
        ("learning_rate", True, "(0, inf)"),
    ],
)
def test_numbers(name, bad, range_):
    assert message(**{name: bad}) == (
        f"The '{name}' parameter of Autoencoder must be a float in the range {range_}. "
        f"Got {bad!r} instead."
    )


@pytest.mark.parametrize(
    "value",
    [-0.1, float("nan"), "much", True, ("masking", 1.0), ("swap", -0.1), ("salt", 0.1), ("swap",),
     ("gaussian", "0.1")],
)  # fmt: skip
def test_noise(value):
    assert message(noise=value) == (
        "The 'noise' parameter of Autoencoder must be a float in the range [0, inf), ('gaussian', "
        "float in [0, inf)), ('masking', float in [0, 1)) or ('swap', float in [0, 1)). "
        f"Got {value!r} instead."
    )


@pytest.mark.parametrize(
    "value", [-1, "l1", ("l1", -1), ("l2", 1.0), ("kl", 0.1), ("kl", 0.1, 0.0), ("kl", 0.1, 1.0)]
)
def test_sparsity(value):
    text = message(sparsity=value)
    assert text.startswith("The 'sparsity' parameter of Autoencoder must be a float in the range")
    assert text.endswith(f"Got {value!r} instead.")


@pytest.mark.parametrize("name", ["encoder", "decoder"])
@pytest.mark.parametrize("value", [5, "15", (3, 0), (3, -1), (2.5,), (True,), {4, 3}, iter([3])])
def test_widths(name, value):
    text = message(**{name: value})
    assert text.startswith(f"The '{name}' parameter of Autoencoder must be a sequence of ints")
    assert "a function of a Keras tensor, or a keras.Model" in text
    assert text.endswith(f"Got {value!r} instead.")


def test_the_encoder_must_be_given():
    assert "The 'encoder' parameter" in message(encoder=None)


@pytest.mark.parametrize(
    ("parameters", "near"),
    [
        ({"optimizer": "adm"}, "'adam'"),
        ({"optimizer": "RMSprob"}, "'rmsprop'"),
        ({"loss": "mze"}, "'mse'"),
        ({"loss": "mean_square_error"}, "'mean_squared_error'"),
        ({"metrics": ("acuracy",)}, "'accuracy'"),
    ],
)
def test_unknown_names_get_near_ones(parameters, near):
    name, value = next(iter(parameters.items()))
    value = value if isinstance(value, str) else value[0]
    text = message(**parameters)
    assert f"The '{name}' parameter of Autoencoder must be the name of a" in text
    assert f"Got {value!r} instead. Did you mean " in text
    assert near in text


@pytest.mark.parametrize(
    ("name", "known"), [("optimizer", "adam"), ("loss", "huber"), ("metrics", "accuracy")]
)
def test_a_name_unlike_any_lists_the_known_ones(name, known):
    text = message(**{name: "xyzxyzxyz" if name != "metrics" else ["xyzxyzxyz"]})
    assert "Known: " in text
    assert f" {known}," in text


def test_every_name_that_is_suggested_works():
    """What is offered must not fail in its turn."""
    from narrows._keras import keras
    from narrows.embedders._keras_objects import _names

    for module, base in (
        (keras.losses, keras.losses.Loss),
        (keras.optimizers, keras.optimizers.Optimizer),
        (keras.metrics, keras.metrics.Metric),
    ):
        names = _names(module, base, module.get)
        assert len(names) > 5
        assert all(module.get(name) is not None for name in names)


@pytest.mark.parametrize("value", [None, 3, object, ["mse"]])
def test_losses_of_another_kind(value):
    assert "the name of a loss, a function of two arrays, a keras.losses.Loss or a " in message(
        loss=value
    )


def test_optimizers_of_another_kind():
    from narrows._keras import keras

    for value in (None, 3, keras.optimizers.Adam):
        wanted = "the name of an optimizer or a keras.optimizers.Optimizer"
        assert wanted in message(optimizer=value)


@pytest.mark.parametrize("value", ["accuracy", None, [3], 3])
def test_metrics_of_another_kind(value):
    text = message(metrics=value)
    assert "must be a sequence of names of metrics" in text
    assert text.endswith(f"Got {value!r} instead.")


def test_a_negative_seed():
    assert "The 'random_state' parameter" in message(random_state=-1)


def test_metrics_are_recorded_under_the_names_given():
    def distance(x, back):
        return abs(x - back)

    embedder = Autoencoder(encoder=(2,), epochs=2, metrics=["mse", distance], random_state=0).fit(X)
    assert embedder.history_.columns.tolist() == ["restart", "epoch", "loss", "mse", "distance"]
    np.testing.assert_allclose(embedder.history_["mse"], embedder.history_["loss"], rtol=1e-5)
    mean_squares, distances = embedder.history_["mse"], embedder.history_["distance"]
    assert (distances**2 < mean_squares).all()  # Jensen
    assert (distances > 0).all()


def test_two_functions_of_one_name_are_told_apart():
    def scaled(factor):
        def distance(x, back):
            return factor * abs(x - back)

        return distance

    def recorded(factor):
        embedder = Autoencoder(
            encoder=(2,), epochs=1, metrics=[scaled(factor)], random_state=0
        ).fit(X)
        return embedder.history_["distance"][0]

    assert recorded(10.0) == pytest.approx(10 * recorded(1.0), rel=1e-5)


def test_an_optimizer_object_brings_its_learning_rate():
    from narrows._keras import keras

    def weights(**parameters):
        still = {"residual": False, "epochs": 2, "random_state": 0}
        embedder = Autoencoder(encoder=(2,), **still, **parameters).fit(X)
        return embedder.autoencoder_.get_weights()[0]

    named = weights(optimizer="sgd", learning_rate=0.05)
    np.testing.assert_allclose(named, weights(optimizer=keras.optimizers.SGD(0.05)), rtol=1e-5)
    assert not np.allclose(named, weights(optimizer="sgd", learning_rate=0.01))


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (Autoencoder, "0.001"), (LinearAutoencoder, "0.03"), (VariationalAutoencoder, "0.001"),
        (ParametricTSNE, "0.001"), (TSNEMapEncoder, "0.001"),
    ],
)  # fmt: skip
def test_a_learning_rate_beside_an_optimizer_object_is_refused(kind, default):
    from narrows._keras import keras

    embedder = kind(optimizer=keras.optimizers.SGD(0.05), learning_rate=9.0)
    with pytest.raises(InvalidParameterError) as error:
        embedder.fit(X)
    assert str(error.value) == (
        f"The 'learning_rate' parameter of {kind.__name__} must be left at {default} with an "
        "optimizer object, which brings its own. Got 9.0 instead. Give it to the optimizer, or "
        "name the optimizer, such as 'adam'."
    )


PLACES = np.zeros((20, 2)) + np.arange(20)[:, None]


UNUSED = {
    "VariationalAutoencoder makes no use of kl_warmup=3 with beta=0.": VariationalAutoencoder(
        encoder=(2,), epochs=1, beta=0.0, kl_warmup=3
    ),
    "TSNEMapEncoder makes no use of n_neighbors=3, map_steps=1, exaggeration=2.0 with places that "
    "are given.": TSNEMapEncoder(
        encoder=(2,), epochs=1, places=PLACES, n_neighbors=3, map_steps=1, exaggeration=2.0
    ),
}


@pytest.mark.parametrize(("said", "embedder"), UNUSED.items())
def test_what_has_no_effect_is_said(said, embedder):
    caught = warnings_of(lambda: embedder.fit(X))
    assert [str(one.message) for one in caught] == [f"{said} Leave it out."]
    assert caught[0].filename == __file__


@pytest.mark.long
@pytest.mark.parametrize(
    "kind", [Autoencoder, LinearAutoencoder, VariationalAutoencoder, ParametricTSNE]
)
def test_a_fraction_beside_rows_to_validate_on_is_said(kind):
    more = {} if kind is LinearAutoencoder else {"encoder": (2,)}
    more |= {"perplexity": 2.0} if kind is ParametricTSNE else {}
    embedder = kind(epochs=1, validation_fraction=0.25, random_state=0, **more)
    (said,) = warnings_of(lambda: embedder.fit(X, validation_data=X[:5]))
    assert str(said.message) == (
        f"{kind.__name__} makes no use of validation_fraction=0.25 beside validation_data. Leave "
        "it out."
    )


def test_what_has_no_effect_is_said_once_for_many_copies():
    embedder = VariationalAutoencoder(encoder=(2,), epochs=1, beta=0.0, kl_warmup=3)
    (said,) = warnings_of(lambda: embedder.fit_resamples([X, X], [0, 1]))
    assert "kl_warmup=3" in str(said.message)


def test_the_loss_is_the_one_given():
    losses = [
        Autoencoder(encoder=(2,), epochs=1, random_state=0, learning_rate=1e-9, loss=loss)
        .fit(X)
        .history_["loss"][0]
        for loss in ("mse", "mae", "huber")
    ]
    embedder = Autoencoder(encoder=(2,), epochs=1, random_state=0, learning_rate=1e-9).fit(X)
    error = embedder.reconstruct(X) - X
    huber = np.where(abs(error) <= 1, error**2 / 2, abs(error) - 0.5)
    expected = [np.mean(error**2), np.mean(abs(error)), huber.mean()]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
