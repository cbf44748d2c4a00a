"""What a session may have set for its own work, and narrows' own does not follow."""

import contextlib
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def usual_numbers() -> Iterator[None]:
    """Let NumPy treat overflow, underflow and the like as it does by default inside the block.

    A session that raises on them (``numpy.seterr``) debugs its own formulas. Ours let a rare
    number go to 0, infinity or NaN and look at it afterwards.
    """
    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
        yield
