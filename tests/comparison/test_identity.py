"""What was compared is recognised again, and nothing else is."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

import narrows
from narrows.comparison.results._fingerprint import estimator_text, hash_of, lasting, without_jobs
from narrows.data import table_of

CODES = np.arange(6) % 2
TABLE = pd.DataFrame(
    {
        "text": ["a", None, "c", "a", "b", "é"],
        "kind": pd.Categorical(["s", "m", None, "s", "s", "m"], categories=["s", "m", "l"]),
        "number": [1.5, np.nan, 3.0, 0.1, -2.0, 1e9],
        "whole": [1, 2, 3, 4, 5, 6],
        "flag": [True, False, True, True, False, False],
        "day": pd.to_datetime(["2020-01-01 12:30", None, *["1960-05-05 00:00"] * 4]),
        "empty": [np.nan] * 6,
    }
)


def hashed(table):
    return hash_of(table_of(table, "f"), CODES)


def test_a_mixed_table_is_the_same_in_every_container():
    arrow = pa.Table.from_pandas(TABLE, preserve_index=False)
    expected = hashed(TABLE)
    assert hashed(arrow) == expected
    assert hashed(pl.from_arrow(arrow)) == expected
    assert hashed(TABLE.convert_dtypes(dtype_backend="pyarrow")) == expected
    assert hashed(TABLE.set_axis(list("uvwxyz"))) == expected  # the index is no column


@pytest.mark.parametrize(
    "change",
    [
        {"text": ["a", "None", "c", "a", "b", "é"]},
        {"number": [1.5, 0.0, 3.0, 0.1, -2.0, 1e9]},
        {"whole": [1, 2, 3, 4, 6, 5]},
        {"flag": [1, 0, 1, 1, 0, 0]},
        {"day": TABLE["day"] + pd.Timedelta("1s")},
        {"empty": [0.0, *[np.nan] * 5]},
    ],
)
def test_other_values_are_another_table(change):
    assert hashed(TABLE.assign(**change)) != hashed(TABLE)


def test_names_and_labels_count():
    assert hashed(TABLE.rename(columns={"text": "t"})) != hashed(TABLE)
    table = table_of(TABLE, "f")
    assert hash_of(table, CODES) != hash_of(table, 1 - CODES)


def test_numbers_keep_the_hash_that_files_have():
    expected = "93a18dae6b7932850080ac328165684fab23aa982d2753b6e2c1e25436fec489"
    assert hash_of(table_of(np.arange(12.0).reshape(6, 2), "f"), CODES.astype("i8")) == expected


def test_columns_that_cannot_be_read_are_hashed_as_text():
    odd = pd.DataFrame({"z": np.array([1j, 2.0]), "t": ["a", "b"]})
    one, other = (hash_of(table_of(t, "f"), CODES) for t in (odd, odd.assign(z=[1j, 3.0])))
    assert one != other


def test_a_long_pipeline_is_written_whole():
    def steps(last):
        return make_pipeline(
            *[MinMaxScaler((0, last if i == 12 else 1), clip=True) for i in range(25)]
        )

    one, other = estimator_text(steps(1)), estimator_text(steps(99))
    assert one != other
    assert "..." not in one
    assert "\n" not in one
    assert estimator_text(narrows.PCA(3)) == "PCA(n_components=3)"


def test_an_estimator_may_write_itself():
    class Own(MinMaxScaler):
        def __repr__(self):
            return "my\n own"

    assert estimator_text(Own()) == "my own"


def test_what_lasts_is_without_addresses_and_numbers_of_models():
    one, other = (FunctionTransformer(lambda rows: rows) for _ in range(2))
    assert estimator_text(one) != estimator_text(other)
    assert lasting(estimator_text(one)) == lasting(estimator_text(other))
    assert lasting("<Functional name=my_net_12, built=True>") == lasting(
        "<Functional name=my_net, built=True>"
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Forest(n_jobs=1)", "Forest()"),
        ("F(a=1, n_jobs=-1)", "F(a=1)"),
        ("F(n_jobs=None, z=2)", "F(z=2)"),
        ("F(a=1, n_jobs=2, z=2)", "F(a=1, z=2)"),
        ("F(my_n_jobs=2)", "F(my_n_jobs=2)"),
    ],
)
def test_workers_are_no_part_of_a_probe(text, plain):
    assert without_jobs(text) == plain
