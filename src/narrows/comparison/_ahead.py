"""Train arms while others are judged, where that leaves no core idle.

The engine and the probes each leave gaps on the cores: while a program compiles, while the last
chunk of lanes ends, while Python hands out work. Side by side they fill each other's gaps, but
share the caches, which costs both.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

import joblib
from joblib.parallel import get_active_backend

Task = TypeVar("Task")
Result = TypeVar("Result")

_MOST = 2  # an encoder that is not trained takes no time and must not keep the engine idle
_FEW_CORES = 4  # as many as the probes' threads keep busy, as a part of their time is Python's


class Lead(NamedTuple):
    """How many trainings run while others are judged.

    Attributes
    ----------
    at_first, then : int
        The first time, and after.
    """

    at_first: int
    then: int


def lead_of(n_jobs: int | None, *, engine: bool) -> Lead:
    """Return how many trainings run beside the judging by so many workers.

    A first training, which compiles, always runs beside the judging of arms that need none. On a
    few cores that training and the probes share, the others wait until the probes are through.

    Parameters
    ----------
    n_jobs : int or None
        As joblib takes it.
    engine : bool
        Whether the engine trains any arm; without it JAX is left alone.
    """
    if joblib.effective_n_jobs(n_jobs) == 1:
        return Lead(0, 0)  # someone who asks for one worker has a reason, be it only a debugger
    if not shares_memory() or joblib.cpu_count() > _FEW_CORES or (engine and _accelerated()):
        return Lead(_MOST, _MOST)
    return Lead(1, 0)


def shares_memory() -> bool:
    """Whether joblib's workers are threads of this process."""
    backend, _ = get_active_backend(prefer="threads")
    return bool(getattr(backend, "supports_sharedmem", False))


def _accelerated() -> bool:
    import jax

    return jax.default_backend() != "cpu"


class Judging(Protocol):
    """The judging of some tasks, under way where there are workers for it."""

    def collect(self) -> None:
        """Wait for what is not judged yet and note it; nothing the second time."""

    def close(self) -> None:
        """Drop what is not judged yet."""


def train_and_judge(
    tasks: Iterator[Task],
    is_trained: Callable[[Task], bool],
    train: Callable[[Task], Result],
    judge: Callable[[list[tuple[Task, Result | None]]], Judging],
    lead: Lead,
) -> None:
    """Train every task that has a training, on this thread, and judge all in their order.

    A network may be built by a function of another language, which waits for this thread.

    Parameters
    ----------
    tasks : iterator
        Pulled no further than trainings are wanted.
    is_trained : callable
        ``is_trained(task)`` says whether a task has a training; others are judged with None.
    train : callable
    judge : callable
        ``judge(ready)`` begins the judging of tasks, each with what its training returned.
    lead : Lead
        How many trainings run beside a judging.
    """
    ready: list[tuple[Task, Result | None]] = []
    most = lead.at_first
    while True:
        first, untrained = _up_to_a_training(tasks, is_trained)
        ready += untrained
        with contextlib.closing(judge(ready)) as judging:
            if first is None or not most:
                judging.collect()
            if first is None:
                return
            ready = [(first, train(first)), *_some_more(tasks, is_trained, train, most - 1)]
            judging.collect()
        most = lead.then


def _up_to_a_training(tasks, is_trained) -> tuple[Any, list[tuple[Any, None]]]:
    """Pull tasks; return the first that is trained, or None, and those before it."""
    before: list[tuple[Any, None]] = []
    for task in tasks:
        if is_trained(task):
            return task, before
        before.append((task, None))
    return None, before


def _some_more(tasks, is_trained, train, most: int) -> Iterator[tuple[Any, Any]]:
    """Pull and train so many tasks, with those between them that are not trained."""
    while most > 0 and (task := next(tasks, None)) is not None:
        trained = is_trained(task)
        yield task, train(task) if trained else None
        most -= trained
