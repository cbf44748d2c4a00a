"""Programs: a training compiled once and kept, in the process and on disk."""

import functools
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from narrows._keras import keras
from narrows.networks._copying import foreign_pieces, is_own
from narrows.networks._initializers import uncompiled_zeros
from narrows.objectives import Objective
from narrows.training import _start
from narrows.training._cache import compiling
from narrows.training._compile import compile_together, over_lanes, traced
from narrows.training._corruption import Noise
from narrows.training._engine import engine
from narrows.training._loops import Carry, Data, Own, Shape, Span, new_carry, run_segment
from narrows.training._step import Parts, State, measure_names
from narrows.training._twin import Twin, make_twin

_KEPT = 16
_programs: "OrderedDict[str, Program]" = OrderedDict()
_lock = threading.RLock()


@dataclass(frozen=True)
class Recipe:
    """What a training is made of, before anything is compiled.

    Attributes
    ----------
    model : keras.Model
        The network to train, with one output, the reconstruction, or a dictionary of outputs
        (see `narrows.objectives.Batch`); its own weights are not touched.
    objective : Objective
    optimizer : keras.optimizers.Optimizer
        A template; its learning rate is an input of the program.
    metrics : tuple of keras.metrics.Metric
        Of the target and the output.
    noise : Noise or None
        What is done in training to the rows that the encoder sees.
    decay : {"cosine"} or None
        Whether the learning rate falls to 0 over all steps, along half a cosine wave.
    """

    model: keras.Model
    objective: Objective
    optimizer: keras.optimizers.Optimizer
    metrics: tuple = ()
    noise: Noise | None = None
    decay: str | None = None

    def key(self) -> str:
        """Return a text that is equal for recipes that compile to the same programs."""
        optimizer = self.optimizer.get_config()
        optimizer.pop("name")  # numbered anew for every object
        if not isinstance(optimizer.get("learning_rate"), dict):  # a schedule is compiled in
            optimizer.pop("learning_rate", None)
        parts = [
            graph_config(self.model),
            [_identity(self.optimizer)[0], optimizer],
            self.objective.config(),
            [_identity(metric) for metric in self.metrics],
            self.noise,
            self.decay,
        ]
        return json.dumps(parts, sort_keys=True, default=str)


def _identity(piece) -> list:
    """Tell a metric or optimizer from others; of a class that is not Keras's, only the object."""
    return [type(piece).__name__ if is_own(piece) else id(piece), piece.get_config()]


def graph_config(model: keras.Model) -> list:
    """Return what tells a graph from others: its config, and what is not Keras's own in it.

    Two classes or functions of one name may differ, in a notebook where a cell was run again.
    """
    layers = model._flatten_layers()
    foreign = [id(piece) for layer in layers for piece in foreign_pieces(layer).values()]
    try:
        return [model.get_config(), foreign]
    except Exception:  # a function that Keras cannot describe: then only the object is the same
        return [id(model), foreign]


@dataclass(frozen=True)
class Compiled:
    """The two functions of a training, for a number of lanes.

    Attributes
    ----------
    start : callable
        ``start(weights_keys, masks_keys, rates, initial)`` returns a `Carry`; keys are uint32 of
        shape (lanes, 2), rates float32 of shape (lanes,), initial variables a list of arrays of
        shape (lanes, ...) or None.
    segment : callable
        ``segment(carry, data, own, span)`` as `run_segment`, with a lane axis on `carry` and
        `own`; the carry is donated.
    """

    start: Callable
    segment: Callable


