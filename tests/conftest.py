"""Fixtures that several folders share."""

import pytest

import narrows


@pytest.fixture(scope="session")
def measurements():
    """Iris's four columns, 150 rows."""
    return narrows.datasets.iris().drop(columns="Species")


@pytest.fixture(scope="session")
def post(measurements):
    """The post's network, trained for a moment; tests must not change its weights."""
    from narrows.networks import post_decoder, post_encoder

    embedder = narrows.Autoencoder(
        encoder=post_encoder, decoder=post_decoder, epochs=3, random_state=0
    )
    return embedder.fit(measurements)
