import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_set_output_transform_pandas,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    parametrize_with_checks,
)

from narrows.data import TablePreprocessor

SCALES = ["none", "standardize", "range", "robust"]


@parametrize_with_checks([TablePreprocessor(), TablePreprocessor(scale="robust")])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
        check_set_output_transform_pandas,
    ],
)
@pytest.mark.filterwarnings("ignore:X .*feature names:UserWarning")
def test_checks_that_only_scikit_learns_own_estimators_meet(check):
    check("TablePreprocessor", TablePreprocessor())


def through(preprocessor, X):
    return preprocessor.inverse_transform(preprocessor.fit(X).transform(X))


def restored(preprocessor):
    """The same after a way through JSON."""
    return TablePreprocessor.from_config(json.loads(json.dumps(preprocessor.to_config())))


@pytest.mark.parametrize("scale", SCALES)
def test_a_mixed_table_comes_back(table, mixed, scale):
    X = table(mixed)
    back = through(TablePreprocessor(scale=scale), X)
    assert list(back.columns) == list(mixed)
    for name, values in mixed.items():
        expected, found = pd.Series(values), back[name]
        assert found.isna().tolist() == expected.isna().tolist(), name
        if name == "weight":
            assert np.allclose(found.dropna(), expected.dropna(), rtol=1e-12)
        elif name in {"born", "seen"}:
            assert found.dropna().tolist() == pd.to_datetime(expected.dropna()).tolist()
        else:
            assert found.dropna().tolist() == expected.dropna().tolist(), name
    kinds = [dtype.kind for dtype in back.dtypes]
    assert kinds[0] == "i"
    assert kinds[3:5] == ["b", "b"]
    assert kinds[6:] == ["M", "M"]


def test_the_same_bits_from_every_table(table, mixed):
    expected = TablePreprocessor().fit_transform(pd.DataFrame(mixed))
    preprocessor = TablePreprocessor()
    found = preprocessor.fit_transform(table(mixed))
    assert found.tobytes() == expected.tobytes()
    # Fitted on one, used on another.
    assert preprocessor.transform(pd.DataFrame(mixed)).tobytes() == expected.tobytes()


def test_the_same_bits_from_an_array_of_objects(mixed):
    rows = np.array(list(zip(*mixed.values(), strict=True)), dtype=object)
    expected = TablePreprocessor().fit_transform(pd.DataFrame(mixed))
    assert TablePreprocessor().fit_transform(rows).tobytes() == expected.tobytes()
    assert TablePreprocessor().fit_transform(rows.tolist()).tobytes() == expected.tobytes()


def test_dates_are_the_same_bits_in_every_unit():
    ticks = np.random.default_rng(0).integers(-(2**50), 2**50, 500)
    moments = pd.Series(ticks.view("M8[us]"))
    encoded = {
        unit: TablePreprocessor("none").fit_transform(moments.dt.as_unit(unit).to_frame("t"))
        for unit in ("us", "ns")
    }
    assert encoded["us"].tobytes() == encoded["ns"].tobytes()


ENDS = dict.fromkeys(["s", "ms", "us"], ("0001-01-01", "9999-12-31"))
ENDS["ns"] = ("1677-09-22", "2262-04-11")


