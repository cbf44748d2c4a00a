"""Cells: numbers that line up, absent values, cut tables."""

import numpy as np
import pandas as pd
import pytest

from narrows.report import Table
from narrows.report._cells import cells, default_format


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([19606, 300], ",d"),
        ([0.9493, 0.5], ",.4f"),
        ([5.84, -7.9], ",.3f"),
        ([1234.5, 2.0], ",.0f"),
        ([0.001, 0.0005], ",.6f"),
        ([1e-9, 0.0], ".3e"),
        ([0.0, 0.0], ".1f"),
        ([np.nan, np.inf, 0.5], ",.4f"),
    ],
)
def test_default_format(values, expected):
    assert default_format(pd.Series(values)) == expected


def test_given_formats_absent_values_and_minus_signs():
    frame = pd.DataFrame({"a": [-0.12345, None], "name": ["-x", None], "flag": [True, False]})
    content = cells(Table(frame, formats={"a": ".2f"}))
    assert content.rows == [["−0.12", "-x", "True"], ["–", "–", "False"]]
    assert content.numeric == [True, False, False]


def test_index_and_column_pairs():
    frame = pd.DataFrame([[1]], index=pd.Index(["pca"], name="arm"))
    frame.columns = pd.MultiIndex.from_tuples([("accuracy", "mean")])
    assert cells(Table(frame)).header == ["accuracy / mean"]
    plain = pd.DataFrame({"n": [1]}, index=pd.Index(["pca"], name="arm"))
    assert cells(Table(plain, index=True)).rows == [["pca", "1"]]


def test_long_tables_are_cut_and_say_so():
    content = cells(Table(pd.DataFrame({"n": range(12)}), max_rows=5))
    assert len(content.rows) == 5
    assert content.left_out == 7


def test_no_rows():
    content = cells(Table(pd.DataFrame({"a": []})))
    assert content.rows == []
    assert content.header == ["a"]
