"""Train arms before they are asked for, where that leaves no core idle.

The engine and the probes each leave gaps on the cores: while a program compiles, while the last
chunk of lanes ends, while Python hands out work. Side by side they fill each other's gaps, but
share the caches, which costs both.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import joblib
from joblib.parallel import get_active_backend

Task = TypeVar("Task")
Result = TypeVar("Result")

_MOST = 2  # an encoder that is not trained takes no time and must not keep the engine idle
_FEW_CORES = 4  # as many as the probes' threads keep busy, as a part of their time is Python's


class Lead(NamedTuple):
    """How many trainings may run or wait before they are asked for.

    Attributes
    ----------
    at_first, then : int
        Before the first training is asked for, and after.
    """

    at_first: int
    then: int


class Stopped(BaseException):
    """Nobody waits for this training any more; no error that an arm could be blamed for."""


def lead_of(n_jobs: int | None, *, engine: bool) -> Lead:
    """Return how far training goes ahead of judging by so many workers.

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
    backend, _ = get_active_backend(prefer="threads")
    elsewhere = not getattr(backend, "supports_sharedmem", False)
    if elsewhere or joblib.cpu_count() > _FEW_CORES or (engine and _accelerated()):
        return Lead(_MOST, _MOST)
    return Lead(1, 0)


def _accelerated() -> bool:
    import jax

    return jax.default_backend() != "cpu"


def trained_ahead(
    tasks: Iterator[Task],
    is_trained: Callable[[Task], bool],
    train: Callable[[Task, Callable[[], None]], Result],
    lead: Lead,
) -> Generator[tuple[Task, Result | None], None, None]:
    """Yield tasks in their order, each with what its training returned.

    Trainings run one after another on one thread. Close the iterator to stop a training under
    way.

    Parameters
    ----------
    tasks : iterator
        Pulled no further than is needed to have enough trainings waiting.
    is_trained : callable
        ``is_trained(task)`` says whether a task has a training; others come with None.
    train : callable
        ``train(task, check)``; it calls ``check()`` now and then, which raises `Stopped` when
        the training is to end.
    lead : Lead
        Without any, each task is trained on the calling thread.

    Yields
    ------
    (task, result or None)
    """
    if lead == (0, 0):
        for task in tasks:
            yield task, train(task, lambda: None) if is_trained(task) else None
        return
    stop = threading.Event()
    waiting: deque[tuple[Task, Future | None]] = deque()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    def pull() -> bool:
        try:
            task = next(tasks)
        except StopIteration:
            return False
        waiting.append((task, pool.submit(train, task, check) if is_trained(task) else None))
        return True

    def fill(most: int) -> None:
        while sum(training is not None for _, training in waiting) < most and pull():
            pass

    with ThreadPoolExecutor(1, thread_name_prefix="narrows-ahead") as pool:
        most = lead.at_first
        try:
            fill(most)
            while waiting or pull():
                task, training = waiting.popleft()
                result = None
                if training is not None:
                    result, most = training.result(), lead.then
                fill(most)  # the task in hand no longer counts
                yield task, result
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
