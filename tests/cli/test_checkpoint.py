"""``narrows fit --checkpoint``: a training that ended early goes on."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from safetensors import safe_open

from narrows.cli import main
from narrows.datasets import iris
from narrows.storage import read_manifest

SMALL = ["--label", "Species", "--encoder", "6", "--restarts", "2"]


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(["fit", *(os.fspath(argument) for argument in arguments)])
    return stop.value.code or 0


def epochs_in(checkpoint):
    """How far the first chunk of a training had come."""
    with safe_open(checkpoint, framework="numpy") as file:
        return json.loads(file.metadata()["places"])["0"]["epochs"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "iris.csv"
    iris().to_csv(path, index=False)
    return path


def test_an_interrupted_fit_goes_on_to_the_same_model(table, tmp_path, capsys, monkeypatch):
    from narrows.embedders.fitting import _fit

    def impatient(*arguments, **more):
        def on_progress(done, total):
            if done > 0:
                monkeypatch.undo()
                raise KeyboardInterrupt

        return real(*arguments, **more | {"on_progress": on_progress})

    real = _fit.train
    options = [*SMALL, "--epochs", "3000"]
    checkpoint, model = tmp_path / "c", tmp_path / "m.narrows"
    monkeypatch.setattr(_fit, "train", impatient)
    given = [table, *options, "--checkpoint", checkpoint, "--out", model]
    assert run(*given) == 130
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence == (
        f"narrows: interrupted; {os.fspath(checkpoint)!r} has the training so far, and the same "
        "command goes on from it."
    )
    assert not model.exists()
    assert 0 < epochs_in(checkpoint) < 3000
    assert run(*given, "--json") == 0
    printed = capsys.readouterr()
    assert printed.err == f"going on from {checkpoint}\n"
    assert json.loads(printed.out)["checkpoint"] == os.fspath(checkpoint)
    assert run(table, *options, "--out", tmp_path / "whole.narrows") == 0
    weights, whole = (
        read_manifest(path)["members"] for path in (model, tmp_path / "whole.narrows")
    )
    assert weights["weights.safetensors"] == whole["weights.safetensors"]


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_in_another_process(table, tmp_path, ctrl_c):
    checkpoint = tmp_path / "c"
    options = ["--epochs", "1000000", "--checkpoint", checkpoint, "--out", tmp_path / "m.narrows"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from narrows.cli import main; main()", "fit", table, *SMALL,
         *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, out) == (130, "")
    assert err.startswith("narrows: interrupted; ")
    assert err.count("\n") == 1


def test_without_a_checkpoint_the_advice_is_one(table, tmp_path, capsys, monkeypatch):
    import narrows

    def stopped(*arguments, **more):
        raise KeyboardInterrupt

    for kind in (narrows.Autoencoder, narrows.AutoencoderCV):
        monkeypatch.setattr(kind, "fit", stopped)
    assert run(table, "--out", tmp_path / "m.narrows") == 130
    assert "With --checkpoint FILE" in capsys.readouterr().err
    assert run(table, "--checkpoint", tmp_path / "c", "--out", tmp_path / "m.narrows") == 130
    assert "had not begun" in capsys.readouterr().err


def test_checkpoints_that_will_not_do(table, tmp_path, capsys):
    out = ["--out", tmp_path / "m.narrows"]
    quick = [*SMALL, "--epochs", "2"]
    assert run(table, *out, "--checkpoint", tmp_path / "m.narrows") == 2
    assert "must be two files" in capsys.readouterr().err
    assert run(table, *out, "--checkpoint", table) == 2
    assert "--checkpoint must not be a file that is read" in capsys.readouterr().err
    assert run(table, *out, "--checkpoint", tmp_path / "no" / "c") == 2
    assert "--checkpoint must be a file that can be written" in capsys.readouterr().err
    assert run(table, *quick, *out, "--checkpoint", tmp_path / "c") == 0
    assert run(table, *quick, *out, "--checkpoint", tmp_path / "c", "--seed", "2", "--quiet") == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "must belong to this training" in sentence