@pytest.mark.parametrize("unit", ENDS)
@pytest.mark.parametrize("whole", [86_400_000, 1000, 1])  # days, seconds and milliseconds
@pytest.mark.parametrize("zone", [None, "America/New_York", "Europe/Rome", "Asia/Tokyo"])
def test_dates_between_the_first_and_the_last_come_back(unit, whole, zone):
    if unit == "s" and whole < 1000:
        return
    low, high = (int(np.datetime64(day, "ms").astype("i8")) // whole for day in ENDS[unit])
    some = np.random.default_rng(0).integers(low, high, 50, endpoint=True)
    ticks = np.concatenate([[low, high], some]) * whole
    moments = pd.Series(ticks.view("M8[ms]").astype(f"M8[{unit}]"))
    if zone is not None:
        moments = moments.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    table = moments.to_frame("t")
    preprocessor = TablePreprocessor().fit(table)
    back = preprocessor.inverse_transform(preprocessor.transform(table))["t"]
    pd.testing.assert_series_equal(back, table["t"])


@pytest.mark.parametrize("zone", [None, "America/New_York", "Europe/Rome", "Asia/Tokyo"])
@pytest.mark.parametrize("unit", ENDS)
def test_dates_beyond_the_ends_stop_at_them(unit, zone):
    moments = pd.Series(pd.to_datetime(["2020-01-01 10:30", "2021-05-05 00:00"])).dt.as_unit(unit)
    table = moments.dt.tz_localize(zone).to_frame("t")
    preprocessor = TablePreprocessor().fit(table)
    back = preprocessor.inverse_transform(np.array([[-1e12], [1e12]]))["t"]
    assert back.dtype == table["t"].dtype
    ends = (1677, 2262) if unit == "ns" else (1, 9999)
    assert (back.iloc[0].year, back.iloc[1].year) == ends  # on the clocks of the zone


@pytest.mark.parametrize(
    "values",
    [
        [1e-200, 2e-200, 4e-200],
        [1e200, -2e200, 3e200],
        [1e9, 1e9 + 1e-6, 1e9 + 3e-6],
    ],
)
def test_spreads_that_scikit_learns_scaler_does_not_see(values):
    X = np.array(values * 200)[:, None]
    z = TablePreprocessor().fit_transform(X)
    assert z.std() == pytest.approx(1, rel=1e-6)
    assert abs(z.mean()) < 0.1
    assert len(np.unique(z)) == 3


def test_types_come_back_as_they_were():
    frame = pd.DataFrame(
        {
            "u8": pd.array([1, 255, 7], "uint8"),
            "i64": pd.array([2**40, -5, 0], "int64"),
            "Int32": pd.array([1, None, 3], "Int32"),
            "f32": pd.array([0.5, 0.25, -1], "float32"),
            "Float64": pd.array([0.5, None, -1], "Float64"),
            "bool": [True, False, True],
            "boolean": pd.array([True, None, False], "boolean"),
            "object": pd.Series(["a", None, "b"], dtype=object),
            "string": pd.array(["a", None, "b"], "string"),
            "category": pd.Categorical(["lo", None, "hi"], ["lo", "mid", "hi"], ordered=True),
            "number levels": pd.Categorical([3, 1, 3], [3, 2, 1]),
            "ns": pd.to_datetime(["2020-01-01 10:00", None, "1950-07-01 03:30"]).as_unit("ns"),
            "zone": pd.to_datetime(["2020-01-01", "2020-07-01", None]).tz_localize("Asia/Tokyo"),
        }
    )
    back = through(TablePreprocessor(), frame)
    pd.testing.assert_frame_equal(back, frame)


def test_penguins_come_back(penguins):
    back = through(TablePreprocessor(), penguins)
    pd.testing.assert_frame_equal(back, penguins, check_categorical=True)
    assert list(back["species"].cat.categories)[-1] == "Emperor"


def test_names_of_the_encoded_columns(penguins):
    names = list(TablePreprocessor().fit(penguins).get_feature_names_out())
    assert names[:3] == ["species_Adelie", "species_Chinstrap", "species_Gentoo"]
    assert names[6:10] == [
        "bill_length_mm", "bill_length_mm_missing", "body_mass_g", "body_mass_g_missing",
    ]  # fmt: skip
    assert names[10:] == ["sex_Female", "sex_Male", "sex_missing", "year"]


def test_equal_names_are_told_apart():
    frame = pd.DataFrame({"a": ["x", "x_y"], "a_x": ["y", "z"], "a_x_y": [1, 2]})
    names = list(TablePreprocessor().fit(frame).get_feature_names_out())
    assert names == ["a_x", "a_x_y", "a_x_y_2", "a_x_z", "a_x_y_3"]


@pytest.mark.parametrize(
    ("scale", "scaler"),
    [
        ("none", "passthrough"),
        ("standardize", StandardScaler()),
        ("range", MinMaxScaler()),
        ("robust", RobustScaler()),
    ],
)
def test_agrees_with_scikit_learns_column_transformer(penguins, scale, scaler):
    numbers = ["bill_length_mm", "body_mass_g"]
    steps = make_pipeline(SimpleImputer(strategy="median"), scaler)
    pieces = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["species", "island"]),
        (steps, numbers),
    )
    expected = pieces.fit_transform(penguins.astype({"species": str}))
    X = penguins[["species", "island", *numbers]]
    found = TablePreprocessor(scale=scale, missing_indicator=False).fit_transform(X)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_indicators_say_where_values_are_missing():
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": pd.array([None, True, True], "boolean")})
    assert TablePreprocessor("none").fit_transform(frame).tolist() == [
        [1, 0, 1, 1],
        [2, 1, 1, 0],
        [3, 0, 1, 0],
    ]
    without = TablePreprocessor("none", missing_indicator=False)
    assert without.fit_transform(frame).tolist() == [[1, 1], [2, 1], [3, 1]]
    assert without.inverse_transform([[2.0, 1.0]]).notna().all(axis=None)


