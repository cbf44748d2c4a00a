"""The post's steps as functions: rows in, results out; nothing is printed or written here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import narrows
from narrows.comparison import CaretForest, Comparison, bootstrap, caret_forest
from narrows.networks import post_decoder, post_encoder

BOOTSTRAPS = 25
RESAMPLING = "5x5"


@dataclass(frozen=True)
class Data:
    """Iris, split as the post splits it.

    Attributes
    ----------
    table : pandas.DataFrame of shape (150, 5)
    train, test : pandas.DataFrame of shape (120, 4) and (30, 4)
        The measured columns.
    species, test_species : pandas.Series of shape (120,) and (30,)
    """

    table: pd.DataFrame
    train: pd.DataFrame
    test: pd.DataFrame
    species: pd.Series
    test_species: pd.Series


@dataclass(frozen=True)
class Embeddings:
    """The training rows in two dimensions, twice.

    Attributes
    ----------
    pca, autoencoder : ndarray of shape (120, 2)
    frame : pandas.DataFrame of shape (240, 4)
        ``dim_1``, ``dim_2``, ``data_origin`` and ``Species``, as the post stacks them.
    """

    pca: np.ndarray
    autoencoder: np.ndarray
    frame: pd.DataFrame


def load(seed: int) -> Data:
    """Split iris 80/20 by species, as caret's ``createDataPartition``."""
    table = narrows.datasets.iris()
    train, test = narrows.partition(table["Species"], 0.8, random_state=seed)
    columns = table.drop(columns="Species")
    return Data(
        table=table,
        train=columns.iloc[train],
        test=columns.iloc[test],
        species=table["Species"].iloc[train],
        test_species=table["Species"].iloc[test],
    )


def post_autoencoder(seed: int, epochs: int) -> narrows.Autoencoder:
    """Return the post's network, not yet trained."""
    return narrows.Autoencoder(
        bottleneck=2,
        encoder=post_encoder,
        decoder=post_decoder,
        loss="mse",
        optimizer="adam",
        metrics=("accuracy",),
        epochs=epochs,
        batch_size=32,
        random_state=seed,
    )


def train(data: Data, seed: int, epochs: int, verbose: int = 0) -> narrows.Autoencoder:
    """Train the post's network on the raw columns, validated on the 30 test rows."""
    model = post_autoencoder(seed, epochs).set_params(verbose=verbose)
    return model.fit(data.train, validation_data=data.test)


def embeddings(data: Data, encoded: np.ndarray) -> Embeddings:
    """Put caret's PCA of standardized columns beside the autoencoder's embedding.

    Shapes: `encoded` (120, 2).
    """
    pca = np.asarray(narrows.PCA(n_components=2, standardize=True).fit_transform(data.train))
    stacked = [
        pd.DataFrame(points, columns=["dim_1", "dim_2"]).assign(
            data_origin=name, Species=data.species.to_numpy()
        )
        for name, points in (("pca", pca), ("autoencoder", encoded))
    ]
    frame = pd.concat(stacked, ignore_index=True)
    frame["Species"] = pd.Categorical(frame["Species"], data.species.cat.categories)
    frame["data_origin"] = pd.Categorical(frame["data_origin"], ["pca", "autoencoder"])
    return Embeddings(pca, encoded, frame)


def post_forests(data: Data, found: Embeddings, seed: int) -> dict[str, CaretForest]:
    """Judge each embedding the post's way: fitted once, then 25 bootstraps of the forest.

    The post has the first two; the third is PCA of the columns that the autoencoder saw.
    """
    resamples = bootstrap(len(data.species), BOOTSTRAPS, random_state=seed)
    raw = np.asarray(narrows.PCA(n_components=2).fit_transform(data.train))
    embeddings = {"pca": found.pca, "autoencoder": found.autoencoder, "pca of raw columns": raw}
    return {
        name: caret_forest(points, data.species, resamples=resamples, random_state=seed)
        for name, points in embeddings.items()
    }


def compared_arms(seed: int, epochs: int) -> dict[str, Any]:
    """Return what is compared: PCA and the post's network."""
    return {"pca": narrows.PCA(n_components=2), "autoencoder": post_autoencoder(seed, epochs)}


def compared(
    data: Data, seed: int, epochs: int, seeds: int, on_progress: Callable[[float, float], None]
) -> Comparison:
    """Judge both embeddings under both preprocessings, everything refitted in every fold."""
    return narrows.compare(
        compared_arms(seed, epochs),
        data.table.drop(columns="Species"),
        data.table["Species"],
        resampling=RESAMPLING,
        seeds=seeds,
        random_state=seed,
        progress=on_progress,
    )
