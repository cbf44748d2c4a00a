"""What a parametric t-SNE minimises: a batch's own divergence, or the landmarks of a map."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from narrows.objectives._affinities import joint_affinities, squared_differences
from narrows.objectives._objective import Batch, Losses, Objective
from narrows.objectives._reconstruction import Reconstruction
from narrows.objectives._tsne import _log_kernel, degrees_of_freedom, kl_divergence

_LOGARITHM = "log_degrees_of_freedom"


class BatchDivergence(Objective):
    """The divergence of a batch's embedding from its affinities, see `kl_divergence`.

    Affinities are between the clean rows of the batch, batch² × 4 bytes; row weights have no
    influence.

    Parameters
    ----------
    perplexity : float
    bottleneck : int
    kind : {"one", "dimension", "learned"}, default="one"
        Degrees of freedom, see `degrees_of_freedom`. Where they are learned, their logarithm is
        the parameter ``log_degrees_of_freedom``.
    exaggeration : float, default=1.0
        Factor of the affinities, in what is minimised, in the first epochs.
    early : float, default=0
        How many epochs.

    References
    ----------
    van der Maaten, L. (2009). Learning a parametric embedding by preserving local structure.
    AISTATS, PMLR 5, 384-391.
    """

    names = ("kl",)
    row_by_row = False

    def __init__(
        self,
        perplexity: float,
        bottleneck: int,
        kind: str = "one",
        exaggeration: float = 1.0,
        early: float = 0,
    ):
        self._perplexity = float(perplexity)
        self._start = degrees_of_freedom(kind, bottleneck)
        self._exaggeration, self._early = float(exaggeration), float(early)
        self.parameters = {_LOGARITHM: float(np.log(self._start))} if kind == "learned" else {}

    def __call__(self, batch: Batch) -> Losses:
        """Return the divergence of one batch."""
        alpha: Any = self._start
        if batch.parameters and self.parameters:
            alpha = jnp.exp(batch.parameters[_LOGARITHM])
        P = joint_affinities(batch.target, self._perplexity, batch.counted)
        value = kl_divergence(P, batch.code, alpha, batch.counted)
        if self._exaggeration == 1.0 or not self._early:
            return self._single(value)
        # In t-SNE's gradient the affinities alone are exaggerated. They stand in −Σ P log w; the
        # rest of −Σ P log Q, the log of Σ w, is the repulsion.
        factor = jnp.where(batch.epoch < self._early, self._exaggeration, 1.0)
        pull = -jnp.sum(P * _log_kernel(_apart(batch), alpha))
        return Losses(value + (factor - 1.0) * pull, value, {"kl": value})

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        learned = bool(self.parameters)
        return [
            "kl", self._perplexity, self._start, learned, self._exaggeration, self._early,
        ]  # fmt: skip


def _apart(batch: Batch) -> jax.Array:
    """Return squared distances in the embedding, 0 for padding."""
    z = jnp.where(batch.counted[:, None] > 0, batch.code, 0.0)
    return squared_differences(z[:, None], z[None])


class LandmarkEntropy(Objective):
    """How far the network's shares of the landmarks are from those of a row's place on the map.

    With wᵢ the shares of row i and pᵢ the softmax of the network's output ``"logits"``, the
    Kullback-Leibler divergence, in nats::

        landmarks = 1/n Σᵢ Σ_c wᵢ(c) (log wᵢ(c) − log pᵢ(c))

    The batch's target begins with the numbers of each row's k nearest landmarks and their
    shares, 2k columns.

    Parameters
    ----------
    nearest : int
        k.
    """

    names = ("landmarks",)

    def __init__(self, nearest: int):
        self._nearest = nearest

    def __call__(self, batch: Batch) -> Losses:
        """Return the divergence of one batch."""
        k = self._nearest
        numbers = batch.target[:, :k].astype(jnp.int32)
        shares = batch.target[:, k : 2 * k]
        found = jax.nn.log_softmax(batch.outputs["logits"], axis=1)
        found = jnp.take_along_axis(found, numbers, axis=1)
        wanted = jnp.log(jnp.where(shares > 0, shares, 1.0))
        return self._single(batch.mean(jnp.sum(shares * (wanted - found), axis=1)))

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["landmarks", self._nearest]


class TargetReconstruction(Reconstruction):
    """A reconstruction loss whose rows stand in the target behind other columns.

    Parameters
    ----------
    loss : see `Reconstruction`
    first : int
        The first column of the row in the target.
    """

    def __init__(self, loss, first: int):
        super().__init__(loss)
        self._first = first

    def __call__(self, batch: Batch) -> Losses:
        """Return the loss over the rows that count."""
        rows = batch.target[:, self._first :].reshape(batch.output.shape)
        return super().__call__(dataclasses.replace(batch, target=rows))

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return [*super().config(), "behind", self._first]
