"""Programs: a training compiled once and kept, in the process and on disk."""

import json
import threading
import traceback
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from narrows._keras import keras
from narrows.networks._initializers import uncompiled_zeros
from narrows.training import _start
from narrows.training._cache import compiling
from narrows.training._loops import Carry, Shape, Span, new_carry, run_segment
from narrows.training._rows import is_own
from narrows.training._step import Parts, State, measure_names
from narrows.training._twin import Twin, foreign_pieces, make_twin

_KEPT = 32
# A training's time is in matrix products, which LLVM does not see: less effort, same speed.
_OPTIONS = {"xla_backend_optimization_level": 1}
_programs: "OrderedDict[str, Program]" = OrderedDict()
_lock = threading.RLock()


@dataclass(frozen=True)
class Recipe:
    """What a training is made of, before anything is compiled.

    Attributes
    ----------
    model : keras.Model
        The network to train; its own weights are not touched.
    objective : callable
        See `narrows.objectives`; has ``names`` and a ``config()``.
    optimizer : keras.optimizers.Optimizer
        A template; its learning rate is an input of the program.
    metrics : tuple of keras.metrics.Metric
    noise : float
        Standard deviation of the Gaussian noise added to the rows in training.
    """

    model: keras.Model
    objective: Any
    optimizer: keras.optimizers.Optimizer
    metrics: tuple
    noise: float

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
    return [model.get_config(), foreign]


@dataclass
class Program:
    """The compiled functions of one recipe, by shape.

    Threads may call the same function at once; compiling is under a lock.
    """

    recipe: Recipe
    parts: Parts = field(init=False)
    twin: Twin = field(init=False)
    _compiled: dict = field(default_factory=dict, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)

    def __post_init__(self):
        self.twin = make_twin(self.recipe.model)
        optimizer = type(self.recipe.optimizer).from_config(self.recipe.optimizer.get_config())
        with uncompiled_zeros():
            optimizer.build(self.twin.model.trainable_variables)
        metrics = tuple(_built(metric, self.twin.model) for metric in self.recipe.metrics)
        self.parts = Parts(
            self.twin.model, optimizer, self.recipe.objective, metrics, self.recipe.noise
        )
        self._optimizer_start = [np.asarray(v.value) for v in optimizer.variables]
        self._rate = [v.path.endswith("learning_rate") for v in optimizer.variables]

    @property
    def measures(self) -> list[str]:
        """Names of the numbers an epoch leaves, without the validation ones."""
        return measure_names(self.parts)

    def start(self, weights_keys: np.ndarray, masks_keys: np.ndarray, rates, initial, shape):
        """Return a `Carry` with a leading lane axis.

        Parameters
        ----------
        weights_keys, masks_keys : uint32 ndarrays of shape (lanes, 2)
        rates : float32 ndarray of shape (lanes,)
            Learning rates.
        initial : list of ndarrays of shape (lanes, ...) or None
            Variables to start from instead of drawn ones.
        shape : Shape
        """

        def start(weights_key, masks_key, rate, initial):
            variables = initial or _start.initial_weights(self.twin, weights_key)
            trainable, other = self._split(variables)
            optimizer = [
                rate.astype(value.dtype) if is_rate else jnp.asarray(value)
                for value, is_rate in zip(self._optimizer_start, self._rate, strict=True)
            ]
            state = State(trainable, other, optimizer, masks_key, jnp.uint32(0))
            return new_carry(self.parts, shape, state)

        args = (weights_keys, masks_keys, rates, initial)
        key = ("start", len(weights_keys), shape.early_stopping, initial is not None)
        lanes = len(weights_keys)
        return self._get(key, lambda: jax.jit(over_lanes(start, lanes, (0, 0, 0, 0))), args)(*args)

    def segment(self, shape: Shape, carry: Carry, x, orders, validation, span: Span):
        """Run one segment for all lanes; `carry` is donated. Shapes as in `run_segment`."""

        def run(carry, x, orders, validation, span):
            return run_segment(self.parts, shape, carry, x, orders, validation, span)

        def make():
            lanes = over_lanes(run, len(orders), (0, None, 0, 0, None))
            return jax.jit(lanes, donate_argnums=0)

        args = (carry, x, orders, validation, span)
        key = ("segment", len(orders), shape, x.shape, str(x.dtype))
        return self._get(key, make, args)(*args)

    def _get(self, key, make, args):
        with self._lock:
            if key not in self._compiled:
                with compiling():
                    self._compiled[key] = _traced(make(), args).compile(_OPTIONS)
            return self._compiled[key]

    def _split(self, variables):
        """Sort arrays in the model's order into trainable ones and others."""
        model = self.twin.model
        by_id = dict(zip((id(v) for v in model.variables), variables, strict=True))
        trainable = [by_id[id(v)] for v in model.trainable_variables]
        other = [by_id[id(v)] for v in model.non_trainable_variables]
        return trainable, other

    def join(self, trainable, other) -> list[np.ndarray]:
        """Put a state's arrays back in the order of ``model.variables``."""
        model = self.twin.model
        by_id = dict(zip((id(v) for v in model.trainable_variables), trainable, strict=True))
        by_id |= zip((id(v) for v in model.non_trainable_variables), other, strict=True)
        return [np.asarray(by_id[id(v)]) for v in model.variables]


def over_lanes(function, lanes: int, axes: tuple):
    """Return `function` over a leading lane axis: `jax.vmap`, or for one lane the plain function.

    XLA finds better kernels for a matrix product without an axis of length one: up to a fifth less
    time for a whole training.

    Parameters
    ----------
    function : callable
        Of one lane.
    lanes : int
    axes : tuple of 0 or None
        For each argument, whether it has the lane axis.
    """
    if lanes > 1:
        return jax.vmap(function, in_axes=axes)

    def alone(*args):
        own = [
            arg if axis is None else jax.tree.map(lambda leaf: leaf[0], arg)
            for arg, axis in zip(args, axes, strict=True)
        ]
        return jax.tree.map(lambda leaf: leaf[None], function(*own))

    return alone


def _traced(function, args):
    """Trace a function; a layer that Python cannot trace is the network's fault, and named."""
    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()  # or the error loses the frames that name the layer
    try:
        return function.lower(*args)
    except Exception as error:
        raise ValueError(
            "The network, its loss and its metrics must be functions that JAX can compile: no "
            "NumPy on tensors, no Python branches on their values. Tracing them failed"
            f"{_place(error)}: {type(error).__name__}: {_first_lines(error)} "
            "Use keras.ops there."
        ) from error
    finally:
        if filtering:
            keras.config.enable_traceback_filtering()


def _place(error: Exception) -> str:
    """Name the innermost Keras layer that an error came from."""
    layers = [
        frame.f_locals["self"]
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if isinstance(frame.f_locals.get("self"), keras.layers.Layer)
    ]
    return f" in layer {layers[-1].name!r} ({type(layers[-1]).__name__})" if layers else ""


def _first_lines(error: Exception, most: int = 3) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:most])


def _built(metric, model):
    """Return a copy of a metric whose variables exist (some are made at the first update)."""
    metric = type(metric).from_config(metric.get_config())
    if not metric.variables:
        row = np.zeros((1, *model.output.shape[1:]), "float32")
        metric.update_state(row, row)
        metric.reset_state()
    return metric


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


def forget_programs() -> None:
    """Drop every compiled program of this process; the next fit compiles (or reads the disk)."""
    with _lock:
        _programs.clear()
