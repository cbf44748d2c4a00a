"""What can be predicted from an embedding of real tables, taught labels or not.

Run: ``python benchmarks/many_labels.py --half develop --bottleneck 2``. The tables are those of
many_tables.csv that have a label: a column of two to ten classes that is not used as numbers, each
with ten rows at least (`label` in `_rdatasets.py`); of several the one with the most classes, of
those the last. At most 1,500 rows are used, drawn at random by the table's name.

In each of three stratified folds, columns are standardized by the training rows, every contestant
is fitted on the training rows with their labels, and a forest and a logistic regression are fitted
on their embeddings and scored on those of the test rows. With ``--labelled 0.1`` only so many of
the training rows have a label: contestants that need labels, and the probes, see those rows alone.

A line for each table and contestant is added to the file of results as soon as it is known. What
is there already is not computed again.
"""

import os

os.environ.setdefault("NARROWS_CACHE", "off")

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _common import RESULTS, installed, names_in, record, recorded, table
from _rdatasets import digest, read_labelled
from many_tables import LIST, chosen, standardized
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MOST_ROWS = 1500
FOLDS = 3
COLUMNS = (
    "package", "item", "half", "rows", "columns", "classes", "bottleneck", "labelled",
    "contestant", "forest", "logistic", "error", "seconds",
)  # fmt: skip
KEYS = ["package", "item", "bottleneck", "labelled", "contestant"]


class Part(NamedTuple):
    """Training rows, with the numbers of those that have a label."""

    X: np.ndarray
    y: np.ndarray
    known: np.ndarray


# An embedding of training rows, one of test rows, and the test rows' reconstruction, if any.
Embedded = tuple[np.ndarray, np.ndarray, np.ndarray | None]
Contestant = Callable[[Part, np.ndarray, int], Embedded]


# --- contestants


def raw(train: Part, test: np.ndarray, width: int) -> Embedded:
    """Return the columns themselves."""
    return train.X, test, test


def pca(train: Part, test: np.ndarray, width: int) -> Embedded:
    """Principal components."""
    import narrows

    found = narrows.PCA(width).fit(train.X)
    Z = found.transform(test)
    return found.transform(train.X), Z, found.inverse_transform(Z)


def of_narrows(*, label_weight: float | str) -> Contestant:
    """Return an AutoencoderCV; rows without a label have None."""

    def run(train: Part, test: np.ndarray, width: int) -> Embedded:
        import narrows

        y = np.full(len(train.y), None, dtype=object)
        y[train.known] = train.y[train.known]
        found = narrows.AutoencoderCV(width, label_weight=label_weight, random_state=0)
        found.fit(train.X, y)
        return found.transform(train.X), found.transform(test), found.reconstruct(test)

    return run


def of_labels(make: Callable[[int, int], object]) -> Contestant:
    """Return what is fitted on the rows that have a label; `make` gets width and classes."""

    def run(train: Part, test: np.ndarray, width: int) -> Embedded:
        X, y = train.X[train.known], train.y[train.known]
        found = make(width, len(np.unique(y)))
        found.fit(X, pd.get_dummies(y).to_numpy(float) if isinstance(found, PLSRegression) else y)
        return found.transform(train.X), found.transform(test), None

    return run


def lda(width: int, classes: int) -> LinearDiscriminantAnalysis:
    """Return an LDA of as many dimensions as there can be."""
    return LinearDiscriminantAnalysis(n_components=min(width, classes - 1))


def umap(width: int, classes: int) -> object:
    """Return a UMAP, which uses the labels that it gets."""
    from umap import UMAP

    return UMAP(n_components=width, random_state=0, n_jobs=1)


CONTESTANTS: dict[str, Contestant] = {
    "raw": raw,
    "pca": pca,
    "autoencoder": of_narrows(label_weight=0.0),
    "autoencoder with labels": of_narrows(label_weight="auto"),
    "lda": of_labels(lda),
    "nca": of_labels(lambda width, _: NeighborhoodComponentsAnalysis(width, random_state=0)),
    "pls": of_labels(lambda width, _: PLSRegression(width, scale=False)),
    "umap": of_labels(umap),
}


# --- measuring


