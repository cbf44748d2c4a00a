"""The simulation of arms under the null: what is known is kept, what is counted is right."""

import argparse
import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("_common", "calibration", "null_arms")


@pytest.fixture
def null_arms(monkeypatch):
    """The script; it imports its neighbours by their file names."""
    monkeypatch.setenv("NARROWS_CACHE", "off")  # the script sets it for its own process
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("null_arms")
    for name in NAMES:
        sys.modules.pop(name, None)


def test_a_stopped_simulation_goes_on(null_arms, monkeypatch, tmp_path):
    asked = []

    def judged(resampling, seed, number, arms):
        asked.append((number, tuple(arms)))
        rows = [(resampling, seed, number, arm, "probe", 0, -1, 1, "undecided") for arm in arms]
        return pd.DataFrame(rows, columns=null_arms.COLUMNS)

    monkeypatch.setattr(null_arms, "judged", judged)
    options = {"resampling": "5x2", "seed": 0, "out": tmp_path / "null.csv"}
    for simulations, arms in [(2, ["tuned"]), (3, ["tuned"]), (2, ["tuned", "autoencoder"])]:
        null_arms.run(argparse.Namespace(**options, simulations=simulations, arms=arms))
    assert asked == [
        (0, ("tuned",)), (1, ("tuned",)), (2, ("tuned",)), (0, ("autoencoder",)),
        (1, ("autoencoder",)),
    ]  # fmt: skip
    assert len(null_arms.known(options["out"])) == 5


def test_false_verdicts_are_counted_with_their_interval(null_arms):
    results = pd.DataFrame(
        {
            "arm": "tuned", "probe": "probe", "difference": np.linspace(-0.1, 0.1, 40),
            "low": -0.2, "high": 0.2, "verdict": ["better"] + ["undecided"] * 38 + ["failed"],
        }
    )  # fmt: skip
    ((arm, probe, tables, _, misses, false, better, worse, equivalent),) = null_arms.arm_lines(
        results, 10
    )
    assert (arm, probe, tables, equivalent) == ("tuned", "probe", "39", "0.0")
    assert false == better == "2.6 (0.1 to 13.5)"
    assert misses == worse == "0.0 (0.0 to 9.0)"


def test_labels_know_nothing_of_the_rows(null_arms):
    tables = [null_arms.drawn(0, number) for number in range(200)]
    differences = np.array([X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0) for X, y in tables])
    errors = differences.std(axis=0) / len(tables) ** 0.5
    assert (np.abs(differences.mean(axis=0)) < 4 * errors).all()
