"""What a network embedder's fit does: parameters and rows in, trained Keras models out.

Importing this imports Keras and JAX, so the estimator does it when it fits.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from narrows._progress import Progress, progress_bar
from narrows._session import usual_numbers
from narrows.embedders._keras_objects import metrics_of, optimizer_of
from narrows.embedders._predicting import PredictsLabels
from narrows.embedders._restarts import restarts_of
from narrows.embedders.fitting._labels import FitLabels
from narrows.networks import Networks
from narrows.objectives import BIAS, KERNEL, Labelled, LabelPrediction
from narrows.training import Frame, Noise, Recipe, Training, train, verify

if TYPE_CHECKING:
    from narrows.embedders._base import NetworkEmbedder

_SPLIT = 1  # tells the generator of the split from those of the restarts


@dataclass(frozen=True)
class Job:
    """The rows of one fit: all in one matrix, with the numbers of the two kinds.

    Attributes
    ----------
    x : float32 ndarray of shape (n_rows, ...)
    rows, validation : int ndarrays
    weights : float32 ndarray of shape (n_rows,)
        Sample weights; ones of rows that were given to validate on.
    labels : FitLabels or None
        Of the rows of `x`, where the embedder learns them.
    """

    x: np.ndarray
    rows: np.ndarray
    validation: np.ndarray
    weights: np.ndarray
    labels: FitLabels | None = None


@dataclass(frozen=True)
class Length:
    """How long a training is.

    Attributes
    ----------
    epochs, batch_size : int
    epoch_rows : int or None
        Rows in an epoch; None for all of them, once.
    stop : int or None
        The epoch that it ends with, of those that the learning rate's schedule is for; 0 for
        none.
    """

    epochs: int
    batch_size: int
    epoch_rows: int | None = None
    stop: int | None = None


@dataclass(frozen=True)
class LaneTerms:
    """What each job of a training has for itself; arrays have the jobs' axis first.

    Attributes
    ----------
    frame : Frame or None
        The coordinates that its network is trained in.
    initial : mapping of int to ndarray, or None
        What variables start from, by their place, if it is not drawn.
    loss_scales : list of float or None
        What the loss is multiplied by before it is minimised.
    label_weights : list of float or None
        What the loss of the labels is multiplied by.
    parameters : mapping of str to ndarray, or None
        What the objective's own numbers start from.
    """

    frame: Frame | None = None
    initial: Mapping[int, np.ndarray] | None = None
    loss_scales: list[float] | None = None
    label_weights: list[float] | None = None
    parameters: Mapping[str, np.ndarray] | None = None

    def of(self, jobs: Sequence[int]) -> "LaneTerms":
        """Return the terms of lanes, each given by its job's number."""
        numbers = list(jobs)
        return LaneTerms(
            jax.tree.map(lambda values: values[numbers], self.frame),
            self.initial and {place: values[numbers] for place, values in self.initial.items()},
            self.loss_scales and [self.loss_scales[job] for job in numbers],
            self.label_weights and [self.label_weights[job] for job in numbers],
            self.parameters and {name: values[numbers] for name, values in self.parameters.items()},
        )


def split_job(
    embedder: "NetworkEmbedder",
    x: np.ndarray,
    held_out: np.ndarray | None,
    entropy: int,
    weights: np.ndarray | None = None,
    labels: FitLabels | None = None,
) -> Job:
    """Decide which rows are trained on and which are held out."""
    weights = np.ones(len(x), np.float32) if weights is None else weights
    if held_out is not None:
        everything = np.concatenate([x, held_out])
        padded = np.concatenate([weights, np.ones(len(held_out), np.float32)])
        labels = labels and labels.with_rows(len(held_out))
        return Job(
            everything, np.arange(len(x)), np.arange(len(x), len(everything)), padded, labels
        )
    count = round(embedder.validation_fraction * len(x))
    if embedder.validation_fraction > 0 and not 0 < count < len(x):
        raise ValueError(
            f"A 'validation_fraction' of {embedder.validation_fraction} must leave rows on both "
            f"sides. Got {len(x)} rows, of which {count} would be held out. Give more rows, or "
            "another fraction."
        )
    if not count:
        return Job(x, np.arange(len(x)), np.arange(0), weights, labels)
    # Another entropy than the restarts', which are the children of `entropy` alone.
    seed = np.random.SeedSequence((entropy, _SPLIT))
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(x))
    return Job(x, np.sort(order[count:]), np.sort(order[:count]), weights, labels)


@usual_numbers()
def run(
    embedder: "NetworkEmbedder",
    networks: Networks,
    jobs: list[Job],
    seeds: list[int],
    on_progress: Progress | None = None,
    checkpoint: Any = None,
    length: Length | None = None,
) -> Training:
    """Train all restarts of all jobs: one lane each, a job's restarts side by side."""
    restarts = range(embedder.restarts)
    stack, firsts = _stacked(jobs)
    x = stack.x
    lanes = [pair for pair in zip(jobs, firsts, strict=True) for _ in restarts]
    recipe, rate = recipe_of(embedder, networks, x.shape[1:], jobs[0].labels)
    length = length or embedder._length(len(jobs[0].rows))
    if length.stop == 0:  # an epoch at learning rate 0 leaves all as it starts
        length, rate = dataclasses.replace(length, stop=1), 0.0
    terms = embedder._lane_terms(networks, jobs).of(
        [number for number in range(len(jobs)) for _ in restarts]
    )
    with contextlib.ExitStack() as bars:
        if embedder.verbose and on_progress is None:
            on_progress = bars.enter_context(training_bar(len(lanes), length.epochs))
        training = train(
            recipe,
            x,
            [job.rows + first for job, first in lanes],
            [job.validation + first for job, first in lanes] if len(jobs[0].validation) else None,
            epochs=length.epochs if length.stop is None else length.stop,
            all_epochs=length.epochs,
            batch_size=length.batch_size,
            epoch_rows=length.epoch_rows,
            seeds=[(seed, restart) for seed in seeds for restart in restarts],
            patience=embedder.patience,
            learning_rates=[rate] * len(lanes),
            weight_decays=[embedder._weight_decay()] * len(lanes),
            loss_scales=terms.loss_scales,
            initial=by_place(terms.initial, networks),
            sample_weights=stack.weights,
            labels=None if stack.labels is None else stack.labels.values,
            labelled=None if stack.labels is None else stack.labels.weights,
            label_weights=terms.label_weights,
            parameters=terms.parameters,
            frames=terms.frame,
            on_progress=on_progress,
            checkpoint=checkpoint,
        )
    if terms.frame is None:
        return training
    return embedder._in_columns(networks, training, terms.frame)


