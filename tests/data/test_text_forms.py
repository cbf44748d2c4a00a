"""Numbers, dates and gaps as people write them into text files."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.data import TablePreprocessor, read_table
from narrows.data.reading._dates_in_text import first_undated, is_date
from narrows.data.reading._form import Form


@pytest.fixture
def write(tmp_path):
    """Write columns of text into a file, separated by semicolons."""

    def writer(name="a.csv", **columns):
        frame = pd.DataFrame({key: list(map(str, values)) for key, values in columns.items()})
        content = frame.to_csv(index=False, sep=";").encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return writer


@pytest.mark.parametrize(
    ("decimal", "thousands", "values"),
    [
        (".", ",", ["27,932.40", "-1,000", "5", "", ".5", "1e3", "12.", "1,234,567"]),
        (",", ".", ["27.932,40", "-1.000", "5", "", ",5", "1e3", "12,", "1.234.567"]),
        (".", " ", ["27 932.40", "-1 000", "5", "", ".5", "1e3", "12.", "1 234 567"]),
        (".", "\u2019", ["27’932.40", "-1’000", "5", "", ".5", "1e3", "12.", "1’234’567"]),
    ],
)
def test_digits_in_groups(write, decimal, thousands, values):
    path = write(size=values, other=range(8))
    table = read_table(path, separator=";", decimal=decimal, thousands=thousands)
    wanted = [27932.4, -1000, 5, np.nan, 0.5, 1000, 12, 1234567]
    np.testing.assert_array_equal(table["size"], wanted)


@pytest.mark.parametrize(
    "odd", ["1,23", "12,3456", "1,2,3", ",123", "a", "05.01.2020", "1.2.3", "."]
)
def test_other_text_is_not_grouped_digits(write, odd):
    table = read_table(write(size=["1,234", odd]), separator=";", thousands=",")
    assert table["size"].tolist() == ["1,234", odd]


def test_dates_with_points_are_no_grouped_digits(write):
    days = ["05.01.2020", "06.01.2020"]
    table = read_table(write(day=days, x=["1,5", "2"]), separator=";", decimal=",", thousands=".")
    assert table["day"].tolist() == days
    assert table["x"].tolist() == [1.5, 2]


@given(st.integers(-(10**15), 10**15), st.sampled_from([",", "'", " "]))
def test_what_python_groups_is_read(number, sign):
    form = Form(thousands=sign)
    assert form.grouped.fullmatch(f"{number:,}".replace(",", sign))
    assert form.grouped.fullmatch(f"{number / 100:,.2f}".replace(",", sign))


def test_what_is_no_text_is_left_alone(write):
    path = write(flag=["True", "False", ""], big=["123456789012345678901234", "2,200", "3"])
    table = read_table(path, separator=";", thousands=",")
    assert table["flag"].tolist()[:2] == [True, False]
    assert table["big"].tolist() == [123456789012345678901234.0, 2200, 3]


def test_signs_of_missing_values(write):
    path = write(size=["1", "?", "-9", "3"], who=["a", "?", "", "-9"])
    table = read_table(path, separator=";", na_values=["?", "-9"])
    np.testing.assert_array_equal(table["size"], [1, np.nan, np.nan, 3])
    assert table["who"].isna().tolist() == [False, True, True, True]
    assert read_table(path, separator=";", na_values="?")["size"].isna().sum() == 1


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_columns_that_stay_text(write, name):
    path = write(name, code=["01000", "2", "NA", "1e3"], day=["2024-05-17"] * 4)
    table = read_table(path, separator=";", text=("code", "day"))
    assert table["code"].tolist()[:2] == ["01000", "2"]
    assert table["code"].tolist()[2:] == ["NA", "1e3"]
    assert table["day"].tolist() == ["2024-05-17"] * 4
    with pytest.raises(ValueError, match=r"text must name columns of .* Got 'cod' instead.*'code'"):
        read_table(path, separator=";", text="cod")


def test_na_is_a_code_in_columns_that_stay_text(write):
    from pandas._libs.parsers import STR_NA_VALUES

    from narrows.data.reading._form import GAPS

    assert STR_NA_VALUES - {""} == GAPS
    codes = [*sorted(GAPS), "-", "", "DE"]
    path = write(code=codes, other=codes, x=["NA", "", *["1"] * (len(codes) - 2)])
    table = read_table(path, separator=";", text="code", na_values="-")
    assert table["code"].dropna().tolist() == [*sorted(GAPS), "DE"]
    assert table["code"].isna().sum() == 2  # "-" and the empty cell
    assert table["other"].dropna().tolist() == ["DE"]
    assert table["x"].isna().sum() == 2
    again = read_table(path, separator=";", text="code", na_values=["-", "NA"])
    assert again["code"].isna().sum() == 3


def test_text_beside_a_column_without_a_name_and_leading_zeros(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("code,zip,\nNA,007,\nDE,NA,\n")
    with pytest.warns(UserWarning, match="'zip' has leading zeros, first '007' in row 0"):
        table = read_table(path, text="code")
    assert table["code"].tolist() == ["NA", "DE"]
    assert table["zip"].isna().tolist() == [False, True]
    assert list(table) == ["code", "zip"]


@pytest.mark.parametrize("codes", [["01000", "2000"], ["7", "007"], ["", "01"]])
def test_leading_zeros_are_warned_of(write, codes):
    path, row = write(code=codes, x=[1, 2]), next(k for k, v in enumerate(codes) if v[:1] == "0")
    with pytest.warns(UserWarning, match=f"'code' has leading zeros, first '{codes[row]}' in row"):
        assert read_table(path, separator=";")["code"].iloc[row] == int(codes[row])


@pytest.mark.parametrize("values", [["0", "10"], ["0.5", "0"], ["-0", "0e1"], ["0", ""]])
def test_zeros_that_lead_nothing_are_not(write, values, recwarn):
    read_table(write(x=values, y=[1, 2]), separator=";")
    assert not recwarn.list


def test_points_where_decimal_commas_are_said_to_be(write):
    path = write(a=["0.5", "1.25", ""], b=["x", "y", "z"])
    with pytest.raises(ValueError, match=r"decimal commas.* such as '0.5', in 'a', instead. Leave"):
        read_table(path, separator=";", decimal=",")
    path = write(a=["0.5", "1.25", ""], b=["0,5", "1", "2"])
    with pytest.warns(UserWarning, match="such as '0.5', in 'a'; they are taken for text"):
        table = read_table(path, separator=";", decimal=",")
    assert table["a"].tolist()[:2] == ["0.5", "1.25"]
    assert table["b"].tolist() == [0.5, 1, 2]
    table = read_table(path, separator=";", decimal=",", text=["a"])  # asked for: no warning
    assert table["a"].tolist()[:2] == ["0.5", "1.25"]


def test_whole_numbers_do_not_contradict_decimal_commas(write, recwarn):
    table = read_table(write(a=[1, 2], b=["v1.2", "x"]), separator=";", decimal=",")
    assert table["a"].tolist() == [1, 2]
    assert not recwarn.list


def test_summer_and_winter_of_one_place_are_dates(write):
    moments = pd.date_range("2024-03-30", periods=3, freq="D", tz="Europe/Berlin")
    table = read_table(write(day=moments, x=range(3)), separator=";")
    assert str(table["day"].dt.tz) == "UTC"
    assert (table["day"] == moments).all()
    mixed = ["2024-03-30", "2024-03-30 00:00+01:00"]
    assert read_table(write(day=mixed), separator=";")["day"].tolist() == mixed


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"thousands": "."}, "not the decimal sign '.'"),
        ({"thousands": ",", "decimal": ","}, "not the decimal sign ','"),
        ({"thousands": "x"}, "Got 'x' instead"),
        ({"na_values": [1]}, "na_values must be text"),
        ({"text": [0]}, "text must be text"),
    ],
)
def test_forms_that_are_none(write, options, what):
    with pytest.raises(ValueError, match=what):
        read_table(write(x=[1, 2]), separator=";", **options)


@pytest.mark.parametrize(
    ("texts", "odd"),
    [
        ([f"2024-05-{n}" for n in range(10, 30)], "2024-05-10"),
        ([*(f"2024-05-{n}" for n in range(10, 29)), "unknown"], "unknown"),
        ([*(f"2024-02-{n}" for n in range(10, 31))], "2024-02-30"),
        ([f"{n % 28 + 1}.05.2024" for n in range(5000)], "1.05.2024"),
        ([*(f"name {n % 50}" for n in range(4000)), *["2024-05-10"] * 1000], None),
        ([f"{n}.05.2024" for n in range(10, 30)], "10.05.2024"),
        ([f"5/{n}/24 12:30" for n in range(10, 30)], "5/10/24 12:30"),
        ([f"2024/5/{n}" for n in range(10, 30)], "2024/5/10"),
        ([f"2024-05-{n}" for n in range(10, 19)], None),
        ([f"1.2.{n}" for n in range(100, 120)], None),
        ([f"10.0.0.{n}" for n in range(20)], None),
        ([f"name {n}" for n in range(20)], None),
    ],
)
def test_text_that_is_nearly_all_dates(texts, odd, recwarn):
    assert first_undated(texts) == odd
    TablePreprocessor().fit(pd.DataFrame({"x": texts}))
    said = [str(one.message) for one in recwarn.list]
    said = [one for one in said if "to name the rows" not in one]  # other text that differs
    assert len(said) == (odd is not None)
    if odd is not None:
        assert "look like dates" in said[0]
        assert repr(odd) in said[0]
        assert ("na_values" in said[0]) == (odd == "unknown")


@pytest.mark.parametrize("day", ["2024-02-29", "2024-12-31T23:59:59.5Z", "2024-01-01 00:00+0130"])
def test_days_that_there_are(day):
    assert is_date(day)
    assert not pd.isna(pd.to_datetime(day, format="ISO8601"))


@pytest.mark.parametrize("day", ["2023-02-29", "2024-12-31T24:59", "2024-1-1", "20240101", "x"])
def test_days_that_there_are_not(day):
    assert not is_date(day)


def test_the_odd_date_is_named():
    days = pd.to_datetime(pd.Series(["2024-05-17", "2024-05-18", "2024-05-20"]))
    fitted = TablePreprocessor().fit(pd.DataFrame({"day": days}))
    with pytest.raises(ValueError, match=r"had dates in fit.*'2024-02-30' in row 2.*Write every"):
        fitted.transform(pd.DataFrame({"day": ["2024-05-17", None, "2024-02-30"]}))


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ([*range(15), *["?"] * 8], "na_values='?' of read_table"),
        ([*range(15), *["unknown"] * 8], "na_values='unknown' of read_table"),
        ([*map(str, range(15)), "#DIV/0!"], "with na_values='#DIV/0!' of read_table"),
        ([f"{n},932.40" for n in range(1, 21)], "with thousands=',' of read_table"),
        ([f"{n}.932,40" for n in range(1, 21)], "with decimal=',' and thousands='.' of read_table"),
        ([f"{n} 932" for n in range(1, 21)], "with thousands=' ' of read_table"),
        ([f"{n} 932,5" for n in range(1, 21)], "with decimal=',' and thousands=' ' of read_table"),
        ([f"{n}'932.5" for n in range(1, 21)], """with thousands="'" of read_table"""),
        ([f"{n},932,500" for n in range(1, 21)], "with thousands=',' of read_table"),
        (
            [f"{n}.932.500" for n in range(1, 21)],
            "with decimal=',' and thousands='.' of read_table",
        ),
        ([f"{n},5" for n in range(20)], "with decimal=',' of read_table"),
        ([f"{n},500" for n in range(1, 21)], "with decimal=',' or thousands=',' of read_table"),
        ([f"{n},932.5%" for n in range(1, 21)], "with signs such as % left out"),
        ([*range(15), *["K"] * 8], None),
        ([*range(7), *["?"] * 8], None),
        ([*range(15), *["?"] * 4, *["-"] * 4], None),
    ],
)
def test_advice_for_text_that_is_numbers(values, advice, recwarn):
    TablePreprocessor().fit(pd.DataFrame({"x": list(map(str, values))}))
    said = [str(one.message) for one in recwarn.list]
    assert len(said) == (advice is not None)
    assert advice is None or advice in said[0]


def test_whole_numbers_that_floats_round_are_warned_of(recwarn):
    rows = {"id": [2**53 + 1, 5, 6], "size": [2**53 - 1, 5, 6], "gaps": [2**60, None, 1]}
    frame = pd.DataFrame(rows).astype({"gaps": "Int64"})
    TablePreprocessor().fit(frame)
    said = [str(one.message) for one in recwarn.list]
    assert len(said) == 1
    assert "those of 'id', 'gaps'" in said[0]


@pytest.mark.parametrize("large", [2**63, 10**22, -(10**22)])
def test_whole_numbers_beyond_64_bits_come_back(large):
    frame = pd.DataFrame({"x": pd.Series([large, 1, 2], dtype=object)})
    fitted = TablePreprocessor(scale="none").fit(frame)
    assert fitted.inverse_transform(fitted.transform(frame))["x"].tolist() == [float(large), 1, 2]
