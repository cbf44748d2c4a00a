"""What an embedder offers that can go back to rows: reconstructions, and their errors."""

from typing import Any

import numpy as np

from narrows._session import usual_numbers
from narrows.embedders._input import TakesRows


class ReconstructingEmbedder(TakesRows):
    """What an embedder offers that has `inverse_transform`.

    A class says how rows come back, by `_rebuilt`.
    """

    def _rebuilt(self, X: np.ndarray) -> np.ndarray:
        """Return checked rows after embedding and way back, of the shape of `X`."""
        raise NotImplementedError

    def reconstruct(self, X: Any) -> np.ndarray:
        """Return what is left of rows after the bottleneck: embedded, and back.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            float32 of a network, float64 of a PCA.
        """
        return self._rebuilt(self._checked(X))

    def score(self, X: Any, y: Any = None) -> float:
        """Return the negative mean squared reconstruction error, so that larger is better.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
        y : None
            Ignored.

        Returns
        -------
        float
            In the units of `X`, squared.
        """
        return -float(np.mean(self.reconstruction_error(X)))

    def reconstruction_error(self, X: Any, by: str = "row") -> np.ndarray:
        """Return the mean squared reconstruction error of each row, column or cell.

        A row that the embedder has not learned to reconstruct is unlike those it was trained on,
        so the error by row serves as an anomaly score.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
        by : {"row", "column", "cell"}, default="row"
            What one number stands for.

        Returns
        -------
        float64 ndarray of shape (n_rows,), (n_columns,) or that of `X`
            In the units of `X`, squared.

        Raises
        ------
        ValueError
            If `by` is none of the three.
        """
        if by not in ("row", "column", "cell"):
            raise ValueError(
                f"The 'by' parameter of {type(self).__name__}.reconstruction_error must be 'row', "
                f"'column' or 'cell'. Got {by!r} instead."
            )
        X = self._checked(X)
        with usual_numbers():
            squared = (self._rebuilt(X).astype(np.float64) - X) ** 2
            if by == "cell":
                return squared
            return squared.mean(axis=tuple(range(1, squared.ndim)) if by == "row" else 0)