def test_a_reconstruction_reads_like_the_table(mixed):
    """Numbers as a network makes them: near, never equal, beyond every range."""
    preprocessor = TablePreprocessor().fit(pd.DataFrame(mixed))
    z = preprocessor.transform(pd.DataFrame(mixed))
    back = preprocessor.inverse_transform(z + np.random.default_rng(0).normal(0, 1e-6, z.shape))
    assert back["count"].tolist() == mixed["count"]
    assert back["note"].isna().tolist() == [False, False, True, False, False, False]
    assert back["note"].dropna().tolist() == [note for note in mixed["note"] if note is not None]
    assert back["member"].tolist() == mixed["member"]
    assert (back["born"].dropna() == back["born"].dropna().dt.normalize()).all()
    wild = preprocessor.inverse_transform(np.full_like(z, 1e12))
    assert wild["born"].isna().all()  # its indicator says so
    wild = preprocessor.inverse_transform(np.where(np.arange(z.shape[1]) % 2, -1e12, 1e12)[None])
    assert len(wild) == 1


def test_values_beyond_a_type_end_at_its_limits():
    frame = pd.DataFrame(
        {
            "u8": np.array([0, 255], "uint8"),
            "i64": np.array([-(2**60), 2**60]),
            "ns": pd.to_datetime(["2020-01-01", "2020-01-03"]).as_unit("ns"),
            "us": pd.to_datetime(["2020-01-01", "2020-01-03"]).as_unit("us"),
        }
    )
    with pytest.warns(UserWarning, match="rounds whole numbers beyond 2.53 such as those of 'i64'"):
        preprocessor = TablePreprocessor().fit(frame)
    back = preprocessor.inverse_transform(np.array([[-1e9] * 4, [1e9] * 4]))
    assert back["u8"].tolist() == [0, 255]
    assert back["i64"].tolist() == [-(2**63), 2**63 - 1024]
    assert back["ns"].dt.year.tolist() == [1677, 2262]
    assert back["us"].dt.year.tolist() == [1, 9999]
    assert back.dtypes.tolist() == frame.dtypes.tolist()


def test_index_and_output_containers(penguins):
    odd = penguins.set_index(np.arange(len(penguins)) * 3)
    preprocessor = TablePreprocessor().set_output(transform="pandas")
    z = preprocessor.fit_transform(odd)
    assert list(z.index) == list(odd.index)
    pd.testing.assert_frame_equal(preprocessor.inverse_transform(z), odd)
    polars = pytest.importorskip("polars")
    z = preprocessor.set_output(transform="polars").fit_transform(odd)
    assert isinstance(z, polars.DataFrame)
    assert z.columns == list(preprocessor.get_feature_names_out())


