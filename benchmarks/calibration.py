"""Whether the comparison's intervals and verdicts are right as often as they claim.

Run: ``python benchmarks/calibration.py``. Many tables are drawn from populations where the true
difference between two arms is known; each table is resampled and judged with the package's own
functions. What an interval should cover is the expected difference at the resamples' training
size, over tables, and not what was learned from one table.

The probes are small so that thousands of tables are feasible: Gaussian naive Bayes (steady: its
predictions hardly depend on single rows), a decision stump, the nearest neighbour (restless: every
row decides for those around it) and, on fewer tables, the package's forest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from _common import arguments, machine, table, write
from joblib import Parallel, delayed
from scipy import stats
from scipy.spatial import KDTree

from narrows.comparison import Forest
from narrows.comparison.statistics._decisions import posterior, verdict
from narrows.comparison.statistics._intervals import corrected_interval, corrected_t_test

Arms = tuple[np.ndarray, np.ndarray, np.ndarray]  # reference, arm, labels
Probe = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]

ROWS = (150, 600)
ROPE = 0.01
BEST_ACCURACY = 0.9
FOLDS, RUNS, TIMES = 5, 5, 25
TREES = 50
CHUNK = 50


# --- resamples: how often each row trains, (resamples, rows); a row with zero tests


def repeated_folds(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the counts of stratified k-fold, repeated."""
    counts = []
    for _ in range(RUNS):
        shuffled = rng.permutation(len(y))
        by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
        fold = np.empty(len(y), int)
        fold[by_class] = np.arange(len(y)) % FOLDS
        counts.append(fold != np.arange(FOLDS)[:, None])
    return np.concatenate(counts).astype(float)


