"""Kill trainings with a checkpoint at random moments; none may lose what it had, or its bits.

Run: ``python tests/training/kill_trainings.py --kills 200 --seed 1``. One process imports once and
forks one child after another; each takes the same training up from its checkpoint, writes it after
every segment, and is killed with SIGKILL after a random time. After each kill the file must be
whole and no further back than before; the training that is finished at last must have the weights
of one that was never interrupted.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from safetensors import safe_open

EPOCHS = 1500


def child(path: Path | None, pipe: int) -> None:
    """Train to the end and write a hash of the weights to the pipe."""
    import numpy as np

    import narrows
    from narrows.training import _checkpoint, _chunk

    _checkpoint._EVERY, _checkpoint._SHARE = 0.0, 1e9  # a file after every segment
    _chunk._SEGMENT_SECONDS = 0.01
    rows = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    embedder = narrows.Autoencoder(
        encoder=(12,), epochs=EPOCHS, restarts=12, patience=EPOCHS, random_state=3
    )
    os.write(pipe, b"begun\n")
    embedder.fit(rows, checkpoint=path)
    digest = hashlib.sha256()
    for restart in range(embedder.restarts):
        for array in embedder.restarts_.weights[restart]:
            digest.update(array.tobytes())
    digest.update(embedder.history_.to_csv().encode())
    os.write(pipe, digest.hexdigest().encode() + b"\n")


def forked(path: Path | None) -> tuple[int, int]:
    """Start a child; return its process number and the end of the pipe that it writes to."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            child(path, writing)
        except BaseException as error:
            os.write(writing, f"failed: {error!r}\n".encode())
        os._exit(0)
    os.close(writing)
    return process, reading


def finished(process: int, pipe: int) -> str:
    """Wait for a child; return the last line that it wrote."""
    with os.fdopen(pipe) as said:
        lines = said.read().splitlines()
    os.waitpid(process, 0)
    return lines[-1] if lines else ""


def epochs_in(path: Path) -> int:
    """Read how many epochs a checkpoint holds, summed over chunks; raise if it is not whole."""
    with safe_open(path, framework="numpy") as file:
        places = json.loads(file.metadata()["places"])
        for name in file.keys():  # noqa: SIM118
            file.get_tensor(name)
    return sum(place["epochs"] for place in places.values())


def run(kills: int, seed: int) -> dict[str, int]:
    """Kill so many children; return counts, or raise AssertionError."""
    chance = random.Random(seed)
    expected = finished(*forked(None))
    assert len(expected) == 64, expected
    counts = {"kills": 0, "resumed": 0, "finished": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.checkpoint")
        before = 0
        while counts["kills"] < kills:
            process, pipe = forked(path)
            assert os.read(pipe, 6) == b"begun\n"
            time.sleep(chance.uniform(0.0, 2.0))
            os.kill(process, signal.SIGKILL)
            said = finished(process, pipe)
            assert not said.startswith("failed"), said
            counts["kills"] += 1
            if not path.exists():
                continue
            now = epochs_in(path)
            assert now >= before, f"went back from {before} to {now} epochs"
            counts["resumed"] += before > 0
            before = now
            assert len(list(Path(folder).iterdir())) <= 2, "litter"
            if said:
                assert said == expected, "other weights than without interruption"
                counts["finished"] += 1
                path.unlink()
                before = 0
        assert finished(*forked(path)) == expected, "other weights than without interruption"
    return counts


def main() -> None:
    """Kill, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(run(options.kills, options.seed)))


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras  # noqa: F401
    import pandas  # noqa: F401
    import sklearn.pipeline  # noqa: F401

    import narrows.training  # noqa: F401

    sys.exit(main())
