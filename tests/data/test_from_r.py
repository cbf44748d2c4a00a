"""R's missing integers arrive as -2^31, and NA of a text vector as "NA": gaps, as in R."""

import sys
import types

import numpy as np
import pandas as pd
import polars as pl
import pytest

import narrows
from narrows.comparison import label_kind
from narrows.data import TablePreprocessor, to_matrix

NA = -(2**31)
WHOLE = np.array([3, NA, 5, 9], "int32")
TABLE = pd.DataFrame({"age": WHOLE, "x": [0.5, 1.5, 2.5, 4.5]})


@pytest.fixture
def in_r(monkeypatch):
    """Reticulate's own module is there."""
    monkeypatch.setitem(sys.modules, "rpytools", types.ModuleType("rpytools"))


@pytest.mark.parametrize("table", [TABLE, pl.from_pandas(TABLE)], ids=["pandas", "polars"])
def test_missing_integers_are_gaps(table):
    expected = TABLE.assign(age=pd.array([3, None, 5, 9], "Int32"))
    preprocessor = TablePreprocessor().fit(table)
    encoded = preprocessor.transform(table)
    np.testing.assert_array_equal(encoded, TablePreprocessor().fit_transform(expected))
    assert list(preprocessor.get_feature_names_out()) == ["age", "age_missing", "x"]
    pd.testing.assert_frame_equal(preprocessor.inverse_transform(encoded), expected)


@pytest.mark.parametrize("rows", [TABLE, TABLE[["age"]], TABLE[["age"]].to_numpy()])
def test_embedders_refuse_them_as_nan(rows):
    with pytest.raises(ValueError, match=r"PCA needs finite numbers. Got 1 NaN instead, .* row 1"):
        narrows.PCA(1).fit(rows)


def test_other_types_hold_that_number():
    for dtype in ("int64", "float64"):
        values = to_matrix(pd.DataFrame({"a": WHOLE.astype(dtype)}), owner="me", dtype="float64")
        assert values.values[1, 0] == NA
    assert to_matrix(WHOLE.astype("int64")[:, None], owner="me").values[1, 0] == NA


LABELS = np.array([1, 2, NA] * 10, "int32")


@pytest.mark.parametrize("labels", [LABELS, pd.Series(LABELS)], ids=["array", "series"])
def test_missing_labels_and_groups_are_refused(labels):
    X = np.random.default_rng(0).normal(size=(30, 3))
    arms, y = {"pca": narrows.PCA(2)}, np.repeat(list("ab"), 15)
    assert label_kind(labels) == "classification"
    with pytest.raises(ValueError, match=r"a label in every row. Got 10 missing, the first in row"):
        narrows.compare(arms, X, labels)
    with pytest.raises(ValueError, match=r"must be without gaps. Got 10, the first in row 2"):
        narrows.compare(arms, X, y, groups=labels)
    with pytest.raises(ValueError, match=r"Got 10 missing or infinite, the first in row 2"):
        narrows.partition(labels)


def test_a_comparison_fills_them_in():
    whole = np.tile(WHOLE, 10)
    X = pd.DataFrame({"a": whole, "b": np.random.default_rng(0).integers(0, 9, 40)})
    gaps = X.assign(a=X["a"].astype("Int32").mask(whole == NA))
    y = np.repeat(list("ab"), 20)
    settings = {"resampling": "2x1", "controls": (), "probes": "neighbours", "random_state": 0}
    found, expected = (
        narrows.compare({"pca": narrows.PCA(2)}, rows, y, **settings).summary()
        for rows in (X, gaps)
    )
    pd.testing.assert_frame_equal(found, expected)


def test_vectors_of_r_are_lists(in_r):
    """Outside a data frame there are no 32 bits, and no None."""
    X = np.random.default_rng(0).normal(size=(30, 3))
    for labels in (["a", "b", "NA"] * 10, [1, 2, NA] * 10, np.array(["a", "b", "NA"] * 10)):
        with pytest.raises(ValueError, match="Got 10 missing, the first in row 2"):
            narrows.compare({"pca": narrows.PCA(2)}, X, labels)
    with pytest.raises(ValueError, match="Got 10 missing or infinite, the first in row 2"):
        narrows.partition(["a", "b", "NA"] * 10)


def test_na_is_a_class_where_r_is_not():
    assert len(narrows.partition(["a", "b", "NA"] * 10)[0]) == 24
