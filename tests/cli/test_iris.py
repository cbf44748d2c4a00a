"""``narrows iris`` as a user runs it: in another process, on the real data."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from narrows._files import replace_file
from narrows.cli import main
from narrows.comparison import Comparison


def narrows(*arguments, folder):
    return subprocess.run(
        [sys.executable, "-c", "from narrows.cli import main; main()", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run into a folder that already holds something."""
    folder = tmp_path_factory.mktemp("iris")
    out = folder / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    return narrows(
        "iris", "--out", "out", "--epochs", "6", "--seed", "3", "--seeds", "1", folder=folder
    ), out


@pytest.mark.long
def test_it_ends_well_and_prints_the_post_in_order(run):
    done, _ = run
    assert done.returncode == 0, done.stderr
    landmarks = [
        "120 training rows, 30 test rows",
        "dense_8 (Dense)",
        "Total params: 19,606",
        "Trainable params: 19,306",
        "Non-trainable params: 300",
        "val_loss",
        "Reconstruction",
        "20 arrays",
        "5 layers loaded: dense_1, batch_normalization_1, dense_2, dense_3, dense_4",
        "PC1",
        "Resampling: Bootstrapped (25 reps)",
        "On columns as they are, autoencoder",
        "random projection (control)",
        "report.html",
    ]
    positions = [done.stdout.find(landmark) for landmark in landmarks]
    assert -1 not in positions, landmarks[positions.index(-1)]
    assert positions == sorted(positions)


@pytest.mark.long
def test_results_go_to_stdout_and_progress_does_not(run):
    done, _ = run
    assert "compar" not in done.stdout.split("Measure prediction accuracy")[1].split("refitted")[0]
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_other_files_in_the_folder_stay(run):
    _, out = run
    assert (out / "notes.txt").read_text() == "mine"
    assert not [path.name for path in out.rglob(".*")]


@pytest.mark.long
def test_every_promised_file_is_there(run):
    _, out = run
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    figures = ["history", "reconstruction", "overlay", "embeddings", "intervals", "arms"]
    wanted = {f"figures/{name}.{kind}" for name in figures for kind in ("png", "svg")}
    wanted |= {"report.html", "weights.hdf5", "embedding.csv", "scores.csv", "history.csv"}
    wanted |= {"comparison.csv", "comparison.json"}
    wanted |= {f"{name}.keras" for name in ("autoencoder", "encoder", "decoder")}
    assert wanted == names - {"notes.txt"}


@pytest.mark.long
def test_the_files_agree_with_each_other(run):
    from narrows._keras import keras
    from narrows.datasets import iris

    _, out = run
    embedding = pd.read_csv(out / "embedding.csv")
    assert len(embedding) == 120
    rows = iris().iloc[embedding["row"] - 1]
    assert list(rows["Species"]) == list(embedding["Species"])
    encoder = keras.models.load_model(out / "encoder.keras")
    again = encoder.predict(rows.drop(columns="Species").to_numpy("float32"), verbose=0)
    stored = embedding[["autoencoder_1", "autoencoder_2"]]
    np.testing.assert_allclose(again, stored, rtol=1e-5, atol=1e-5)
    scores = pd.read_csv(out / "scores.csv")
    counts = scores.groupby("embedding").size()
    assert counts.to_dict() == {"pca": 25, "autoencoder": 25, "pca of raw columns": 25}
    comparison = Comparison.from_json(out / "comparison.json")
    assert len(comparison.resamples) == 25
    assert len(comparison.frame()) == len(pd.read_csv(out / "comparison.csv"))


@pytest.mark.long
def test_the_page_stands_alone_and_names_its_command(run):
    _, out = run
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "narrows iris --out out --seed 3 --epochs 6 --seeds 1" in page
    assert not re.search(r"""(src|href)=["']https?:""", page)
    assert page.count('src="data:image/svg') == 8
    assert page.count('<figure class="chart"') == 4
    assert len(page) < 3_000_000


def test_an_unwritable_folder_is_one_sentence_and_exit_2(tmp_path):
    (tmp_path / "taken").write_text("a file")
    done = narrows("iris", "--out", "taken", folder=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert "'taken'" in done.stderr
    assert "Give another folder" in done.stderr
    assert (tmp_path / "taken").read_text() == "a file"


@pytest.mark.parametrize(
    "bad", [["--epochs", "0"], ["--seed", "-1"], ["--sed", "1"], ["--epochs", "x"]]
)
def test_bad_options_exit_2(bad, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["iris", *bad])
    assert stop.value.code == 2
    assert bad[0] in capsys.readouterr().err


def test_json_has_the_numbers_and_the_files(monkeypatch, tmp_path, capsys):
    from narrows.cli.iris import _compute, _files, _page

    monkeypatch.setattr(_compute, "RESAMPLING", "3x1")
    monkeypatch.setattr(_compute, "BOOTSTRAPS", 2)
    # Figures and the page take longest, and the run above has them.
    monkeypatch.setattr(_files, "figures", lambda *_: _files.Figures({}))
    monkeypatch.setattr(_page, "write", lambda folder, *_: replace_file(folder / "page", b""))
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as stop:
        main(["iris", "--out", os.fspath(out), "--epochs", "2", "--seeds", "1", "--json"])
    assert not stop.value.code
    printed = capsys.readouterr()
    assert printed.err == ""
    found = json.loads(printed.out)
    assert found["rows"] == {"train": 120, "test": 30}
    assert found["history"]["epoch"] == 2
    assert set(found["forests"]) == {"pca", "autoencoder", "pca of raw columns"}
    scores = pd.read_csv(out / "scores.csv").groupby("embedding")["accuracy"].mean()
    for name, forest in found["forests"].items():
        assert forest["accuracy"] == pytest.approx(scores[name])
    assert found["sentences"] == Comparison.from_json(out / "comparison.json").sentences()
    assert {"page", "comparison.json", "scores.csv"} < set(found["files"])
    assert all((out / name).is_file() for name in found["files"])


def test_ctrl_c_exits_130(monkeypatch, tmp_path):
    from narrows.cli.iris import _compute

    def interrupted(seed):
        raise KeyboardInterrupt

    monkeypatch.setattr(_compute, "load", interrupted)
    with pytest.raises(SystemExit) as stop:
        main(["iris", "--out", os.fspath(tmp_path)])
    assert stop.value.code == 130


def test_another_keras_backend_is_one_sentence_and_exit_2(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from narrows.cli import main; main()", "iris", "--out", "out"],
        cwd=tmp_path, env={**os.environ, "KERAS_BACKEND": "torch"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("narrows: narrows needs Keras on the 'jax' backend")
    assert done.stderr.count("\n") == 1
