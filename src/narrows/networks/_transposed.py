"""Tied weights: a layer that uses the transposed kernel of another."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from narrows._keras import keras

_coming = threading.local()


@contextlib.contextmanager
def ties_follow() -> Iterator[None]:
    """Build transposed layers from configurations inside the block without a kernel: `tie` it."""
    before = getattr(_coming, "follow", False)
    _coming.follow = True
    try:
        yield
    finally:
        _coming.follow = before


@keras.saving.register_keras_serializable("narrows")
class Transposed(keras.layers.Layer):
    """A dense layer whose kernel is that of another dense layer, transposed.

    With W the other layer's kernel, of shape (n, m), and rows z of shape (batch, m)::

        output = activation(z Wᵀ + b)

    Both layers train the one kernel. In an autoencoder such tied weights halve the parameters
    and keep the decoder close to the encoder's inverse (Vincent et al. 2010, section 3.1,
    jmlr.org/papers/v11/vincent10a.html).

    Parameters
    ----------
    layer : keras.layers.Dense, default=None
        The other layer, which must have been called before this one is.
    activation : str or callable, default=None
        A Keras activation.
    use_bias : bool, default=True
        Whether there is a bias b, a weight of this layer's own.
    bias_initializer : str or keras.initializers.Initializer, default="zeros"
        Where b starts.
    tied_to, units : str and int, default=None
        What a configuration holds instead of `layer`: its name, and n. A layer made from it has
        a kernel of its own until it is tied: `narrows.load` ties it again; a decoder that is
        loaded alone has nothing to be tied to, and computes the same.
    **kwargs
        As of any Keras layer, such as ``name``.

    Examples
    --------
    >>> import narrows
    >>> from keras.layers import Dense
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> held = {}
    >>> def encoder(x):
    ...     held["code"] = Dense(2, name="code")
    ...     return held["code"](x)
    >>> def decoder(z):
    ...     return narrows.networks.Transposed(held["code"], name="back")(z)
    >>> tied = narrows.Autoencoder(encoder=encoder, decoder=decoder, epochs=5, random_state=0)
    >>> tied.fit(X).autoencoder_.count_params()
    14
    """

    def __init__(
        self,
        layer=None,
        *,
        activation=None,
        use_bias=True,
        bias_initializer="zeros",
        tied_to=None,
        units=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.tied_to, self.units = tied_to, units
        self.bias = None
        self._kernel = None
        self._shared: Any = None
        if layer is not None:
            self._check(layer)
            self.tied_to = layer.name
            self.units = int(layer.kernel.shape[0])
            kernel = layer.kernel
            self._shared = lambda: kernel  # not a weight before the bias is one
        elif units is None:
            raise ValueError(
                "Transposed must be given a layer. Got None instead. Give the dense layer whose "
                "kernel it shares."
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2)

    def build(self, input_shape):
        """Make the bias, and where no kernel is shared, a kernel.

        Parameters
        ----------
        input_shape : tuple of int or None
        """
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,), initializer=self.bias_initializer, name="bias"
            )
        wanted = (self.units, input_shape[-1])
        if self._shared is not None:
            self._use(self._shared(), wanted)
        elif not getattr(_coming, "follow", False):
            self._kernel = self.add_weight(
                shape=wanted, initializer="glorot_uniform", name="kernel"
            )

    def tie(self, layer) -> None:
        """Share a layer's kernel from here on.

        Parameters
        ----------
        layer : keras.layers.Dense
            Built, with a kernel of the shape of this layer's.

        Raises
        ------
        ValueError
            If its kernel has another shape.
        """
        self._check(layer)
        wanted = (self.units, self._input_width())
        if self._kernel is layer.kernel:
            return
        self._tracker.unlock()
        if self._kernel is not None:
            self._untrack_variable(self._kernel)
        self._use(layer.kernel, wanted)
        self._tracker.lock()
        self.tied_to = layer.name

    @property
    def kernel(self):
        """The shared kernel, of shape (units, input width)."""
        return self._kernel

    def call(self, inputs):
        """Apply the layer.

        Parameters
        ----------
        inputs : tensor of shape (batch, ..., m)

        Returns
        -------
        tensor of shape (batch, ..., n)
        """
        x = keras.ops.matmul(inputs, keras.ops.transpose(self._kernel))
        if self.bias is not None:
            x = keras.ops.add(x, self.bias)
        return self.activation(x)

    def compute_output_shape(self, input_shape):
        """Return the shape of the output.

        Parameters
        ----------
        input_shape : tuple of int or None

        Returns
        -------
        tuple of int or None
        """
        return (*input_shape[:-1], self.units)

    def get_config(self):
        """Return the arguments of the constructor, with the other layer's name in its place.

        Returns
        -------
        dict
        """
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "tied_to": self.tied_to,
            "units": self.units,
        }

    def _input_width(self) -> int:
        return int(self._inbound_nodes[0].input_tensors[0].shape[-1])

    def _use(self, kernel, wanted: tuple) -> None:
        if tuple(kernel.shape) != tuple(wanted):
            raise ValueError(
                f"The layer {self.name!r} must get inputs of the width that {self.tied_to!r} "
                f"makes, {kernel.shape[-1]}, and make {kernel.shape[0]}. Got inputs of width "
                f"{wanted[-1]} and {wanted[0]} units instead. Tie it to the layer it mirrors."
            )
        self._kernel = kernel  # Keras tracks it as a weight of this layer too

    def _check(self, layer) -> None:
        if not isinstance(layer, keras.layers.Dense):
            raise TypeError(
                "Transposed must be tied to a dense layer. Got "
                f"{type(layer).__name__} instead. Give the layer whose kernel it shares."
            )
        if not layer.built:
            raise ValueError(
                f"The layer {layer.name!r} must have been called before another is tied to it, "
                "so that its kernel exists. It has not. Call it first."
            )


def tie_again(*models: keras.Model) -> None:
    """Tie transposed layers of models to the layers that they were tied to, by name."""
    layers = [layer for model in models for layer in model._flatten_layers(include_self=False)]
    by_name = {layer.name: layer for layer in layers}
    for layer in layers:
        if not isinstance(layer, Transposed) or not layer.tied_to:
            continue
        other = by_name.get(layer.tied_to)
        if other is None:
            raise ValueError(
                f"The layer {layer.name!r} must find {layer.tied_to!r}, which it is tied to, in "
                "the encoder or decoder. There is no such layer. Keep both in one autoencoder."
            )
        layer.tie(other)