def test_unseen_levels():
    fit, new = pd.DataFrame({"city": ["Rome", "Oslo"]}), pd.DataFrame({"city": ["Oslo", "Pärnu"]})
    preprocessor = TablePreprocessor().fit(fit)
    assert preprocessor.transform(new).tolist() == [[1, 0], [0, 0]]
    assert preprocessor.inverse_transform([[0.0, 0.0]])["city"].isna().all()
    with pytest.warns(UserWarning, match=r"'city' has 1 level .* first 'Pärnu' in row 1"):
        TablePreprocessor(unseen="warn").fit(fit).transform(new)
    with pytest.raises(ValueError, match="first 'Pärnu' in row 1") as caught:
        TablePreprocessor(unseen="error").fit(fit).transform(new)
    assert "unseen='ignore'" in str(caught.value)


def test_missing_where_none_was_missing_in_fit():
    preprocessor = TablePreprocessor("none", unseen="error")
    preprocessor.fit(pd.DataFrame({"a": [1.0, 3.0], "b": ["x", "y"], "c": [True, True]}))
    new = pd.DataFrame({"a": [np.nan], "b": [None], "c": [None]})
    assert preprocessor.transform(new).tolist() == [[2, 0, 0, 1]]


def test_many_levels_share_a_column():
    names = [f"n{i}" for i in range(9)] + ["n0", "n1"]
    frame = pd.DataFrame({"name": names})
    preprocessor = TablePreprocessor(max_levels=3)
    with pytest.warns(UserWarning, match=r"'name' has 9 levels.*max_levels=3: the 7 rarest") as w:
        z = preprocessor.fit(frame).transform(frame)
    assert w[0].filename == __file__
    assert list(preprocessor.get_feature_names_out()) == ["name_n0", "name_n1", "name_other"]
    assert z.sum(axis=0).tolist() == [2, 2, 7]
    assert preprocessor.inverse_transform(z)["name"][:3].tolist() == ["n0", "n1", "(other)"]
    assert restored(preprocessor).transform(frame).tobytes() == z.tobytes()
    assert TablePreprocessor(max_levels=None).fit_transform(frame).shape[1] == 9
    frame = frame.astype("category")
    with pytest.warns(UserWarning, match="the 7 rarest"):
        assert "(other)" in set(through(preprocessor, frame)["name"])


@pytest.mark.parametrize("scale", SCALES[1:])
def test_constant_columns_are_zero_with_one_warning(scale):
    frame = pd.DataFrame({"a": [1.0, 2.0], "flat": [0.1, 0.1], "day": pd.to_datetime(["2020"] * 2)})
    preprocessor = TablePreprocessor(scale)
    with pytest.warns(UserWarning, match="constant columns at zero.*'flat', 'day'") as caught:
        z = preprocessor.fit_transform(frame)
    assert len(caught) == 1
    assert z[:, 1:].tolist() == [[0, 0], [0, 0]]
    pd.testing.assert_frame_equal(preprocessor.inverse_transform(z), frame)
    other = preprocessor.transform(frame.assign(flat=1e30))
    assert other[:, 1].tolist() == [0, 0]


def test_constant_columns_stay_without_scaling():
    assert (
        TablePreprocessor("none").fit_transform(pd.DataFrame({"a": [7, 7]})).tolist() == [[7]] * 2
    )


def test_columns_without_values_are_named(table):
    X = table({"a": [1, 2], "nothing": [None, None]})
    with pytest.raises(ValueError, match=r"columns without any: 'nothing'\. Drop"):
        TablePreprocessor().fit(X)
    preprocessor = TablePreprocessor("none").fit(table({"a": [1, 2], "nothing": ["x", None]}))
    assert preprocessor.transform(X).tolist() == [[1, 0, 1], [2, 0, 1]]


