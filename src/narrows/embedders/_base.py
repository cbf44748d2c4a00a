"""What embedders that train a network have in common."""

import numbers
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, estimator_html_repr
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from narrows._checks import LARGEST_SEED
from narrows._forks import check_process
from narrows.embedders._capabilities import capabilities_of
from narrows.embedders._diagram import layer_widths, network_svg
from narrows.embedders._input import TakesRows
from narrows.embedders._parameters import (
    check_checkpoint,
    check_integer,
    check_learning_rate,
    check_real,
    check_seed,
    default_of,
    unused,
)
from narrows.embedders._pickling import CopiedNetworks
from narrows.embedders._reconstruction import ReconstructingEmbedder

if TYPE_CHECKING:
    from narrows._keras import keras
    from narrows.embedders._restarts import Restarts
    from narrows.embedders.fitting._fit import Job, LaneTerms, Length
    from narrows.embedders.fitting._labels import FitLabels
    from narrows.embedders.fitting._lanes import Lanes, SeparateFits
    from narrows.networks import Networks
    from narrows.objectives import Objective
    from narrows.training import Frame, Training


class NetworkEmbedder(
    CopiedNetworks,
    TakesRows,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """An embedder whose encoder is a trained network.

    A class of embedders says what it can do, by `_capabilities`, and what it trains, by `_build`,
    `_objective` and, where it has more than the common parameters, `_check_parameters`.
    """

    _schedule = "constant"  # of the learning rate, see `narrows.training.Recipe`

    # The parameters that all have, and what a fit leaves.
    bottleneck: int
    epochs: Any
    batch_size: Any
    optimizer: Any
    learning_rate: float
    metrics: Sequence[Any]
    validation_fraction: float
    patience: int | None
    restarts: int
    random_state: Any
    verbose: int
    encoder_: "keras.Model"
    decoder_: "keras.Model"
    autoencoder_: "keras.Model"
    posterior_: "keras.Model"
    restarts_: "Restarts"
    history_: pd.DataFrame

    def _build(self, row_shape: tuple[int, ...]) -> "Networks":
        """Return the networks for rows of a shape."""
        raise NotImplementedError

    def _networks_for(self, X: np.ndarray) -> "Networks":
        """Return the networks for the rows of `fit`."""
        return self._build(X.shape[1:])

    def _objective(self, networks: "Networks") -> "Objective":
        """Return what a fit of the networks minimises."""
        raise NotImplementedError

    def _noise(self) -> tuple[str, float] | None:
        """Return kind and amount of noise on the encoder's input in training, or None."""
        return None

    def _lane_terms(
        self,
        networks: "Networks",
        jobs: "Sequence[Job]",
        label_weights: "Sequence[float] | None" = None,
    ) -> "LaneTerms":
        """Return what each job has for itself: where it starts, and in which coordinates.

        With `label_weights` of each job, where they are not all the parameter's.
        """
        from narrows.embedders.fitting._fit import LaneTerms

        return LaneTerms()

    def _weight_decay(self) -> float:
        """Return what a step takes off the weights that decay, over the learning rate."""
        return 0.0

    def _decayed(self, networks: "Networks") -> frozenset[int]:
        """Return the places of the variables that weight decay is for."""
        return frozenset()

    def _length(self, n_rows: int) -> "Length":
        """Return how long a training on so many rows is."""
        from narrows.embedders.fitting._fit import Length

        return Length(int(self.epochs), int(self.batch_size))

    def _in_columns(self, networks: "Networks", training: "Training", frame: "Frame") -> "Training":
        """Return a training whose weights do what the lanes' coordinates did."""
        raise NotImplementedError

    def _train(
        self, networks: "Networks", job: "Job", entropy: int, checkpoint: Any, X: np.ndarray
    ) -> "Training":
        """Train the networks on the job's rows, of which `X` are those of `fit`; adopt them."""
        from narrows.embedders.fitting import _fit

        training = _fit.run(self, networks, [job], [entropy], checkpoint=checkpoint)
        _fit.adopt(self, networks, training, job.labels)
        return training

    def _labels(self, y: Any, n_rows: int) -> "FitLabels | None":
        """Return the labels of a fit; None where they are not used."""
        from narrows.embedders.fitting._labels import labels_of_fit

        return labels_of_fit(self, y, n_rows) if getattr(self, "_uses_labels", False) else None

    def _check_rows(self, X: np.ndarray, sample_weight: Any) -> None:
        """Raise ValueError for rows or weights of `fit` that the parameters cannot take."""

    def _takes_images(self) -> bool:
        """Whether a row may have more than one axis."""
        return callable(getattr(self, "encoder", ()))

    def _check_parameters(self) -> None:
        self._check_bottleneck()
        check_integer(self, "restarts", least=1)
        for name in ("epochs", "batch_size"):
            check_integer(self, name, least=1, optional=default_of(self, name) is None)
        check_integer(self, "patience", least=0, optional=True)
        check_real(self, "validation_fraction", low=0, high=1)
        check_learning_rate(self)
        check_seed(self, "random_state")

    def _check_bottleneck(self) -> None:
        check_integer(self, "bottleneck", least=1)

    def _without_effect(self) -> list[str]:
        """Return a sentence for what is given, but does nothing beside the other parameters."""
        return []

    def _without_effect_on(self, X: np.ndarray) -> list[str]:
        """Return a sentence for what does nothing with these rows."""
        return []

    def _warn_of(self, messages: Iterable[str]) -> None:
        for message in messages:
            warnings.warn(message, UserWarning, stacklevel=4)

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        validation_data: Any = None,
        checkpoint: Any = None,
    ) -> Self:
        """Train the networks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns), or (n_rows, ...) with functions or models
            The rows.
        y : array-like of shape (n_rows,), default=None
            Labels: classes or numbers, for an embedder with a `label_weight` that is not 0; the
            others make no use of them. A row without a label has a gap (NaN, None) there, or -1
            among whole numbers that stand for classes.
        sample_weight : array-like of shape (n_rows,), default=None
            Factors of the rows' losses, at least 0, also where `validation_fraction` holds rows
            out. As in Keras, the weighted sum is divided by the number of rows.
        validation_data : array-like of shape (n_validation_rows, n_columns), optional
            Rows to validate on after every epoch; not trained on. With them no rows of `X` are
            held out, and `fit` warns of a `validation_fraction`.
        checkpoint : path-like, optional
            File that the training is written to every ten seconds or so. If the process ends
            early, the same fit goes on from it and gives the same bits as if nothing had
            happened. Needs `random_state` as an int. The file stays when the fit is through.

        Returns
        -------
        self
            This object.

        Raises
        ------
        InvalidParameterError
            If a parameter is not of its kind or out of its range, or a `learning_rate` stands
            beside an optimizer object.
        ValueError
            If `X` is not numeric, every restart's loss became NaN or infinite, or the checkpoint
            is damaged or belongs to another training; it is left as it is then.
        OSError
            If the checkpoint cannot be written.
        KeyboardInterrupt
            If Ctrl-C came; what was trained so far is in use if any epoch was finished.

        Warns
        -----
        UserWarning
            If a parameter has no effect beside the others; if columns vary so little around a
            large number that float32, in which networks compute, tells few values apart.
        """
        return self._learn(X, sample_weight, validation_data, checkpoint, y=y)

    def _learn(
        self,
        X: Any,
        sample_weight: Any = None,
        validation_data: Any = None,
        checkpoint: Any = None,
        *,
        y: Any = None,
        warns: bool = True,
    ) -> Self:
        """Do what `fit` does; without `warns`, for who has said it all before."""
        from narrows.embedders.fitting import _fit

        check_process()
        self._check_parameters()
        check_checkpoint(self, checkpoint)
        if warns:
            messages = self._without_effect()
            if validation_data is not None:
                messages += unused(self, ["validation_fraction"], "beside validation_data")
            self._warn_of(messages)
        with self._columns_of_fit():
            X = self._matrix(X, reset=True, warns=warns)
            self._check_rows(X, sample_weight)
            self._warn_of(self._without_effect_on(X) if warns else [])
            sample_weight = self._weights(sample_weight, X)
            held_out = self._validation_rows(validation_data, X)
            entropy = self._entropy()
            labels = self._labels(y, len(X))
            job = _fit.split_job(self, X, held_out, entropy, sample_weight, labels)
            training = self._train(self._networks_for(X), job, entropy, checkpoint, X)
        self._warn_of_lost_restarts()
        if training.interrupted:
            raise KeyboardInterrupt
        return self

    def fit_resamples(self, Xs: Iterable[Any], seeds: Iterable[int]) -> list[Self]:
        """Fit one copy on each of several matrices, all trained together.

        The same embedder refitted on many resamples' training rows. The program is compiled once,
        and the fits run side by side on all cores; beyond that each costs what a fit costs. Fits of
        an embedder by t-SNE are made one after another.

        Parameters
        ----------
        Xs : sequence of array-like of shape (n_rows, n_columns)
            One matrix for each copy; the columns must be the same.
        seeds : sequence of int
            The `random_state` of each copy.

        Returns
        -------
        list of embedders
            Fitted copies; this object is left as it was.
        """
        Xs = list(Xs)
        lanes = self._fit_lanes(Xs, seeds)
        self._warn_of(self._without_effect())
        copies = []
        for number, X in enumerate(Xs):
            try:
                copy = lanes.embedder(number)
            except ValueError as error:
                raise ValueError(f"Copy {number} of {len(Xs)}: {error}") from error
            copy._matrix(X, reset=True, warns=number == 0)
            copies.append(copy)
        return copies

    def _fit_lanes(
        self,
        Xs: Iterable[Any],
        seeds: Iterable[int],
        on_progress: Callable[[float, float], None] | None = None,
        labels: Sequence[Any] | None = None,
    ) -> "Lanes | SeparateFits":
        """Fit one lane for each matrix and seed; see `narrows.embedders.fitting._lanes`."""
        from narrows.embedders.fitting import _lanes

        check_process()
        self._check_parameters()
        Xs, seeds = list(Xs), [int(seed) for seed in seeds]
        if len(Xs) != len(seeds):
            raise ValueError(
                f"'Xs' and 'seeds' must have one entry for each copy. Got {len(Xs)} matrices and "
                f"{len(seeds)} seeds instead."
            )
        if not capabilities_of(self).lanes:
            return _lanes.fit_separately(self, Xs, seeds, on_progress, labels)
        # One checked matrix for each object given: a comparison passes each one many times.
        reader = clone(self)
        read = {id(X): reader._matrix(X, reset=True) for X in Xs}
        matrices = [read[id(X)] for X in Xs]
        own = [None] * len(Xs) if labels is None else labels
        taught = {
            (id(X), id(y)): self._labels(y, len(X)) for X, y in zip(matrices, own, strict=True)
        }
        fitted = [taught[id(X), id(y)] for X, y in zip(matrices, own, strict=True)]
        return _lanes.fit_lanes(self, matrices, seeds, on_progress, fitted)

    def _lane_weights(self, n_columns: int) -> int:
        """Return how many weights a lane of `_fit_lanes` holds: those of all its restarts."""
        self._check_parameters()
        return self.restarts * self._build((n_columns,)).trained.count_params()

    def _untrained_lanes(self, n_columns: int, seeds: Iterable[int]) -> "Lanes":
        """Return what `_fit_lanes` starts from: the same graphs and initial weights."""
        from narrows.embedders.fitting import _lanes

        check_process()
        self._check_parameters()
        return _lanes.untrained_lanes(self, (n_columns,), [int(seed) for seed in seeds])

    def transform(self, X: Any) -> np.ndarray:
        """Return the embedding of rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        float32 ndarray of shape (n_rows, bottleneck)
        """
        return self._apply("encoder_", self._checked(X))

    def summary(self) -> str:
        """Return the network's layers, output shapes and parameter counts as text."""
        from narrows.networks import summary_text

        check_is_fitted(self)
        return summary_text(self._whole)

    def weights(self) -> pd.DataFrame:
        """List the weight arrays in use.

        Returns
        -------
        pandas.DataFrame
            One row an array, in the order of ``restarts_.weights``: ``layer``, ``weight``,
            ``shape``, ``rank``, ``trainable``.
        """
        from narrows.networks import weight_table

        check_is_fitted(self)
        return weight_table(self._whole)

    @property
    def _n_features_out(self) -> int:
        return int(self.encoder_.output.shape[-1])

    def _adopt(self, networks: "Networks") -> None:
        """Take fitted networks into use."""
        self.encoder_ = networks.encoder
        self._whole = networks.trained
        if networks.decoder is not None:
            self.decoder_ = networks.decoder
            self.autoencoder_ = networks.autoencoder
        if networks.posterior is not None:
            self.posterior_ = networks.posterior

    def _html_repr(self) -> str:
        """scikit-learn's diagram and, once fitted, a picture of the network."""
        diagram = estimator_html_repr(self)
        if not hasattr(self, "encoder_"):
            return diagram
        decoder = layer_widths(self.decoder_)[1:] if hasattr(self, "decoder_") else []
        return f"<div>{diagram}{network_svg(layer_widths(self.encoder_), decoder)}</div>"

    def _take_learned(self, values: Mapping[str, Any]) -> None:
        """Take from a file what `_capabilities` lists as learned."""
        for name, value in values.items():
            setattr(self, name, value)

    def _stored_arrays(self) -> dict[str, np.ndarray]:
        """Return what a file holds of a fit beside networks and history, by name."""
        return {}

    def _restore_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take from a file what `_stored_arrays` returned; raise ValueError if it is not that."""
        if arrays:
            raise ValueError(f"it has the arrays {sorted(arrays)} and is a {type(self).__name__}")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]  # networks compute in float32
        return tags

    def _weights(self, sample_weight: Any, X: np.ndarray) -> np.ndarray | None:
        if sample_weight is None:
            return None
        return _check_sample_weight(sample_weight, X, dtype=np.float32, ensure_non_negative=True)

    def _validation_rows(self, given: Any, X: np.ndarray) -> np.ndarray | None:
        """Return rows to validate on, of the shape of the rows `X`."""
        if given is None:
            return None
        if isinstance(given, tuple) and len(given) == 2 and all(np.ndim(one) > 1 for one in given):
            raise ValueError(
                "'validation_data' must be rows alone, as they are their own targets. Got a tuple "
                "of two tables, as Keras takes them, instead. Give the first of them."
            )
        rows = self._matrix(given, reset=False)
        self._check_row_shape(rows, X.shape[1:])
        return rows

    def _checked(self, X: Any) -> np.ndarray:
        rows = super()._checked(X)
        if hasattr(self, "encoder_"):
            self._check_row_shape(rows, tuple(self.encoder_.input.shape[1:]))
        return rows

    def _check_row_shape(self, rows: np.ndarray, expected: tuple[int, ...]) -> None:
        if rows.shape[1:] != expected:
            raise ValueError(
                f"{type(self).__name__} takes rows of shape {expected}, as in fit. Got rows of "
                f"shape {rows.shape[1:]} instead."
            )

    def _apply(self, name: str, X: np.ndarray) -> np.ndarray:
        from narrows.training import forward

        return forward(getattr(self, name), X)

    def _entropy(self) -> int:
        """Turn `random_state` into one number that all streams are derived from."""
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(LARGEST_SEED))

    def _warn_of_lost_restarts(self) -> None:
        lost = self.restarts_.table.query("diverged")["restart"].tolist()
        if lost:
            kept = " what they had reached before is used" if self.patience is not None else ""
            warnings.warn(
                f"The loss of {len(lost)} of {len(self.restarts_)} restarts stopped being a finite "
                f"number (restarts {lost});{kept or ' they are left out'}.",
                ConvergenceWarning,
                stacklevel=4,
            )


class DecodingEmbedder(ReconstructingEmbedder, NetworkEmbedder):
    """A network embedder that can go back from embeddings to rows."""

    def inverse_transform(self, Z: Any) -> np.ndarray:
        """Return the rows that the decoder makes of embeddings.

        Parameters
        ----------
        Z : array-like of shape (n_rows, bottleneck)

        Returns
        -------
        float32 ndarray of shape (n_rows, n_columns)
        """
        check_is_fitted(self)
        Z = np.asarray(Z, np.float32)
        if Z.ndim != 2 or Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"Embeddings must have shape (n_rows, {self._n_features_out}). Got {Z.shape} "
                "instead. Pass what transform returned."
            )
        return self._apply("decoder_", Z)

    def _rebuilt(self, X: np.ndarray) -> np.ndarray:
        return self._apply("autoencoder_", X)
