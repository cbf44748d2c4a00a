"""Fits one after the other, for a comparison that wants them as lanes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone


@dataclass(frozen=True, eq=False)
class SeparateFits:
    """Fits of one embedder, each with networks of its own; used as `Lanes` are.

    Attributes
    ----------
    fits : list of NetworkEmbedder or None
    failures : list of str or None
        Why a fit has no usable weights; None where it has.
    """

    fits: list[Any]
    failures: list[str | None]

    def __len__(self) -> int:
        return len(self.fits)

    @property
    def networks(self):
        """The graphs of the first fit there is, or None."""
        from narrows.networks import Networks

        for fit in self.fits:
            if fit is not None:
                decoder = getattr(fit, "decoder_", None)
                return Networks(fit.encoder_, decoder, getattr(fit, "autoencoder_", None))
        return None

    def transform(self, lane: int, X: np.ndarray) -> np.ndarray:
        """Return the embedding of rows by one fit; shape (n_rows, bottleneck)."""
        return self.embedder(lane)._apply("encoder_", np.asarray(X, np.float32))

    def inverse_transform(self, lane: int, Z: np.ndarray) -> np.ndarray:
        """Return the rows that one fit's decoder makes of embeddings."""
        return self.embedder(lane)._apply("decoder_", np.asarray(Z, np.float32))

    def embedder(self, lane: int):
        """Return one fit; raise ValueError if it has no usable weights."""
        failure = self.failures[lane]
        if failure is not None:
            raise ValueError(failure)
        return self.fits[lane]


def fit_separately(embedder, matrices: list, seeds: list[int], on_progress=None) -> SeparateFits:
    """Fit a copy for each matrix and seed.

    Parameters
    ----------
    embedder : NetworkEmbedder
    matrices : list of array-like
    seeds : list of int
    on_progress : callable, optional
        Called with (fits done, fits).
    """
    if len(matrices) != len(seeds):
        raise ValueError(
            f"'Xs' and 'seeds' must have one entry for each copy. Got {len(matrices)} matrices "
            f"and {len(seeds)} seeds instead."
        )
    fits: list[Any] = []
    failures: list[str | None] = []
    for X, seed in zip(matrices, seeds, strict=True):
        fit: Any = clone(embedder).set_params(random_state=seed)
        failure = None
        try:
            fit._learn(X, warns=False)
        except ValueError as error:
            fit, failure = None, str(error)
        fits.append(fit)
        failures.append(failure)
        if on_progress is not None:
            on_progress(len(fits), len(seeds))
    return SeparateFits(fits, failures)
