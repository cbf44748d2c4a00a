"""What exchanged layers may know while a step is being traced."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import jax

VALIDATION_SITES = 2**16  # random places in validation are numbered from here, in training from 1


@dataclass
class Trace:
    """One tracing of a step.

    Attributes
    ----------
    key : uint32 array of shape (2,)
        The restart's key for masks.
    step : uint32 scalar
        Steps made so far; in validation the batch's place.
    row_weights : float32 array of shape (batch,) or None
        0 for padding rows; None if there are none.
    dropout : pair of arrays of shape (n_dropouts,), or empty in validation
        Words below which a draw drops, and what the others are multiplied by, by a layer's place.
    """

    key: jax.Array
    step: jax.Array
    row_weights: jax.Array | None
    dropout: tuple[jax.Array, ...] = ()
    _sites: int = field(default=1)  # 0 is the noise on the input

    def next_site(self) -> int:
        """Number the network's random places in the order in which they are traced."""
        self._sites += 1
        return self._sites - 1


_current = threading.local()


@contextlib.contextmanager
def tracing(trace: Trace) -> Iterator[None]:
    """Make `trace` the one that exchanged layers read, in this thread."""
    before = current_trace()
    _current.trace = trace
    try:
        yield
    finally:
        _current.trace = before


def current_trace() -> Trace | None:
    """Return the trace under way in this thread, if any."""
    return getattr(_current, "trace", None)
