"""Train the next arms while the last one's embeddings are judged.

The engine and the probes leave gaps on the cores: while a program compiles, while the last chunk
of lanes ends, while Python hands out work. The other fills them.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Stopped(BaseException):
    """Nobody waits for this training any more; no error that an arm could be blamed for."""


def trained_ahead(
    tasks: Iterator[Task],
    is_trained: Callable[[Task], bool],
    train: Callable[[Task, Callable[[], None]], Result],
    most: int,
) -> Generator[tuple[Task, Result | None], None, None]:
    """Yield tasks in their order, each with what its training returned.

    Trainings run one after another on one thread, up to `most` of them before their task is
    asked for. Close the iterator to stop a training under way.

    Parameters
    ----------
    tasks : iterator
        Pulled no further than is needed to have enough trainings waiting.
    is_trained : callable
        ``is_trained(task)`` says whether a task has a training; others come with None.
    train : callable
        ``train(task, check)``; it calls ``check()`` now and then, which raises `Stopped` when
        the training is to end.
    most : int
        0 trains each task when it is asked for, on the calling thread.

    Yields
    ------
    (task, result or None)
    """
    if most < 1:
        for task in tasks:
            yield task, train(task, lambda: None) if is_trained(task) else None
        return
    stop = threading.Event()
    waiting: deque[tuple[Task, Future | None]] = deque()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    def fill() -> None:
        while sum(training is not None for _, training in waiting) < most:
            try:
                task = next(tasks)
            except StopIteration:
                return
            waiting.append((task, pool.submit(train, task, check) if is_trained(task) else None))

    with ThreadPoolExecutor(1, thread_name_prefix="narrows-ahead") as pool:
        try:
            fill()
            while waiting:
                task, training = waiting.popleft()
                result = training.result() if training else None
                fill()  # the task in hand no longer counts
                yield task, result
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
