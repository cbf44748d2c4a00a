"""Checkpoints: a training's memory on disk, so that a killed one goes on where it was.

One safetensors file, replaced whole: for each chunk of lanes the carry's leaves as bytes, its
history, and where it was. Batch orders are not in it: they are drawn again from their seeds. What
the file belongs to (network, settings, seeds, rows) stands in it as hashes.
"""

import hashlib
import json
import os
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, NoReturn

import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from narrows._files import at_home, replacing

_FORMAT = "narrows checkpoint 1"
_EVERY = 10.0  # seconds between two copies of a chunk's memory
_SHARE = 0.05  # of the time that writing may take, however large the network
_LIBRARIES = ("narrows", "keras", "jax", "jaxlib")


@dataclass(frozen=True)
class Place:
    """Where a chunk of lanes is.

    Attributes
    ----------
    epochs : int
        Epochs finished.
    step : int
        Batches of the next one that are done.
    ended : bool
        Whether nothing is left to do.
    """

    epochs: int
    step: int
    ended: bool


@dataclass(frozen=True)
class Kept:
    """A chunk's memory: leaves of the carry, each as bytes, and the history so far."""

    place: Place
    leaves: list[np.ndarray]
    history: np.ndarray


class Checkpoint:
    """The file of one training, shared by its chunks on their threads.

    Parameters
    ----------
    path : path-like
    identity : mapping of str to str
        Hashes of what makes up the training, see `identity_of`.
    """

    def __init__(self, path: str | os.PathLike, identity: Mapping[str, str]):
        self.path = os.fspath(at_home(path))
        self._identity = dict(identity)
        self._lock = threading.Lock()
        self._kept: dict[int, Kept] = {}
        self._spent = 0.0
        self._written = time.monotonic()
        if os.path.lexists(self.path):
            self._kept = self._read()
        self.write()  # what cannot be written is better known before the training

    def slot(self, chunk: int) -> "Slot":
        """Return the place of chunk number `chunk`."""
        return Slot(self, chunk)

    def keep(self, chunk: int, kept: Kept) -> None:
        """Remember a chunk's memory, and write the file if that is due."""
        with self._lock:
            self._kept[chunk] = kept
            if self.due(self._written):
                self._write()

    def due(self, since: float) -> bool:
        """Whether something last done at `since` is to be done again."""
        return time.monotonic() - since >= max(_EVERY, self._spent / _SHARE)

    def write(self) -> None:
        """Replace the file by what is remembered."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        began = time.monotonic()
        arrays = {}
        for chunk, kept in self._kept.items():
            arrays[f"{chunk}/history"] = kept.history
            arrays |= {f"{chunk}/{i}": leaf for i, leaf in enumerate(kept.leaves)}
        about = {
            "format": _FORMAT,
            "identity": json.dumps(self._identity),
            "versions": json.dumps(_circumstances()),
            "places": json.dumps({chunk: vars(kept.place) for chunk, kept in self._kept.items()}),
            "sha256": _digest(arrays),
        }
        with replacing(self.path) as temporary:
            save_file(arrays, temporary, about)
        self._written = time.monotonic()
        self._spent = self._written - began

    def _read(self) -> dict[int, Kept]:
        try:
            with safe_open(self.path, framework="numpy") as file:
                about = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                raise
            self._refuse(f"it cannot be read ({error})")
        if about.get("format") != _FORMAT:
            self._refuse(f"its format is {about.get('format')!r}, not {_FORMAT!r}")
        if about.get("sha256") != _digest(arrays):
            self._refuse("its contents were altered")
        try:
            found, versions = json.loads(about["identity"]), json.loads(about["versions"])
            kept = {
                int(chunk): _kept(int(chunk), Place(**place), arrays)
                for chunk, place in json.loads(about["places"]).items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._refuse(f"it lacks something ({error!r})")
        other = [name for name, value in self._identity.items() if found.get(name) != value]
        if other:
            raise ValueError(
                f"The checkpoint {self.path!r} must belong to this training. It belongs to one "
                f"that differs in its {_listed(other)}. Give another path, or delete it to start "
                "over."
            )
        self._warn_of_versions(versions)
        return kept

    def _refuse(self, reason: str) -> NoReturn:
        raise ValueError(
            f"{self.path!r} must be a checkpoint that narrows wrote. It is none, or damaged: "
            f"{reason}. Give another path, or delete it to start over."
        )

    def _warn_of_versions(self, versions: Mapping[str, str]) -> None:
        changed = [
            f"{name} {versions[name]} (now {current})"
            for name, current in _circumstances().items()
            if versions.get(name, current) != current
        ]
        if changed:
            warnings.warn(
                f"The checkpoint {self.path!r} was written with {', '.join(changed)}: the training "
                "goes on, but its last digits may not be those of an uninterrupted one.",
                stacklevel=2,
            )


class Slot:
    """One chunk's place in a checkpoint."""

    def __init__(self, checkpoint: Checkpoint, chunk: int):
        self._checkpoint = checkpoint
        self._chunk = chunk
        self._last = time.monotonic()

    def load(self, carry: Any) -> tuple[Any, np.ndarray, Place] | None:
        """Return the chunk's memory, history and place; None if it has none."""
        kept = self._checkpoint._kept.get(self._chunk)
        if kept is None:
            return None
        fresh, structure = jax.tree.flatten(carry)
        sizes = [leaf.nbytes for leaf in fresh]
        if sizes != [leaf.nbytes for leaf in kept.leaves]:
            self._checkpoint._refuse("its arrays are not those of this network")
        leaves = [
            jax.device_put(np.frombuffer(held.tobytes(), leaf.dtype).reshape(leaf.shape))
            for held, leaf in zip(kept.leaves, fresh, strict=True)
        ]
        return jax.tree.unflatten(structure, leaves), kept.history, kept.place

    def due(self) -> bool:
        """Whether the chunk's memory should be copied again."""
        return self._checkpoint.due(self._last)

    def save(self, carry: Any, history: Sequence[np.ndarray], place: Place) -> None:
        """Copy the chunk's memory.

        Shapes: `history` (lanes, epochs, n_measures).
        """
        # Bytes, as NumPy and safetensors do not know every type that JAX has (bfloat16).
        leaves = [
            np.frombuffer(np.asarray(leaf).tobytes(), np.uint8) for leaf in jax.tree.leaves(carry)
        ]
        joined = np.concatenate(history, axis=1) if history else np.empty((0, 0, 0), np.float32)
        self._checkpoint.keep(self._chunk, Kept(place, leaves, joined))
        self._last = time.monotonic()


