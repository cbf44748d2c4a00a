"""What cannot be saved is refused first; a failure on the way leaves the old file."""

import errno
import zipfile

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import narrows
from fixtures.models import FOLDER
from narrows._keras import keras
from narrows.storage import load, save


@pytest.fixture
def pca(measurements):
    return narrows.PCA().fit(measurements)


class Derived(narrows.PCA):
    pass


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (StandardScaler(), TypeError, "StandardScaler"),
        (Derived(), TypeError, "Derived"),
        (make_pipeline(narrows.PCA(), StandardScaler()), TypeError, r"\['PCA', 'StandardScaler'\]"),
        (make_pipeline(narrows.PCA(), narrows.PCA()), TypeError, r"only there"),
        (make_pipeline(OneHotEncoder(), narrows.PCA()), TypeError, "OneHotEncoder"),
        (make_pipeline("passthrough", narrows.PCA()), NotFittedError, "PCA"),
        (narrows.PCA(), NotFittedError, "PCA"),
        (make_pipeline(StandardScaler(), narrows.PCA()), NotFittedError, "StandardScaler"),
    ],
)
def test_what_cannot_be_saved_is_refused_before_anything_is_written(
    tmp_path, model, error, message
):
    (tmp_path / "m.narrows").write_text("old")
    with pytest.raises(error, match=message):
        save(model, tmp_path / "m.narrows")
    assert (tmp_path / "m.narrows").read_text() == "old"


def test_provenance_must_be_for_json(tmp_path, pca):
    with pytest.raises(ValueError, match="JSON"):
        save(pca, tmp_path / "m.narrows", provenance={"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_keeps_the_old_file(pca, tmp_path, monkeypatch):
    target = tmp_path / "m.narrows"
    save(pca, target)
    before = target.read_bytes()
    original = zipfile.ZipFile.writestr
    written = []

    def interrupted(self, info, data, *more):
        if written:
            raise KeyboardInterrupt
        written.append(info.filename)
        return original(self, info, data, *more)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(pca, target)
    assert written == ["manifest.json"]
    assert target.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.narrows"]


def test_a_folder_is_no_target(pca, tmp_path):
    with pytest.raises(IsADirectoryError, match=tmp_path.name):
        save(pca, tmp_path)


def test_a_disk_that_is_full_at_any_byte_leaves_the_old_file(pca, tmp_path, monkeypatch):
    import io

    target = tmp_path / "m.narrows"
    save(pca, target)
    before = target.read_bytes()
    original = io.BufferedWriter
    room = 0

    class Full(original):
        def write(self, data):
            if self.tell() + len(data) > room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    def opening(path, mode="r", *more, **options):
        if "w" in mode and "b" in mode:
            return Full(io.FileIO(path, "w"))
        return open(path, mode, *more, **options)

    monkeypatch.setattr(zipfile.io, "open", opening)
    for room in range(0, len(before), 97):  # noqa: B007 (Full reads it)
        with pytest.raises(OSError, match="No space left"):
            save(pca, target)
        assert target.read_bytes() == before
        assert [one.name for one in tmp_path.iterdir()] == ["m.narrows"]


def test_a_limit_on_file_sizes_leaves_the_old_files(pca, tmp_path):
    resource = pytest.importorskip("resource")
    import signal

    model = load(FOLDER / "v1" / "linear.narrows")
    writers = {
        "m.narrows": lambda path: save(pca, path),
        "w.hdf5": lambda path: narrows.save_weights_hdf5(model, path),
    }
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for name, write in writers.items():
            write(tmp_path / name)
            before = (tmp_path / name).read_bytes()
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
            with pytest.raises(OSError, match="too large"):
                write(tmp_path / name)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert (tmp_path / name).read_bytes() == before
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(writers)


class Scaled(keras.layers.Layer):
    """A layer whose weight is a single number."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(), name="factor", initializer="ones")

    def call(self, x):
        return x * self.factor


def test_a_weight_without_axes_stays_one(tmp_path, measurements):
    def encoder(x):
        return keras.layers.Dense(2, name="code")(Scaled(name="scaled")(x))

    model = narrows.Autoencoder(encoder=encoder, decoder=(3,), epochs=1, random_state=0)
    model.fit(measurements)
    save(model, tmp_path / "m.narrows")
    again = load(tmp_path / "m.narrows", {"Scaled": Scaled})
    assert again.encoder_.get_layer("scaled").factor.shape == ()
    np.testing.assert_array_equal(again.transform(measurements), model.transform(measurements))
