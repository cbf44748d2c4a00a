"""Which rows are drawn, in which colours, with how many digits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from narrows.data._partition import thinned
from narrows.report._point_data import (
    MOST_LEVELS,
    coordinates,
    levels_for,
    row_names,
    row_values,
)


def test_few_rows_are_all_drawn():
    np.testing.assert_array_equal(thinned(np.array([0, 1] * 5), 10), np.arange(10))


def test_each_class_keeps_its_share_and_none_is_lost():
    labels = ["common"] * 90_000 + ["rare"] * 9_990 + ["once"] * 10
    codes = pd.factorize(np.array(labels))[0]
    drawn = thinned(codes, 1_000)
    counts = pd.Series(labels).iloc[drawn].value_counts()
    assert counts.to_dict() == {"common": 900, "rare": 99, "once": 1}
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, thinned(codes, 1_000))


def test_numbers_are_coloured_by_fifths():
    levels = levels_for(np.arange(100.0))
    assert len(levels.names) == 5
    assert levels.names[0] == "0 to 19.8"
    np.testing.assert_array_equal(np.bincount(levels.codes), [20] * 5)


def test_a_number_that_is_mostly_one_value_has_fewer_levels():
    levels = levels_for([0.0] * 80 + list(np.arange(1.0, 21.0)))
    assert 0 < len(levels.names) < 5
    assert levels.codes.min() == 0
    assert levels.codes.max() == len(levels.names) - 1


def test_classes_keep_their_order_and_many_are_put_together():
    assert levels_for(["b", "a"], ["b", "a"]).names == ["b", "a"]
    labels = [f"class {number}" for number in range(50) for _ in range(number + 1)]
    levels = levels_for(labels)
    assert len(levels.names) == MOST_LEVELS + 1
    assert levels.names[-1] == "others (20)"
    named = pd.Series(levels.names).iloc[levels.codes].to_numpy()
    assert set(np.array(labels)[named == "others (20)"]) == {f"class {n}" for n in range(20)}
    assert (named[-50:] == "class 49").all()


@given(arrays(float, st.integers(1, 30), elements=st.floats(-1e6, 1e6)))
@example(np.array([2.2e-313]))
def test_rounded_coordinates_are_within_a_thousandth_of_the_span(values):
    found = np.array(coordinates(values), float)
    span = np.ptp(values) or np.abs(values).max() or 1.0
    assert np.abs(found - values).max() <= span / 1_000


def test_coordinates_that_are_none():
    assert coordinates(np.array([np.nan, 1.0, np.inf])) == [None, 1.0, None]
    assert coordinates(np.array([np.nan])) == [None]


def test_names_and_values_of_rows():
    table = pd.DataFrame({"a": [1.234567, np.nan], "b": [True, None], "c": ["x", "y"]},
                         index=["first", "second"])  # fmt: skip
    assert row_names(table, 2) == ["first", "second"]
    assert row_names(table.reset_index(drop=True), 2) == row_names(None, 2) == ["0", "1"]
    drawn = np.array([0, 1])
    assert row_values(table, drawn) == [
        {"name": "a", "values": [1.2346, None]},
        {"name": "b", "values": ["True", None]},
        {"name": "c", "values": ["x", "y"]},
    ]
    assert row_values(np.eye(3), np.array([2]))[2] == {"name": "column 2", "values": [1.0]}
    assert row_values(None, drawn) == []


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_tables(library):
    module = pytest.importorskip(library)
    make = {"polars": lambda d: module.DataFrame(d), "pyarrow": lambda d: module.table(d)}[library]
    table = make({"a": [1, 2], "b": ["x", "y"]})
    assert row_values(table, np.array([1])) == [
        {"name": "a", "values": [2]}, {"name": "b", "values": ["y"]},
    ]  # fmt: skip