@dataclass
class Program:
    """The compiled functions of one recipe, by shape.

    Threads may call the same function at once; compiling is under a lock.

    Attributes
    ----------
    recipe : Recipe
    parts : Parts
    twin : Twin
    unseeded : list of str
        Weights whose initializer is not Keras's own: nobody can seed it, so every restart starts
        them from the same values.
    """

    recipe: Recipe
    parts: Parts = field(init=False)
    twin: Twin = field(init=False)
    unseeded: list[str] = field(init=False)
    _compiled: OrderedDict = field(default_factory=OrderedDict, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)

    def __post_init__(self):
        self.twin = make_twin(self.recipe.model)
        model, recipe = self.twin.model, self.recipe
        self._own = [
            keras.Variable(np.float32(value), name=name, dtype="float32")
            for name, value in recipe.objective.parameters.items()
        ]
        optimizer = _built_optimizer(recipe.optimizer, model.trainable_variables, self._own)
        self.parts = Parts(
            model=model,
            encode=self.twin.encoder() if recipe.objective.encodes else None,
            optimizer=optimizer,
            rates=tuple(v.path.endswith("learning_rate") for v in optimizer.variables),
            objective=recipe.objective,
            metrics=tuple(_built_metric(metric, model) for metric in recipe.metrics),
            noise=recipe.noise,
            decay=recipe.decay,
        )
        self.unseeded = [
            variable.path
            for variable in model.trainable_variables
            if not _can_be_seeded(self.twin.initializers.get(id(variable)))
        ]
        self._optimizer_start = [np.asarray(v.value) for v in optimizer.variables]

    @functools.cached_property
    def draw(self) -> Callable:
        """``draw(keys)``: initial variables for keys of shape (lanes, 2), compiled by lanes."""
        return jax.jit(jax.vmap(lambda key: _start.initial_weights(self.twin, key)))

    @property
    def measures(self) -> list[str]:
        """Names of the numbers an epoch leaves, without the validation ones."""
        return measure_names(self.parts)

    def compiled(
        self, shape: Shape, lanes: int, data: Data, *, drawn: bool, shifted: bool
    ) -> Compiled:
        """Return the functions for so many lanes, compiling them at the first call.

        Parameters
        ----------
        shape : Shape
        lanes : int
        data : Data
            For its shapes and types.
        drawn : bool
            Whether initial weights are drawn; otherwise they are arguments of ``start``.
        shifted : bool
            Whether lanes have offsets.
        """
        described = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), data)
        wanted = (shape, lanes, described, drawn, shifted)
        key = (*wanted, jax.config.jax_default_matmul_precision)  # the user's choice, compiled in
        with self._lock:
            if key not in self._compiled:
                self._compiled[key] = self._compile(*wanted)
                while len(self._compiled) > _KEPT:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(key)
            return self._compiled[key]

    def _compile(
        self, shape: Shape, lanes: int, data: Data, drawn: bool, shifted: bool
    ) -> Compiled:
        def start(weights_key, masks_key, rate, initial):
            return self._start(shape, weights_key, masks_key, rate, initial)

        def segment(carry, data, own, span):
            return run_segment(self.parts, shape, carry, data, own, span)

        keys = jax.ShapeDtypeStruct((lanes, 2), jnp.uint32)
        initial = None if drawn else [_lanes_of(lanes, v) for v in self.twin.model.variables]
        rates = jax.ShapeDtypeStruct((lanes,), jnp.float32)
        start_lowered = traced(
            jax.jit(over_lanes(start, lanes, (0, 0, 0, 0))), (keys, keys, rates, initial)
        )
        carry = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), start_lowered.out_info
        )
        own = Own(
            jax.ShapeDtypeStruct((lanes, shape.epochs, shape.rows), jnp.int32),
            jax.ShapeDtypeStruct((lanes, shape.validation_rows), jnp.int32),
            jax.ShapeDtypeStruct((lanes, *data.x.shape[1:]), jnp.float32) if shifted else None,
        )
        span = Span(*[jax.ShapeDtypeStruct((), jnp.int32)] * len(Span._fields))
        segment_lowered = traced(
            jax.jit(over_lanes(segment, lanes, (0, None, 0, None)), donate_argnums=0),
            (carry, data, own, span),
        )
        return Compiled(*compile_together(start_lowered, segment_lowered))

    def _start(self, shape: Shape, weights_key, masks_key, rate, initial) -> Carry:
        """Return one lane's memory before the first step."""
        variables = initial or _start.initial_weights(self.twin, weights_key)
        trainable, other = self._split(variables)
        trainable = trainable + [jnp.asarray(variable.value) for variable in self._own]
        optimizer = [
            rate.astype(value.dtype) if is_rate else jnp.asarray(value)
            for value, is_rate in zip(self._optimizer_start, self.parts.rates, strict=True)
        ]
        state = State(trainable, other, optimizer, masks_key, jnp.uint32(0))
        return new_carry(self.parts, shape, state)

    def _split(self, variables):
        """Sort arrays in the model's order into trainable ones and others."""
        model = self.twin.model
        by_id = dict(zip((id(v) for v in model.variables), variables, strict=True))
        trainable = [by_id[id(v)] for v in model.trainable_variables]
        other = [by_id[id(v)] for v in model.non_trainable_variables]
        return trainable, other

    def join(self, trainable, other) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Put a state's arrays back in the order of ``model.variables``, and the objective's own.

        Parameters
        ----------
        trainable, other : lists of arrays
            As in `State`.
        """
        model = self.twin.model
        count = len(model.trainable_variables)
        by_id = dict(
            zip((id(v) for v in model.trainable_variables), trainable[:count], strict=True)
        )
        by_id |= zip((id(v) for v in model.non_trainable_variables), other, strict=True)
        own = zip(self.recipe.objective.parameters, trainable[count:], strict=True)
        return (
            [np.asarray(by_id[id(v)]) for v in model.variables],
            {name: np.asarray(value) for name, value in own},
        )


def _can_be_seeded(initializer) -> bool:
    """Whether an initializer takes a seed for each restart, or is known to need none."""
    if initializer is None:
        return False
    return is_own(initializer) or hasattr(initializer, "_init_seed")


def _lanes_of(lanes: int, variable) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((lanes, *variable.shape), variable.dtype)


def _built_optimizer(template, weights: list, own: list):
    """Return a copy of an optimizer, built for the weights and the objective's own numbers."""
    optimizer = type(template).from_config(template.get_config())
    if own:  # weight decay is for the network
        optimizer.exclude_from_weight_decay(var_list=own)
    with uncompiled_zeros():
        optimizer.build(weights + own)
    return optimizer


