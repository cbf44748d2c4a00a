"""Fixtures that several folders share."""

import ctypes
import gc
import os
import signal
import sys
from pathlib import Path

import pytest

import narrows

MOST = 1_200  # MB that a worker may hold when a test begins


def pytest_runtest_teardown(item, nextitem):
    """Let compiled programs go once there are many, so that two workers fit into 4 GB."""
    if "jax" in sys.modules and _resident() > MOST:
        from jax import clear_caches

        from narrows.training import forget_programs

        forget_programs()
        clear_caches()
        gc.collect()
        if sys.platform.startswith("linux"):
            trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc keeps what was freed
            if trim is not None:
                trim(0)


def _resident() -> float:
    """Memory of this process in MB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


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
