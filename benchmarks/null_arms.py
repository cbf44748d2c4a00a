"""How often an arm that tunes itself gets a false verdict where labels know nothing of the rows.

Run: ``python benchmarks/null_arms.py --simulations 1000``. In each simulation a table is drawn
anew, its labels at random and independent of it, so that no arm can be better than another:
every "better" and "worse" is false. Arms that learn nothing, or are fixed beforehand, stand
beside, and cases of calibration.py with as many simulations.

The verdicts of a simulation are added to the file of results as soon as they are known. What is
there already is not computed again: the script can be stopped and go on, with more simulations,
or with another arm. An arm's numbers do not depend on what other arms there are.
"""

import os

os.environ.setdefault("NARROWS_CACHE", "off")

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _common import RESULTS, arguments, machine, names_in, record, recorded, table, write
from calibration import EQUAL, FOLDS, RUNS, misses, simulate
from scipy import stats
from sklearn.compose import ColumnTransformer
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.random_projection import GaussianRandomProjection

import narrows

ROWS, GROUPS, CLASSES = 150, 3, 2
REFERENCE = "pca"
NETWORK = {"encoder": (16,), "epochs": 20}  # small, so that thousands of trainings are feasible
# Every arm is made anew for each simulation, and gets seeds of the comparison's.
ARMS: dict[str, Callable[[], Any]] = {
    "two columns": lambda: ColumnTransformer([("two", "passthrough", [0, 1])]),
    "random projection": lambda: GaussianRandomProjection(2),
    "autoencoder": lambda: narrows.Autoencoder(2, **NETWORK),
    "tuned": lambda: narrows.AutoencoderCV(
        2,
        param_distributions={"learning_rate": [3e-3, 1e-2], "noise": [0.0, 0.3]},
        cv=3,
        **NETWORK,
    ),
}
PROBES = {"naive Bayes": GaussianNB(), "nearest neighbour": KNeighborsClassifier(1)}
SAME = f"{FOLDS}x{RUNS}"  # the resampling of calibration.py
COLUMNS = [
    "resampling", "seed", "simulation", "arm", "probe", "difference", "low", "high", "verdict",
]  # fmt: skip


# --- simulation


