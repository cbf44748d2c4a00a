"""Denoising rows whose clean version is known: autoencoders against PCA and the input itself.

Run: ``python examples/denoising.py --out denoising``. It takes scikit-learn's 1,797 digits of
8 × 8 pixels from 0 to 1, learns from three quarters of them, and spoils the rest in two ways:
normal noise is added, or pixels are set to 0. Printed is how far the spoiled rows and their
reconstructions are from the clean ones; a figure for each noise is written as PNG and SVG. One
seed and one split.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

import narrows
from narrows import plots

SHAPE = (8, 8)
WIDTHS = (256, 128)
BOTTLENECK = 16
DENOISING = "autoencoder, with noise"


def spoiled(X: np.ndarray, kind: str, amount: float, seed: int) -> np.ndarray:
    """Return rows with noise, drawn by NumPy and so not the noise that networks trained with."""
    rng = np.random.default_rng(seed)
    if kind == "gaussian":
        return X + amount * rng.normal(size=X.shape)
    return np.where(rng.random(X.shape) < amount, 0.0, X)


def reconstructed(embedder, X: np.ndarray) -> np.ndarray:
    """Return what comes back of rows."""
    return np.asarray(embedder.inverse_transform(embedder.transform(X)))


def error(rows: np.ndarray, clean: np.ndarray) -> float:
    """Return the mean squared error of a pixel."""
    return float(np.mean((rows - clean) ** 2))


def favoured_pca(X_train: np.ndarray, clean: np.ndarray, noisy: np.ndarray) -> narrows.PCA:
    """Return the PCA whose number of components suits the held-out rows best.

    Nobody could choose it without the clean rows: no number of components does better.
    """
    every = narrows.PCA(X_train.shape[1]).fit(X_train)
    scores, order = every.transform(noisy), np.arange(X_train.shape[1])
    errors = [error(every.inverse_transform(scores * (order <= last)), clean) for last in order]
    return narrows.PCA(int(np.argmin(errors)) + 1).fit(X_train)


def networks(noise: tuple[str, float], epochs: int, seed: int) -> dict:
    """Return the autoencoders by name: linear or not, trained with the noise or without."""
    training = {"bottleneck": BOTTLENECK, "epochs": epochs, "random_state": seed}
    return {
        "autoencoder, without noise": narrows.Autoencoder(encoder=WIDTHS, **training),
        "linear autoencoder, with noise": narrows.LinearAutoencoder(noise=noise, **training),
        DENOISING: narrows.Autoencoder(encoder=WIDTHS, noise=noise, **training),
    }


def reconstructions(
    X_train: np.ndarray, clean: np.ndarray, noisy: np.ndarray, noise: tuple[str, float],
    epochs: int, seed: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return the held-out rows as everyone reconstructs them from their noisy version.

    All learn from clean training rows. The first is PCA with the autoencoders' bottleneck, the
    second PCA with the best number of components, which stands in its name.
    """
    best = favoured_pca(X_train, clean, noisy)
    fitted = {
        "PCA, same bottleneck": narrows.PCA(BOTTLENECK).fit(X_train),
        f"PCA, best number ({len(best.components_)})": best,
    }
    for name, network in networks(noise, epochs, seed).items():
        fitted[name] = network.fit(X_train)
    return {name: reconstructed(embedder, noisy) for name, embedder in fitted.items()}


def closer(back: dict[str, np.ndarray], noisy: np.ndarray, clean: np.ndarray) -> str:
    """Say in how many rows the denoising autoencoder beats the input and the best PCA."""
    distances = {name: ((rows - clean) ** 2).sum(axis=1) for name, rows in back.items()}
    ours, best = distances[DENOISING], distances[list(back)[1]]
    than_input = np.mean(ours < ((noisy - clean) ** 2).sum(axis=1))
    return (
        f"closer to the clean row than the noisy one in {than_input:.1%} of rows, "
        f"than the best PCA in {np.mean(ours < best):.1%}"
    )


def draw(
    clean: np.ndarray, noisy: np.ndarray, back: dict[str, np.ndarray], labels: np.ndarray,
    out: Path, name: str,
) -> list[Path]:  # fmt: skip
    """Draw the first held-out digit of each kind."""
    first = [int(np.argmax(labels == digit)) for digit in np.unique(labels)]
    lines = {"PCA": back[list(back)[1]][first], "denoised": back[DENOISING][first]}
    figure = plots.reconstruction_images(clean[first], lines, noisy=noisy[first], shape=SHAPE)
    return plots.save_figure(figure, out, name)


def main() -> None:
    """Spoil, reconstruct, measure, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("denoising"), help="folder for figures")
    parser.add_argument("--deviation", type=float, default=0.3, help="of the normal noise")
    parser.add_argument("--share", type=float, default=0.5, help="of pixels that are set to 0")
    parser.add_argument("--epochs", type=int, default=100, help="passes over the training rows")
    parser.add_argument("--seed", type=int, default=0, help="of split, networks and noise")
    options = parser.parse_args()
    digits = load_digits()
    X, y = digits.data / 16, digits.target
    rows, held_out = narrows.partition(y, train=0.75, random_state=options.seed)
    clean = X[held_out]
    print(f"{len(rows)} digits to learn from, {len(held_out)} held out, bottleneck {BOTTLENECK}.")
    files = []
    for kind, amount in (("gaussian", options.deviation), ("masking", options.share)):
        noisy = spoiled(clean, kind, amount, options.seed)
        back = reconstructions(
            X[rows], clean, noisy, (kind, amount), options.epochs, options.seed
        )  # fmt: skip
        errors = {name: error(each, clean) for name, each in {"noisy input": noisy, **back}.items()}
        print(f"\n{kind} noise of {amount:g}: mean squared error to the clean rows")
        print(pd.Series(errors).to_string(float_format="{:.4f}".format))
        print(f"The denoising autoencoder is {closer(back, noisy, clean)}.", flush=True)
        files += draw(clean, noisy, back, y[held_out], options.out, f"denoising-{kind}")
    print("\nWritten:", *files, sep="\n  ")


if __name__ == "__main__":
    main()
