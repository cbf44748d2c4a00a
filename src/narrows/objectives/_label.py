"""What a row's label adds: a linear model of the code, trained along with the network."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from narrows.objectives._objective import Batch, Losses, Objective

LabelLoss = Literal["crossentropy", "mse", "huber"]
KERNEL, BIAS = "label_kernel", "label_bias"


class LabelPrediction(Objective):
    """How badly a linear model predicts the labels from the codes.

    With codes z, of about unit size after a division by `Batch.code_scale`, and the model's
    outputs a = Kᵀ z + b, averaged over rows that have a label::

        crossentropy: label = −log softmax(a)_y
        mse:          label = (y − a)²
        huber:        label = e² / 2 where |e| ≤ 1, else |e| − 1/2, of e = y − a

    Parameters
    ----------
    loss : {"crossentropy", "mse", "huber"}
    n_outputs : int
        Number of classes, or 1.
    bottleneck : int
        Width of the codes.

    References
    ----------
    Huber, P. J. (1964). Robust estimation of a location parameter. Annals of Mathematical
    Statistics 35, 73-101. doi:10.1214/aoms/1177703732
    """

    names = ("label",)
    takes_mask = True

    def __init__(self, loss: LabelLoss, n_outputs: int, bottleneck: int):
        self._loss = loss
        self._shape = (bottleneck, n_outputs)
        self.parameters = {
            KERNEL: np.zeros(self._shape, np.float32),
            BIAS: np.zeros(n_outputs, np.float32),
        }

    def __call__(self, batch: Batch) -> Losses:
        """Return the loss of one batch's labels."""
        own, given = batch.parameters, batch.given
        if own is None or given.labels is None or given.label_weights is None:
            raise ValueError("LabelPrediction needs labels.")
        found = (batch.code / batch.code_scale) @ own[KERNEL] + own[BIAS]
        return self._single(batch.mean(self._per_row(found, given.labels) * given.label_weights))

    def _per_row(self, found: jax.Array, labels: jax.Array) -> jax.Array:
        if self._loss == "crossentropy":
            codes = labels.astype(jnp.int32)[:, None]
            return -jnp.take_along_axis(jax.nn.log_softmax(found), codes, axis=1)[:, 0]
        error = labels - found[:, 0]
        if self._loss == "mse":
            return error**2
        size = jnp.abs(error)
        return jnp.where(size <= 1.0, error**2 / 2, size - 0.5)

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["label", self._loss, *self._shape]


class Labelled(Objective):
    """An objective, and that of the labels times what each lane of a training weighs it by.

    ``loss = main + label_weight · label``; the terms are recorded without the weight.

    Parameters
    ----------
    main : Objective
    label : LabelPrediction
    """

    def __init__(self, main: Objective, label: LabelPrediction):
        self._main, self._label = main, label
        self.names = (*main.names, *label.names)
        self.parameters = {**main.parameters, **label.parameters}
        self.row_by_row = main.row_by_row
        self.ignores_padding = main.ignores_padding
        self.encodes = main.encodes
        self.takes_mask = main.takes_mask

    def __call__(self, batch: Batch) -> Losses:
        """Return both, added up, of one batch."""
        found, label = self._main(batch), self._label(batch)
        more = batch.label_weight * label.loss
        return Losses(found.minimised + more, found.loss + more, {**found.terms, **label.terms})

    @property
    def described(self) -> bool:
        """Whether both are."""
        return super().described and self._main.described

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["labelled", self._main.config(), self._label.config()]
