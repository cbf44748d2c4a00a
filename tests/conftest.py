"""Fixtures that several folders share."""

import signal

import pytest

import narrows


@pytest.fixture
def ctrl_c():
    """Python's usual handler of Ctrl-C, for this process and those it starts.

    It is ignored where tests were started by ``nohup``, in the background or by some CI systems.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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
