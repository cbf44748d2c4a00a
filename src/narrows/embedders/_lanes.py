"""Many fits of one embedder over one pair of networks: what a comparison computes with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from narrows.networks import Networks
from narrows.training import Training, forward


@dataclass(frozen=True, eq=False)
class Lanes:
    """Fits of one embedder that differ in rows and seeds only.

    A Keras model for each of a thousand fits would cost more than their training, so the fits
    share one network and each keeps its weights.

    Attributes
    ----------
    networks : Networks
        The graphs; their own weights are of no fit.
    weights : list of lists of ndarray
        The variables of each fit, in the order of ``networks.trained.variables``.
    failures : list of str or None
        Why a fit has no usable weights; None where it has.
    build : callable
        ``build(lane)`` returns the embedder of a fit, with models of its own.
    """

    networks: Networks
    weights: list[list[np.ndarray]]
    failures: list[str | None]
    build: Callable

    def __len__(self) -> int:
        return len(self.weights)

    def transform(self, lane: int, X: np.ndarray) -> np.ndarray:
        """Return the embedding of rows by one fit.

        Parameters
        ----------
        lane : int
        X : float32 ndarray of shape (n_rows, n_columns)

        Returns
        -------
        float32 ndarray of shape (n_rows, bottleneck)
        """
        return self._apply(self.networks.encoder, lane, X)

    def inverse_transform(self, lane: int, Z: np.ndarray) -> np.ndarray:
        """Return the rows that one fit's decoder makes of embeddings.

        Parameters
        ----------
        lane : int
        Z : float32 ndarray of shape (n_rows, bottleneck)

        Returns
        -------
        float32 ndarray of shape (n_rows, n_columns)
        """
        return self._apply(self.networks.decoder, lane, Z)

    def embedder(self, lane: int):
        """Return one fit as an embedder with models of its own.

        Parameters
        ----------
        lane : int

        Returns
        -------
        NetworkEmbedder

        Raises
        ------
        ValueError
            If the fit has no usable weights.
        """
        return self.build(lane)

    def _apply(self, model, lane: int, rows: np.ndarray) -> np.ndarray:
        failure = self.failures[lane]
        if failure is not None:
            raise ValueError(failure)
        variables = self.networks.trained.variables
        values = {id(v): w for v, w in zip(variables, self.weights[lane], strict=True)}
        return forward(model, np.asarray(rows, np.float32), values)


def best_of(training: Training, restarts: int) -> list[int]:
    """Return each fit's best restart, as a lane of the training; -1 where none is usable.

    Parameters
    ----------
    training : Training
        A fit's restarts lie side by side.
    restarts : int
        Restarts of each fit.
    """
    losses = np.where(training.usable, training.losses(training.monitored), np.inf)
    grouped = losses.reshape(-1, restarts)
    best = grouped.argmin(axis=1)
    found = np.isfinite(grouped.min(axis=1))
    lanes = np.arange(len(grouped)) * restarts + best
    return [int(lane) if usable else -1 for lane, usable in zip(lanes, found, strict=True)]
