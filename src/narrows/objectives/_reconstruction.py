"""Reconstruction losses: how far the decoder's output is from the row that went in."""

import jax.numpy as jnp

from narrows._keras import keras


class Reconstruction:
    """The mean over rows of a Keras loss between a row and its reconstruction.

    For ``"mse"``, with n rows of p columns (no factor ½, as in Keras and scikit-learn):

        loss = 1/n Σᵢ 1/p Σⱼ (xᵢⱼ − x̂ᵢⱼ)²

    Parameters
    ----------
    loss : str or keras.losses.Loss
        A name that `keras.losses.get` knows, or a loss object; its reduction is not used.
    """

    names = ("reconstruction",)

    def __init__(self, loss):
        self._loss = keras.losses.get(loss)
        is_object = isinstance(self._loss, keras.losses.Loss)
        self._per_element = self._loss.call if is_object else self._loss

    def __call__(self, target, output, weights, rows) -> dict:
        """Return the loss over the rows that count.

        Parameters
        ----------
        target, output : arrays of shape (batch, ...)
        weights : float32 array of shape (batch,)
            0 for padding rows; 1, or the row's sample weight, for others.
        rows : scalar
            How many rows are not padding.

        Returns
        -------
        dict of str to scalar
        """
        values = self._per_element(target, output)
        per_row = jnp.mean(values.reshape(values.shape[0], -1), axis=1)
        # A padding row may hold anything; where() keeps an infinity there from becoming NaN.
        counted = jnp.where(weights > 0, per_row * weights, 0.0)
        return {"reconstruction": jnp.sum(counted) / jnp.maximum(rows, 1.0)}

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        if isinstance(self._loss, keras.losses.Loss):
            own = type(self._loss).__module__.startswith("keras.")
            # A class that is not Keras's may have arguments that are not in its config.
            identity = type(self._loss).__qualname__ if own else id(self._loss)
            return ["reconstruction", identity, self._loss.get_config()]
        # A function has no config; its identity holds as long as the program that keeps it.
        return ["reconstruction", self._loss.__qualname__, id(self._loss)]
