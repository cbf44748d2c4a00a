"""The autoencoder without activations, which finds what PCA finds."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.embedders._base import DecodingEmbedder
from narrows.embedders._capabilities import Capabilities
from narrows.embedders._parameters import check_noise, noise_of
from narrows.embedders._predicting import PredictsLabels

if TYPE_CHECKING:
    from narrows.embedders.fitting._fit import Job, LaneTerms
    from narrows.networks import Networks
    from narrows.objectives import Objective
    from narrows.training import Frame, Training


class LinearAutoencoder(PredictsLabels, DecodingEmbedder):
    """Learn a linear embedding by reconstructing every row from it.

    One dense layer to the bottleneck and one back, without activations. Under mean squared error
    the best such network projects onto the span of the first principal components (Baldi and
    Hornik 1989), so that it reconstructs as well as PCA and no better. Its axes are any axes of
    that plane: neither orthogonal nor ordered as PCA's are. Training goes around the rows' mean,
    which ends up in the biases, so that columns far from 0 do no harm, up to what float32 can hold:
    `fit` warns of columns for which it is too coarse.

    Parameters
    ----------
    bottleneck : int, default=2
        Width of the embedding.
    loss : str, keras.losses.Loss or narrows.objectives.Objective, default="mse"
        What is minimised, see `Autoencoder`. With another than mean squared error the
        plane is another than PCA's: ``"mae"`` is less moved by outlying cells.
    noise : float or (str, float), default=0.0
        What is done to the encoder's input in training, see `Autoencoder`.
    label_weight : float, default=0.0
        How much it counts to predict the labels from the embedding, see `Autoencoder`.
    label_loss, class_weight
        As those of `Autoencoder`.
    epochs : int, default=300
        Passes over the rows; with `patience`, at most that many.
    batch_size : int, default=32
        Rows in one optimiser step.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer; an object brings its own learning rate.
    learning_rate : float, default=0.03
        Of an optimizer that is given by name, at the start: it falls to 0 over the training along
        half a cosine wave, without which the plane would keep trembling with the batches.
    metrics : sequence of str, callable or keras.metrics.Metric, default=()
        Keras metrics to record beside the loss.
    validation_fraction : float, default=0.0
        Share of the rows, drawn at random, that are held out to compute ``val_`` measures.
    patience : int, default=None
        Stop a restart after that many epochs without a lower validation loss, see `Autoencoder`.
    restarts : int, default=1
        Independent trainings from different initial weights; the best is used.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, batch order and noise.
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
    label_classes_ : list or None
        The classes that were taught, as Python values; None without any.
    label_coef_, label_intercept_ : float64 ndarrays
        Where labels were taught, the linear model on the embedding that `predict` goes by, of
        shapes (n_outputs, bottleneck) and (n_outputs,).
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        The columns' names, if `X` had any.

    See Also
    --------
    PCA : The same plane, by a singular value decomposition.
    Autoencoder : With hidden layers, which a curved embedding needs.

    References
    ----------
    Baldi, P., and Hornik, K. (1989). Neural networks and principal component analysis: learning
    from examples without local minima. Neural Networks 2, 53-58.
    doi:10.1016/0893-6080(89)90014-2

    Examples
    --------
    >>> import narrows
    >>> from scipy.linalg import subspace_angles
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> X = (X - X.mean()) / X.std()
    >>> linear = narrows.LinearAutoencoder(random_state=0).fit(X)
    >>> plane = linear.decoder_.get_weights()[0].T
    >>> angles = subspace_angles(plane, narrows.PCA().fit(X).components_.T)
    >>> bool(angles.max() < 0.01)
    True
    """

    _capabilities = Capabilities(
        network=True,
        lanes=True,
        decoder="always",
        stored=True,
        exported=True,
        learned=("label_classes_",),
        objective=("loss", "noise", "label_weight", "label_loss", "class_weight"),
    )
    _schedule = "cosine"

    def __init__(
        self,
        bottleneck: int = 2,
        loss: Any = "mse",
        noise: Any = 0.0,
        label_weight: float = 0.0,
        label_loss: str | None = None,
        class_weight: str | None = None,
        epochs: int = 300,
        batch_size: int = 32,
        optimizer: Any = "adam",
        learning_rate: float = 0.03,
        metrics: Sequence[Any] = (),
        validation_fraction: float = 0.0,
        patience: int | None = None,
        restarts: int = 1,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.bottleneck = bottleneck
        self.loss = loss
        self.noise = noise
        self.label_weight = label_weight
        self.label_loss = label_loss
        self.class_weight = class_weight
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

    def _build(self, row_shape: tuple[int, ...]) -> "Networks":
        from narrows.networks import build_linear

        return build_linear(row_shape, self.bottleneck)

    def _objective(self, networks: "Networks") -> "Objective":
        from narrows.embedders._keras_objects import objective_of

        return objective_of(self)

    def _lane_terms(
        self,
        networks: "Networks",
        jobs: "Sequence[Job]",
        label_weights: "Sequence[float] | None" = None,
    ) -> "LaneTerms":
        from narrows.embedders._keras_objects import objective_of
        from narrows.embedders.fitting._fit import LaneTerms
        from narrows.embedders.fitting._labels import label_weights_of
        from narrows.embedders.fitting._pca_start import variances_of
        from narrows.training import Frame

        # Around the mean; else the columns' means would outweigh what they vary by.
        means = [job.x[job.rows].mean(axis=0, dtype=np.float64) for job in jobs]
        frame = Frame(np.stack(means).astype(np.float32))
        if jobs[0].labels is None:
            return LaneTerms(frame)
        squared = getattr(objective_of(self), "is_squared_error", False)
        sizes = variances_of(jobs) if squared else np.ones(len(jobs))
        weights = label_weights or [float(self.label_weight)] * len(jobs)
        counted = label_weights_of(weights, [job.labels for job in jobs], sizes)
        return LaneTerms(frame, label_weights=counted)

    def _in_columns(self, networks: "Networks", training: "Training", frame: "Frame") -> "Training":
        """Let the biases do what the frame did: (x − c) W + b = x W + (b − c W), and back."""
        encoder, bias, decoder, shift = training.weights
        bias = bias - np.einsum("lp,lpk->lk", frame.offset[training.lanes], encoder)
        weights = [encoder, bias, decoder, shift + frame.offset[training.lanes]]
        return dataclasses.replace(training, weights=weights)

    def _noise(self) -> tuple[str, float] | None:
        return noise_of(self.noise)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_noise(self, "noise")
        self._check_labels()

    def _without_effect(self) -> list[str]:
        return self._labels_without_effect()
