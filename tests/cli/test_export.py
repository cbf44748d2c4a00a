"""``narrows export``: files that other programs read."""

import json
import os

import h5py
import numpy as np
import pandas as pd
import pytest

import narrows
from narrows._keras import keras
from narrows.cli import main
from support.onnx_files import run as run_onnx
from support.onnx_files import session


def run(*arguments):
    """Run the command in this process; return its exit code."""
    try:
        main(["export", *(os.fspath(argument) for argument in arguments)])
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two models and a table; tests must not change them."""
    folder = tmp_path_factory.mktemp("export")
    rows = narrows.datasets.iris().drop(columns="Species")
    rows.to_csv(folder / "iris.csv", index=False)
    embedder = narrows.Autoencoder(encoder=(5,), epochs=1, random_state=0).fit(rows)
    narrows.save(embedder, folder / "network.narrows")
    narrows.save(narrows.PCA().fit(rows), folder / "pca.narrows")
    tsne = narrows.TSNEMapEncoder(encoder=(4,), epochs=1, map_steps=10, random_state=0).fit(rows)
    narrows.save(tsne, folder / "tsne.narrows")
    return folder


def bad(capsys, *arguments):
    """Run a command that must fail for bad input; return its sentence."""
    capsys.readouterr()
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("narrows: ")
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.mark.long
def test_everything_at_once(folder, tmp_path, capsys):
    model = narrows.load(folder / "network.narrows")
    rows = pd.read_csv(folder / "iris.csv")
    options = ["--onnx", tmp_path / "e.onnx", "--onnx-decoder", tmp_path / "d.onnx",
               "--hdf5", tmp_path / "w.h5", "--keras", tmp_path / "new" / "keras"]  # fmt: skip
    assert run(folder / "network.narrows", *options) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 6
    assert printed.err == ""
    z = run_onnx(tmp_path / "e.onnx", rows)["embedding"]
    np.testing.assert_allclose(z, model.transform(rows), atol=1e-5)
    back = run_onnx(tmp_path / "d.onnx", z)["rows"]
    np.testing.assert_allclose(back, model.inverse_transform(z), atol=1e-4)
    with h5py.File(tmp_path / "w.h5") as file:
        assert b"bottleneck" in [bytes(name) for name in file.attrs["layer_names"]]
    for name in ("encoder", "decoder", "autoencoder"):
        loaded = keras.saving.load_model(tmp_path / "new" / "keras" / f"{name}.keras")
        ours = getattr(model, f"{name}_")
        assert [w.path for w in loaded.weights] == [w.path for w in ours.weights]
        for got, wanted in zip(loaded.get_weights(), ours.get_weights(), strict=True):
            np.testing.assert_array_equal(got, wanted)
    assert sorted(os.listdir(tmp_path / "new" / "keras")) == [
        "autoencoder.keras", "decoder.keras", "encoder.keras",
    ]  # fmt: skip


def test_rows_and_json(folder, tmp_path, capsys):
    out = tmp_path / "m.onnx"
    options = ["--onnx", out, "--rows", folder / "iris.csv", "--json"]
    assert run(folder / "pca.narrows", *options) == 0
    (written,) = json.loads(capsys.readouterr().out)["written"]
    assert (written["kind"], written["file"], written["rows"]) == ("onnx encoder", str(out), 150)
    check = json.loads(session(out).get_modelmeta().custom_metadata_map["check"])
    assert check["largest_difference"] == written["largest_difference"] < 1e-5
    assert check["rows_from"] == "given by the caller"


def test_rows_in_text_of_another_form(folder, tmp_path, capsys):
    table = pd.read_csv(folder / "iris.csv")
    table.to_csv(tmp_path / "rows.csv", index=False, sep=";", decimal=",")
    given = (folder / "network.narrows", "--onnx", tmp_path / "m.onnx", "--json")
    given += ("--rows", tmp_path / "rows.csv", "--separator", ";", "--decimal", ",")
    assert run(*given) == 0
    assert json.loads(capsys.readouterr().out)["written"][0]["rows"] == len(table)


def test_options_that_contradict(folder, tmp_path, capsys):
    model, out = folder / "network.narrows", tmp_path / "m.onnx"
    assert "must be told what to write" in bad(capsys, model)
    table = folder / "iris.csv"
    assert "Got it without --onnx" in bad(capsys, model, "--hdf5", out, "--rows", table)
    text = bad(capsys, model, "--onnx", out, "--separator", ";", "--decimal", ",")
    assert "Got separator=';', decimal=',' without --rows" in text
    twice = bad(capsys, model, "--onnx", out, "--hdf5", out)
    assert "--onnx and --hdf5 must be two files" in twice
    assert "--onnx must not be a file that is read" in bad(capsys, model, "--onnx", model)
    gone = tmp_path / "no" / "m.h5"
    assert "--hdf5 must be a file that can be written" in bad(capsys, model, "--hdf5", gone)
    for option in ("--hdf5", "--keras"):
        sentence = bad(capsys, folder / "pca.narrows", "--onnx", out, option, tmp_path / "x")
        assert f"{option} must be for a network. Got a model of PCA" in sentence
    sentence = bad(capsys, folder / "tsne.narrows", "--onnx", out, "--onnx-decoder", tmp_path / "d")
    assert "--onnx-decoder must be for a model with a decoder" in sentence
    assert not list(tmp_path.iterdir())


def test_a_keras_folder_that_is_a_file(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("old")
    sentence = bad(capsys, folder / "network.narrows", "--keras", tmp_path / "file")
    assert "--keras must be a folder" in sentence


def test_bad_rows_and_no_model(folder, tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    options = ["--onnx", tmp_path / "m.onnx", "--rows", tmp_path / "t.csv"]
    assert "Sepal.Length" in bad(capsys, folder / "network.narrows", *options)
    assert "There is no file" in bad(capsys, tmp_path / "no.narrows", "--onnx", tmp_path / "m.onnx")
    assert sorted(os.listdir(tmp_path)) == ["t.csv"]


def test_the_extra_is_not_installed(folder, tmp_path, capsys, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnx" else real(name)
    )
    sentence = bad(capsys, folder / "pca.narrows", "--onnx", tmp_path / "m.onnx")
    assert 'pip install "narrows[onnx]"' in sentence
