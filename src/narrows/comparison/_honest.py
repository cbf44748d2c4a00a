"""The honest comparison, first form: everything that learns is refitted in every resample."""

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array

from narrows.comparison._forest import Forest
from narrows.comparison._intervals import corrected_interval
from narrows.comparison._labels import check_labels
from narrows.comparison._measures import accuracy, kappa
from narrows.comparison._resamples import Resamples
from narrows.comparison._seeds import Seeds

PREPROCESSING = ("none", "standardize")
MEASURES = ("accuracy", "kappa")
Progress = Callable[[int, int], object]


@dataclass(frozen=True, eq=False)
class HonestArms:
    """Scores of embedders over the same resamples.

    Parameters
    ----------
    scores : pandas.DataFrame
        What `frame` returns.
    resamples : Resamples
        The resamples that every arm saw.
    """

    scores: pd.DataFrame
    resamples: Resamples

    def frame(self) -> pd.DataFrame:
        """Return the scores, one row for each arm, preprocessing and resample.

        Returns
        -------
        pandas.DataFrame
            Columns ``arm``, ``preprocess``, ``resample`` (from 0), ``accuracy``, ``kappa``.
        """
        return self.scores.copy()

    def summary(self) -> pd.DataFrame:
        """Return means and standard deviations over resamples, a row for each arm.

        Returns
        -------
        pandas.DataFrame
            Columns ``arm``, ``preprocess``, ``accuracy_mean``, ``accuracy_sd``,
            ``kappa_mean``, ``kappa_sd``; deviations with J − 1 in the denominator, undefined
            kappas left out.
        """
        groups = self.scores.groupby(["arm", "preprocess"], sort=False)
        columns = {
            f"{measure}_{name}": (measure, how)
            for measure in MEASURES
            for name, how in (("mean", "mean"), ("sd", "std"))
        }
        return groups.agg(**columns).reset_index()

    def differences(
        self, reference: str | None = None, measure: str = "accuracy", confidence: float = 0.95
    ) -> pd.DataFrame:
        """Return each arm's mean difference from a reference with the same preprocessing.

        Parameters
        ----------
        reference : str or None, default=None
            Name of the reference arm; None is the first.
        measure : {"accuracy", "kappa"}, default="accuracy"
            Score to compare. Resamples where kappa is undefined are left out.
        confidence : float, default=0.95
            Coverage of the interval.

        Returns
        -------
        pandas.DataFrame
            Columns ``arm``, ``reference``, ``preprocess``, ``difference``, ``low``, ``high``:
            Nadeau and Bengio's corrected interval (see `corrected_interval`). Its ratio of
            test to training rows is the mean over resamples, since a bootstrap's test rows
            vary in number, and counts a row drawn twice once.

        Raises
        ------
        ValueError
            If `reference` is no arm, `measure` is unknown, or there are fewer than two
            resamples.
        """
        arms = list(dict.fromkeys(self.scores["arm"]))
        reference = arms[0] if reference is None else reference
        _check_choice("reference", reference, arms, "HonestArms.differences")
        _check_choice("measure", measure, MEASURES, "HonestArms.differences")
        ratio = self.resamples.test_train_ratio
        rows = []
        for preprocess, scores in self.scores.groupby("preprocess", sort=False):
            table = scores.pivot(index="resample", columns="arm", values=measure)
            for arm in arms:
                if arm == reference:
                    continue
                paired = (table[arm] - table[reference]).dropna()
                found = corrected_interval(paired, ratio, confidence)
                rows.append((arm, reference, preprocess, found.mean, found.low, found.high))
        names = ["arm", "reference", "preprocess", "difference", "low", "high"]
        return pd.DataFrame(rows, columns=names)

    def __str__(self) -> str:
        n_resamples = len(self.resamples)
        title = (
            f"Accuracy and kappa on unseen rows, mean (SD) over {n_resamples} "
            f"{self.resamples.kind} resamples; everything refitted in each"
        )
        parts = [title, "", _text_table(_summary_cells(self.summary()))]
        if n_resamples > 1 and self.scores["arm"].nunique() > 1:
            parts += ["", "Difference in accuracy, with its 95 % corrected interval", ""]
            parts += [_text_table(_difference_cells(self.differences()))]
        return "\n".join(parts)


