"""Which errors of a table's columns are the user's, and which are faults of narrows."""

import datetime
import os

import pandas as pd
import pytest

from narrows.cli import main
from narrows.cli._errors import BadInputError, bad_input
from narrows.data import TablePreprocessor

pytest.importorskip("pyarrow")
ODD = {
    "list": [1, 2],
    "struct": {"a": 1},
    "binary": b"ab",
    "time": datetime.time(1, 30),
    "duration": pd.Timedelta("1h"),
}
QUICK = ["--epochs", "1", "--encoder", "4"]
COMPARE = [*QUICK, "--probe", "neighbours", "--resampling", "5x1", "--seeds", "1"]


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main([os.fspath(argument) for argument in arguments])
    return stop.value.code


def odd_table(folder, value):
    path = folder / "odd.parquet"
    numbers = [float(number) for number in range(20)]
    table = pd.DataFrame({"x": numbers, "odd": [value] * 20, "y": ["a", "b"] * 10})
    table.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ODD)
def test_columns_that_cannot_be_learned_from_are_bad_input(tmp_path, capsys, kind):
    path = odd_table(tmp_path, ODD[kind])
    assert run("fit", path, *QUICK, "--out", tmp_path / "m.narrows") == 2
    assert run("compare", path, "--label", "y", *COMPARE) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("column 'odd'" in line and "or drop it" in line for line in lines)


@pytest.mark.parametrize("kind", ODD)
def test_labels_that_are_none_are_bad_input(tmp_path, capsys, kind):
    path = odd_table(tmp_path, ODD[kind])
    assert run("compare", path, "--label", "odd", *COMPARE) == 2
    message = "--label must name a column of text, numbers, booleans or dates. Got "
    assert capsys.readouterr().err.startswith(f"narrows: {message}")


def test_only_what_the_checks_of_a_table_raise_is_bad_input():
    with pytest.raises(BadInputError, match="Got bytes"), bad_input():
        TablePreprocessor().fit(pd.DataFrame({"a": [b"x", b"y"]}))
    with pytest.raises(TypeError, match="unexpected keyword"), bad_input():
        TablePreprocessor(scaling="none")
    with pytest.raises(TypeError, match="argument"), bad_input():
        TablePreprocessor().fit()
    with pytest.raises(TypeError, match="has no len"), bad_input():  # in narrows.data itself
        TablePreprocessor()._adopt(3, None)


def tables_with_an_odd_column(folder):
    """Text and Arrow of the same rows, each with a column that cannot be read as asked for."""
    import pyarrow as pa

    rows = pd.DataFrame({"x": [n + 0.5 for n in range(20)], "y": ["a", "b"] * 10, "n": range(20)})
    text = folder / "t.csv"
    rows.assign(odd=[f"{n}.5" for n in range(20)], x=rows["x"].round().astype(int)).to_csv(
        text, sep=";", index=False
    )
    arrow = pa.Table.from_pandas(rows).append_column("odd", pa.array(range(20), pa.time64("ns")))
    with pa.ipc.new_file(os.fspath(folder / "t.arrow"), arrow.schema) as writer:
        writer.write_table(arrow)
    return [(text, ["--separator", ";", "--decimal", ","]), (folder / "t.arrow", [])]


def test_columns_that_are_left_out_are_not_read(tmp_path, capsys, monkeypatch):
    given = []

    def compare(arms, learned, labels, **more):
        given.append((list(learned), labels.name))
        raise ValueError("as far as this test goes")

    monkeypatch.setattr("narrows.compare", compare)
    model, out = tmp_path / "m.narrows", tmp_path / "z.csv"
    for path, form in tables_with_an_odd_column(tmp_path):
        assert run("fit", path, *form, *QUICK, "--out", model) == 2
        assert (
            run("fit", path, *form, *QUICK, "--label", "odd", "--drop", "nn", "--out", model) == 2
        )
        assert run("fit", path, *form, *QUICK, "--drop", "x,y,n,odd", "--out", model) == 2
        assert run("compare", path, *form, "--label", "y", "--drop", "odd,n") == 2
        assert run("compare", path, *form, "--label", "y", "--drop", "odd,nn") == 2
        lines = capsys.readouterr().err.splitlines()
        assert "'odd'" in lines[0]
        assert "There is no 'nn' (did you mean 'n'?). It has 'x', 'y', 'n', 'odd'." in lines[1]
        assert "must leave a column to learn from" in lines[2]
        assert "as far as this test goes" in lines[3]
        assert "There is no 'nn'" in lines[4]
        assert given.pop() == (["x"], "y")
        for options in (["--label", "odd", "--drop", "y"], ["--label", "y", "--drop", "odd"]):
            assert not run("fit", path, *form, *QUICK, *options, "--out", model)
        assert not run("embed", model, path, *form, "--out", out, "--json")
        assert '"left_out": [\n  "y",\n  "odd"\n ]' in capsys.readouterr().out
        assert len(pd.read_csv(out)) == 20
        if not form:
            pytest.importorskip("onnx")
            assert not run("export", model, "--onnx", tmp_path / "m.onnx", "--rows", path)
