"""Copies of layers, and what in a layer is not Keras's own."""

import inspect
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from narrows._keras import fresh_names, keras
from narrows.networks._agreement import computes_as
from narrows.networks._initializers import Build

_HOMES = ("keras.", "narrows.")
_CONFIGURED = (
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
)
_OBJECTS = (*_CONFIGURED, keras.layers.Layer)
_FUNCTIONS = ("activation", "initializer", "regularizer", "constraint")


def foreign_pieces(layer) -> dict[str, Any]:
    """Return classes and functions that a layer uses and Keras does not know, by their name.

    Those of the layers of a model, which may be a layer of another one, too.
    """
    pieces: list[Any] = [type(layer)]
    for name, value in vars(layer).items():
        if isinstance(value, _CONFIGURED):
            pieces.append(type(value))
        elif inspect.isfunction(value) or (name.endswith(_FUNCTIONS) and callable(value)):
            pieces.append(value)
    found = {
        getattr(piece, "__name__", repr(piece)): piece for piece in pieces if _is_foreign(piece)
    }
    for inner in layer.layers if isinstance(layer, keras.Model) else ():
        found |= foreign_pieces(inner)
    return found


def _is_foreign(piece) -> bool:
    home = getattr(piece, "__module__", None) or type(piece).__module__
    return not str(home).startswith(_HOMES)


def is_own(piece) -> bool:
    """Whether the class of an object is Keras's or ours, so that its behaviour is known."""
    return not _is_foreign(type(piece))


_PIECES = (
    *_CONFIGURED,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
)


def is_told(piece: Any) -> bool:
    """Whether an object or function, and every one that it holds, is Keras's own or ours."""
    if piece is None:
        return True
    if inspect.isroutine(piece) or inspect.isclass(piece):
        return not _is_foreign(piece)
    return is_own(piece) and all(
        is_told(value)
        for value in vars(piece).values()
        if callable(value) or isinstance(value, _PIECES)
    )


def arguments_of(piece: Any) -> dict | None:
    """Return the arguments of the function in a loss or metric; None where it holds none.

    Keras 3.15 leaves some out of its configuration: ``delta`` of Huber's, ``axis`` of others.
    """
    found = vars(piece).get("_fn_kwargs")
    return None if found is None else dict(found)


def set_arguments(piece: Any, arguments: dict | None) -> None:
    """Give a loss or metric what `arguments_of` returned of another of its kind."""
    if arguments is not None and arguments_of(piece) is not None:
        piece._fn_kwargs = dict(arguments)


def carry_attributes(original: Any, copy: Any) -> None:
    """Give a copy made from a configuration the plain attributes that the original has now."""
    for name, value in vars(original).items():
        plain = isinstance(value, bool | int | float | str | None) or inspect.isfunction(value)
        if plain and not name.startswith("_") and name != "name":
            setattr(copy, name, value)
    set_arguments(copy, arguments_of(original))


def settings(piece: Any) -> list:
    """Return what tells a loss or metric of Keras's own from others."""
    return [type(piece).__qualname__, piece.get_config(), arguments_of(piece)]


def is_described(model: keras.Model) -> bool:
    """Whether a model's configuration tells all that it computes, but for its weights.

    Not so where a class or function is not Keras's own, where statistics were adapted, and where
    an operation holds an array or another layer's variable.
    """
    operations = [operation for one in _graphs(model) for operation in one.operations]
    return (
        all(_layer_is_described(layer) for layer in model._flatten_layers())
        and all(_holds_plain(operation) for operation in operations)
        and all(
            is_told(piece)
            for variable in model.variables
            for piece in (variable.constraint, getattr(variable, "regularizer", None))
        )
        and not any(
            callable(argument)
            or isinstance(argument, np.ndarray | keras.Variable)
            or keras.ops.is_tensor(argument)
            for operation in operations
            for node in operation._inbound_nodes
            for argument in keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
            if not isinstance(argument, keras.KerasTensor)
        )
    )


def _holds_plain(operation) -> bool:
    """Whether an operation that is no layer holds no function, array or variable."""
    if isinstance(operation, keras.layers.Layer):
        return True
    return is_own(operation) and not any(
        callable(value) or isinstance(value, np.ndarray) or keras.ops.is_tensor(value)
        for name, value in vars(operation).items()
        if not name.startswith("_") and name not in {"build", "call"}
    )


def _graphs(model: keras.Model) -> Iterator[keras.Model]:
    """The functional models in a model, itself included."""
    for layer in model._flatten_layers():
        if hasattr(layer, "_nodes_by_depth"):
            yield layer


def _layer_is_described(layer) -> bool:
    own_call = any(name in vars(layer) for name in ("call", "compute_output_shape"))
    function = isinstance(layer, keras.layers.Lambda)  # of any kind: a method, an object
    return not (own_call or function or foreign_pieces(layer) or is_adapted(layer))


def is_adapted(layer) -> bool:
    """Whether a layer has learned statistics that stand beside its configuration."""
    return isinstance(layer, keras.layers.Normalization) and layer.input_mean is None


def copy_layer(layer):
    """Make a new layer of a layer's class from its configuration."""
    kind = type(layer)
    if isinstance(layer, keras.layers.Lambda):
        # Its configuration holds the function as code, which Keras rightly refuses to run.
        return kind(
            layer.function,
            output_shape=layer._output_shape,
            mask=layer.mask,
            arguments=layer.arguments,
            name=layer.name,
            dtype=layer.dtype_policy,
        )
    own = {
        name: value
        for name, value in vars(layer).items()
        if name.endswith(_FUNCTIONS) and callable(value) and not isinstance(value, _OBJECTS)
    }
    try:
        for name in own:  # Keras cannot write, or not read, a configuration for some functions
            setattr(layer, name, keras.activations.linear if name.endswith("activation") else None)
        config = layer.get_config()
    finally:
        for name, value in own.items():
            setattr(layer, name, value)
    with keras.utils.custom_object_scope(foreign_pieces(layer)):
        return kind.from_config({**config, **own})


