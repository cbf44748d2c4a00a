"""Tables in batches, beside what reading them whole gives."""

import sys

import numpy as np
import pandas as pd
import pytest

from narrows.data import read_table
from narrows.scale import TableBatches

pytest.importorskip("pyarrow")
import pyarrow as pa
from pyarrow import feather, ipc, parquet

N = 53


@pytest.fixture(scope="module")
def table():
    """A column of each kind, with gaps."""
    rng = np.random.default_rng(0)
    gaps = np.arange(N) % 7 == 3
    return pa.table(
        {
            "x": pa.array(rng.normal(size=N)),
            "whole": pa.array(np.arange(N) + 2**60, mask=gaps),
            "yes": pa.array(rng.random(N) > 0.5, mask=gaps),
            "text": pa.array(list("abc√" * 20)[:N], mask=gaps),
            "kind": pa.array(list("uvw" * 20)[:N]).dictionary_encode(),
            "day": pa.array(pd.date_range("2020-01-01", periods=N)),
        }
    )


def written(table, path, rows=10):
    """Write a table in pieces that fit no batch."""
    if path.suffix == ".parquet":
        parquet.write_table(table, path, row_group_size=rows)
    elif path.suffix == ".feather":
        feather.write_feather(table, path, chunksize=rows)  # compressed
    else:
        opener = ipc.new_file if path.suffix == ".arrow" else ipc.new_stream
        with opener(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=rows)
    return path


NAMES = ["a.parquet", "a.arrow", "a.feather", "a.ipc"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 7, 10, 52, N, 1000, None])
def test_together_they_are_the_table(table, tmp_path, name, rows):
    path = written(table, tmp_path / name)
    batches = list(TableBatches(path, rows=rows).read())
    size = min(rows or N, N)
    assert [len(batch) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= size
    whole = read_table(path)
    assert TableBatches(path).n_rows == (N if name == "a.parquet" else None)
    for batch in batches:
        for column in ("x", "text", "day"):
            expected = whole.loc[batch.index, column]
            pd.testing.assert_series_equal(batch[column], expected, check_dtype=column != "text")
    together = pd.concat([batch.astype(object) for batch in batches])
    assert list(together.index) == list(range(N))
    assert together["kind"].tolist() == whole["kind"].tolist()
    assert together["yes"].isna().tolist() == whole["yes"].isna().tolist()


@pytest.mark.parametrize("name", NAMES)
def test_some_columns_in_their_order(table, tmp_path, name):
    batches = TableBatches(written(table, tmp_path / name), rows=20)
    assert batches.names == table.column_names
    for wanted in (["day", "x"], ["kind"]):
        assert [list(batch.columns) for batch in batches.read(wanted)] == [wanted] * 3


def test_exact_columns_keep_every_digit_and_one_type(table, tmp_path):
    batches = TableBatches(written(table, tmp_path / "a.parquet"), rows=2)
    plain = [batch["whole"].dtype for batch in batches.read(["whole"])]
    assert len(set(plain)) == 2  # what `exact` is for
    found = list(batches.read(["x", "whole", "yes"], exact=["whole", "yes", "x"]))
    for name in ("whole", "yes"):
        assert {batch[name].dtype for batch in found} == {pd.ArrowDtype(table[name].type)}
        together = pd.concat([batch[name] for batch in found])
        assert pa.array(together).to_pylist() == table[name].to_pylist()
    assert found[0]["x"].dtype == "float64"


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
def test_an_index_with_a_name_comes_first_and_another_not_at_all(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=pd.Index([7, 8, 9], name="id"))
    feather.write_feather(pa.Table.from_pandas(frame), path) if name == "a.feather" else (
        frame.to_parquet(path)
    )
    batches = TableBatches(path, rows=2)
    assert batches.names == list(read_table(path).columns) == ["id", "x"]
    for wanted in (None, ["id", "x"], ["x", "id"], ["id"]):
        found = pd.concat(batches.read(wanted))
        pd.testing.assert_frame_equal(found, read_table(path)[wanted or ["id", "x"]])
    frame.rename_axis(None).to_parquet(tmp_path / "b.parquet")
    assert TableBatches(tmp_path / "b.parquet").names == ["x"]
    assert list(next(TableBatches(tmp_path / "b.parquet").read()).columns) == ["x"]


def test_wide_tables_have_small_batches(tmp_path):
    wide = pa.table({f"c{k}": np.zeros(2500) for k in range(5000)})
    parquet.write_table(wide, tmp_path / "a.parquet")
    batches = TableBatches(tmp_path / "a.parquet")
    assert [len(batch) for batch in batches.read()] == [1600, 900]
    assert [len(batch) for batch in batches.read(["c3"])] == [2500]


def message(path, error=ValueError, **options):
    with pytest.raises(error) as caught:
        list(TableBatches(path, **options).read())
    return str(caught.value)


def test_what_cannot_be_read(table, tmp_path, monkeypatch):
    path = written(table, tmp_path / "a.parquet")
    assert "Did you mean 'a.parquet'?" in message(tmp_path / "b.parquet", FileNotFoundError)
    assert "rows must be 1 or more. Got 0" in message(path, rows=0)
    (tmp_path / "a.csv").write_text("a\n1\n")
    assert "must end in .arrow, .feather, .ipc, .parquet" in message(tmp_path / "a.csv")
    (tmp_path / "e.arrow").write_bytes(b"")
    assert "is empty (0 bytes)" in message(tmp_path / "e.arrow")
    parquet.write_table(table.slice(0, 0), tmp_path / "n.parquet")
    assert "must have rows. Got the columns 'x', 'whole'" in message(tmp_path / "n.parquet")
    parquet.write_table(pa.table({}), tmp_path / "z.parquet")
    assert "It has no columns" in message(tmp_path / "z.parquet")
    with pytest.raises(ValueError, match=r"Got 'y' instead\. It has 'x', 'whole'"):
        next(TableBatches(path).read(["x", "y"]))
    for name in NAMES:
        cut = written(table, tmp_path / name)
        cut.write_bytes(cut.read_bytes()[:-40])
        if name != "a.ipc":  # a stream has no end mark that must be there
            assert "cut off" in message(cut)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert 'pip install "narrows[tables]"' in message(path, ImportError)


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
def test_what_was_read_is_not_kept(tmp_path, name):
    numbers = pa.table({"x": np.random.default_rng(0).normal(size=1_600_000)})
    path = written(numbers, tmp_path / name, rows=40_000)
    held = pa.total_allocated_bytes()
    peak = max(
        pa.total_allocated_bytes() - held for _ in TableBatches(path, rows=20_000).read(["x"])
    )
    assert peak < path.stat().st_size / 4
