"""Run a comparison: every arm under every preprocessing, in every resample, for every seed."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
import pandas as pd

from narrows.comparison._arms import Arm
from narrows.comparison._judging import NO_PROBE, Judge, Judged, fit_and_judge, judge
from narrows.comparison._preprocessing import prepare
from narrows.comparison._refit import Embedded, Prepared, describe, fit_one, lanes_of
from narrows.comparison._resamples import Resamples
from narrows.comparison._seeds import Seeds

Progress = Callable[[float, float], object]
_BLOCK_BYTES = 500_000_000  # prepared rows held at once
COLUMNS = ["arm", "preprocess", "resample", "seed", "probe", "measure", "value"]
FAILED = ["arm", "preprocess", "resample", "seed", "probe", "message"]


@dataclass(frozen=True)
class Plan:
    """A comparison before it runs: everything is checked.

    Attributes
    ----------
    arms : list of Arm
    choices : dict of str to transformer
        Preprocessing by name.
    table : ndarray or narwhals.DataFrame
    resamples : Resamples
    judge : Judge
    n_seeds : dict of str to int
        How many seeds each arm has.
    seeds : Seeds
    refit : bool
    n_jobs : int
    """

    arms: list[Arm]
    choices: dict[str, Any]
    table: Any
    resamples: Resamples
    judge: Judge
    n_seeds: dict[str, int]
    seeds: Seeds
    refit: bool
    n_jobs: int


@dataclass
class Findings:
    """What a run found so far.

    Attributes
    ----------
    values, failures : list of tuple
        Rows of `COLUMNS` and `FAILED`.
    points : list of pandas.DataFrame
        Embeddings of the first resample by the first seed.
    seconds : dict of str to float
        Wall time by part.
    """

    values: list[tuple] = field(default_factory=list)
    failures: list[tuple] = field(default_factory=list)
    points: list[pd.DataFrame] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def run(plan: Plan, progress: Progress | None = None) -> Findings:
    """Fit and judge everything that a plan names.

    Parameters
    ----------
    plan : Plan
    progress : callable, optional
        Called with (embeddings done, embeddings wanted); an arm that the engine trains counts
        half when it is trained.

    Returns
    -------
    Findings
    """
    findings, counter = Findings(), _Counter(plan, progress)
    for choice, transformer in plan.choices.items():
        blocks = _blocks(plan, transformer, findings)
        while True:
            try:
                block = next(blocks, None)
            except Exception as problem:  # the other choices go on
                _note_unprepared(plan, choice, describe(problem), findings)
                break
            if block is None:
                break
            for arm in plan.arms:
                judged = _judged(plan, arm, choice, block, findings, counter)
                _note(plan, arm, choice, judged, findings)
    return findings


def _blocks(plan: Plan, transformer: Any, findings: Findings) -> Iterator[list[Prepared]]:
    """Prepare resample after resample; hand over as many at once as memory is meant for."""
    block: list[Prepared] = []
    size = 0
    everything = np.arange(plan.resamples.n_rows)
    whole = None
    if not plan.refit:
        whole = prepare(transformer, plan.table, everything, [])[0]
    for number, (train, test) in enumerate(plan.resamples):
        began = time.perf_counter()
        if whole is None:
            rows = prepare(transformer, plan.table, train, [test])
            one = Prepared(number, rows[0], *rows)
        else:
            one = Prepared(number, whole, whole[train], whole[test])
        findings.seconds["preprocessing"] += time.perf_counter() - began
        block.append(one)
        size += one.train.nbytes + one.test.nbytes
        if size > _BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _judged(plan, arm, choice, block, findings, counter) -> list[Judged]:
    """Fit an arm on a block of resamples and judge what comes out."""
    seeds = [_arm_seeds(plan, arm, choice, one.number) for one in block]
    began = time.perf_counter()
    tasks = []
    if arm.lanes or not plan.refit:
        embedded = _embedded(plan, arm, block, seeds, counter)
        findings.seconds["embedders"] += time.perf_counter() - began
        rows = {one.number: one for one in block}
        tasks = [
            joblib.delayed(judge)(plan.judge, one, rows[one.resample], *_circumstances(plan, one))
            for one in embedded
        ]
        counter.trained(len(tasks))
        share = 0.5
    else:
        for one, own in zip(block, seeds, strict=True):
            for k, seed in enumerate(own):
                rows, probe_seeds, keep = _circumstances(plan, Embedded(one.number, k))
                tasks.append(
                    joblib.delayed(fit_and_judge)(
                        plan.judge, arm.estimator, one, rows, (seed, k), probe_seeds, keep
                    )
                )
        share = 1.0
    return _in_parallel(plan, tasks, findings, counter, share)


def _in_parallel(plan, tasks, findings, counter, share: float) -> list[Judged]:
    """Run tasks through joblib, some at a time so that progress can be seen."""
    workers = joblib.effective_n_jobs(plan.n_jobs)
    length = max(8 * workers, -(-len(tasks) // 10))
    found: list[Judged] = []
    parallel = joblib.Parallel(n_jobs=plan.n_jobs, prefer="threads")
    for first in range(0, len(tasks), length):
        began = time.perf_counter()
        part = parallel(tasks[first : first + length])
        _share_out(time.perf_counter() - began, part, findings.seconds)
        found += part
        counter.judged(len(part), share)
    return found


def _share_out(wall: float, part: Sequence[Judged], seconds: dict[str, float]) -> None:
    """Split the wall time of tasks that ran side by side as their own times are split."""
    own: dict[str, float] = defaultdict(float)
    for judged in part:
        for name, spent in judged.seconds.items():
            own[name] += spent
    total = sum(own.values())
    for name, spent in own.items():
        seconds[name] += wall * spent / total if total else 0.0


def _embedded(plan, arm: Arm, block, seeds, counter) -> list[Embedded]:
    """Fit where all fits of an arm are made before any is judged."""
    on_progress = counter.training(sum(map(len, seeds)))
    if not plan.refit:
        return _fitted_once(plan, arm, block, seeds[0], on_progress)
    return _trained(arm, block, seeds, on_progress)


def _fitted_once(plan, arm: Arm, block, seeds, on_progress) -> list[Embedded]:
    """Fit on all rows, once for each seed, and give every resample its rows of that embedding."""
    whole = block[0].fit
    everything = Prepared(0, whole, whole, whole[:1])
    if arm.lanes:
        once = _trained(arm, [everything], [seeds], on_progress)
    else:
        once = [fit_one(arm.estimator, everything, seed, k) for k, seed in enumerate(seeds)]
    found = []
    for one in block:
        train, test = plan.resamples.pairs[one.number]
        for fit in once:
            if fit.failure is not None:
                found.append(Embedded(one.number, fit.seed, failure=fit.failure))
                continue
            found.append(Embedded(one.number, fit.seed, fit.train[train], fit.train[test]))
    return found


def _trained(arm: Arm, block, seeds, on_progress) -> list[Embedded]:
    """Let the engine train all lanes; if it refuses, every lane says why."""
    try:
        return list(lanes_of(arm, block, seeds, on_progress))
    except Exception as problem:
        failed = describe(problem)
        return [
            Embedded(one.number, k, failure=failed)
            for one, own in zip(block, seeds, strict=True)
            for k in range(len(own))
        ]


def _arm_seeds(plan: Plan, arm: Arm, choice: str, resample: int) -> list[int]:
    # An untrained encoder starts from the weights that its arm starts from.
    name = arm.untrained or arm.name
    number = resample if plan.refit else 0
    return [plan.seeds.get(name, choice, number, k) for k in range(plan.n_seeds[arm.name])]


def _circumstances(plan: Plan, embedded: Embedded):
    """Return what judging one embedding needs beside it: rows, probe seeds, whether to keep it."""
    j = embedded.resample
    # Every arm's probe draws the same: its luck is not taken for a difference.
    probe_seeds = {name: plan.seeds.get("probe", name, j) for name in plan.judge.probes}
    return plan.resamples.pairs[j], probe_seeds, j == 0 and embedded.seed == 0


def _note(plan: Plan, arm: Arm, choice: str, judged: Sequence[Judged], findings: Findings) -> None:
    for one in judged:
        place = (arm.name, choice, one.embedded.resample, one.embedded.seed)
        findings.values += [(*place, *value) for value in one.values]
        findings.failures += [(*place, *failure) for failure in one.failures]
        if one.embedded.train.shape[1] >= 2:
            rows = plan.resamples.pairs[one.embedded.resample]
            findings.points.append(_points(arm.name, choice, one.embedded, rows))


def _note_unprepared(plan: Plan, choice: str, message: str, findings: Findings) -> None:
    """Note that every arm failed under a preprocessing that cannot be learned."""
    findings.failures += [
        (arm.name, choice, j, 0, NO_PROBE, f"the preprocessing failed: {message}")
        for arm in plan.arms
        for j in range(len(plan.resamples))
    ]


def _points(arm: str, choice: str, embedded: Embedded, rows) -> pd.DataFrame:
    parts = [("train", rows[0], embedded.train), ("test", rows[1], embedded.test)]
    frames = [
        pd.DataFrame({"row": numbers, "dim_1": Z[:, 0], "dim_2": Z[:, 1]}).assign(part=part)
        for part, numbers, Z in parts
    ]
    frame = pd.concat(frames, ignore_index=True).drop_duplicates("row")
    return frame.assign(arm=arm, preprocess=choice)


class _Counter:
    """Counts embeddings for the progress."""

    def __init__(self, plan: Plan, progress: Progress | None):
        self._progress = progress
        per_arm = [plan.n_seeds[arm.name] * len(plan.resamples) for arm in plan.arms]
        self._total = float(sum(per_arm) * len(plan.choices))
        self._done = 0.0

    def training(self, count: int) -> Progress:
        """Return what to call while so many embeddings are on their way."""
        return lambda done, wanted: self._tell(self._done + 0.5 * count * done / max(wanted, 1))

    def trained(self, count: int) -> None:
        """Add embeddings that are there but not judged."""
        self._done += 0.5 * count
        self._tell(self._done)

    def judged(self, count: int, share: float) -> None:
        """Add embeddings that are through."""
        self._done += share * count
        self._tell(self._done)

    def _tell(self, done: float) -> None:
        if self._progress is not None:
            self._progress(min(done, self._total), self._total)
