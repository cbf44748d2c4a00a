"""Tables written in pieces, beside those written at once."""

import numpy as np
import pandas as pd
import pytest

from narrows.data import read_table
from narrows.scale import TableWriter

pytest.importorskip("pyarrow")

NAMES = ["a.csv", "a.tsv", "a.parquet", "a.arrow"]


def frame(n=30):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "z": rng.normal(size=n).astype("float32"),
            "n": np.arange(n),
            "text": [None] * 10 + list("ab,c" * n)[: n - 10],
            "kind": pd.Categorical(list("uvw" * n)[:n]),
            "day": pd.date_range("2020-01-01", periods=n),
        }
    )


def write(path, *pieces):
    """Write tables, or what functions return."""
    with TableWriter(path) as writer:
        for piece in pieces:
            writer.write(piece() if callable(piece) else piece)
    return path


def failing():
    return 1 / 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 7, 10, 30])
def test_pieces_are_the_table(tmp_path, name, size):
    whole = frame()
    pieces = [whole.iloc[k : k + size].copy() for k in range(0, len(whole), size)]
    for piece in pieces:  # as a file's batches have them
        piece["kind"] = piece["kind"].cat.remove_unused_categories()
    found = read_table(write(tmp_path / name, *pieces))
    assert list(found.columns) == list(whole.columns)
    for column in whole.columns:
        given = whole[column].astype(object).where(whole[column].notna(), None)
        back = found[column].astype(object).where(found[column].notna(), None)
        if column == "z":
            back = back.astype("float32")
        assert back.tolist() == given.tolist(), column


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_at_once_nothing_changes(tmp_path, name):
    found = read_table(write(tmp_path / name, frame()))
    pd.testing.assert_frame_equal(found, frame(), check_dtype=False)
    assert found["kind"].dtype == "category"
    assert found["z"].dtype == "float32"


@pytest.mark.parametrize("name", NAMES)
def test_gaps_in_later_pieces(tmp_path, name):
    pieces = (pd.DataFrame({"n": [1, 2]}), pd.DataFrame({"n": [np.nan, 4]}))
    for order in (pieces, pieces[::-1]):
        path = write(tmp_path / name, *order)
        assert read_table(path)["n"].tolist().count(4) == 1
        assert int(read_table(path)["n"].isna().sum()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_text_after_rows_without_any(tmp_path, name):
    empty = pd.DataFrame({"text": pd.Series([None, None], dtype=object), "n": [1, 2]})
    found = read_table(write(tmp_path / name, empty, pd.DataFrame({"text": ["a"], "n": [3]})))
    assert found["text"].isna().tolist() == [True, True, False]
    assert found["text"][2] == "a"


@pytest.mark.parametrize("name", NAMES)
def test_an_error_leaves_the_old_file(tmp_path, name):
    path = write(tmp_path / name, frame())
    before = path.read_bytes()
    with pytest.raises(ValueError, match="columns of the first rows"):
        write(path, frame(), frame()[["n", "z"]])
    for pieces in ([], [frame()], [frame(), frame()]):
        with pytest.raises(ZeroDivisionError):
            write(path, *pieces, failing)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_values_of_another_type(tmp_path, name):
    with pytest.raises(ValueError, match="x"):
        write(tmp_path / name, pd.DataFrame({"n": [1]}), pd.DataFrame({"n": ["x"]}))
    assert not list(tmp_path.iterdir())


def test_other_extensions(tmp_path):
    with pytest.raises(ValueError, match=r"must end in .csv, .tsv, .parquet, .arrow"):
        TableWriter(tmp_path / "a.xlsx")
