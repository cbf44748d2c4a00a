"""The only door to Keras: import it from here, and it is Keras on JAX or a clear error.

``from narrows._keras import keras`` costs Keras's own import (about a second), so only modules
that are loaded at use, not by ``import narrows``, have that line at their top.
"""

import contextlib
import inspect
import os
import random
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from narrows._backend import BACKEND
from narrows._errors import WrongBackendError
from narrows._forks import check_process, watch_forks


def _wrong_backend(found: str) -> str:
    return (
        f"narrows needs Keras on the 'jax' backend, but this process has Keras on '{found}'. "
        "Set the environment variable KERAS_BACKEND=jax before Keras is first imported "
        "and start the process again."
    )


def check_backend() -> None:
    """Raise WrongBackendError if this process has chosen another Keras backend than JAX."""
    chosen = os.environ.get("KERAS_BACKEND")
    if "keras" in sys.modules:
        # A half-imported or foreign module has no config; Keras itself will say what is wrong.
        config = getattr(sys.modules["keras"], "config", None)
        chosen = config.backend() if config is not None else chosen
    if chosen not in (None, "", BACKEND):
        raise WrongBackendError(_wrong_backend(chosen))


check_backend()
if not os.environ.get("KERAS_BACKEND"):
    os.environ["KERAS_BACKEND"] = BACKEND

# JAX draws from NumPy's global generator when it is imported; the session's numbers stay put.
_numpy_state = np.random.get_state()
import keras  # noqa: E402 (the backend is chosen at import)

np.random.set_state(_numpy_state)
watch_forks()


def _give_copies(kind: Any) -> None:
    """Let Keras's variables take NumPy 2's argument ``copy``, which Keras 3.15 does not know.

    NumPy warns of it wherever Keras reads a variable, and under ``python -W error`` that ends a
    fit. Warnings cannot be ignored for a moment instead: their filters are the process's, and
    scikit-learn's threads exchange them as well.
    """
    if "copy" in inspect.signature(kind.__array__).parameters:
        return

    def as_array(self, dtype=None, copy=None):
        return np.array(np.asarray(self.value, dtype), copy=copy)

    next(one for one in kind.__mro__ if "__array__" in vars(one)).__array__ = as_array


_give_copies(keras.Variable)

__all__ = [
    "check_backend",
    "check_process",
    "fresh_names",
    "in_stateless_scope",
    "keras",
    "mask_of",
    "only_passed",
    "registered_names",
    "seeded_session",
    "with_mask",
]


@contextlib.contextmanager
def fresh_names() -> Iterator[None]:
    """Let Keras number unnamed layers from the start inside the block, whatever was built before.

    Keras numbers unnamed layers with a counter that lasts for the process, so the same function
    called twice gives other names; files that are read by name would then not match. The
    session's own counter is put back afterwards. Keras has no public call for this.
    """
    check_process()
    from keras.src.backend.common import global_state

    key = "object_name_uids"
    before = global_state.get_global_attribute(key)
    global_state.set_global_attribute(key, defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(key, before)


@contextlib.contextmanager
def seeded_session(seed: int) -> Iterator[None]:
    """Set Python's, NumPy's and Keras's generators inside the block, and put them back.

    Keras has no public call for putting its own back.
    """
    from keras.src.backend.common import global_state

    names = ("global_random_seed", "global_seed_generator")
    before = random.getstate(), np.random.get_state()
    kept = {name: global_state.get_global_attribute(name) for name in names}
    random.seed(seed)
    np.random.seed(seed)
    for name in names:
        global_state.set_global_attribute(name, None)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        for name, value in kept.items():
            global_state.set_global_attribute(name, value)


_registry_lock = threading.RLock()


@contextlib.contextmanager
def only_passed(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Let Keras build, inside the block, nothing but its own objects and those passed by name.

    A name in a configuration would otherwise lead to whatever the session has registered with
    Keras, or made known by a scope. Code from a file stays refused too, also where the session
    has called `enable_unsafe_deserialization`. Other threads see their registry as ever. Keras
    has no public call for either.
    """
    from keras.src.saving import object_registration
    from keras.src.saving.serialization_lib import SafeModeScope

    check_process()
    with _registry_lock:
        registered = object_registration.GLOBAL_CUSTOM_OBJECTS
        object_registration.GLOBAL_CUSTOM_OBJECTS = _Elsewhere(registered)
        try:
            with SafeModeScope(True), keras.saving.custom_object_scope(dict(custom_objects)):
                yield
        finally:
            object_registration.GLOBAL_CUSTOM_OBJECTS = registered


def registered_names() -> set[str]:
    """Return the names that this session has registered with Keras or made known by a scope."""
    from keras.src.backend.common import global_state

    scope = global_state.get_global_attribute("custom_objects_scope_dict", {})
    return {*keras.saving.get_custom_objects(), *scope}


class _Elsewhere(MutableMapping):
    """A registry that is empty for the thread that makes this, and as it is for all others."""

    def __init__(self, registered: MutableMapping[str, Any]):
        self._registered, self._here = registered, threading.get_ident()

    def _seen(self) -> MutableMapping[str, Any]:
        return {} if threading.get_ident() == self._here else self._registered

    def __getitem__(self, name):
        return self._seen()[name]

    def __setitem__(self, name, value):
        self._registered[name] = value  # a module of the caller's that is imported only now

    def __delitem__(self, name):
        del self._registered[name]

    def __iter__(self):
        return iter(self._seen())

    def __len__(self):
        return len(self._seen())


def in_stateless_scope() -> bool:
    """Whether Keras computes with values that were passed in, as in a trace; no public name."""
    from keras.src.backend import in_stateless_scope

    return in_stateless_scope()


def mask_of(tensor: Any) -> Any:
    """Return the mask that Keras's layers have put on a tensor, or None.

    Keras has no public name for this, nor for `with_mask`.
    """
    from keras.src.backend import get_keras_mask

    return get_keras_mask(tensor)


def with_mask(tensor: Any, mask: Any) -> Any:
    """Put a mask on a tensor as Keras's layers do, for its losses and metrics; None for none."""
    from keras.src.backend import set_keras_mask

    if mask is not None:
        set_keras_mask(tensor, mask)
    return tensor