def scores(train: Part, Z: np.ndarray, new: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return what a forest and a logistic regression predict of test rows: accuracies."""
    own, known = Z[train.known], train.y[train.known]
    forest = RandomForestClassifier(random_state=0, n_jobs=1).fit(own, known)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(own, known)
    return {"forest": forest.score(new, y), "logistic": logistic.score(new, y)}


def measured(X: np.ndarray, y: np.ndarray, name: str, width: int, share: float) -> dict[str, float]:
    """Return the means over folds."""
    began, found = time.perf_counter(), []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for number, (rows, held_out) in enumerate(folds.split(X, y)):
        own, new = standardized(X[rows], X[held_out])
        train = Part(own, y[rows], labelled_rows(y[rows], share, number))
        if name == "guess":
            guess = DummyClassifier().fit(own, train.y).score(new, y[held_out])
            found.append({"forest": guess, "logistic": guess, "error": np.nan})
            continue
        Z, z, back = CONTESTANTS[name](train, new, width)
        error = np.nan if back is None else float(((back - new) ** 2).mean())
        found.append({**scores(train, Z, z, y[held_out]), "error": error})
    seconds = round(time.perf_counter() - began, 2)
    return {**pd.DataFrame(found).mean().to_dict(), "seconds": seconds}


def labelled_rows(y: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return which rows have a label: a share of each class, two at least."""
    if share >= 1:
        return np.arange(len(y))
    chance = np.random.default_rng(seed)
    kept = [
        chance.permutation(np.flatnonzero(y == one))[: max(round(share * (y == one).sum()), 2)]
        for one in np.unique(y)
    ]
    return np.sort(np.concatenate(kept))


def tables(half: str, width: int, most: int | None) -> list[tuple[dict, np.ndarray, np.ndarray]]:
    """Return the tables that have a label: what they are, rows and labels."""
    found = []
    for line in chosen(pd.read_csv(LIST), half, width, None).to_dict("records"):
        name = f"{line['package']}/{line['item']}"
        X, label = read_labelled(name)
        if label is None:
            continue
        y = label.to_numpy()
        if len(X) > MOST_ROWS:
            chance = np.random.default_rng(int(digest(name), 16))
            rows = np.sort(chance.choice(len(X), MOST_ROWS, replace=False))
            X, y = X[rows], y[rows]
        names, counts = np.unique(y, return_counts=True)
        kept = np.isin(y, names[counts >= 2 * FOLDS])
        about = {key: line[key] for key in ("package", "item", "half")}
        about |= {"rows": int(kept.sum()), "columns": X.shape[1]}
        about["classes"] = len(np.unique(y[kept]))
        found.append((about, X[kept], y[kept]))
        if len(found) == most:
            break
    return found


def summary(results: pd.DataFrame) -> str:
    """Return means over the tables that all contestants have, as a Markdown table."""
    rows = []
    for (width, share), part in results.groupby(["bottleneck", "labelled"]):
        wide = part.pivot(
            index=["package", "item"], columns="contestant", values=["forest", "logistic", "error"]
        )
        whole = wide.dropna(subset=[("forest", name) for name in wide["forest"].columns])
        for name in part["contestant"].unique():
            better = whole["forest", name] - whole["forest"].get("pca", np.nan)
            errors = whole["error"].get(name, pd.Series(dtype=float))
            ratio = errors / whole["error"].get("pca", np.nan)
            known = ratio.notna().all() and len(ratio) and name != "raw"
            rows.append(
                [width, share, name, len(whole), f"{whole['forest', name].mean():.3f}",
                 f"{whole['logistic', name].mean():.3f}", f"{better.min():+.3f}",
                 f"{np.exp(np.log(ratio).mean()):.3f}" if known else ""]
            )  # fmt: skip
    head = ["dimensions", "labelled", "contestant", "tables", "forest", "logistic",
            "worst beside PCA", "error over PCA's"]  # fmt: skip
    return table(head, rows)


def contestants_of(text: str) -> list[str]:
    """Return the names in a list with commas."""
    return names_in(text, ["guess", *CONTESTANTS], "contestant")


def main() -> None:
    """Run contestants on tables; print what is known of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("develop", "report"), default="develop")
    parser.add_argument("--bottleneck", type=int, choices=(2, 5), default=2)
    parser.add_argument("--labelled", type=float, default=1.0, help="share of rows with a label")
    parser.add_argument("--tables", type=int, help="the first so many in a random order")
    parser.add_argument("--contestants", type=contestants_of, default=["guess", *CONTESTANTS])
    parser.add_argument("--out", type=Path, default=RESULTS / "many_labels.csv")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = list(options.contestants)
    if "umap" in names and not installed("umap-learn"):
        names.remove("umap")
        print("umap-learn is not installed: pip install 'narrows[bench]'.", file=sys.stderr)
    results = recorded(options.out, COLUMNS)
    there = set(results[KEYS].itertuples(index=False, name=None))
    for about, X, y in tables(options.half, options.bottleneck, options.tables):
        for name in names:
            line = {
                **about, "bottleneck": options.bottleneck, "labelled": options.labelled,
                "contestant": name,
            }  # fmt: skip
            if tuple(line[key] for key in KEYS) in there:
                continue
            line |= measured(X, y, name, options.bottleneck, options.labelled)
            new = pd.DataFrame([line], columns=list(COLUMNS))
            record(options.out, new)
            print(f"{about['package']}/{about['item']}, {name}: {line['forest']:.3f}", flush=True)
    results = pd.read_csv(options.out)
    print(summary(results[results["half"] == options.half]))


if __name__ == "__main__":
    main()
