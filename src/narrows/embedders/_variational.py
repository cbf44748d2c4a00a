"""The variational autoencoder: codes with a distribution, to sample from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from narrows.embedders._base import DecodingEmbedder
from narrows.embedders._capabilities import Capabilities
from narrows.embedders._parameters import (
    check_integer,
    check_keep,
    check_option,
    check_real,
    check_widths,
    unused,
)

if TYPE_CHECKING:
    from narrows.networks import Networks
    from narrows.objectives import Objective

_LIKELIHOODS = ("gaussian", "bernoulli")


class VariationalAutoencoder(DecodingEmbedder):
    """Learn an embedding in which every row is a normal distribution, and sample new rows.

    The encoder maps a row to the means and log variances of its code; a code drawn from them is
    decoded. Training minimises the negative evidence lower bound, in nats per row::

        loss = reconstruction + beta · kl

    ``reconstruction`` is the negative log-likelihood of a row, summed over its columns, and
    ``kl`` the divergence of its code's distribution from the standard normal one. With
    ``beta=1``, −loss is a lower bound of the rows' mean log-likelihood.

    Parameters
    ----------
    bottleneck : int, default=2
        Width of the embedding.
    encoder : sequence of int, callable or keras.Model, default=(150, 50, 25)
        Widths of hidden relu layers, before one layer of means and one of log variances. A
        function or model returns a tensor of shape (None, 2 · bottleneck): first the means, then
        the log variances. Else as in `Autoencoder`.
    decoder : sequence of int, callable or keras.Model, default=None
        The same from the bottleneck to the row. None mirrors the encoder's widths. For
        ``likelihood="bernoulli"`` a function or model ends in a sigmoid.
    keep : sequence of str, default=()
        Names of layers of given models whose weights are the start, see `Autoencoder`.
    likelihood : str, default="gaussian"
        ``"gaussian"``: columns are normal with variance 1 around the decoder's output;
        ``"bernoulli"``: columns are 1 with the probability that the decoder gives, and all
        values lie between 0 and 1.
    beta : float, default=1.0
        Weight of the divergence (Higgins et al. 2017). With the Gaussian likelihood it is
        also the variance of the columns around the decoder's output, up to the scale of the
        loss: with standardized columns, 1 leaves only directions that explain more than the
        noise of one column; smaller values use the bottleneck more.
    kl_warmup : int, default=0
        Epochs over which the weight of the divergence rises from 0 to `beta` (Sønderby et al.
        2016). The recorded ``loss`` has the full weight in every epoch.
    epochs : int, default=100
        Passes over the rows; with `patience`, at most that many.
    batch_size : int, default=32
        Rows in one optimiser step.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer; an object brings its own learning rate.
    learning_rate : float, default=1e-3
        Of an optimizer that is given by name.
    metrics : sequence of str, callable or keras.metrics.Metric, default=()
        Keras metrics of rows and decoded draws to record beside the loss.
    validation_fraction : float, default=0.0
        Share of the rows, drawn at random, that are held out to compute ``val_`` measures.
    patience : int, default=None
        Stop a restart after that many epochs without a lower validation loss, see `Autoencoder`.
    restarts : int, default=1
        Independent trainings from different initial weights; the best is used.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, batch order, dropout and the codes that are drawn.
    verbose : int, default=0
        1 shows a progress bar on stderr.

    Attributes
    ----------
    encoder_ : keras.Model
        Rows to means: the embedding.
    posterior_ : keras.Model
        Rows to means and log variances.
    decoder_ : keras.Model
        Codes to rows; of ``"bernoulli"``, probabilities.
    autoencoder_ : keras.Model
        The decoder after the means. All four share their layers.
    history_ : pandas.DataFrame
        One row per restart and epoch: ``restart``, ``epoch`` (from 1), ``loss``,
        ``reconstruction``, ``kl``, the metrics, and the same with ``val_`` where rows were held
        out. One code is drawn for each row and epoch.
    restarts_ : Restarts
        Every restart's losses and weights.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        The columns' names, if `X` had any.

    See Also
    --------
    Autoencoder : Codes without a distribution.

    References
    ----------
    Kingma, D. P., and Welling, M. (2014). Auto-encoding variational Bayes. ICLR 2014,
    arXiv:1312.6114.

    Higgins, I., et al. (2017). beta-VAE: learning basic visual concepts with a constrained
    variational framework. ICLR 2017.

    Sønderby, C. K., et al. (2016). Ladder variational autoencoders. NeurIPS 2016,
    arXiv:1602.02282.

    Examples
    --------
    >>> import narrows
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> vae = narrows.VariationalAutoencoder(encoder=(8,), epochs=5, random_state=0).fit(X)
    >>> vae.sample(3, random_state=0).shape
    (3, 4)
    """

    _capabilities = Capabilities(
        network=True,
        lanes=True,
        decoder="always",
        posterior=True,
        stored=True,
        exported=True,
        objective=("likelihood", "beta", "kl_warmup"),
    )

    def __init__(
        self,
        bottleneck: int = 2,
        encoder: Any = (150, 50, 25),
        decoder: Any = None,
        keep: Sequence[str] = (),
        likelihood: str = "gaussian",
        beta: float = 1.0,
        kl_warmup: int = 0,
        epochs: int = 100,
        batch_size: int = 32,
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
        self.keep = keep
        self.likelihood = likelihood
        self.beta = beta
        self.kl_warmup = kl_warmup
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

    def sample(self, n_rows: int = 1, random_state: Any = None) -> np.ndarray:
        """Return new rows: codes drawn from the standard normal distribution, decoded.

        Parameters
        ----------
        n_rows : int, default=1
            How many.
        random_state : int, RandomState instance or None, default=None
            Determines the codes.

        Returns
        -------
        float32 ndarray of shape (n_rows, n_columns)
            What the decoder expects of each code, without the columns' own noise; of
            ``"bernoulli"``, probabilities.

        Raises
        ------
        ValueError
            If `n_rows` is no positive integer.
        """
        check_is_fitted(self)
        if not isinstance(n_rows, int | np.integer) or isinstance(n_rows, bool) or n_rows < 1:
            raise ValueError(
                f"The 'n_rows' parameter of {type(self).__name__}.sample must be an int in the "
                f"range [1, inf). Got {n_rows!r} instead."
            )
        rng = check_random_state(random_state)
        return self.inverse_transform(rng.standard_normal((n_rows, self._n_features_out)))

    def posterior(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the distribution of each row's code: its means and standard deviations.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)

        Returns
        -------
        means, deviations : float32 ndarrays of shape (n_rows, bottleneck)
            The means are what `transform` returns.
        """
        from narrows.training import forward

        X = self._checked(X)
        log_variance = self.posterior_.__class__(self.posterior_.input, self.posterior_.outputs[1])
        return forward(self.encoder_, X), np.exp(forward(log_variance, X) / 2)

    def _build(self, row_shape: tuple[int, ...]) -> "Networks":
        from narrows.networks import build_variational

        activation = "sigmoid" if self.likelihood == "bernoulli" else None
        return build_variational(
            row_shape, self.bottleneck, self.encoder, self.decoder,
            activation=activation, keep=self.keep,
        )  # fmt: skip

    def _objective(self, networks: "Networks") -> "Objective":
        from narrows.objectives import GaussianDivergence, LogLikelihood, Sum, Weighted

        divergence = Weighted(GaussianDivergence(), float(self.beta), int(self.kl_warmup))
        return Sum([LogLikelihood(self.likelihood), divergence])

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_option(self, "likelihood", _LIKELIHOODS)
        check_real(self, "beta", low=0)
        check_integer(self, "kl_warmup", least=0)
        check_widths(self, "encoder")
        if self.decoder is not None:
            check_widths(self, "decoder")
        check_keep(self)

    def _without_effect(self) -> list[str]:
        return unused(self, ["kl_warmup"], "with beta=0") if self.beta == 0 else []

    def _check_rows_of_fit(self, values: np.ndarray) -> None:
        if self.likelihood == "bernoulli" and (values.min() < 0 or values.max() > 1):
            raise ValueError(
                "Rows must lie between 0 and 1 for likelihood='bernoulli'. They lie between "
                f"{values.min():g} and {values.max():g}. Scale them, with MinMaxScaler for "
                "example, or use likelihood='gaussian'."
            )
