import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from narrows.data import CLASSIFICATION, REGRESSION, _partition, labels_of
from narrows.data._labels import label_kind

KINDS = [
    (["setosa", "virginica"], "classification"),
    (pd.Categorical([1.5, 2.5, 1.5]), "classification"),
    (np.array([True, False]), "classification"),
    (pd.to_datetime(["2020-01-01", "2020-01-02"]), "classification"),
    ([0.0, 1.0, 1.0, 0.0], "regression"),
    (np.linspace(0, 1, 9, dtype=np.float32), "regression"),
    (np.repeat(np.arange(20), 2), "classification"),
    (np.repeat(np.arange(21), 2), "regression"),
    ([1, 2, 3], "regression"),
    (pd.array([1, 2, 1, 2], dtype="Int64"), "classification"),
    (pd.Series([1, 2, 1, 2], dtype=object), "classification"),
    (pl.Series(["a", "b"]), "classification"),
    (pa.chunked_array([[0.5, 1.5]]), "regression"),
]


def check_labels(y, n_rows, caller):
    labels = labels_of(y, n_rows, caller, CLASSIFICATION)
    return labels.values, labels.classes


def check_numbers(y, n_rows, caller):
    return labels_of(y, n_rows, caller, REGRESSION).values


def test_labels_are_looked_at_once():
    labels = labels_of(["a", "b", "a"], 3, "f")
    assert labels_of(labels, 3, "f") is labels
    assert (labels.task, len(labels), labels.classes) == (CLASSIFICATION, 3, ("a", "b"))
    with pytest.raises(ValueError, match=r"'task' parameter of f must be .*Got 'classes'"):
        labels_of(["a", "b", "a"], 3, "f", "classes")


@pytest.mark.parametrize(("y", "kind"), KINDS)
def test_kind_follows_the_rule_of_partition(y, kind):
    assert label_kind(y) == kind
    assert _partition._is_numeric(_partition._as_labels(y)) == (kind == "regression")


def test_classes_are_coded_in_their_order():
    codes, names = check_labels(["b", "a", "b"], 3, "f")
    assert (codes.tolist(), names) == ([1, 0, 1], ("a", "b"))
    sizes = pd.Categorical(["s", "l", "s"], categories=["s", "m", "l"])
    codes, names = check_labels(pd.Series(sizes, index=[7, 8, 9]), 3, "f")
    assert (codes.tolist(), names) == ([0, 1, 0], ("s", "l"))
    assert check_labels(pl.Series([10, 9]), 2, "f")[1] == ("9", "10")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", None, "b", None], "'y' .* of f must have a label in every row. Got 2 .* row 1 "),
        (np.array(["a", np.nan, "b", "c"], dtype=object), "Got 1 missing, the first in row 1 "),
        (["a", "b", "a", float("nan")], "Got 1 missing, the first in row 3 "),
        (["a", "b"], "a label for each of 4 rows. Got 2 labels"),
        (["a"] * 4, "at least two classes. Got 1, 'a' in all 4 rows"),
        (np.zeros((4, 1)), r"one-dimensional.* Got shape \(4, 1\) instead. Use y.ravel"),
        (pd.DataFrame({"y": list("abab")}), r"Got shape \(4, 1\)"),
    ],
)
def test_bad_classes_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_labels(y, 4, "f")


@pytest.mark.parametrize(
    "y",
    [
        [1, 2, 4],
        np.array([1, 2, 4], dtype=np.float32),
        pd.Series([1, 2, 4], dtype="Int64", index=[3, 1, 2]),
        pd.Series([1, 2, 4], dtype=object),
        pl.Series([1.0, 2.0, 4.0]),
    ],
)
def test_numbers_come_back_as_floats(y):
    found = check_numbers(y, 3, "f")
    assert found.dtype == np.float64
    assert found.tolist() == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan, 2.0], "label in every row. Got 1 missing, the first in row 1 "),
        ([1.0, 2.0, -np.inf], "must have finite numbers. Got 1 infinite, the first in row 2 "),
        (["1", "2", "3"], "'y' .* of f must have numbers to predict. Got '1' in row 0 "),
        ([1j, 2j, 3j], "must have numbers to predict"),
        ([2.5, 2.5, 2.5], "different numbers to predict. Got 2.5 in all 3 rows"),
        ([1.0, 2.0], "a label for each of 3 rows"),
    ],
)
def test_bad_numbers_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_numbers(y, 3, "f")
