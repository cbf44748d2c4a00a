"""How results look on a terminal, and that pipes get plain text."""

import contextlib
import io
import os
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

import narrows
from narrows.cli import main
from narrows.cli._comparison_view import show_comparison
from narrows.cli._results import wrapped
from narrows.comparison import headline

COLOUR = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture(scope="module")
def found():
    table = narrows.datasets.iris()
    return narrows.compare(
        {"pca": narrows.PCA(2), "narrow": narrows.PCA(1), "broken": narrows.PCA(2)},
        table.drop(columns="Species"), table["Species"],
        probes=("neighbours", "logistic"), resampling="5x1", controls=("raw", "random"), seeds=1,
    )  # fmt: skip


def shown(found, width=80, **options):
    options = {"force_terminal": True, "color_system": None} | options
    console = Console(file=io.StringIO(), width=width, **options)
    show_comparison(found, console)
    return console.file.getvalue()


def test_the_verdict_comes_first_and_lines_fit(found):
    text = shown(found)
    assert " ".join(text.split()).startswith(" ".join(headline(found).split()))
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    for sentence in found.sentences():
        assert sentence in " ".join(text.split())


def cells(text, probe):
    """The rows under a probe's title, each as its words."""
    part = text.split(f"accuracy of {probe}")[1].split("accuracy of")[0]
    return [line.split() for line in part.splitlines() if re.search(r"0\.\d{3}", line)]


@pytest.mark.parametrize("probe", ["neighbours", "logistic"])
def test_every_arm_is_there_with_its_numbers(found, probe):
    means = found.summary().query("measure == 'accuracy' and probe == @probe")
    wanted = [f"{mean:.3f}" for choice in ("none", "standardize")
              for mean in means[means["preprocess"] == choice]["mean"]]  # fmt: skip
    rows = cells(shown(found), probe)
    assert len(rows) == 10
    numbers = [next(word for word in row if word.startswith(("0.", "1."))) for row in rows]
    assert numbers == wanted
    verdicts = found.verdicts(probe)["verdict"]
    assert sorted(row[-1] for row in rows) == sorted([*verdicts, "reference", "reference"])


def test_controls_are_marked_and_dimmed(found):
    coloured = shown(found, color_system="standard", no_color=False)
    dim = [COLOUR.sub("", line) for line in coloured.splitlines() if "\x1b[2m" in line]
    assert sum(line.startswith("· raw columns") for line in dim) == 4
    assert sum(line.startswith("· random projection") for line in dim) == 4
    assert not [line for line in dim if line.startswith(("pca", "narrow"))]
    assert "· a control" in shown(found)


def test_wide_terminals_get_more_columns_and_narrow_ones_fewer(found):
    assert "better/equiv./worse" not in shown(found, 80)
    assert "better/equiv./worse" in shown(found, 100)
    assert "SD splits" in shown(found, 120)
    assert "95 % interval  " not in shown(found, 50)
    assert max(cell_len(line) for line in shown(found, 50).splitlines()) <= 50


def test_pipes_and_files_get_the_comparisons_own_text(found):
    assert shown(found, force_terminal=False) == f"{found}\n"


def test_failures_are_said(found):
    from dataclasses import replace

    import pandas as pd

    lost = pd.DataFrame(
        [{"arm": "broken", "preprocess": "none", "probe": "embedding", "resample": n, "seed": 0,
          "message": "it broke [red]"} for n in range(2)]
    )  # fmt: skip
    text = shown(replace(found, failures=lost))
    assert "2 fits failed:" in text
    assert "broken under 'none', 2 times: it broke [red]" in text


def test_wrapping_breaks_at_words_and_keeps_indents():
    text = "short\n  name: " + "word " * 30 + "\n" + "x" * 90
    lines = wrapped(text, 80).splitlines()
    assert lines[0] == "short"
    assert lines[1].startswith("  name: word")
    assert lines[2].startswith("    word")
    assert lines[-1] == "x" * 90
    assert max(map(len, lines[:-1])) <= 80
    assert wrapped(text, 200) == text


