"""How the embedders by t-SNE call the engine. Importing this imports Keras and JAX."""

import contextlib
import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from narrows._session import usual_numbers
from narrows.embedders._restarts import history_frame
from narrows.embedders.fitting import _fit
from narrows.networks import PLACES, Networks
from narrows.objectives import Reconstruction
from narrows.training import Recipe, Training, train, verify

if TYPE_CHECKING:
    from narrows.embedders.tsne._base import TSNEEmbedder

EARLY = 2 / 15  # the share of the epochs with exaggeration
DECODER_BATCH = 100  # of a decoder alone, where the user gives no size
_ORDER, _DECODER, _TUNING = 2, 3, 4  # tell the streams of one entropy from another


@usual_numbers()
def run(
    embedder: "TSNEEmbedder",
    networks: Networks,
    job: _fit.Job,
    entropy: int,
    targets: np.ndarray | None = None,
    places: np.ndarray | None = None,
    checkpoint: Any = None,
) -> Training:
    """Train all restarts of one fit.

    Shapes: `places` (n_landmarks, bottleneck).
    """
    recipe, rate = _fit.recipe_of(embedder, networks, job.x.shape[1:])
    epochs = embedder._n_epochs(len(job.rows))
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


def _orders(
    embedder: "TSNEEmbedder", rows: np.ndarray, seeds: Sequence[tuple[Any, int]], epochs: int
) -> list[np.ndarray] | None:
    """Return one order for all epochs, where batches stay as they are."""
    if embedder.reshuffle:
        return None
    found = []
    for entropy, restart in seeds:
        seed = np.random.SeedSequence((entropy, _ORDER, restart))
        order = np.random.Generator(np.random.PCG64(seed)).permutation(rows)
        found.append(np.broadcast_to(order.astype(np.int32), (epochs, len(rows))))
    return found


def _train(
    embedder: "TSNEEmbedder",
    recipe: Recipe,
    job: _fit.Job,
    rates: list[float],
    seeds: Sequence[tuple[Any, int]],
    epochs: int,
    *,
    batch_size: int | None = None,
    **more: Any,
) -> Training:
    """Call the engine, with a bar if the embedder is verbose."""
    lanes = len(seeds)
    with contextlib.ExitStack() as stack:
        report = None
        if embedder.verbose:
            report = stack.enter_context(_fit.training_bar(lanes, epochs))
        return train(
            recipe,
            job.x,
            [job.rows] * lanes,
            [job.validation] * lanes if len(job.validation) else None,
            epochs=epochs,
            batch_size=batch_size or embedder._batch_rows(len(job.rows)),
            seeds=seeds,
            patience=embedder.patience,
            learning_rates=rates,
            sample_weights=job.weights,
            on_progress=report,
            **more,
        )


@usual_numbers()
def train_decoder(
    embedder: "TSNEEmbedder", networks: Networks, Z: np.ndarray, X: np.ndarray, epochs: int
) -> Training:
    """Train a decoder with new weights, from places Z (n_rows, bottleneck) to rows X."""
    optimizer, rate = _fit.optimizer_of(embedder)
    recipe = Recipe(
        networks.decoder, Reconstruction("mse"), optimizer, schedule=embedder._schedule,
        start=networks.start,
    )  # fmt: skip
    seeds = [((embedder._entropy(), _DECODER), 0)]
    size = int(embedder.batch_size or DECODER_BATCH)
    return _train(
        embedder, recipe, _whole_job(Z), [rate], seeds, epochs, targets=X, batch_size=size
    )


@usual_numbers()
def tune(
    embedder: "TSNEEmbedder",
    networks: Networks,
    X: np.ndarray,
    epochs: int,
    targets: np.ndarray | None,
) -> Training:
    """Train encoder and decoder together, from the weights that they have; targets as for `run`."""
    recipe, rate = _fit.recipe_of(embedder, networks, X.shape[1:])
    initial = [np.asarray(variable.value)[None] for variable in networks.trained.variables]
    seeds = [((embedder._entropy(), _TUNING), 0)]
    return _train(
        embedder, recipe, _whole_job(X), [rate], seeds, epochs, targets=targets, initial=initial
    )


def _whole_job(X: np.ndarray) -> _fit.Job:
    return _fit.Job(X, np.arange(len(X)), np.arange(0), np.ones(len(X), np.float32))


def adopt_weights(model: Any, training: Training) -> pd.DataFrame:
    """Put a training's weights into a model; return its history, or raise if it diverged."""
    if not training.usable.all():
        raise ValueError(
            "The loss must stay a finite number. It did not. Lower the 'learning_rate'."
        )
    weights = [values[0] for values in training.weights]
    verify(training.sample(0), weights, {"whole": model})
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    return history_frame(training, np.zeros(len(training.lanes), int))
