"""From what the user names — widths, functions, models — to encoder, decoder and both together."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from narrows._keras import check_process, keras
from narrows.networks._copying import Copies
from narrows.networks._dtypes import check_layers, check_session
from narrows.networks._initializers import Build, Start
from narrows.networks._settled import settled
from narrows.networks._transposed import tie_again, ties_follow
from narrows.networks._variational import Sampling, split_posterior

Part = Any  # widths, a function of a Keras tensor, or a keras.Model


@dataclass(frozen=True)
class Networks:
    """Graphs over the same layers, so that their weights are shared.

    Attributes
    ----------
    encoder : keras.Model
        (rows, ...) → (rows, bottleneck).
    decoder : keras.Model or None
        (rows, bottleneck) → (rows, ...).
    autoencoder : keras.Model or None
        The decoder after the encoder, as one flat graph.
    posterior : keras.Model or None
        Of a variational network: rows → means and log variances of their codes, two outputs.
    start : Start or None
        Where a training's variables start; None of networks that are not for a new training.
    """

    encoder: keras.Model
    decoder: keras.Model | None
    autoencoder: keras.Model | None
    posterior: keras.Model | None = None
    start: Start | None = None

    @cached_property
    def trained(self) -> keras.Model:
        """The graph that a training sees, with all weights; its outputs are a dictionary.

        ``"code"``, ``"output"`` where there is a decoder, and ``"log_variance"`` of a variational
        network, whose decoder gets a code drawn at random.
        """
        outputs = {"code": self.encoder.output}
        code = self.encoder.output
        if self.posterior is not None:
            outputs["log_variance"] = self.posterior.outputs[1]
            code = Sampling(name="sampling")(self.posterior.outputs)
        if self.posterior is None and self.autoencoder is not None:
            outputs["output"] = self.autoencoder.output
        elif self.decoder is not None:
            outputs["output"] = _replay(self.decoder, code, lambda layer: layer)
        return keras.Model(self.encoder.input, outputs, name="trained")


def build_networks(
    row_shape: tuple[int, ...],
    bottleneck: int,
    encoder: Part,
    decoder: Part | None = None,
    *,
    decoded: bool = True,
    activation: str = "relu",
    keep: Collection[str] = (),
) -> Networks:
    """Build encoder and decoder.

    Parameters
    ----------
    row_shape : tuple of int
        The shape of one row: ``(n_columns,)`` for a table.
    bottleneck : int
        Width of the embedding.
    encoder : sequence of int, callable or keras.Model
        Widths of hidden relu layers; or a function of a Keras tensor of shape
        ``(None, *row_shape)`` that returns one of shape (None, bottleneck); or a functional
        model, whose layers are copied. Weights that a function sets, or that come with a layer
        made before, are the start of every training; of a model's weights only those of frozen
        layers and adapted statistics are, the others are drawn anew.
    decoder : sequence of int, callable or keras.Model, optional
        The same from the bottleneck to the row. By default the encoder's widths, mirrored.
    decoded : bool
        False for an encoder alone.
    activation : str
        Of hidden layers that are given as widths, as Keras names it.
    keep : collection of str
        Names of layers of given models whose weights are the start of every training too.

    Returns
    -------
    Networks
        With weights that mean nothing but where they are kept: `narrows.training` draws them.

    Raises
    ------
    ValueError
        If a part returns another shape than it should, there are no widths to mirror, a
        function makes another network every time, or a layer cannot be copied.
    """

    def make(build: Build) -> Networks:
        copies = Copies(build, keep)
        inputs = keras.Input(row_shape, name="input_1")
        code = _apply(encoder, inputs, inner, copies)(bottleneck)
        _check_shape("encoder", code, (bottleneck,), "the bottleneck")
        encoder_model = keras.Model(inputs, code, name="encoder")
        made = None
        if decoded:
            part = _mirrored(encoder) if decoder is None else decoder
            made = _decoder(part, bottleneck, row_shape, outer, copies)
        return _finished(encoder_model, made, copies)

    def inner(x, widths, size):
        return bottleneck_layers(x, widths, size, activation)

    def outer(z, widths, shape):
        return reconstruction_layers(z, widths, shape, hidden=activation)

    return _started(make)


def _finished(encoder: keras.Model, decoder: keras.Model | None, copies: Copies) -> Networks:
    """Join the parts, and give copied layers the weights that they keep."""
    networks = join_networks(encoder, decoder)  # ties what is tied, before copies are compared
    copies.fill()
    return networks


def _started(make: Callable[[Build], Any]) -> Any:
    """Build networks for a training, with where their variables start."""
    check_session()
    networks, build = settled(make)
    _check_made_here(networks, build)
    return replace(networks, start=build.start())


def build_linear(row_shape: tuple[int, ...], bottleneck: int) -> Networks:
    """Build one dense layer to the bottleneck and one back, without activations.

    The encoder starts a hundred times smaller than Keras's default: what it starts with along
    directions in which the rows hardly vary, no training removes.

    Parameters
    ----------
    row_shape : tuple of int
    bottleneck : int

    Returns
    -------
    Networks
    """

    def encoder(x):
        start = keras.initializers.VarianceScaling(1e-4, "fan_avg", "uniform")
        return keras.layers.Dense(int(bottleneck), kernel_initializer=start, name="bottleneck")(x)

    return build_networks(row_shape, bottleneck, encoder, ())


def build_variational(
    row_shape: tuple[int, ...],
    bottleneck: int,
    encoder: Part,
    decoder: Part | None = None,
    *,
    activation: str | None = None,
    keep: Collection[str] = (),
) -> Networks:
    """Build the networks of a variational autoencoder.

    Parameters
    ----------
    row_shape, bottleneck, decoder, keep
        As for `build_networks`.
    encoder : sequence of int, callable or keras.Model
        Widths of hidden relu layers, on which two dense layers stand, for means and log
        variances. A function or model returns a tensor of shape (None, 2 · bottleneck): the
        means, then the log variances.
    activation : str, optional
        Of the last layer of a decoder that is given as widths.

    Returns
    -------
    Networks
        Whose `encoder` gives the means.

    Raises
    ------
    ValueError
        As `build_networks`.
    """

    def last(z, widths, shape):
        return reconstruction_layers(z, widths, shape, activation)

    def make(build: Build) -> Networks:
        copies = Copies(build, keep)
        inputs = keras.Input(row_shape, name="input_1")
        if _is_widths(encoder):
            both = posterior_layers(inputs, encoder, bottleneck)
        else:
            joined = _apply(encoder, inputs, bottleneck_layers, copies)(2 * bottleneck)
            what = f"{bottleneck} means and then {bottleneck} log variances"
            _check_shape("encoder", joined, (2 * bottleneck,), what)
            both = split_posterior(joined, bottleneck)
        posterior = keras.Model(inputs, both, name="posterior")
        part = _mirrored(encoder) if decoder is None else decoder
        return _finished(posterior, _decoder(part, bottleneck, row_shape, last, copies), copies)

    return _started(make)


def _mirrored(encoder: Part) -> tuple:
    if not _is_widths(encoder):
        raise ValueError(
            "The 'decoder' parameter must be given when 'encoder' is a function or a model: only "
            "widths can be mirrored. Got None instead. Pass widths, a function of a Keras tensor, "
            "or a keras.Model."
        )
    return tuple(encoder)[::-1]


def _decoder(
    part: Part, bottleneck: int, row_shape: tuple[int, ...], layers, copies: Copies
) -> keras.Model:
    code_inputs = keras.Input((bottleneck,), name="bottleneck_input")
    output = _apply(part, code_inputs, layers, copies)(row_shape)
    _check_shape("decoder", output, row_shape, "a row")
    return keras.Model(code_inputs, output, name="decoder")


def join_networks(encoder: keras.Model, decoder: keras.Model | None) -> Networks:
    """Put a decoder's layers after an encoder's, as one graph, and tie what is tied by name.

    Parameters
    ----------
    encoder : keras.Model
        With one output, or with two: the posterior of a variational network.
    decoder : keras.Model or None

    Returns
    -------
    Networks
    """
    check_process()
    posterior = None
    if len(encoder.outputs) > 1:
        posterior = encoder
        encoder = keras.Model(posterior.input, posterior.outputs[0], name="encoder")
    if decoder is None:
        tie_again(posterior or encoder)
        return Networks(encoder, None, None, posterior)
    _check_names(posterior or encoder, decoder)
    tie_again(posterior or encoder, decoder)
    joined = _replay(decoder, encoder.output, lambda layer: layer)
    autoencoder = keras.Model(encoder.input, joined, name="autoencoder")
    return Networks(encoder, decoder, autoencoder, posterior)


def _check_made_here(networks: Networks, build: Build) -> None:
    """Refuse layers with weights that were made before: two fits would train the same ones."""
    models = (networks.posterior or networks.encoder, networks.decoder)
    check_layers(models)
    for model in (one for one in models if one is not None):
        for layer in model._flatten_layers(include_self=False):
            if layer.weights and not build.made(layer):
                raise ValueError(
                    f"The layer {layer.name!r} must be made inside the encoder or decoder "
                    "function, so that every fit has its own. It was made before, outside. Move "
                    "its creation into the function."
                )


def _is_widths(part) -> bool:
    return not isinstance(part, keras.Model) and not callable(part)


def _apply(part: Part, tensor, layers: Callable, copies: Copies) -> Callable:
    """Return a function of the wanted output that puts `part` on `tensor`."""
    if isinstance(part, keras.Model):
        return lambda _: _copy_of(part, tensor, copies)
    if callable(part):
        return lambda _: _own_layers(part(tensor), tensor, copies)
    return lambda output: layers(tensor, part, output)


def _own_layers(found, tensor, copies: Copies):
    """Exchange layers that had weights before the function was called for copies with them.

    A training would overwrite them in the user's hands, and two fits would share them.
    """
    if not isinstance(found, keras.KerasTensor):
        return found
    model = keras.Model(tensor, found)
    before = {id(layer) for layer in model.layers if copies.had_weights(layer)}
    if not before:
        return found

    def own(layer):
        return copies.of(layer, whole=True) if id(layer) in before else layer

    made = _replay(model, tensor, own)
    copies.check_later(model, keras.Model(tensor, made))
    return made


def _copy_of(model: keras.Model, tensor, copies: Copies):
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
    with ties_follow():
        made = _replay(model, tensor, copies.of)
    copies.check_later(model, keras.Model(tensor, made))
    return made


def _replay(model: keras.Model, tensor, layer_for: Callable):
    """Put a model's layers, or copies, on another tensor: a flat graph instead of a nested model.

    This is the step inside `keras.models.clone_model`, which itself cuts the new graph off from
    a tensor that is not an input.
    """
    return keras.tree.flatten(model._run_through_graph([tensor], operation_fn=layer_for))[0]


def _hidden_layers(x, widths: Sequence[int], activation: str = "relu"):
    x = keras.layers.Flatten(name="flatten")(x) if len(x.shape) > 2 else x
    for number, width in enumerate(widths, 1):
        x = keras.layers.Dense(int(width), activation=activation, name=f"encoder_{number}")(x)
    return x


def bottleneck_layers(x, widths: Sequence[int], bottleneck: int, activation: str = "relu"):
    """Put the encoder of the given widths on a tensor."""
    hidden = _hidden_layers(x, widths, activation)
    return keras.layers.Dense(int(bottleneck), name="bottleneck")(hidden)


def posterior_layers(x, widths: Sequence[int], bottleneck: int) -> list:
    """Put a variational encoder of the given widths on a tensor: means and log variances."""
    x = _hidden_layers(x, widths)
    return [
        keras.layers.Dense(int(bottleneck), name=name)(x) for name in ("bottleneck", "log_variance")
    ]


def reconstruction_layers(
    z,
    widths: Sequence[int],
    row_shape: tuple[int, ...],
    activation: str | None = None,
    hidden: str = "relu",
):
    """Put the decoder of the given widths on a tensor."""
    for number, width in enumerate(widths, 1):
        z = keras.layers.Dense(int(width), activation=hidden, name=f"decoder_{number}")(z)
    size = 1
    for length in row_shape:
        size *= length
    z = keras.layers.Dense(size, activation=activation, name="reconstruction")(z)
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
