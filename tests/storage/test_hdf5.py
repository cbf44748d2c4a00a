"""Weights by layer name, in the layout that Keras 2 and R's keras wrote."""

import os

import h5py
import numpy as np
import pytest

from narrows import load_weights_hdf5, save_weights_hdf5
from narrows._keras import keras
from narrows.networks import build_networks, post_decoder, post_encoder

layers = keras.layers


def fresh_encoder():
    """The post's step 5: a model of the encoder's layers only, with weights of its own."""
    inputs = keras.Input((4,), name="input_1")
    return keras.Model(inputs, post_encoder(inputs))


def small(hidden=3, *, last="out", norm=True):
    x = inputs = keras.Input((4,), name="input_1")
    x = layers.Dense(hidden, name="hidden")(x)
    x = layers.BatchNormalization(name="norm")(x) if norm else x
    return keras.Model(inputs, layers.Dense(2, name=last)(x))


def copies(model):
    return [weight.copy() for weight in model.get_weights()]


def same(model, weights):
    return all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights, strict=True))


@pytest.fixture
def saved(tmp_path):
    model = small()
    model.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in model.weights])
    path = tmp_path / "weights.hdf5"
    save_weights_hdf5(model, path)
    return model, path


def write_keras2(path, content, *, chunks=None, group=""):
    """Write a file as Keras 2 did: ``content`` maps a layer to its arrays by weight name."""
    with h5py.File(path, "w") as file:
        root = file.create_group(group) if group else file
        root.attrs["backend"] = b"tensorflow"
        root.attrs["keras_version"] = b"2.1.6"
        names = [name.encode() for name in content]
        if chunks is None:
            root.attrs["layer_names"] = names
        else:
            for number, part in enumerate(np.array_split(np.array(names), chunks)):
                root.attrs[f"layer_names{number}"] = part
        for layer, arrays in content.items():
            inner = root.create_group(layer)
            inner.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in arrays]
            for name, value in arrays.items():
                inner.create_dataset(f"{layer}/{name}:0", data=value)
        optimizer = file.create_group("optimizer_weights")
        optimizer.attrs["weight_names"] = [b"training/Adam/iterations:0"]
        optimizer.create_dataset("training/Adam/iterations:0", data=np.int64(400))


def keras2_content():
    rng = np.random.default_rng(1)
    return {
        "input_1": {},
        "hidden": {"kernel": rng.normal(size=(4, 3)), "bias": rng.normal(size=3)},
        "norm": {
            "gamma": rng.normal(size=3),
            "beta": rng.normal(size=3),
            "moving_mean": rng.normal(size=3),
            "moving_variance": rng.uniform(1, 2, size=3),
        },
        "dropout_1": {},
        "out": {"kernel": rng.normal(size=(3, 2)), "bias": rng.normal(size=2)},
    }


