import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from narrows.data import check_columns, to_matrix

NUMBERS = {"a": [1, 2, 2**60 + 1], "b": [0.1, -1e30, 1e-30], "c": [True, False, True]}


def matrix(X, **options):
    return to_matrix(X, owner="Autoencoder", **options)


def message(X, error=ValueError, **options):
    with pytest.raises(error) as caught:
        matrix(X, **options)
    return str(caught.value)


def test_the_same_bits_from_every_container(container):
    expected = np.array(list(zip(*NUMBERS.values(), strict=True)), np.float64).astype(np.float32)
    found = matrix(container(NUMBERS)).values
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert found.tobytes() == expected.tobytes()


def test_large_whole_numbers_are_rounded_alike():
    # Half a float32 step and one above 2^60: rounded at once up, by way of float64 down.
    odd = 2**60 + 2**36 + 1
    mixed = matrix(pd.DataFrame({"a": [odd], "b": [0.5]})).values[0, 0]
    assert matrix(np.array([[odd]])).values[0, 0] == mixed
    assert matrix(pd.DataFrame({"a": [odd]})).values[0, 0] == mixed


def test_tables_have_names_and_arrays_none(table):
    assert matrix(table(NUMBERS)).names == ("a", "b", "c")
    assert matrix(np.eye(2)).names is None
    assert matrix(pd.DataFrame(np.eye(2))).names is None


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "uint64", "int64", "bool", "longdouble"]
)
def test_every_numeric_dtype(dtype):
    assert matrix(np.array([[0, 1], [1, 1]], dtype=dtype)).values.tolist() == [[0, 1], [1, 1]]


def test_jax_half_precision():
    jnp = pytest.importorskip("jax.numpy")
    assert matrix(jnp.ones((2, 1), "bfloat16")).values.tolist() == [[1], [1]]


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, 2], "Int64"),
        pd.array([1.0, 2.0], "Float32"),
        pd.arrays.SparseArray([1.0, 2.0]),
        pd.Series([1, 2.0], dtype=object),
        pd.Series([decimal.Decimal(1), decimal.Decimal(2)]),
    ],
    ids=str,
)
def test_pandas_columns_of_other_dtypes(column):
    frame = pd.DataFrame({"a": column, "b": [True, False]})
    assert matrix(frame).values.tolist() == [[1, 1], [2, 0]]


def test_float32_is_taken_as_it_is_unless_a_copy_is_wanted():
    X = np.ones((3, 2), np.float32)
    assert np.shares_memory(matrix(X).values, X)
    assert not np.shares_memory(matrix(X, copy=True).values, X)
    assert matrix(np.asfortranarray(np.eye(3, dtype=np.float32))).values.flags.c_contiguous


def test_float64_on_request():
    assert matrix([[0.1]], dtype="float64").values[0, 0] == 0.1


def test_images_on_request():
    images = np.zeros((2, 3, 4), np.uint8)
    assert matrix(images, allow_images=True).values.shape == (2, 3, 4)
    text = message(images)
    assert "Expected 2D array, got 3D array" in text
    assert "(2, 3, 4)" in text
    images = images.astype(float)
    images[1, 2, 3] = np.nan
    text = message(images, allow_images=True)
    assert "1 NaN" in text
    assert "row 1" in text
    assert "[2, 3]" in text


def test_missing_and_infinite_values_are_counted_and_placed(table):
    text = message(table({"a": [1.0, 2.0, 3.0], "b": [1.0, None, float("inf")]}))
    for part in ("1 NaN and 1 infinite", "row 1 (counted from 0)", "column 'b'"):
        assert part in text
    assert "narrows.TablePreprocessor" in text
    assert message(np.array([[np.inf]])).count("NaN") == 0


def test_missing_whole_numbers_and_booleans(table):
    assert "column 'a'" in message(table({"a": [1, None]}))
    assert "1 NaN" in message(table({"a": [None, True]}))


def test_masked_cells_are_missing():
    masked = np.ma.masked_array([[1.0, 2.0]], [[False, True]])
    assert "column 'x1'" in message(masked)
    assert matrix(np.ma.masked_array([[1.0]])).values.tolist() == [[1]]


def test_columns_without_names_go_by_the_names_given():
    assert "column 'width'" in message([[1.0, np.nan]], names=["height", "width"])


def test_text_is_named_with_its_first_value(container):
    text = message(container({"a": [1, 2], "b": [None, "<b>😀"], "c": ["1", "2"]}))
    assert "needs numbers. Got text in columns" in text
    assert "first '<b>😀' in row 1" in text or "first '1' in row 0" in text
    assert "narrows.TablePreprocessor" in text


def test_text_in_one_column_of_a_table(table):
    text = message(table({"size": [1, 2], "city": ["Rome", "Oslo"]}))
    assert "column 'city' instead, first 'Rome' in row 0" in text


def test_numbers_written_as_text_are_text():
    assert "first '1'" in message([["1"], ["2"]])
    assert "first 'b' in row 1" in message([[1, 1.0], ["b", 2.0]])
    # The value that made text of a column, not the numbers before it.
    assert "first '4O' in row 2" in message(pd.DataFrame({"age": ["75", None, "4O", "x"]}))
    assert "first '75' in row 1" in message(pd.DataFrame({"age": [None, "75", "80"]}))