def on_a_terminal(folder, *arguments, **variables):
    """Run narrows with stdout and stderr on a terminal of 80 columns; return what it shows."""
    pty = pytest.importorskip("pty")
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **variables}
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        environment.pop(name, None)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from narrows.cli import main; main()", *map(os.fspath, arguments)],
        cwd=folder, stdout=theirs, stderr=theirs, env=environment,
    )  # fmt: skip
    os.close(theirs)
    read = []
    with contextlib.suppress(OSError):  # of Linux, when the other end is closed
        while piece := os.read(ours, 65536):
            read.append(piece)
    os.close(ours)
    assert process.wait(60) == 0
    return b"".join(read).decode()


@pytest.mark.long
def test_a_fit_shows_progress_on_a_terminal(tmp_path):
    narrows.datasets.iris().to_csv(tmp_path / "iris.csv", index=False)
    given = ["fit", "iris.csv", "--label", "Species", "--encoder", "6", "--epochs", "30"]
    text = on_a_terminal(tmp_path, *given, "--out", "m.narrows")
    assert "epochs" in text
    assert re.search(r"\d:\d\d:\d\d", text), "no time left"
    result = COLOUR.sub("", text).rsplit("150 rows", 1)[1]
    assert max(map(len, result.splitlines())) <= 80


@pytest.mark.long
@pytest.mark.parametrize("extension", [".parquet", ".arrow"])
@pytest.mark.parametrize("options", [["embed"], ["reconstruct"], ["embed", "--quiet"]])
def test_rows_in_batches_show_progress_on_a_terminal(tmp_path, extension, options):
    pytest.importorskip("pyarrow")
    rows = narrows.datasets.iris().drop(columns="Species")
    narrows.save(narrows.PCA(2).fit(rows), tmp_path / "m.narrows")
    with narrows.scale.TableWriter(tmp_path / f"iris{extension}") as writer:
        writer.write(rows)
    given = [options[0], "m.narrows", f"iris{extension}", "--out", "z.csv", *options[1:]]
    text = COLOUR.sub("", on_a_terminal(tmp_path, *given))
    *bar, result = re.findall(r"[\d/]+ rows", text)
    assert result == "150 rows"
    shown = {".parquet": "150/150 rows", ".arrow": "150 rows"}[extension]
    assert (shown in bar) if "--quiet" not in options else not bar


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("options", [[], ["--quiet"], ["-q"]])
def test_a_bar_is_wanted_on_a_terminal_unless_quiet(tmp_path, monkeypatch, terminal, options):
    seen = {}

    def fit(self, *arguments, **more):
        seen["verbose"] = self.verbose
        raise ValueError("enough")

    narrows.datasets.iris().to_csv(tmp_path / "iris.csv", index=False)
    monkeypatch.setattr(narrows.AutoencoderCV, "fit", fit)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    out = os.fspath(tmp_path / "m.narrows")
    with pytest.raises(SystemExit):
        main(["fit", os.fspath(tmp_path / "iris.csv"), "--out", out, *options])
    assert seen["verbose"] == (terminal and not options)


def test_quiet_takes_warnings_not_away(tmp_path, capsys):
    narrows.datasets.iris().assign(same=1).to_csv(tmp_path / "iris.csv", index=False)
    given = ["fit", tmp_path / "iris.csv", "--epochs", "1", "--encoder", "6", "--quiet"]
    with pytest.raises(SystemExit):
        main([os.fspath(one) for one in [*given, "--out", tmp_path / "m.narrows"]])
    assert re.fullmatch("narrows: warning: .*'same'.*\n", capsys.readouterr().err)


def test_quiet_takes_notes_away(tmp_path, capsys):
    narrows.datasets.iris().to_csv(tmp_path / "iris.csv", index=False)
    given = ["compare", tmp_path / "iris.csv", "--label", "Species", "--epochs", "1", "--seeds",
             "1", "--encoder", "", "--probe", "neighbours", "--resampling", "3x1", "--controls",
             "", "--preprocess", "standardize", "--out", tmp_path / "c.json"]  # fmt: skip
    for options in ([], ["--quiet"]):
        with pytest.raises(SystemExit) as stop:
            main([os.fspath(one) for one in [*given, *options]])
        assert not stop.value.code
        printed = capsys.readouterr()
        assert ("written to" in printed.err) == (not options)
        assert "pca" in printed.out
