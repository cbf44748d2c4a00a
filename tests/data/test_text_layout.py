"""Text files as spreadsheets and vendors write them, beside what pandas reads of them."""

import codecs
import csv
import io

import pandas as pd
import pytest

from narrows.data import read_table
from narrows.data.reading._form import Form
from narrows.data.reading._text import header_of, read_cells

LINES = ["a;b;c", "1,5;2;x", "2,5;3;y"]
PLAIN = pd.read_csv(io.StringIO("\n".join(LINES)), sep=";")


@pytest.fixture
def write(tmp_path):
    """Write lines or bytes into a file."""

    def writer(content, name="a.csv", encoding="utf-8"):
        path = tmp_path / name
        text = content if isinstance(content, str | bytes) else "\r\n".join(content) + "\r\n"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return writer


def refused(path, **options):
    with pytest.raises(ValueError, match="must") as caught:
        read_table(path, **options)
    return str(caught.value)


@pytest.mark.parametrize("hint", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_the_first_line_of_excel_says_what_separates(write, hint, name):
    path = write([hint, *LINES], name)
    pd.testing.assert_frame_equal(read_table(path), PLAIN)
    german = read_table(path, separator=";", decimal=",")
    assert german["a"].tolist() == [1.5, 2.5]
    assert header_of(path, Form()) == ["a", "b", "c"]
    assert read_cells(path, ["c", "a"], Form()).to_dict("list") == {
        "c": ["x", "y"],
        "a": ["1,5", "2,5"],
    }


def test_the_first_line_of_excel_with_commas_and_tabs(write):
    for sign in ",\t":
        table = read_table(write([f"sep={sign}", f"a{sign}b", f"1.5{sign}x"]))
        assert table.to_dict("list") == {"a": [1.5], "b": ["x"]}
    assert "must be separated by commas, as separator=',' says. Got the first line 'a;b;c'" in (
        refused(write(["sep=;", *LINES]), separator=",")
    )
    wrong = refused(write(["sep=;", "a,b", "1,2"]))
    assert "by semicolons, as its first line, 'sep=;', says" in wrong
    lengths = refused(write(["sep=;", *LINES, "1"]))
    assert "Got 1 in line 5 instead" in lengths
    assert read_table(write(["sep=x", "1"])).columns.tolist() == ["sep=x"]


@pytest.mark.parametrize("head", ["A,B,C", "A,B,C,"])
def test_a_separator_at_the_end_of_every_line(write, head):
    expected = {"A": [1, 2, 3], "B": [4, 5, 6], "C": [7, 8, 9]}
    path = write([head, "1,4,7,", "2,5,8,", "3,6,9,"])
    assert read_table(path).to_dict("list") == expected
    assert read_table(path, text="A")["A"].tolist() == ["1", "2", "3"]
    assert read_cells(path, ["C", "A"], Form()).iloc[0].tolist() == ["7", "1"]
    path.write_text(path.read_text().replace("1,", "01,"))
    with pytest.warns(UserWarning, match="'A' has leading zeros, first '01'"):
        read_table(path)


def test_a_separator_at_the_end_of_the_first_line_alone(write):
    path = write(["A,B,", "1,4", "2,5"])
    assert read_table(path).to_dict("list") == {"A": [1, 2], "B": [4, 5]}


def test_separators_at_the_ends_of_some_lines_are_refused(write):
    for lines in (["1,4,7", "2,5,8,"], ["1,4,7,", "2,5,8"]):
        assert "End all lines in a separator or none" in refused(write(["A,B,C", *lines]))
    assert "looks like row names" in refused(write(["A,B", "r1,1,2", "r2,1,"]))
    assert "Got 2 in line 2 instead" in refused(write(["A,B,", "1,2", "1"]))


@pytest.mark.parametrize("kind", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "lines", [["a,b", "1.5,x"], ["Größe,城市,имя", "1,北京,Анна", "2,上海,Пётр"]]
)
def test_wide_text_without_a_mark(write, kind, lines):
    path = write(lines, encoding=kind)
    expected = pd.read_csv(io.StringIO("\n".join(lines)))
    family = kind[:6]
    for encoding in (family, kind, kind.upper().replace("-", "_")):
        pd.testing.assert_frame_equal(read_table(path, encoding=encoding), expected)
        assert header_of(path, Form(encoding=encoding)) == expected.columns.tolist()
    for encoding in ("utf-8", "latin-1"):
        said = refused(path, encoding=encoding)
        assert f"looks like {family.upper()} without a byte order mark, {kind.upper()}" in said
        assert f"Give its encoding, encoding={kind!r} (--encoding" in said
        assert header_of(path, Form(encoding=encoding)) == []
    other = kind[:-2] + ("be" if kind.endswith("le") else "le")
    assert f"encoding={kind!r}" in refused(path, encoding=other)


@pytest.mark.parametrize("kind", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_with_a_mark(write, kind):
    path = write("\ufeffa,b\n1,x\n", encoding=kind)
    for encoding in (kind[:6], kind):  # Python would take the mark for a part of the first name
        table = read_table(path, encoding=encoding)
        assert table.to_dict("list") == {"a": [1], "b": ["x"]}
    assert f"encoding={kind[:6]!r}" in refused(path)


def test_narrow_text_that_is_called_wide(write):
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        said = refused(write(["a,b", "1,2"]), encoding=encoding)
        assert "Leave encoding out if it is UTF-8" in said


def test_long_fields(write):
    long = "x" * 200_000
    usual = csv.field_size_limit()
    path = write(["a,b", f"1,{long}", f'2,"{long},"'])
    table = read_table(path)
    assert table["b"].tolist() == [long, long + ","]
    assert header_of(write([f"a,{long}", "1,2"]), Form()) == ["a", long]
    assert csv.field_size_limit() == usual


def test_a_quote_that_is_not_closed(write):
    said = refused(write(["a,b,c", "1,2,3", '4,"5,6', *["7,8,9"] * 30_000]))
    assert "Close the double quote that opens in line 3" in said


def test_columns_that_are_left_out(write):
    lines = ["a;code;v;", *(f"{n},5;0{n};v{n}.2;" for n in range(3))]
    path = write(lines)
    options = {"separator": ";", "decimal": ","}
    table = read_table(path, **options, drop=["code", "v"])  # warns of no zeros
    assert table.to_dict("list") == {"a": [0.5, 1.5, 2.5]}
    assert list(read_table(path, **options, drop="code", text="code")) == ["a", "v"]
    assert "drop must name columns of" in refused(path, **options, drop="codes")
    assert "drop must leave a column" in refused(write(["a,b", "1,2"]), drop=["a", "b"])
    nameless = write(["x,a,", "1,2,3"])
    assert "Got no name for column 3, with values such as '3'" in refused(nameless, drop=["x"])


def test_marks_of_utf_8_with_the_line_of_excel(write):
    content = codecs.BOM_UTF8 + b"sep=;\na;b\n1;2\n"
    assert read_table(write(content)).to_dict("list") == {"a": [1], "b": [2]}
