"""Reconstruction losses: how far the decoder's output is from the row that went in."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from narrows._errors import UntrainableError
from narrows._keras import keras
from narrows.networks import is_told, settings
from narrows.objectives._objective import Batch, Losses, Objective


class Reconstruction(Objective):
    """The mean over rows of a Keras loss between a row and its reconstruction.

    For ``"mse"``, with n rows of p columns (no factor ½, as in Keras and scikit-learn)::

        reconstruction = 1/n Σᵢ 1/p Σⱼ (xᵢⱼ − x̂ᵢⱼ)²

    As in Keras, a loss that gives one number for the batch is multiplied by the mean of the rows'
    weights, and places that a mask leaves out of the output (see `Batch`) are left out of the mean.

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
    takes_mask = True

    def __init__(self, loss: Any):
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

    @property
    def is_squared_error(self) -> bool:
        """Whether the loss is Keras's mean squared error."""
        squared = keras.losses.mean_squared_error
        return self._loss is squared or type(self._loss) is keras.losses.MeanSquaredError

    def _whole_batch(self) -> bool:
        """Whether the loss gives one number for a batch, as Dice's does; raise if it takes none."""
        example = np.full((3, 2), 0.5, np.float32)
        try:
            shape = np.shape(self._per_element(example, example))
        except Exception as error:
            raise self._not_of_rows(f"it failed: {error}") from error
        if shape and shape[0] != len(example):
            raise self._not_of_rows(f"it gave numbers of shape {shape}")
        return not shape

    def _not_of_rows(self, got: str) -> ValueError:
        name = getattr(self._loss, "__name__", type(self._loss).__name__)
        return ValueError(
            "The 'loss' parameter must be a loss between rows and reconstructions of the same "
            "shape that gives a number for each row, or one for all. Got "
            f"{name!r} instead; on three rows of two columns {got}"
        )

    def __call__(self, batch: Batch) -> Losses:
        """Return the loss over the rows that count."""
        values = jnp.asarray(self._per_element(batch.target, batch.output))
        if values.ndim == 0:
            return self._single(values * _mean_weight(batch))
        if batch.mask is not None:
            values = _masked(values, batch.mask)
        return self._single(batch.mean(jnp.mean(values.reshape(values.shape[0], -1), axis=1)))

    @property
    def described(self) -> bool:
        """Whether the loss, and every function in it, is Keras's own."""
        return super().described and is_told(self._loss)

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        if isinstance(self._loss, keras.losses.Loss):
            return ["reconstruction", settings(self._loss)]
        return ["reconstruction", getattr(self._loss, "__qualname__", "")]


def _mean_weight(batch: Batch):
    """Return the mean of the rows' weights, over the places that a mask leaves."""
    if batch.mask is None:
        return jnp.sum(batch.weights) / batch.rows
    weights = batch.weights.reshape(-1, *(1,) * (batch.mask.ndim - 1))
    return jnp.sum(weights * batch.mask) / jnp.maximum(jnp.sum(batch.mask), 1)


def _masked(values, mask):
    """Leave out what a mask leaves out, so that a mean over all values is one over the rest."""
    if mask.ndim > values.ndim:
        raise UntrainableError(
            "The loss of a network whose output has a mask must give a number for every place in "
            f"it, an array of {mask.ndim} axes. Got one of {values.ndim} instead. Average over "
            "fewer axes."
        )
    mask = mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim))
    share = jnp.mean(mask.astype(jnp.float32))
    return jnp.where(mask, values, 0.0) / jnp.where(share > 0, share, 1.0)
