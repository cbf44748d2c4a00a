"""Kill savers with SIGKILL at random moments, and look at what is left.

Run::

    python tests/storage/kill_saves.py --kills 200 --seed 0

One process imports narrows once and forks savers. A saver writes two models in turn over one file,
as ``.narrows``, HDF5 and through `replacing` as ``.keras`` files are written, until it is killed.
Then the file must be one of the two, byte for byte, and no more than one temporary file may lie
beside it. Prints how many kills left the old file, and how many fell into the middle of a write:
if none did, nothing was tested.
"""

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import narrows
from narrows._files import replacing
from narrows.storage import save, save_weights_hdf5

CHUNK = 4096  # bytes: the ``.keras`` writer's pieces


class Weight(SimpleNamespace):
    """What `save_weights_hdf5` asks of a weight."""


def network(value):
    """What `save_weights_hdf5` asks of a model; Keras, whose threads do not fork, stays out."""
    weight = Weight(path="dense/kernel", value=np.full((60, 60), value, "float32"))
    layer = SimpleNamespace(name="dense", trainable_weights=[weight], non_trainable_weights=[])
    return SimpleNamespace(layers=[layer])


def write_pieces(path, value):
    """Write a file in pieces to the path that `replacing` gives."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        for _ in range(8):
            file.write(bytes([value]) * CHUNK)
            file.flush()


def savers():
    """Name of the file → two functions that write it, with contents that differ."""
    table = narrows.datasets.iris().drop(columns="Species")
    one, two = (narrows.PCA(n_components=count).fit(table) for count in (2, 3))
    return {
        "model.narrows": [lambda path, model=model: save(model, path) for model in (one, two)],
        "weights.hdf5": [
            lambda path, value=value: save_weights_hdf5(network(value), path) for value in (1, 2)
        ],
        "model.keras": [lambda path, value=value: write_pieces(path, value) for value in (1, 2)],
    }


class _FixedTime(SimpleNamespace):
    """A clock that stands still, so that a model is written to the same bytes every time."""

    @staticmethod
    def now(_):
        return SimpleNamespace(isoformat=lambda **_: "2020-01-01T00:00:00+00:00")


def save_for_ever(writers, path):
    """Write in turn until killed."""
    while True:
        for write in writers:
            write(path)


def kill_one(writers, path, delay):
    """Fork a saver, kill it after a while, and wait for its end."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            save_for_ever(writers, path)
        os._exit(1)  # it ended by itself: an error
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"the saver of {path.name} ended by itself")


def run(kills, seed, folder):
    """Kill, look, and return how many kills fell into a write, and how many left each content."""
    from narrows.storage import _narrows

    _narrows.datetime = SimpleNamespace(datetime=_FixedTime, UTC=None)
    draw = random.Random(seed)
    all_savers = savers()
    known = {}
    for name, writers in all_savers.items():
        known[name] = []
        for write in writers:
            write(folder / name)
            known[name].append((folder / name).read_bytes())
        if len(set(known[name])) != 2:
            raise SystemExit(f"the two contents of {name} are the same")
    cut, contents = 0, [0, 0]
    for number in range(kills):
        name = list(all_savers)[number % len(all_savers)]
        kill_one(all_savers[name], folder / name, draw.uniform(0.001, 0.03))
        content = (folder / name).read_bytes()
        if content not in known[name]:
            raise SystemExit(f"kill {number}: {name} is neither the old file nor the new one")
        contents[known[name].index(content)] += 1
        litter = [path for path in folder.iterdir() if path.name not in all_savers]
        cut += any(path.name.endswith(Path(name).suffix) for path in litter)
        if len(litter) > len(all_savers):
            raise SystemExit(f"kill {number}: {len(litter)} temporary files are left")
    for name, writers in all_savers.items():
        writers[0](folder / name)
    litter = sorted(path.name for path in folder.iterdir())
    if litter != sorted(all_savers):
        raise SystemExit(f"the next write left {litter}")
    return cut, contents


def main():
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        cut, contents = run(arguments.kills, arguments.seed, Path(folder))
    seconds = time.perf_counter() - start
    print(
        f"{arguments.kills} kills in {seconds:.1f} s: every file whole ({contents[0]} times one "
        f"content, {contents[1]} times the other); {cut} fell into a write; no litter in the end"
    )


if __name__ == "__main__":
    if not hasattr(os, "fork"):
        sys.exit("needs a system with fork")
    main()
