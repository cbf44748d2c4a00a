"""The benchmark on labels: which column is one, which rows have it, what the summary says."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
CHANCE = np.random.default_rng(0)


@pytest.fixture
def script(monkeypatch):
    """The script; it imports its neighbours by their file names."""
    monkeypatch.setenv("NARROWS_CACHE", "off")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    names = ("_common", "_rdatasets", "many_tables", "many_labels")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("many_labels")
    for name in names:
        sys.modules.pop(name, None)


def test_a_label_has_few_classes_of_many_rows(script):
    rule = sys.modules["_rdatasets"]
    frame = pd.DataFrame(CHANCE.normal(size=(200, 4))).add_prefix("c")
    frame["two"] = np.where(np.arange(200) < 90, "a", "b")
    frame["four"] = np.arange(200) % 4  # too few values to count as a number
    frame["rare"] = np.where(np.arange(200) < 5, "a", "b")
    frame["many"] = np.arange(200) % 11
    frame["gaps"] = frame["two"].where(np.arange(200) > 3)
    frame["year"] = np.arange(200) % 5
    found = rule.label(frame, rule.numbers(frame), "a/b")
    assert found.tolist() == [str(one) for one in frame["four"]]
    columns = rule.numbers(frame.drop(columns="four"))
    assert rule.label(frame.drop(columns="four"), columns, "a/b").tolist() == list(frame["two"])
    assert rule.label(frame[["c0", "rare"]], columns, "a/b") is None


def test_labels_stay_beside_their_rows(script):
    """Rows with a gap in a number are no rows."""
    rule = sys.modules["_rdatasets"]
    frame = pd.DataFrame(CHANCE.normal(size=(200, 4))).add_prefix("c")
    frame["two"] = np.where(frame["c0"] > 0, "up", "down")
    frame.loc[frame.index % 9 == 0, "c1"] = np.nan
    columns = rule.numbers(frame)
    X, label = rule.used(columns, "a/b"), rule.label(frame, columns, "a/b")
    assert ((X[:, 0] > 0) == (label == "up")).all()


def test_some_rows_of_every_class_have_a_label(script):
    y = np.repeat(["a", "b", "c"], [100, 30, 5])
    rows = script.labelled_rows(y, 0.1, 0)
    assert np.unique(y[rows], return_counts=True)[1].tolist() == [10, 3, 2]
    assert len(script.labelled_rows(y, 1.0, 0)) == 135
    assert (script.labelled_rows(y, 0.1, 0) == rows).all()


def test_the_summary_is_of_tables_that_all_have(script):
    def line(item, contestant, forest, error=np.nan):
        return {
            "package": "p", "item": item, "bottleneck": 2, "labelled": 1.0, "forest": forest,
            "contestant": contestant, "logistic": forest, "error": error,
        }  # fmt: skip

    results = pd.DataFrame(
        [
            line("one", "pca", 0.6, 1.0), line("one", "cv", 0.8, 0.5),
            line("two", "pca", 0.7, 2.0), line("two", "cv", 0.6, 4.0), line("three", "pca", 0.1),
        ]
    )  # fmt: skip
    found = script.summary(results)
    assert "0.700" in found, "cv's mean over two tables"
    assert "-0.100" in found, "its worst beside PCA"
    assert "1.000" in found, "its errors over PCA's, 0.5 and 2"
    assert "0.650" in found, "PCA without the third"
