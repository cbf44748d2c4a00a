"""What a training hands back."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def finite_lanes(weights: list[np.ndarray]) -> np.ndarray:
    """Say of each lane whether all its weights are finite numbers.

    Shapes: `weights` (lanes, ...), (lanes,) returned.
    """
    finite = [np.isfinite(values).reshape(len(values), -1).all(axis=1) for values in weights]
    return np.logical_and.reduce(finite)


@dataclass(frozen=True)
class Training:
    """All lanes of a training.

    Attributes
    ----------
    measures : list of str
        Names of the history's last axis: loss, its terms where there are several, the metrics,
        then the same with ``val_``.
    history : float32 ndarray of shape (lanes, epochs, n_measures)
        NaN after a lane's last epoch.
    weights : list of ndarrays of shape (lanes, ...)
        In the order of the model's ``variables``; the best epoch's with early stopping, else the
        last epoch's.
    parameters : dict of str to float32 ndarray of shape (lanes,)
        What the objective's own trainable numbers ended as.
    epochs_run : int ndarray of shape (lanes,)
    best_epoch : int ndarray of shape (lanes,)
        The epoch, from 0, that `weights` are from.
    diverged : bool ndarray of shape (lanes,)
        Lanes whose loss or weights stopped being finite numbers.
    lanes : int ndarray of shape (lanes,)
        Numbers of the lanes that were trained: all, unless interrupted.
    interrupted : bool
    sample : callable
        ``sample(lane)`` returns what the engine makes of a few rows with the weights of a lane, by
        its position, for `verify`.
    """

    measures: list[str]
    history: np.ndarray
    weights: list[np.ndarray]
    parameters: dict[str, np.ndarray]
    epochs_run: np.ndarray
    best_epoch: np.ndarray
    diverged: np.ndarray
    lanes: np.ndarray
    interrupted: bool
    sample: Callable

    @property
    def monitored(self) -> str:
        """The measure that chooses among lanes: ``val_loss`` if there is one, else ``loss``."""
        return "val_loss" if "val_loss" in self.measures else "loss"

    @property
    def usable(self) -> np.ndarray:
        """Lanes whose weights, and the monitored loss that goes with them, are finite numbers.

        A lane that diverged is usable if early stopping kept its weights from before.
        """
        return np.isfinite(self.losses(self.monitored)) & finite_lanes(
            [*self.weights, *self.parameters.values()]
        )

    def losses(self, name: str) -> np.ndarray:
        """Return one measure at the epoch that `weights` are from.

        Parameters
        ----------
        name : str
            One of `measures`.

        Returns
        -------
        float32 ndarray of shape (lanes,)
        """
        column = self.history[:, :, self.measures.index(name)]
        return np.take_along_axis(column, self.best_epoch[:, None], axis=1)[:, 0]

    def take(self, lanes: slice) -> "Training":
        """Return a part of the lanes, numbered from 0.

        Parameters
        ----------
        lanes : slice
        """
        return Training(
            measures=self.measures,
            history=self.history[lanes],
            weights=[values[lanes] for values in self.weights],
            parameters={name: values[lanes] for name, values in self.parameters.items()},
            epochs_run=self.epochs_run[lanes],
            best_epoch=self.best_epoch[lanes],
            diverged=self.diverged[lanes],
            lanes=np.arange(len(self.lanes[lanes])),
            interrupted=self.interrupted,
            sample=lambda lane: self.sample(range(len(self.lanes))[lanes][lane]),
        )
