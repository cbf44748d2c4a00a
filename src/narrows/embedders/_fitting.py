"""What an autoencoder's fit does: parameters and rows in, trained Keras models out.

Importing this imports Keras and JAX, so the estimator does it when it fits.
"""

import contextlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from narrows.embedders._pieces import loss_of, metrics_of, optimizer_of
from narrows.embedders._progress import progress_bar
from narrows.embedders._restarts import restarts_of
from narrows.networks import Networks, build_networks
from narrows.objectives import Reconstruction
from narrows.training import Recipe, Training, train

_SPLIT = 1  # tells the generator of the split from those of the restarts


@dataclass(frozen=True)
class Job:
    """The rows of one fit: all in one matrix, with the numbers of the two kinds.

    Attributes
    ----------
    x : float32 ndarray of shape (n_rows, ...)
    rows, validation : int ndarrays
    weights : float32 ndarray of shape (n_rows,)
        Sample weights; those of validation rows are not used.
    """

    x: np.ndarray
    rows: np.ndarray
    validation: np.ndarray
    weights: np.ndarray


def networks_for(embedder, row_shape: tuple[int, ...]) -> Networks:
    """Build the embedder's networks for rows of a shape."""
    return build_networks(row_shape, embedder.bottleneck, embedder.encoder, embedder.decoder)


def split_job(
    embedder, x: np.ndarray, held_out: np.ndarray | None, entropy: int, weights=None
) -> Job:
    """Decide which rows are trained on and which are held out."""
    weights = np.ones(len(x), np.float32) if weights is None else weights
    if held_out is not None:
        everything = np.concatenate([x, held_out])
        padded = np.concatenate([weights, np.ones(len(held_out), np.float32)])
        return Job(everything, np.arange(len(x)), np.arange(len(x), len(everything)), padded)
    count = round(embedder.validation_fraction * len(x))
    if embedder.validation_fraction > 0 and not 0 < count < len(x):
        raise ValueError(
            f"A 'validation_fraction' of {embedder.validation_fraction} must leave rows on both "
            f"sides. Got {len(x)} rows, of which {count} would be held out. Give more rows, or "
            "another fraction."
        )
    if not count:
        return Job(x, np.arange(len(x)), np.arange(0), weights)
    # Another entropy than the restarts', which are the children of `entropy` alone.
    seed = np.random.SeedSequence((entropy, _SPLIT))
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(x))
    return Job(x, np.sort(order[count:]), np.sort(order[:count]), weights)


def run(embedder, networks: Networks, jobs: list[Job], seeds: list[int]) -> Training:
    """Train all restarts of all jobs: one lane each, a job's restarts side by side.

    Parameters
    ----------
    embedder : Autoencoder
    networks : Networks
    jobs : list of Job
        Their row counts must be equal. Every job's rows are on the device once.
    seeds : list of int
        The entropy of each job.
    """
    restarts = range(embedder.restarts)
    x = jobs[0].x if len(jobs) == 1 else np.concatenate([job.x for job in jobs])
    offsets = np.cumsum([0] + [len(job.x) for job in jobs[:-1]])
    lanes = [pair for pair in zip(jobs, offsets, strict=True) for _ in restarts]
    optimizer, rate = optimizer_of(embedder)
    recipe = Recipe(
        model=networks.autoencoder,
        objective=Reconstruction(loss_of(embedder)),
        optimizer=optimizer,
        metrics=metrics_of(embedder, x.shape[1:]),
        noise=float(embedder.noise),
    )
    with contextlib.ExitStack() as stack:
        on_progress = None
        if embedder.verbose:
            on_progress = stack.enter_context(progress_bar(len(lanes), embedder.epochs))
        return train(
            recipe,
            x,
            [job.rows + offset for job, offset in lanes],
            [job.validation + offset for job, offset in lanes] if len(jobs[0].validation) else None,
            epochs=embedder.epochs,
            batch_size=embedder.batch_size,
            seeds=[(seed, restart) for seed in seeds for restart in restarts],
            patience=embedder.patience,
            learning_rates=[rate] * len(lanes),
            sample_weights=np.concatenate([job.weights for job in jobs]),
            on_progress=on_progress,
        )


def adopt(embedder, networks: Networks, training: Training) -> None:
    """Give the embedder what was learned: the best restart's weights in its models."""
    model = networks.autoencoder
    weights = {id(weight) for weight in model.weights}
    # Random layers keep a generator's state among the variables; it is not a weight.
    positions = [i for i, variable in enumerate(model.variables) if id(variable) in weights]
    restarts = restarts_of(training, positions)
    model.set_weights(restarts.weights[restarts.best])
    embedder.encoder_ = networks.encoder
    embedder.decoder_ = networks.decoder
    embedder.autoencoder_ = model
    embedder.restarts_ = restarts
    embedder.history_ = restarts.history


def fit_copies(copies: list, matrices: list[np.ndarray]) -> None:
    """Fit copies of one embedder, each on its own matrix, training equal row counts together."""
    jobs = [
        split_job(one, x, None, one._entropy()) for one, x in zip(copies, matrices, strict=True)
    ]
    groups = defaultdict(list)
    for number, job in enumerate(jobs):
        groups[len(job.rows), len(job.validation)].append(number)
    for numbers in groups.values():
        networks = networks_for(copies[0], matrices[0].shape[1:])
        restarts = copies[0].restarts
        seeds = [copies[number]._entropy() for number in numbers]
        training = run(copies[0], networks, [jobs[number] for number in numbers], seeds)
        if training.interrupted:
            raise KeyboardInterrupt
        for position, number in enumerate(numbers):
            lane = slice(position * restarts, (position + 1) * restarts)
            own = networks_for(copies[number], matrices[number].shape[1:])
            try:
                adopt(copies[number], own, training.take(lane))
            except ValueError as error:
                raise ValueError(f"Copy {number} of {len(copies)}: {error}") from error
            copies[number]._warn_of_lost_restarts()
