"""`TablePreprocessor` as a graph: to the bit what it does itself, there and back."""

import datetime
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.data import TablePreprocessor
from support.onnx_files import as_sent, decoded, encoded

COUNT = 40
NEW = "only here"


def moments(unit, start="1960-01-01", step="17h"):
    return pd.Series(pd.date_range(start, periods=COUNT, freq=step).astype(f"datetime64[{unit}]"))


def with_gaps(values, every=5):
    series = pd.Series(values)
    return series.mask(np.arange(len(series)) % every == 1)


rng = np.random.default_rng(0)
COLUMNS = {
    "numbers": pd.Series(rng.normal(1e6, 1e-3, COUNT)),
    "numbers with gaps": with_gaps(rng.normal(size=COUNT)),
    "float32": pd.Series(rng.normal(size=COUNT).astype("float32")),
    "float16": pd.Series(rng.normal(size=COUNT).astype("float16")),
    "whole": pd.Series(np.arange(COUNT) - 9),
    "int8": pd.Series((np.arange(COUNT) % 100).astype("int8")),
    "uint64": pd.Series(np.arange(COUNT).astype("uint64") * 3),
    "nullable": with_gaps(np.arange(COUNT)).astype("Int64"),
    "nullable float": with_gaps(rng.normal(size=COUNT).astype("float32")).astype("Float32"),
    "constant": pd.Series(np.full(COUNT, 3.5)),
    "flags": pd.Series(np.arange(COUNT) % 3 == 0),
    "flags with gaps": with_gaps(pd.Series(np.arange(COUNT) % 3 == 0).astype("boolean")),
    "text": pd.Series(np.array(["ä b", "c.d", "日本"])[np.arange(COUNT) % 3]),
    "text with gaps": with_gaps(np.array(["x", "y"], object)[np.arange(COUNT) % 2]),
    "an empty level": pd.Series(np.array(["", "y", "z"], object)[np.arange(COUNT) % 3]),
    "categorical": pd.Series(pd.Categorical(np.array(list("abc"))[np.arange(COUNT) % 3],
                                            categories=["c", "b", "a", "unused"], ordered=True)),
    "whole levels": pd.Series(pd.Categorical(np.arange(COUNT) % 4)),
    "whole levels with gaps": with_gaps(pd.Categorical(np.arange(COUNT) % 4)),
    "float levels": pd.Series(pd.Categorical(np.array([0.5, 1.5])[np.arange(COUNT) % 2])),
    "flag levels": pd.Series(pd.Categorical(np.arange(COUNT) % 2 == 0)),
    "dates": pd.Series(pd.date_range("1960-03-01", periods=COUNT)),
    "moments, ns": moments("ns", step="17h13min1s"),
    "moments, us": moments("us", "1902-01-01", "1000000007us"),
    "moments, s": moments("s"),
    "all dates": pd.Series(np.linspace(-719162, 2932896, COUNT).astype("i8").view("M8[D]")
                           .astype("M8[s]")),
    "all seconds": pd.Series(np.linspace(-62135596800, 253402300799, COUNT).astype("i8")
                             .view("M8[s]")),
    "moments with gaps": with_gaps(moments("us")),
    "with a zone": moments("ns").dt.tz_localize("Europe/Rome", ambiguous=True),
    "dates of Python": pd.Series([datetime.date(2020, 1, 1 + k % 28) for k in range(COUNT)],
                                 dtype=object),
}  # fmt: skip


def fitted(table, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constants and pooled levels
        return TablePreprocessor(**parameters).fit(table)


def compare_decoded(preprocessor, block):
    """Compare the columns with `inverse_transform`, all of them to the bit."""
    got = decoded(preprocessor, block)
    wanted = as_sent(preprocessor, preprocessor.inverse_transform(block))
    for name, values in wanted.items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)
        assert got[name].dtype == values.dtype


@pytest.mark.parametrize("name", COLUMNS)
def test_one_column_there_and_back(name):
    table = pd.DataFrame({name: COLUMNS[name]})
    preprocessor = fitted(table)
    block = preprocessor.transform(table)
    np.testing.assert_array_equal(encoded(preprocessor, table), block)
    compare_decoded(preprocessor, block)
    noise = np.random.default_rng(1).normal(size=block.shape)
    compare_decoded(preprocessor, block + noise)
    compare_decoded(preprocessor, 1e9 * noise)
    compare_decoded(preprocessor, 0 * block)