def bootstraps(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the counts of as many draws with replacement as there are rows."""
    return rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=TIMES).astype(float)


RESAMPLING = {f"{FOLDS} × {FOLDS} folds": repeated_folds, f"bootstrap {TIMES}": bootstraps}


# --- probes: (table, labels, counts, new rows) to predicted classes, (resamples, new rows)


def naive_bayes(X: np.ndarray, y: np.ndarray, counts: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Train Gaussian naive Bayes on every resample at once."""
    scores = []
    for label in (0, 1):
        weights = counts * (y == label)
        total = weights.sum(axis=1, keepdims=True)
        mean = weights @ X / total
        variance = weights @ X**2 / total - mean**2
        constant = np.log(total[:, 0]) - (mean**2 / variance + np.log(variance)).sum(axis=1) / 2
        scores.append(new**2 @ (-0.5 / variance).T + new @ (mean / variance).T + constant)
    return (scores[1] > scores[0]).T


def stump(X: np.ndarray, y: np.ndarray, counts: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Train decision stumps: the one split, of all columns, that gets most training rows right."""
    each = np.arange(len(counts))
    votes = counts * np.where(y == 1, 1, -1)
    total = votes.sum(axis=1)
    best = np.full((4, len(counts)), -np.inf)  # rows right, column, threshold, vote on the left
    for column, x in enumerate(X.T):
        order = x.argsort()
        left = votes[:, order].cumsum(axis=1)[:, :-1]
        right_rows = np.abs(left) + np.abs(total[:, None] - left)
        at = right_rows.argmax(axis=1)
        threshold = (x[order[at]] + x[order[at + 1]]) / 2
        found = np.array(
            [right_rows[each, at], np.full(len(counts), column), threshold, left[each, at]]
        )
        best = np.where(found[0] > best[0], found, best)
    _, column, threshold, left_vote = best
    values = new[:, column.astype(int)].T
    is_left = values <= threshold[:, None]
    return np.where(is_left, left_vote[:, None], (total - left_vote)[:, None]) > 0


def nearest(X: np.ndarray, y: np.ndarray, counts: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the class of the nearest training row."""
    # Of twenty neighbours one at least trains, but for one case in 10⁸.
    _, near = KDTree(X).query(new, k=20)
    first = (counts > 0)[:, near].argmax(axis=2)
    return y[near[np.arange(len(new)), first]] == 1


def forest(X: np.ndarray, y: np.ndarray, counts: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Train the package's forest; predict test rows only, `new` being the table itself."""
    predicted = np.zeros(counts.shape, bool)
    for number, count in enumerate(counts.astype(int)):
        rows, test = np.repeat(np.arange(len(y)), count), count == 0
        grown = Forest(TREES, max_features=2, random_state=number).fit(X[rows], y[rows])
        predicted[number, test] = grown.predict(new[test]) == 1
    return predicted


# --- populations


def labels(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return two classes, equally probable."""
    return rng.integers(2, size=n)


def rotated(rng: np.random.Generator, n: int) -> Arms:
    """Draw two round classes around one centre, and the same rows rotated at random."""
    y = labels(rng, n)
    X = rng.normal(size=(n, 4)) * np.where(y == 1, 2, 1)[:, None]
    return X, X @ stats.ortho_group.rvs(4, random_state=rng), y


def noise(rng: np.random.Generator, n: int) -> Arms:
    """Draw columns that know nothing of the class."""
    return rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), labels(rng, n)


def twins(rng: np.random.Generator, n: int) -> Arms:
    """Draw two pairs of columns that know equally much of the class, each with its own noise."""
    y = labels(rng, n)
    centre = np.outer(2 * y - 1, [1, 0])
    return centre + rng.normal(size=(n, 2)), centre + rng.normal(size=(n, 2)), y


def blurred(points: float) -> Callable[[np.random.Generator, int], Arms]:
    """Blur the reference's column so that its best accuracy falls by so many points."""
    # Two normal classes at -a and a with deviation s are told apart with accuracy Φ(a/s).
    a = stats.norm.ppf(BEST_ACCURACY)
    blur = np.sqrt((a / stats.norm.ppf(BEST_ACCURACY - points / 100)) ** 2 - 1)

    def draw(rng: np.random.Generator, n: int) -> Arms:
        y = labels(rng, n)
        clear = np.outer(2 * y - 1, [a, 0]) + rng.normal(size=(n, 2))
        return clear + np.outer(rng.normal(size=n), [blur, 0]), clear, y

    return draw


@dataclass(frozen=True)
class Case:
    """A population, a probe and, where arms are equal by symmetry, a true difference of zero."""

    name: str
    probe: str
    draw: Callable[[np.random.Generator, int], Arms]
    predict: Probe
    equal: bool = True


EQUAL = [
    Case("rotated columns", "naive Bayes", rotated, naive_bayes),
    Case("rotated columns", "stump", rotated, stump),
    Case("noise columns", "naive Bayes", noise, naive_bayes),
    Case("noise columns", "nearest neighbour", noise, nearest),
    Case("twin columns", "naive Bayes", twins, naive_bayes),
    Case("twin columns", "nearest neighbour", twins, nearest),
]
WITH_FOREST = [
    Case("rotated columns", f"forest, {TREES} trees", rotated, forest),
    Case("twin columns", f"forest, {TREES} trees", twins, forest),
]
DIFFERENT = [
    Case(f"best accuracy {points} apart", "naive Bayes", blurred(points), naive_bayes, equal=False)
    for points in (1, 2, 5)
]


# --- simulation


def one_table(case: Case, n: int, rng: np.random.Generator) -> list[dict]:
    """Draw a table, resample it both ways and judge the arm against the reference."""
    reference, arm, y = case.draw(rng, n)
    counts = np.concatenate([resample(y, rng) for resample in RESAMPLING.values()])
    right = [case.predict(X, y, counts, X) == (y == 1) for X in (arm, reference)]
    test = counts == 0
    d = ((right[0] * 1.0 - right[1]) * test).sum(axis=1) / test.sum(axis=1)
    found = []
    for name, rows in zip(
        RESAMPLING, np.split(np.arange(len(counts)), [FOLDS * RUNS]), strict=True
    ):
        tested = test[rows].sum(axis=1)
        ratios = {"distinct rows": np.mean(tested / (n - tested))}
        if name.startswith("bootstrap"):
            ratios["draws"] = np.mean(tested / n)
        for counted, ratio in ratios.items():
            found.append({"resampling": name, "counted": counted, **judged(d[rows], ratio)})
    return found


def judged(d: np.ndarray, ratio: float) -> dict:
    """Return what the package says of the differences, and the t-test that ignores shared rows."""
    interval, found = corrected_interval(d, ratio), posterior(d, ratio, ROPE)
    return {
        "mean": interval.mean, "low": interval.low, "high": interval.high,
        "error": interval.standard_error, "verdict": verdict(found),
        "one_side": max(found.better, found.worse) > 0.95,
        "alarm": corrected_t_test(d, 1e-12) < 0.05,
    }  # fmt: skip


def true_differences(case: Case, n: int, rng: np.random.Generator) -> dict[str, float]:
    """Train on one table's resamples and score on 2,000 new rows of the population."""
    reference, arm, y = case.draw(rng, n)
    new_reference, new_arm, new_y = case.draw(rng, 2000)
    found = {}
    for name, resample in RESAMPLING.items():
        counts = resample(y, rng)
        pairs = ((arm, new_arm), (reference, new_reference))
        scores = [(case.predict(X, y, counts, new) == (new_y == 1)).mean() for X, new in pairs]
        found[name] = scores[0] - scores[1]
    return found


def chunked(function: Callable, case: Case, n: int, times: int, seed: int) -> list:
    """Call a function many times, on all cores; the result does not depend on their number."""
    sizes = [CHUNK] * (times // CHUNK) + [times % CHUNK] * (times % CHUNK > 0)
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))

    def run(size: int, seed: np.random.SeedSequence) -> list:
        rng = np.random.default_rng(seed)
        return [function(case, n, rng) for _ in range(size)]

    jobs = (delayed(run)(*pair) for pair in zip(sizes, seeds, strict=True))
    return [found for chunk in Parallel(n_jobs=-1)(jobs) for found in chunk]


def simulate(case: Case, n: int, times: int, seed: int) -> pd.DataFrame:
    """Return every verdict on many tables, with the true difference beside it."""
    print(f"  {case.name}, {case.probe}, {n} rows", flush=True)
    tables = chunked(one_table, case, n, times, seed)
    frame = pd.DataFrame([row for rows in tables for row in rows])
    if case.equal:
        return frame.assign(truth=0.0, truth_error=0.0)
    truths = pd.DataFrame(chunked(true_differences, case, n, times, seed + 1))
    return frame.assign(
        truth=frame["resampling"].map(truths.mean()),
        truth_error=frame["resampling"].map(truths.sem()),
    )


# --- tables


def rate(happened: pd.Series) -> str:
    """Return a percentage, its Monte-Carlo standard error and the end of its 95 % interval."""
    share = happened.mean()
    error = np.sqrt(share * (1 - share) / len(happened))
    exact = stats.binomtest(int(happened.sum()), len(happened)).proportion_ci(0.95, "exact")
    return f"{100 * share:.1f} ± {100 * error:.1f} (≤ {100 * exact.high:.1f})"


def misses(group: pd.DataFrame) -> pd.Series:
    """Whether each interval leaves the truth out."""
    return (group["truth"] < group["low"]) | (group["truth"] > group["high"])


def claimed_to_true(group: pd.DataFrame) -> float:
    """Return the claimed standard error over the means' deviation from table to table."""
    return float(np.sqrt((group["error"] ** 2).mean()) / group["mean"].std())


def equal_rows(case: Case, n: int, frame: pd.DataFrame) -> list[list[str]]:
    """Return a row for each resampling and ratio."""
    rows = []
    for (name, counted), group in frame.groupby(["resampling", "counted"], sort=False):
        false = group["verdict"].isin(["better", "worse"])
        rows.append(
            [
                case.name, case.probe, n, name, counted, f"{claimed_to_true(group):.2f}",
                rate(misses(group)), rate(false), rate(group["one_side"]),
                f"{100 * (group['verdict'] == 'equivalent').mean():.1f}",
                f"{100 * group['alarm'].mean():.0f}",
            ]
        )  # fmt: skip
    return rows


EQUAL_TEXT = f"""\
The true difference is zero. A verdict "better" or "worse" is false; "equivalent", within
{100 * ROPE:.0f} point of accuracy, is right. Better and worse need a probability above 97.5 %,
so that both together are wrong in 5 %; the column beside shows what 95 % for each would give.
A 95 % interval may miss zero in 5 % of the tables,
which are those where its p-value is below 5 %. "n_train": what it counts in a bootstrap.
"claimed / true SE": the interval's standard error over the standard deviation of the mean
difference from table to table; above 1 the interval is wider than it need be. "uncorrected": where
the paired t-test over resamples has a p-value below 5 %."""
EQUAL_HEAD = [
    "arms", "probe", "rows", "resampling", "n_train", "claimed / true SE", "interval misses",
    "false verdicts", "false if 95 % a side sufficed", "equivalent", "uncorrected",
]  # fmt: skip


def different_rows(case: Case, n: int, frame: pd.DataFrame) -> list[list[str]]:
    """Return a row for each resampling, distinct rows counted."""
    rows = []
    for name, group in frame[frame["counted"] == "distinct rows"].groupby("resampling", sort=False):
        truth, error = 100 * group["truth"].iloc[0], 100 * group["truth_error"].iloc[0]
        shares = 100 * group["verdict"].value_counts(normalize=True)
        kinds = ("better", "undecided", "equivalent", "worse")
        rows.append(
            [
                case.name, n, name, f"{truth:.2f} ± {error:.2f}", f"{claimed_to_true(group):.2f}",
                rate(misses(group)), *(f"{shares.get(kind, 0):.1f}" for kind in kinds),
            ]
        )  # fmt: skip
    return rows


DIFFERENT_TEXT = """\
Two columns judged by naive Bayes, one of them blurred until the best possible accuracy is lower by
so many points; n_train counts distinct rows. The true difference, at the resamples' training size,
is measured on new rows of the population, in points."""
DIFFERENT_HEAD = [
    "arms", "rows", "resampling", "true difference", "claimed / true SE", "interval misses",
    "better", "undecided", "equivalent", "worse",
]  # fmt: skip


def main() -> None:
    """Run all cases and write the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--simulations", type=int, default=4000, help="tables a case")
    parser.add_argument("--forest", type=int, default=300, help="tables a case with the forest")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    many, few, seed = options.simulations, options.forest, options.seed
    plan = [(case, n, many) for case in EQUAL for n in ROWS]
    plan += [(case, ROWS[0], few) for case in WITH_FOREST if few]
    equal = [
        row
        for number, (case, n, times) in enumerate(plan)
        for row in equal_rows(case, n, simulate(case, n, times, seed + 100 * number))
    ]
    different = [
        row
        for number, (case, n) in enumerate((case, n) for case in DIFFERENT for n in ROWS)
        for row in different_rows(case, n, simulate(case, n, many, seed + 10_000 + 100 * number))
    ]
    command = f"--simulations {many} --forest {few} --seed {seed}"
    title = (
        f"`python benchmarks/calibration.py {command}`; {machine(('numpy', 'scipy', 'ydf'))}. "
        f"{many:,} tables a case, {few:,} with the forest. Rates in per cent, ± Monte-Carlo "
        "standard error (≤ upper end of their 95 % Clopper–Pearson interval)."
    )
    text = "\n\n".join(
        [
            "# Are intervals and verdicts right as often as they claim?",
            title,
            "## Equal arms",
            EQUAL_TEXT,
            table(EQUAL_HEAD, equal),
            "## Different arms",
            DIFFERENT_TEXT,
            table(DIFFERENT_HEAD, different),
        ]
    )
    write("calibration.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
