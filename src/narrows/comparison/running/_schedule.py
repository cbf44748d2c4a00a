"""Run a comparison: every arm under every preprocessing, in every resample, for every seed."""

import contextlib
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, TypeVar

import joblib
import pandas as pd
from joblib.parallel import get_active_backend

from narrows._progress import Progress
from narrows._session import usual_numbers
from narrows.comparison._arms import Arm, own_networks
from narrows.comparison.running._design import ArmBlock, Design, Findings, blocks_of
from narrows.comparison.running._fit import Embedded, PreparedRows, describe, fit_one, lanes_of
from narrows.comparison.running._reproducible import one_thread
from narrows.comparison.running._score import Judged, fit_and_judge, judge

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST = 2  # an encoder that is not trained takes no time and must not keep the engine idle
_FALSE_ALARM = "`sklearn.utils.parallel.delayed` should be used"
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
    tasks: Iterator[Item],
    is_trained: Callable[[Item], bool],
    train: Callable[[Item], Result],
    judge: Callable[[list[tuple[Item, Result | None]]], Judging],
    lead: Lead,
) -> None:
    """Train every task that has a training, on this thread, and judge all in their order.

    A network may be built by a function of another language, which waits for this thread.
    """
    ready: list[tuple[Item, Result | None]] = []
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


def run(design: Design, progress: Progress | None = None) -> Findings:
    """Fit and judge everything that a design names."""
    began = time.perf_counter()
    findings, counter = Findings(), _Counter(design, progress)
    with one_thread(), usual_numbers(), _no_false_alarm():
        train_and_judge(
            blocks_of(design, findings),
            lambda task: _is_trained_here(design, task.arm),
            lambda task: _train(design, task, findings, counter),
            lambda ready: _Judging(design, ready, findings, counter),
            lead_of(design.n_jobs, engine=any(arm.lanes for arm in design.arms)),
        )
    _in_order(design, findings)
    _scale(findings.seconds, time.perf_counter() - began)
    return findings


