"""From what the user names — widths, functions, models — to encoder, decoder and both together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from narrows._keras import fresh_names, keras
from narrows.networks._copying import copy_layer
from narrows.networks._initializers import deferred_initializers

Part = Any  # widths, a function of a Keras tensor, or a keras.Model


@dataclass(frozen=True)
class Networks:
    """Three graphs over the same layers, so that their weights are shared.

    Attributes
    ----------
    encoder : keras.Model
        (rows, ...) → (rows, bottleneck).
    decoder : keras.Model
        (rows, bottleneck) → (rows, ...).
    autoencoder : keras.Model
        The decoder after the encoder, as one flat graph.
    """

    encoder: keras.Model
    decoder: keras.Model
    autoencoder: keras.Model


def build_networks(
    row_shape: tuple[int, ...], bottleneck: int, encoder: Part, decoder: Part | None = None
) -> Networks:
    """Build encoder and decoder.

    Parameters
    ----------
    row_shape : tuple of int
        The shape of one row: ``(n_columns,)`` for a table.
    bottleneck : int
        Width of the embedding.
    encoder : sequence of int, callable or keras.Model
        Widths of hidden relu layers; or a function of a Keras tensor of shape (None, *row_shape)
        that returns one of shape (None, bottleneck); or a functional model, whose layers are
        copied (its weights are not: a training draws new ones).
    decoder : sequence of int, callable or keras.Model, optional
        The same from the bottleneck to the row. By default the encoder's widths, mirrored.

    Returns
    -------
    Networks
        With weights at zero: `narrows.training` draws them.

    Raises
    ------
    ValueError
        If a part returns another shape than it should, or there are no widths to mirror.
    """
    if decoder is None:
        if not _is_widths(encoder):
            raise ValueError(
                "The 'decoder' parameter of Autoencoder must be given when 'encoder' is a function "
                "or a model: only widths can be mirrored. Got None instead. Pass widths, "
                "a function of a Keras tensor, or a keras.Model."
            )
        decoder = tuple(encoder)[::-1]
    with fresh_names(), deferred_initializers() as built_here:
        inputs = keras.Input(row_shape, name="input_1")
        code = _apply(encoder, inputs, bottleneck_layers)(bottleneck)
        _check_shape("encoder", code, (bottleneck,), "the bottleneck")
        code_inputs = keras.Input((bottleneck,), name="bottleneck_input")
        output = _apply(decoder, code_inputs, reconstruction_layers)(row_shape)
        _check_shape("decoder", output, row_shape, "a row")
        encoder_model = keras.Model(inputs, code, name="encoder")
        decoder_model = keras.Model(code_inputs, output, name="decoder")
        _check_names(encoder_model, decoder_model)
        joined = _replay(decoder_model, code, lambda layer: layer)
        autoencoder = keras.Model(inputs, joined, name="autoencoder")
    _check_new(autoencoder, built_here)
    return Networks(encoder_model, decoder_model, autoencoder)


def join_networks(encoder: keras.Model, decoder: keras.Model) -> Networks:
    """Put a decoder's layers after an encoder's again, where the three graphs were torn apart.

    Parameters
    ----------
    encoder, decoder : keras.Model

    Returns
    -------
    Networks
        The two, and both together over their layers.
    """
    joined = _replay(decoder, encoder.output, lambda layer: layer)
    return Networks(encoder, decoder, keras.Model(encoder.input, joined, name="autoencoder"))


def _check_new(model: keras.Model, built_here) -> None:
    """Refuse layers that had weights before: training would overwrite them in the user's hands."""
    for layer in model.layers:
        if any(id(weight) not in built_here for weight in layer.weights):
            raise ValueError(
                f"The layer {layer.name!r} must be made inside the encoder or decoder function, so "
                "that every fit has its own. It had weights before. Move its creation into the "
                "function."
            )


def _check_stateless(layer) -> None:
    """Refuse a layer whose weights mean something: a copy starts from new ones."""
    adapted = isinstance(layer, keras.layers.Normalization) and layer.input_mean is None
    frozen = bool(getattr(layer, "weights", ())) and not layer.trainable
    if adapted or frozen:
        why = "has adapted statistics" if adapted else "is frozen (trainable=False)"
        raise ValueError(
            f"The layer {layer.name!r} must be one that training may start from new weights. It "
            f"{why}, which a copy would lose. Put that step before the autoencoder in a pipeline, "
            "or give Normalization its mean and variance."
        )


