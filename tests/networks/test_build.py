"""Widths, functions and models become three graphs over the same layers."""

import numpy as np
import pytest

from narrows._keras import keras
from narrows.networks import build_networks, weight_table

layers = keras.layers


def unnamed_encoder(x):
    return layers.Dense(2)(layers.Dropout(0.1)(layers.Dense(5, activation="relu")(x)))


def unnamed_decoder(z):
    return layers.Dense(4)(layers.Dense(6, activation="relu")(z))


def functional():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(2, name="code")(layers.Dense(5, name="hidden")(inputs)))


def sequential():
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, name="h"), layers.Dense(2, name="c")]
    )


def sequential_decoder():
    return keras.Sequential(
        [keras.Input((2,)), layers.Dense(7, name="up"), layers.Dense(4, name="out")]
    )


def names(model):
    return [layer.name for layer in model.layers]


def dense_widths(model):
    return [layer.units for layer in model.layers if isinstance(layer, layers.Dense)]


def test_widths_are_mirrored():
    networks = build_networks((4,), 2, (15, 5))
    assert dense_widths(networks.encoder) == [15, 5, 2]
    assert dense_widths(networks.decoder) == [5, 15, 4]
    assert names(networks.autoencoder) == [
        "input_1", "encoder_1", "encoder_2", "bottleneck",
        "decoder_1", "decoder_2", "reconstruction",
    ]  # fmt: skip


def test_only_the_last_layers_are_linear():
    model = build_networks((4,), 2, (15, 5)).autoencoder
    linear = [x.name for x in model.layers[1:] if x.activation is keras.activations.linear]
    assert linear == ["bottleneck", "reconstruction"]


def test_no_hidden_widths_is_a_linear_autoencoder():
    assert dense_widths(build_networks((4,), 2, ()).autoencoder) == [2, 4]


def test_widths_of_other_integer_kinds():
    assert dense_widths(build_networks((4,), 2, np.array([6, 3])).autoencoder) == [6, 3, 2, 3, 6, 4]


def test_rows_with_more_axes_are_flattened_and_put_back():
    networks = build_networks((4, 5), 3, (7,))
    assert networks.autoencoder.output.shape == (None, 4, 5)
    assert networks.decoder.layers[-2].units == 20


@pytest.mark.parametrize(
    "encoder",
    [(5,), unnamed_encoder, functional, sequential],
    ids=["widths", "function", "functional model", "sequential model"],
)
@pytest.mark.parametrize(
    "decoder",
    [(3, 9), unnamed_decoder, sequential_decoder],
    ids=["widths", "function", "sequential model"],
)
def test_every_pair_of_kinds_shares_its_layers(encoder, decoder):
    # The makers of models are called here; the others are given as they are.
    encoder = encoder() if encoder in (functional, sequential) else encoder
    decoder = decoder() if decoder is sequential_decoder else decoder
    networks = build_networks((4,), 2, encoder, decoder)
    assert networks.encoder.output.shape == (None, 2)
    assert networks.decoder.output.shape == (None, 4)
    parts = networks.encoder.layers[1:] + networks.decoder.layers[1:]
    assert [id(x) for x in networks.autoencoder.layers[1:]] == [id(x) for x in parts]
    rng = np.random.default_rng(0)
    networks.autoencoder.set_weights(
        [rng.normal(size=w.shape) for w in networks.autoencoder.weights]
    )
    x = rng.normal(size=(5, 4)).astype("float32")
    apart = networks.decoder(networks.encoder(x))
    np.testing.assert_allclose(networks.autoencoder(x), apart, rtol=1e-6)
    assert np.abs(np.asarray(apart)).max() > 0


