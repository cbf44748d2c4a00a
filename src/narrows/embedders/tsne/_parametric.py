"""t-SNE's loss within batches, minimised by an encoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.embedders._capabilities import Capabilities
from narrows.embedders._parameters import check_option, check_real, fail
from narrows.embedders.tsne._base import TSNEEmbedder

if TYPE_CHECKING:
    from narrows.embedders.fitting._fit import Job
    from narrows.networks import Networks
    from narrows.objectives import Objective
    from narrows.training import Training

_DEGREES = ("one", "dimension", "learned")
_LARGEST_BATCH, _SMALL_BATCH = 2500, 500  # few rows make several steps an epoch


class ParametricTSNE(TSNEEmbedder):
    """Learn an encoder by t-SNE's loss within batches (van der Maaten 2009).

    Rows of a batch have affinities of a wanted perplexity; the encoder gives them codes whose
    affinities, by Student's kernel, diverge from these as little as possible. `TSNEMapEncoder`
    learns a t-SNE map of all rows instead, which is faster and places new rows better; this one
    has no limit on rows and width, and needs no map. Columns are taken as they are: put a scaler
    before it in a pipeline if their units differ.

    Parameters
    ----------
    bottleneck : int, default=2
        Width of the embedding.
    encoder : sequence of int, callable or keras.Model, default=(500, 500)
        Widths of the encoder's hidden relu layers; or a function or model as in `Autoencoder`.
    perplexity : float, default=30.0
        Neighbours within a batch, at least 1 and at most a third of the other rows of a batch.
    degrees_of_freedom : {"one", "dimension", "learned"}, default="one"
        Of Student's kernel in the embedding: 1, `bottleneck` − 1 (at least 1), or learned from
        there.
    exaggeration : float, default=1.0
        Factor of the affinities in the first 2/15 of the epochs.
    reconstruction_weight : float, default=0.0
        Weight of the mean squared error of a decoder that is trained along. 0 trains none;
        `fit_decoder` does it afterwards.
    decoder : sequence of int, callable or keras.Model, default=None
        From the embedding to the row, see `Autoencoder`. None mirrors the encoder's widths.
    keep : sequence of str, default=()
        Names of layers of given models whose weights are the start, see `Autoencoder`.
    noise : float or (str, float), default=0.0
        What is done to the encoder's input in training, see `Autoencoder`. For images with
        values between 0 and 1, 0.1 is a start.
    reshuffle : bool, default=True
        Whether batches are drawn anew in every epoch. With False they stay as they were drawn
        first.
    epochs : int, default=None
        Passes over the rows; with `patience`, at most that many. None is 30, or as many as make
        300 steps.
    batch_size : int, default=None
        Rows in one optimiser step. None is a quarter of the rows, at least 500 and at most 2500.
        An array of affinities takes batch² × 4 bytes, 25 MB for 2500 rows, and several such
        arrays are in use at a time.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer; an object brings its own learning rate.
    learning_rate : float, default=1e-3
        Of an optimizer that is given by name, at the start: it falls to 0 over the training along
        half a cosine wave.
    metrics : sequence of str, callable or keras.metrics.Metric, default=()
        Keras metrics of rows and reconstructions, where there is a `reconstruction_weight`.
    validation_fraction : float, default=0.0
        Share of the rows, drawn at random, that are held out to compute ``val_`` measures.
    patience : int, default=None
        Stop a restart after that many epochs without a lower validation loss, see `Autoencoder`.
    restarts : int, default=1
        Independent trainings from different initial weights; the best is used.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, batch order, dropout and noise.
    verbose : int, default=0
        1 shows a progress bar on stderr.

    Attributes
    ----------
    encoder_ : keras.Model
        The trained encoder.
    decoder_, autoencoder_ : keras.Model
        Where there is a decoder.
    degrees_of_freedom_ : float
        Where they were learned.
    history_ : pandas.DataFrame
        One row per restart and epoch: ``restart``, ``epoch`` (from 1), ``loss``; ``kl``, t-SNE's
        loss within batches, in nats; ``reconstruction`` with a decoder; and the same with
        ``val_`` where rows were held out.
    decoder_history_, fine_tuning_history_ : pandas.DataFrame
        The same, of `fit_decoder` and `fine_tune`.
    restarts_ : Restarts
        Every restart's losses and weights, as `fit` left them.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        The columns' names, if `X` had any.

    See Also
    --------
    TSNEMapEncoder : A t-SNE map of all rows, and an encoder that learns it.
    Autoencoder : An embedding from which rows can be reconstructed.

    References
    ----------
    van der Maaten, L. (2009). Learning a parametric embedding by preserving local structure.
    AISTATS, PMLR 5, 384-391.

    Examples
    --------
    >>> import narrows
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> embedder = narrows.ParametricTSNE(encoder=(20,), epochs=5, random_state=0).fit(X[:120])
    >>> embedder.transform(X[120:]).shape
    (30, 2)
    """

    _capabilities = Capabilities(
        network=True,
        decoder="later",
        stored=True,
        exported=True,
        objective=(
            "noise", "perplexity", "degrees_of_freedom", "exaggeration", "reconstruction_weight",
        ),
    )  # fmt: skip
    _least_epochs, _least_steps = 30, 300
    _numbers = ("degrees_of_freedom_",)
    _term = "kl"

    def __init__(
        self,
        bottleneck: int = 2,
        encoder: Any = (500, 500),
        perplexity: float = 30.0,
        degrees_of_freedom: str = "one",
        exaggeration: float = 1.0,
        reconstruction_weight: float = 0.0,
        decoder: Any = None,
        keep: Sequence[str] = (),
        noise: Any = 0.0,
        reshuffle: bool = True,
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
        self.perplexity = perplexity
        self.degrees_of_freedom = degrees_of_freedom
        self.exaggeration = exaggeration
        self.reconstruction_weight = reconstruction_weight
        self.decoder = decoder
        self.keep = keep
        self.noise = noise
        self.reshuffle = reshuffle
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

    def _train(
        self, networks: "Networks", job: "Job", entropy: int, checkpoint: Any, X: np.ndarray
    ) -> "Training":
        from narrows.embedders.fitting import _fit
        from narrows.embedders.tsne import _training

        training = _training.run(self, networks, job, entropy, checkpoint=checkpoint)
        self._forget()
        _fit.adopt(self, networks, training)
        self._name_term()
        learned = training.parameters.get("log_degrees_of_freedom")
        if learned is not None:
            lane = list(training.lanes).index(self.restarts_.best)
            self.degrees_of_freedom_ = float(np.exp(learned[lane]))
        return training

    def _build(self, row_shape: tuple[int, ...], *, decoded: bool | None = None) -> "Networks":
        from narrows.networks import build_networks

        return build_networks(
            row_shape, self.bottleneck, self.encoder, self.decoder, keep=self.keep,
            decoded=self.reconstruction_weight > 0 if decoded is None else decoded,
        )  # fmt: skip

    def _terms(self, networks: "Networks", early: int) -> "tuple[Objective, Objective]":
        from narrows.objectives import BatchDivergence, Reconstruction

        divergence = BatchDivergence(
            self.perplexity, self.bottleneck, self.degrees_of_freedom, float(self.exaggeration),
            early,
        )  # fmt: skip
        return divergence, Reconstruction("mse")

    def _batch_rows(self, n_rows: int) -> int:
        if self.batch_size is not None:
            return int(self.batch_size)
        return min(_LARGEST_BATCH, max(n_rows // 4, _SMALL_BATCH), n_rows)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_real(self, "perplexity", low=1)
        check_option(self, "degrees_of_freedom", _DEGREES)
        if self.reconstruction_weight == 0 and len(self.metrics):
            fail(
                self, "metrics", "empty, but with a reconstruction_weight", self.metrics,
                "They compare rows and reconstructions.",
            )  # fmt: skip

    def _check_rows(self, X: np.ndarray, sample_weight: Any) -> None:
        from narrows.objectives import check_perplexity

        check_perplexity(
            self.perplexity, min(self._batch_rows(len(X)), len(X)), type(self).__name__
        )
        if sample_weight is not None and self.reconstruction_weight == 0:
            raise ValueError(
                f"'sample_weight' of {type(self).__name__}.fit must be None without a decoder: "
                "the divergence is one number for a batch and has no weights of rows. Got weights "
                "instead. Leave them out, or set reconstruction_weight."
            )
