"""Every restart of a fit: its losses, its weights, and which one is in use."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, repr=False)
class Restarts:
    """What the restarts of one fit ended with.

    Attributes
    ----------
    best : int
        The restart in use: the lowest validation loss, or training loss without validation.
    monitored : str
        The measure that chose it, ``"val_loss"`` or ``"loss"``.
    history : pandas.DataFrame
        One row per restart and epoch.
    table : pandas.DataFrame
        One row per restart; see `frame`.
    weights : dict of int to list of ndarray
        Each restart's arrays: those of ``autoencoder_.weights``, in that order; with a
        variational network's log variances, or without a decoder, those that `weights` lists.
    """

    best: int
    monitored: str
    history: pd.DataFrame
    table: pd.DataFrame
    weights: dict[int, list[np.ndarray]]

    def frame(self) -> pd.DataFrame:
        """Return one row per restart.

        Returns
        -------
        pandas.DataFrame
            ``restart``, ``epochs`` (run), ``best_epoch`` (from 1, the one whose weights are
            kept), ``final_loss`` and ``best_loss`` of the monitored measure, the loss and
            metrics at the kept epoch, ``diverged``, ``in_use``.
        """
        return self.table.copy()

    def plot(self) -> Any:
        """Draw every restart's losses over the epochs.

        Returns
        -------
        plotnine.ggplot
        """
        from narrows.plots import history

        return history(self.history)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        kept = self.table["best_loss"]
        return (
            f"<{len(self)} restarts; {self.monitored} {kept.min():.4g} to {kept.max():.4g}; "
            f"restart {self.best} in use>"
        )


def history_frame(training: Any, names: np.ndarray) -> pd.DataFrame:
    """Return a training's history with one row per restart and epoch.

    Shapes: `names` (lanes,).
    """
    lanes, epochs, _ = training.history.shape
    frame = pd.DataFrame(training.history.reshape(lanes * epochs, -1), columns=training.measures)
    frame.insert(0, "restart", np.repeat(names, epochs))
    frame.insert(1, "epoch", np.tile(np.arange(1, epochs + 1), lanes))
    run = np.arange(epochs)[None, :] < training.epochs_run[:, None]
    return frame[run.ravel()].reset_index(drop=True)


def restarts_of(training: Any, weight_positions: list[int]) -> Restarts:
    """Sort out a training of several restarts."""
    names = training.lanes
    monitored = training.monitored
    at_best = training.losses(monitored).astype(float)
    usable = np.where(training.usable, at_best, np.inf)
    if not np.isfinite(usable).any():
        epoch = int(training.epochs_run.min())
        raise ValueError(
            f"At least one restart must keep a finite {monitored}. All {len(names)} lost it, the "
            f"first in epoch {epoch}. Standardize the columns, lower the 'learning_rate', or "
            "start from smaller weights."
        )
    lane = int(np.argmin(usable))
    last = np.maximum(training.epochs_run - 1, 0)
    column = training.history[:, :, training.measures.index(monitored)]
    table = pd.DataFrame(
        {
            "restart": names,
            "epochs": training.epochs_run,
            "best_epoch": training.best_epoch + 1,
            "final_loss": np.take_along_axis(column, last[:, None], axis=1)[:, 0],
            "best_loss": at_best,
            **{name: training.losses(name) for name in training.measures},
            "diverged": training.diverged,
            "in_use": np.arange(len(names)) == lane,
        }
    )
    weights = {
        int(name): [training.weights[position][number] for position in weight_positions]
        for number, name in enumerate(names)
    }
    return Restarts(int(names[lane]), monitored, history_frame(training, names), table, weights)
