"""Feed damaged and hostile files to every reader, and see that each is read rightly or refused.

Run::

    python tests/storage/fuzz.py --runs 100000 --seed 0

Inputs are mutations of the files in ``tests/fixtures`` and of HDF5 and ``.keras`` files made here:
raw bytes, and parts (manifest, arrays, HDF5 objects) with sizes, CRC-32 and SHA-256 made right
again, so that they get past the first gate. An input is a finding if

- anything but a ValueError or OSError of one line that names the file comes out, or, where hashes
  are left alone, a model that embeds otherwise;
- code is run, a process started, a socket or another file opened for writing, or a module
  imported that was not there (an audit hook sees it);
- a function or class is called that the session has registered with Keras and nobody passed;
- it takes more than ten seconds, or memory runs out below `ROOM`.

Findings stop the run; the input is kept and its path printed. A crash of a C library ends the
process, and leaves the input where `--folder` says.
"""

import argparse
import collections
import faulthandler
import hashlib
import io
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from fixtures.models import CUSTOM, FOLDER, ROWS
from narrows._keras import keras
from narrows.storage import load, load_keras, load_weights_hdf5, read_manifest
from storage import hdf5_tricks
from storage.mutations import baited, damage_arrays, damage_bytes, damage_tree

ROOM = 3 * 2**30  # bytes of address space that reading may take beyond what is there at the start
SECONDS = 10.0
MANIFEST, WEIGHTS = "manifest.json", "weights.safetensors"
QUICK, SLOW = ("pca", "pca-mixed"), ("linear", "autoencoder-mixed", "variational", "own-layer")
BAD_EVENTS = (
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "socket.",
    "pty.spawn", "pickle.find_class", "marshal.loads", "ctypes.dlopen", "urllib.Request",
    "shutil.", "os.remove", "os.rename", "os.symlink", "os.chmod", "import", "exec", "compile",
)  # fmt: skip


class Finding(Exception):  # noqa: N818
    """An input that got through."""


class Guard:
    """An audit hook that notes what no reading may do."""

    def __init__(self, folder):
        self.folder, self.on, self.seen = str(folder), False, []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        """Note an event of a forbidden kind."""
        if not self.on:
            return
        if event == "open":
            path, _, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            if writes and not str(path).startswith((self.folder, tempfile.gettempdir())):
                self.seen.append(f"open {path} to write")
        elif event.startswith(BAD_EVENTS) and not _harmless(event, arguments):
            self.seen.append(f"{event} {str(arguments)[:200]}")


def _harmless(event, arguments):
    """Whether an event is of a library's own making: its temporary files, its own functions."""
    if event == "import":
        return arguments[0] in sys.modules or arguments[0].split(".")[0] in _LIBRARIES
    if event == "exec":
        return not str(arguments[0].co_filename).startswith("<") or _from_library()
    if event in ("compile", "marshal.loads"):
        return _from_library()
    return event in ("os.remove", "shutil.rmtree") and str(arguments[0]).startswith(
        (tempfile.gettempdir(), "model.weights.h5")
    )


_LIBRARIES = {"keras", "jax", "jaxlib", "numpy", "pandas", "sklearn", "scipy", "h5py", "narrows"}


def _from_library():
    """Whether the import system or a library's own file stands above the current call."""
    frame = sys._getframe(3)
    while frame is not None:
        name = frame.f_code.co_filename
        if "importlib" in name or name.endswith(("dataclasses.py", "collections/__init__.py")):
            return True
        frame = frame.f_back
    return False


def zipped(parts, draw=None):
    """A zip of stored members; with `draw`, sometimes with one of a zip's tricks."""
    content = io.BytesIO()
    tricks = draw is not None and draw.random() < 0.1
    with zipfile.ZipFile(content, "w") as file:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name)
            if tricks:
                info.compress_type = draw.choice((0, 0, 8, 12))
                info.external_attr = draw.choice((0, 0o120777 << 16, 0o040755 << 16))
                info.filename = draw.choice((name, name, "../" + name, "/" + name, name + "\0x"))
            file.writestr(info, data)
    return content.getvalue()


def sealed(manifest, weights, draw):
    """A ``.narrows`` file whose hashes are right."""
    stated = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    try:
        tree = json.loads(manifest)
        tree["members"] = {WEIGHTS: stated}
        manifest = json.dumps(tree).encode()
    except (ValueError, TypeError, RecursionError):
        pass
    return zipped({MANIFEST: manifest, WEIGHTS: weights}, draw)


