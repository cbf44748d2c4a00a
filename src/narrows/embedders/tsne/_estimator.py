"""t-SNE with an encoder, so that new rows have a place too."""

from narrows._forks import check_process
from narrows.embedders._parameters import check_checkpoint, noise_of
from narrows.embedders.tsne._checks import (
    check_parameters,
    check_rows,
    check_weights,
    exaggeration_of,
    without_effect,
)
from narrows.embedders.tsne._decoder import DecodableLater
from narrows.embedders.tsne._state import (
    forget,
    from_arrays,
    keep,
    to_arrays,
)


class ParametricTSNE(DecodableLater):
    """Learn a t-SNE map that new rows have a place on: t-SNE with an encoder.

    By default the rows are mapped by t-SNE first, and the network then learns where on the map a
    row belongs, as in Espadoto, Hirata and Telea (2020), whose network learns coordinates: here
    the last hidden layer tells `landmarks` places of the map apart, and the embedding is their
    mean, each with the share that the network gives it. With ``targets=None`` the network
    minimises t-SNE's loss within batches instead (van der Maaten 2009), without a map. Columns
    are taken as they are: put a scaler before it in a pipeline if their units differ.

    Parameters
    ----------
    bottleneck : int, default=2
        Width of the embedding. Maps of more than 2 dimensions can have up to 10,000 rows.
    encoder : sequence of int, callable or keras.Model, default=(500, 500)
        Widths of the encoder's hidden relu layers; or a function or model as in `Autoencoder`.
        On a map its last layer, if it is a dense one of the bottleneck's width, is left out, and
        the landmarks' layer stands in its place.
    targets : "map", None or array of shape (n_rows, bottleneck), default="map"
        What the network is fitted to: a t-SNE map of the rows; nothing but t-SNE's loss in
        batches; or places that the rows of `X` have already, from another program's t-SNE.
    neighbours : int, default=15
        Of each row, in the first 50 principal components, that the map keeps near. At most the
        number of other rows.
    map_steps : int, default=750
        Steps of the map's descent.
    landmarks : int, default=1000
        Places on the map that the network tells apart; at most a quarter of the rows.
    sharpness : float, default=4.0
        Factor of what goes into the landmarks' softmax; the loss ``landmarks`` does not see it.
        Larger values put rows nearer to a single landmark, so that many coincide; smaller ones
        draw rows that the network is unsure of to the middle.
    perplexity : float, default=30.0
        With ``targets=None``: neighbours within a batch. At most a third of the other rows of a
        batch.
    degrees_of_freedom : {"one", "dimension", "learned"}, default="one"
        With ``targets=None``: of Student's kernel in the embedding; 1, `bottleneck` − 1 (at
        least 1), or learned from there.
    exaggeration : float, default=None
        Factor of the affinities in the first 2/15 of the map's steps, or of the epochs with
        ``targets=None``. None is 12 for a map and 1 without.
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
        200 steps, on a map; 30, or 300 steps, without.
    batch_size : int, default=None
        Rows in one optimiser step. None is 500 on a map; without, a quarter of the rows, at
        least 500 and at most 2500. There an array of affinities takes batch² × 4 bytes, 25 MB
        for 2500 rows, and several such arrays are in use at a time.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer; an object brings its own learning rate.
    learning_rate : float, default=1e-3
        Of an optimizer that is given by name, at the start: it falls to 0 over the training along
        half a cosine wave.
    metrics : sequence of str, callable or keras.metrics.Metric, default=()
        Keras metrics of rows and reconstructions, where both are there: with ``targets=None`` and
        a `reconstruction_weight`.
    validation_fraction : float, default=0.0
        Share of the rows, drawn at random, that the network is not trained on, to compute
        ``val_`` measures. They are on the map.
    patience : int, default=None
        Stop a restart after that many epochs without a lower validation loss, see `Autoencoder`.
    restarts : int, default=1
        Independent trainings from different initial weights, on one map; the best is used.
    random_state : int, RandomState instance or None, default=None
        Determines landmarks, initial weights, batch order, dropout and noise.
    verbose : int, default=0
        1 shows a progress bar of the network's training on stderr.

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
    degrees_of_freedom_ : float
        Where they were learned.
    history_ : pandas.DataFrame
        One row per restart and epoch: ``restart``, ``epoch`` (from 1), ``loss``; ``landmarks``,
        the divergence between the shares of landmarks that a row should have and has, or
        ``kl``, t-SNE's loss within batches, both in nats; ``reconstruction`` with a decoder; and
        the same with ``val_`` where rows were held out.
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
    Autoencoder : An embedding from which rows can be reconstructed.

    Notes
    -----
    With a map, the embedder and its file hold the training rows (in at most 50 principal
    components), which ``transform(X, refine=True)`` looks neighbours up in: do not pass it on
    where the rows must not be passed on.

    The defaults of map, landmarks and refining were chosen on Fashion-MNIST while looking at its
    test rows; ``benchmarks/results/embeddings.md`` has what they reach there, with a standard
    error of .004. A larger `sharpness` gave a little more accuracy, with many more test rows on
    places that others have too.

    References
    ----------
    van der Maaten, L. (2009). Learning a parametric embedding by preserving local structure.
    AISTATS, PMLR 5, 384-391.

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
    >>> embedder = narrows.ParametricTSNE(encoder=(20,), epochs=5, random_state=0).fit(X[:120])
    >>> embedder.transform(X[120:]).shape
    (30, 2)
    >>> embedder.transform(X[120:], refine=True).shape
    (30, 2)
    """

    _decay = "cosine"

    def __init__(
        self,
        bottleneck=2,
        encoder=(500, 500),
        targets="map",
        neighbours=15,
        map_steps=750,
        landmarks=1000,
        sharpness=4.0,
        perplexity=30.0,
        degrees_of_freedom="one",
        exaggeration=None,
        reconstruction_weight=0.0,
        decoder=None,
        keep=(),
        noise=0.0,
        reshuffle=True,
        epochs=None,
        batch_size=None,
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
        self.targets = targets
        self.neighbours = neighbours
        self.map_steps = map_steps
        self.landmarks = landmarks
        self.sharpness = sharpness
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

    def fit(self, X, y=None, *, sample_weight=None, validation_data=None, checkpoint=None):
        """Map the rows and train the networks.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns), or (n_rows, ...) with functions or models
            The rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), default=None
            Factors of the rows' losses, at least 0: of ``landmarks`` and ``reconstruction``.
            Neither the map nor ``kl`` sees them: with ``targets=None`` and no decoder they are
            refused.
        validation_data : array-like of shape (n_validation_rows, n_columns), optional
            Rows to validate on after every epoch, with ``targets=None`` only: they have no place
            on a map. `validation_fraction` holds out rows that have.
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
            If `X` is not numeric, a batch cannot hold the perplexity, a map of that width cannot
            have so many rows, every restart's loss became NaN or infinite, or the checkpoint is
            damaged or belongs to another training; it is left as it is then.
        OSError
            If the checkpoint cannot be written.
        KeyboardInterrupt
            If Ctrl-C came; what was trained so far is in use if any epoch was finished.

        Warns
        -----
        UserWarning
            If a parameter has no effect beside the others; if columns vary
            so little around a large number that float32 tells few values apart.
        """
        return self._learn(X, sample_weight, validation_data, checkpoint)

    def _learn(self, X, sample_weight=None, validation_data=None, checkpoint=None, *, warns=True):
        from narrows.embedders import _fit
        from narrows.embedders.tsne import _training

        check_process()
        self._check_parameters()
        check_checkpoint(self, checkpoint)
        if warns:
            self._warn_of(self._without_effect())
        with self._columns_of_fit():
            X = self._matrix(X, reset=True, warns=warns)
            check_rows(self, X, validation_data)
            sample_weight = self._weights(sample_weight, X)
            held_out = self._validation_rows(validation_data, X)
            entropy = self._entropy()
            job = _fit.split_job(self, X, held_out, entropy, sample_weight)
            networks = self._build(X.shape[1:], len(X))
            check_weights(self, sample_weight, networks)
            prepared = places = targets = None
            if self.targets is not None:
                prepared = _training.prepare(self, X, entropy)
                places = prepared.landmarks.places
                decoded = networks.decoder is not None
                targets = _training.targets_of(self, prepared, X, decoded)
            training = _training.run(self, networks, job, entropy, targets, places, checkpoint)
            forget(self)
            _fit.adopt(self, networks, training)
            keep(self, prepared, training)
        self._warn_of_lost_restarts()
        if training.interrupted:
            raise KeyboardInterrupt
        return self

    def transform(self, X, refine=False):
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
            If rows are to be refined without a map, or on one of more than 2 dimensions.
        """
        X = self._checked(X)
        Z = self._apply("encoder_", X)
        if not refine:
            return Z
        if not hasattr(self, "_reference"):
            raise ValueError(
                "Rows can be refined on a map only. Got refine=True with targets=None. Fit with "
                "targets='map'."
            )
        if self._n_features_out > 2:
            raise ValueError(
                "Rows can be refined on maps of 1 or 2 dimensions. Got refine=True with "
                f"{self._n_features_out}. Use the network's place."
            )
        from narrows.embedders.tsne._refine import refined

        return refined(self._reference, self.embedding_, X, Z)

    def _build(self, row_shape, n_rows=None, *, count=None, decoded=None):
        from narrows.embedders.tsne._landmarks import landmark_count
        from narrows.networks import build_landmarks, build_networks

        decoded = self.reconstruction_weight > 0 if decoded is None else decoded
        if self.targets is None:
            return build_networks(
                row_shape, self.bottleneck, self.encoder, self.decoder,
                decoded=decoded, keep=self.keep,
            )  # fmt: skip
        if count is None:
            count = int(self.landmarks)
            count = count if n_rows is None else landmark_count(count, n_rows)
        return build_landmarks(
            row_shape, self.bottleneck, self.encoder, self.decoder,
            count=count, sharpness=float(self.sharpness), decoded=decoded, keep=self.keep,
        )  # fmt: skip

    def _objective(self, networks, early=0):
        from narrows.embedders.tsne._landmarks import NEAREST
        from narrows.networks import HEAD
        from narrows.objectives import (
            BatchDivergence,
            LandmarkEntropy,
            Objective,
            Reconstruction,
            Sum,
            TargetReconstruction,
            Weighted,
        )

        if self.targets is None:
            main: Objective = BatchDivergence(
                self.perplexity, self.bottleneck, self.degrees_of_freedom,
                exaggeration_of(self), early,
            )  # fmt: skip
            back: Objective = Reconstruction("mse")
        else:
            nearest = min(NEAREST, networks.encoder.get_layer(HEAD).units)
            main = LandmarkEntropy(nearest)
            back = TargetReconstruction("mse", 2 * nearest)
        if networks.decoder is None:
            return main
        return Sum([main, Weighted(back, float(self.reconstruction_weight) or 1.0)])

    def _noise(self):
        return noise_of(self.noise)

    def _check_parameters(self) -> None:
        check_parameters(self)

    def _without_effect(self) -> list[str]:
        return without_effect(self)

    def _fit_lanes(self, Xs, seeds, on_progress=None):
        from narrows.embedders._fit import fit_separately

        check_process()
        self._check_parameters()
        return fit_separately(self, list(Xs), [int(seed) for seed in seeds], on_progress)

    def _stored_arrays(self):
        """Return what a file holds beside the networks."""
        return to_arrays(self)

    def _restore_arrays(self, arrays) -> None:
        from_arrays(self, arrays)
