"""What holds wherever the engine computes, whatever the session has set."""

import contextlib
from collections.abc import Iterator

import jax

from narrows._keras import check_process
from narrows._session import usual_numbers


@contextlib.contextmanager
def engine() -> Iterator[None]:
    """Compile inside the block, though the session may debug its own JAX code uncompiled."""
    check_process()
    with jax.disable_jit(False), jax.debug_nans(False), jax.debug_infs(False), usual_numbers():
        yield
