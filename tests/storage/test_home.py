"""``~`` in a path is the home folder, wherever a path is given."""

import os
from pathlib import Path

import pandas as pd
import pytest

import narrows
from narrows._files import at_home
from narrows.cli import main
from narrows.data import read_table
from narrows.storage import (
    load_keras,
    load_weights_hdf5,
    read_manifest,
    save_keras,
    save_weights_hdf5,
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder, and another one to stand in; nothing may be written to the latter."""
    here, there = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(there))
    yield there
    assert list(here.iterdir()) == []


@pytest.mark.long
def test_models_weights_and_tables(home, measurements):
    model = narrows.Autoencoder(encoder=(3,), epochs=1, random_state=0)
    model.fit(measurements, checkpoint="~/training.npz")
    narrows.save(model, "~/m.narrows")
    narrows.load("~/m.narrows")
    assert read_manifest("~/m.narrows")["format"] == "narrows"
    assert save_keras(model, "~/nets")[0] == home / "nets" / "encoder.keras"
    load_keras("~/nets/encoder.keras")
    save_weights_hdf5(model, Path("~/w.h5"))
    load_weights_hdf5(model, "~/w.h5")
    measurements.to_csv(home / "t.csv", index=False)
    pd.testing.assert_frame_equal(read_table("~/t.csv"), measurements)
    names = {path.name for path in home.glob("[!.]*")}
    assert names == {"m.narrows", "nets", "t.csv", "training.npz", "w.h5"}


def test_figures_and_onnx(home, measurements):
    from narrows.plots import history, save_figure

    model = narrows.Autoencoder(encoder=(3,), epochs=2, random_state=0).fit(measurements)
    written = save_figure(history(model.history_), "~/figures", "losses")
    assert {path.parent for path in written} == {home / "figures"}
    report = narrows.export_onnx(model, "~/m.onnx", rows=measurements)
    assert report.path == home / "m.onnx"
    assert report.path.exists()


def test_large_tables(home, measurements):
    from narrows.scale import TableBatches, TableWriter

    measurements.to_parquet(home / "t.parquet")
    with TableWriter("~/z.csv") as writer:
        for rows in TableBatches("~/t.parquet").read():
            writer.write(rows)
    assert (home / "z.csv").exists()


def test_the_command_line(home, measurements):
    measurements.to_csv(home / "t.csv", index=False)

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([*arguments])
        assert stop.value.code == 0

    run("fit", "~/t.csv", "--encoder=3", "--epochs=1", "--out=~/m.narrows")
    run("embed", "~/m.narrows", "~/t.csv", "--out=~/z.csv")
    run("inspect", "~/m.narrows")
    assert {path.name for path in home.glob("[!.]*")} == {"t.csv", "m.narrows", "z.csv"}


def test_the_cache_of_programs(home, monkeypatch):
    from narrows.training.compiling._cache import cache_folder

    monkeypatch.setenv("NARROWS_CACHE", "~/programs")
    assert cache_folder() == home / "programs"


def test_only_a_leading_tilde_is_the_home(home):
    assert at_home("a/~/b") == Path("a/~/b")
    assert at_home(Path("~/x")) == home / "x"
    assert os.fspath(at_home("./~/x")) == "~/x"