def _is_widths(part) -> bool:
    return not isinstance(part, keras.Model) and not callable(part)


def _apply(part: Part, tensor, layers: Callable) -> Callable:
    """Return a function of the wanted output that puts `part` on `tensor`."""
    if isinstance(part, keras.Model):
        return lambda _: _copy_of(part, tensor)
    if callable(part):
        return lambda _: part(tensor)
    return lambda output: layers(tensor, part, output)


def _copy_of(model: keras.Model, tensor):
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} must know its input's shape. It has not been built. "
            "Start it with a keras.Input."
        )
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if not hasattr(model, "_run_through_graph"):
        raise ValueError(
            f"The model {model.name!r} must be a functional or sequential Keras model, so that "
            f"its layers can be copied. Got the class {type(model).__name__} instead. "
            "Pass a function of a Keras tensor that calls it."
        )
    if (len(model.inputs), len(model.outputs)) != (1, 1):
        raise ValueError(
            f"The model {model.name!r} must have one input and one output. It has "
            f"{len(model.inputs)} and {len(model.outputs)} instead."
        )
    wanted, taken = tuple(tensor.shape[1:]), tuple(model.inputs[0].shape[1:])
    if taken != wanted:
        raise ValueError(
            f"The model {model.name!r} must take rows of shape {wanted}. It takes {taken} "
            "instead. Build it for the shape of the data."
        )
    copies: dict[int, keras.layers.Layer] = {}

    def copy_of(layer):
        # A layer that the graph uses twice is copied once.
        if id(layer) not in copies:
            _check_stateless(layer)
            copies[id(layer)] = copy_layer(layer)
        return copies[id(layer)]

    return _replay(model, tensor, copy_of)


def _replay(model: keras.Model, tensor, layer_for: Callable):
    """Put a model's layers, or copies, on another tensor: a flat graph instead of a nested model.

    This is the step inside `keras.models.clone_model`, which itself cuts the new graph off from
    a tensor that is not an input.
    """
    return keras.tree.flatten(model._run_through_graph([tensor], operation_fn=layer_for))[0]


def bottleneck_layers(x, widths: Sequence[int], bottleneck: int):
    """Put the encoder of the given widths on a tensor."""
    x = keras.layers.Flatten(name="flatten")(x) if len(x.shape) > 2 else x
    for number, width in enumerate(widths, 1):
        x = keras.layers.Dense(int(width), activation="relu", name=f"encoder_{number}")(x)
    return keras.layers.Dense(bottleneck, name="bottleneck")(x)


def reconstruction_layers(z, widths: Sequence[int], row_shape: tuple[int, ...]):
    """Put the decoder of the given widths on a tensor."""
    for number, width in enumerate(widths, 1):
        z = keras.layers.Dense(int(width), activation="relu", name=f"decoder_{number}")(z)
    size = 1
    for length in row_shape:
        size *= length
    z = keras.layers.Dense(size, name="reconstruction")(z)
    return keras.layers.Reshape(row_shape, name="reshape")(z) if len(row_shape) > 1 else z


def _check_shape(part: str, tensor, wanted: tuple[int, ...], what: str) -> None:
    shape = getattr(tensor, "shape", None)
    if shape is None or tuple(shape[1:]) != tuple(wanted):
        got = f"shape {tuple(shape)}" if shape is not None else repr(tensor)
        raise ValueError(
            f"The {part} must return a Keras tensor of shape {(None, *wanted)}, {what}. "
            f"Got {got} instead. Change the {part}'s last layer, or the 'bottleneck' parameter."
        )


def _check_names(encoder: keras.Model, decoder: keras.Model) -> None:
    """Refuse layer names that stand twice: files find weights by name."""
    skip = keras.layers.InputLayer
    names = [layer.name for layer in encoder.layers if not isinstance(layer, skip)]
    twice = {layer.name for layer in decoder.layers if not isinstance(layer, skip)} & set(names)
    if twice:
        raise ValueError(
            f"Layer names must be unique across encoder and decoder, because weights are stored "
            f"by name. Got {sorted(twice)} in both. Name the layers differently."
        )
