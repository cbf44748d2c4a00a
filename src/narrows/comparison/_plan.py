"""What a comparison runs, and what it finds."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from narrows.comparison._arms import Arm
from narrows.comparison._judging import Judge
from narrows.comparison._refit import Prepared
from narrows.comparison._resamples import Resamples
from narrows.comparison._seeds import Seeds

COLUMNS = ["arm", "preprocess", "resample", "seed", "probe", "measure", "value"]
FAILED = ["arm", "preprocess", "resample", "seed", "probe", "message"]
POINTS = ["arm", "preprocess", "row", "part", "dim_1", "dim_2"]


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


@dataclass(frozen=True)
class Task:
    """An arm under one preprocessing, in a block of resamples.

    Attributes
    ----------
    arm : Arm
    choice : str
        Name of the preprocessing.
    block : list of Prepared
    seeds : list of lists of int
        The arm's seeds in each resample of the block.
    """

    arm: Arm
    choice: str
    block: list[Prepared]
    seeds: list[list[int]]
