"""The same numbers, whoever runs a task: this process, joblib's workers or a cluster's.

The last bit of a matrix product depends on how many threads sum it, on how many pieces scikit-learn
cuts it into for joblib, and on whether an array lies at an address that its numbers' size divides.
Workers differ in all three. Fits run side by side instead, on one thread each.
"""

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController

Result = TypeVar("Result")


_limits = 0  # blocks of `one_thread` in this process
_lock = threading.Lock()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS and OpenMP in this process, as long as the block lasts."""
    global _limits
    with ThreadpoolController().limit(limits=1):
        with _lock:
            _limits += 1
        try:
            yield
        finally:
            with _lock:
                _limits -= 1


def the_same_anywhere(task: Callable[..., Result]) -> Callable[..., Result]:
    """Let a function that may run in another process run there as it would in this one.

    Here `one_thread` has to be around all tasks: on several threads they enter and leave in any
    order, and would put back what others had set.
    """

    @functools.wraps(task)
    def settled(*arguments: Any) -> Result:
        limit = contextlib.nullcontext() if _limits else _controller().limit(limits=1)
        with limit, _no_cluster():
            return task(*map(_aligned, arguments))

    return settled


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looking for the libraries takes 10 ms


def _no_cluster() -> AbstractContextManager:
    """Keep a cluster's backend from cutting a task up further, which it does whatever n_jobs is."""
    backend, _ = get_active_backend()
    if type(backend).__module__.startswith("joblib._parallel_backends"):
        return contextlib.nullcontext()
    return joblib.parallel_config(backend="threading", n_jobs=1)


def _aligned(value: Any) -> Any:
    """Copy arrays of a dataclass that a message's bytes are shown through, wherever they begin."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    moved = {
        field.name: array.copy()
        for field in dataclasses.fields(value)
        if isinstance(array := getattr(value, field.name), np.ndarray) and not array.flags.aligned
    }
    return dataclasses.replace(value, **moved) if moved else value
