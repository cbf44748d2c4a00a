"""Parquet and Arrow on the command line, in batches and at once."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import narrows
from narrows.cli import main
from narrows.data import TablePreprocessor, read_table
from narrows.scale import _batches

pytest.importorskip("pyarrow")

N = 40


def run(*arguments):
    try:
        main([os.fspath(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


def mixed():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "x": rng.normal(size=N),
            "n": pd.array(np.arange(N) + 2**60, dtype="Int64"),
            "m": pd.array(np.arange(N) % 9, dtype="Int64"),
            "city": list("abcd" * 10),
            "yes": pd.array(rng.random(N) > 0.5, dtype="boolean"),
            "day": pd.date_range("2020-01-01", periods=N),
        }
    )
    rows.loc[N - 9 :, "yes"] = pd.NA  # a whole batch
    rows.loc[N - 3, ["n", "m", "city"]] = pd.NA
    return rows


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    embedder = narrows.Autoencoder(encoder=(5,), epochs=1, random_state=0)
    pipeline = make_pipeline(TablePreprocessor(), embedder).fit(mixed().drop(columns="n"))
    narrows.save(pipeline, folder / "mixed.narrows")
    numbers = np.random.default_rng(1).normal(size=(N, 2))
    linear = narrows.LinearAutoencoder(1, epochs=1, random_state=0).fit(numbers)
    narrows.save(linear, folder / "plain.narrows")
    return folder


@pytest.fixture
def in_batches(monkeypatch):
    monkeypatch.setattr(_batches, "_MOST_ROWS", 8)
    monkeypatch.setattr(_batches, "_FEWEST_ROWS", 8)


def without_pandas(rows, path):
    """Write rows as programs do that leave pandas no note on its types."""
    import pyarrow as pa
    from pyarrow import feather, parquet

    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    else:
        feather.write_feather(table, path)


def numbers_of(path, name):
    """A column without what pandas makes of whole numbers with gaps."""
    from pyarrow import feather, parquet

    reader = parquet.read_table if path.suffix == ".parquet" else feather.read_table
    return reader(path)[name].to_pylist()


@pytest.mark.parametrize("source", ["t.parquet", "t.feather"])
@pytest.mark.parametrize("out", ["z.csv", "z.parquet", "z.arrow"])
@pytest.mark.parametrize("command", ["embed", "reconstruct"])
def test_batches_give_what_the_whole_table_gives(
    models, tmp_path, request, source, out, command, capsys
):
    rows = mixed()
    without_pandas(rows, tmp_path / source)
    more = ("--keep", "city,n,yes,day") if command == "embed" else ("--errors",)
    printed = []
    for name in ("whole-" + out, out):
        given = (command, models / "mixed.narrows", tmp_path / source, *more, "--json")
        assert run(*given, "--out", tmp_path / name) == 0
        printed.append(json.loads(capsys.readouterr().out) | {"out": ""})
        if name != out:
            request.getfixturevalue("in_batches")
    errors = [one.pop("mean_reconstruction_error", 0.0) for one in printed]
    np.testing.assert_allclose(errors[0], errors[1], rtol=1e-6)
    assert printed[0] == printed[1]
    whole, found = (read_table(tmp_path / name) for name in ("whole-" + out, out))
    pd.testing.assert_frame_equal(found, whole, rtol=1e-5, atol=1e-6)
    if command == "embed" and out != "z.csv":
        assert numbers_of(tmp_path / out, "n") == [None if n is pd.NA else n for n in rows["n"]]
        again = narrows.load(models / "mixed.narrows").transform(rows.drop(columns="n"))
        np.testing.assert_allclose(found.iloc[:, :2].to_numpy(), again, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("in_batches")
def test_rows_are_counted_over_all_batches(models, tmp_path, capsys):
    rows = mixed()
    rows.loc[[19, 30], "city"] = "new"
    rows.to_parquet(tmp_path / "t.parquet")
    given = ("embed", models / "mixed.narrows", tmp_path / "t.parquet", "--json")
    assert run(*given, "--out", tmp_path / "z.parquet") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["unseen"]["city"] == 2
    assert shown.err.count("\n") == 1
    assert "first 'new' in row 19 (counted from 0)" in shown.err


@pytest.mark.usefixtures("in_batches")
@pytest.mark.parametrize("row", [3, 21])
def test_a_gap_is_named_by_the_table_s_row(models, tmp_path, capsys, row):
    rows = pd.DataFrame({"a": np.ones(N), "b": np.ones(N)})
    rows.loc[row, "b"] = np.nan
    rows.to_parquet(tmp_path / "t.parquet")
    out = tmp_path / "z.csv"
    out.write_text("mine")
    assert run("embed", models / "plain.narrows", tmp_path / "t.parquet", "--out", out) == 2
    said = capsys.readouterr().err
    assert ("In the rows from row 16 on, which is row 0 here: " in said) == (row == 21)
    assert f"row {row % 8}" in said
    assert said.count("\n") == 1
    assert out.read_text() == "mine"


@pytest.mark.usefixtures("in_batches")
def test_columns_that_are_kept_and_learned_from(models, tmp_path):
    rows = pd.DataFrame({"a": np.arange(N) ** 2, "b": np.arange(N) % 3 == 0})
    rows.to_parquet(tmp_path / "t.parquet")
    numbers = narrows.PCA(1).fit(rows.astype(float))
    narrows.save(numbers, tmp_path / "m.narrows")
    given = ("embed", tmp_path / "m.narrows", tmp_path / "t.parquet", "--keep", "a,b")
    assert run(*given, "--out", tmp_path / "z.parquet") == 0
    found = read_table(tmp_path / "z.parquet")
    pd.testing.assert_frame_equal(found[["a", "b"]], rows)
    expected = numbers.transform(rows.astype(float))
    np.testing.assert_allclose(found["pca0"].to_numpy(), expected[:, 0], rtol=1e-5)
