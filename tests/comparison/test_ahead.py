import contextlib
import threading
import time

import joblib
import pytest

from narrows.comparison._ahead import Lead, Stopped, lead_of, trained_ahead


def even(task):
    return task % 2 == 0


@pytest.mark.parametrize("own", [(0, 0), (1, 0), (1, 1), (2, 2), (5, 1)])
def test_tasks_come_in_order_with_their_results(own):
    found = list(trained_ahead(iter(range(7)), even, lambda task, check: task * 10, Lead(*own)))
    assert found == [(task, task * 10 if even(task) else None) for task in range(7)]


def test_the_next_training_runs_while_a_task_is_in_hand():
    trained = threading.Event()

    def train(task, check):
        if task == 2:
            trained.set()
        return task

    tasks = trained_ahead(iter([0, 2]), even, train, Lead(1, 1))
    assert next(tasks) == (0, 0)
    assert trained.wait(5)
    tasks.close()


def test_no_more_tasks_are_pulled_than_trainings_are_wanted():
    pulled = []

    def source():
        for task in range(0, 20, 2):
            pulled.append(task)
            yield task

    tasks = trained_ahead(source(), even, lambda task, check: task, Lead(2, 2))
    next(tasks)
    assert pulled == [0, 2, 4]
    tasks.close()


def test_only_the_first_training_runs_before_it_is_asked_for():
    pulled, begun, first = [], [], threading.Event()

    def source():
        for task in [1, 3, 0, 5, 2, 4]:
            pulled.append(task)
            yield task

    def train(task, check):
        begun.append(task)
        first.set()
        return task

    tasks = trained_ahead(source(), even, train, Lead(1, 0))
    assert next(tasks) == (1, None)
    assert first.wait(5)
    assert pulled == [1, 3, 0]
    assert [next(tasks), next(tasks)] == [(3, None), (0, 0)]
    assert next(tasks) == (5, None)
    assert pulled == [1, 3, 0, 5]
    assert begun == [0]
    assert next(tasks) == (2, 2)
    assert begun == [0, 2]
    tasks.close()


@pytest.mark.parametrize(
    ("cores", "n_jobs", "backend", "device", "wanted"),
    [
        (2, 2, "threading", "cpu", (1, 0)),
        (16, 16, "threading", "cpu", (2, 2)),
        (2, 2, "loky", "cpu", (2, 2)),
        (2, 2, "threading", "gpu", (2, 2)),
        (16, 1, "threading", "gpu", (0, 0)),
    ],
)
def test_training_goes_ahead_where_cores_would_be_idle(
    monkeypatch, cores, n_jobs, backend, device, wanted
):
    monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    monkeypatch.setattr("jax.default_backend", lambda: device)
    with joblib.parallel_config(backend=backend):
        assert lead_of(n_jobs, engine=True) == wanted


def test_jax_is_not_asked_where_the_engine_trains_nothing(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    monkeypatch.setattr("jax.default_backend", lambda: pytest.fail("JAX was asked"))
    assert lead_of(2, engine=False) == (1, 0)


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

    with contextlib.closing(trained_ahead(iter([0, 2, 4]), even, train, Lead(2, 2))) as tasks:
        next(tasks)
        assert begun.wait(5)
    assert ended == [2]


def test_a_training_that_fails_fails_its_own_task():
    def train(task, check):
        if task == 2:
            raise RuntimeError("no weights")
        return task

    tasks = trained_ahead(iter([0, 2]), even, train, Lead(2, 2))
    assert next(tasks) == (0, 0)
    with pytest.raises(RuntimeError, match="no weights"):
        next(tasks)