def drawn(seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a table of three groups of rows, as iris has them, and labels that ignore it."""
    rng = np.random.default_rng([seed, number])
    centres = 2 * rng.normal(size=(GROUPS, 4))
    correlated = rng.normal(size=(ROWS, 4)) @ rng.normal(size=(4, 4))
    X = centres[rng.integers(GROUPS, size=ROWS)] + correlated
    return X, rng.integers(CLASSES, size=ROWS)


def judged(resampling: str, seed: int, number: int, arms: list[str]) -> pd.DataFrame:
    """Compare the arms with PCA on one simulated table; return the verdicts."""
    X, y = drawn(seed, number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = narrows.compare(
            {REFERENCE: narrows.PCA(2), **{name: ARMS[name]() for name in arms}}, X, y,
            probes=PROBES, resampling=resampling, seeds=1, controls=(), preprocess="standardize",
            quality=False, reference=REFERENCE, random_state=number,
        )  # fmt: skip
    about = {"resampling": resampling, "seed": seed, "simulation": number}
    return found.verdicts().assign(**about)[COLUMNS]


def known(out: Path) -> pd.DataFrame:
    """Return the verdicts that a file has; none if there is no file."""
    return recorded(out, COLUMNS)


def run(options: argparse.Namespace) -> None:
    """Add to a file the simulations that it does not have yet."""
    there = known(options.out)
    same = (there["resampling"] == options.resampling) & (there["seed"] == options.seed)
    done = set(there[same][["simulation", "arm"]].itertuples(index=False, name=None))
    for number in range(options.simulations):
        missing = [name for name in options.arms if (number, name) not in done]
        if not missing:
            continue
        began = time.perf_counter()
        new = judged(options.resampling, options.seed, number, missing)
        record(options.out, new)
        seconds = time.perf_counter() - began
        print(f"{number + 1}/{options.simulations}, {seconds:.1f} s", flush=True)


# --- tables


def share(happened: pd.Series) -> str:
    """Return a percentage and its 95 % Clopper–Pearson interval."""
    exact = stats.binomtest(int(happened.sum()), len(happened)).proportion_ci(0.95, "exact")
    return f"{100 * happened.mean():.1f} ({100 * exact.low:.1f} to {100 * exact.high:.1f})"


def line(names: list[str], group: pd.DataFrame) -> list[str]:
    """Return a row of the table: what became of an arm's verdicts with a probe."""
    wider = group["error"].pow(2).mean() ** 0.5 / group["difference"].std()
    verdict = group["verdict"]
    return [
        *names, f"{len(group):,}", f"{wider:.2f}", share(misses(group)),
        share(verdict.isin(["better", "worse"])), share(verdict == "better"),
        share(verdict == "worse"), f"{100 * (verdict == 'equivalent').mean():.1f}",
    ]  # fmt: skip


def arm_lines(results: pd.DataFrame, resamples: int) -> list[list[str]]:
    """Return a row for each arm and probe."""
    results = results[~results["verdict"].isin(["failed", "not scored"])]
    half = (results["high"] - results["low"]) / 2
    results = results.assign(error=half / stats.t.ppf(0.975, resamples - 1), truth=0.0)
    groups = results.groupby(["arm", "probe"], sort=False)
    return [line(list(names), group) for names, group in groups]


def fixed_lines(simulations: int, seed: int) -> list[list[str]]:
    """Return a row for each case of calibration.py with these probes."""
    lines = []
    for number, case in enumerate(EQUAL):
        if case.probe not in PROBES:
            continue
        found = simulate(case, ROWS, simulations, seed + 100 * number)
        found = found[found["resampling"].str.contains("folds")]
        found = found.rename(columns={"mean": "difference"})
        lines.append(line([f"{case.name}, fixed", case.probe], found))
    return lines


def arms_of(text: str) -> list[str]:
    """Return the names in a list with commas."""
    return names_in(text, ARMS, "arm")


TEXT = f"""\
Tables of {ROWS} rows and four correlated columns, in {GROUPS} groups, each simulation its own;
{CLASSES} classes at random. The true difference between any two arms is zero: a verdict "better" or
"worse" than PCA is false. Tuned: `AutoencoderCV` with four candidates on three folds inside each
training part, hidden layers of 16, at most 20 passes; an autoencoder beside it has the same layers
and as many passes. The arms called fixed are those of
[the page on calibration](calibration.md), whose two embeddings are fixed beforehand. Per cent, with
95 % Clopper–Pearson intervals. "claimed / true SE": the interval's standard error over the standard
deviation of the mean difference from table to table."""
HEAD = [
    "arm", "probe", "tables", "claimed / true SE", "interval misses zero", "false verdicts",
    "better", "worse", "equivalent",
]  # fmt: skip


def main() -> None:
    """Simulate, print and write the table."""
    parser = arguments(__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--resampling", default=SAME, help="as for compare, folds by repeats")
    parser.add_argument("--arms", type=arms_of, default=list(ARMS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "null_arms.csv")
    options = parser.parse_args()
    run(options)
    results = known(options.out)
    wanted = (results["resampling"] == options.resampling) & (results["seed"] == options.seed)
    wanted &= results["arm"].isin(options.arms) & (results["simulation"] < options.simulations)
    folds, repeats = map(int, options.resampling.split("x"))
    lines = arm_lines(results[wanted], folds * repeats)
    if options.resampling == SAME:
        lines += fixed_lines(options.simulations, options.seed)
    command = (
        f"--arms {','.join(options.arms)} --simulations {options.simulations} "
        f"--resampling {options.resampling}"
    )
    about = (
        f"`python benchmarks/null_arms.py {command} --seed {options.seed}`; "
        f"{machine(['narrows', 'jax', 'numpy', 'scipy', 'scikit-learn'])}."
    )
    title = "# Verdicts on an arm that tunes itself, where there is nothing to find"
    text = "\n\n".join([title, about, TEXT, table(HEAD, lines)])
    write("null_arms.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
