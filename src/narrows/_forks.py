"""Processes that were forked after JAX had started: networks cannot run in them.

A fork has the memory of its parent but only one of its threads. JAX waits there for ever for
threads that are gone, so whatever builds or runs a network asks `check_process` first.
"""

import os
from collections.abc import Callable
from typing import Any

from narrows._errors import ForkedProcessError

_started = False  # whether JAX had started when this process last forked
_without_threads = False  # whether this process is such a fork


def _before_fork() -> None:
    global _started
    _started = _jax_has_started()


def _in_child() -> None:
    global _without_threads
    _without_threads = _without_threads or _started


def _jax_has_started() -> bool:
    """Whether there are threads of JAX in this process; JAX has no public name for it."""
    from jax._src import xla_bridge

    started = getattr(xla_bridge, "backends_are_initialized", None)
    return True if started is None else started()


def watch_forks() -> None:
    """Remember from now on what a fork of this process has left behind."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_child=_in_child)


def check_process() -> None:
    """Raise ForkedProcessError if this process was forked after JAX had started."""
    if _without_threads:
        raise ForkedProcessError(
            "Networks need a process of their own that JAX starts in. This one was forked after "
            "JAX had started, and would wait for ever. Start processes by "
            "multiprocessing.get_context('spawn') or joblib.parallel_config('loky'), or fork "
            "before anything is fitted or loaded."
        )


def unpacked(build: Callable, *arguments: Any) -> Any:
    """Build a Keras object from its pickle; an `Unusable` where networks cannot run."""
    return Unusable() if _without_threads else build(*arguments)


class Unusable:
    """Stands for a Keras object that cannot be built in this process; says so when it is used.

    A worker of a pool that fails while it reads its task is replaced without a word, and whoever
    waits for the task waits for ever. So reading succeeds, and using does not.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python and pickle ask of any object
            raise AttributeError(name)
        check_process()
        raise AttributeError(name)
