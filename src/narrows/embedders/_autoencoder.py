"""The autoencoder as a scikit-learn transformer."""

import numbers
import warnings

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, estimator_html_repr
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from narrows.data import check_columns, to_matrix
from narrows.embedders._drawing import layer_widths, network_svg
from narrows.embedders._parameters import check_integer, check_real, check_seed, check_widths


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Learn a small embedding by reconstructing every row from it.

    An encoder maps a row to `bottleneck` numbers and a decoder maps them back; both are Keras
    networks, trained together to minimise a loss between the row and its reconstruction.
    Columns are taken as they are: put a scaler before it in a pipeline if their units differ.

    Parameters
    ----------
    bottleneck : int, default=2
        Width of the embedding.
    encoder : sequence of int, callable or keras.Model, default=(150, 50, 25)
        Widths of the encoder's hidden relu layers; or a function of a Keras tensor of shape
        (None, n_columns) that returns one of shape (None, bottleneck); or a functional Keras
        model, whose layers are copied and start from new weights.
    decoder : sequence of int, callable or keras.Model, default=None
        The same from the bottleneck to the row. None mirrors the encoder's widths.
    loss : str or keras.losses.Loss, default="mse"
        A Keras loss between row and reconstruction.
    noise : float, default=0.0
        Standard deviation, in the units of `X`, of Gaussian noise added to the encoder's input
        in training only: a denoising autoencoder (Vincent et al. 2008,
        doi:10.1145/1390156.1390294).
    epochs : int, default=100
        Passes over the rows; with `patience`, at most that many.
    batch_size : int, default=32
        Rows in one optimiser step.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer; an object brings its own learning rate.
    learning_rate : float, default=1e-3
        Of an optimizer that is given by name.
    metrics : sequence of str, callable or keras.metrics.Metric, default=()
        Keras metrics to record beside the loss.
    validation_fraction : float, default=0.0
        Share of the rows, drawn at random, that are held out to compute ``val_`` measures.
    patience : int, default=None
        Stop a restart after that many epochs without a lower validation loss (training loss
        without validation), and use the weights of its best epoch, as Keras's
        ``EarlyStopping(restore_best_weights=True)``. None trains all epochs.
    restarts : int, default=1
        Independent trainings from different initial weights, compiled as one program; the best
        by validation loss (training loss without validation) is used.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, batch order, dropout and noise. Restart number k is the same
        however many restarts there are.
    verbose : int, default=0
        1 shows a progress bar on stderr.

    Attributes
    ----------
    encoder_, decoder_, autoencoder_ : keras.Model
        The trained networks; they share their layers.
    history_ : pandas.DataFrame
        One row per restart and epoch: ``restart``, ``epoch`` (from 1), ``loss``, the metrics,
        and the same with ``val_`` where rows were held out.
    restarts_ : Restarts
        Every restart's losses and weights.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        The columns' names, if `X` had any.

    See Also
    --------
    PCA : The linear embedding it has to beat.

    References
    ----------
    Hinton, G. E., and Salakhutdinov, R. R. (2006). Reducing the dimensionality of data with
    neural networks. Science 313, 504-507. doi:10.1126/science.1127647

    Examples
    --------
    >>> import narrows
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> embedder = narrows.Autoencoder(encoder=(8,), epochs=5, random_state=0)
    >>> embedder.fit_transform(X).shape
    (150, 2)
    """

    def __init__(
        self,
        bottleneck=2,
        encoder=(150, 50, 25),
        decoder=None,
        loss="mse",
        noise=0.0,
        epochs=100,
        batch_size=32,
        optimizer="adam",
        learning_rate=1e-3,
        metrics=(),
        validation_fraction=0.0,
        patience=None,
        restarts=1,
        random_state=None,
        verbose=0,
    ):
        self.bottleneck = bottleneck
        self.encoder = encoder
        self.decoder = decoder
        self.loss = loss
        self.noise = noise
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.metrics = metrics
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.restarts = restarts
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None, *, sample_weight=None, validation_data=None):
        """Train the networks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns), or (n_rows, ...) with functions or models
            The rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), default=None
            Factors of the rows' losses, at least 0. As in Keras, the weighted sum is divided by
            the number of rows.
        validation_data : array-like of shape (n_validation_rows, n_columns), optional
            Rows to validate on after every epoch; not trained on. With them, no rows of `X` are
            held out, whatever `validation_fraction` says.

        Returns
        -------
        Autoencoder
            This object.

        Raises
        ------
        InvalidParameterError
            If a parameter is not of its kind or out of its range.
        ValueError
            If `X` is not numeric, or every restart's loss became NaN or infinite.
        KeyboardInterrupt
            If Ctrl-C came; what was trained so far is in use if any epoch was finished.
        """
        from narrows.embedders import _fitting

        self._check_parameters()
        X = self._matrix(X, reset=True)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float32, ensure_non_negative=True
            )
        held_out = None if validation_data is None else self._matrix(validation_data, reset=False)
        networks = _fitting.networks_for(self, X.shape[1:])
        rng = self._entropy()
        job = _fitting.split_job(self, X, held_out, rng, sample_weight)
        training = _fitting.run(self, networks, [job], [rng])
        _fitting.adopt(self, networks, training)
        self._warn_of_lost_restarts()
        if training.interrupted:
            raise KeyboardInterrupt
        return self

    def fit_resamples(self, Xs, seeds):
        """Fit one copy on each of several matrices, all trained together.

        The same embedder refitted on many resamples' training rows, for little more than the
        price of one fit.

        Parameters
        ----------
        Xs : sequence of array-like of shape (n_rows, n_columns)
            One matrix for each copy; the columns must be the same.
        seeds : sequence of int
            The `random_state` of each copy.

        Returns
        -------
        list of Autoencoder
            Fitted copies; this object is left as it was.
        """
        Xs = list(Xs)
        lanes = self._fit_lanes(Xs, seeds)
        copies = []
        for number, X in enumerate(Xs):
            try:
                copy = lanes.embedder(number)
            except ValueError as error:
                raise ValueError(f"Copy {number} of {len(Xs)}: {error}") from error
            copy._matrix(X, reset=True)
            copies.append(copy)
        return copies

    def _fit_lanes(self, Xs, seeds, on_progress=None):
        """Fit one lane for each matrix and seed; see `narrows.embedders._lanes.Lanes`."""
        from narrows.embedders import _fitting

        self._check_parameters()
        Xs, seeds = list(Xs), [int(seed) for seed in seeds]
        if len(Xs) != len(seeds):
            raise ValueError(
                f"'Xs' and 'seeds' must have one entry for each copy. Got {len(Xs)} matrices and "
                f"{len(seeds)} seeds instead."
            )
        # One checked matrix for each object given: a comparison passes each one many times.
        reader = clone(self)
        read = {id(X): reader._matrix(X, reset=True) for X in Xs}
        return _fitting.fit_lanes(self, [read[id(X)] for X in Xs], seeds, on_progress)

    def _untrained_lanes(self, n_columns, seeds):
        """Return what `_fit_lanes` starts from: the same graphs and initial weights."""
        from narrows.embedders import _fitting

        self._check_parameters()
        return _fitting.untrained_lanes(self, (n_columns,), [int(seed) for seed in seeds])

    def transform(self, X):
        """Return the embedding of rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        float32 ndarray of shape (n_rows, bottleneck)
        """
        return self._apply("encoder_", self._checked(X))

    def inverse_transform(self, Z):
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

    def reconstruct(self, X):
        """Return what is left of rows after the bottleneck: decoder after encoder.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        float32 ndarray of shape (n_rows, n_columns)
        """
        return self._apply("autoencoder_", self._checked(X))

    def score(self, X, y=None):
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

    def reconstruction_error(self, X, by="row"):
        """Return the mean squared reconstruction error of each row, column or cell.

        A row that the network has not learned to reconstruct is unlike those it was trained on,
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
                "The 'by' parameter of Autoencoder.reconstruction_error must be 'row', 'column' "
                f"or 'cell'. Got {by!r} instead."
            )
        X = self._checked(X)
        squared = (self._apply("autoencoder_", X).astype(np.float64) - X) ** 2
        if by == "cell":
            return squared
        return squared.mean(axis=tuple(range(1, squared.ndim)) if by == "row" else 0)

    def summary(self) -> str:
        """Return the network's layers, output shapes and parameter counts as text."""
        from narrows.networks import summary_text

        check_is_fitted(self)
        return summary_text(self.autoencoder_)

    def weights(self) -> pd.DataFrame:
        """List the weight arrays in use.

        Returns
        -------
        pandas.DataFrame
            One row an array, in the order of ``autoencoder_.get_weights()``: ``layer``,
            ``weight``, ``shape``, ``rank``, ``trainable``.
        """
        from narrows.networks import weight_table

        check_is_fitted(self)
        return weight_table(self.autoencoder_)

    @property
    def _n_features_out(self) -> int:
        return int(self.encoder_.output.shape[-1])

    def _html_repr(self) -> str:
        """scikit-learn's diagram and, once fitted, a picture of the network."""
        diagram = estimator_html_repr(self)
        if not hasattr(self, "encoder_"):
            return diagram
        widths = layer_widths(self.encoder_), layer_widths(self.decoder_)[1:]
        return f"<div>{diagram}{network_svg(*widths)}</div>"

    def __getstate__(self):
        # The whole network shares its layers with encoder and decoder; pickled beside them it
        # would come back as a copy.
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "autoencoder_"}

    def __setstate__(self, state):
        super().__setstate__(state)
        if "encoder_" in state:
            from narrows.networks import join_networks

            self.autoencoder_ = join_networks(self.encoder_, self.decoder_).autoencoder

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]  # networks compute in float32
        return tags

    def _check_parameters(self) -> None:
        for name in ("bottleneck", "epochs", "batch_size", "restarts"):
            check_integer(self, name, least=1)
        check_integer(self, "patience", least=0, optional=True)
        check_real(self, "noise", low=0)
        check_real(self, "validation_fraction", low=0, high=1)
        check_real(self, "learning_rate", low=0, open_low=True)
        check_seed(self, "random_state")
        check_widths(self, "encoder")
        if self.decoder is not None:
            check_widths(self, "decoder")

    def _matrix(self, X, *, reset: bool) -> np.ndarray:
        """Return `X` as float32, checked for numbers that are none."""
        owner = type(self).__name__
        expected = None if reset else getattr(self, "feature_names_in_", None)
        images = callable(self.encoder)
        least = 2 if reset else 1
        found = to_matrix(X, owner=owner, names=expected, allow_images=images, min_rows=least)
        count = found.values.shape[1]
        if not reset:
            check_columns(expected, self.n_features_in_, found.names, count, owner)
            return found.values
        self.n_features_in_: int = count
        if found.names is not None:
            self.feature_names_in_ = np.asarray(found.names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return found.values

    def _checked(self, X) -> np.ndarray:
        check_is_fitted(self)
        return self._matrix(X, reset=False)

    def _apply(self, name: str, X: np.ndarray) -> np.ndarray:
        from narrows.training import forward

        return forward(getattr(self, name), X)

    def _entropy(self) -> int:
        """Turn `random_state` into one number that all streams are derived from."""
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _warn_of_lost_restarts(self) -> None:
        lost = self.restarts_.table.query("diverged")["restart"].tolist()
        if lost:
            kept = " what they had reached before is used" if self.patience is not None else ""
            warnings.warn(
                f"The loss of {len(lost)} of {len(self.restarts_)} restarts stopped being a finite "
                f"number (restarts {lost});{kept or ' they are left out'}.",
                ConvergenceWarning,
                stacklevel=3,
            )