def test_a_users_model_is_copied():
    model = functional()
    before = [weight.copy() for weight in model.get_weights()]
    networks = build_networks((4,), 2, model, (3,))
    assert names(networks.encoder)[1:] == ["hidden", "code"]
    assert networks.encoder.layers[1] is not model.layers[1]
    networks.encoder.set_weights([np.ones_like(w) for w in before])
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_layer_used_twice_is_copied_once():
    inputs = keras.Input((4,))
    same = layers.Dense(4, name="same")
    model = keras.Model(inputs, layers.Dense(2, name="code")(same(same(inputs))))
    networks = build_networks((4,), 2, model, (3,))
    assert names(networks.encoder) == ["input_1", "same", "code"]
    assert weight_table(networks.encoder)["layer"].tolist() == ["same"] * 2 + ["code"] * 2
    values = [np.eye(4) * 3, np.zeros(4), np.eye(4)[:, :2], np.zeros(2)]
    networks.encoder.set_weights(values)
    np.testing.assert_allclose(networks.encoder(np.ones((1, 4))), [[9, 9]])


def test_unnamed_layers_get_the_same_names_in_every_build():
    first = build_networks((4,), 2, unnamed_encoder, unnamed_decoder)
    keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.Dropout(0.5)])
    second = build_networks((4,), 2, unnamed_encoder, unnamed_decoder)
    assert names(first.autoencoder) == names(second.autoencoder)
    assert {"dense", "dense_3", "dropout"} <= set(names(first.autoencoder))


def test_the_sessions_own_counter_is_left_alone():
    def number(name):
        return int(name.rpartition("_")[2])

    layers.Dense(1)  # so that there is a number
    before = number(layers.Dense(1).name)
    build_networks((4,), 2, unnamed_encoder, unnamed_decoder)
    assert number(layers.Dense(1).name) == before + 1

    def broken(x):
        layers.Dense(1)
        raise RuntimeError("user's own")

    with pytest.raises(RuntimeError, match="user's own"):
        build_networks((4,), 2, broken, (3,))
    assert number(layers.Dense(1).name) == before + 2


@pytest.mark.parametrize(
    ("encoder", "decoder", "words"),
    [
        (lambda x: layers.Dense(3)(x), (4,), ["encoder", "(None, 2)", "(None, 3)"]),
        (lambda x: None, (4,), ["encoder", "(None, 2)", "None instead"]),
        ((4,), lambda z: layers.Dense(5)(z), ["decoder", "(None, 4)", "(None, 5)"]),
        (unnamed_encoder, None, ["'decoder'", "only widths can be mirrored"]),
        ((4,), lambda z: layers.Dense(4, name="bottleneck")(z), ["unique", "'bottleneck'"]),
        (sequential_decoder, (4,), ["rows of shape (4,)", "takes (2,)"]),
        (lambda: keras.Sequential([layers.Dense(2)]), (4,), ["not been built", "keras.Input"]),
    ],
    ids=["encoder", "no tensor", "decoder", "no mirror", "name twice", "rows", "unbuilt"],
)  # fmt: skip
def test_errors_say_what_was_expected_and_found(encoder, decoder, words):
    if callable(encoder) and encoder.__code__.co_argcount == 0:
        encoder = encoder()
    with pytest.raises(ValueError, match="must") as error:
        build_networks((4,), 2, encoder, decoder)
    for word in words:
        assert word in str(error.value)


def test_a_name_twice_in_one_part_is_named():
    with pytest.raises(ValueError, match='"same"'):
        build_networks(
            (4,), 2, lambda x: layers.Dense(2, name="same")(layers.Dense(2, name="same")(x)), (3,)
        )


def test_models_need_one_input_and_one_output():
    a, b = keras.Input((4,)), keras.Input((4,))
    two_in = keras.Model([a, b], layers.Dense(2)(layers.Concatenate()([a, b])))
    two_out = keras.Model(a, [layers.Dense(2)(a), layers.Dense(2)(a)])
    for model, found in ((two_in, "2 and 1"), (two_out, "1 and 2")):
        with pytest.raises(ValueError, match=f"one input and one output.*{found}"):
            build_networks((4,), 2, model, (3,))


def test_a_subclassed_model_cannot_be_copied():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own()
    model(np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"functional or sequential.*Own"):
        build_networks((4,), 2, model, (3,))
