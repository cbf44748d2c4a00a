"""The layouts in which versions of Keras wrote HDF5, nested models and bfloat16 among them."""

import warnings

import h5py
import ml_dtypes
import numpy as np
import pytest

from fixtures.models import FOLDER, numbers
from narrows import load, load_weights_hdf5, save_weights_hdf5
from narrows._keras import keras

layers = keras.layers


def inner(prefix="in"):
    start = keras.Input((4,), name=f"{prefix}_input")
    x = layers.Dense(3, name=f"{prefix}_dense")(start)
    x = layers.BatchNormalization(name=f"{prefix}_norm")(x)
    x = layers.Dense(3, name=f"{prefix}_last")(layers.Dropout(0.1, name=f"{prefix}_drop")(x))
    return keras.Model(start, x, name=f"{prefix}_model")


def nested():
    """A model inside a model, as Keras 2's tutorials build autoencoders."""
    inputs = keras.Input((4,), name="rows")
    return keras.Model(inputs, layers.Dense(2, name="out")(inner()(inputs)))


def flat():
    """The same layers in one graph."""
    x = inputs = keras.Input((4,), name="rows")
    x = layers.BatchNormalization(name="in_norm")(layers.Dense(3, name="in_dense")(x))
    return keras.Model(inputs, layers.Dense(2, name="out")(layers.Dense(3, name="in_last")(x)))


def filled(model, seed=0):
    draw = np.random.default_rng(seed)
    model.set_weights([draw.uniform(0.5, 2, size=weight.shape) for weight in model.weights])
    return model


def by_layer(model):
    """Weights of all layers, inner ones too, by layer and weight."""
    found = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found |= by_layer(layer)
        else:
            found |= {(layer.name, one.name): np.asarray(one.value) for one in layer.weights}
    return found


def same(one, two):
    assert one.keys() == two.keys()
    for key, value in one.items():
        np.testing.assert_array_equal(two[key], value, err_msg=str(key))


def write_keras2_nested(path, model, *, group=""):
    """As Keras 2 wrote it: an inner model's trainable weights first, then the others."""
    with h5py.File(path, "w") as file:
        root = file.create_group(group) if group else file
        root.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            below = root.create_group(layer.name)
            inside = layer.layers if hasattr(layer, "layers") else [layer]
            weights = [(one.name, w) for one in inside for w in one.trainable_weights]
            weights += [(one.name, w) for one in inside for w in one.non_trainable_weights]
            names = [f"{name}/{weight.name}:0" for name, weight in weights]
            below.attrs["weight_names"] = [name.encode() for name in names]
            for name, (_, weight) in zip(names, weights, strict=True):
                below[name] = np.asarray(weight.value)


@pytest.mark.parametrize("group", ["", "model_weights"])
def test_a_nested_model_of_keras_2(tmp_path, group):
    source = filled(nested())
    write_keras2_nested(tmp_path / "w.h5", source, group=group)
    model = nested()
    report = load_weights_hdf5(model, tmp_path / "w.h5")
    assert (report.matched, report.missing, report.unexpected) == (["in_model", "out"], [], [])
    same(by_layer(source), by_layer(model))


def test_a_nested_file_loads_into_a_flat_model(tmp_path):
    source = filled(nested())
    write_keras2_nested(tmp_path / "w.h5", source)
    model = flat()
    report = load_weights_hdf5(model, tmp_path / "w.h5")
    assert report.matched == ["in_dense", "in_norm", "in_last", "out"]
    assert (report.missing, report.unexpected) == ([], [])
    same(by_layer(source), by_layer(model))
    x = inputs = keras.Input((4,))
    part = keras.Model(inputs, layers.Dense(3, name="in_dense")(x))
    assert load_weights_hdf5(part, tmp_path / "w.h5").unexpected == ["in_norm", "in_last", "out"]


def test_a_flat_file_does_not_load_into_a_nested_model_silently(tmp_path):
    save_weights_hdf5(filled(flat()), tmp_path / "w.h5")
    report = load_weights_hdf5(nested(), tmp_path / "w.h5")
    assert report.matched == ["out"]
    assert report.missing == ["in_model"]
    assert report.unexpected == ["in_dense", "in_norm", "in_last"]


def test_a_whole_model_in_hdf5_of_keras_3(tmp_path):
    source = filled(nested())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras calls its own format a thing of the past
        source.save(tmp_path / "m.h5")
    for make in (nested, flat):
        model = make()
        assert load_weights_hdf5(model, tmp_path / "m.h5").missing == []
        same(by_layer(source), by_layer(model))