def honest_arms(
    arms: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    preprocess: Sequence[str] = PREPROCESSING,
    resamples: Resamples,
    trees: int = 500,
    mtry: int = 2,
    random_state: int | None = None,
    progress: Progress | None = None,
) -> HonestArms:
    """Score embedders with a forest, refitting everything inside every resample.

    In each resample the preprocessing, the embedder and the forest are fitted on the training
    rows alone and scored on the test rows. Every arm sees the same resamples, the same
    preprocessing choices and, in each resample, the same seed of the forest.

    Parameters
    ----------
    arms : mapping of str to estimator
        Embedders by name: scikit-learn transformers, which are cloned and stay as they are.
        One that has the method ``fit_resamples(Xs, seeds)`` is called once for all resamples,
        with a list of matrices of shape (n_train, n_columns) and a list of ints, and returns
        a list of fitted transformers. Others are fitted one by one; where they, or the
        steps of a pipeline, have a ``random_state`` parameter, each fit gets its own seed.
    X : array-like of shape (n_rows, n_columns)
        Rows, numeric and finite.
    y : array-like of shape (n_rows,)
        Class labels; only the forest sees them.
    preprocess : sequence of {"none", "standardize"}, default=("none", "standardize")
        What is done to the columns before the embedder, each choice with every arm.
    resamples : Resamples
        Rows to train and test on.
    trees : int, default=500
        Trees of the forest.
    mtry : int, default=2
        Columns looked at in each split; all of them in an embedding with fewer.
    random_state : int or None, default=None
        Root of every seed. An arm's seeds depend on its name, its preprocessing and the
        resample, not on the other arms.
    progress : callable or None, default=None
        Called as ``progress(done, total)`` after each arm's score in a resample.

    Returns
    -------
    HonestArms

    Raises
    ------
    ValueError
        If there is no arm or a preprocessing is unknown; if `X`, `y` and `resamples` differ
        in rows, `X` is not finite, or labels are missing or of one class; if
        ``fit_resamples`` returns another number of transformers than there are resamples.

    References
    ----------
    Varma, S. and Simon, R. (2006). Bias in error estimation when using cross-validation for
    model selection. BMC Bioinformatics 7, 91. https://doi.org/10.1186/1471-2105-7-91
    """
    X = check_array(X, dtype=np.float64)
    codes, _ = check_labels(y, len(X), "honest_arms")
    _check_arms(arms, preprocess, len(X), resamples)
    _check_counts(trees=trees, mtry=mtry)
    seeds = Seeds(random_state)
    total = len(arms) * len(preprocess) * len(resamples)
    rows: list[tuple] = []
    for prepared in preprocess:
        matrices = [_prepare(prepared, X[train], X[test]) for train, test in resamples]
        for name, arm in arms.items():
            arm_seeds = [seeds.get(name, prepared, j) for j in range(len(resamples))]
            embedders = _fitted(name, arm, [train for train, _ in matrices], arm_seeds)
            for j, (embedder, prepared_rows) in enumerate(zip(embedders, matrices, strict=True)):
                Z = [np.asarray(embedder.transform(part)) for part in prepared_rows]
                labels = [codes[part] for part in resamples.pairs[j]]
                forest = Forest(trees, min(mtry, Z[0].shape[1]), seeds.get("forest", j))
                rows.append((name, prepared, j, *_score(forest, Z, labels)))
                if progress is not None:
                    progress(len(rows), total)
    columns = ["arm", "preprocess", "resample", *MEASURES]
    return HonestArms(pd.DataFrame(rows, columns=columns), resamples)


def _prepare(
    preprocess: str, X_train: np.ndarray, X_test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if preprocess == "none":
        return X_train, X_test
    scaler = StandardScaler().fit(X_train)
    return scaler.transform(X_train), scaler.transform(X_test)


def _fitted(name: str, arm: Any, Xs: list[np.ndarray], seeds: list[int]) -> Iterator[Any]:
    if not hasattr(arm, "fit_resamples"):
        yield from (_fit_one(arm, X, seed) for X, seed in zip(Xs, seeds, strict=True))
        return
    fitted = list(clone(arm).fit_resamples(Xs, seeds))
    if len(fitted) != len(Xs):
        raise ValueError(
            f"The method 'fit_resamples' of the arm '{name}' must return a fitted transformer "
            f"for each of {len(Xs)} resamples. Got {len(fitted)} instead."
        )
    yield from fitted


def _fit_one(arm: Any, X: np.ndarray, seed: int) -> Any:
    embedder = clone(arm)
    for name in embedder.get_params():
        # A pipeline's steps have theirs under names such as "pca__random_state".
        if name == "random_state" or name.endswith("__random_state"):
            embedder.set_params(**{name: seed})
    return embedder.fit(X)


def _score(forest: Forest, Z: list[np.ndarray], labels: list[np.ndarray]) -> tuple[float, float]:
    predicted = forest.fit(Z[0], labels[0]).predict(Z[1])
    return accuracy(labels[1], predicted), kappa(labels[1], predicted)


def _check_arms(
    arms: Mapping[str, Any], preprocess: Sequence[str], n_rows: int, resamples: Resamples
) -> None:
    if not arms:
        raise ValueError(
            "The 'arms' parameter of honest_arms must have at least one embedder by name. "
            "Got none instead."
        )
    if isinstance(preprocess, str) or not preprocess:
        raise ValueError(
            "The 'preprocess' parameter of honest_arms must be a non-empty sequence of choices, "
            f"e.g. ('none', 'standardize'). Got {preprocess!r} instead."
        )
    for choice in preprocess:
        _check_choice("preprocess", choice, PREPROCESSING, "honest_arms")
    if n_rows != resamples.n_rows:
        raise ValueError(
            f"The 'resamples' parameter of honest_arms must be drawn from a table of {n_rows} "
            f"rows, as 'X' has. Got resamples of {resamples.n_rows} rows instead."
        )


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, numbers.Integral) or value < 1:
            raise ValueError(
                f"The '{name}' parameter of honest_arms must be an int in the range [1, inf). "
                f"Got {value!r} instead."
            )


def _check_choice(name: str, value: str, choices: Sequence[str], caller: str) -> None:
    if value not in choices:
        raise ValueError(
            f"The '{name}' parameter of {caller} must be one of "
            f"{', '.join(repr(choice) for choice in choices)}. Got {value!r} instead."
        )


def _summary_cells(summary: pd.DataFrame) -> list[list[str]]:
    head = ["arm", "preprocessing", "accuracy", "kappa"]
    body = [
        [
            row.arm,
            row.preprocess,
            f"{row.accuracy_mean:.3f} ({row.accuracy_sd:.3f})",
            f"{row.kappa_mean:.3f} ({row.kappa_sd:.3f})",
        ]
        for row in summary.itertuples()
    ]
    return [head, *body]


def _difference_cells(differences: pd.DataFrame) -> list[list[str]]:
    head = ["arms", "preprocessing", "difference", "interval"]
    body = [
        [
            f"{row.arm} − {row.reference}",
            row.preprocess,
            f"{row.difference:+.3f}",
            f"{row.low:+.3f} to {row.high:+.3f}",
        ]
        for row in differences.itertuples()
    ]
    return [head, *body]


def _text_table(cells: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)
