"""Output into pipes and files that are not UTF-8 or full, and files whose names are not UTF-8."""

import datetime
import errno
import io
import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import narrows
from narrows.cli import main
from narrows.cli._stdout import encodable_stdout, open_streams
from narrows.cli.commands import _compare
from narrows.cli.iris import _compute, _files, _page, _show
from narrows.data import read_table
from narrows.storage import read_manifest

ODD = os.fsdecode(b"caf\xe9")
LABELS = ["\u732b", "\u72ac", "\xe9"]


class Full(io.StringIO):
    """A file on a disk that is full."""

    def write(self, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def run(monkeypatch, stdout, *arguments):
    """Run a command with another stdout; return its exit code."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as stop:
            main([os.fspath(argument) for argument in arguments])
    return stop.value.code or 0


def stream(encoding, errors="strict"):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors, newline="")


def text_of(stdout):
    stdout.flush()
    return stdout.buffer.getvalue().decode(stdout.encoding)


def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 2)), columns=["a", "b"])
    return frame.assign(label=LABELS * 10)


@pytest.fixture(scope="module")
def found():
    rows = table()
    return narrows.compare(
        {"pca": narrows.PCA(2), "one": narrows.PCA(1)}, rows[["a", "b"]], rows["label"],
        probes=("neighbours",), preprocess=("none",), resampling="3x1", seeds=1, controls=(),
        random_state=0,
    )  # fmt: skip


@pytest.fixture
def comparing(found, tmp_path, monkeypatch):
    """A command that compares, the comparison itself being done already."""
    table().to_csv(tmp_path / "t.csv", index=False)
    monkeypatch.setattr(narrows, "compare", lambda *_, **__: found)
    return ["compare", tmp_path / "t.csv", "--label", "label"]


@pytest.mark.parametrize(("encoding", "times"), [("cp1252", "\xd7"), ("ascii", "x")])
def test_signs_that_stdout_has_not_are_replaced(
    comparing, found, monkeypatch, encoding, times, tmp_path
):
    stdout = stream(encoding)
    code = run(monkeypatch, stdout, *comparing, "--out", tmp_path / "c.json")
    assert code == 0
    expected = str(found).replace("\N{MINUS SIGN}", "-").replace("\xd7", times)
    assert "\N{MINUS SIGN}" in str(found)
    assert text_of(stdout).replace(os.linesep, "\n") == expected + "\n"
    assert stdout.errors == "strict"
    assert (tmp_path / "c.json").exists()


def test_results_are_written_before_they_are_printed(comparing, monkeypatch, tmp_path, capsys):
    out = tmp_path / "c.json"
    for more in ([], ["--json"]):
        out.unlink(missing_ok=True)
        assert run(monkeypatch, Full(), *comparing, "--out", out, *more) == 2
        assert out.exists()
        assert capsys.readouterr().err.endswith(
            "Cannot write the result: No space left on device.\n"
        )


def test_results_that_cannot_be_written_are_printed(comparing, found, monkeypatch, tmp_path):
    stdout = stream("utf-8")
    monkeypatch.setattr(_compare, "_write", lambda *_: Full().write(""))
    assert run(monkeypatch, stdout, *comparing, "--out", tmp_path / "c.json") == 2
    assert str(found) in text_of(stdout).replace(os.linesep, "\n")


def encodable(patched, stdout):
    patched.setattr(sys, "stdout", stdout)
    return encodable_stdout()


def test_escapes_keep_names_apart_and_the_user_s_choice_stays(monkeypatch):
    for errors, shown in (("strict", r"\u732b \u72ac -1"), ("replace", "? ? ?1")):
        stdout = stream("cp1252", errors)
        with monkeypatch.context() as patched, encodable(patched, stdout):
            print(*LABELS[:2], "\N{MINUS SIGN}1", end="", flush=True)
        assert text_of(stdout) == shown
        assert stdout.errors == errors
    with encodable_stdout(), pytest.raises(UnicodeDecodeError):
        b"\xff".decode("utf-8", "narrows.cli")


def test_a_closed_stderr_is_not_stdout(monkeypatch, tmp_path):
    stdout = stream("utf-8")
    monkeypatch.setattr(sys, "stderr", None)
    assert run(monkeypatch, stdout, "inspect", tmp_path / "none.narrows") == 2
    assert text_of(stdout) == ""
    monkeypatch.setattr(sys, "stdout", None)
    with open_streams():
        print("nowhere")
        sys.stdout.isatty()
    assert sys.stdout is None


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_json_is_json_in_every_encoding(monkeypatch, tmp_path, encoding):
    rows = table().rename(columns={"a": "\u732b", "b": "\xe9"})[["\u732b", "\xe9"]]
    model = tmp_path / f"{ODD}.narrows"
    narrows.save(narrows.PCA(1).fit(rows), model)
    for name in (ODD, "plain"):
        stdout = stream(encoding)
        path = model if name == ODD else model.rename(tmp_path / "plain.narrows")
        assert run(monkeypatch, stdout, "inspect", path, "--json") == 0
        stdout.flush()
        content = stdout.buffer.getvalue()
        read = json.loads(content.decode("utf-8"))  # as JSON must be
        assert [one["name"] for one in read["columns"]] == list(rows)
        assert os.fsencode(read["model"]) == os.fsencode(path)
        assert ("\u732b".encode() in content) == (encoding == "utf-8" and name == "plain")


def test_iris_is_written_where_it_cannot_be_printed(monkeypatch, tmp_path, capsys):
    written = []
    for part, names in (
        (_compute, ["load", "train", "embeddings", "post_forests", "compared"]),
        (_show, ["network", "history", "reconstruction", "weights", "round_trip", "embeddings",
                 "forests", "comparison", "files"]),
        (_page, ["Results"]),
    ):  # fmt: skip
        for name in names:
            monkeypatch.setattr(part, name, lambda *_: None)
    monkeypatch.setattr(_show, "data", lambda say, _: say("Step 1"))
    monkeypatch.setattr(_files, "weights_round_trip", lambda *_: SimpleNamespace(embedding=None))
    monkeypatch.setattr(_files, "figures", lambda *_: SimpleNamespace(paths=list))
    monkeypatch.setattr(_files, "tables_and_models", lambda *_: [])
    monkeypatch.setattr(_page, "write", lambda folder, *_: written.append(folder))
    out = tmp_path / "iris"
    assert run(monkeypatch, Full(), "iris", "--out", out, "--quiet") == 2
    assert written == [out]
    said = capsys.readouterr().err
    assert said == "narrows: Cannot write the result: No space left on device.\n"


def test_names_that_are_not_utf_8(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    rows = table().assign(label=["u", "v"] * 15)
    rows.to_csv(f"{ODD}.csv", index=False)

    def fit(self, *given, _fit=narrows.Autoencoder.fit, **more):
        os.remove(f"{ODD}.csv")  # as long as a training takes, a table can change
        return _fit(self, *given, **more)

    monkeypatch.setattr(narrows.Autoencoder, "fit", fit)
    quick = ["--label", "label", "--encoder", "4", "--epochs", "1"]
    model = f"{ODD}.narrows"
    assert run(monkeypatch, sys.stdout, "fit", f"{ODD}.csv", *quick, "--out", model) == 0
    assert read_manifest(model)["provenance"]["table"] == r"caf\udce9.csv"
    rows.to_csv("t.csv", index=False)
    expected = narrows.load(model).transform(rows[["a", "b"]])
    pytest.importorskip("pyarrow")
    rows.to_parquet("t.parquet")
    rows.to_feather("t.arrow")
    for kind in ("csv", "parquet", "arrow"):
        os.rename(f"t.{kind}", f"{ODD}.{kind}")
        out = f"z{ODD}.{kind}"
        given = ["embed", model, f"{ODD}.{kind}", "--out", out, "--keep", "label", "--json"]
        capsys.readouterr()
        assert run(monkeypatch, sys.stdout, *given) == 0
        assert json.loads(capsys.readouterr().out)["out"] == out
        found = read_table(out)
        np.testing.assert_allclose(found.iloc[:, :2], expected, rtol=1e-5, atol=1e-6)
        assert found["label"].tolist() == rows["label"].tolist()


def test_a_page_with_a_name_that_is_not_utf_8(comparing, monkeypatch, tmp_path):
    odd = (tmp_path / "t.csv").rename(tmp_path / f"{ODD}.csv")
    monkeypatch.setattr(sys, "argv", ["narrows", "compare", f"{ODD}.csv"])
    out = tmp_path / f"{ODD}.html"
    monkeypatch.setattr("narrows.report.comparison_report", _report)
    assert run(monkeypatch, stream("utf-8"), "compare", odd, *comparing[2:], "--out", out) == 0
    page = out.read_text(encoding="utf-8")
    assert r"caf\udce9.csv: is the embedding worth it?" in page
    assert r"narrows compare &#39;caf\udce9.csv&#39;" in page


def _report(found, *, title, command, **_):
    """Return a page without the drawings, which take long."""
    from narrows.report import Report

    return Report(title, command, datetime.datetime(2024, 1, 1), versions={}, sections=[])
