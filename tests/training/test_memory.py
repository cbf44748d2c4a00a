"""Memory: many fits do not grow the process, and weights are not copied between segments."""

import subprocess
import sys

import numpy as np
import pytest

CODE = """
import numpy as np, narrows
from narrows.networks import post_decoder, post_encoder
x = np.random.default_rng(0).normal(size=(140, 4)).astype("float32")

def memory():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024

for fit in range(200):
    embedder = narrows.Autoencoder(
        encoder=post_encoder, decoder=post_decoder, epochs=2, random_state=fit
    )
    embedder.fit(x[: 100 + fit % 20], validation_data=x[120:]).transform(x)
    if fit == 19:
        before = memory()
print(memory() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_two_hundred_fits_grow_by_less_than_50_mb():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=300
    )
    assert float(done.stdout) < 50


def test_a_segment_takes_over_the_memory_of_the_one_before(fit, monkeypatch):
    """Donated: the weights of the last segment are gone, not copied."""
    from narrows.training import _program

    kept = []
    original = _program.Program.compiled

    def watched(self, *args, **more):
        found = original(self, *args, **more)

        def segment(carry, *rest):
            kept.append(carry.state.trainable)
            return found.segment(carry, *rest)

        return _program.Compiled(found.start, segment)

    monkeypatch.setattr(_program.Program, "compiled", watched)
    fit([(1, 0)])
    assert kept
    assert all(weight.is_deleted() for weights in kept for weight in weights)


def test_large_data_are_not_copied_for_padding():
    from narrows.training._rows import data_rows, pad_rows

    small, large = np.zeros((300, 4), "f4"), np.broadcast_to(np.float32(0), (70_001, 784))
    assert data_rows(small) == 320
    assert pad_rows(large, data_rows(large)) is large
