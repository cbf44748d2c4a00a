"""Programs: a training compiled once and kept, in the process and on disk."""

import dataclasses
import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from narrows._keras import keras
from narrows.networks import Start, carry_attributes, clone_model, digest, initializers_of, is_own
from narrows.objectives import Objective
from narrows.training import _seeding
from narrows.training._engine import engine
from narrows.training._guard import sample_spec
from narrows.training.compiling._cache import compiling
from narrows.training.compiling._compile import compile_together, over_lanes, traced
from narrows.training.compiling._dropout import dropout_layers
from narrows.training.compiling._exchange import encoder_of, exchanged
from narrows.training.compiling._identity import described, optimizer_text, recipe_text
from narrows.training.looping._loops import Carry, Data, Own, Shape, Span, new_carry, run_segment
from narrows.training.looping._noise import Noise
from narrows.training.looping._optimizer import BuiltOptimizer, build_optimizer, check_optimizer
from narrows.training.looping._settings import settings_spec
from narrows.training.looping._step import Frame, Parts, Rows, State, check, measure_names

_KEPT = 64
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
        What is done in training to the rows that the encoder sees; a lane may have another amount.
    schedule : {"constant", "cosine", "one-cycle"}
        How the learning rate goes over all steps; a lane may have another.
    decayed : frozenset of int
        Places, in the model's variables, of those that weight decay is for.
    start : Start or None
        Where the variables start; None for a model that somebody else built, whose initializers
        are found by building its layers again.
    """

    model: keras.Model
    objective: Objective
    optimizer: keras.optimizers.Optimizer
    metrics: tuple = ()
    noise: Noise | None = None
    schedule: str = "constant"
    decayed: frozenset[int] = frozenset()
    start: Start | None = None


@dataclass(frozen=True)
class Compiled:
    """The two functions of a training, for a number of lanes.

    Attributes
    ----------
    start : callable
        ``start(weights_keys, masks_keys, rates, kept, initial, parameters)`` returns a `Carry`;
        keys are uint32 of shape (lanes, 2), rates float32 of shape (lanes,). `kept` and `initial`
        are mappings of a variable's place to what it starts from instead of drawn numbers: one
        array for all lanes, or one of shape (lanes, ...). `parameters` are the objective's own,
        of shape (lanes, ...).
    segment : callable
        ``segment(carry, data, own, span)`` as `run_segment`, with a lane axis on `carry` and
        `own`; the carry is donated.
    check : callable
        ``check(variables, own, rows)`` returns what the network and the objective make of a few
        rows in inference mode, see `narrows.training._guard`.
    """

    start: Callable
    segment: Callable
    check: Callable


_compiled: "OrderedDict[tuple, Compiled]" = OrderedDict()
_draws: "OrderedDict[str, Callable]" = OrderedDict()
_optimizers: "OrderedDict[str, BuiltOptimizer]" = OrderedDict()


class Program:
    """One recipe's training, and the compiled functions that do it.

    The functions are kept for the process's life under what the recipe does, so that another
    recipe of the same effect compiles nothing. Threads may call the same function at once;
    compiling is under a lock.

    Attributes
    ----------
    recipe : Recipe
    parts : Parts
    dropouts : list of keras.layers.Dropout
        Those whose rates are inputs.
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        model = recipe.model
        self._own = [
            keras.Variable(np.asarray(value, np.float32), name=name, dtype="float32")
            for name, value in recipe.objective.parameters.items()
        ]
        self._optimizer = _built_optimizer(recipe.optimizer, model.trainable_variables, self._own)
        self.dropouts = dropout_layers(model)
        places = {id(layer): place for place, layer in enumerate(self.dropouts)}
        self.parts = Parts(
            model=exchanged(model, places),
            encode=encoder_of(model) if recipe.objective.encodes else None,
            optimizer=self._optimizer.optimizer,
            rates=self._optimizer.rates,
            objective=recipe.objective,
            metrics=tuple(_built_metric(metric, model) for metric in recipe.metrics),
            noise=recipe.noise and recipe.noise.kind,
            decayed=_decayed(recipe),
        )

    @functools.cached_property
    def start(self) -> Start:
        """Where the model's variables start."""
        model = self.recipe.model
        return self.recipe.start or Start(initializers_of(model, clone_model))

    @functools.cached_property
    def kept(self) -> dict[int, np.ndarray]:
        """What some variables start from in every lane, by their place: what nobody draws."""
        return {
            place: np.asarray(variable.value)
            for place, variable in enumerate(self.recipe.model.variables)
            if id(variable) in self.start.kept
            or (
                self.start.initializers.get(id(variable)) is None
                and not variable.path.endswith("seed_generator_state")
            )
        }

    @functools.cached_property
    def unseeded(self) -> list[str]:
        """Weights that start from what an unknown function drew once, in every restart alike."""
        return [
            variable.path
            for variable in self.recipe.model.trainable_variables
            if id(variable) not in self.start.kept
            and not _can_be_seeded(self.start.initializers.get(id(variable)))
        ]

    def parameters(self, lanes: int) -> dict[str, np.ndarray]:
        """Return what the objective's own numbers start from; shapes (lanes, ...)."""
        own = self.recipe.objective.parameters
        return {
            name: np.repeat(np.asarray(value, np.float32)[None], lanes, axis=0)
            for name, value in own.items()
        }

    def draw(self, keys: np.ndarray) -> list[jax.Array]:
        """Return initial variables for keys of shape (lanes, 2), each of shape (lanes, ...)."""
        text = self._text()
        function = None if text is None else _draws.get(text)
        if function is None:
            model, start, places = self.recipe.model, self.start, sorted(self.kept)

            def one(key: jax.Array, kept: list[jax.Array]) -> list[jax.Array]:
                return _seeding.initial_weights(
                    model, start, key, dict(zip(places, kept, strict=True))
                )

            function = jax.jit(jax.vmap(one, in_axes=(0, None)))
            if text is not None:
                _keep(_draws, text, function)
        return function(keys, [self.kept[place] for place in sorted(self.kept)])

    def _text(self) -> str | None:
        """Return what tells a described recipe from others; None where only a trace tells."""
        # Of a model that somebody else built, a start counts if it has been looked for.
        start = self.recipe.start or self.__dict__.get("start")
        recipe = dataclasses.replace(self.recipe, start=start)
        return recipe_text(recipe) if described(recipe) else None

    @property
    def measures(self) -> list[str]:
        """Names of the numbers an epoch leaves, without the validation ones."""
        return measure_names(self.parts)

    def compiled(
        self, shape: Shape, lanes: int, data: Data, *, given: Collection[int], frame: Frame | None
    ) -> tuple[Compiled, str | None]:
        """Return the functions for so many lanes, compiling them at the first call.

        With what tells the training from others, the same in every process with the same libraries;
        None if nobody can tell, so that the functions are for this once.
        """
        described = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), data)
        wanted = (shape, lanes, described, frozenset(given), frame)
        with _lock:
            identity = self._identity(shape, described, frozenset(given), frame)
            if identity is None:
                return self._compile(*wanted), None
            # The user's choice of precision is compiled in.
            key = (*wanted, jax.config.jax_default_matmul_precision, identity)
            if key not in _compiled:
                _keep(_compiled, key, self._compile(*wanted))
            _compiled.move_to_end(key)
            return _compiled[key], identity

    def _identity(
        self, shape: Shape, data: Data, given: frozenset, frame: Frame | None
    ) -> str | None:
        """Return what tells this training from others; None if nobody can tell."""
        if len(given) < len(self.recipe.model.variables):
            _ = self.start  # is drawn from, so it counts
        text = self._text()
        if text is not None:
            return text
        start, args = self._start_function(shape, 1, given)
        carry = jax.eval_shape(start, *args)
        own, span = self._own_and_span(shape, 1, frame)

        def segment(carry: Carry, data: Data, own: Own, span: Span) -> tuple[Carry, jax.Array]:
            return over_lanes(self._segment(shape), 1, (0, None, 0, None))(carry, data, own, span)

        found = [
            traced(lambda: digest(start, *args)),
            traced(lambda: digest(segment, carry, data, own, span)),
        ]
        return None if None in found else " ".join(map(str, found))

    def _compile(
        self, shape: Shape, lanes: int, data: Data, given: frozenset, frame: Frame | None
    ) -> Compiled:
        start, args = self._start_function(shape, lanes, given)
        start_lowered = traced(lambda: jax.jit(start).lower(*args))
        carry = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), start_lowered.out_info
        )
        own, span = self._own_and_span(shape, lanes, frame)
        segment = over_lanes(self._segment(shape), lanes, (0, None, 0, None))
        segment_lowered = traced(
            lambda: jax.jit(segment, donate_argnums=0).lower(carry, data, own, span)
        )
        # On a GPU the session's products may be rounded to ten bits; the model is compared in full.
        with jax.default_matmul_precision("float32"):
            check_lowered = traced(lambda: self._check_lowered(data, frame))
        return Compiled(*compile_together(start_lowered, segment_lowered, check_lowered))

    def _start_function(
        self, shape: Shape, lanes: int, given: frozenset
    ) -> tuple[Callable[..., Carry], tuple[Any, ...]]:
        """Return the function that starts lanes, and descriptions of its arguments."""
        variables = self.recipe.model.variables
        kept = {
            place: jax.ShapeDtypeStruct(value.shape, value.dtype)
            for place, value in (self.kept if len(given) < len(variables) else {}).items()
            if place not in given
        }
        initial = {place: _lanes_of(lanes, variables[place]) for place in sorted(given)}
        keys = jax.ShapeDtypeStruct((lanes, 2), jnp.uint32)
        rates = jax.ShapeDtypeStruct((lanes,), jnp.float32)

        def start(
            weights_key: jax.Array,
            masks_key: jax.Array,
            rate: jax.Array,
            kept: dict[int, jax.Array],
            initial: dict[int, jax.Array],
            parameters: list[jax.Array],
        ) -> Carry:
            return self._start(shape, weights_key, masks_key, rate, kept | initial, parameters)

        own = [_lanes_of(lanes, variable) for variable in self._own]
        described = keys, keys, rates, kept, initial, own
        return over_lanes(start, lanes, (0, 0, 0, None, 0, 0)), described

    def _own_and_span(self, shape: Shape, lanes: int, frame: Frame | None) -> tuple[Own, Span]:
        """Return descriptions of what a segment takes beside the carry and the data."""

        def of_lanes(leaf: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct((lanes, *leaf.shape), leaf.dtype)

        own = Own(
            jax.ShapeDtypeStruct((lanes, shape.epochs, shape.rows), jnp.int32),
            jax.ShapeDtypeStruct((lanes, shape.validation_rows), jnp.int32),
            jax.tree.map(of_lanes, frame),
            settings_spec(lanes, len(self.dropouts)),
        )
        return own, Span(*[jax.ShapeDtypeStruct((), jnp.int32)] * len(Span._fields))

    def _segment(self, shape: Shape) -> Callable:
        def segment(carry: Carry, data: Data, own: Own, span: Span) -> tuple[Carry, jax.Array]:
            return run_segment(self.parts, shape, carry, data, own, span)

        return segment

    def _check_lowered(self, data: Data, frame: Frame | None) -> jax.stages.Lowered:
        variables = [
            jax.ShapeDtypeStruct(tuple(v.shape), v.dtype) for v in self.recipe.model.variables
        ]
        own = [jax.ShapeDtypeStruct(tuple(v.shape), jnp.float32) for v in self._own]
        rows = sample_spec(data, frame)

        def run(
            variables: list[jax.Array], own: list[jax.Array], rows: Rows
        ) -> tuple[dict[str, jax.Array], jax.Array]:
            trainable, other = self._split(variables)
            return check(self.parts, trainable + own, other, rows)

        return jax.jit(run).lower(variables, own, rows)

    def _start(
        self,
        shape: Shape,
        weights_key: jax.Array,
        masks_key: jax.Array,
        rate: jax.Array,
        given: dict[int, jax.Array],
        parameters: list[jax.Array],
    ) -> Carry:
        """Return one lane's memory before the first step."""
        model = self.recipe.model
        if len(given) == len(model.variables):
            variables = [given[place] for place in range(len(given))]
        else:
            variables = _seeding.initial_weights(model, self.start, weights_key, given)
        trainable, other = self._split(variables)
        trainable = trainable + parameters
        optimizer = self._optimizer.start(trainable, rate)
        state = State(trainable, other, optimizer, masks_key, jnp.uint32(0))
        return new_carry(self.parts, shape, state)

    def _split(self, variables: list[jax.Array]) -> tuple[list[jax.Array], list[jax.Array]]:
        """Sort arrays in the model's order into trainable ones and others."""
        model = self.recipe.model
        by_id = dict(zip((id(v) for v in model.variables), variables, strict=True))
        trainable = [by_id[id(v)] for v in model.trainable_variables]
        other = [by_id[id(v)] for v in model.non_trainable_variables]
        return trainable, other

    def join(
        self, trainable: list[jax.Array], other: list[jax.Array]
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Put a state's arrays back in the order of the model's variables, with the objective's."""
        model = self.recipe.model
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


def _decayed(recipe: Recipe) -> tuple[bool, ...]:
    """Say of each trainable variable whether weight decay is for it; empty where it is for none."""
    if not recipe.decayed:
        return ()
    some = {id(recipe.model.variables[place]) for place in recipe.decayed}
    return tuple(id(variable) in some for variable in recipe.model.trainable_variables)


def _can_be_seeded(initializer: Callable | None) -> bool:
    """Whether an initializer takes a seed for each restart, or is known to need none."""
    if initializer is None:
        return False
    return is_own(initializer) or hasattr(initializer, "_init_seed")


def _lanes_of(lanes: int, variable: keras.Variable) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((lanes, *variable.shape), variable.dtype)


def _built_metric(metric: keras.metrics.Metric, model: keras.Model) -> keras.metrics.Metric:
    """Return a copy of a metric whose variables exist (some are made at the first update)."""
    original = metric
    metric = type(original).from_config(original.get_config())
    carry_attributes(original, metric)
    output = model.output["output"] if isinstance(model.output, dict) else model.output
    # As many rows as there are columns could hide that a metric takes the two for one another.
    rows = np.zeros((output.shape[-1] + 1, *output.shape[1:]), "float32")
    try:
        metric.update_state(rows, rows, sample_weight=None)  # as Keras's fit calls it
    except Exception as error:
        raise ValueError(
            "The 'metrics' parameter must have metrics of rows and reconstructions of the same "
            f"shape. Got {type(metric).__name__} ({metric.name!r}) instead; on rows of shape "
            f"{rows.shape} it failed: {error} Choose one of numbers, not of classes."
        ) from error
    metric.reset_state()
    return metric


def _keep(kept: OrderedDict, key: Any, value: Any) -> None:
    """Keep a value, and let go of the one that was used longest ago."""
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def _built_optimizer(
    template: keras.optimizers.Optimizer, variables: list, own: list
) -> BuiltOptimizer:
    """Build an optimizer for variables like the given ones, once for each kind of them."""
    check_optimizer(template)
    text = optimizer_text(template, variables, own)
    with _lock:
        found = None if text is None else _optimizers.get(text)
        if found is None:
            found = build_optimizer(template, [_stand_in(one) for one in variables], own)
            if text is not None:
                _keep(_optimizers, text, found)
        return found


def _stand_in(variable: keras.Variable) -> keras.Variable:
    """Return a variable that an optimizer takes for a weight, without the weight's model."""
    found = keras.Variable(
        np.zeros(variable.shape, variable.dtype), name=variable.name, dtype=variable.dtype
    )
    found._path = variable.path  # some optimizers go by it
    found.constraint = variable.constraint
    found.overwrite_with_gradient = variable.overwrite_with_gradient
    return found


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
    keys = np.stack([_seeding.restart_seeds(*seed).weights for seed in seeds])
    with compiling():
        return [np.asarray(values) for values in Program(recipe).draw(keys)]


def forget_programs() -> None:
    """Drop every compiled program of this process; the next fit compiles (or reads the disk)."""
    with _lock:
        _compiled.clear()
        _draws.clear()
        _optimizers.clear()
