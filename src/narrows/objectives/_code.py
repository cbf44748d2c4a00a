"""Penalties on the code: sparsity, and contraction of the encoder."""

import jax
import jax.numpy as jnp

from narrows.objectives._objective import Batch, Losses, Objective

_LEAST = 1e-6  # how near to 0 and 1 a mean activation is taken to be at most


class Sparsity(Objective):
    """The size of the codes: the mean over rows of their absolute values.

    With n rows and codes of k numbers::

        sparsity = 1/n Σᵢ Σⱼ |zᵢⱼ|

    Notes
    -----
    A decoder can make up for a smaller code with larger weights, so that this penalty acts most
    where the decoder's weights are held down, by ``kernel_regularizer`` or a unit-norm
    constraint (Olshausen and Field 1996, doi:10.1038/381607a0, normalise theirs).
    """

    names = ("sparsity",)
    takes_mask = True

    def __call__(self, batch: Batch) -> Losses:
        """Return the penalty on one batch."""
        return self._single(batch.mean(jnp.sum(jnp.abs(batch.code), axis=-1)))

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["sparsity"]


class TargetSparsity(Objective):
    """How far the units' mean activations are from a small target.

    With ρ the target and ρ̂ⱼ the mean over the batch of unit j's activation, which lies between
    0 and 1::

        sparsity = Σⱼ ρ log(ρ / ρ̂ⱼ) + (1 − ρ) log((1 − ρ) / (1 − ρ̂ⱼ))

    Parameters
    ----------
    target : float
        Between 0 and 1.
    squash : bool, default=True
        Take the logistic function of the code as the activation; False where the code comes out
        of one already.

    References
    ----------
    Ng, A. (2011). Sparse autoencoder. CS294A lecture notes, Stanford University.
    """

    names = ("sparsity",)
    takes_mask = True
    row_by_row = False

    def __init__(self, target: float, squash: bool = True):
        self._target = target
        self._squash = squash

    def __call__(self, batch: Batch) -> Losses:
        """Return the penalty on one batch."""
        activation = jax.nn.sigmoid(batch.code) if self._squash else batch.code
        weights = batch.weights[:, None]
        total = jnp.sum(jnp.where(weights > 0, activation * weights, 0.0), axis=0)
        mean = total / jnp.maximum(jnp.sum(weights), 1e-30)
        mean = jnp.clip(mean, _LEAST, 1.0 - _LEAST)
        rho = self._target
        on = rho * (jnp.log(rho) - jnp.log(mean))
        off = (1.0 - rho) * (jnp.log1p(-rho) - jnp.log1p(-mean))
        return self._single(jnp.sum(on + off))

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["target sparsity", self._target, self._squash]


class Contraction(Objective):
    """How strongly the encoder reacts to small changes of a row.

    The squared Frobenius norm of the encoder's Jacobian, averaged over rows::

        contraction = 1/n Σᵢ Σⱼₖ (∂zⱼ/∂xₖ)² at xᵢ

    The encoder is the one that embeds rows later, without dropout and with the moving statistics
    of batch normalization, and the rows are the clean ones. The Jacobian is exact: one
    backward pass through the encoder for each number of the code.

    References
    ----------
    Rifai, S., Vincent, P., Muller, X., Glorot, X., and Bengio, Y. (2011). Contractive
    auto-encoders: explicit invariance during feature extraction. ICML 2011, equation 4.
    """

    names = ("contraction",)
    takes_mask = True
    encodes = True

    def __call__(self, batch: Batch) -> Losses:
        """Return the penalty on one batch."""
        if batch.encode is None:
            raise ValueError("Contraction needs a network with an encoder.")
        code, pull_back = jax.vjp(batch.encode, batch.target)
        total = jnp.zeros(code.shape[0], jnp.float32)
        for unit in range(code.shape[-1]):
            towards = jnp.zeros_like(code).at[:, unit].set(1.0)
            (slope,) = pull_back(towards)
            total += jnp.sum(slope.reshape(len(slope), -1) ** 2, axis=1)
        return self._single(batch.mean(total))

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["contraction"]
