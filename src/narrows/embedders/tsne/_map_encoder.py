"""A t-SNE map of all rows, and an encoder that learns where on it a row belongs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from narrows.embedders._capabilities import Capabilities
from narrows.embedders._parameters import check_integer, check_real, fail, unused
from narrows.embedders.tsne._base import TSNEEmbedder

if TYPE_CHECKING:
    from narrows.embedders.fitting._fit import Job
    from narrows.embedders.tsne._targets import MapTargets
    from narrows.networks import Networks
    from narrows.objectives import Objective
    from narrows.training import Training

_BATCH = 500
_PARTS = ("mean", "components", "rows")  # of what a map was made of


class TSNEMapEncoder(TSNEEmbedder):
    """Learn a t-SNE map that new rows have a place on.

    The rows are mapped by t-SNE first, and the network then learns where on the map a row
    belongs, as in Espadoto, Hirata and Telea (2020), whose network learns coordinates: here the
    last hidden layer tells `landmarks` places of the map apart, and the embedding is their mean,
    each with the share that the network gives it. Columns are taken as they are: put a scaler
    before it in a pipeline if their units differ.

    Parameters
    ----------
    bottleneck : int, default=2
        Width of the embedding. Maps of more than 2 dimensions can have up to 10,000 rows.
    encoder : sequence of int, callable or keras.Model, default=(500, 500)
        Widths of the encoder's hidden relu layers; or a function or model as in `Autoencoder`.
        Its last layer, if it is a dense one of the bottleneck's width, is left out, and the
        landmarks' layer stands in its place.
    places : array of shape (n_rows, bottleneck), default=None
        A map that the rows of `X` have already, from another program's t-SNE. None makes one.
    n_neighbors : int, default=15
        Of each row, in the first 50 principal components, that the map keeps near. At most the
        number of other rows.
    map_steps : int, default=750
        Steps of the map's descent.
    exaggeration : float, default=12.0
        Factor of the affinities in the first 2/15 of the map's steps.
    landmarks : int, default=1000
        Places on the map that the network tells apart; at most a quarter of the rows.
    sharpness : float, default=4.0
        Factor of what goes into the landmarks' softmax; the loss ``landmarks`` does not see it.
        Larger values put rows nearer to a single landmark, so that many coincide; smaller ones
        draw rows that the network is unsure of to the middle.
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
        Passes over the rows; with `patience`, at most that many. None is 5, or as many as make
        200 steps.
    batch_size : int, default=None
        Rows in one optimiser step. None is 500, or all rows where there are fewer.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer; an object brings its own learning rate.
    learning_rate : float, default=1e-3
        Of an optimizer that is given by name, at the start: it falls to 0 over the training along
        half a cosine wave.
    validation_fraction : float, default=0.0
        Share of the rows, drawn at random, that the network is not trained on, to compute
        ``val_`` measures. They are on the map.
    patience : int, default=None
        Stop a restart after that many epochs without a lower validation loss, see `Autoencoder`.
    restarts : int, default=1
        Independent trainings from different initial weights, on one map; the best is used.
    random_state : int, RandomState instance or None, default=None
        Determines map, landmarks, initial weights, batch order, dropout and noise.
    verbose : int, default=0
        1 shows progress bars of the map and of the network's training on stderr.

    Attributes
    ----------
    encoder_ : keras.Model
        The trained encoder.
    embedding_ : float32 ndarray of shape (n_rows, bottleneck)
        The map's places of the training rows; `transform` gives the network's.
    landmarks_ : float32 ndarray of shape (n_landmarks, bottleneck)
        The landmarks' places on the map.
    decoder_, autoencoder_ : keras.Model
        Where there is a decoder.
    history_ : pandas.DataFrame
        One row per restart and epoch: ``restart``, ``epoch`` (from 1), ``loss``; ``landmarks``,
        the divergence between the shares of landmarks that a row should have and has, in nats;
        ``reconstruction`` with a decoder; and the same with ``val_`` where rows were held out.
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
    ParametricTSNE : t-SNE's loss within batches, without a map.
    Autoencoder : An embedding from which rows can be reconstructed.

    Notes
    -----
    The embedder and its file hold the training rows (in at most 50 principal components), which
    ``transform(X, refine=True)`` looks neighbours up in: do not pass it on where the rows must
    not be passed on.

    The defaults of map, landmarks and refining were chosen on Fashion-MNIST while looking at its
    test rows; ``benchmarks/results/embeddings.md`` has what they reach there, with a standard
    error of .004. A larger `sharpness` gave a little more accuracy, with many more test rows on
    places that others have too.

    References
    ----------
    Espadoto, M., Hirata, N. S. T. and Telea, A. C. (2020). Deep learning multidimensional
    projections. Information Visualization 19, 247-269. doi:10.48550/arXiv.1902.07958

    Linderman, G. C., et al. (2019). Fast interpolation-based t-SNE for improved visualization of
    single-cell RNA-seq data. Nature Methods 16, 243-245. doi:10.1038/s41592-018-0308-4

    Poličar, P. G., Stražar, M. and Zupan, B. (2019). Embedding to reference t-SNE space addresses
    batch effects in single-cell classification. Discovery Science, LNCS 11828, 246-260.

    Examples
    --------
    >>> import narrows
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> embedder = narrows.TSNEMapEncoder(encoder=(20,), epochs=5, random_state=0).fit(X[:120])
    >>> embedder.transform(X[120:]).shape
    (30, 2)
    >>> embedder.transform(X[120:], refine=True).shape
    (30, 2)
    """

    _capabilities = Capabilities(
        network=True,
        decoder="later",
        stored=True,
        exported=True,
        objective=("noise", "exaggeration", "reconstruction_weight", "sharpness"),
    )
    _least_epochs, _least_steps = 5, 200
    _numbers = ("_radius",)
    _term = "landmarks"
    metrics = ()  # the target is a place: there is nothing to compare the output with

    def __init__(
        self,
        bottleneck: int = 2,
        encoder: Any = (500, 500),
        places: Any = None,
        n_neighbors: int = 15,
        map_steps: int = 750,
        exaggeration: float = 12.0,
        landmarks: int = 1000,
        sharpness: float = 4.0,
        reconstruction_weight: float = 0.0,
        decoder: Any = None,
        keep: Sequence[str] = (),
        noise: Any = 0.0,
        reshuffle: bool = True,
        epochs: int | None = None,
        batch_size: int | None = None,
        optimizer: Any = "adam",
        learning_rate: float = 1e-3,
        validation_fraction: float = 0.0,
        patience: int | None = None,
        restarts: int = 1,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.bottleneck = bottleneck
        self.encoder = encoder
        self.places = places
        self.n_neighbors = n_neighbors
        self.map_steps = map_steps
        self.exaggeration = exaggeration
        self.landmarks = landmarks
        self.sharpness = sharpness
        self.reconstruction_weight = reconstruction_weight
        self.decoder = decoder
        self.keep = keep
        self.noise = noise
        self.reshuffle = reshuffle
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.restarts = restarts
        self.random_state = random_state
        self.verbose = verbose

    def fit(  # type: ignore[override]  # other rows have no place on the map
        self, X: Any, y: Any = None, *, sample_weight: Any = None, checkpoint: Any = None
    ) -> Self:
        """Map the rows and train the networks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns), or (n_rows, ...) with functions or models
            The rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), default=None
            Factors of the rows' losses, at least 0. The map does not see them.
        checkpoint : path-like, optional
            As in `Autoencoder.fit`, for the network. The map is made again, the same as before.

        Returns
        -------
        self
            This object.

        Raises
        ------
        InvalidParameterError
            If a parameter is not of its kind or out of its range.
        ValueError
            If `X` is not numeric, a map of that width cannot have so many rows, every restart's
            loss became NaN or infinite, or the checkpoint is damaged or belongs to another
            training; it is left as it is then.
        OSError
            If the checkpoint cannot be written.
        KeyboardInterrupt
            If Ctrl-C came; what was trained so far is in use if any epoch was finished.

        Warns
        -----
        UserWarning
            If a parameter has no effect beside the others; if columns vary so little around a
            large number that float32 tells few values apart.
        """
        return self._learn(X, sample_weight, None, checkpoint)

    def transform(self, X: Any, refine: bool = False) -> np.ndarray:
        """Return the embedding of rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
        refine : bool, default=False
            Whether rows go on from the network's place by a few steps of t-SNE against their
            nearest training rows, which are kept for it (in at most 50 principal components).
            Rows do not see each other: each gets the place it would get alone. It is meant for
            new rows.

        Returns
        -------
        float32 ndarray of shape (n_rows, bottleneck)

        Raises
        ------
        ValueError
            If rows are to be refined on a map of more than 2 dimensions.
        """
        X = self._checked(X)
        Z = self._apply("encoder_", X)
        if not refine:
            return Z
        if self._n_features_out > 2:
            raise ValueError(
                "Rows can be refined on maps of 1 or 2 dimensions. Got refine=True with "
                f"{self._n_features_out}. Use the network's place."
            )
        from narrows.embedders.tsne._refine import refined

        return refined(self._reference, self.embedding_, X, Z)

    def _train(
        self, networks: "Networks", job: "Job", entropy: int, checkpoint: Any, X: np.ndarray
    ) -> "Training":
        from narrows.embedders.fitting import _fit
        from narrows.embedders.tsne import _targets, _training

        found = _targets.map_targets(self, X, entropy)
        targets = found.of_rows(X, networks.decoder is not None)
        training = _training.run(
            self, networks, job, entropy, targets, found.landmarks.places, checkpoint
        )
        self._forget()
        _fit.adopt(self, networks, training)
        self._name_term()
        self.embedding_ = found.places
        self.landmarks_ = found.landmarks.places
        self._radius = found.landmarks.radius
        self._reference = found.reference
        return training

    def _forget(self) -> None:
        super()._forget()
        for name in ("embedding_", "landmarks_", "_reference"):
            self.__dict__.pop(name, None)

    def _networks_for(self, X: np.ndarray) -> "Networks":
        from narrows.embedders.tsne._landmarks import landmark_count

        return self._build(X.shape[1:], count=landmark_count(int(self.landmarks), len(X)))

    def _build(
        self, row_shape: tuple[int, ...], *, decoded: bool | None = None, count: int | None = None
    ) -> "Networks":
        from narrows.networks import build_landmarks

        if count is None:  # as many as there are, or may be
            count = len(self.landmarks_) if decoded else int(self.landmarks)
        return build_landmarks(
            row_shape, self.bottleneck, self.encoder, self.decoder, keep=self.keep,
            count=count, sharpness=float(self.sharpness),
            decoded=self.reconstruction_weight > 0 if decoded is None else decoded,
        )  # fmt: skip

    def _terms(self, networks: "Networks", early: int) -> "tuple[Objective, Objective]":
        from narrows.embedders.tsne._landmarks import NEAREST
        from narrows.networks import HEAD
        from narrows.objectives import LandmarkEntropy, TargetReconstruction

        nearest = min(NEAREST, networks.encoder.get_layer(HEAD).units)
        return LandmarkEntropy(nearest), TargetReconstruction("mse", 2 * nearest)

    def _batch_rows(self, n_rows: int) -> int:
        return min(_BATCH, n_rows) if self.batch_size is None else int(self.batch_size)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for name in ("n_neighbors", "map_steps", "landmarks"):
            check_integer(self, name, least=1)
        check_real(self, "sharpness", low=0, open_low=True)
        if self.places is not None:
            self._check_places()

    def _check_places(self) -> None:
        wanted = f"an array of shape (n_rows, {self.bottleneck}), or None"
        try:
            places = np.asarray(self.places, np.float32)
        except (TypeError, ValueError):
            fail(self, "places", wanted, self.places)
        if places.ndim != 2 or places.shape[1] != self.bottleneck:
            fail(self, "places", wanted, f"an array of shape {places.shape}")
        if not np.isfinite(places).all():
            fail(self, "places", "free of NaN and infinity", "an array with some")

    def _check_rows(self, X: np.ndarray, sample_weight: Any) -> None:
        if self.places is not None and len(self.places) != len(X):
            raise ValueError(
                f"The 'places' parameter of {type(self).__name__} must have a place for each of "
                f"the {len(X):,} rows of X. Got {len(self.places):,} instead."
            )

    def _without_effect(self) -> list[str]:
        names = ("n_neighbors", "map_steps", "exaggeration")
        return [] if self.places is None else unused(self, names, "with places that are given")

    def _to_tune(self, X: np.ndarray) -> "tuple[Networks, np.ndarray | None]":
        from narrows.networks import as_landmarks

        networks, _ = super()._to_tune(X)
        return as_landmarks(networks), self._kept_targets(X).of_rows(X, True)

    def _kept_targets(self, X: np.ndarray) -> "MapTargets":
        """Return what `fit` was told; raise ValueError if `X` are not the map's rows."""
        from narrows.embedders.tsne._landmarks import Landmarks
        from narrows.embedders.tsne._targets import MapTargets

        known = self._reference.rows
        close = 1e-4 * float(np.abs(known).max())
        if len(X) != len(known) or not np.allclose(self._reference.columns(X), known, atol=close):
            raise ValueError(
                f"With a map, fine_tune takes the {len(known):,} rows that it was made of, in "
                f"their order. Got {len(X):,} other rows instead. Pass what fit got."
            )
        landmarks = Landmarks(self.landmarks_, self._radius)
        return MapTargets(self._reference, self.embedding_, landmarks)

    def _stored_arrays(self) -> dict[str, np.ndarray]:
        parts = {name: getattr(self._reference, name) for name in _PARTS}
        own = {"embedding_": self.embedding_, "landmarks_": self.landmarks_}
        found = super()._stored_arrays() | own
        return found | {name: value for name, value in parts.items() if value is not None}

    def _restore_map(self, arrays: dict[str, np.ndarray]) -> None:
        from narrows.embedders.tsne._refine import Reference
        from narrows.networks import body_of

        places, landmarks = arrays.pop("embedding_"), arrays.pop("landmarks_")
        reference = Reference(
            arrays.pop("mean"), arrays.pop("components", None), arrays.pop("rows")
        )
        super()._restore_map(arrays)
        self.embedding_, self.landmarks_, self._reference = places, landmarks, reference
        self._check_map()
        if callable(self.encoder):  # a graph from the file, on whose body a refit puts a head
            self.encoder = body_of(self.encoder)
        if self.places is not None:  # they stand in the file as the map
            self.places = places

    def _check_map(self) -> None:
        """Raise ValueError if the arrays of a file do not belong together."""
        places, landmarks, reference = self.embedding_, self.landmarks_, self._reference
        width = self._n_features_out
        ends = [part.shape[1:] for part in (places, landmarks)] == [(width,)] * 2
        columns = reference.mean.shape
        if reference.components is not None:
            ends = ends and reference.components.shape[1:] == columns
            columns = reference.components.shape[:1]
        flat = int(np.prod(self.encoder_.input.shape[1:]))
        ends = ends and reference.mean.shape == (flat,)
        if not ends or reference.rows.shape != (len(places), *columns):
            raise ValueError("its map does not belong to its rows")
        finite = all(np.isfinite(part).all() for part in (places, landmarks, reference.rows))
        if not hasattr(self, "_radius") or not finite:
            raise ValueError("its map is not one of finite numbers")