@contextlib.contextmanager
def _no_false_alarm() -> Iterator[None]:
    """Leave out a warning that scikit-learn gives by mistake where several threads use it.

    Its parallel functions empty the list of warning filters for a moment, and take a list that
    another thread has emptied for their own being called in a wrong way.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _FALSE_ALARM, UserWarning)
        yield


def _is_trained_here(design: Design, arm: Arm) -> bool:
    """Whether an arm is fitted on this thread, before it is judged.

    A network that the user's own functions build or compute is: a function of another language
    can be called from this thread alone. In another process, its own first thread does it.
    """
    return arm.lanes or not design.refit or (own_networks(arm.estimator) and shares_memory())


def _scale(seconds: dict[str, float], wall: float) -> None:
    """Let parts that ran side by side share the wall time, each by its own length."""
    total = sum(seconds.values())
    for name in seconds:
        seconds[name] *= min(wall / total, 1.0) if total else 0.0


def _in_order(design: Design, findings: Findings) -> None:
    """Sort by preprocessing and arm as they were named; within both, rows keep their order."""
    arms = {arm.name: i for i, arm in enumerate(design.arms)}
    choices = {name: i for i, name in enumerate(design.choices)}
    for rows in (findings.values, findings.failures):
        rows.sort(key=lambda row: (choices[row[1]], arms[row[0]]))
    findings.points.sort(
        key=lambda frame: (choices[frame["preprocess"].iloc[0]], arms[frame["arm"].iloc[0]])
    )


def _train(
    design: Design, task: ArmBlock, findings: Findings, counter: "_Counter"
) -> list[Embedded]:
    """Fit an arm on a block of resamples, where all fits are made before any is judged."""
    began = time.perf_counter()
    count = sum(map(len, task.seeds))
    on_progress = counter.training(count)
    if not design.refit:
        embedded = _fitted_once(design, task, on_progress)
    elif task.arm.lanes:
        embedded = _trained(task.arm, task.block, task.seeds, on_progress, task.given)
    else:
        embedded = [
            replace(fit_one(task.arm.estimator, one, seed, k, given), seconds=0.0)
            for one, own, given in zip(task.block, task.seeds, task.given, strict=True)
            for k, seed in enumerate(own)
        ]
    counter.trained(count)
    findings.seconds["embedders"] += time.perf_counter() - began
    return embedded


class _Judging:
    """The judging of tasks, some of them fitted before; workers begin at once."""

    def __init__(self, design: Design, ready, findings: Findings, counter: "_Counter"):
        self._plan, self._findings, self._counter = design, findings, counter
        self._began = time.perf_counter()
        self._owners: list[ArmBlock] = []
        self._shares: list[float] = []
        calls = []
        for task, embedded in ready:
            own = _calls(design, task, embedded)
            calls += own
            self._owners += [task] * len(own)
            self._shares += [1.0 if embedded is None else 0.5] * len(own)
        self._results = _as_they_end(_workers(design), calls)

    def collect(self) -> None:
        """Wait for what is not judged yet and note it; nothing the second time."""
        began = time.perf_counter()
        found = []
        for task, share, judged in zip(self._owners, self._shares, self._results, strict=True):
            _note(self._plan, task.arm, task.choice, judged, self._findings)
            self._counter.judged(1, share)
            found.append(judged)
        now = time.perf_counter()
        own = sum(sum(judged.seconds.values()) for judged in found)
        # Of the time beside a training, what the workers needed.
        beside = min(now - self._began, own / joblib.effective_n_jobs(self._plan.n_jobs))
        _share_out(max(now - began, beside), found, self._findings.seconds)
        self._owners, self._shares, self._results = [], [], iter(())

    def close(self) -> None:
        """Drop what is not judged yet."""
        close = getattr(self._results, "close", None)
        if close is not None:
            close()


def _calls(design: Design, task: ArmBlock, embedded: list[Embedded] | None) -> list:
    """Return what joblib is to call to judge an arm on a block, fitting it there if need be."""
    if embedded is not None:
        rows = {one.number: one for one in task.block}
        return [
            joblib.delayed(judge)(
                design.judge, one, rows[one.resample], *_circumstances(design, one)
            )
            for one in embedded
        ]
    calls = []
    for one, own, given in zip(task.block, task.seeds, task.given, strict=True):
        for k, seed in enumerate(own):
            rows, probe_seeds, keep = _circumstances(design, Embedded(one.number, k))
            calls.append(
                joblib.delayed(fit_and_judge)(
                    design.judge,
                    task.arm.estimator,
                    one,
                    given,
                    rows,
                    (seed, k),
                    probe_seeds,
                    keep,
                )
            )
    return calls


def _workers(design: Design) -> int:
    """Return how many workers judge; none but this thread where a probe has networks of its own."""
    alone = shares_memory() and any(map(own_networks, design.judge.probes.values()))
    return 1 if alone else design.n_jobs


def _as_they_end(n_jobs: int, calls: list) -> Iterator[Judged]:
    """Let joblib begin; return an iterator over the results in the order of the calls."""
    if not calls:
        return iter(())
    try:
        parallel = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    except ValueError:  # of joblib's own backends, multiprocessing gives only whole lists
        return _all_at_once(n_jobs, calls)
    return parallel(calls)


def _all_at_once(n_jobs: int, calls: list) -> Iterator[Judged]:
    yield from joblib.Parallel(n_jobs=n_jobs, prefer="threads")(calls)


def _share_out(wall: float, part: Sequence[Judged], seconds: dict[str, float]) -> None:
    """Split the wall time of tasks that ran side by side as their own times are split."""
    own: dict[str, float] = defaultdict(float)
    for judged in part:
        for name, spent in judged.seconds.items():
            own[name] += spent
    total = sum(own.values())
    for name, spent in own.items():
        seconds[name] += wall * spent / total if total else 0.0


def _fitted_once(design: Design, task: ArmBlock, on_progress) -> list[Embedded]:
    """Fit on all rows, once for each seed, and give every resample its rows of that embedding."""
    arm, seeds, given = task.arm, task.seeds[0], task.given[0]
    whole = task.block[0].fit
    everything = PreparedRows(0, whole, whole, whole[:1])
    if arm.lanes:
        once = _trained(arm, [everything], [seeds], on_progress, [given])
    else:
        once = [fit_one(arm.estimator, everything, seed, k, given) for k, seed in enumerate(seeds)]
    found = []
    for one in task.block:
        train, test = design.resamples.pairs[one.number]
        for fit in once:
            if fit.failure is not None:
                found.append(Embedded(one.number, fit.seed, failure=fit.failure))
                continue
            found.append(Embedded(one.number, fit.seed, fit.train[train], fit.train[test]))
    return found


def _trained(arm: Arm, block, seeds, on_progress, given) -> list[Embedded]:
    """Let the engine train all lanes; if it refuses, every lane says why."""
    try:
        return list(lanes_of(arm, block, seeds, on_progress, given))
    except Exception as problem:
        failed = describe(problem)
        return [
            Embedded(one.number, k, failure=failed)
            for one, own in zip(block, seeds, strict=True)
            for k in range(len(own))
        ]


def _circumstances(design: Design, embedded: Embedded):
    """Return what judging one embedding needs beside it: rows, probe seeds, whether to keep it."""
    j = embedded.resample
    # Every arm's probe draws the same: its luck is not taken for a difference.
    probe_seeds = {name: design.seeds.get("probe", name, j) for name in design.judge.probes}
    return design.resamples.pairs[j], probe_seeds, j == 0 and embedded.seed == 0


def _note(design: Design, arm: Arm, choice: str, one: Judged, findings: Findings) -> None:
    place = (arm.name, choice, one.embedded.resample, one.embedded.seed)
    findings.values += [(*place, *value) for value in one.values]
    findings.failures += [(*place, *failure) for failure in one.failures]
    if one.embedded.train.shape[1] >= 2:
        rows = design.resamples.pairs[one.embedded.resample]
        findings.points.append(_points(arm.name, choice, one.embedded, rows))


def _points(arm: str, choice: str, embedded: Embedded, rows) -> pd.DataFrame:
    parts = [("train", rows[0], embedded.train), ("test", rows[1], embedded.test)]
    frames = [
        pd.DataFrame({"row": numbers, "dim_1": Z[:, 0], "dim_2": Z[:, 1]}).assign(part=part)
        for part, numbers, Z in parts
    ]
    frame = pd.concat(frames, ignore_index=True).drop_duplicates("row")
    return frame.assign(arm=arm, preprocess=choice)


class _Counter:
    """Counts embeddings for the progress, which is told on this thread only."""

    def __init__(self, design: Design, progress: Progress | None):
        self._progress = progress
        per_arm = [design.n_seeds[arm.name] * len(design.resamples) for arm in design.arms]
        self._total = float(sum(per_arm) * len(design.choices))
        self._done = 0.0
        self._under_way = 0.0

    def training(self, count: int) -> Progress:
        """Return what to call while so many embeddings are on their way."""

        def report(done: float, wanted: float) -> None:
            self._tell(0.0, 0.5 * count * done / max(wanted, 1))

        return report

    def trained(self, count: int) -> None:
        """Add embeddings that are there but not judged."""
        self._tell(0.5 * count, 0.0)

    def judged(self, count: int, share: float) -> None:
        """Add embeddings that are through."""
        self._tell(share * count)

    def _tell(self, more: float, under_way: float | None = None) -> None:
        self._done += more
        self._under_way = self._under_way if under_way is None else under_way
        now = min(self._done + self._under_way, self._total)
        if self._progress is not None:
            self._progress(now, self._total)
