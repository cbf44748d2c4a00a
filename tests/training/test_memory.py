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


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_two_hundred_fits_grow_by_less_than_50_mb():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=300
    )
    assert float(done.stdout) < 50


def test_a_segment_takes_over_the_memory_of_the_one_before(fit, monkeypatch):
    """Donated: the weights of the last segment are gone, not copied."""
    from narrows.training.compiling import _program

    kept = []
    original = _program.Program.compiled

    def watched(self, *args, **more):
        found, identity = original(self, *args, **more)

        def segment(carry, *rest):
            kept.append(carry.state.trainable)
            return found.segment(carry, *rest)

        return _program.Compiled(found.start, segment, found.check), identity

    monkeypatch.setattr(_program.Program, "compiled", watched)
    fit([(1, 0)])
    assert kept
    assert all(weight.is_deleted() for weights in kept for weight in weights)


def test_large_data_are_not_copied_for_padding():
    from narrows.training._buckets import data_rows, pad_rows

    small, large = np.zeros((300, 4), "f4"), np.broadcast_to(np.float32(0), (70_001, 784))
    assert data_rows(small) == 512
    assert pad_rows(large, data_rows(large)) is large


@pytest.mark.parametrize(
    ("memory", "lanes", "wanted"), [(None, 999, 999), (80e9, 999, 999), (4e6, 100, 20), (1, 3, 1)]
)
def test_an_accelerator_trains_as_many_lanes_as_half_its_memory_holds(
    recipe, monkeypatch, memory, lanes, wanted
):
    """23,440 numbers to a lane here: 1,168 for weights, 5,888 for outputs, 16,384 for orders."""
    from narrows.training import _train
    from narrows.training.compiling import _program

    class Device:
        def memory_stats(self):
            return None if memory is None else {"bytes_limit": int(memory)}

    monkeypatch.setattr(_train.jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(_train.jax, "local_devices", lambda: [Device()])
    shape = _train._shape(recipe, 50, 20, 16, False)
    program = _program.Program(recipe)
    assert _train._chunk_size(program, shape, lanes) == wanted
