"""The table object at the door: what it holds of arrays, and of tables of any kind."""

import numpy as np
import pandas as pd
import pytest

from narrows.data import table_of

NUMBERS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4, 5, 6]})


def test_numbers_are_a_matrix():
    table = table_of(NUMBERS, "f")
    assert not table.mixed
    assert table.shape == (3, 2)
    assert len(table) == 3
    assert table.names == ("a", "b")
    assert table.named
    np.testing.assert_array_equal(table.rows(np.array([2, 0])), [[3, 6], [1, 4]])
    assert table.native is table.matrix
    assert table.matrix.dtype == np.float64


def test_columns_without_names_are_numbered():
    table = table_of(NUMBERS.to_numpy(), "f")
    assert table.names == ("x0", "x1")
    assert not table.named


@pytest.mark.parametrize("container", ["pandas", "polars", "arrow"])
@pytest.mark.parametrize("odd", [["u", "v", "w"], [1.5, None, 2.5]])
def test_text_and_gaps_make_a_mixed_table(container, odd):
    frame = NUMBERS.assign(c=odd)
    if container == "polars":
        frame = pytest.importorskip("polars").from_pandas(frame)
    elif container == "arrow":
        frame = pytest.importorskip("pyarrow").Table.from_pandas(frame)
    table = table_of(frame, "f")
    assert table.mixed
    assert table.matrix is None
    assert table.shape == (3, 3)
    assert type(table.rows(np.array([0, 2]))) is type(frame)
    assert len(table.rows(np.arange(2))) == 2
    assert [column.name for column in table.columns("f")] == ["a", "b", "c"]


def test_a_table_object_is_taken_as_it_is():
    table = table_of(NUMBERS, "f")
    assert table_of(table, "g") is table
