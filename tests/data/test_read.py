import gzip
import sys

import numpy as np
import pandas as pd
import pytest

from narrows.data import read_table

TEXT = """name,age,born,score
"Tom, <b>",3,2019-03-01,1.5
Ünal 😀,,2020-12-24,
"two
lines",5,,-2e3
"""


@pytest.fixture
def write(tmp_path):
    """Write text or bytes to a file of a name."""

    def writer(name, content, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return writer


def message(path, error=ValueError, **options):
    with pytest.raises(error) as caught:
        read_table(path, **options)
    return str(caught.value)


def assert_is_the_table(table):
    assert list(table.columns) == ["name", "age", "born", "score"]
    assert table["name"].tolist() == ["Tom, <b>", "Ünal 😀", "two\nlines"]
    assert table["age"].isna().tolist() == [False, True, False]
    assert table["born"].dt.day.dropna().tolist() == [1, 24]
    assert table["score"].dropna().tolist() == [1.5, -2000]


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.b.csv"])
def test_csv(write, name):
    assert_is_the_table(read_table(write(name, TEXT)))
    windows = TEXT.replace("\n", "\r\n").replace("two\r\n", "two\n")
    assert_is_the_table(read_table(str(write(name, windows))))


def test_a_byte_order_mark_is_no_part_of_the_name(write):
    assert_is_the_table(read_table(write("a.csv", TEXT, "utf-8-sig")))
    assert "'a' more than once" in message(write("a.csv", "a,a\n1,2\n", "utf-8-sig"))


def test_tsv(write):
    table = read_table(write("a.tsv", "x\ty, z\n1\ta,b\n2\tc\n"))
    assert table.to_dict("list") == {"x": [1, 2], "y, z": ["a,b", "c"]}


@pytest.mark.parametrize("name", ["a.csv.gz", "A.CSV.GZ"])
def test_packed_with_gzip(write, name):
    assert_is_the_table(read_table(write(name, gzip.compress(TEXT.encode()))))


def test_packed_text_of_other_forms(write):
    packed = gzip.compress("a;b\nÜ;1,5\n".encode("latin-1"))
    options = {"separator": ";", "decimal": ",", "encoding": "latin-1"}
    for name in ("a.csv.gz", "a.tsv.gz", "a.txt.gz", "a.gz"):
        table = read_table(write(name, packed), **options)
        assert table.to_dict("list") == {"a": ["Ü"], "b": [1.5]}
    assert "byte 0xdc in line 2" in message(write("a.csv.gz", packed), separator=";")
    assert "which looks separated by semicolons" in message(
        write("a.csv.gz", packed), encoding="latin-1"
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda packed: TEXT.encode(), "It is not packed. Remove .gz from its name"),
        (lambda packed: packed[:-9], "It is cut off or damaged"),
        (lambda packed: packed[:10] + b"\x07" + packed[11:], "It is cut off or damaged"),
        (lambda packed: packed[:-8] + bytes(8), "It is cut off or damaged"),
        (lambda packed: gzip.compress(packed), "Got a gzip file instead"),
        (lambda packed: gzip.compress(b""), "It has blank lines only"),
    ],
    ids=["plain text", "cut off", "no such block", "its checksum", "twice", "nothing"],
)
def test_packed_files_that_are_none(write, change, what):
    assert what in message(write("a.csv.gz", change(gzip.compress(TEXT.encode()))))


def test_packed_tables_of_types_are_none(write):
    assert ".csv.gz, .tsv.gz, " in message(write("a.parquet.gz", gzip.compress(b"PAR1")))


def test_no_column_becomes_the_index(write):
    table = read_table(write("a.csv", "n,x\n7,1\n8,2\n"))
    assert list(table.index) == [0, 1]
    assert table.iloc[:, 0].tolist() == [7, 8]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_row_names_are_no_column(write, name):
    content = '"","x"\n"Mazda",1\n"Fiat",2\n'
    text = message(write(name, content.replace(",", "\t") if name == "a.tsv" else content))
    for part in ("name for column 1", "'Mazda'", "row names", "row.names = FALSE", "index=False"):
        assert part in text


