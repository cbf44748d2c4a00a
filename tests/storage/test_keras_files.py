"""``.keras`` files: what Keras and we write and read, and what is refused."""

import io
import json
import zipfile

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import narrows
from fixtures.models import CUSTOM, Twice
from narrows._keras import keras
from narrows.storage import load_keras, save_keras
from narrows.training import forward
from storage import hdf5_tricks as tricks

layers = keras.layers
NAMES = ["config.json", "metadata.json", "model.weights.h5"]


@pytest.fixture(scope="module")
def fitted(measurements):
    model = narrows.Autoencoder(encoder=(3,), epochs=1, random_state=0)
    return model.fit(measurements)


@pytest.fixture(scope="module")
def parts(fitted, tmp_path_factory):
    """The members of a sound file."""
    folder = tmp_path_factory.mktemp("keras")
    save_keras(fitted, folder)
    with zipfile.ZipFile(folder / "encoder.keras") as file:
        return {name: file.read(name) for name in file.namelist()}


def test_three_models_that_keras_and_we_read(tmp_path, fitted, measurements):
    paths = save_keras(fitted, tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["encoder.keras", "decoder.keras", "autoencoder.keras"]
    rows = measurements.to_numpy("float32")
    expected = {
        "encoder": fitted.transform(measurements),
        "autoencoder": fitted.reconstruct(measurements),
    }
    for path in (paths[0], paths[2]):
        for model in (load_keras(path), keras.saving.load_model(path)):
            np.testing.assert_array_equal(forward(model, rows), expected[path.stem])
    assert sorted(path.name for path in (tmp_path / "new/folder").iterdir()) == sorted(
        path.name for path in paths
    )


def test_loaded_parts_can_be_trained(tmp_path, measurements):
    plain = {"epochs": 1, "random_state": 0, "batch_size": 32}
    fitted = narrows.Autoencoder(encoder=(3,), residual=False, **plain).fit(measurements)
    save_keras(fitted, tmp_path)
    parts = {name: load_keras(tmp_path / f"{name}.keras") for name in ("encoder", "decoder")}
    again = narrows.Autoencoder(**parts, **plain).fit(measurements)
    np.testing.assert_array_equal(again.transform(measurements), fitted.transform(measurements))


def test_a_posterior_is_written_too(tmp_path, measurements):
    model = narrows.VariationalAutoencoder(encoder=(3,), epochs=1, random_state=0)
    paths = save_keras(model.fit(measurements), tmp_path)
    assert [path.stem for path in paths] == ["encoder", "decoder", "autoencoder", "posterior"]
    assert len(load_keras(paths[-1]).outputs) == 2


@pytest.mark.long
def test_layers_of_every_kind_come_back(tmp_path):
    start = keras.Input((3,), name="s")
    inner = keras.Model(start, layers.Dense(3, name="d")(start), name="inner")
    x = inputs = keras.Input((4, 3), name="rows")
    x = layers.TimeDistributed(inner, name="each")(x)
    x = layers.Bidirectional(layers.GRU(2, name="gru"), name="both")(x)
    x = layers.BatchNormalization(name="norm", dtype="mixed_bfloat16")(x)
    x = layers.Dense(3, name="half", dtype="bfloat16")(x)
    x = keras.ops.tanh(layers.Dropout(0.2, name="drop")(x))
    model = keras.Model(inputs, Twice(name="twice")(x))
    model.compile("adam", "mse")
    draw = np.random.default_rng(0)
    model.set_weights([draw.uniform(0.5, 1, size=one.shape) for one in model.weights])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"\['narrows-tests>Twice'\].*load_keras"):
        load_keras(tmp_path / "m.keras")
    again = load_keras(tmp_path / "m.keras", CUSTOM)
    assert not again.compiled
    for one, two in zip(model.weights, again.weights, strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(np.asarray(one.value), np.asarray(two.value))
    rows = draw.normal(size=(5, 4, 3)).astype("float32")
    np.testing.assert_array_equal(
        np.asarray(model(rows), "float32"), np.asarray(again(rows), "float32")
    )


def test_what_has_no_network_is_refused(tmp_path, fitted, measurements):
    pipeline = make_pipeline(StandardScaler(), fitted)
    for model in (narrows.PCA().fit(measurements), pipeline, 3):
        with pytest.raises(TypeError, match="an embedder with a network"):
            save_keras(model, tmp_path)
    with pytest.raises(NotFittedError):
        save_keras(narrows.Autoencoder(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_files(tmp_path, fitted, monkeypatch):
    paths = save_keras(fitted, tmp_path)
    before = [path.read_bytes() for path in paths]

    def fails(self, data, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fails)
    with pytest.raises(OSError, match="No space left"):
        save_keras(fitted, tmp_path)
    assert [path.read_bytes() for path in paths] == before
    assert len(list(tmp_path.iterdir())) == len(paths)


def zipped(members, **more):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", **more) as file:
        for name, data in members:
            file.writestr(name, data)
    return content.getvalue()


def refused(tmp_path, content, message):
    path = tmp_path / "bad.keras"
    path.write_bytes(content if isinstance(content, bytes) else zipped(content.items()))
    with pytest.raises(ValueError, match=message) as caught:
        load_keras(path)
    assert type(caught.value) is ValueError
    assert "\n" not in str(caught.value)


def test_the_helper_makes_files_that_load(tmp_path, parts):
    (tmp_path / "m.keras").write_bytes(zipped(parts.items()))
    assert load_keras(tmp_path / "m.keras").output_shape == (None, 2)


def test_files_that_are_none(tmp_path, parts):
    refused(tmp_path, b"", "It is empty")
    refused(tmp_path, b"weights", "something else")
    refused(tmp_path, zipped(parts.items())[:-9], "cut off")
    refused(tmp_path, {"config.json": b"{}"}, r"It has \['config.json'\] instead")
    refused(tmp_path, {**parts, "assets/../../x": b""}, "Assets")
    refused(tmp_path, {**parts, "config.json": b"{"}, "not JSON")
    refused(tmp_path, {**parts, "config.json": b"[" * 9000}, "not JSON")
    refused(tmp_path, {**parts, "config.json": b"{}"}, "must describe a Keras model")
    refused(tmp_path, {**parts, "model.weights.h5": b"no"}, "must be an HDF5 file")
    with pytest.raises(FileNotFoundError, match=r"gone\.keras"):
        load_keras(tmp_path / "gone.keras")
    with pytest.raises(ValueError, match="folder"):
        load_keras(tmp_path)


def test_zip_tricks(tmp_path, parts):
    items = list(parts.items())
    refused(tmp_path, zipped(items, compression=zipfile.ZIP_DEFLATED), "compressed or encrypted")
    evil = {("../" + name if name == NAMES[0] else name): data for name, data in items}
    refused(tmp_path, evil, "must be a .keras file of")
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped([*items, items[0]])
    refused(tmp_path, twice, "must be a .keras file of")
    refused(tmp_path, b"PK\x03\x04" + zipped(items), "one after the other")


@pytest.mark.parametrize("trick", tricks.TRICKS, ids=lambda trick: trick.__name__)
def test_hdf5_tricks(tmp_path, parts, trick):
    import h5py

    content = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        key = tricks.datasets_of(file)[0]
        del file[key]
        trick(file, key)
    refused(
        tmp_path, {**parts, "model.weights.h5": content.getvalue()}, "bad.keras|Dataset|Weights"
    )


def test_weights_that_do_not_fit_are_not_left_out(tmp_path, parts):
    import h5py

    for change in ("layers/dense/vars/0", "layers/dense", "layers"):
        content = io.BytesIO(parts["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            del file[change]
        changed = {**parts, "model.weights.h5": content.getvalue()}
        refused(tmp_path, changed, "must describe a Keras model")


def test_a_lambda_and_unknown_classes_are_refused(tmp_path, parts):
    for change in (
        {"class_name": "Lambda"}, {"class_name": "system", "module": "os"},
        {"class_name": "TorchModuleWrapper"}, {"class_name": "TFSMLayer"},
    ):  # fmt: skip
        config = json.loads(parts["config.json"])
        config["config"]["layers"][1].update(change)
        refused(tmp_path, {**parts, "config.json": json.dumps(config)}, "could run code")


def test_a_huge_layer_is_refused_before_it_is_built(tmp_path, parts):
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1]["config"]["units"] = 10**9
    changed = {**parts, "config.json": json.dumps(config)}
    refused(tmp_path, changed, "expected a weight of shape|expected kernel")
