"""Convolutional encoders and decoders: any size there and back, and what an embedder needs."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import narrows
from narrows._keras import keras
from narrows.networks import build_networks, convolutional


def blobs(height=8, width=8, rows=120, seed=0):
    """A bright square at a random place on a dark ground: two numbers say all about an image."""
    rng = np.random.default_rng(seed)
    images = np.zeros((rows, height, width), "float32")
    tops, lefts = rng.integers(0, height - 2, rows), rng.integers(0, width - 2, rows)
    for image, top, left in zip(images, tops, lefts, strict=True):
        image[top : top + 3, left : left + 3] = 1
    return images


def embedder(shape, *, flat=False, epochs=2, **options):
    encoder, decoder = convolutional(shape, (4, 6), widths=(8,), flat=flat, **options)
    return narrows.Autoencoder(encoder=encoder, decoder=decoder, epochs=epochs, random_state=0)


@pytest.fixture(scope="module")
def trained():
    """The same images in three shapes of rows, and an embedder trained on each for a moment."""
    images = blobs(7, 9)
    rows = {
        "channels": images[..., None], "plain": images, "flat": images.reshape(len(images), -1)
    }  # fmt: skip
    models = {
        "channels": embedder((7, 9, 1)),
        "plain": embedder((7, 9)),
        "flat": embedder((7, 9), flat=True),
    }
    return {name: (model.fit(rows[name]), rows[name]) for name, model in models.items()}


def built(networks, shape, bottleneck=2):
    return build_networks(shape, bottleneck, networks.encoder, networks.decoder)


def names(model):
    return [layer.name for layer in model.layers]


@settings(max_examples=15, deadline=None)
@given(
    size=st.tuples(st.integers(2, 30), st.integers(2, 30)),
    channels=st.sampled_from([None, 1, 3]),
    depth=st.integers(1, 3),
    kernel=st.integers(2, 5),
    flat=st.booleans(),
    bottleneck=st.integers(1, 3),
)
def test_every_size_comes_back(size, channels, depth, kernel, flat, bottleneck):
    shape = size if channels is None else (*size, channels)
    # Images of so few pixels are a single one before the third convolution.
    depth = min(depth, 1 if max(size) == 2 else 2 if max(size) <= 4 else 3)
    networks = convolutional(
        shape, (3,) * depth, kernel=kernel, widths=(4,), flat=flat, bottleneck=bottleneck
    )
    row = (int(np.prod(shape)),) if flat else shape
    found = built(networks, row, bottleneck)
    assert found.encoder.output.shape == (None, bottleneck)
    assert found.autoencoder.output.shape == (None, *row)


def test_sizes_are_halved_and_rounded_up():
    found = built(convolutional((9, 13, 1), (3, 5, 7), widths=()), (9, 13, 1))
    shapes = [x.output.shape[1:] for x in found.encoder.layers if "convolution" in x.name]
    assert shapes == [(5, 7, 3), (3, 4, 5), (2, 2, 7)]
    assert found.decoder.get_layer("feature_maps").output.shape[1:] == (2, 2, 7)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("size", [(8, 8), (7, 7), (9, 6), (4, 13)])
def test_the_decoder_transposes_the_encoder(size, kernel):
    """With the same kernels, ⟨convolved x, y⟩ = ⟨x, transposed y⟩, which defines a transpose."""
    networks = convolutional((*size, 2), (3,), kernel=kernel, widths=(), activation="linear")
    found = built(networks, (*size, 2))
    there, back = found.encoder, found.decoder
    rng = np.random.default_rng(0)
    values = rng.normal(size=there.get_layer("convolution_1").kernel.shape)
    # Keras has a transposed kernel's channels in the order (out, in).
    for layer in (there.get_layer("convolution_1"), back.get_layer("reconstruction")):
        layer.set_weights([values, np.zeros_like(layer.bias)])
    convolve = keras.Model(there.input, there.get_layer("convolution_1").output)
    transpose = keras.Model(back.get_layer("feature_maps").output, back.output)
    x = rng.normal(size=(4, *size, 2)).astype("float32")
    y = rng.normal(size=(4, *convolve.output.shape[1:])).astype("float32")
    left, right = np.sum(convolve(x) * y), np.sum(x * transpose(y))
    np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-3)


def test_layers_are_named_and_mirrored():
    found = built(convolutional((8, 7), (4, 6), widths=(10, 5)), (8, 7))
    assert names(found.encoder) == [
        "input_1", "image", "convolution_1", "convolution_2", "flatten",
        "encoder_1", "encoder_2", "bottleneck",
    ]  # fmt: skip
    assert names(found.decoder) == [
        "bottleneck_input", "decoder_1", "decoder_2", "decoder_3", "feature_maps",
        "transposed_1", "reconstruction", "crop_2", "rows",
    ]  # fmt: skip
    assert [found.decoder.get_layer(f"decoder_{n}").units for n in (1, 2, 3)] == [5, 10, 24]
    assert [found.decoder.get_layer(n).filters for n in ("transposed_1", "reconstruction")] == [
        4,
        1,
    ]


def test_only_bottleneck_and_output_are_linear():
    found = built(convolutional((6, 6, 1), (4, 6), widths=(5,), activation="elu"), (6, 6, 1))
    used = {
        x.name: x.activation.__name__ for x in found.autoencoder.layers if hasattr(x, "activation")
    }
    assert {name for name, kind in used.items() if kind == "linear"} == {
        "bottleneck",
        "reconstruction",
    }
    assert set(used.values()) == {"elu", "linear"}


def test_training_meets_only_layers_with_a_fast_way_on_a_cpu():
    from narrows.training.compiling._exchange import exchanged

    model = built(convolutional((9, 9, 1), (4, 6)), (9, 9, 1)).autoencoder
    slow = [exchanged(layer) for layer in model.layers if "onv" in type(layer).__name__]
    assert len(slow) == 4
    assert {type(x).__module__ for x in slow} == {"narrows.training.compiling._convolutions"}


@pytest.mark.long
def test_it_learns_what_two_straight_axes_cannot():
    images = blobs()
    encoder, decoder = convolutional((8, 8), (8, 16), widths=(32,))
    model = narrows.Autoencoder(encoder=encoder, decoder=decoder, random_state=0)
    flat = images.reshape(len(images), -1)
    pca = narrows.PCA(2).fit(flat)
    linear = np.mean((pca.inverse_transform(pca.transform(flat)) - flat) ** 2)
    control = clone(model).set_params(epochs=1).fit(images)
    assert -control.score(images) > linear
    assert -model.fit(images).score(images) < linear / 2


@pytest.mark.long
@pytest.mark.parametrize("name", ["plain", "flat"])
def test_rows_of_any_shape_train_alike(trained, name):
    wanted, images = trained["channels"]
    model, rows = trained[name]
    Z = wanted.transform(images)
    # The same bits with jax 0.10; newer XLA fuses one reshape more into the products.
    close = {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(model.transform(rows), Z, **close)
    back = wanted.inverse_transform(Z)
    assert back.shape == images.shape
    np.testing.assert_allclose(model.inverse_transform(Z), back.reshape(rows.shape), **close)


@pytest.mark.parametrize("output", ["sigmoid", "linear"])
def test_sigmoid_keeps_pixels_between_zero_and_one(output):
    decoder = built(convolutional((8, 8), (4, 6), output=output), (8, 8)).decoder
    rng = np.random.default_rng(0)
    decoder.set_weights([rng.normal(size=weight.shape) for weight in decoder.weights])
    images = np.asarray(decoder(rng.normal(size=(20, 2))))
    within = images.min() >= 0 and images.max() <= 1
    assert within == (output == "sigmoid")
    assert np.ptp(images) > 0.9


def test_the_pair_is_cloned_compared_and_pickled():
    networks = convolutional([8, 8], np.array([4, 6]), flat=True)
    assert networks == convolutional((8, 8), (4, 6), flat=True)
    assert networks != convolutional((8, 8), (4, 6))
    assert networks.encoder != networks.decoder
    assert pickle.loads(pickle.dumps(networks)) == networks
    model = narrows.Autoencoder(encoder=networks.encoder, decoder=networks.decoder)
    assert clone(model).encoder == networks.encoder
    assert clone(model).decoder == networks.decoder
    assert hash(networks) == hash(pickle.loads(pickle.dumps(networks)))
    assert "filters=(4, 6)" in repr(model.encoder)


@pytest.mark.long
@pytest.mark.parametrize("name", ["plain", "flat"])
def test_a_fitted_model_comes_back_from_a_file_and_a_pickle(trained, name, tmp_path):
    model, rows = trained[name]
    narrows.save(model, tmp_path / "m.narrows")
    for again in (narrows.load(tmp_path / "m.narrows"), pickle.loads(pickle.dumps(model))):
        Z = again.transform(rows)
        np.testing.assert_array_equal(Z, model.transform(rows))
        np.testing.assert_array_equal(again.inverse_transform(Z), model.inverse_transform(Z))
        assert names(again.autoencoder_) == names(model.autoencoder_)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shape": (8,)}, ["'shape'", "(height, width)", "(8,)"]),
        ({"shape": (8, 8, 1, 1)}, ["'shape'", "(8, 8, 1, 1)"]),
        ({"shape": (8, 0)}, ["'shape'", "[1, inf)", "(8, 0)"]),
        ({"shape": 8}, ["'shape'", "Got 8 instead"]),
        ({"filters": ()}, ["'filters'", "at least one", "widths alone"]),
        ({"filters": (4, 2.5)}, ["'filters'", "(4, 2.5)"]),
        ({"filters": "ab"}, ["'filters'", "'ab'"]),
        ({"filters": (4,) * 5}, ["'filters'", "at most 3 ints", "8 × 8", "(4, 4, 4, 4, 4)"]),
        ({"widths": (0,)}, ["'widths'", "(0,)"]),
        ({"widths": True}, ["'widths'", "True"]),
        ({"bottleneck": 0}, ["'bottleneck'", "[1, inf)", "Got 0"]),
        ({"bottleneck": True}, ["'bottleneck'", "True"]),
        ({"kernel": 1}, ["'kernel'", "[2, inf)", "Got 1"]),
        ({"activation": "rellu"}, ["'activation'", "keras.activations", "'rellu'"]),
        ({"activation": keras.activations.relu}, ["'activation'", "the name"]),
        ({"output": "softmax"}, ["'output'", "'linear' or 'sigmoid'", "'softmax'"]),
        ({"flat": 1}, ["'flat'", "a bool", "Got 1"]),
    ],
)
def test_bad_parameters_are_named(options, words):
    with pytest.raises(
        ValueError, match=r"parameter of convolutional must be .* Got .* instead"
    ) as e:
        convolutional(**{"shape": (8, 8), **options})
    for word in words:
        assert word in str(e.value)


@pytest.mark.parametrize(
    ("shape", "flat", "rows", "advice"),
    [
        ((8, 8), False, (12, 64), "flat=True"),
        ((8, 8, 1), False, (12, 8, 8), "X.reshape((-1, 8, 8, 1))"),
        ((8, 8), True, (12, 8, 8), "X.reshape((-1, 64))"),
        ((8, 8), False, (12, 9, 8), "Got (9, 8) instead"),
    ],
)
def test_rows_of_another_shape_are_refused(shape, flat, rows, advice):
    with pytest.raises(ValueError, match="rows must have the shape") as error:
        embedder(shape, flat=flat).fit(
            np.zeros(rows) + np.arange(12).reshape(-1, *[1] * (len(rows) - 1))
        )
    assert advice in str(error.value)


def test_another_bottleneck_than_the_embedders_is_refused():
    encoder, decoder = convolutional((8, 8), bottleneck=3)
    model = narrows.Autoencoder(bottleneck=2, encoder=encoder, decoder=decoder)
    with pytest.raises(ValueError, match=r"encoder.*\(None, 2\).*\(None, 3\).*'bottleneck'"):
        model.fit(blobs())