def _built_metric(metric, model):
    """Return a copy of a metric whose variables exist (some are made at the first update)."""
    metric = type(metric).from_config(metric.get_config())
    output = model.output["output"] if isinstance(model.output, dict) else model.output
    row = np.zeros((1, *output.shape[1:]), "float32")
    metric.update_state(row, row)
    metric.reset_state()
    return metric


@engine()
def get_program(recipe: Recipe) -> Program:
    """Return the process's program for a recipe, making it at the first call."""
    key = recipe.key()
    with _lock:
        if key not in _programs:
            _programs[key] = Program(recipe)
            while len(_programs) > _KEPT:
                _programs.popitem(last=False)
        _programs.move_to_end(key)
        return _programs[key]


@engine()
def initial_weights(recipe: Recipe, seeds: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Draw the variables that trainings start from.

    Parameters
    ----------
    recipe : Recipe
    seeds : sequence of (int, int), one a lane
        Entropy and restart number, as in `narrows.training.train`.

    Returns
    -------
    list of ndarrays of shape (lanes, ...)
        In the order of the model's ``variables``.
    """
    draw = get_program(recipe).draw
    keys = np.stack([_start.restart_seeds(*seed).weights for seed in seeds])
    with compiling():
        return [np.asarray(values) for values in draw(keys)]


def forget_programs() -> None:
    """Drop every compiled program of this process; the next fit compiles (or reads the disk)."""
    with _lock:
        _programs.clear()
