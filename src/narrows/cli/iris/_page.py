"""The results of ``narrows iris`` as a report page."""

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

import narrows
from narrows.cli.iris._compute import Data, Embeddings
from narrows.cli.iris._files import Figures, RoundTrip
from narrows.comparison import CaretForest, HonestArms
from narrows.networks import parameter_counts
from narrows.report import Figure, Preformatted, Report, Section, Table, write_report

_LIBRARIES = ("keras", "jax", "numpy", "scikit-learn", "plotnine")


@dataclass(frozen=True)
class Results:
    """Everything the page and the tables are made of."""

    data: Data
    model: narrows.Autoencoder
    loaded: RoundTrip
    embeddings: Embeddings
    forests: dict[str, CaretForest]
    honest: HonestArms
    figures: Figures


def write(folder: Path, results: Results, command: str, seed: int) -> Path:
    """Write the page; return its path."""
    versions = {"narrows": narrows.__version__, "Python": platform.python_version()}
    versions |= {name: version(name) for name in _LIBRARIES}
    report = Report(
        title="Iris through a bottleneck of two",
        command=command,
        created=datetime.now(UTC),
        versions=versions,
        sections=[
            _verdict(results),
            _comparison(results),
            _post_way(results),
            _embeddings(results),
            _training(results),
            _weights(results),
        ],
        lead=_lead(results),
        seed=seed,
    )
    return write_report(report, folder / "report.html")


def _lead(results: Results) -> str:
    post = results.forests
    gap = 100 * (post["autoencoder"].accuracy_mean - post["pca"].accuracy_mean)
    gaps = results.honest.differences(reference="pca").set_index("preprocess")["difference"]
    return (
        f"The post's way, the autoencoder's embedding is {gap:+.1f} points of forest accuracy away "
        f"from PCA. With the same preprocessing on both sides and everything refitted in every "
        f"bootstrap, it is {100 * gaps['none']:+.1f} points on raw columns and "
        f"{100 * gaps['standardize']:+.1f} on standardized ones."
    )


def _verdict(results: Results) -> Section:
    table = results.honest.differences(reference="pca")
    sentences = [_sentence(row) for row in table.itertuples(index=False)]
    sentences.append(
        "Intervals are corrected for the overlap of resamples (Nadeau and Bengio 2003). This is "
        "one training seed and one split: enough to see whether the post's gap survives, not to "
        "settle small differences."
    )
    return Section("What the comparison says", sentences)


def _sentence(row) -> str:
    low, high = 100 * row.low, 100 * row.high
    columns = {"none": "raw columns", "standardize": "standardized columns"}[row.preprocess]
    if low > 0:
        found = "more accurate than"
    elif high < 0:
        found = "less accurate than"
    else:
        found = "not distinguishable from"
    return (
        f"On {columns}, the forest on the autoencoder's embedding is {found} the one on PCA: "
        f"{100 * row.difference:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}."
    )


def _comparison(results: Results) -> Section:
    honest = results.honest
    formats = dict.fromkeys(("accuracy_mean", "accuracy_sd", "kappa_mean", "kappa_sd"), ".3f")
    figure = Figure(
        results.figures.svg("scores"),
        "Out-of-bag accuracy of each arm under each preprocessing, one point per bootstrap.",
        "Each point is one bootstrap's out-of-bag accuracy; the large mark is the mean.",
    )
    caption = f"Mean and SD over {len(honest.resamples)} bootstraps, everything refitted in each."
    return Section(
        "Both embeddings, both preprocessings",
        [figure, Table(honest.summary(), caption, formats)],
    )


def _post_way(results: Results) -> Section:
    rows = [
        {
            "embedding": name,
            "columns": "standardized" if name == "pca" else "raw",
            "accuracy": forest.accuracy_mean,
            "accuracy SD": forest.accuracy_sd,
            "kappa": forest.kappa_mean,
            "kappa SD": forest.kappa_sd,
        }
        for name, forest in results.forests.items()
    ]
    formats = dict.fromkeys(("accuracy", "accuracy SD", "kappa", "kappa SD"), ".4f")
    words = (
        "Each embedding is fitted once, on all training rows, labels unseen; then a forest of 500 "
        "trees (mtry 2) is judged on the out-of-bag rows of 25 bootstraps. The embedding has seen "
        "the rows it is judged on, and the two sides saw different columns: PCA standardized ones, "
        "the autoencoder raw ones. The post prints 0.870 and 0.804 for PCA, 0.949 and 0.923 for "
        "the autoencoder."
    )
    return Section("The post's way", [words, Table(pd.DataFrame(rows), formats=formats)])


def _embeddings(results: Results) -> Section:
    figures = results.figures
    return Section(
        "The embeddings",
        [
            Figure(
                figures.svg("embeddings"),
                "Two scatter plots of the training rows coloured by species: PCA and autoencoder.",
                "The 120 training rows, by species. Axes have their own scale: units differ.",
            ),
            Figure(
                figures.svg("overlay"),
                "PCA and autoencoder embeddings of the training rows in one scatter plot.",
                "Both in one plane, as in the post.",
            ),
        ],
    )


def _training(results: Results) -> Section:
    model = results.model
    figures = results.figures
    counts = parameter_counts(model.autoencoder_)
    last = model.history_.iloc[-1]
    words = (
        f"{counts['total']:,} parameters, {counts['trainable']:,} of them trained, on "
        f"{len(results.data.train)} rows for {int(last['epoch'])} epochs; final loss "
        f"{last['loss']:.3f} in training (with dropout) and {last['val_loss']:.3f} on the "
        f"{len(results.data.test)} test rows. Accuracy here is Keras's reading of it for four "
        "numbers: whether the largest output stands where the largest input stands."
    )
    return Section(
        "Training and reconstruction",
        [
            words,
            Figure(
                figures.svg("history"),
                "Loss and accuracy over the epochs, for training and validation rows.",
                "Loss and accuracy over the epochs.",
            ),
            Figure(
                figures.svg("reconstruction"),
                "Petal length against sepal width, for the rows and for their reconstruction.",
                "Training rows and their reconstruction from two numbers.",
            ),
            Preformatted(model.summary(), "The network, encoder and decoder."),
        ],
    )


def _weights(results: Results) -> Section:
    loaded = results.loaded
    table = results.model.weights()
    words = (
        f"{len(table)} arrays, saved by layer name to {loaded.path.name} and loaded into an "
        f"encoder-only model: {len(loaded.report.matched)} layers matched. Its embedding differs "
        f"from the autoencoder's own bottleneck by {loaded.difference:.2g} at most."
    )
    return Section("Weights", [words, Table(table.astype({"shape": str}))])
