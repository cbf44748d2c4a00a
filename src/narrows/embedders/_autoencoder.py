"""The autoencoder as a scikit-learn transformer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.embedders._base import DecodingEmbedder
from narrows.embedders._capabilities import Capabilities
from narrows.embedders._parameters import (
    check_keep,
    check_noise,
    check_option,
    check_real,
    check_sparsity,
    check_widths,
    fail,
    noise_of,
    sparsity_of,
    unused,
)
from narrows.embedders._predicting import PredictsLabels

if TYPE_CHECKING:
    from narrows.embedders.fitting._fit import Job, LaneTerms, Length
    from narrows.networks import Networks
    from narrows.objectives import Objective
    from narrows.training import Frame, Training

_DECAY = 2.0  # of the residual form: see the page on the plain default beside PCA


class Autoencoder(PredictsLabels, DecodingEmbedder):
    """Learn a small embedding by reconstructing every row from it.

    An encoder maps a row to `bottleneck` numbers and a decoder maps them back; both are Keras
    networks, trained together to minimise a loss between the row and its reconstruction.
    Columns are taken as they are: put a scaler before it in a pipeline if their units differ.

    Parameters
    ----------
    bottleneck : int, default=2
        Width of the embedding.
    encoder : sequence of int, callable or keras.Model, default=(64, 32)
        Widths of the encoder's hidden layers; or a function of a Keras tensor of shape
        (None, n_columns) that returns one of shape (None, bottleneck); or a functional Keras
        model, whose layers are copied and start from new weights but for those that `keep` says.
    decoder : sequence of int, callable or keras.Model, default=None
        The same from the bottleneck to the row. None mirrors the encoder's widths.
    residual : bool, default=None
        Whether encoder and decoder are sums of a linear map and a curved one, ``A x + g(x)`` and
        ``B z + h(z)``, with A and B started at PCA of the rows and the last layers of g and h at
        zero, so that training starts exactly at PCA. The hidden layers see columns, and codes,
        of deviation 1; what that takes ends up in the weights. With another loss than squared
        error the start is PCA all the same. None is True where both parts are widths; with
        functions and models there is no such form.
    activation : str, default=None
        Of the hidden layers that are given as widths, as Keras names it. None is ``"silu"`` in
        the residual form, else ``"relu"``.
    keep : sequence of str, default=()
        Names of layers of Keras models given as `encoder` or `decoder` whose weights are where
        every restart starts. Those of frozen layers and of adapted ``Normalization`` always are;
        so is what a function sets in its layers, or uses of layers that had weights before.
    loss : str, keras.losses.Loss or narrows.objectives.Objective, default="mse"
        A Keras loss between row and reconstruction; or an objective, which sees the codes too.
    noise : float or (str, float), default=0.0
        What is done to the encoder's input in training only, so that the network learns to undo
        it: a denoising autoencoder (Vincent et al. 2010,
        jmlr.org/papers/v11/vincent10a.html). A number, or ``("gaussian", deviation)``, is the
        standard deviation, in the units of `X`, of normal noise that is added. ``("masking",
        share)`` sets that share of entries to 0; ``("swap", share)`` gives them the value of
        another row of the batch in the same column.
    sparsity : float or tuple, default=0.0
        Weight of a penalty on large codes, the term ``sparsity``: of the mean absolute code with
        a number or ``("l1", weight)``; with ``("kl", weight, target)`` of the divergence of the
        units' mean activations from a small target between 0 and 1 (Ng 2011, CS294A). The
        activation is the logistic function of the code, or the code itself if the encoder ends
        in a sigmoid.
    contraction : float, default=0.0
        Weight of the term ``contraction``: the squared Frobenius norm of the encoder's Jacobian,
        averaged over rows (Rifai et al. 2011, ICML).
    label_weight : float, default=0.0
        How much it counts to predict the labels from the embedding, beside the reconstruction:
        the share of the rows' variance that is lost, and the share of the labels' loss that is
        left of that of guessing, are added up, the latter times this. 0 takes no notice of `y`.
    label_loss : {"crossentropy", "mse", "huber"}, default=None
        Loss of the labels: of classes, or of numbers in units of their standard deviation. None
        decides by `y`, as `narrows.comparison.label_kind` does: cross-entropy or squared error.
    class_weight : {"balanced"}, default=None
        ``"balanced"`` weighs rows so that every class counts as much; None counts rows.
    weight_decay : float, default=None
        What an optimiser step takes off the hidden and last layers' kernels, over the learning
        rate: decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101), of which A
        and B are free. None is 2 in the residual form, so that small tables do not bend it too
        far, else 0.
    schedule : {"constant", "cosine", "one-cycle"}, default=None
        How the learning rate goes over the training: it stays, falls to 0 along half a cosine
        wave, or rises first and then falls (Smith and Topin 2019, arXiv:1708.07120). None is
        ``"cosine"`` in the residual form, else ``"constant"``.
    epochs : int, default=None
        Passes over the rows; with `patience`, at most that many. None trains for a number of
        steps that depends little on the number of rows, see `narrows.embedders.steps_for`; an
        epoch of the history is a hundredth of it then.
    batch_size : int, default=None
        Rows in one optimiser step. None takes 32, and more from 2,048 rows on, up to 256.
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
        and the same with ``val_`` where rows were held out. Where the loss has several terms,
        each stands under its own name, without its weight.
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
    PCA : The linear embedding it has to beat.
    LinearAutoencoder : The same without hidden layers.
    VariationalAutoencoder : Codes with a distribution, to sample from.

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

    _capabilities = Capabilities(
        network=True,
        lanes=True,
        decoder="always",
        stored=True,
        exported=True,
        learned=("label_classes_",),
        objective=(
            "loss", "noise", "sparsity", "contraction", "label_weight", "label_loss", "class_weight"
        ),
    )  # fmt: skip

    def __init__(
        self,
        bottleneck: int = 2,
        encoder: Any = (64, 32),
        decoder: Any = None,
        residual: bool | None = None,
        activation: str | None = None,
        keep: Sequence[str] = (),
        loss: Any = "mse",
        noise: Any = 0.0,
        sparsity: Any = 0.0,
        contraction: float = 0.0,
        label_weight: float = 0.0,
        label_loss: str | None = None,
        class_weight: str | None = None,
        weight_decay: float | None = None,
        schedule: str | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        optimizer: Any = "adam",
        learning_rate: float = 1e-3,
        metrics: Sequence[Any] = (),
        validation_fraction: float = 0.0,
        patience: int | None = None,
        restarts: int = 1,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.bottleneck = bottleneck
        self.encoder = encoder
        self.decoder = decoder
        self.residual = residual
        self.activation = activation
        self.keep = keep
        self.loss = loss
        self.noise = noise
        self.sparsity = sparsity
        self.contraction = contraction
        self.label_weight = label_weight
        self.label_loss = label_loss
        self.class_weight = class_weight
        self.weight_decay = weight_decay
        self.schedule = schedule
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

    @property
    def _schedule(self) -> str:  # type: ignore[override]
        return self.schedule or ("cosine" if self._is_residual() else "constant")

    def _is_residual(self) -> bool:
        widths = not callable(self.encoder) and not callable(self.decoder)
        return widths if self.residual is None else self.residual

    def _build(self, row_shape: tuple[int, ...]) -> "Networks":
        from narrows.networks import build_networks, build_residual

        if self._is_residual():
            return build_residual(
                row_shape,
                self.bottleneck,
                self.encoder,
                self.decoder,
                activation=self.activation or "silu",
            )
        return build_networks(
            row_shape,
            self.bottleneck,
            self.encoder,
            self.decoder,
            activation=self.activation or "relu",
            keep=self.keep,
        )

    def _length(self, n_rows: int) -> "Length":
        from narrows.embedders.fitting._length import length_for

        return length_for(n_rows, self.epochs, self.batch_size)

    def _weight_decay(self) -> float:
        if self.weight_decay is None:
            return _DECAY if self._is_residual() else 0.0
        return float(self.weight_decay)

    def _decayed(self, networks: "Networks") -> frozenset[int]:
        from narrows.embedders.fitting._pca_start import decaying, kernels

        if self._is_residual():  # always, so that another value compiles nothing
            return decaying(networks)
        return kernels(networks) if self._weight_decay() > 0 else frozenset()

    def _lane_terms(
        self,
        networks: "Networks",
        jobs: "Sequence[Job]",
        label_weights: "Sequence[float] | None" = None,
    ) -> "LaneTerms":
        from narrows.embedders._keras_objects import objective_of
        from narrows.embedders.fitting._fit import LaneTerms
        from narrows.embedders.fitting._labels import label_weights_of
        from narrows.embedders.fitting._pca_start import pca_start, variances_of

        residual = self._is_residual()
        if not residual and jobs[0].labels is None:
            return LaneTerms()
        squared = getattr(objective_of(self), "is_squared_error", False)
        weights = label_weights or [float(self.label_weight)] * len(jobs)
        start = pca_start(networks, jobs, weights) if residual else None
        variances = variances_of(jobs) if start is None else start.variances
        # What is minimised is a share of the variance then, whatever the columns' units.
        sizes = np.clip(variances, 1e-30, 1e30) if squared else np.ones(len(jobs))
        counted = label_weights_of(weights, [job.labels for job in jobs], sizes)
        if start is None:
            return LaneTerms(label_weights=counted)
        return LaneTerms(start.frame, start.initial, list(1 / sizes), counted, start.parameters)

    def _in_columns(self, networks: "Networks", training: "Training", frame: "Frame") -> "Training":
        from narrows.embedders.fitting._pca_start import in_columns

        return in_columns(networks, training, frame)

    def _objective(self, networks: "Networks") -> "Objective":
        from narrows.embedders._keras_objects import objective_of, penalised

        return penalised(
            objective_of(self), networks, sparsity_of(self.sparsity), float(self.contraction)
        )

    def _noise(self) -> tuple[str, float] | None:
        return noise_of(self.noise)

    def _check_parameters(self) -> None:
        from narrows.training import SCHEDULES

        super()._check_parameters()
        check_noise(self, "noise")
        check_sparsity(self, "sparsity")
        check_real(self, "contraction", low=0)
        self._check_form()
        self._check_labels()
        if self.weight_decay is not None:
            check_real(self, "weight_decay", low=0)
        check_option(self, "schedule", SCHEDULES, optional=True)
        check_widths(self, "encoder")
        if self.decoder is not None:
            check_widths(self, "decoder")
        check_keep(self)

    def _check_form(self) -> None:
        """Raise unless the residual form can be had where it is asked for."""
        functions = callable(self.encoder) or callable(self.decoder)
        if self.residual is not None and not isinstance(self.residual, bool | np.bool_):
            fail(self, "residual", "a bool or None", self.residual)
        if self.residual and functions:
            advice = "Give widths, or leave residual out."
            fail(self, "residual", "left out where a part is a function or a model", True, advice)
        if self.activation is not None and not isinstance(self.activation, str):
            fail(self, "activation", "the name of an activation or None", self.activation)

    def _without_effect(self) -> list[str]:
        """Return sentences for what has no effect beside the other parameters."""
        found = self._labels_without_effect()
        if callable(self.encoder) and (self.decoder is None or callable(self.decoder)):
            found += unused(self, ["activation"], "where encoder and decoder are not widths")
        return found

    def _without_effect_on(self, X: np.ndarray) -> list[str]:
        """Return a sentence where nothing is compressed."""
        columns = int(np.prod(X.shape[1:]))
        if self.bottleneck < columns or columns == 1:
            return []
        message = (
            f"Nothing is compressed: the bottleneck of {type(self).__name__} is {self.bottleneck} "
            f"wide, and there are {columns} columns. Give a smaller one."
        )
        return [message]
