"""A decoder that is trained along with the encoder, after it, or not at all."""

from sklearn.utils.metaestimators import available_if

from narrows.embedders._base import DecodingEmbedder
from narrows.embedders.tsne._checks import check_epochs
from narrows.embedders.tsne._state import adopt_weights, kept_map


def _decodes(embedder) -> bool:
    """Whether there is, or will be, a decoder."""
    if hasattr(embedder, "decoder_"):
        return True
    weight = embedder.reconstruction_weight
    if not hasattr(embedder, "encoder_") and isinstance(weight, int | float) and weight > 0:
        return True
    raise AttributeError(
        "ParametricTSNE must have a decoder to go back to rows. It has none. Set "
        "reconstruction_weight above 0, or call fit_decoder."
    )


class DecodableLater(DecodingEmbedder):
    """What `ParametricTSNE` does with decoders."""

    inverse_transform = available_if(_decodes)(DecodingEmbedder.inverse_transform)
    reconstruct = available_if(_decodes)(DecodingEmbedder.reconstruct)
    reconstruction_error = available_if(_decodes)(DecodingEmbedder.reconstruction_error)
    score = available_if(_decodes)(DecodingEmbedder.score)

    def fit_decoder(self, X, epochs=50):
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
        from narrows.embedders.tsne._training import train_decoder
        from narrows.networks import Transposed, join_networks

        X = self._checked(X)
        check_epochs(self, "fit_decoder", epochs)
        count = len(getattr(self, "landmarks_", ())) or None
        networks = self._build(X.shape[1:], count=count, decoded=True)
        if any(isinstance(layer, Transposed) for layer in networks.decoder.layers):
            raise ValueError(
                "A decoder that is trained after the encoder must have weights of its own. Got "
                "one with a Transposed layer instead. Set reconstruction_weight above 0, which "
                "trains both together."
            )
        Z = self._apply("encoder_", X)
        training = train_decoder(self, networks, Z, X, int(epochs))
        self.decoder_history_ = adopt_weights(networks.decoder, training)
        self._adopt(join_networks(self.encoder_, networks.decoder))
        return self

    def fine_tune(self, X, epochs=20):
        """Train encoder and decoder together, from the weights that they have.

        The loss is t-SNE's, or the landmarks', plus the mean squared error of reconstruction
        with the weight `reconstruction_weight`, or 1 where that is 0.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            With a map, the rows it was made of.
        epochs : int, default=20

        Returns
        -------
        self
            With ``fine_tuning_history_``.
        """
        from narrows.embedders.tsne import _training
        from narrows.networks import as_landmarks, join_networks

        X = self._checked(X)
        check_epochs(self, "fine_tune", epochs)
        if not hasattr(self, "decoder_"):
            raise ValueError(
                "Fine-tuning is for an encoder and a decoder. There is no decoder. Call "
                "fit_decoder first."
            )
        networks = join_networks(self.encoder_, self.decoder_)
        targets = None
        if self.targets is not None:
            networks = as_landmarks(networks)
            targets = _training.targets_of(self, kept_map(self, X), X, True)
        training = _training.tune(self, networks, X, int(epochs), targets)
        self.fine_tuning_history_ = adopt_weights(networks.trained, training)
        self._adopt(networks)
        return self

    def _build(self, row_shape, n_rows=None, *, count=None, decoded=None):
        """Return the networks; `count` landmarks, and a decoder if `decoded`."""
        raise NotImplementedError
