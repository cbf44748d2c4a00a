"""The two terms of a variational autoencoder's objective, in nats per row."""

import math

import jax.numpy as jnp

from narrows.objectives._objective import Batch, Losses, Objective

_LEAST = 1e-7  # how near to 0 and 1 a probability is taken to be at most, as in Keras


class LogLikelihood(Objective):
    """The negative log-likelihood of the rows under the decoder, averaged over rows.

    It is a sum over columns, not a mean. With x̂ the decoder's output for a code drawn from the
    encoder's distribution::

        gaussian:  reconstruction = 1/n Σᵢ [½ Σⱼ (xᵢⱼ − x̂ᵢⱼ)² + p/2 log 2π]
        bernoulli: reconstruction = −1/n Σᵢ Σⱼ xᵢⱼ log x̂ᵢⱼ + (1 − xᵢⱼ) log(1 − x̂ᵢⱼ)

    Parameters
    ----------
    likelihood : {"gaussian", "bernoulli"}
        Independent normal columns of variance 1 around x̂, or independent columns that are 1
        with probability x̂ (grey values between 0 and 1 are let through, as is usual).

    References
    ----------
    Kingma, D. P., and Welling, M. (2014). Auto-encoding variational Bayes. ICLR 2014,
    arXiv:1312.6114, appendix C.
    """

    names = ("reconstruction",)

    def __init__(self, likelihood: str):
        self._likelihood = likelihood

    def __call__(self, batch: Batch) -> Losses:
        """Return the negative log-likelihood of one batch."""
        x = batch.target.reshape(len(batch.target), -1)
        y = batch.output.reshape(x.shape)
        if self._likelihood == "gaussian":
            constant = x.shape[1] / 2 * math.log(2 * math.pi)
            return self._single(batch.mean(jnp.sum((x - y) ** 2, axis=1) / 2 + constant))
        y = jnp.clip(y, _LEAST, 1.0 - _LEAST)
        per_row = jnp.sum(x * jnp.log(y) + (1.0 - x) * jnp.log1p(-y), axis=1)
        return self._single(batch.mean(-per_row))

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["log-likelihood", self._likelihood]


class GaussianDivergence(Objective):
    """The Kullback–Leibler divergence of the codes' distributions from a standard normal one.

    For means μ and variances σ², averaged over rows::

        kl = 1/n Σᵢ −½ Σⱼ (1 + log σᵢⱼ² − μᵢⱼ² − σᵢⱼ²)

    It needs a network that gives ``"code"``, the means, and ``"log_variance"``.

    References
    ----------
    Kingma, D. P., and Welling, M. (2014). Auto-encoding variational Bayes. ICLR 2014,
    arXiv:1312.6114, appendix B.
    """

    names = ("kl",)

    def __call__(self, batch: Batch) -> Losses:
        """Return the divergence of one batch."""
        mean, log_variance = batch.code, batch.outputs["log_variance"]
        per_unit = 1.0 + log_variance - mean**2 - jnp.exp(log_variance)
        return self._single(batch.mean(-jnp.sum(per_unit, axis=-1) / 2))

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        return ["gaussian divergence"]
