"""New rows: columns that are taken over, and levels that the model does not know."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import narrows
from narrows.cli import main
from narrows.data import TablePreprocessor, read_table

ODD = {
    "id": ["00001", "00002", "00010", "00011"],
    "country": ["NA", "", "DE", "null"],
    "well": ["1E1", "2E1", "3e2", "4"],
    "big": ["9007199254740993", "", "2", "3"],
    "day": ["2024-05-17", "2024-05-18", "2024-05-19", "2024-05-20"],
    "says": ['a "b"', "x,y", "é", " z "],
}


def run(*arguments):
    try:
        main([os.fspath(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.fixture
def model(tmp_path):
    """A model of a number and a text column."""
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0], "city": ["Rome", "Oslo", "Rome", "Bern"]})
    path = tmp_path / "m.narrows"
    narrows.save(make_pipeline(TablePreprocessor(), narrows.PCA(2)).fit(rows), path)
    return path


def table(path, cities=("Rome", "Oslo", "Rome", "Bern")):
    separator = "\t" if ".tsv" in path.suffixes else ","
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0], "city": cities, **ODD})
    rows.to_csv(path, index=False, sep=separator)
    return path


@pytest.mark.parametrize("source", ["t.csv", "t.tsv", "t.csv.gz", "t.tsv.gz"])
@pytest.mark.parametrize("out", ["z.csv", "z.tsv"])
def test_kept_columns_are_written_as_they_were(model, tmp_path, source, out):
    names = ["big", "id", *(name for name in ODD if name not in {"big", "id"})]
    rows = table(tmp_path / source)
    assert run("embed", model, rows, "--keep", ",".join(names), "--out", tmp_path / out) == 0
    separator = "\t" if out.endswith(".tsv") else ","
    found = pd.read_csv(tmp_path / out, sep=separator, dtype=str, keep_default_na=False)
    assert list(found.columns) == ["pca0", "pca1", *names]
    assert {name: list(found[name]) for name in names} == {name: ODD[name] for name in names}


def test_kept_columns_stand_behind_one_without_a_name(model, tmp_path):
    (tmp_path / "t.csv").write_text("x,,city,id\n1,,Rome,007\n\n2,,Oslo,NA\n", encoding="utf-8")
    assert run("embed", model, tmp_path / "t.csv", "--keep", "id", "--out", tmp_path / "z.csv") == 0
    found = pd.read_csv(tmp_path / "z.csv", dtype=str, keep_default_na=False)
    assert list(found["id"]) == ["007", "NA"]


def test_kept_columns_are_text_in_parquet_and_keep_their_types_from_it(model, tmp_path):
    pytest.importorskip("pyarrow")
    out, again = tmp_path / "z.parquet", tmp_path / "again.parquet"
    rows = table(tmp_path / "t.csv")
    assert run("embed", model, rows, "--keep", "id,country", "--out", out) == 0
    assert list(read_table(out)["id"]) == ODD["id"]
    assert list(read_table(out)["country"]) == ODD["country"]
    typed = pd.DataFrame({"x": [1.0, 2.0], "city": ["Rome", "Bern"], "id": [7, 8]})
    typed.to_parquet(tmp_path / "typed.parquet")
    assert run("embed", model, tmp_path / "typed.parquet", "--keep", "id", "--out", again) == 0
    assert read_table(again)["id"].dtype == "int64"


@pytest.mark.parametrize("command", ["embed", "reconstruct"])
def test_levels_that_the_model_does_not_know_are_counted(model, tmp_path, capsys, command):
    rows = table(tmp_path / "t.csv", ["Rome", "Paris", "Rome", "Lima"])
    assert run(command, model, rows, "--out", tmp_path / "z.csv", "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["unseen"] == {"city": 2}
    assert shown.err == (
        "narrows: warning: 2 rows have levels of 'city' that were not there in fit, first 'Paris' "
        "in row 1 (counted from 0); they are encoded as zeros.\n"
    )
    rows = table(tmp_path / "t.csv", ["Rome", "Oslo", "", "Bern"])
    assert run(command, model, rows, "--out", tmp_path / "z.csv") == 0
    assert "1 row has levels of 'city'" in (said := capsys.readouterr().err)
    assert "first a missing value in row 2" in said


@pytest.mark.parametrize("command", ["embed", "reconstruct"])
def test_levels_that_the_model_knows_bring_no_warning(model, tmp_path, capsys, command):
    rows = table(tmp_path / "t.csv")
    assert run(command, model, rows, "--out", tmp_path / "z.csv", "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["unseen"] == {}
    assert shown.err == ""


@pytest.mark.parametrize(("separator", "typed"), [(";", ";"), ("\t", r"\t")])
def test_text_of_another_form(model, tmp_path, separator, typed):
    """The same rows with decimal commas, another separator and encoding give the same bits."""
    rows = pd.DataFrame(
        {"x": [1.5, 2.25, 3.0, 5.0], "city": ["Rome", "Oslo", "Rome", "Bern"],
         "id": ["0001", "02", "NA", "Zürich"]}
    )  # fmt: skip
    rows.to_csv(tmp_path / "plain.csv", index=False)
    rows.to_csv(tmp_path / "t.txt", index=False, sep=separator, decimal=",", encoding="cp1252")
    form = ("--separator", typed, "--decimal", ",", "--encoding", "cp1252")
    assert (
        run("embed", model, tmp_path / "plain.csv", "--keep", "id", "--out", tmp_path / "a.csv")
        == 0
    )
    assert (
        run("embed", model, tmp_path / "t.txt", "--keep", "id", "--out", tmp_path / "b.csv", *form)
        == 0
    )
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    for out, wanted in (("c.csv", "plain.csv"), ("d.csv", "t.txt")):
        more = form if wanted == "t.txt" else ()
        assert run("reconstruct", model, tmp_path / wanted, "--out", tmp_path / out, *more) == 0
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "d.csv").read_bytes()


def test_text_of_another_form_without_its_options(model, tmp_path, capsys):
    rows = pd.DataFrame({"x": [1.5, 2.5], "city": ["Rome", "Oslo"]})
    rows.to_csv(tmp_path / "t.csv", index=False, sep=";", decimal=",")
    assert run("embed", model, tmp_path / "t.csv", "--out", tmp_path / "z.csv") == 2
    printed = capsys.readouterr().err
    assert "(--separator and --decimal on the command line)" in printed
    assert printed.count("\n") == 1
    for option, value in (("--separator", "no"), ("--decimal", "x"), ("--encoding", "no")):
        assert (
            run("embed", model, tmp_path / "t.csv", "--out", tmp_path / "z.csv", option, value) == 2
        )
        assert f"Got '{value}' instead" in capsys.readouterr().err


@pytest.mark.parametrize("text", [True, False])
def test_na_is_what_it_was_in_fit(text, tmp_path):
    """A code where --text said so, and a gap where nothing did."""
    rows, model, out = (tmp_path / name for name in ("t.csv", "m.narrows", "z.csv"))
    rows.write_text(
        "code,x\n" + "".join(f"{c},{k}\n" for k, c in enumerate(["NA", "DE", "", "FR"]))
    )
    options = ["--text", "code"] if text else []
    assert run("fit", rows, "--out", model, "--epochs", "1", "--encoder", "4", *options) == 0
    fitted = narrows.load(model)
    assert run("embed", model, rows, "--out", out) == 0
    expected = fitted.transform(read_table(rows, text="code" if text else ()))
    np.testing.assert_allclose(read_table(out).iloc[:, -2:], expected, rtol=1e-6)
    levels = fitted[0].encodings_[0].levels
    assert levels == (("DE", "FR", "NA") if text else ("DE", "FR"))


def test_text_of_fit_may_look_like_numbers_later(tmp_path):
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0], "code": ["1", "2", "A", "01"]})
    path = tmp_path / "m.narrows"
    narrows.save(make_pipeline(TablePreprocessor(), narrows.PCA(2)).fit(rows), path)
    rows.to_csv(tmp_path / "all.csv", index=False)
    rows.drop(index=2).to_csv(tmp_path / "some.csv", index=False)
    for name in ("all", "some"):
        table = tmp_path / f"{name}.csv"
        assert run("embed", path, table, "--out", tmp_path / f"{name}.z.csv") == 0
        assert run("reconstruct", path, table, "--out", tmp_path / f"{name}.r.csv") == 0
    for kind in ("z", "r"):
        found = pd.read_csv(tmp_path / f"all.{kind}.csv").drop(index=2).reset_index(drop=True)
        assert found.astype(str).equals(pd.read_csv(tmp_path / f"some.{kind}.csv").astype(str))


@pytest.mark.parametrize("extension", ["csv", "parquet"])
@pytest.mark.parametrize("command", ["embed", "reconstruct"])
def test_gaps_where_fit_had_none_are_told_of(model, tmp_path, capsys, command, extension):
    rows, out = tmp_path / f"t.{extension}", tmp_path / "z.csv"
    frame = pd.DataFrame({"x": [1.0, None, None, 4.0], "city": ["Rome", "Oslo", "Rome", "Bern"]})
    frame.to_csv(rows, index=False) if extension == "csv" else frame.to_parquet(rows)
    assert run(command, model, rows, "--json", "--out", out) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["filled"] == {"x": 2}
    assert json.loads(printed.out)["unseen"] == {}
    assert "2 rows have no value of 'x', which had no gaps in fit, first in row 1" in printed.err


def test_reconstruct_takes_columns_over(model, tmp_path, capsys):
    rows, out = table(tmp_path / "t.csv"), tmp_path / "r.csv"
    assert run("reconstruct", model, rows, "--errors", "--keep", "id,country", "--out", out) == 0
    found = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(found.columns) == ["x", "city", "reconstruction_error", "id", "country"]
    assert found["id"].tolist() == ODD["id"]
    assert run("reconstruct", model, rows, "--keep", "city", "--out", out) == 2
    assert "--keep must not repeat a name of the result. Got 'city'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["embed", "reconstruct"])
def test_text_of_fit_that_looks_like_something_else(tmp_path, command):
    rows = pd.DataFrame(
        {"x": [1.0, 2.0, 3.0, 5.0], "flag": ["True", "maybe", "False", None],
         "version": ["1.2", "v3", "13.2", "1.2"]}
    )  # fmt: skip
    path, out = tmp_path / "m.narrows", tmp_path / "z.csv"
    narrows.save(make_pipeline(TablePreprocessor(), narrows.PCA(2)).fit(rows), path)
    rows.iloc[[0, 2, 3]].astype({"x": int}).to_csv(tmp_path / "t.csv", index=False, sep=";")
    form = ["--separator", ";", "--decimal", ","]
    assert run(command, path, tmp_path / "t.csv", *form, "--out", out) == 0
    if command == "embed":
        wanted = narrows.load(path).transform(rows)[[0, 2, 3]]
        np.testing.assert_allclose(pd.read_csv(out).to_numpy(), wanted, atol=1e-9)


def test_gaps_are_told_of_whatever_is_to_be_done_with_levels(tmp_path, capsys):
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0], "city": ["Rome", "Oslo", "Rome", "Bern"]})
    path = tmp_path / "m.narrows"
    strict = make_pipeline(TablePreprocessor(unseen="error"), narrows.PCA(2))
    narrows.save(strict.fit(rows), path)
    rows.assign(x=[1.0, None, 3.0, 5.0]).to_csv(tmp_path / "t.csv", index=False)
    assert run("embed", path, tmp_path / "t.csv", "--out", tmp_path / "z.csv") == 0
    assert "1 row has no value of 'x'" in capsys.readouterr().err


def test_a_missing_table_is_answered_before_the_model_is_loaded(model, tmp_path, capsys):
    model.write_bytes(b"no model")
    assert run("embed", model, tmp_path / "no.csv", "--out", tmp_path / "z.csv") == 2
    said = capsys.readouterr().err
    assert "There is no file" in said
    assert "no.csv" in said