def by_place(initial: Mapping[int, np.ndarray] | None, networks: Networks) -> list | None:
    """Return initial values as `train` takes them: one for each variable, None where drawn."""
    if initial is None:
        return None
    return [initial.get(place) for place in range(len(networks.trained.variables))]


def recipe_of(
    embedder: "NetworkEmbedder",
    networks: Networks,
    row_shape: tuple[int, ...],
    labels: FitLabels | None = None,
) -> tuple[Recipe, float]:
    """Return what the engine needs of an embedder, and the learning rate."""
    objective = embedder._objective(networks)
    if labels is not None:
        width = int(networks.encoder.output.shape[-1])
        objective = Labelled(objective, LabelPrediction(labels.loss, labels.n_outputs, width))
    optimizer, rate = optimizer_of(embedder)
    terms = objective.names if len(objective.names) > 1 else ()
    noise = embedder._noise()
    recipe = Recipe(
        model=networks.trained,
        objective=objective,
        optimizer=optimizer,
        metrics=metrics_of(embedder, row_shape, terms),
        noise=None if noise is None else Noise(*noise),
        schedule=embedder._schedule,
        decayed=embedder._decayed(networks),
        start=networks.start,
    )
    return recipe, rate


def _stacked(jobs: list[Job]) -> tuple[Job, list[int]]:
    """Put the jobs' matrices on top of each other, each once; return where each job's begins."""
    firsts: dict[int, int] = {}
    parts: list[Job] = []
    length = 0
    for job in jobs:
        if id(job.x) not in firsts:
            firsts[id(job.x)] = length
            parts.append(job)
            length += len(job.x)
    offsets = [firsts[id(job.x)] for job in jobs]
    if len(parts) == 1:
        return parts[0], offsets
    x = np.concatenate([job.x for job in parts])
    weights = np.concatenate([job.weights for job in parts])
    labels = None
    if parts[0].labels is not None:
        own = [job.labels for job in parts if job.labels is not None]
        values, factors = (
            np.concatenate([getattr(one, name) for one in own]) for name in ("values", "weights")
        )
        labels = dataclasses.replace(own[0], values=values, weights=factors)
    return Job(x, jobs[0].rows, jobs[0].validation, weights, labels), offsets


@usual_numbers()
def adopt(
    embedder: "NetworkEmbedder",
    networks: Networks,
    training: Training,
    labels: FitLabels | None = None,
) -> None:
    """Give the embedder what was learned: the best restart's weights in its models."""
    model = networks.trained
    weights = {id(weight) for weight in model.weights}
    # Random layers keep a generator's state among the variables; it is not a weight.
    positions = [i for i, variable in enumerate(model.variables) if id(variable) in weights]
    restarts = restarts_of(training, positions)
    model.set_weights(restarts.weights[restarts.best])
    lane = list(training.lanes).index(restarts.best)
    verify_lane(networks, training, lane, delivered=weights)
    embedder._adopt(networks)
    embedder.restarts_ = restarts
    embedder.history_ = restarts.history
    if isinstance(embedder, PredictsLabels):
        embedder._forget_head()
        if labels is not None:
            own = training.parameters
            embedder._take_head(labels, own[KERNEL][lane], own[BIAS][lane])


def give_head(embedder: "NetworkEmbedder", job: Job) -> None:
    """Give an embedder that was trained without labels a linear model of them."""
    from narrows.embedders.fitting._label_start import head_on

    assert job.labels is not None
    assert isinstance(embedder, PredictsLabels)
    z = embedder._apply("encoder_", job.x)
    embedder._take_head(job.labels, *head_on(z, job.weights, job.labels))


def verify_lane(
    networks: Networks, training: Training, lane: int, delivered: Collection[int] = frozenset()
) -> None:
    """Make sure that networks with the weights of a lane do what the engine does.

    Of the variables with an id in `delivered` the networks' own values are meant.
    """
    values = [
        np.asarray(variable.value) if id(variable) in delivered else lanes[lane]
        for variable, lanes in zip(networks.trained.variables, training.weights, strict=True)
    ]
    models = {"encoder": networks.encoder, "decoder": networks.decoder, "whole": networks.trained}
    verify(training.sample(lane), values, models)


def training_bar(
    trainings: int, epochs: int
) -> contextlib.AbstractContextManager[Callable[[float, float], None]]:
    """Show a bar of so many trainings, see `progress_bar`."""
    what = "training" if trainings == 1 else f"training {trainings} times"
    return progress_bar(what, "epochs", trainings * epochs)