def assert_same(found, expected):
    """Equal to a millionth of the largest value: two programs add up in different orders."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_the_posts_round_trip_through_plain_keras(post, measurements, tmp_path):
    path = tmp_path / "autoencoder_weights.hdf5"
    save_weights_hdf5(post, path)
    encoder = fresh_encoder()
    x = measurements.to_numpy("float32")
    expected = post.transform(measurements)
    assert np.abs(encoder.predict(x, verbose=0) - expected).max() > 0.1  # before: its own weights
    encoder.load_weights(path, by_name=True, skip_mismatch=True)
    assert_same(encoder.predict(x, verbose=0), expected)


def test_the_posts_round_trip_through_ours(post, measurements, tmp_path):
    path = tmp_path / "autoencoder_weights.hdf5"
    save_weights_hdf5(post.autoencoder_, path)
    encoder = fresh_encoder()
    report = load_weights_hdf5(encoder, path)
    assert report.matched == ["dense_1", "batch_normalization_1", "dense_2", "dense_3", "dense_4"]
    assert report.unexpected == ["dense_5", "dense_6", "dense_7", "dense_8"]
    assert (report.missing, report.mismatched) == ([], [])
    got = encoder.predict(measurements.to_numpy("float32"), verbose=0)
    assert_same(got, post.transform(measurements))


def test_the_posts_twenty_arrays_are_in_the_file(post, tmp_path):
    path = tmp_path / "w.hdf5"
    save_weights_hdf5(post, path)
    shapes = []
    with h5py.File(path) as file:
        assert [n.decode() for n in file.attrs["layer_names"]] == [
            layer.name for layer in post.autoencoder_.layers
        ]
        for layer in file.attrs["layer_names"]:
            group = file[layer.decode()]
            for name in group.attrs["weight_names"]:
                assert name.endswith(b":0")
                shapes.append((layer.decode(), group[name.decode()].shape))
    table = post.weights()
    assert len(shapes) == 20
    assert shapes == list(zip(table["layer"], table["shape"], strict=True))
    assert table["rank"].tolist() == [len(shape) for _, shape in shapes]


def test_an_embedder_takes_weights_too(measurements, tmp_path):
    from narrows import Autoencoder

    one, two = (
        Autoencoder(encoder=(3,), epochs=1, random_state=seed).fit(measurements) for seed in (0, 1)
    )
    save_weights_hdf5(one, tmp_path / "w.hdf5")
    assert not np.allclose(one.transform(measurements), two.transform(measurements))
    load_weights_hdf5(two, tmp_path / "w.hdf5")
    np.testing.assert_array_equal(one.transform(measurements), two.transform(measurements))


@pytest.mark.parametrize("chunks", [None, 2, 3])
def test_a_file_of_keras_2_loads(tmp_path, chunks):
    content = keras2_content()
    write_keras2(tmp_path / "old.h5", content, chunks=chunks)
    model = small()
    report = load_weights_hdf5(model, tmp_path / "old.h5")
    assert report.matched == ["hidden", "norm", "out"]
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    wanted = [array for arrays in content.values() for array in arrays.values()]
    for got, want in zip(model.get_weights(), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_a_whole_model_of_keras_2_loads(tmp_path):
    content = keras2_content()
    write_keras2(tmp_path / "model.h5", content, group="model_weights")
    model = small()
    assert load_weights_hdf5(model, tmp_path / "model.h5").matched == ["hidden", "norm", "out"]
    np.testing.assert_allclose(model.get_weights()[0], content["hidden"]["kernel"], rtol=1e-6)


def test_our_chunked_names_load_in_keras_and_ours(tmp_path, monkeypatch):
    from narrows.storage.hdf5 import _weights

    model = small()
    monkeypatch.setattr(_weights, "_ATTRIBUTE_LIMIT", 25)
    save_weights_hdf5(model, tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert "layer_names" not in file.attrs
        assert "layer_names1" in file.attrs
    for load in (load_weights_hdf5, lambda m, p: m.load_weights(p, by_name=True)):
        other = small()
        load(other, tmp_path / "w.h5")
        assert same(other, model.get_weights())


def test_report_sorts_the_layers(saved):
    _, path = saved
    model = small(last="other")
    weights = copies(model)
    report = load_weights_hdf5(model, path)
    assert report.matched == ["hidden", "norm"]
    assert report.missing == ["other"]
    assert report.unexpected == ["out"]
    assert report.mismatched == []
    np.testing.assert_array_equal(model.get_weights()[-2], weights[-2])
    assert str(report).splitlines() == [
        "2 layers loaded: hidden, norm",
        "1 missing: other",
        "1 unexpected: out",
    ]


def test_a_mismatch_names_layer_and_shapes_and_changes_nothing(saved):
    _, path = saved
    x = inputs = keras.Input((4,), name="input_1")
    x = layers.Dense(3, name="hidden")(x)
    model = keras.Model(inputs, layers.Dense(5, name="out")(x))
    before = copies(model)
    with pytest.raises(ValueError, match="Nothing was loaded") as error:
        load_weights_hdf5(model, path)
    assert "Layer 'out': expected kernel (3, 5), file has (3, 2); expected bias (5,)" in str(
        error.value
    )
    assert "hidden" not in str(error.value)
    assert same(model, before)


def test_a_mismatch_in_the_number_of_weights(saved):
    _, path = saved
    x = inputs = keras.Input((4,), name="input_1")
    model = keras.Model(inputs, layers.Dense(3, name="hidden", use_bias=False)(x))
    with pytest.raises(ValueError, match="Layer 'hidden': expected 1 weights, file has 2"):
        load_weights_hdf5(model, path)


def test_skip_mismatch_leaves_only_those(saved):
    source, path = saved
    inputs = keras.Input((4,), name="input_1")
    model = keras.Model(inputs, layers.Dense(5, name="out")(layers.Dense(3, name="hidden")(inputs)))
    before = copies(model)
    report = load_weights_hdf5(model, path, skip_mismatch=True)
    assert report.matched == ["hidden"]
    assert len(report.mismatched) == 1
    assert "'out'" in report.mismatched[0]
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], source.get_weights()[0])
    np.testing.assert_array_equal(after[2], before[2])
    np.testing.assert_array_equal(after[3], before[3])


def test_no_layer_in_common(saved):
    _, path = saved
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2, name="stranger")(inputs))
    with pytest.raises(ValueError, match=r"At least one layer.*'stranger'.*'hidden'"):
        load_weights_hdf5(model, path)


def test_not_hdf5(tmp_path):
    path = tmp_path / "notes.hdf5"
    path.write_text("weights? no")
    with pytest.raises(ValueError, match=r"notes\.hdf5' must be an HDF5 file"):
        load_weights_hdf5(small(), path)


def test_hdf5_without_layers(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(ValueError, match=r"other\.h5' must hold weights by layer name"):
        load_weights_hdf5(small(), tmp_path / "other.h5")


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated(saved, share):
    _, path = saved
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    model = small()
    before = copies(model)
    with pytest.raises(OSError, match=r"weights\.hdf5' must be a complete HDF5 file"):
        load_weights_hdf5(model, path)
    assert same(model, before)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*gone\.hdf5"):
        load_weights_hdf5(small(), tmp_path / "gone.hdf5")


def test_a_dataset_that_is_not_there(tmp_path):
    content = keras2_content()
    write_keras2(tmp_path / "old.h5", content)
    with h5py.File(tmp_path / "old.h5", "a") as file:
        del file["out/out/bias:0"]
    model = small()
    before = copies(model)
    with pytest.raises(ValueError, match=r"Layer 'out'.*'out/bias:0'"):
        load_weights_hdf5(model, tmp_path / "old.h5")
    assert same(model, before)


def test_something_that_is_no_model(tmp_path):
    from narrows import Autoencoder

    for model in (Autoencoder(), 3):
        with pytest.raises(TypeError, match=r"must be a keras\.Model or a fitted embedder"):
            save_weights_hdf5(model, tmp_path / "w.hdf5")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_write_leaves_the_old_file(saved, monkeypatch):
    model, path = saved
    before = path.read_bytes()
    original, calls = h5py.Group.create_dataset, []

    def fail_late(self, *args, **kwargs):
        calls.append(args)
        if len(calls) > 3:
            raise OSError(28, "No space left on device")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(h5py.Group, "create_dataset", fail_late)
    with pytest.raises(OSError, match="No space left"):
        save_weights_hdf5(model, path)
    assert len(calls) == 4
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        save_weights_hdf5(small(), tmp_path / "nowhere" / "w.hdf5")
    assert error.value.filename == str(tmp_path / "nowhere" / "w.hdf5")


def test_the_networks_of_a_build_can_be_saved_apart(tmp_path):
    networks = build_networks((4,), 2, post_encoder, post_decoder)
    save_weights_hdf5(networks.decoder, tmp_path / "d.h5")
    report = load_weights_hdf5(networks.autoencoder, tmp_path / "d.h5")
    assert report.matched == ["dense_5", "dense_6", "dense_7", "dense_8"]
    assert os.path.getsize(tmp_path / "d.h5") > 4 * 9_379
