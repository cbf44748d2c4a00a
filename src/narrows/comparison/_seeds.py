"""Seeds that depend on what they are for, not on what was drawn before."""

import zlib

import numpy as np


class Seeds:
    """Integer seeds by purpose, from one root.

    Parameters
    ----------
    random_state : int or None
        Root; None draws one from the system.
    """

    def __init__(self, random_state: int | None):
        drawn = np.random.SeedSequence(random_state).entropy
        assert isinstance(drawn, int)
        self.entropy: int = drawn

    def get(self, *purpose: str | int) -> int:
        """Return the seed for a purpose, e.g. ``get("pca", "standardize", 3)``.

        Returns
        -------
        int
            From 0 to 2**31 − 1, what every library takes.
        """
        key = [zlib.crc32(str(part).encode()) for part in purpose]
        state = np.random.SeedSequence(self.entropy, spawn_key=key).generate_state(1)
        return int(state[0] >> 1)
