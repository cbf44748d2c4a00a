"""Handwritten digits in two dimensions: a convolutional autoencoder, a dense one and PCA.

Run: ``python examples/digits.py --out digits``. It takes scikit-learn's 1,797 digits of 8 × 8
pixels, learns two-dimensional embeddings from three quarters of them, judges all on the rest, and
writes three figures as PNG and SVG. One seed and one split: a look, not a verdict, for which there
is ``narrows.compare``.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

import narrows
from narrows import plots, quality

SHAPE = (8, 8)
WIDTHS = (256, 64)
NEIGHBOURS = 12


def embedders(epochs: int, seed: int) -> dict:
    """Return the embedders by name, all for the same flat rows of 64 pixels from 0 to 1."""
    encoder, decoder = narrows.networks.convolutional(
        SHAPE, filters=(32, 64), widths=WIDTHS, output="sigmoid", flat=True
    )
    training = {"epochs": epochs, "random_state": seed}
    return {
        "convolutional": narrows.Autoencoder(encoder=encoder, decoder=decoder, **training),
        "dense": narrows.Autoencoder(encoder=WIDTHS, **training),
        "PCA": narrows.PCA(2),
    }


def judged(embedder, train, test) -> dict[str, float]:
    """Fit an embedder on the training rows and measure it on the others."""
    (X_train, y_train), (X_test, y_test) = train, test
    began = time.perf_counter()
    Z_train = embedder.fit_transform(X_train)
    seconds = time.perf_counter() - began
    Z_test = embedder.transform(X_test)
    errors = embedder.inverse_transform(Z_test) - X_test
    return {
        "1-NN accuracy": quality.neighbour_accuracy(Z_train, y_train, Z_test, y_test),
        "trustworthiness": quality.trustworthiness(X_test, Z_test, NEIGHBOURS),
        "squared error": float(np.mean(errors**2)),
        "fit seconds": seconds,
    }


def draw(fitted: dict, X, y, out: Path) -> list[Path]:
    """Draw held-out rows: their embedding, the plane decoded, and the reconstructions."""
    model = fitted["convolutional"]
    Z = model.transform(X)
    digit = pd.Series(y, name="digit")
    back = {name: each.inverse_transform(each.transform(X)) for name, each in fitted.items()}
    figures = {
        "embedding": plots.embedding_thumbnails(Z, X, digit, shape=SHAPE),
        "plane": plots.decoded_grid(model, Z, shape=SHAPE),
        "reconstructions": plots.reconstruction_images(X, back, shape=SHAPE),
    }
    return [
        file for name, figure in figures.items() for file in plots.save_figure(figure, out, name)
    ]


def main() -> None:
    """Fit, judge, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("digits"), help="folder for the figures")
    parser.add_argument("--epochs", type=int, default=100, help="passes over the training rows")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the networks")
    options = parser.parse_args()
    digits = load_digits()
    X, y = digits.data / 16, digits.target
    rows, held_out = narrows.partition(y, train=0.75, random_state=options.seed)
    train, test = (X[rows], y[rows]), (X[held_out], y[held_out])
    fitted = embedders(options.epochs, options.seed)
    table = {name: judged(embedder, train, test) for name, embedder in fitted.items()}
    print(f"{len(rows)} digits to learn from, {len(held_out)} held out, on which:\n")
    print(pd.DataFrame(table).T.to_string(float_format="{:.3f}".format))
    print("\nWritten:")
    for file in draw(fitted, X[held_out], y[held_out], options.out):
        print(f"  {file}")


if __name__ == "__main__":
    main()