def identity_of(
    network: str | None,
    rows: Mapping[str, Any],
    starts: Mapping[str, np.ndarray],
    settings: Mapping[str, Any],
) -> dict[str, str]:
    """Return hashes by which a training is known again, in any process."""
    network = network or os.urandom(16).hex()
    return {
        "network": hashlib.sha256(network.encode()).hexdigest(),
        "settings": hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        "rows": _hash(rows),
        "starting weights": _hash(starts),
    }


def _hash(values: Mapping[str, Any]) -> str:
    found = hashlib.sha256()
    for name, value in values.items():
        for part in value if isinstance(value, list | tuple) else [value]:
            if part is not None:
                part = np.ascontiguousarray(part)
                found.update(f"{name} {part.dtype} {part.shape}".encode())
                found.update(part.tobytes())
    return found.hexdigest()


def _circumstances() -> dict[str, str]:
    """Return what rounding depends on, beside the training itself."""
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    precision = jax.config.jax_default_matmul_precision or "default"
    return {**versions, "device": jax.devices()[0].device_kind, "matmul precision": precision}


def _kept(chunk: int, place: Place, arrays: Mapping[str, np.ndarray]) -> Kept:
    count = sum(name.startswith(f"{chunk}/") for name in arrays) - 1
    leaves = [arrays[f"{chunk}/{i}"] for i in range(count)]
    return Kept(place, leaves, arrays[f"{chunk}/history"])


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
