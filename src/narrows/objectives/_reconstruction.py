"""Reconstruction losses: how far the decoder's output is from the row that went in."""

import jax.numpy as jnp
import numpy as np

from narrows._keras import keras
from narrows.networks._copying import is_told
from narrows.objectives._objective import Batch, Losses, Objective


class Reconstruction(Objective):
    """The mean over rows of a Keras loss between a row and its reconstruction.

    For ``"mse"``, with n rows of p columns (no factor ½, as in Keras and scikit-learn)::

        reconstruction = 1/n Σᵢ 1/p Σⱼ (xᵢⱼ − x̂ᵢⱼ)²

    Parameters
    ----------
    loss : str, callable or keras.losses.Loss
        A name that `keras.losses.get` knows, a function of two arrays, or a loss object whose
        reduction is the default, a mean.

    Raises
    ------
    ValueError
        If a loss object has another reduction.
    """

    names = ("reconstruction",)

    def __init__(self, loss):
        self._loss = keras.losses.get(loss)
        is_object = isinstance(self._loss, keras.losses.Loss)
        if is_object and self._loss.reduction not in (None, "none", "sum_over_batch_size", "mean"):
            raise ValueError(
                "The 'loss' parameter must be a loss that is averaged over rows. Got one with "
                f"reduction={self._loss.reduction!r} instead. Leave its reduction at the default "
                "and scale the learning rate."
            )
        self._per_element = self._loss.call if is_object else self._loss
        home = type(self._loss).__module__ if is_object else getattr(self._loss, "__module__", "")
        self.row_by_row = str(home).startswith("keras.") and not self._whole_batch()
        self.ignores_padding = self.row_by_row

    def _whole_batch(self) -> bool:
        """Whether the loss gives one number for a batch, as Dice's does."""
        example = np.full((2, 2), 0.5, np.float32)
        return np.ndim(self._per_element(example, example)) == 0

    def __call__(self, batch: Batch) -> Losses:
        """Return the loss over the rows that count.

        Parameters
        ----------
        batch : Batch

        Returns
        -------
        Losses
        """
        values = jnp.asarray(self._per_element(batch.target, batch.output))
        if values.ndim == 0:
            return self._single(values)
        return self._single(batch.mean(jnp.mean(values.reshape(values.shape[0], -1), axis=1)))

    @property
    def described(self) -> bool:
        """Whether the loss, and every function in it, is Keras's own."""
        return super().described and is_told(self._loss)

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        name = getattr(self._loss, "__qualname__", type(self._loss).__qualname__)
        is_object = isinstance(self._loss, keras.losses.Loss)
        return ["reconstruction", name, self._loss.get_config() if is_object else None]
