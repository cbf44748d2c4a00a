"""Rows of known dimension, and what scikit-dimension says of such rows.

It needs numba, so it is no dependency of the tests: they hold the numbers that it printed. Again::

    python -m pip install --target THEIRS --no-deps scikit-dimension numba llvmlite
    PYTHONPATH=tests:THEIRS python -m support.dimensions
"""

import importlib.metadata

import numpy as np
from sklearn import datasets

DISCARDED = (0.0, 0.1)


def turned(x, n_columns, seed=0):
    """Put rows into a space of more columns."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(n_columns, n_columns)))[0]
    return x @ turn[: x.shape[1]] + rng.normal(size=n_columns)


def cube(dimension, n_rows, n_columns, seed=0):
    x = np.random.default_rng(seed).uniform(size=(n_rows, dimension))
    return turned(x, n_columns, seed)


def torus(dimension, n_rows, seed=0):
    """A product of circles, which is flat and has no edge."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, (n_rows, dimension))
    return np.hstack([np.cos(angle), np.sin(angle)])


def roll(n_rows, seed=0):
    """A Swiss roll, with rows spread evenly along it too."""
    across, along = np.random.default_rng(seed).uniform(size=(2, n_rows))
    angle = np.pi * np.sqrt(1 + 8 * along) * 1.5
    return np.column_stack([angle * np.cos(angle), 21 * across, angle * np.sin(angle)])


def sets():
    """Rows without copies, by name: scikit-dimension leaves out both of two equal rows."""
    loaded = {name: getattr(datasets, f"load_{name}")().data for name in ("iris", "wine", "digits")}
    loaded = {name: np.unique(x, axis=0) for name, x in loaded.items()}
    return loaded | {"cube": cube(5, 777, 30), "roll": roll(777)}


def main():
    from skdim.id import TwoNN

    print("scikit-dimension", importlib.metadata.version("scikit-dimension"))
    for name, x in sets().items():
        fits = [TwoNN(discard_fraction=part, method="mle").fit(x) for part in DISCARDED]
        line = TwoNN().fit(x).dimension_
        print(f'    "{name}": {[float(f"{fit.dimension_:.9g}") for fit in fits]},  # {line:.2f}')


if __name__ == "__main__":
    main()
