"""PCA and the autoencoder on real tables that packages bring along: whatever the verdicts are.

Run: ``python benchmarks/tables.py``. A plain network of 150, 50 and 25 relu units from random
weights on every table, nothing tuned; everything refitted in every fold; two probes judge. The two
larger tables have fewer repeats, and the largest is not judged by a forest, which would take most
of an hour.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from _common import arguments, machine, table, write
from sklearn import datasets

import narrows


@dataclass(frozen=True)
class Case:
    """One table and how it is compared."""

    name: str
    load: Callable[[], tuple[Any, Any]]
    probes: tuple[str, ...] = ("forest", "logistic")
    resampling: str = "5x5"
    epochs: int = 100
    batch_size: int = 32
    seeds: int = 3


def scikit(load: Callable) -> Callable[[], tuple[Any, Any]]:
    """Return a function that gives a bundled data set's rows and labels."""
    return lambda: load(return_X_y=True, as_frame=True)


def diamonds() -> tuple[pd.DataFrame, pd.Series]:
    """Return 6,000 of plotnine's diamonds without their price, and the price's logarithm."""
    from plotnine.data import diamonds as every

    some = every.sample(6000, random_state=0).reset_index(drop=True)
    return some.drop(columns="price"), np.log(some["price"])


def penguins() -> tuple[pd.DataFrame, pd.Series]:
    """Return plotnine's penguins, a mixed table with gaps, and their species."""
    from plotnine.data import penguins as every

    return every.drop(columns="species"), every["species"]


CASES = [
    Case("iris, 150 × 4", lambda: _iris()),
    Case("wine, 178 × 13", scikit(datasets.load_wine)),
    Case("breast cancer, 569 × 30", scikit(datasets.load_breast_cancer)),
    Case("penguins, 344 × 7, mixed with gaps", penguins),
    Case("diabetes, 442 × 10 (numbers)", scikit(datasets.load_diabetes), ("forest", "ridge")),
    Case(
        "digits, 1,797 × 64", scikit(datasets.load_digits), ("forest", "neighbours"), "5x1",
        epochs=60, seeds=2,
    ),
    Case(
        "diamonds, 6,000 × 9, mixed (numbers)", diamonds, ("neighbours", "ridge"), "5x1",
        epochs=20, batch_size=128, seeds=2,
    ),
]  # fmt: skip


def _iris() -> tuple[pd.DataFrame, pd.Series]:
    iris = narrows.datasets.iris()
    return iris.drop(columns="Species"), iris["Species"]


def compared(case: Case, bottleneck: int) -> tuple[narrows.Comparison, float]:
    """Compare on one table; return the comparison and its seconds."""
    X, y = case.load()
    autoencoder = narrows.Autoencoder(
        bottleneck, encoder=(150, 50, 25), residual=False, epochs=case.epochs,
        batch_size=case.batch_size,
    )  # fmt: skip
    began = time.perf_counter()
    found = narrows.compare(
        {"pca": narrows.PCA(bottleneck), "autoencoder": autoencoder}, X, y,
        probes=case.probes, resampling=case.resampling, seeds=case.seeds, random_state=1,
        controls=("raw", "untrained"),
    )  # fmt: skip
    return found, time.perf_counter() - began


def rows_of(case: Case, found: narrows.Comparison) -> list[list[str]]:
    """Return a line for each preprocessing and probe."""
    means = found.summary()
    means = means[means["measure"] == found.measure].set_index(["arm", "preprocess", "probe"])
    lines = []
    for row in found.verdicts().itertuples():
        if row.arm != "autoencoder":
            continue
        score = {
            arm: f"{means.loc[(arm, row.preprocess, row.probe), 'mean']:.3f}"
            for arm in ("raw columns", "untrained encoder", "pca", "autoencoder")
        }
        lines.append(
            [
                case.name, row.preprocess, row.probe, *score.values(),
                f"{row.difference:+.3f}", f"{row.low:+.3f} to {row.high:+.3f}", row.verdict,
            ]
        )  # fmt: skip
    return lines


def main() -> None:
    """Compare on every table and write the results."""
    parser = arguments(__doc__)
    parser.add_argument("--only", default="", help="tables whose name starts so")
    parser.add_argument("--bottleneck", type=int, default=2)
    options = parser.parse_args()
    lines, settings = [], []
    for case in CASES:
        if case.name.startswith(options.only):
            found, seconds = compared(case, options.bottleneck)
            print(f"\n{case.name}: {seconds:.0f} s\n{found}", flush=True)
            lines += rows_of(case, found)
            settings.append([case.name, case.resampling, case.seeds, case.epochs, case.batch_size])
    head = [
        "table", "preprocessing", "probe", "raw columns", "untrained", "PCA", "autoencoder",
        "difference", "95 % interval", "verdict",
    ]  # fmt: skip
    text = "\n\n".join(
        [
            f"# Real tables, {options.bottleneck} dimensions",
            f"`python benchmarks/tables.py --bottleneck {options.bottleneck}`; "
            + machine(("keras", "jax", "ydf", "scikit-learn"))
            + ". Accuracy for classes, R² for numbers, on unseen rows; the difference is "
            "autoencoder minus PCA under the same preprocessing. A plain network of 150, 50 and 25 "
            "relu units from random weights, nothing tuned.",
            table(head, lines),
            table(["table", "folds × repeats", "seeds", "epochs", "batch size"], settings),
        ]
    )
    write("tables.md", text, wanted=not options.no_write and not options.only)


if __name__ == "__main__":
    main()