@pytest.mark.parametrize("scale", ["none", "standardize", "range", "robust"])
@pytest.mark.parametrize("indicator", [True, False])
def test_all_columns_side_by_side(scale, indicator):
    table = pd.DataFrame(COLUMNS)
    preprocessor = fitted(table, scale=scale, missing_indicator=indicator)
    block = preprocessor.transform(table)
    np.testing.assert_array_equal(encoded(preprocessor, table), block)
    compare_decoded(preprocessor, block + rng.normal(size=block.shape))


def test_numbers_alone_are_one_array():
    table = pd.DataFrame({name: COLUMNS[name] for name in list(COLUMNS)[:10]})
    preprocessor = fitted(table)
    np.testing.assert_array_equal(encoded(preprocessor, table), preprocessor.transform(table))


@pytest.mark.parametrize("name", ["text", "text with gaps", "categorical", "an empty level"])
def test_levels_that_are_new_and_values_that_are_missing(name):
    preprocessor = fitted(pd.DataFrame({name: COLUMNS[name]}))
    values = pd.Series([NEW, None, COLUMNS[name].dropna()[0]], dtype=object)
    table = pd.DataFrame({name: values})
    np.testing.assert_array_equal(encoded(preprocessor, table), preprocessor.transform(table))


@pytest.mark.parametrize("gaps", [True, False])
@pytest.mark.parametrize(
    ("levels", "gap"),
    [(["", "x"], "(missing)"), (["", "(missing)", "((missing))"], "(((missing)))")],
)
def test_the_empty_text_as_a_value(levels, gap, gaps):
    """A gap is another text then, and both come back."""
    values = np.array([*levels, None], object)[np.arange(COUNT) % (len(levels) + 1)]
    table = pd.DataFrame({"c": pd.Series(values, dtype=object), "x": np.resize([0.5, 2.0], COUNT)})
    preprocessor = fitted(table if gaps else table.dropna())
    sent = as_sent(preprocessor, table)["c"]
    assert sent[: len(levels) + 1].tolist() == [*levels, gap]
    block = preprocessor.transform(table)
    np.testing.assert_array_equal(encoded(preprocessor, table), block)
    np.testing.assert_array_equal(decoded(preprocessor, block)["c"], sent)


@pytest.mark.parametrize("name", ["whole levels", "whole levels with gaps", "float levels"])
def test_numbers_that_are_new_levels(name):
    preprocessor = fitted(pd.DataFrame({name: COLUMNS[name]}))
    table = pd.DataFrame({name: [7.25, np.nan, 1.5, 1.0]})
    np.testing.assert_array_equal(encoded(preprocessor, table), preprocessor.transform(table))


def test_gaps_where_none_were_in_fit():
    names = ["numbers", "whole", "flags", "dates", "constant"]
    preprocessor = fitted(pd.DataFrame({name: COLUMNS[name] for name in names}))
    table = pd.DataFrame({name: COLUMNS[name].astype(object) for name in names})
    table.iloc[::2] = None
    table = table.astype(
        {"numbers": float, "whole": "Int64", "flags": "boolean", "constant": float}
    ).assign(dates=pd.to_datetime(table["dates"]))
    np.testing.assert_array_equal(encoded(preprocessor, table), preprocessor.transform(table))


@pytest.mark.parametrize("levels", [list("abcdefgh"), list(range(8))])
def test_pooled_levels(levels):
    places = np.minimum(np.random.default_rng(2).geometric(0.4, 200) - 1, 7)
    table = pd.DataFrame({"c": pd.Categorical(np.array(levels)[places])})
    preprocessor = fitted(table, max_levels=4)
    (encoding,) = preprocessor.encodings_
    assert encoding.pooled
    block = preprocessor.transform(table)
    np.testing.assert_array_equal(encoded(preprocessor, table), block)
    got = decoded(preprocessor, block)["c"]
    pooled = np.isin(table["c"].to_numpy(), encoding.pooled)
    if isinstance(levels[0], str):
        assert set(got[pooled]) == {"(other)"}
    else:
        assert np.isnan(got[pooled]).all()  # no number stands for several
    np.testing.assert_array_equal(got[~pooled], table["c"].to_numpy()[~pooled])


