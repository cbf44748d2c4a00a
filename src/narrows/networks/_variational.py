"""Layers that turn an encoder's outputs into the distribution of a code."""

from typing import Any

from narrows._keras import keras


class Sampling(keras.layers.Layer):
    """From means and log variances to codes: the means here, draws around them in a training.

    It stands in the graph that is trained only, so that no file holds it.
    """

    def call(self, inputs: Any) -> Any:
        """Return the means; both inputs and the output have shape (batch, bottleneck)."""
        return inputs[0]

    def compute_output_shape(self, input_shape):
        """Return the shape of the means."""
        return input_shape[0]


_JOINED = "mean_and_log_variance"


def split_posterior(both, bottleneck: int) -> list:
    """Split a tensor of shape (None, 2 · bottleneck) into its halves.

    With layers rather than slices, so that the graph is one that every reader knows.

    Shapes: (None, bottleneck) returned.
    """
    pair = keras.layers.Reshape((2, bottleneck), name=_JOINED)(both)
    found = []
    for name, cropping in (("mean", (0, 1)), ("log_variance", (1, 0))):
        half = keras.layers.Cropping1D(cropping, name=f"{name}_part")(pair)
        found.append(keras.layers.Reshape((bottleneck,), name=name)(half))
    return found


def joined_posterior(posterior: keras.Model) -> keras.Model:
    """Return the graph before `split_posterior`: rows to means and log variances side by side.

    Parameters
    ----------
    posterior : keras.Model

    Returns
    -------
    keras.Model
        Over the same layers.
    """
    return keras.Model(posterior.input, posterior.get_layer(_JOINED).input, name="encoder")
