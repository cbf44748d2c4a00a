"""How a parametric t-SNE is trained: the map, the landmarks, and the engine's front door.

Importing this imports Keras and JAX.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from narrows._session import usual_numbers
from narrows.embedders import _fit
from narrows.embedders._fit import progress_bar
from narrows.embedders.tsne._checks import (
    EARLY,
    batch_size_of,
    epochs_of,
    exaggeration_of,
)
from narrows.embedders.tsne._landmarks import Landmarks, choose_landmarks, landmark_count
from narrows.embedders.tsne._map import grid_nodes, tsne_map
from narrows.embedders.tsne._refine import Reference
from narrows.networks import PLACES, Networks
from narrows.objectives import Reconstruction
from narrows.training import Recipe, Training, engine, train

_ORDER, _DECODER, _TUNING = 2, 3, 4  # tell the streams of one entropy from another
DECODER_BATCH = 100  # of a decoder alone, where the user gives no size
_JITTER = 1e-4  # of the start's standard deviation; else rows that are equal never part


@dataclass(frozen=True)
class Prepared:
    """A map, and what the network is fitted to.

    Attributes
    ----------
    reference : Reference
    places : float32 ndarray of shape (n_rows, bottleneck)
    landmarks : Landmarks
    """

    reference: Reference
    places: np.ndarray
    landmarks: Landmarks


@engine()
def prepare(embedder, X: np.ndarray, entropy: int) -> Prepared:
    """Map the rows, or take the places that the user has for them, and choose landmarks.

    Parameters
    ----------
    embedder : ParametricTSNE
    X : float32 ndarray of shape (n_rows, ...)
    entropy : int
    """
    seed = entropy % 2**32
    width = int(embedder.bottleneck)
    if isinstance(embedder.targets, str):
        grid_nodes(len(X), width)  # refuses what cannot be mapped before any work
    reference = Reference.of(X, seed)
    if isinstance(embedder.targets, str):
        neighbours = reference.neighbours(min(int(embedder.neighbours), len(X) - 1))
        places = tsne_map(
            _start(reference.rows, width, seed),
            neighbours,
            steps=int(embedder.map_steps),
            exaggeration=exaggeration_of(embedder),
        )
    else:
        places = np.asarray(embedder.targets, np.float32)
    count = landmark_count(int(embedder.landmarks), len(X))
    return Prepared(reference, places, choose_landmarks(places, count, seed))


def _start(rows: np.ndarray, width: int, seed: int) -> np.ndarray:
    """Return the first principal components of rows, with a little noise."""
    wanted = min(width, *rows.shape)
    if rows.shape[1] <= width:
        found = rows
    else:
        _, _, axes = np.linalg.svd(rows.T @ rows)
        axes = axes[:wanted]
        # An axis has no direction of its own: its largest entry is positive.
        largest = np.abs(axes).argmax(axis=1)
        found = rows @ (axes * np.sign(axes[np.arange(wanted), largest])[:, None]).T
    found = np.pad(found, ((0, 0), (0, width - found.shape[1])))
    unit = float(found[:, 0].std()) or 1.0
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(found.shape)
    return found + _JITTER * unit * noise


@usual_numbers()
def targets_of(embedder, prepared: Prepared, X: np.ndarray, decoded: bool) -> np.ndarray:
    """Return what the objective is told of each row: shares of landmarks, and the row itself."""
    shares = prepared.landmarks.shares(prepared.places)
    return np.concatenate([shares, X.reshape(len(X), -1)], axis=1) if decoded else shares


@usual_numbers()
def run(
    embedder,
    networks: Networks,
    job,
    entropy: int,
    targets: np.ndarray | None,
    places,
    checkpoint=None,
) -> Training:
    """Train all restarts of one fit.

    Parameters
    ----------
    embedder : ParametricTSNE
    networks : Networks
    job : narrows.embedders._fit.Job
    entropy : int
    targets : float32 ndarray or None
        See `targets_of`.
    places : float32 ndarray of shape (n_landmarks, bottleneck) or None
        What the last layer holds.
    checkpoint : path-like, optional
        See `narrows.training.train`.
    """
    recipe, rate = _fit._recipe(embedder, networks, job.x.shape[1:])
    epochs = epochs_of(embedder, len(job.rows))
    early = embedder._objective(networks, early=math.ceil(EARLY * epochs))
    recipe = dataclasses.replace(recipe, objective=early)
    count = int(embedder.restarts)
    seeds = [(entropy, restart) for restart in range(count)]
    initial = None
    if places is not None:
        kernel = networks.encoder.get_layer(PLACES).kernel
        initial = [
            np.broadcast_to(places, (count, *places.shape)) if variable is kernel else None
            for variable in networks.trained.variables
        ]
    return _train(
        embedder, recipe, job, [rate] * count, seeds, epochs,
        targets=targets, initial=initial, orders=_orders(embedder, job.rows, seeds, epochs),
        checkpoint=checkpoint,
    )  # fmt: skip


def _orders(embedder, rows: np.ndarray, seeds, epochs: int):
    """Return one order for all epochs, where batches stay as they are."""
    if embedder.reshuffle:
        return None
    found = []
    for entropy, restart in seeds:
        seed = np.random.SeedSequence((entropy, _ORDER, restart))
        order = np.random.Generator(np.random.PCG64(seed)).permutation(rows)
        found.append(np.broadcast_to(order.astype(np.int32), (epochs, len(rows))))
    return found


def _train(embedder, recipe, job, rates, seeds, epochs: int, **more) -> Training:
    """Call the engine, with a bar if the embedder is verbose."""
    settings = {
        "epochs": epochs, "batch_size": batch_size_of(embedder, len(job.rows)), "seeds": seeds,
        "learning_rates": rates, "sample_weights": job.weights, **more,
    }  # fmt: skip
    lanes = len(seeds)
    held_out = [job.validation] * lanes if len(job.validation) else None
    if not embedder.verbose:
        return train(recipe, job.x, [job.rows] * lanes, held_out, **settings,
                     patience=embedder.patience)  # fmt: skip
    with progress_bar(lanes, epochs) as report:
        return train(recipe, job.x, [job.rows] * lanes, held_out, **settings,
                     patience=embedder.patience, on_progress=report)  # fmt: skip


@usual_numbers()
def train_decoder(embedder, networks: Networks, Z: np.ndarray, X: np.ndarray, epochs: int):
    """Train a decoder alone, from places to rows.

    Parameters
    ----------
    embedder : ParametricTSNE
    networks : Networks
        With a decoder, whose weights are new.
    Z : float32 ndarray of shape (n_rows, bottleneck)
    X : float32 ndarray of shape (n_rows, ...)
    epochs : int
    """
    optimizer, rate = _fit.optimizer_of(embedder)
    recipe = Recipe(
        networks.decoder, Reconstruction("mse"), optimizer, decay=embedder._decay,
        start=networks.start,
    )  # fmt: skip
    seeds = [((embedder._entropy(), _DECODER), 0)]
    size = int(embedder.batch_size or DECODER_BATCH)
    return _train(
        embedder, recipe, _whole_job(Z), [rate], seeds, epochs, targets=X, batch_size=size
    )


@usual_numbers()
def tune(embedder, networks: Networks, X: np.ndarray, epochs: int, targets: np.ndarray | None):
    """Train encoder and decoder together, from the weights that they have.

    Parameters
    ----------
    embedder : ParametricTSNE
    networks : Networks
    X : float32 ndarray of shape (n_rows, ...)
    epochs : int
    targets : float32 ndarray or None
        See `targets_of`.
    """
    recipe, rate = _fit._recipe(embedder, networks, X.shape[1:])
    initial: list = [np.asarray(v.value)[None] for v in networks.trained.variables]
    seeds = [((embedder._entropy(), _TUNING), 0)]
    job = _whole_job(X)
    return _train(
        embedder, recipe, job, [rate], seeds, epochs, targets=targets, initial=initial
    )  # fmt: skip


def _whole_job(X: np.ndarray):
    return _fit.Job(X, np.arange(len(X)), np.arange(0), np.ones(len(X), np.float32))