@pytest.mark.parametrize("blank", ["", "  "])
def test_values_need_a_name(write, blank):
    text = message(write("a.csv", f"x,{blank},y\n1,,5\n3,4,6\n"))
    assert "Got no name for column 2" in text
    assert "'4.0'" in text
    assert "row names" not in text


def test_commas_at_the_end_of_lines_are_no_columns(write):
    table = read_table(write("a.csv", "x,when,, \n1,2024-05-17,,\n2,2024-05-18,,\n"))
    assert list(table.columns) == ["x", "when"]
    assert table["when"].dtype.kind == "M"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["2024-05-17", ""], "M"),
        (["2024-05-17 10:30", "2024-05-17T10:30:01.5"], "M"),
        (["2024-05-17T10:30:00Z", "2024-05-17T10:30:00+00:00"], "M"),
        (["2024-02-31", "2024-05-17"], "O"),
        (["2024-05-17", "soon"], "O"),
        (["17/05/2024", "18/05/2024"], "O"),
    ],
)
def test_iso_dates_are_dates(write, values, kind):
    table = read_table(write("a.csv", "x,when\n" + "".join(f"1,{value}\n" for value in values)))
    assert table["when"].dtype.kind == kind


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.arrow", "a.ipc"])
def test_parquet_and_arrow(tmp_path, penguins, name):
    pytest.importorskip("pyarrow")
    path = tmp_path / name
    penguins.to_parquet(path) if name.endswith("parquet") else penguins.to_feather(path)
    pd.testing.assert_frame_equal(read_table(path), penguins)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_names_are_those_of_the_file(tmp_path, name):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.Table.from_pandas(pd.DataFrame(np.eye(2)))
    if name == "a.parquet":
        parquet.write_table(table, tmp_path / name)
    else:
        with pa.ipc.new_file(tmp_path / name, table.schema) as file:
            file.write_table(table)
    assert list(read_table(tmp_path / name).columns) == ["0", "1"]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_an_index_with_a_name_is_a_column(tmp_path, name):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    levels = {"site": pd.Categorical(["b", "a"], ["b", "a"]), "day": pd.array([3, None], "Int64")}
    plain = pd.DataFrame({**levels, "x": pd.array([None, 1], "Int64")})
    table = pa.Table.from_pandas(plain.set_index(["site", "day"]))
    if name == "a.parquet":
        parquet.write_table(table, tmp_path / name)
    else:
        with pa.ipc.new_file(tmp_path / name, table.schema) as file:
            file.write_table(table)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), plain)


@pytest.mark.parametrize(
    "index", [None, ["p", "q"], pd.RangeIndex(5, 7), pd.RangeIndex(2, name="n")]
)
def test_an_index_without_a_name_is_no_column(tmp_path, index):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"x": [1, 2]}, index=index).to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert list(table.columns) == ["x"]


def test_an_arrow_stream(tmp_path, penguins):
    pa = pytest.importorskip("pyarrow")
    table = pa.Table.from_pandas(penguins)
    with pa.ipc.new_stream(tmp_path / "a.arrow", table.schema) as stream:
        stream.write_table(table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.arrow"), penguins)


def test_no_such_file(write):
    path = write("people.csv", TEXT)
    text = message(path.with_name("poeple.csv"), FileNotFoundError)
    assert "no file" in text
    assert "poeple.csv" in text
    assert "Did you mean 'people.csv'?" in text
    assert "There is no folder" in message("/nowhere/at/all.csv", FileNotFoundError)
    assert "folder" in message(path.parent)


def test_unknown_extensions_list_the_known(write):
    text = message(write("a.xlsx", TEXT))
    assert "'a.xlsx'" in text
    for known in (".csv", ".tsv", ".parquet", ".arrow", ".feather", ".ipc"):
        assert known in text


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet", "a.arrow"])
def test_empty_files(write, name):
    assert "is empty (0 bytes)" in message(write(name, b""))
    if name.endswith("sv"):
        assert "blank lines only" in message(write(name, b"\n\r\n"))


def test_no_rows(write, tmp_path):
    assert "the columns 'a', 'b' without any" in message(write("a.csv", "a,b\n"))
    pytest.importorskip("pyarrow")
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "a.parquet")
    assert "the columns 'a' without any" in message(tmp_path / "a.parquet")


