"""The post's way to judge an embedding: caret's ``train(method = "rf")``."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array

from narrows._checks import refusal
from narrows.comparison.probes._forest import Forest
from narrows.comparison.probes._measures import accuracy, kappa
from narrows.comparison.resampling._resamples import Resamples
from narrows.comparison.running._design import SeedSource
from narrows.data import CLASSIFICATION, check_shared, labels_of


@dataclass(frozen=True)
class CaretForest:
    """Scores of a forest over resamples; prints as caret's ``print.train``.

    Parameters
    ----------
    accuracy, kappa : ndarray of shape (n_resamples,)
        Accuracy and Cohen's kappa on each resample's test rows.
    resamples : Resamples
        The resamples.
    classes : tuple of str
        Class names.
    n_columns : int
        Columns of the embedding.
    n_estimators, max_features : int
        Settings of the forest.
    """

    accuracy: np.ndarray
    kappa: np.ndarray
    resamples: Resamples
    classes: tuple[str, ...]
    n_columns: int
    n_estimators: int
    max_features: int

    @property
    def accuracy_mean(self) -> float:
        """Mean accuracy over resamples."""
        return _mean(self.accuracy)

    @property
    def accuracy_sd(self) -> float:
        """Standard deviation (J − 1) of accuracy over resamples."""
        return _sd(self.accuracy)

    @property
    def kappa_mean(self) -> float:
        """Mean kappa over the resamples where it is defined, as in caret."""
        return _mean(self.kappa)

    @property
    def kappa_sd(self) -> float:
        """Standard deviation (J − 1) of kappa over the resamples where it is defined."""
        return _sd(self.kappa)

    def frame(self) -> pd.DataFrame:
        """Return the scores, one row a resample.

        Returns
        -------
        pandas.DataFrame of shape (n_resamples, 5)
            Columns ``resample`` (from 0), ``n_train``, ``n_test``, ``accuracy``, ``kappa``.
        """
        return pd.DataFrame(
            {
                "resample": np.arange(len(self.resamples)),
                "n_train": [len(train) for train, _ in self.resamples],
                "n_test": [len(test) for _, test in self.resamples],
                "accuracy": self.accuracy,
                "kappa": self.kappa,
            }
        )

    def __str__(self) -> str:
        return "\n".join(
            [
                "Random Forest",
                "",
                *self._data_lines(),
                "",
                "No pre-processing",
                f"Resampling: {self._resampling()}",
                f"Summary of sample sizes: {self._sizes()}",
                "Resampling results:",
                "",
                *self._result_lines(),
                "",
                f"Tuning parameter 'mtry' was held constant at a value of {self.max_features}",
            ]
        )

    def _data_lines(self) -> list[str]:
        counts = [str(n) for n in (self.resamples.n_rows, self.n_columns, len(self.classes))]
        width = max(len(count) for count in counts)
        names = ", ".join(f"'{name}'" for name in self.classes)
        words = ["samples", f"predictor{'s' * (self.n_columns > 1)}", f"classes: {names}"]
        return [f"{count:>{width}} {word}" for count, word in zip(counts, words, strict=True)]

    def _resampling(self) -> str:
        name = {"bootstrap": "Bootstrapped"}.get(self.resamples.kind, self.resamples.kind)
        return f"{name} ({len(self.resamples)} reps)"

    def _sizes(self) -> str:
        sizes = [str(len(train)) for train, _ in self.resamples]
        return ", ".join(sizes if len(sizes) <= 6 else [*sizes[:6], "..."])

    def _result_lines(self) -> list[str]:
        values = {
            "Accuracy": self.accuracy_mean,
            "Kappa": self.kappa_mean,
            "AccuracySD": self.accuracy_sd,
            "KappaSD": self.kappa_sd,
        }
        cells = {name: f"{value:.7g}" for name, value in values.items()}
        widths = {name: max(len(name), len(cell)) for name, cell in cells.items()}
        head = "  ".join(name.ljust(widths[name]) for name in cells)
        row = "  ".join(cell.ljust(widths[name]) for name, cell in cells.items())
        return [f"  {head}".rstrip(), f"  {row}".rstrip()]


def caret_forest(
    Z: Any,
    y: Any,
    *,
    resamples: Resamples,
    n_estimators: int = 500,
    max_features: int = 2,
    random_state: int | None = None,
) -> CaretForest:
    """Score a finished embedding with a forest, as caret's ``train(method = "rf")`` does.

    The embedding is taken as it is: whatever made it has seen every row, the test rows of
    each resample included. That is the post's comparison; `honest_arms` refits instead.

    Parameters
    ----------
    Z : array-like of shape (n_rows, n_columns)
        The embedding.
    y : array-like of shape (n_rows,)
        Class labels.
    resamples : Resamples
        Rows to train and test on, e.g. from `bootstrap`, caret's default.
    n_estimators : int, default=500
        Trees of the forest.
    max_features : int, default=2
        Columns looked at in each split.
    random_state : int or None, default=None
        Seed of the forests; each resample gets its own.

    Returns
    -------
    CaretForest
        Accuracy and kappa for each resample; prints as in R, with standard deviations.

    Raises
    ------
    ValueError
        If `Z`, `y` and `resamples` differ in rows, `Z` is not finite, labels are missing or
        of one class, or a setting is out of range.

    References
    ----------
    Kuhn, M. (2008). Building predictive models in R using the caret package. Journal of
    Statistical Software 28(5). https://doi.org/10.18637/jss.v028.i05
    """
    Z = check_array(Z, dtype=np.float64)
    _check_rows(len(Z), resamples)
    labels = labels_of(y, len(Z), "caret_forest", CLASSIFICATION)
    check_shared(labels, "caret_forest")
    codes, classes = labels.values, labels.classes
    seeds = SeedSource(random_state)
    accuracies, kappas = np.empty(len(resamples)), np.empty(len(resamples))
    for number, (train, test) in enumerate(resamples):
        forest = Forest(n_estimators, max_features, random_state=seeds.get("forest", number))
        predicted = forest.fit(Z[train], codes[train]).predict(Z[test])
        accuracies[number] = accuracy(codes[test], predicted)
        kappas[number] = kappa(codes[test], predicted)
    return CaretForest(
        accuracies, kappas, resamples, classes, Z.shape[1], n_estimators, max_features
    )


def _check_rows(n_rows: int, resamples: Resamples) -> None:
    if n_rows != resamples.n_rows:
        raise refusal(
            "caret_forest",
            "resamples",
            f"be drawn from a table of {n_rows} rows, as 'Z' has",
            f"resamples of {resamples.n_rows} rows",
        )


def _mean(scores: np.ndarray) -> float:
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else float("nan")


def _sd(scores: np.ndarray) -> float:
    defined = scores[~np.isnan(scores)]
    return float(defined.std(ddof=1)) if len(defined) > 1 else float("nan")