def members_of(content):
    """The members of a zip by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


class Inputs:
    """Draws one input after another: what it is, its bytes, and who reads it."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.narrows = {
            name: (FOLDER / "v1" / f"{name}.narrows").read_bytes() for name in (*QUICK, *SLOW)
        }
        self.parts = {name: members_of(content) for name, content in self.narrows.items()}
        self.hdf5 = hdf5_tricks.seeds()
        self.keras = _keras_seed()
        self.kinds = {
            "bytes": 23, "manifest": 24, "arrays": 12, "hdf5 bytes": 17, "hdf5 objects": 14,
            "network": 4, "keras": 6,
        }  # fmt: skip

    def next(self):
        """Return a kind, a seed's name and bytes."""
        draw = self.draw
        kind = draw.choices(list(self.kinds), list(self.kinds.values()))[0]
        if kind == "keras":
            return kind, "keras", self._keras()
        if kind.startswith("hdf5"):
            name = draw.choice(sorted(self.hdf5))
            seed = self.hdf5[name]
            if kind == "hdf5 objects":
                seed = hdf5_tricks.damaged(draw, seed)
            return kind, name, damage_bytes(draw, seed) if kind == "hdf5 bytes" else seed
        name = draw.choice(SLOW if kind == "network" else QUICK)
        parts = self.parts[name]
        if kind == "bytes":
            return kind, name, damage_bytes(draw, self.narrows[name])
        manifest, weights = parts[MANIFEST], parts[WEIGHTS]
        if kind == "arrays":
            weights = damage_arrays(draw, weights)
        else:
            manifest = damage_tree(draw, manifest)
        return kind, name, sealed(manifest, weights, draw)

    def _keras(self):
        draw, parts = self.draw, dict(self.keras)
        if draw.random() < 0.2:
            return damage_bytes(draw, zipped(parts))
        kind = draw.random()
        if kind < 0.25:
            parts["config.json"] = baited(draw, parts["config.json"])
        elif kind < 0.6:
            parts["config.json"] = damage_tree(draw, parts["config.json"])
        else:
            weights = parts["model.weights.h5"]
            odd = hdf5_tricks.damaged(draw, weights)
            damaged = odd if draw.random() < 0.5 else damage_bytes(draw, weights)
            parts["model.weights.h5"] = damaged
        return zipped(parts, draw)


def _keras_seed():
    inputs = keras.Input((4,), name="rows")
    model = keras.Model(inputs, keras.layers.Dense(2, name="code")(inputs))
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "m.keras")
        return members_of((Path(folder) / "m.keras").read_bytes())


def _stub(shapes):
    """What `load_weights_hdf5` asks of a model, without Keras."""

    def weight(name, shape):
        return SimpleNamespace(name=name, shape=shape, path=name, assign=lambda _: None)

    layers = [
        SimpleNamespace(
            name=layer,
            trainable_weights=[weight(*one) for one in weights.items()],
            non_trainable_weights=[],
        )
        for layer, weights in shapes.items()
    ]
    return SimpleNamespace(layers=layers)


def peak():
    """The most memory that was in use so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


TOUCHED = []  # what was called of the bait


def touch(*arguments, **more):
    """The bait: what a file must not call."""
    TOUCHED.append("a registered function")
    return arguments[0] if arguments else None


class Bait(keras.layers.Layer):
    """The bait: what a file must not make."""

    def __init__(self, **more):
        TOUCHED.append("a registered layer")
        super().__init__()


class Start(keras.initializers.Initializer):
    """The bait: what a file must not make."""

    def __init__(self, **more):
        TOUCHED.append("a registered initializer")


def lay_bait():
    """Register the bait under bare names, with a package, and under names of Keras's own."""
    keras.saving.register_keras_serializable("fuzz", "touch")(touch)
    keras.saving.register_keras_serializable("fuzz", "Bait")(Bait)
    named = {"fuzz_touch": touch, "touch": touch, "fuzz_bait": Bait, "Bait": Bait}
    named |= {"fuzz_start": Start, "glorot_uniform": Start, "relu": touch, "Dense": Bait}
    keras.saving.get_custom_objects().update(named)


