"""What a comparison runs, and what it finds."""

import itertools
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from narrows.comparison._arms import Arm
from narrows.comparison._fit_arguments import ROWS_ALONE, FitArguments
from narrows.comparison.resampling._resamples import Resamples
from narrows.comparison.running._fit import FEWEST_LANES, PreparedRows, describe
from narrows.comparison.running._preprocessing import prepare
from narrows.comparison.running._score import NO_PROBE, Judge
from narrows.data import CLASSIFICATION, DataTable


class SeedSource:
    """Integer seeds by purpose, from one root.

    Parameters
    ----------
    random_state : int or None
        Root; None draws one from the system.
    """

    def __init__(self, random_state: int | None):
        drawn = np.random.SeedSequence(random_state).entropy
        assert isinstance(drawn, int)
        self.entropy: int = drawn

    def get(self, *purpose: str | int) -> int:
        """Return the seed for a purpose, e.g. ``get("pca", "standardize", 3)``."""
        key = [zlib.crc32(str(part).encode()) for part in purpose]
        state = np.random.SeedSequence(self.entropy, spawn_key=key).generate_state(1)
        return int(state[0] >> 1)


COLUMNS = ["arm", "preprocess", "resample", "seed", "probe", "measure", "value"]
FAILED = ["arm", "preprocess", "resample", "seed", "probe", "message"]
POINTS = ["arm", "preprocess", "row", "part", "dim_1", "dim_2"]


@dataclass(frozen=True)
class Design:
    """A comparison before it runs: everything is checked.

    Attributes
    ----------
    choices : dict of str to transformer
        Preprocessing by name.
    n_seeds : dict of str to int
        How many seeds each arm has.
    groups : int ndarray of shape (n_rows,) or None
        Which rows belong together, for arms that divide their rows once more.
    """

    arms: list[Arm]
    choices: dict[str, Any]
    table: DataTable
    resamples: Resamples
    judge: Judge
    n_seeds: dict[str, int]
    seeds: SeedSource
    refit: bool
    n_jobs: int
    groups: np.ndarray | None = None


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


@dataclass(frozen=True)
class ArmBlock:
    """An arm under one preprocessing, in a block of resamples.

    Attributes
    ----------
    choice : str
        Name of the preprocessing.
    seeds : list of lists of int
        The arm's seeds in each resample of the block.
    given : list of FitArguments
        What goes into the fits of each resample beside their rows.
    """

    arm: Arm
    choice: str
    block: list[PreparedRows]
    seeds: list[list[int]]
    given: list[FitArguments]


_BLOCK_BYTES = 250_000_000  # prepared rows in a block; two blocks may be held at once
# A part is judged when all its lanes are trained. Larger parts are quicker, as the engine and the
# probes take turns less often; but a part's embeddings are held until then, so large tables get
# smaller ones.
_MOST_LANES = 500
_NUMBERS_AT_ONCE = 50_000_000  # in the rows of all lanes of a part


def blocks_of(design: Design, findings: Findings) -> Iterator[ArmBlock]:
    """Yield a comparison's tasks; the order and size do not depend on the number of workers."""
    for choice, transformer in design.choices.items():
        blocks = _blocks(design, choice, transformer, findings)
        for block in blocks:
            # Others first: while the engine's first program compiles, there is work for all cores.
            for arm in sorted(design.arms, key=lambda arm: arm.lanes):
                for part in _parts(design, arm, block):
                    seeds = [_arm_seeds(design, arm, choice, one.number) for one in part]
                    given = [fit_arguments(design, arm, one.number) for one in part]
                    yield ArmBlock(arm, choice, part, seeds, given)


def fit_arguments(design: Design, arm: Arm, resample: int) -> FitArguments:
    """Return labels and groups of the rows that an arm is fitted on in a resample."""
    if not arm.uses_labels and design.groups is None:
        return ROWS_ALONE
    every = np.arange(design.resamples.n_rows)
    rows = design.resamples.pairs[resample][0] if design.refit else every
    groups = None if design.groups is None else design.groups[rows]
    classes = design.judge.kind == CLASSIFICATION
    return arm.fit_arguments(design.judge.y[rows], groups, classes=classes)


def _parts(design: Design, arm: Arm, block: list[PreparedRows]) -> list[list[PreparedRows]]:
    """Divide a block by how many lanes are trained before any is judged."""
    if not (arm.lanes and design.refit):
        return [block]
    lanes = _NUMBERS_AT_ONCE // max(block[0].fit.size, 1)
    lanes = min(max(lanes, FEWEST_LANES), _MOST_LANES)
    each = -(-lanes // design.n_seeds[arm.name])
    count = -(-len(block) // each)
    bounds = [len(block) * i // count for i in range(count + 1)]
    return [block[first:last] for first, last in itertools.pairwise(bounds)]


def _blocks(
    design: Design, choice: str, transformer: Any, findings: Findings
) -> Iterator[list[PreparedRows]]:
    """Prepare resample after resample; hand over as many at once as memory is meant for."""
    block: list[PreparedRows] = []
    size = 0
    for one in _prepared(design, choice, transformer, findings):
        block.append(one)
        size += one.train.nbytes + one.test.nbytes
        if size > _BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _prepared(
    design: Design, choice: str, transformer: Any, findings: Findings
) -> Iterator[PreparedRows]:
    """Yield the resamples whose rows can be prepared, and note the time and the others."""

    def prepared(train: np.ndarray, others: list[np.ndarray], numbers: range) -> list:
        began = time.perf_counter()
        try:
            return prepare(transformer, design.table, train, others)
        except Exception as problem:  # the other resamples and choices go on
            for number in numbers:
                _note_unprepared(design, choice, number, describe(problem), findings)
            return []
        finally:
            findings.seconds["preprocessing"] += time.perf_counter() - began

    if design.refit:
        for number, (train, test) in enumerate(design.resamples):
            if rows := prepared(train, [test], range(number, number + 1)):
                yield PreparedRows(number, rows[0], *rows)
    elif whole := prepared(np.arange(design.resamples.n_rows), [], range(len(design.resamples))):
        for number, (train, test) in enumerate(design.resamples):
            yield PreparedRows(number, whole[0], whole[0][train], whole[0][test])


def _arm_seeds(design: Design, arm: Arm, choice: str, resample: int) -> list[int]:
    # An untrained encoder starts from the weights that its arm starts from.
    name = arm.untrained or arm.name
    number = resample if design.refit else 0
    return [design.seeds.get(name, choice, number, k) for k in range(design.n_seeds[arm.name])]


def _note_unprepared(
    design: Design, choice: str, resample: int, message: str, findings: Findings
) -> None:
    """Note that every arm failed in a resample whose preprocessing cannot be learned."""
    findings.failures += [
        (arm.name, choice, resample, 0, NO_PROBE, f"the preprocessing failed: {message}")
        for arm in design.arms
    ]
