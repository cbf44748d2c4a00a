"""What every objective takes and returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class PerRow(NamedTuple):
    """What is given for each row of a table beside the row itself.

    The engine takes, pads and passes on all fields alike. What an objective may be told of rows
    later, such as which cells count, becomes a field with the default None; no objective and no
    part of the engine changes for it.

    Attributes
    ----------
    weights : float32 array of shape (rows,)
        Factors of the rows' losses.
    labels : float32 array of shape (rows,) or None
        Class codes from 0, or numbers; 0 where a row has no label.
    label_weights : float32 array of shape (rows,) or None
        Factors of the losses of the rows' labels; 0 where a row has no label.
    """

    weights: jax.Array
    labels: jax.Array | None = None
    label_weights: jax.Array | None = None


@dataclass(frozen=True)
class Batch:
    """What an objective sees of one batch.

    Attributes
    ----------
    target : array of shape (batch, ...)
        The clean rows, which the output should equal.
    seen : array of shape (batch, ...)
        What the encoder saw: in training, the rows with noise.
    outputs : dict of str to array
        What the network made of them: ``"code"`` of shape (batch, bottleneck), ``"output"`` of
        the shape of `target` where there is a decoder, and whatever else the network gives.
    given : PerRow
        What was given for each row; of padding it may be anything.
    counted : float32 array of shape (batch,)
        1 for rows, 0 for padding.
    rows : scalar
        How many rows are not padding.
    epoch : float32 scalar
        Epochs finished before this one.
    encode : callable or None
        ``encode(rows)`` returns the code as after training: without dropout, with the moving
        statistics of batch normalization. Only for an objective that `encodes`.
    parameters : dict of str to array
        The objective's own trainable numbers, see `Objective`.
    mask : bool array of shape (batch, ...) or None
        Which places of the output count, where a layer such as `keras.layers.Masking` says so;
        its axes are the output's first.
    label_weight : scalar
        What the loss of the labels is multiplied by, in an objective that has one.
    code_scale : array of shape (bottleneck,) or scalar
        Of what size the codes are about; 1 where nobody knows.
    """

    target: jax.Array
    seen: jax.Array
    outputs: Mapping[str, jax.Array]
    given: PerRow
    counted: jax.Array
    rows: Any
    epoch: Any = 0.0
    encode: Callable | None = None
    parameters: Mapping[str, jax.Array] | None = None
    mask: jax.Array | None = None
    label_weight: Any = 1.0
    code_scale: Any = 1.0

    @property
    def weights(self) -> jax.Array:
        """The rows' weights: 0 for padding; 1, or the sample weight, for others."""
        return self.counted * self.given.weights

    @property
    def code(self) -> jax.Array:
        """The embedding of the rows."""
        return self.outputs["code"]

    @property
    def output(self) -> jax.Array:
        """The reconstruction of the rows."""
        return self.outputs["output"]

    def mean(self, per_row: jax.Array) -> jax.Array:
        """Return Σ weightᵢ · valueᵢ / rows, as Keras weighs losses.

        Parameters
        ----------
        per_row : array of shape (batch,)

        Returns
        -------
        scalar
        """
        # A padding row may hold anything; where() keeps an infinity there from becoming NaN.
        counted = jnp.where(self.weights > 0, per_row * self.weights, 0.0)
        return jnp.sum(counted) / jnp.maximum(self.rows, 1.0)


class Losses(NamedTuple):
    """What an objective makes of a batch: scalars.

    Attributes
    ----------
    minimised : scalar
        What the gradient is taken of in this epoch.
    loss : scalar
        The same with every schedule at its end, so that epochs can be compared: what a history
        records as ``loss``, and what early stopping and the choice of a restart go by.
    terms : dict of str to scalar
        Each term under its own name, without its weight.
    """

    minimised: jax.Array
    loss: jax.Array
    terms: dict[str, jax.Array]


class Objective:
    """What a training minimises: a function of a batch. Subclass it for an objective of your own.

    Attributes
    ----------
    names : tuple of str
        The names of the terms that a call returns.
    row_by_row : bool
        Whether a row's loss depends on no other row. Otherwise rows are validated in batches of
        the size that they are trained in, since the value depends on that.
    ignores_padding : bool
        Whether padding rows cannot change the losses; otherwise the engine compiles batches of
        exactly the right length.
    encodes : bool
        Whether it calls ``batch.encode``.
    takes_mask : bool
        Whether it heeds ``batch.mask``, or compares nothing with the output. Otherwise a network
        whose output has a mask is refused.
    parameters : dict of str to float or ndarray
        Numbers of its own that are trained along with the weights, and what they start from
        unless a training says otherwise.
    """

    names: tuple[str, ...] = ()
    row_by_row: bool = True
    ignores_padding: bool = True
    encodes: bool = False
    takes_mask: bool = False
    parameters: Mapping[str, Any] = {}

    def __call__(self, batch: Batch) -> Losses:
        """Return the losses of one batch.

        Parameters
        ----------
        batch : Batch

        Returns
        -------
        Losses
        """
        raise NotImplementedError

    @property
    def described(self) -> bool:
        """Whether `config` tells all that it computes.

        Where not, as of an objective of your own, every training is traced before a compiled
        program is used again.
        """
        return type(self).__module__.startswith("narrows.")

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs.

        Returns
        -------
        list
            Of numbers and texts, or what `json` can write. By default the class's name, which
            is enough where the objective is not `described`.
        """
        return [type(self).__qualname__]

    def _single(self, value: jax.Array) -> Losses:
        """Return the losses of an objective with one term and no schedule."""
        return Losses(value, value, {self.names[0]: value})
