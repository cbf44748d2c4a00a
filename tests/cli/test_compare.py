"""``narrows compare`` as a user runs it."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

from narrows.cli import main
from narrows.comparison import Comparison
from narrows.comparison.probes._registry import PROBES
from narrows.datasets import iris

QUICK = ["--epochs", "2", "--seeds", "1", "--resampling", "5x1", "--encoder", "8"]


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(["compare", *map(str, arguments)])
    return stop.value.code


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "iris.csv"
    iris().to_csv(path, index=False)
    return path


def test_a_page_and_a_text(table, tmp_path, capsys):
    out = tmp_path / "iris.html"
    given = [table, "--label", "Species", "--probe", "neighbours,logistic", "--out", out, *QUICK]
    assert run(*given) in (0, None)
    shown = capsys.readouterr()
    assert "On standardized columns, judged by logistic, autoencoder" in shown.out
    assert "5 × 1 stratified folds" in shown.out
    page = out.read_text(encoding="utf-8")
    assert "What the comparison says" in page
    assert page.count('<figure class="chart"') == 4  # intervals, embeddings, rebuilt rows, losses
    assert page.count('src="data:image/svg') == 4


def test_json_on_stdout_is_a_comparison(table, capsys):
    assert run(table, "--label", "Species", "--probe", "neighbours", "--json", *QUICK) in (0, None)
    found = Comparison.from_json(capsys.readouterr().out)
    assert found.settings["n_columns"] == 4
    assert found.settings["task"] == "classification"


def test_json_in_a_file_and_another_width(table, tmp_path):
    out = tmp_path / "iris.json"
    options = ["--bottleneck", "1", "--preprocess", "none", "--controls", "linear", "--drop"]
    given = [table, "--label", "Species", "--probe", "neighbours", *options, "Petal.Width", *QUICK]
    assert run(*given, "--out", out) in (0, None)
    found = Comparison.from_json(out)
    assert found.arms == ["pca", "autoencoder", "linear autoencoder"]
    assert found.settings["n_columns"] == 3


def test_arms_that_are_fitted_with_labels(table, tmp_path, capsys):
    out = tmp_path / "iris.html"
    options = ["--label", "Species", "--probe", "neighbours", "--resampling", "5x1"]
    options += ["--preprocess", "none"]
    given = [table, *options, "--arms", "pca,lda,nca", "--arms", "pls", "--out", out]
    assert run(*given) in (0, None)
    shown = capsys.readouterr()
    assert "lda, nca, pls fitted with labels of the training rows" in shown.out
    assert "lda (fitted with labels) is" in shown.out
    assert "autoencoder" not in shown.out
    assert "failed" not in shown.out
    assert "instead of" not in shown.err
    assert "lda (out of fold), none" in out.read_text(encoding="utf-8")
    given = [table, *options, "--arms", "pca,lda,pls", "--bottleneck", "3", "--json"]
    assert run(*given) in (0, None)
    shown = capsys.readouterr()
    assert "lda has 2 dimensions instead of 3: of 3 classes there are no more" in shown.err
    found = Comparison.from_json(shown.out)
    assert found.arms[:3] == ["pca", "lda", "pls"]
    assert found.settings["labelled"] == ["lda", "pls"]
    assert found.failures.empty
    assert "n_components=2" in found.settings["arms"]["lda"]


def test_arms_for_numbers(tmp_path, capsys):
    iris().drop(columns="Species").to_csv(tmp_path / "n.csv", index=False)
    options = [tmp_path / "n.csv", "--label", "Petal.Width", "--probe", "ridge", "--json"]
    options += ["--resampling", "3x1", "--bottleneck", "1", "--task", "regression"]
    assert run(*options, "--arms", "pls") in (0, None)
    found = Comparison.from_json(capsys.readouterr().out)
    assert found.reference == "pls"
    assert found.failures.empty
    assert run(*options, "--arms", "pca,lda") == 2
    said = capsys.readouterr().err
    assert "--arms lda must have a label of classes to tell apart. Got numbers." in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--arms", "pca,ldaa"], "Got 'ldaa' instead. Did you mean 'lda'"),
        (["--arms", "pca,pca"], "Got 'pca,pca' instead. Name each once."),
        (["--arms", "pca,lda", "--epochs", "3"], "--epochs is for the autoencoder."),
        (["--arms", "pca,lda", "--encoder", "3"], "--encoder is for the autoencoder."),
    ],
)
def test_arms_that_cannot_be(table, capsys, options, said):
    assert run(table, "--label", "Species", *options) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_text_of_another_form(table, tmp_path, capsys):
    iris().to_csv(tmp_path / "iris.txt", index=False, sep=";", decimal=",", encoding="utf-16")
    options = ["--label", "Species", "--probe", "neighbours", "--controls", "", "--json", *QUICK]
    form = ["--separator", ";", "--decimal", ",", "--encoding", "utf-16"]
    assert run(tmp_path / "iris.txt", *options, *form) in (0, None)
    found = Comparison.from_json(capsys.readouterr().out)
    assert run(table, *options) in (0, None)
    pd.testing.assert_frame_equal(
        found.frame(), Comparison.from_json(capsys.readouterr().out).frame()
    )


def test_numbers_as_labels(tmp_path, capsys):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X.assign(progress=y).to_csv(tmp_path / "d.csv", index=False)
    options = ["--label", "progress", "--probe", "ridge", "--preprocess", "standardize", *QUICK]
    assert run(tmp_path / "d.csv", *options) in (0, None)
    assert "R² of ridge" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_numbers(table, capsys):
    results = []
    for _ in range(2):
        run(table, "--label", "Species", "--probe", "neighbours", "--json", *QUICK)
        content = json.loads(capsys.readouterr().out)
        results.append([content["scores"], content["fingerprint"]])
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--label", "species"], "did you mean 'Species'"),
        (["--label", "Species", "--drop", "x"], "--drop must name columns"),
        (["--label", "Species", "--resampling", "5 of 5"], "--resampling must be"),
        (["--label", "Species", "--probe", "tree"], "--probe must have"),
        (["--label", "Species", "--controls", "raw,rendom"], "Did you mean 'random'"),
        (["--label", "Species", "--preprocess", "scale"], "--preprocess must be"),
        (["--label", "Species", "--out", "page.pdf"], "--out must end in .html, .json"),
        (["--label", "Species", "--encoder", "a"], "--encoder must be widths"),
        (["--label", "Species", "--bottleneck", "5"], "can have at most 4 components"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(table, options, message, capsys):
    code = run(table, *QUICK, *options)
    assert code == 2
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    assert pd.Series([shown.err + shown.out]).str.contains(message).all()


def test_a_label_with_gaps_is_refused(tmp_path, capsys):
    rows = iris().astype({"Species": object})
    rows.loc[7, "Species"] = np.nan
    rows.to_csv(tmp_path / "gaps.csv", index=False)
    assert run(tmp_path / "gaps.csv", "--label", "Species", *QUICK) == 2
    assert "Got 1 missing, the first in row 7" in capsys.readouterr().err


def test_two_labels_are_refused(table, capsys):
    assert run(table, "--label", "Species,Sepal.Width", *QUICK) == 2
    said = capsys.readouterr().err
    assert "--label must name one column. Got 2, 'Species', 'Sepal.Width', instead." in said


@pytest.mark.parametrize(
    ("label", "options", "kind", "said"),
    [
        (
            "code",
            [],
            "classification",
            "labels 'code' are taken for classes; --task regres",
        ),
        ("code", ["--task", "regression"], "regression", ""),
        ("code", ["--quiet"], "classification", ""),
        (
            "half",
            [],
            "regression",
            "labels 'half' are taken for numbers; --task classif",
        ),
        ("half", ["--task", "classification"], "classification", ""),
        ("Species", [], "classification", ""),
    ],
)
def test_what_the_label_is_can_be_told(tmp_path, capsys, label, options, kind, said):
    rows = iris()
    rows["code"] = rows["Species"].astype("category").cat.codes
    rows["half"] = rows["code"] / 2
    rows.to_csv(tmp_path / "codes.csv", index=False)
    given = [tmp_path / "codes.csv", "--label", label, "--probe", "neighbours", "--json", *QUICK]
    assert run(*given, "--controls", "", "--preprocess", "none", *options) in (0, None)
    shown = capsys.readouterr()
    assert json.loads(shown.out)["settings"]["task"] == kind
    assert said in shown.err
    assert ("are taken for" in shown.err) == bool(said)


def test_an_unknown_probe_lists_every_probe(capsys, table):
    labels = dict(zip(PROBES, ("Species", "Petal.Width"), strict=True))
    for kind, probes in PROBES.items():
        assert run(table, "--label", labels[kind], "--probe", "nothing") == 2
        text = " ".join(capsys.readouterr().err.split())
        assert [name for name in probes if repr(name) not in text] == []


def help_of(option, capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    text = capsys.readouterr().out
    return text[text.index(option + " ") :].split("--task ")[0]


def test_rows_that_belong_together(tmp_path, capsys):
    rng, who = np.random.default_rng(0), np.repeat(np.arange(12), 4)
    rows = pd.DataFrame(rng.normal(size=(12, 3))[who], columns=["a", "b", "c"])
    rows.assign(who=who, y=[f"c{n % 2}" for n in who]).to_csv(tmp_path / "t.csv", index=False)
    options = [tmp_path / "t.csv", "--label", "y", "--probe", "neighbours", "--json", *QUICK]
    assert run(*options, "--groups", "who") in (0, None)
    shown = capsys.readouterr()
    assert "repeat" not in shown.err
    found = Comparison.from_json(shown.out)
    assert found.settings["n_columns"] == 3
    assert found.resamples.describe() == "5 × 1 stratified folds of 12 groups"
    assert all(not set(who[train]) & set(who[test]) for train, test in found.resamples)
    assert run(*options, "--drop", "who") in (0, None)
    assert "36 of 48 rows repeat other rows" in capsys.readouterr().err
    assert run(*options, "--groups", "whom") == 2
    assert "--groups must name columns of the table" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--resampling", "60x1"], ["--label must have at least 60", "--resampling 50x1, join"]),
        (["--resampling", "5 by 5"], ["narrows: --resampling must be a text such as '5x5'"]),
        (["--probe", "tree"], ["narrows: --probe must"]),
        (["--controls", "none"], ["--controls"]),
        (["--preprocess", "scaled"], ["narrows: --preprocess must be one of 'none'"]),
    ],
)
def test_bad_options_are_called_as_they_were_typed(table, capsys, options, said):
    assert run(table, "--label", "Species", *options) == 2
    printed = capsys.readouterr().err
    assert "parameter" not in printed
    assert all(part in printed for part in said), printed