def test_infinite_values_are_placed(table):
    X = table({"a": [1.0, 2.0], "b": [1.0, float("inf")]})
    with pytest.raises(ValueError, match=r"1 infinite \(inf\).* row 1 .*column 'b'"):
        TablePreprocessor().fit(X)
    fitted = TablePreprocessor().fit(table({"a": [1.0, 2.0], "b": [1.0, 2.0]}))
    with pytest.raises(ValueError, match="column 'b'"):
        fitted.transform(X)


def test_columns_of_mixed_kinds_are_named():
    with pytest.raises(TypeError) as caught:
        TablePreprocessor().fit(pd.DataFrame({"code": pd.Series(["A1", 7], dtype=object)}))
    for part in ("'code'", "'A1'", "7", ".astype(str)"):
        assert part in str(caught.value)
    with pytest.raises(TypeError, match=r"timedelta.*column 'wait'"):
        TablePreprocessor().fit(pd.DataFrame({"wait": pd.to_timedelta([1, 2], "s")}))


def test_nested_columns_are_named():
    polars = pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"List\(Int64\) in column 'nest'"):
        TablePreprocessor().fit(polars.DataFrame({"nest": [[1], [2, 3]]}))


@pytest.mark.parametrize(
    ("name", "values", "parts"),
    [
        ("born", ["1990-01-01"] * 6, ["dates in fit", "text", "'1990-01-01'", "to_datetime"]),
        ("count", list("abcdef"), ["numbers in fit", "'a' in row 0"]),
        ("note", [1, 2, 3, 4, 5, 6], ["text in fit", "numbers"]),
        ("count", pd.to_datetime(["2020-05-06"] * 6), ["numbers in fit", "'2020-05-06'"]),
        ("member", [0, 1, 2, 3, 4, 5], ["booleans in fit", "the number 2 in row 2"]),
    ],
)
def test_a_column_of_another_kind(mixed, name, values, parts):
    frame = pd.DataFrame(mixed)
    preprocessor = TablePreprocessor().fit(frame)
    with pytest.raises(ValueError, match=f"Column '{name}' had") as caught:
        preprocessor.transform(frame.assign(**{name: values}))
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize("name", ["note", "born", "member", "count"])
@pytest.mark.parametrize("empty", [np.nan, pd.NaT, None, "text"])
def test_a_column_without_values_is_missing_whatever_its_type(mixed, name, empty):
    frame = pd.DataFrame(mixed)
    preprocessor = TablePreprocessor(unseen="error").fit(frame)
    expected = preprocessor.transform(frame.assign(**{name: pd.Series([None] * 6, dtype=object)}))
    values = pd.Series([None] * 6, dtype="string") if empty == "text" else empty
    found = preprocessor.transform(frame.assign(**{name: values}))
    assert found.tobytes() == expected.tobytes()


def test_numbers_are_shown_as_they_are_written(mixed):
    frame = pd.DataFrame(mixed)
    preprocessor = TablePreprocessor().fit(frame)
    with pytest.raises(ValueError, match=r"first 1\.5 in row 1 "):
        preprocessor.transform(frame.assign(note=[np.nan, 1.5, 2, 3, 4, 5]))


