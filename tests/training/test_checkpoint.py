"""A training that ended early goes on from its checkpoint, to the bits it would have had."""

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from narrows.training import _checkpoint, _chunk, _train


@pytest.fixture
def often(monkeypatch):
    """One step a segment, and a copy after each."""
    monkeypatch.setattr(_chunk, "_SEGMENT_SECONDS", 1e-9)
    monkeypatch.setattr(_checkpoint, "_EVERY", 0.0)
    monkeypatch.setattr(_checkpoint, "_SHARE", 1e9)


@pytest.fixture
def slowly(monkeypatch):
    """Let each segment take a while, so that an interruption comes before the end anywhere."""
    real = _checkpoint.Checkpoint.keep

    def keep(self, chunk, kept):
        real(self, chunk, kept)
        time.sleep(0.03)

    monkeypatch.setattr(_checkpoint.Checkpoint, "keep", keep)


def stop_after(count):
    calls = []

    def on_progress(done, wanted):
        calls.append(done)
        if done >= count:
            raise KeyboardInterrupt

    return on_progress


def assert_same(one, other):
    np.testing.assert_array_equal(one.history, other.history)
    for left, right in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(one.epochs_run, other.epochs_run)
    np.testing.assert_array_equal(one.best_epoch, other.best_epoch)


@pytest.mark.parametrize("patience", [None, 3])
def test_an_interrupted_training_goes_on_to_the_same_bits(fit, tmp_path, often, slowly, patience):
    settings = {"seeds": [(5, k) for k in range(7)], "epochs": 25, "patience": patience}
    whole = fit(**settings)
    path = tmp_path / "run.checkpoint"
    stopped = fit(**settings, checkpoint=path, on_progress=stop_after(30))
    assert stopped.interrupted
    assert stopped.history.shape[1] < 25
    assert_same(fit(**settings, checkpoint=path), whole)


def test_it_goes_on_among_orders_that_are_drawn_a_few_epochs_ahead(
    fit, tmp_path, often, slowly, monkeypatch
):
    settings = {"seeds": [(5, k) for k in range(7)], "epochs": 10}
    whole = fit(**settings)
    monkeypatch.setattr(_train, "_SEGMENT_ROWS", 4 * 256)  # four epochs
    path = tmp_path / "run.checkpoint"
    stopped = fit(**settings, checkpoint=path, on_progress=stop_after(6 * 7))
    assert 4 < stopped.history.shape[1] < 10
    assert_same(fit(**settings, checkpoint=path), whole)


def test_the_middle_of_an_epoch_is_kept(fit, tmp_path, often):
    # 50 rows in batches of 5 are 10 steps, four to a segment at first and then one.
    settings = {"seeds": [(5, 0)], "epochs": 3, "batch_size": 5}
    whole = fit(**settings)
    path = tmp_path / "run.checkpoint"
    places = []

    class Watching(_checkpoint.Checkpoint):
        def keep(self, chunk, kept):
            super().keep(chunk, kept)
            places.append(kept.place)
            if kept.place.step == 6 and kept.place.epochs == 1:
                raise RuntimeError("killed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.training._train.Checkpoint", Watching)
        with pytest.raises(RuntimeError, match="killed"):
            fit(**settings, checkpoint=path)
    assert places[-1] == _checkpoint.Place(1, 6, False)
    assert_same(fit(**settings, checkpoint=path), whole)


def test_a_finished_training_is_handed_over_again_without_a_step(fit, tmp_path, monkeypatch):
    path = tmp_path / "run.checkpoint"
    whole = fit([(5, 0), (5, 1), (5, 2)], checkpoint=path)

    def forbidden(*args):
        raise AssertionError("a step was made")

    monkeypatch.setattr(_chunk, "_span", forbidden)
    assert_same(fit([(5, 0), (5, 1), (5, 2)], checkpoint=path), whole)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 5}, "settings"),
        ({"seeds": [(6, 0)]}, "settings"),
        ({"rate": 2e-3}, "settings"),
        ({"lane_rows": [np.arange(1, 51)]}, "rows"),
        ({"batch_size": 8, "lane_rows": [np.arange(1, 51)]}, "settings and rows"),
    ],
)
def test_another_training_is_refused_and_its_file_left(fit, tmp_path, change, named):
    path = tmp_path / "run.checkpoint"
    fit([(5, 0)], checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"one that differs in its {named}\\."):
        fit(**({"seeds": [(5, 0)]} | change), checkpoint=path)
    assert path.read_bytes() == before


def altered(path, change):
    with safe_open(path, framework="numpy") as file:
        about, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(about, arrays)
    save_file(arrays, path, about)


def flip(about, arrays):
    arrays["0/1"] = arrays["0/1"] ^ np.uint8(1)


def other_format(about, arrays):
    about["format"] = "narrows checkpoint 2"


def no_places(about, arrays):
    del about["places"]


def odd_places(about, arrays):
    about["places"] = json.dumps({"0": {"epochs": 1}})


def lost_leaf(about, arrays):
    del arrays["0/1"]
    about["sha256"] = _checkpoint._digest(arrays)


@pytest.mark.parametrize("change", [flip, other_format, no_places, odd_places, lost_leaf])
def test_a_damaged_checkpoint_is_refused(fit, tmp_path, change):
    path = tmp_path / "run.checkpoint"
    fit([(5, 0)], checkpoint=path)
    altered(path, change)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="must be a checkpoint that narrows wrote"):
        fit([(5, 0)], checkpoint=path)
    assert path.read_bytes() == before


def test_what_is_no_checkpoint_is_refused_and_left(fit, tmp_path):
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    with pytest.raises(ValueError, match="must be a checkpoint that narrows wrote"):
        fit([(5, 0)], checkpoint=path)
    assert path.read_text() == "years of work"


def test_a_path_that_cannot_be_written_is_known_before_the_training(fit, tmp_path, monkeypatch):
    monkeypatch.setattr("narrows.training._train.train_chunk", None)
    with pytest.raises(OSError, match="nowhere"):
        fit([(5, 0)], checkpoint=tmp_path / "nowhere" / "run.checkpoint")


def test_other_versions_are_said(fit, tmp_path):
    path = tmp_path / "run.checkpoint"
    whole = fit([(5, 0)], checkpoint=path)

    def older(about, arrays):
        about["versions"] = json.dumps(json.loads(about["versions"]) | {"jax": "0.1"})

    altered(path, older)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", UserWarning)
        assert_same(fit([(5, 0)], checkpoint=path), whole)
    assert any("written with jax 0.1 (now" in str(one.message) for one in seen)


def test_another_precision_of_products_is_said(fit, tmp_path):
    path = tmp_path / "run.checkpoint"
    fit([(5, 0)], checkpoint=path)
    with jax.default_matmul_precision("highest"), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", UserWarning)
        fit([(5, 0)], checkpoint=path)
    assert any("matmul precision default (now highest)" in str(one.message) for one in seen)


def test_a_checkpoint_that_does_not_tell_where_it_was_written_is_taken(fit, tmp_path):
    path = tmp_path / "run.checkpoint"
    fit([(5, 0)], checkpoint=path)

    def older(about, arrays):
        told = json.loads(about["versions"])
        about["versions"] = json.dumps({name: told[name] for name in ("narrows", "jax")})

    altered(path, older)
    fit([(5, 0)], checkpoint=path)  # warnings are errors here


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_killed_trainings_lose_nothing():
    script = Path(__file__).with_name("kill_trainings.py")
    command = [sys.executable, str(script), "--kills", "4", "--seed", "7"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["kills"] == 4
