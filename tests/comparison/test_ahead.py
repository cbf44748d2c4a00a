import joblib
import pytest

from narrows.comparison.running._schedule import Lead, lead_of, train_and_judge


def even(task):
    return task % 2 == 0


class Log:
    """Notes what happens in a comparison of numbers, of which the even ones are trained."""

    def __init__(self):
        self.events, self.judged = [], []

    def source(self, tasks):
        for task in tasks:
            self.events.append(f"pull {task}")
            yield task

    def train(self, task):
        self.events.append(f"train {task}")
        return task * 10

    def judge(self, ready):
        return Judging(self, list(ready))

    def run(self, tasks, lead):
        train_and_judge(self.source(tasks), even, self.train, self.judge, Lead(*lead))
        return self


class Judging:
    def __init__(self, log, ready):
        self.log, self.ready = log, ready
        self.names = [task for task, _ in ready]
        self.tell("begin")

    def tell(self, what):
        if self.names:
            self.log.events.append(f"{what} {self.names}")

    def collect(self):
        self.tell("collect")
        self.log.judged += self.ready
        self.ready, self.names = [], []

    def close(self):
        self.tell("close")


@pytest.mark.parametrize("lead", [(0, 0), (1, 0), (1, 1), (2, 2), (5, 1)])
@pytest.mark.parametrize("tasks", [range(7), range(1, 7), [0, 2, 4], [1, 3], []])
def test_all_are_judged_in_order_with_what_their_training_returned(lead, tasks):
    found = Log().run(tasks, lead).judged
    assert found == [(task, task * 10 if even(task) else None) for task in tasks]


def test_only_the_first_training_runs_beside_a_judging():
    assert Log().run([1, 3, 0, 5, 2, 4], (1, 0)).events == [
        "pull 1", "pull 3", "pull 0", "begin [1, 3]", "train 0", "collect [1, 3]",
        "pull 5", "pull 2", "begin [0, 5]", "collect [0, 5]", "train 2",
        "pull 4", "begin [2]", "collect [2]", "train 4",
        "begin [4]", "collect [4]",
    ]  # fmt: skip


def test_two_trainings_run_beside_each_judging_and_no_more_tasks_are_pulled():
    assert Log().run([0, 2, 4, 1, 6], (2, 2)).events == [
        "pull 0", "train 0", "pull 2", "train 2",
        "pull 4", "begin [0, 2]", "train 4", "pull 1", "pull 6", "train 6", "collect [0, 2]",
        "begin [4, 1, 6]", "collect [4, 1, 6]",
    ]  # fmt: skip


def test_with_one_worker_nothing_runs_beside():
    assert Log().run([1, 0, 2], (0, 0)).events == [
        "pull 1", "pull 0", "begin [1]", "collect [1]", "train 0",
        "pull 2", "begin [0]", "collect [0]", "train 2", "begin [2]", "collect [2]",
    ]  # fmt: skip


def test_a_training_that_fails_drops_what_is_being_judged():
    log = Log()

    def train(task):
        raise RuntimeError("no weights")

    with pytest.raises(RuntimeError, match="no weights"):
        train_and_judge(iter([1, 2]), even, train, log.judge, Lead(1, 1))
    assert log.events == ["begin [1]", "close [1]"]
    assert log.judged == []


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
