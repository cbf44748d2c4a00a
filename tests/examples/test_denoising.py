"""The denoising example runs, its measures are right, and what it claims holds."""

import os
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import narrows

SCRIPT = Path(__file__).parents[2] / "examples" / "denoising.py"
FILES = {
    f"denoising-{kind}.{ending}" for kind in ("gaussian", "masking") for ending in ("png", "svg")
}
EXAMPLE = runpy.run_path(str(SCRIPT))


def split(seed):
    """Training rows and held-out rows, clean."""
    X, y = load_digits().data / 16, load_digits().target
    train, test = narrows.partition(y, train=0.75, random_state=seed)
    return X[train], X[test]


def sklearn_errors(train, clean, noisy):
    """The mean squared error of scikit-learn's PCA with 1, 2, … components."""
    every = PCA(svd_solver="full").fit(train)
    return np.array(
        [
            np.mean(((noisy - every.mean_) @ axes.T @ axes + every.mean_ - clean) ** 2)
            for axes in (every.components_[:count] for count in range(1, train.shape[1] + 1))
        ]
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What the example prints, and its folder."""
    out = tmp_path_factory.mktemp("example") / "new"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(SCRIPT), "--out", str(out), "--epochs", "2"])
        printed: list[str] = []
        patch.setattr(
            "builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words)))
        )
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return "\n".join(printed), out


@pytest.mark.long
def test_it_writes_a_figure_for_each_noise(run):
    text, out = run
    assert set(os.listdir(out)) == FILES
    assert all((out / name).stat().st_size < 200_000 for name in FILES)
    assert str(out / "denoising-masking.svg") in text


@pytest.mark.long
def test_what_it_says_of_the_input_and_pca_is_so(run):
    train, clean = split(0)
    text, _ = run
    parts = re.split(r"\n(?=gaussian|masking)", text)[1:]
    assert len(parts) == 2
    for part, kind, amount in zip(parts, ("gaussian", "masking"), (0.3, 0.5), strict=True):
        noisy = EXAMPLE["spoiled"](clean, kind, amount, 0)
        pca = sklearn_errors(train, clean, noisy)
        wanted = {
            "noisy input": np.mean((noisy - clean) ** 2),
            "PCA, same bottleneck": pca[EXAMPLE["BOTTLENECK"] - 1],
            f"PCA, best number ({pca.argmin() + 1})": pca.min(),
        }
        for name, error in wanted.items():
            printed = re.search(re.escape(name) + r" +(\d\.\d{4})\n", part)
            assert printed, name
            assert float(printed[1]) == pytest.approx(error, abs=0.00006)


def test_noise_is_what_it_is_called():
    clean = np.ones((400, 64))
    added = EXAMPLE["spoiled"](clean, "gaussian", 0.3, 1) - clean
    assert added.mean() == pytest.approx(0, abs=0.01)
    assert added.std() == pytest.approx(0.3, abs=0.01)
    masked = EXAMPLE["spoiled"](clean, "masking", 0.4, 1)
    assert set(np.unique(masked)) == {0, 1}
    assert np.mean(masked == 0) == pytest.approx(0.4, abs=0.02)


def test_networks_train_with_the_noise_that_their_names_say():
    noise = ("masking", 0.5)
    for name, network in EXAMPLE["networks"](noise, epochs=1, seed=0).items():
        assert network.noise == (noise if name.endswith("with noise") else 0.0)
        assert network.bottleneck == EXAMPLE["BOTTLENECK"]


def test_rows_that_came_closer_are_counted():
    clean, noisy = np.zeros((4, 2)), np.array([[1, 0], [1, 0], [1, 0], [0.1, 0]])
    ours = np.array([[0, 0.5], [0.5, 0], [0.9, 0], [0.5, 0]])
    back = {"first": ours, "best": np.full((4, 2), 0.6), EXAMPLE["DENOISING"]: ours}
    said = EXAMPLE["closer"](back, noisy, clean)
    # 0.9 is further away than (0.6, 0.6), which is at 0.849.
    assert re.findall(r"[\d.]+%", said) == ["75.0%", "75.0%"]
    assert re.findall(r"[\d.]+%", EXAMPLE["closer"](back, ours * 0.9, clean)) == ["0.0%", "75.0%"]


@pytest.mark.long
@pytest.mark.parametrize(("kind", "amount"), [("gaussian", 0.3), ("masking", 0.5)])
def test_a_denoising_autoencoder_is_closer_to_the_clean_rows_than_input_and_pca(kind, amount):
    train, clean = split(1)
    noisy = EXAMPLE["spoiled"](clean, kind, amount, seed=1)
    trained = {"bottleneck": 16, "encoder": (128,), "epochs": 40, "random_state": 1}
    denoising = narrows.Autoencoder(noise=(kind, amount), **trained).fit(train)
    plain = narrows.Autoencoder(**trained).fit(train)

    def error(rows):
        return np.mean((rows - clean) ** 2)

    best_pca = sklearn_errors(train, clean, noisy).min()
    assert best_pca < error(noisy)
    assert error(denoising.reconstruct(noisy)) < 0.8 * best_pca
    # The noise in training does it: the same network without is worse than PCA.
    assert error(plain.reconstruct(noisy)) > best_pca
