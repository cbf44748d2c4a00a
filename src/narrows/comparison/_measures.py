"""Measures of agreement between true and predicted classes, as caret prints them."""

import warnings
from typing import Any

from sklearn.metrics import accuracy_score, cohen_kappa_score


def accuracy(y_true: Any, y_pred: Any) -> float:
    """Return the share of rows predicted right.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted classes.

    Returns
    -------
    float
        Between 0 and 1.
    """
    return float(accuracy_score(y_true, y_pred))


def kappa(y_true: Any, y_pred: Any) -> float:
    """Return Cohen's kappa: agreement beyond what the classes' shares alone would give.

    With observed agreement p and agreement expected by chance e, (p − e) / (1 − e).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted classes.

    Returns
    -------
    float
        At most 1. NaN where it is not defined, that is when both name one and the same class
        in every row; caret gives NA there and leaves such resamples out of its means.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and
    Psychological Measurement 20(1), 37–46. https://doi.org/10.1177/001316446002000104
    """
    with warnings.catch_warnings():
        # NaN says it already; some scikit-learn versions warn as well.
        warnings.simplefilter("ignore")
        return float(cohen_kappa_score(y_true, y_pred))