def test_weights_of_keras_3_are_found_by_name(tmp_path):
    source = filled(nested())
    source.save_weights(tmp_path / "m.weights.h5")
    model = flat()
    report = load_weights_hdf5(model, tmp_path / "m.weights.h5")
    assert report.matched == ["in_dense", "in_norm", "in_last", "out"]
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    same(by_layer(source), by_layer(model))


def test_weights_of_keras_3_without_names_are_refused(tmp_path):
    filled(flat()).save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        named = []
        file.visititems(lambda _, one: named.append(one) if "name" in one.attrs else None)
        for one in named:
            del one.attrs["name"]
    with pytest.raises(ValueError, match="finds layers by their place only"):
        load_weights_hdf5(flat(), tmp_path / "m.weights.h5")


def test_a_layer_that_holds_others_is_not_guessed_at(tmp_path):
    def recurrent():
        x = inputs = keras.Input((4, 1), name="rows")
        x = layers.Bidirectional(layers.GRU(2, name="gru"), name="both")(x)
        return keras.Model(inputs, layers.Dense(2, name="out")(x))

    source = filled(recurrent())
    source.save_weights(tmp_path / "m.weights.h5")
    report = load_weights_hdf5(recurrent(), tmp_path / "m.weights.h5")
    assert (report.matched, report.missing) == (["out"], ["both"])
    save_weights_hdf5(source, tmp_path / "w.h5")
    model = recurrent()
    assert load_weights_hdf5(model, tmp_path / "w.h5").matched == ["both", "out"]
    for one, two in zip(source.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def half():
    x = inputs = keras.Input((4,), name="rows")
    x = layers.Dense(3, name="half", dtype="bfloat16")(x)
    return keras.Model(inputs, layers.Dense(2, name="out", dtype="mixed_bfloat16")(x))


@pytest.mark.parametrize("writer", ["ours", "Keras 3", "Keras 3, whole"])
def test_bfloat16_comes_back_to_the_bit(tmp_path, writer):
    source = filled(half())
    path = tmp_path / ("m.weights.h5" if writer == "Keras 3" else "m.h5")
    if writer == "ours":
        save_weights_hdf5(source, path)
    elif writer == "Keras 3":
        source.save_weights(path)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source.save(path)
    model = half()
    load_weights_hdf5(model, path)
    for one, two in zip(source.weights, model.weights, strict=True):
        assert two.dtype == one.dtype
        np.testing.assert_array_equal(np.asarray(one.value), np.asarray(two.value))
    assert np.asarray(model.weights[0].value).dtype == ml_dtypes.bfloat16


def test_our_bfloat16_loads_in_keras(tmp_path):
    source, model = filled(half()), half()
    save_weights_hdf5(source, tmp_path / "w.h5")
    model.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(
        np.asarray(model.weights[0].value), np.asarray(source.weights[0].value)
    )


def emptied(name):
    """An embedder from a file, and another of the same whose weights are zero."""
    one, two = (load(FOLDER / "v1" / f"{name}.narrows") for _ in range(2))
    for weight in two._whole.weights:
        weight.assign(np.zeros(weight.shape))
    return one, two


def test_a_variational_autoencoders_log_variances_are_in_the_file(tmp_path):
    one, two = emptied("variational")
    save_weights_hdf5(one, tmp_path / "w.h5")
    report = load_weights_hdf5(two, tmp_path / "w.h5")
    assert "log_variance" in report.matched
    assert report.missing == []
    for first, second in zip(one.posterior(numbers()), two.posterior(numbers()), strict=True):
        np.testing.assert_array_equal(first, second)


def test_an_embedder_without_a_decoder(tmp_path):
    one, two = emptied("parametric-tsne")
    assert not hasattr(one, "decoder_")
    save_weights_hdf5(one, tmp_path / "w.h5")
    assert load_weights_hdf5(two, tmp_path / "w.h5").missing == []
    np.testing.assert_array_equal(one.transform(numbers()), two.transform(numbers()))


def test_weights_of_one_name_in_a_layer(tmp_path):
    class Pair(layers.Layer):
        def build(self, shape):
            self.one, self.two = (self.add_weight(shape=(2,), name="same") for _ in range(2))

        def call(self, x):
            return x

    def model():
        inputs = keras.Input((2,), name="rows")
        return keras.Model(inputs, Pair(name="pair")(inputs))

    source, again = filled(model()), model()
    save_weights_hdf5(source, tmp_path / "w.h5")
    load_weights_hdf5(again, tmp_path / "w.h5")
    for one, two in zip(source.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def cells(name):
    """Layers whose weights carry the name of a part: a cell, a direction, a projection."""
    start = keras.Input((3, 2), name=f"{name}_input")
    x = layers.LSTM(2, return_sequences=True, name=f"{name}_lstm")(start)
    both = layers.GRU(2, return_sequences=True, name="gru")
    x = layers.Bidirectional(both, name=f"{name}_both")(x)
    x = layers.MultiHeadAttention(1, 2, name=f"{name}_heads")(x, x)
    x = layers.Dense(2, name=f"{name}_dense")(layers.Flatten(name=f"{name}_flat")(x))
    return keras.Model(start, x, name=f"{name}_model")


def write_cells(path, *models):
    """As tf.keras wrote it: ``in_lstm/lstm_cell_3/kernel:0`` below the inner model's name."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [model.name.encode() for model in models]
        for model in models:
            below = file.create_group(model.name)
            names = []
            for number, layer in enumerate(model.layers):
                for weight in layer.trainable_weights:
                    parts = weight.path.split("/")
                    parts = [layer.name, *parts[parts.index(layer.name) + 1 :]]
                    parts = [f"{p}_{number}" if p.endswith("_cell") else p for p in parts]
                    names.append("/".join(parts) + ":0")
                    below[names[-1]] = np.asarray(weight.value)
            below.attrs["weight_names"] = [name.encode() for name in names]


def test_weights_that_carry_a_cells_name_inside_a_nested_model(tmp_path):
    source = filled(cells("in"))
    write_cells(tmp_path / "w.h5", source)
    with h5py.File(tmp_path / "w.h5") as file:
        names = list(file["in_model"].attrs["weight_names"])
    assert "in_lstm/lstm_cell_1/kernel:0" in names
    assert len(names) == len(set(names))
    start = keras.Input((3, 2))
    rest = cells("in")
    flat_model = keras.Model(start, rest.layers[-1](rest.layers[-2](start_to(rest, start))))
    report = load_weights_hdf5(flat_model, tmp_path / "w.h5")
    assert report.matched == ["in_lstm", "in_both", "in_heads", "in_dense"]
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    same(by_layer(source), by_layer(flat_model))


def start_to(model, tensor):
    """Put a model's layers up to its attention on a tensor."""
    for layer in model.layers[1:-3]:
        tensor = layer(tensor)
    return model.layers[-3](tensor, tensor)


def test_a_layer_with_cells_that_the_model_lacks_is_named(tmp_path):
    write_cells(tmp_path / "w.h5", filled(cells("in")))
    start = keras.Input((4 * 3,))
    part = keras.Model(start, layers.Dense(2, name="in_dense")(layers.Dense(12, name="new")(start)))
    report = load_weights_hdf5(part, tmp_path / "w.h5")
    assert (report.matched, report.missing) == (["in_dense"], ["new"])
    assert report.unexpected == ["in_lstm", "in_both", "in_heads"]


@pytest.mark.parametrize("layout", ["of Keras 2", "of Keras 3"])
def test_two_inner_models_with_layers_of_one_name(tmp_path, layout):
    def part(name):
        start = keras.Input((2,))
        x = layers.Dense(2, name="same")(start)
        return keras.Model(start, layers.Dense(2, name=f"{name}_own")(x), name=name)

    start = keras.Input((2,))
    whole = filled(keras.Model(start, part("two")(part("one")(start))))
    path = tmp_path / ("w.h5" if layout == "of Keras 2" else "w.weights.h5")
    if layout == "of Keras 2":
        write_keras2_nested(path, whole)
    else:
        whole.save_weights(path)
    target = keras.Model(start, layers.Dense(2, name="same")(start))
    before = target.get_weights()
    with pytest.raises(ValueError, match=r"'same' must stand in .* once. It stands in .* and in "):
        load_weights_hdf5(target, path)
    for one, two in zip(before, target.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    own = keras.Model(start, layers.Dense(2, name="two_own")(start))
    assert load_weights_hdf5(own, path).matched == ["two_own"]
    if layout == "of Keras 2":
        whole_again = keras.Model(start, part("two")(part("one")(start)))
        load_weights_hdf5(whole_again, path)
        same(by_layer(whole), by_layer(whole_again))
