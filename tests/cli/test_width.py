"""``narrows width``: a table in, how many numbers its rows need out."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from narrows.cli import main
from narrows.cli._errors import BadInputError
from narrows.cli.commands._width import _text, widths_in
from narrows.embedders.tuning import _candidates

QUICK = ["--encoder", "6", "--epochs", "5"]


def run(*arguments):
    try:
        main([os.fspath(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.fixture(autouse=True)
def one_candidate(monkeypatch):
    monkeypatch.setattr(_candidates, "DEFAULT_CANDIDATES", {"learning_rate": [1e-2]})


@pytest.fixture
def table(tmp_path):
    """Rows near a plane in four columns, a sum of two of them, and a class."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 2)) @ rng.normal(size=(2, 4)) + 0.05 * rng.normal(size=(80, 4))
    frame = pd.DataFrame(rows, columns=list("abcd")).assign(kind=np.tile(["x", "y"], 40))
    frame.assign(e=frame["a"] + frame["b"]).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_a_table_of_widths_and_a_sentence(table, capsys):
    given = ["width", table, "--label", "kind", "--scale", "none", *QUICK]
    assert run(*given) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == "width  held-out error  PCA's  ratio  unseen cells"
    # Five columns of four dimensions: three widths compress.
    assert [line.split()[0] for line in lines[1:4]] == ["1", "2", "3"]
    assert [line.endswith("chosen") for line in lines[1:4]] == [False, True, False]
    assert lines[4].startswith("Width 2 is enough: ")
    assert "the rows' intrinsic dimension is about 2." in lines[4]
    assert len(lines) == 5
    assert run(*given, "--json", "--widths", "2,1-2") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["chosen"] == 2
    assert [one["bottleneck"] for one in found["widths"]] == [1, 2]
    assert found["columns"] == ["a", "b", "c", "d", "e"]
    assert found["intrinsic_dimension"]["confidence"] == 0.95
    assert f"{found['widths'][1]['error']:.4g}" == lines[2].split()[1]


def test_widths_that_compress_nothing(table, capsys):
    given = ["width", table, "--drop", "kind,e", *QUICK]
    assert run(*given, "--widths", "3-5") == 0
    assert "narrows: warning: AutoencoderCV leaves out the widths 4, 5" in capsys.readouterr().err
    assert run(*given, "--widths", "4,5") == 2
    assert capsys.readouterr().err == (
        "narrows: --widths must have a width below 4, as others compress nothing. Got 4, 5 for 4 "
        "columns instead. Give smaller widths or more columns.\n"
    )
    assert run("width", table, "--drop", "b,c,d,e", "--label", "kind", *QUICK) == 2
    assert "Got 1 for 1 column instead" in capsys.readouterr().err


def test_widths_as_they_are_written(capsys):
    assert widths_in("1-3") == [1, 2, 3]
    assert widths_in("4, 2,2-3") == [2, 3, 4]
    for text in ("", "0", "3-1", "a", "1-", "-2", "1-2-3", "1;2", "99999"):
        with pytest.raises(BadInputError, match=r"--widths must be numbers from 1 to 1000"):
            widths_in(text)
    assert run("width", "no.csv", "--widths", "x") == 2
    assert "--widths must be numbers" in capsys.readouterr().err


def test_what_is_said_without_a_dimension():
    row = {"error": 0.5, "pca_error": 2.0, "ratio": 0.25, "cell_error": 1.0, "steps": 9}
    result = {
        "widths": [{**row, "bottleneck": 3, "chosen": True}], "chosen": 3,
        "intrinsic_dimension": None,
    }  # fmt: skip
    assert _text(result).splitlines()[-1] == (
        "Width 3 is enough: its held-out error is 0.25 of PCA's; the rows' intrinsic dimension "
        "cannot be found."
    )