def test_dates_durations_and_categories_are_no_numbers(table):
    text = message(table({"born": [datetime.date(2020, 1, 2)]}))
    assert "dates in column 'born'" in text
    assert "'2020-01-02'" in text
    assert "m8" in message(pd.DataFrame({"t": pd.to_timedelta([1], "D")})).replace(
        "timedelta64", "m8"
    )
    assert "text in column 'k'" in message(pd.DataFrame({"k": pd.Categorical(["x"])}))


def test_objects_are_no_numbers():
    text = message([[{"foo": "bar"}]], error=TypeError)
    assert "argument must be a string or a real number, not 'dict'" in text
    assert "'x0'" in text


def test_too_large_for_float32():
    text = message([[1.0, 1e300]])
    assert "3.4e+38" in text
    assert "1e+300" in text
    assert "column 'x1'" in text
    assert matrix([[1e300]], dtype="float64").values[0, 0] == 1e300
    # Finite values whose sum is infinite are no mistake.
    assert matrix(np.full((2, 1), 1.7e308), dtype="float64").values.max() == 1.7e308


def test_sparse():
    for kind in (sparse.csr_array, sparse.coo_matrix):
        text = message(kind(np.eye(2)), error=TypeError)
        assert "sparse" in text
        assert ".toarray()" in text


def test_complex():
    assert "Complex data not supported" in message([[1j]])
    assert "'z'" in message(pd.DataFrame({"z": [1j]}))


def test_no_rows_one_row_no_columns():
    assert "0 sample(s) (shape=(0, 3)) while a minimum of 1 is required" in message(np.ones((0, 3)))
    assert "0 feature(s) (shape=(3, 0)) while a minimum of 1 is required" in message(
        np.ones((3, 0))
    )
    assert "1 sample(s)" in message([[1.0]], min_rows=2)
    assert matrix([[1.0]]).values.shape == (1, 1)


def test_no_rows_of_a_table(table):
    if "batch" not in str(table({"a": [1]})).lower():
        assert "0 sample(s)" in message(table({"a": []}))


def test_repeated_names():
    text = message(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]))
    assert "'a' more than once" in text
    pa = pytest.importorskip("pyarrow")
    assert "'a' more than once" in message(pa.table([[1], [2]], names=["a", "a"]))


def test_names_of_mixed_types():
    text = message(pd.DataFrame([[1, 2]], columns=["a", 1]), error=TypeError)
    assert "only supported if all input features have string names" in text


def test_one_dimension():
    for X in ([1.0, 2.0], pd.Series([1.0]), 3.0, None):
        assert "Expected 2D array" in message(X)
        assert "Reshape your data" in message(X)
    polars = pytest.importorskip("polars")
    assert "Reshape your data" in message(polars.Series([1.0]))


def test_queries_must_be_run():
    polars = pytest.importorskip("polars")
    assert ".collect()" in message(polars.LazyFrame({"a": [1]}), error=TypeError)


def test_rows_of_different_lengths():
    assert "different lengths" in message([[1.0, 2.0], [3.0]])


@settings(max_examples=150, deadline=None)
@given(
    X=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5),
        elements={"allow_subnormal": False},
    )
)
def test_any_floats_give_finite_numbers_or_an_error(X):
    with np.errstate(over="ignore"):
        expected = X.astype(np.float32)
    if np.isfinite(expected).all() and X.size:
        assert np.array_equal(matrix(X).values, expected)
    else:
        text = message(X)
        assert any(word in text for word in ("NaN", "inf", "3.4e+38", "minimum of 1"))


def difference(expected, got):
    with pytest.raises(
        ValueError, match="should match those that were passed during fit"
    ) as caught:
        check_columns(expected, len(expected), got, len(got), "Autoencoder")
    return str(caught.value)


def test_missing_and_unexpected_columns():
    text = difference(["a", "b", "c"], ["c", "d"])
    assert "unseen at fit time:\n- d\n" in text
    assert "yet now missing:\n- a\n- b\n" in text
    assert "same order" not in text
    assert "Autoencoder was fitted on the columns 'a', 'b', 'c'" in text


def test_columns_out_of_order():
    text = difference(["a", "b", "c"], ["a", "c", "b"])
    assert "must be in the same order as they were in fit.\n" in text
    assert "- 'c' where 'b' was" in text
    assert "'a' where" not in text
    assert "missing" not in text


def test_many_columns_are_cut_short():
    text = difference([f"old{i}" for i in range(300)], [f"new{i}" for i in range(300)])
    assert "and 280 more" in text
    assert len(text.splitlines()) < 50


def test_names_on_one_side_only():
    with pytest.warns(
        UserWarning, match="not have valid feature names, but Autoencoder was fitted"
    ):
        check_columns(["a"], 1, None, 1, "Autoencoder")
    with pytest.warns(UserWarning, match="X has feature names, but Autoencoder was fitted without"):
        check_columns(None, 1, ["a"], 1, "Autoencoder")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_columns(["a"], 1, ["a"], 1, "Autoencoder")
        check_columns(None, 1, None, 1, "Autoencoder")


def test_another_number_of_columns():
    with pytest.raises(ValueError, match="X has 3 features, but Autoencoder is expecting 2 feat"):
        check_columns(None, 2, None, 3, "Autoencoder")