@pytest.mark.parametrize("name", ["text", "whole levels", "whole levels with gaps"])
def test_refused_levels_are_nan(name):
    preprocessor = fitted(pd.DataFrame({name: COLUMNS[name]}), unseen="error")
    numeric = name != "text"
    values = [99.0, np.nan, 1.0] if numeric else [NEW, None, "c.d"]
    table = pd.DataFrame({name: pd.Series(values, dtype=float if numeric else object)})
    with pytest.raises(ValueError, match="not there in fit"):
        preprocessor.transform(table)
    got = encoded(preprocessor, table)
    assert np.isnan(got[0]).any()
    np.testing.assert_array_equal(got[1:], preprocessor.transform(table[1:]))


def test_refused_numbers_are_nan():
    names = ["numbers", "constant", "flags"]
    preprocessor = fitted(pd.DataFrame({name: COLUMNS[name] for name in names}))
    table = pd.DataFrame({"numbers": [1e6] * 4, "constant": [3.5] * 4, "flags": [0.0] * 4})
    table.loc[1, "numbers"], table.loc[2, "constant"], table.loc[3, "flags"] = np.inf, -np.inf, 2
    got = encoded(preprocessor, table)
    assert np.isfinite(got[0]).all()
    assert [int(np.flatnonzero(~np.isfinite(row))[0]) for row in got[1:]] == [0, 1, 2]


def test_large_whole_levels_are_refused():
    levels = [2**53 + 1, 2**53 + 2]
    preprocessor = fitted(pd.DataFrame({"id": pd.Categorical([*levels, *levels])}))
    with pytest.raises(ValueError, match=r"The levels of column 'id' must be .* up to 2\^53"):
        encoded(preprocessor, pd.DataFrame({"id": levels}))


def test_refused_rows_decode_to_missing_values():
    names = ["numbers", "whole", "flags", "text", "dates", "whole levels"]
    preprocessor = fitted(pd.DataFrame({name: COLUMNS[name] for name in names}))
    block = np.full((2, len(preprocessor.get_feature_names_out())), np.nan)
    got = decoded(preprocessor, block)
    assert all(np.isnan(got[name]).all() for name in ("numbers", "whole", "flags", "whole levels"))
    assert list(got["text"]) == ["", ""]
    assert (got["dates"] == np.datetime64("NaT", "us").astype("i8")).all()


def test_what_is_sent_for_a_date_is_what_numpy_makes_of_it():
    dates = with_gaps(moments("us"))
    preprocessor = fitted(pd.DataFrame({"d": dates, "t": "x"}))
    sent = as_sent(preprocessor, pd.DataFrame({"d": dates, "t": "x"}))["d"]
    np.testing.assert_array_equal(sent, dates.to_numpy("datetime64[us]").astype("int64"))


def test_a_table_of_polars_and_an_array_of_objects():
    frame = pd.DataFrame({"n": COLUMNS["numbers"], "t": COLUMNS["text"], "f": COLUMNS["flags"]})
    for table in (pl.from_pandas(frame), frame.to_numpy(object)):
        preprocessor = fitted(table)
        np.testing.assert_array_equal(encoded(preprocessor, table), preprocessor.transform(table))


def test_awkward_names():
    names = ["embedding", "block/2", "a b", "Concat", "constant", "é'\""]
    frame = pd.DataFrame(dict.fromkeys(names, COLUMNS["text"]))
    preprocessor = fitted(frame)
    np.testing.assert_array_equal(encoded(preprocessor, frame), preprocessor.transform(frame))


# onnxruntime 1.32 takes a constant below float32's range, such as a mean of 1e-68, for zero.
FLOATS = st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-30)


@given(
    values=st.lists(st.one_of(st.none(), FLOATS), min_size=3, max_size=12),
    words=st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=4)), min_size=3, max_size=12),
    scale=st.sampled_from(["none", "standardize", "range", "robust"]),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_any_numbers_and_any_text(values, words, scale):
    size = min(len(values), len(words))
    table = pd.DataFrame(
        {"n": pd.Series(values[:size], dtype=float), "t": pd.Series(words[:size], dtype=object)}
    )
    if table["n"].nunique() < 2 or table["t"].isna().all():
        return
    preprocessor = fitted(table, scale=scale)
    block = preprocessor.transform(table)
    np.testing.assert_array_equal(encoded(preprocessor, table), block)
    compare_decoded(preprocessor, block)