def copied(layer):
    """Copy a layer, or say in a sentence that it cannot be copied."""
    try:
        return copy_layer(layer)
    except Exception as error:
        raise ValueError(
            f"The layer {layer.name!r} must be one that can be copied from its configuration. "
            f"Copying the class {type(layer).__name__} failed: {error} Define get_config for it "
            "so that it returns every argument of its constructor."
        ) from error


def clone_model(model: keras.Model) -> keras.Model:
    """Build a model's layers again from their configurations, with the same names."""
    with fresh_names():
        return keras.models.clone_model(model, clone_function=copied, recursive=True)


class Copies:
    """Copies of layers that somebody else made, each made once, and the weights they keep.

    Parameters
    ----------
    build : Build
        Told of the weights that were copied.
    keep : collection of str
        Names of layers whose weights are copied too. Those of frozen layers and adapted
        statistics always are.
    """

    def __init__(self, build: Build, keep: Collection[str] = ()):
        self._build = build
        self._keep = set(keep)
        self._met: set[str] = set()
        self._pairs: dict[int, tuple[Any, Any]] = {}
        self._whole: set[int] = set()
        self._to_compare: list[tuple[keras.Model, keras.Model]] = []

    def of(self, layer, *, whole: bool = False):
        """Return the copy of a layer; `whole` with all its weights, trained or not."""
        if id(layer) not in self._pairs:
            self._pairs[id(layer)] = (layer, copied(layer))
            if whole:
                self._whole.add(id(layer))
        return self._pairs[id(layer)][1]

    def had_weights(self, layer) -> bool:
        """Whether a layer was made and built before."""
        weights = getattr(layer, "weights", ())
        return any(not self._build.built(weight) for weight in weights) and not self._build.made(
            layer
        )

    def check_later(self, model: keras.Model, made: keras.Model) -> None:
        """Compare a copy with its model when everything is tied."""
        self._to_compare.append((model, made))

    def fill(self) -> None:
        """Give the copies, called and tied by now, the weights that they keep; check them."""
        for layer, copy in self._pairs.values():
            for own, other in _inner_pairs(layer, copy):
                self._carry_marks(own, other)
                if id(own) in self._whole or self._kept_by_name(own) or _keeps(own):
                    for pair in _inner_pairs(own, other):
                        self._keep_values(*pair)
        self._check_names()
        for model, made in self._to_compare:
            self._check_same(model, made)

    def _check_names(self) -> None:
        missing = sorted(self._keep - self._met)
        if missing:
            raise ValueError(
                "The 'keep' parameter must name layers of the Keras models that are given as "
                f"encoder or decoder. Got {', '.join(map(repr, missing))}, which none of them "
                "has. Leave out what a function sets: it is kept anyway."
            )

    def _check_same(self, model: keras.Model, made: keras.Model) -> None:
        """Refuse a copy of a model that computes something else than the model."""
        if is_described(model):
            return
        values = [
            (theirs, ours.value)
            for layer, copy in self._pairs.values()
            for ours, theirs in zip(_variables(layer), _variables(copy), strict=True)
        ]
        with keras.StatelessScope(state_mapping=values):
            same = computes_as(model, made)
        if not same:
            raise ValueError(
                f"The model {model.name!r} must compute the same when its layers are copied from "
                "their configurations. A copy computes something else. Let get_config return "
                "every argument of its layers' constructors, or give a function that makes them."
            )

    def _carry_marks(self, layer, copy) -> None:
        """Carry what single variables are: frozen (and so kept), constrained, penalised."""
        for value, variable in zip(_own_variables(layer), _own_variables(copy), strict=True):
            if variable.trainable and not value.trainable:
                variable.trainable = False
                variable.assign(value.value)
                self._build.note_copied(variable)
            variable.constraint = value.constraint
            variable.regularizer = value.regularizer

    def _keep_values(self, layer, copy) -> None:
        """Copy a layer's own weights, those of layers in it left out."""
        for value, variable in zip(_own_variables(layer), _own_variables(copy), strict=True):
            variable.assign(value.value)
            self._build.note_copied(variable)
        if is_adapted(copy):
            copy.finalize_state()

    def _kept_by_name(self, layer) -> bool:
        if layer.name in self._keep:
            self._met.add(layer.name)
            return True
        return False


def _keeps(layer) -> bool:
    """Whether a layer of a given model starts from the weights it has."""
    return is_adapted(layer) or not layer.trainable


def _inner_pairs(layer, copy) -> list[tuple[Any, Any]]:
    """Pair a layer and the layers in it with those of its copy."""
    flat = [
        list(one._flatten_layers()) if isinstance(one, keras.layers.Layer) else []
        for one in (layer, copy)
    ]
    if [type(one) for one in flat[0]] != [type(one) for one in flat[1]]:
        raise ValueError(
            f"The layer {layer.name!r} must be one that can be copied from its configuration. Its "
            "copy holds other layers. Define get_config for it so that it returns every argument "
            "of its constructor."
        )
    return list(zip(*flat, strict=True))


def _own_variables(layer) -> list:
    """The weights of a layer itself, those of layers in it left out."""
    return layer._trainable_variables + layer._non_trainable_variables


def _variables(layer) -> list:
    """The variables of a layer and of the layers in it; none of an operation."""
    return list(getattr(layer, "variables", ()))