WRITTEN = {
    "decimal commas": [f"{n},5" for n in range(20)],
    "percent": [f"{n} %" for n in range(20)],
    "thousands": [f"1.{n}00,5" for n in range(1, 10)] + ["7"] * 5,
    "an error": [*map(str, range(20)), "#DIV/0!"],
    "signs": [f" -{n}'000" for n in range(1, 20)],
}
NOT_WRITTEN = {
    "plain numbers": list(map(str, range(20))),
    "codes": ["02134", *map(str, range(90210, 90230)), "K1A"],
    "a few rows": [f"{n},5" for n in range(9)],
    "names": [f"n{n}" for n in range(20)],
    "too much else": [*map(str, range(20)), "a", "b", "c"],
    "a categorical": pd.Categorical([f"{n},5" for n in range(20)]),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_numbers_written_as_text_are_warned_of(how):
    frame = pd.DataFrame({"size": [None, *WRITTEN[how]], "other": "a"})
    odd = "#DIV/0!" if how == "an error" else WRITTEN[how][0]
    with pytest.warns(UserWarning, match="'size' is text") as caught:
        fitted = TablePreprocessor().fit(frame)
    assert len(caught) == 1
    assert f"no plain number is {odd!r}" in str(caught[0].message)
    assert caught[0].filename == __file__
    quiet = TablePreprocessor()._fit_quietly(frame)
    assert quiet.transform(frame).tobytes() == fitted.transform(frame).tobytes()


@pytest.mark.parametrize("how", NOT_WRITTEN)
def test_other_text_is_not_warned_of(how, recwarn):
    TablePreprocessor().fit(pd.DataFrame({"size": NOT_WRITTEN[how]}))
    assert not [one for one in recwarn.list if "to name the rows" not in str(one.message)]


def test_zeros_and_ones_are_taken_for_booleans(mixed):
    frame = pd.DataFrame(mixed)
    preprocessor = TablePreprocessor().fit(frame)
    as_numbers = frame.assign(member=frame["member"].astype(int))
    assert (preprocessor.transform(as_numbers) == preprocessor.transform(frame)).all()


def test_columns_are_checked_by_name(table, mixed):
    preprocessor = TablePreprocessor().fit(table(mixed))
    swapped = {name: mixed[name] for name in sorted(mixed)}
    with pytest.raises(ValueError, match=r"'born' where 'count' was"):
        preprocessor.transform(table(swapped))
    with pytest.raises(ValueError, match=r"yet now missing:\n- note\n"):
        preprocessor.transform(table({k: v for k, v in mixed.items() if k != "note"}))
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- extra\n"):
        preprocessor.transform(table({**mixed, "extra": mixed["count"]}))


def test_inverse_transform_checks_its_matrix(mixed):
    preprocessor = TablePreprocessor().fit(pd.DataFrame(mixed))
    with pytest.raises(ValueError, match=r"needs 17 columns.* Got 2 instead"):
        preprocessor.inverse_transform(np.zeros((1, 2)))
    z = preprocessor.transform(pd.DataFrame(mixed))
    z[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"1 NaN.*row 2.*column 'maybe'"):
        preprocessor.inverse_transform(z)


@pytest.mark.parametrize(
    ("name", "value"),
    [("scale", "zscore"), ("scale", 1), ("unseen", None), ("missing_indicator", "yes"),
     ("max_levels", 0), ("max_levels", 2.5)],
)  # fmt: skip
def test_parameters_are_checked_in_fit(name, value):
    preprocessor = TablePreprocessor(**{name: value})
    with pytest.raises(
        ValueError, match=f"The '{name}' parameter of TablePreprocessor must be"
    ) as e:
        preprocessor.fit([[1.0], [2.0]])
    assert str(e.value).endswith(f"Got {value!r} instead.")


@pytest.mark.parametrize("scale", SCALES)
def test_a_config_restores_everything(mixed, penguins, scale):
    for frame in (pd.DataFrame(mixed), penguins, penguins[["year", "body_mass_g"]].to_numpy()):
        preprocessor = TablePreprocessor(scale, unseen="error").fit(frame)
        again = restored(preprocessor)
        z = preprocessor.transform(frame)
        assert again.transform(frame).tobytes() == z.tobytes()
        pd.testing.assert_frame_equal(again.inverse_transform(z), preprocessor.inverse_transform(z))
        assert again.get_params() == preprocessor.get_params()
        assert again.to_config() == preprocessor.to_config()
        assert list(again.get_feature_names_out()) == list(preprocessor.get_feature_names_out())
        assert hasattr(again, "feature_names_in_") == hasattr(frame, "columns")


def test_configs_that_do_not_fit():
    config = TablePreprocessor().fit([[1.0], [2.0]]).to_config()
    with pytest.raises(ValueError, match=r"format 1. Got format 99 instead. Update narrows"):
        TablePreprocessor.from_config({**config, "format": 99})
    with pytest.raises(NotFittedError):
        TablePreprocessor().to_config()


def test_fitted_again_it_forgets(penguins):
    preprocessor = TablePreprocessor().fit(penguins)
    preprocessor.fit(np.eye(3))
    assert not hasattr(preprocessor, "feature_names_in_")
    assert list(preprocessor.get_feature_names_out(["p", "q", "r"])) == ["p", "q", "r"]
    assert clone(preprocessor.set_params(scale="range")).scale == "range"


def columns_of_any_scale():
    """Columns of any scale from 1e-30 to 1e30, some constant, with rows that repeat."""
    rows = st.integers(1, 8)
    scale = st.integers(-30, 30).map(lambda power: 10.0**power)
    unit = st.one_of(st.floats(-1, 1, allow_subnormal=False), st.sampled_from([0.0, 1.0, np.nan]))

    def column(n):
        any_values = st.tuples(scale, scale, st.lists(unit, min_size=n, max_size=n))
        spread = any_values.map(lambda drawn: drawn[0] * np.array(drawn[2]))
        offset = any_values.map(lambda drawn: drawn[1] + drawn[0] * np.array(drawn[2]))
        return st.one_of(spread, offset, scale.map(lambda value: np.full(n, value)))

    return rows.flatmap(lambda n: st.lists(column(n), min_size=1, max_size=4))


@pytest.mark.filterwarnings("ignore:TablePreprocessor keeps constant:UserWarning")
@settings(max_examples=150, deadline=None)
@given(columns=columns_of_any_scale(), scale=st.sampled_from(SCALES))
def test_any_scale_gives_finite_numbers_that_go_back(columns, scale):
    X = np.column_stack(columns)
    X = np.vstack([X, X[:1]])
    preprocessor = TablePreprocessor(scale)
    if np.isnan(X).all(axis=0).any():
        with pytest.raises(ValueError, match="columns without any"):
            preprocessor.fit(X)
        return
    z = preprocessor.fit_transform(X)
    assert np.isfinite(z).all()
    if scale == "standardize":
        assert np.abs(z).max() <= np.sqrt(len(X)) + 1
    if scale == "range":
        assert z.min() >= 0
        assert z.max() <= 1
    back = preprocessor.inverse_transform(z).to_numpy()
    assert (np.isnan(back) == np.isnan(X)).all()
    largest = np.maximum(np.nanmax(np.abs(X), axis=0), 1e-300)
    assert np.allclose(np.nan_to_num(back / largest), np.nan_to_num(X / largest), atol=1e-9)


def test_a_column_that_differs_by_a_rounding_is_centered_within_its_range():
    values = np.full(7, 1e-8)
    values[5] = np.nextafter(1e-8, 1)
    z = TablePreprocessor().fit_transform(values[:, None])
    assert z[0, 0] == 0.0  # the mean lies nearest to the six equal values
    assert z[5, 0] == pytest.approx(7 / np.sqrt(6))


def test_values_that_cannot_be_scaled_are_an_error():
    with pytest.raises(ValueError, match=r"up to 1.7e\+308 in column 'x0'"):
        TablePreprocessor().fit([[1.7e308], [-1.7e308], [0.0]])
    tiny = TablePreprocessor().fit([[1e-30], [2e-30]])
    with pytest.raises(ValueError, match=r"Column 'x0' must stay finite.* Got 1e\+300 in row 1"):
        tiny.transform([[0.0], [1e300]])
