"""Columns of Arrow that pandas cannot show: mended, named, or left out."""

import pandas as pd
import pytest

from narrows.data import read_table
from narrows.scale import TableBatches

pytest.importorskip("pyarrow")
import pyarrow as pa
from pyarrow import ipc, parquet

N = 6
INDICES = pa.array([0, 1, 2] * 2, pa.int8())
FAR = {
    "time64": pa.array(range(1, N + 1), pa.time64("ns")),
    "year": pa.array([5_000_000] * N, pa.int32()).cast(pa.date32()),
}


def written(folder, column, extension, **more):
    table = pa.table({"x": [0.5 * n for n in range(N)], "odd": column, **more})
    path = folder / f"t.{extension}"
    if extension == "parquet":
        parquet.write_table(table, path)
    else:
        with ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=4)
    return path


@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        (["b", None, "a"], ["b", None, "a"]),
        (["b", "a", "b"], ["b", "a", "b"]),
        ([7, None, 7], [7, None, 7]),
        ([None, None, None], [None] * 3),
    ],
)
def test_categories_that_are_missing_or_repeat(tmp_path, levels, wanted):
    kind = pa.int64() if 7 in levels else pa.string()
    column = pa.DictionaryArray.from_arrays(INDICES, pa.array(levels, kind), ordered=True)
    path = written(tmp_path, column, "arrow")
    found = read_table(path)["odd"]
    expected = [one for one in dict.fromkeys(wanted) if one is not None]
    assert found.astype(object).where(found.notna(), None).tolist() == wanted * 2
    assert found.cat.categories.tolist() == expected
    assert found.cat.ordered
    batches = pd.concat([one["odd"].astype(object) for one in TableBatches(path, rows=2).read()])
    assert batches.where(batches.notna(), None).tolist() == wanted * 2


@pytest.mark.parametrize("extension", ["parquet", "arrow"])
@pytest.mark.parametrize("kind", FAR)
def test_values_that_pandas_cannot_show_are_named_and_can_be_left_out(tmp_path, kind, extension):
    path = written(tmp_path, FAR[kind], extension)
    advice = r"Leave it out with drop='odd' of read_table \(--drop on the command line\)"
    for read in (read_table, lambda path: list(TableBatches(path).read())):
        with pytest.raises(ValueError, match=rf"t\.{extension}.* Got column 'odd' of .*{advice}"):
            read(path)
    assert list(read_table(path, drop="odd")) == ["x"]
    with pytest.raises(ValueError, match=r"drop must name columns of .*Got 'off' instead"):
        read_table(path, drop=["off"])


def test_what_else_the_name_of_a_column_could_mean(tmp_path):
    path = written(tmp_path, FAR["year"], "parquet", **{"x.far": FAR["year"]})
    assert list(read_table(path, drop=["odd", "x.far"])) == ["x"]
    assert [list(one) for one in TableBatches(path).read(["x"])] == [["x"]]


def test_an_index_can_be_left_out(tmp_path):
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3, 4]}, index=pd.Index([7, 8], name="id"))
    frame.to_parquet(tmp_path / "t.parquet")
    assert list(read_table(tmp_path / "t.parquet", drop="id")) == ["x", "y"]
    assert list(read_table(tmp_path / "t.parquet", drop="x")) == ["id", "y"]
