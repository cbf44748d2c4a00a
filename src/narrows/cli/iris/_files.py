"""What ``narrows iris`` writes beside the report: weights, figures, tables, models."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import narrows
from narrows import plots
from narrows._files import replace_file, replacing
from narrows.cli.iris._compute import Data, Embeddings
from narrows.comparison import CaretForest, Comparison
from narrows.networks import build_networks, post_decoder, post_encoder
from narrows.storage import LoadReport
from narrows.training import forward


@dataclass(frozen=True)
class RoundTrip:
    """Weights saved, and loaded by name into an encoder that was built anew.

    Attributes
    ----------
    path : Path
    report : LoadReport
    embedding : ndarray of shape (120, 2)
        What the encoder-only model makes of the training rows.
    difference : float
        Largest absolute difference from the autoencoder's own bottleneck.
    """

    path: Path
    report: LoadReport
    embedding: np.ndarray
    difference: float


@dataclass(frozen=True)
class Figures:
    """Where each figure was written: PNG and SVG by name."""

    by_name: dict[str, list[Path]]

    def paths(self) -> list[Path]:
        """Return every file."""
        return [path for pair in self.by_name.values() for path in pair]

    def svg(self, name: str) -> str:
        """Return one figure as SVG text."""
        path = next(path for path in self.by_name[name] if path.suffix == ".svg")
        return path.read_text(encoding="utf-8")


def weights_round_trip(folder: Path, data: Data, model: narrows.Autoencoder) -> RoundTrip:
    """Save the weights by layer name and load them into an encoder-only model."""
    path = folder / "weights.hdf5"
    narrows.save_weights_hdf5(model, path)
    encoder = build_networks((data.train.shape[1],), 2, post_encoder, post_decoder).encoder
    report = narrows.load_weights_hdf5(encoder, path)
    rows = data.train.to_numpy("float32")
    embedding = forward(encoder, rows)
    difference = float(np.abs(embedding - model.transform(data.train)).max())
    return RoundTrip(path, report, embedding, difference)


def figures(
    folder: Path, data: Data, model: narrows.Autoencoder, found: Embeddings, comparison: Comparison
) -> Figures:
    """Draw and save the post's figures and the comparison's."""
    rebuilt = pd.DataFrame(model.reconstruct(data.train), columns=data.train.columns)
    drawn = {
        "history": plots.history(model.history_),
        "reconstruction": plots.reconstruction(data.train.reset_index(drop=True), rebuilt),
        "overlay": plots.embedding_overlay(found.frame),
        "embeddings": plots.embedding_facets(found.frame, label="Species"),
        "intervals": comparison.plot(),
        "arms": comparison.plot("embeddings", label="Species"),
    }
    where = folder / "figures"
    return Figures({name: plots.save_figure(plot, where, name) for name, plot in drawn.items()})


def tables_and_models(folder: Path, results: Any) -> list[Path]:
    """Write the embedding and the scores as CSV, and the three Keras models."""
    tables = {
        "embedding.csv": _embedding_table(results.data, results.embeddings),
        "scores.csv": _post_scores(results.forests),
        "comparison.csv": results.comparison.frame(),
        "history.csv": results.model.history_,
    }
    results.comparison.to_json(folder / "comparison.json")
    written = [results.loaded.path, folder / "comparison.json"]
    for name, table in tables.items():
        written.append(replace_file(folder / name, table.to_csv(index=False).encode()))
    for name in ("autoencoder", "encoder", "decoder"):
        path = folder / f"{name}.keras"
        with replacing(path) as temporary:
            getattr(results.model, f"{name}_").save(temporary)
        written.append(path)
    return written


def _embedding_table(data: Data, found: Embeddings) -> pd.DataFrame:
    """One row a training row: its number in iris (from 1), both embeddings, the species."""
    return pd.DataFrame(
        {
            "row": data.train.index + 1,
            "autoencoder_1": found.autoencoder[:, 0],
            "autoencoder_2": found.autoencoder[:, 1],
            "PC1": found.pca[:, 0],
            "PC2": found.pca[:, 1],
            "Species": data.species.to_numpy(),
        }
    )


def _post_scores(forests: dict[str, CaretForest]) -> pd.DataFrame:
    """One row per embedding and bootstrap, judged the post's way."""
    frames = [forest.frame().assign(embedding=name) for name, forest in forests.items()]
    return pd.concat(frames, ignore_index=True)[["embedding", "resample", "accuracy", "kappa"]]