@pytest.mark.parametrize(("line", "count"), [("1,2,3", 3), ("1", 1)])
def test_lines_of_another_length(write, line, count):
    text = message(write("a.csv", f'a,b\n1,"x\ny"\n\n{line}\n1,2\n'))
    assert "must have 2 fields in every line" in text
    assert f"Got {count} in line 5" in text
    assert repr(line) in text


def test_every_line_one_longer_than_the_first(write):
    # R's write.table; pandas would take the first column for an index.
    text = message(write("a.csv", '"a","b"\n"Mazda",2,3\n"Fiat",5,6\n\n'))
    assert "Got 3 in line 2 and every one after it" in text
    for part in ("'Mazda'", "row names", "row.names = FALSE"):
        assert part in text


@pytest.mark.parametrize("content", ["a,b\n1,2,3\n4,5\n", "a,b\n1,2\n4,5,6\n", "a\n1,2,3\n"])
def test_other_long_lines_are_no_row_names(write, content):
    text = message(write("a.csv", content))
    assert "double quotes" in text
    assert "row names" not in text


def test_a_quote_that_never_ends(write):
    text = message(write("a.csv", 'a,b\n1,"x\n2,y\n'))
    assert "a.csv" in text
    assert "line" in text or "row" in text


def test_another_encoding(write):
    path = write("a.csv", "a,b\n1,2\n3,Zürich\n", "latin-1")
    text = message(path)
    for part in ("must be text in utf-8", "0xfc in line 3", "encoding='latin-1'"):
        assert part in text
    assert read_table(path, encoding="latin-1")["b"].tolist() == ["2", "Zürich"]
    path = write("b.csv", "a,b\n1,2\n", "utf-16")
    assert "UTF-16" in message(path)
    assert read_table(path, encoding="utf-16").shape == (1, 2)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a"])
@pytest.mark.parametrize("separator", [";", "|", "\t", "~", ","])
def test_a_separator_goes_before_the_extension(write, name, separator):
    text = TEXT.replace(",", separator).replace(f'"Tom{separator}', '"Tom,')
    assert_is_the_table(read_table(write(name, text), separator=separator))


def test_what_r_writes_without_row_names(write):
    """write.table(x, "a.txt", row.names = FALSE)."""
    table = read_table(write("a.txt", '"a b" "c"\n1 "x y"\nNA "z"\n'), separator=" ")
    assert table["a b"].isna().tolist() == [False, True]
    assert table["c"].tolist() == ["x y", "z"]


