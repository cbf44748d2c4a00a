"""An encoder whose last layers say which landmarks of a map a row is near."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from narrows._keras import keras
from narrows.networks._build import (
    Networks,
    Part,
    _apply,
    _decoder,
    _finished,
    _hidden_layers,
    _is_widths,
    _mirrored,
    _started,
    reconstruction_layers,
)
from narrows.networks._copying import Copies
from narrows.networks._initializers import Build

HEAD = "landmarks"  # the layer whose outputs the training sees
PLACES = "bottleneck"  # the layer that holds the landmarks' places


@dataclass(frozen=True)
class LandmarkNetworks(Networks):
    """Networks whose encoder ends in a landmark head."""

    @cached_property
    def trained(self) -> keras.Model:
        """The graph that a training sees: as of other networks, and ``"logits"``."""
        outputs = {"code": self.encoder.output}
        if self.autoencoder is not None:
            outputs["output"] = self.autoencoder.output
        outputs["logits"] = self.encoder.get_layer(HEAD).output
        return keras.Model(self.encoder.input, outputs, name="trained")


def build_landmarks(
    row_shape: tuple[int, ...],
    bottleneck: int,
    encoder: Part,
    decoder: Part | None,
    *,
    count: int,
    sharpness: float,
    decoded: bool,
    keep: Collection[str] = (),
) -> LandmarkNetworks:
    """Build an encoder that gives the mean place of landmarks, and a decoder.

    With l(x) the `count` numbers of the last dense layer and C the landmarks' places, an array of
    shape (count, bottleneck) that is not trained::

        code = softmax(sharpness · l(x)) C
    """

    def with_head(x, copies: Copies):
        layers = keras.layers
        hidden = _hidden_layers(x, encoder) if _is_widths(encoder) else _body(x, copies)
        logits = layers.Dense(count, name=HEAD)(hidden)
        sharper = layers.Rescaling(sharpness, name="sharpness")(logits)
        shares = layers.Activation("softmax", name="shares")(sharper)
        places = layers.Dense(int(bottleneck), use_bias=False, trainable=False, name=PLACES)
        return places(shares)

    def _body(x, copies: Copies):
        found = _apply(encoder, x, _hidden_layers, copies)(bottleneck)
        last = found._keras_history.operation
        if isinstance(last, keras.layers.Dense) and last.units == bottleneck:
            found = last._inbound_nodes[-1].input_tensors[0]
        return keras.layers.Flatten(name="flatten")(found) if len(found.shape) > 2 else found

    if decoded and decoder is None:
        decoder = _mirrored(encoder)

    def make(build: Build) -> Networks:
        copies = Copies(build, keep)
        inputs = keras.Input(row_shape, name="input_1")
        encoder_model = keras.Model(inputs, with_head(inputs, copies), name="encoder")
        made = None
        if decoded:
            made = _decoder(decoder, bottleneck, row_shape, reconstruction_layers, copies)
        return as_landmarks(_finished(encoder_model, made, copies))

    return _started(make)


def as_landmarks(networks: Networks) -> LandmarkNetworks:
    """Return networks over the same layers that give the logits too."""
    parts = networks.encoder, networks.decoder, networks.autoencoder
    return LandmarkNetworks(*parts, start=networks.start)


def body_of(encoder: keras.Model) -> keras.Model:
    """Return an encoder's layers below its landmark head, over the same layers."""
    return keras.Model(encoder.input, encoder.get_layer(HEAD).input, name="encoder")
