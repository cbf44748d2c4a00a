"""What the embedders by t-SNE share: batches, epochs, and a decoder trained along or later."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.metaestimators import available_if

from narrows.embedders._base import DecodingEmbedder
from narrows.embedders._parameters import (
    check_integer,
    check_keep,
    check_learning_rate,
    check_noise,
    check_real,
    check_seed,
    check_widths,
    fail,
    noise_of,
)

if TYPE_CHECKING:
    from narrows.networks import Networks
    from narrows.objectives import Objective

_HISTORIES = ("decoder_history_", "fine_tuning_history_")


def _decodes(embedder: Any) -> bool:
    """Whether there is, or will be, a decoder."""
    if hasattr(embedder, "decoder_"):
        return True
    weight = embedder.reconstruction_weight
    if not hasattr(embedder, "encoder_") and isinstance(weight, int | float) and weight > 0:
        return True
    raise AttributeError(
        f"{type(embedder).__name__} must have a decoder to go back to rows. It has none. Set "
        "reconstruction_weight above 0, or call fit_decoder."
    )


class TSNEEmbedder(DecodingEmbedder):
    """An embedder by t-SNE, whose decoder is trained along with the encoder, after it, or never.

    A class says what is minimised, by `_terms`, and how many rows and epochs there are by default.
    """

    _schedule = "cosine"
    _least_epochs: int
    _least_steps: int
    _numbers: tuple[str, ...] = ()  # learned ones, that a file holds
    _term: str  # what the objective's own term is called
    reconstruction_weight: float
    encoder: Any
    decoder: Any
    noise: Any
    reshuffle: bool

    inverse_transform = available_if(_decodes)(DecodingEmbedder.inverse_transform)
    reconstruct = available_if(_decodes)(DecodingEmbedder.reconstruct)
    reconstruction_error = available_if(_decodes)(DecodingEmbedder.reconstruction_error)
    score = available_if(_decodes)(DecodingEmbedder.score)

    def fit_decoder(self, X: Any, epochs: int = 50) -> Self:
        """Train a decoder for the embedding as it is.

        The encoder stays as it is; a decoder that was there is replaced. By default it mirrors
        the encoder's widths, see `decoder`. The loss is the mean squared error.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
        epochs : int, default=50
            Passes over the rows, in batches of `batch_size`, or 100 where that is None.

        Returns
        -------
        self
            With ``decoder_``, ``autoencoder_`` and ``decoder_history_``.
        """
        from narrows.embedders.tsne._training import adopt_weights, train_decoder
        from narrows.networks import Transposed, join_networks

        X = self._checked(X)
        check_integer(f"{type(self).__name__}.fit_decoder", "epochs", epochs, least=1)
        networks = self._build(X.shape[1:], decoded=True)
        assert networks.decoder is not None
        if any(isinstance(layer, Transposed) for layer in networks.decoder.layers):
            raise ValueError(
                "A decoder that is trained after the encoder must have weights of its own. Got "
                "one with a Transposed layer instead. Set reconstruction_weight above 0, which "
                "trains both together."
            )
        training = train_decoder(self, networks, self._apply("encoder_", X), X, int(epochs))
        self.decoder_history_ = adopt_weights(networks.decoder, training)
        self._adopt(join_networks(self.encoder_, networks.decoder))
        return self

    def fine_tune(self, X: Any, epochs: int = 20) -> Self:
        """Train encoder and decoder together, from the weights that they have.

        The loss is that of `fit`, plus the mean squared error of reconstruction with the weight
        `reconstruction_weight`, or 1 where that is 0.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            Where there is a map, the rows that it was made of.
        epochs : int, default=20

        Returns
        -------
        self
            With ``fine_tuning_history_``.
        """
        from narrows.embedders.tsne._training import adopt_weights, tune

        X = self._checked(X)
        check_integer(f"{type(self).__name__}.fine_tune", "epochs", epochs, least=1)
        if not hasattr(self, "decoder_"):
            raise ValueError(
                "Fine-tuning is for an encoder and a decoder. There is no decoder. Call "
                "fit_decoder first."
            )
        networks, targets = self._to_tune(X)
        training = tune(self, networks, X, int(epochs), targets)
        self.fine_tuning_history_ = adopt_weights(networks.trained, training)
        self._adopt(networks)
        return self

    def _to_tune(self, X: np.ndarray) -> "tuple[Networks, np.ndarray | None]":
        """Return the networks in use, and what the objective is told of each row."""
        from narrows.networks import join_networks

        return join_networks(self.encoder_, self.decoder_), None

    def _build(self, row_shape: tuple[int, ...], *, decoded: bool | None = None) -> "Networks":
        """Return the networks; with a decoder if `decoded`, by default as the parameters say."""
        raise NotImplementedError

    def _terms(self, networks: "Networks", early: int) -> "tuple[Objective, Objective]":
        """Return t-SNE's own objective, exaggerated for `early` epochs, and the decoder's."""
        raise NotImplementedError

    def _objective(self, networks: "Networks", early: int = 0) -> "Objective":
        from narrows.objectives import Sum, Weighted

        main, back = self._terms(networks, early)
        if networks.decoder is None:
            return main
        return Sum([main, Weighted(back, float(self.reconstruction_weight) or 1.0)])

    def _noise(self) -> tuple[str, float] | None:
        return noise_of(self.noise)

    def _batch_rows(self, n_rows: int) -> int:
        """Return the rows in one step."""
        raise NotImplementedError

    def _n_epochs(self, n_rows: int) -> int:
        """Return the passes over the rows: as given, or enough for a number of steps."""
        if self.epochs is not None:
            return int(self.epochs)
        steps = math.ceil(n_rows / self._batch_rows(n_rows))
        return max(self._least_epochs, math.ceil(self._least_steps / steps))

    def _check_parameters(self) -> None:
        for name in ("bottleneck", "restarts"):
            check_integer(self, name, least=1)
        for name in ("epochs", "batch_size"):
            check_integer(self, name, least=1, optional=True)
        check_integer(self, "patience", least=0, optional=True)
        check_real(self, "validation_fraction", low=0, high=1)
        check_learning_rate(self)
        check_real(self, "exaggeration", low=1)
        check_real(self, "reconstruction_weight", low=0)
        check_noise(self, "noise")
        check_seed(self, "random_state")
        if not isinstance(self.reshuffle, bool | np.bool_):
            fail(self, "reshuffle", "a bool", self.reshuffle)
        check_widths(self, "encoder")
        if self.decoder is not None:
            check_widths(self, "decoder")
        check_keep(self)

    def _forget(self) -> None:
        """Drop what an earlier fit left that this one may not."""
        for name in ("decoder_", "autoencoder_", *self._numbers, *_HISTORIES):
            self.__dict__.pop(name, None)

    def _name_term(self) -> None:
        """Put a loss of one term into the history under the term's own name too."""
        history = self.history_
        for prefix in ("val_", ""):
            if self._term not in history and f"{prefix}loss" in history:
                place = history.columns.get_loc(f"{prefix}loss") + 1
                history.insert(place, f"{prefix}{self._term}", history[f"{prefix}loss"])

    def _stored_arrays(self) -> dict[str, np.ndarray]:
        found = {
            name: np.array([getattr(self, name)], np.float64)
            for name in self._numbers
            if hasattr(self, name)
        }
        for name in _HISTORIES:
            frame = getattr(self, name, pd.DataFrame())
            found |= {
                f"{name}.{number}.{column}": frame[column].to_numpy()
                for number, column in enumerate(frame.columns)
            }
        return found

    def _restore_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        arrays = dict(arrays)
        for name in _HISTORIES:
            keys = sorted(
                (key for key in arrays if key.startswith(f"{name}.")),
                key=lambda key: int(key.split(".")[1]),
            )
            if keys:
                columns = {key.split(".", 2)[2]: arrays.pop(key) for key in keys}
                setattr(self, name, pd.DataFrame(columns))
        for name in self._numbers:
            if name in arrays:
                setattr(self, name, float(arrays.pop(name)[0]))
        self._restore_map(arrays)

    def _restore_map(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the other arrays of a file."""
        super()._restore_arrays(arrays)