@pytest.mark.parametrize("separator", [";", ","])
def test_what_countries_with_decimal_commas_write(write, separator):
    """Also as R's write.csv2 and pandas write it."""
    rows = pd.DataFrame({"a": [1.5, np.nan, -2e-3], "day": ["2024-05-17"] * 3, "n": [1, 2, 3]})
    text = rows.to_csv(index=False, sep=separator, decimal=",", encoding="utf-8")
    assert ('"1,5"' in text) == (separator == ",")
    for encoding in ("utf-8", "cp1252", "utf-16"):
        path = write("a.csv", text.replace("n", "\u00e9"), encoding)
        table = read_table(path, separator=separator, decimal=",", encoding=encoding)
        assert table["a"].dropna().tolist() == [1.5, -2e-3]
        assert table["day"].dt.day.tolist() == [17] * 3
        assert table["\u00e9"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "options", "parts"),
    [
        ("a.csv", {"separator": ";;"}, ["one character", "Got ';;'"]),
        ("a.csv", {"separator": ""}, ["one character", "Got ''"]),
        ("a.csv", {"separator": "x"}, ["no letter", "Got 'x'"]),
        ("a.csv", {"separator": 3}, ["one character", "Got 3"]),
        ("a.csv", {"decimal": ";"}, ["decimal must be '.' or ','", "Got ';'"]),
        ("a.csv", {"encoding": "latin-99"}, ["Python knows", "'cp1252'", "Got 'latin-99'"]),
        ("a.csv", {"encoding": "hex"}, ["Python knows", "Got 'hex'"]),
        (
            "a.csv",
            {"separator": ";"},
            ["by semicolons, as separator=';' says", "'a,b'", "Leave separator out"],
        ),
        ("a.tsv", {"separator": ";"}, ["'a,b'", "Rename it to .csv, or give separator=','"]),
        ("a.txt", {}, ["must end in .csv", "Give separator if it is text"]),
        ("a.txt", {"decimal": ","}, ["must end in .csv", "Give separator if it is text"]),
        ("a.parquet", {"separator": ";"}, ["of text", "Got separator=';' for 'a.parquet'"]),
        ("a.ipc", {"decimal": ",", "encoding": "latin-1"}, ["Got decimal=',', encoding='latin-1'"]),
    ],
)
def test_forms_that_are_none(write, name, options, parts):
    text = message(write(name, "a,b\n1,2\n"), **options)
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.csv", b"PAR1....", "a Parquet file"),
        ("a.csv", b"PK\x03\x04....", "a zip or Excel file"),
        ("a.tsv", b"ARROW1....", "an Arrow file"),
        ("a.parquet", b"ARROW1..", "must be a Parquet file, as its extension says. Got an Arrow"),
        ("a.arrow", b"PAR1....", "must be an Arrow file, as its extension says. Got a Parquet"),
        ("a.parquet", b"a,b\n1,2\n3,4\n5,6\n", "must be a Parquet file"),
        ("a.feather", b"a,b\n1,2\n3,4\n5,6\n", "must be an Arrow file"),
        ("a.csv", b"a;b\n1;2\n", "looks separated by semicolons. Give separator=';', and decimal"),
        ("a.csv", b"a|b\n1|2\n", "looks separated by bars. Give separator='|' (--separator on"),
        (
            "a.csv",
            b"a\tb\n1\t2\n",
            "separated by tabs. Rename it to .tsv, or give separator='\\t' (--sep",
        ),
        (
            "a.tsv",
            b"a,b\n1,2\n",
            "separated by commas. Rename it to .csv, or give separator=',' (--sep",
        ),
    ],
)
def test_a_file_is_not_what_its_extension_says(write, name, content, what):
    if not name.endswith("sv"):
        pytest.importorskip("pyarrow")
    text = message(write(name, content))
    assert name in text
    assert what in text


def test_files_that_were_cut_off(tmp_path, penguins):
    pytest.importorskip("pyarrow")
    for name in ("a.parquet", "a.feather"):
        path = tmp_path / name
        penguins.to_parquet(path) if name == "a.parquet" else penguins.to_feather(path)
        path.write_bytes(path.read_bytes()[:-40])
        assert "cut off" in message(path)


def test_repeated_names(write, tmp_path):
    assert "Got 'a' more than once" in message(write("a.csv", "a,b,a\n1,2,3\n"))
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table([[1], [2]], names=["x", "x"]), tmp_path / "a.parquet")
    assert "Got 'x' more than once" in message(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["a.parquet", "a.ipc"])
def test_without_pyarrow(write, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    text = message(write(name, b"PAR1"), ImportError)
    assert name[1:] in text
    assert 'pip install "narrows[tables]"' in text


def test_a_file_through_the_preprocessor(write):
    from narrows.data import TablePreprocessor

    table = read_table(write("a.csv", TEXT))
    preprocessor = TablePreprocessor()
    z = preprocessor.fit_transform(table)
    assert np.isfinite(z).all()
    pd.testing.assert_frame_equal(preprocessor.inverse_transform(z), table)