class Reader:
    """Reads an input and says whether it was refused, or raises Finding."""

    def __init__(self, folder):
        self.folder, self.guard = Path(folder), Guard(folder)
        self.model = _stub(hdf5_tricks.SHAPES)
        self.rows = {name: ROWS["mixed" if "mixed" in name else "numbers"]() for name in QUICK}
        self.expected = {
            name: load(FOLDER / "v1" / f"{name}.narrows").transform(self.rows[name])
            for name in QUICK
        }
        self.slowest = (0.0, "")
        self.most, self.grown = peak(), {"HDF5": 0, "others": 0}

    def warm(self, inputs):
        """Let libraries import what they import at first use."""
        for name in (*QUICK, *SLOW):
            load(FOLDER / "v1" / f"{name}.narrows", CUSTOM)
        for number, content in enumerate(inputs.hdf5.values()):
            path = self.folder / f"warm{number}.h5"
            path.write_bytes(content)
            load_weights_hdf5(self.model, path)
        path = self.folder / "warm.keras"
        path.write_bytes(zipped(inputs.keras))
        load_keras(path)

    def read(self, kind, name, content):
        """Return "refused" or "read"."""
        suffix = {"keras": ".keras"}.get(kind, ".h5" if kind.startswith("hdf5") else ".narrows")
        path = self.folder / f"input{suffix}"
        path.write_bytes(content)
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        faulthandler.dump_traceback_later(3 * SECONDS, exit=True)  # a loop in C takes no signal
        self.guard.on = True
        try:
            outcome = self._outcome(kind, name, path)
        finally:
            self.guard.on = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
            self.slowest = max(self.slowest, (time.perf_counter() - start, kind))
            # HDF5's library asks for what a damaged file states, up to 4 GiB at once.
            part = "others" if suffix == ".narrows" else "HDF5"
            self.grown[part] += peak() - self.most
            self.most = peak()
        if TOUCHED:
            raise Finding(f"{path}: called {TOUCHED}")
        if self.guard.seen:
            raise Finding(f"{path}: {self.guard.seen}")
        return outcome

    def _outcome(self, kind, name, path):
        try:
            self._open(kind, name, path)
        except (ValueError, OSError) as error:
            message, cause = str(error), error
            while cause is not None:
                if isinstance(cause, MemoryError | Finding | TimeoutError):
                    raise Finding(f"{path}: {type(cause).__name__}: {cause}") from error
                cause = cause.__cause__ or cause.__context__
            clear = str(path) in message and "\n" not in message
            if not clear or type(error).__name__ not in _CLASSES:
                raise Finding(f"{path}: unclear error {error!r}") from error
            return "refused"
        except Finding:
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise Finding(f"{path}: {type(error).__name__}: {error}") from error
        return "read"

    def _open(self, kind, name, path):
        if kind == "keras":
            load_keras(path)
        elif kind.startswith("hdf5"):
            load_weights_hdf5(self.model, path)
        else:
            model = load(path, CUSTOM)
            read_manifest(path)
            if kind == "bytes" and not np.array_equal(
                model.transform(self.rows[name]), self.expected[name]
            ):
                raise Finding(f"{path}: embeds otherwise than before")


_CLASSES = {"ValueError", "OSError", "BlockingIOError"}


def too_long(*_):
    """End an input that takes too long."""
    raise TimeoutError(f"more than {SECONDS} s")


def main():
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the current input is kept")
    arguments = parser.parse_args()
    folder = Path(arguments.folder or tempfile.mkdtemp(prefix="narrows-fuzz-"))
    faulthandler.enable()
    signal.signal(signal.SIGALRM, too_long)
    inputs, reader = Inputs(arguments.seed), Reader(folder)
    lay_bait()
    reader.warm(inputs)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))
    reader.most = peak()
    start, counts = time.perf_counter(), collections.Counter()
    for number in range(arguments.runs):
        kind, name, content = inputs.next()
        try:
            counts[kind, reader.read(kind, name, content)] += 1
        except Finding as finding:
            raise SystemExit(f"input {number} ({kind}, {name}): {finding}") from finding
    for kind in inputs.kinds:
        print(f"{kind:>13}: {counts[kind, 'refused']:>7,} refused, {counts[kind, 'read']:>6,} read")
    print(
        f"{arguments.runs:,} inputs in {time.perf_counter() - start:.0f} s, no finding; the "
        f"slowest took {reader.slowest[0]:.2f} s ({reader.slowest[1]}); the most memory in use "
        f"grew by {reader.grown['others']} MB, and by {reader.grown['HDF5']} MB inside HDF5"
    )


if __name__ == "__main__":
    main()
