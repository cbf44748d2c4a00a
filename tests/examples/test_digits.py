"""The digits example runs, says what it says of itself, and writes its figures."""

import os
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

import narrows

SCRIPT = Path(__file__).parents[2] / "examples" / "digits.py"
NAMES = ("embedding", "plane", "reconstructions")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What the example prints, and its folder."""
    out = tmp_path_factory.mktemp("example") / "new"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), "--out", str(out), "--epochs", "2"])
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *words: printed.append(" ".join(map(str, words))))
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return "\n".join(printed), out


def row(text, name):
    """The numbers in one row of the printed table."""
    line = next(line for line in text.splitlines() if line.startswith(name))
    return [float(number) for number in line.removeprefix(name).split()]


@pytest.mark.long
def test_it_writes_three_figures(run):
    _, out = run
    wanted = {f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")}
    assert set(os.listdir(out)) == wanted
    assert all((out / name).stat().st_size < 500_000 for name in wanted)


@pytest.mark.long
def test_it_prints_every_embedders_measures(run):
    text, out = run
    assert re.search(r"1-NN accuracy +trustworthiness +squared error +fit seconds", text)
    for name in ("convolutional", "dense", "PCA"):
        accuracy, trust, error, seconds = row(text, name)
        assert 0 < accuracy <= 1
        assert 0 < trust <= 1
        assert 0 < error < 0.2
        assert seconds >= 0
    assert str(out / "plane.svg") in text


def test_what_it_says_of_pca_is_so(run):
    X, y = load_digits().data / 16, load_digits().target
    train, test = narrows.partition(y, train=0.75, random_state=0)
    pca = PCA(2).fit(X[train])
    Z_train, Z_test = pca.transform(X[train]), pca.transform(X[test])
    wanted = [
        KNeighborsClassifier(1).fit(Z_train, y[train]).score(Z_test, y[test]),
        trustworthiness(X[test], Z_test, n_neighbors=12),
        np.mean((pca.inverse_transform(Z_test) - X[test]) ** 2),
    ]
    text, _ = run
    assert f"{len(train)} digits to learn from, {len(test)} held out" in text
    assert row(text, "PCA")[:3] == pytest.approx(wanted, abs=0.0006)
