import contextlib
import threading
import time

import pytest

from narrows.comparison._ahead import Stopped, trained_ahead


def even(task):
    return task % 2 == 0


@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_tasks_come_in_order_with_their_results(most):
    found = list(trained_ahead(iter(range(7)), even, lambda task, check: task * 10, most))
    assert found == [(task, task * 10 if even(task) else None) for task in range(7)]


def test_the_next_training_runs_while_a_task_is_in_hand():
    trained = threading.Event()

    def train(task, check):
        if task == 2:
            trained.set()
        return task

    tasks = trained_ahead(iter([0, 2]), even, train, 1)
    assert next(tasks) == (0, 0)
    assert trained.wait(5)
    tasks.close()


def test_no_more_tasks_are_pulled_than_trainings_are_wanted():
    pulled = []

    def source():
        for task in range(0, 20, 2):
            pulled.append(task)
            yield task

    tasks = trained_ahead(source(), even, lambda task, check: task, 2)
    next(tasks)
    assert pulled == [0, 2, 4]
    tasks.close()


def test_closing_ends_a_training_under_way():
    begun, ended = threading.Event(), []

    def train(task, check):
        if task == 0:
            return task
        begun.set()
        try:
            while True:
                check()
                time.sleep(0.01)
        except Stopped:
            ended.append(task)
            raise

    with contextlib.closing(trained_ahead(iter([0, 2, 4]), even, train, 2)) as tasks:
        next(tasks)
        assert begun.wait(5)
    assert ended == [2]


def test_a_training_that_fails_fails_its_own_task():
    def train(task, check):
        if task == 2:
            raise RuntimeError("no weights")
        return task

    tasks = trained_ahead(iter([0, 2]), even, train, 2)
    assert next(tasks) == (0, 0)
    with pytest.raises(RuntimeError, match="no weights"):
        next(tasks)
