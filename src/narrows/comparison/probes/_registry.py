"""Probes: the downstream models that judge an embedding."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narrows._checks import did_you_mean, listed, refusal
from narrows.comparison._arms import seeded
from narrows.comparison.probes._forest import Forest, ForestRegressor
from narrows.comparison.probes._measures import measures_of
from narrows.comparison.probes._neighbors import NeighboursClassifier, NeighboursRegressor
from narrows.data import CLASSIFICATION, PREDICTED, REGRESSION


def _logistic() -> Any:
    """Logistic regression with scikit-learn's L2 penalty (C = 1), on standardized columns."""
    # lbfgs needs some tens of steps on standardized columns; the limit is for odd data.
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))


def _ridge() -> Any:
    """Ridge regression on standardized columns, its penalty chosen by leaving one row out."""
    return make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-3, 3, 13)))


# To add a probe, name here what makes one: all that has a name is offered, listed and tested.
PROBES: dict[str, dict[str, Callable[[], Any]]] = {
    CLASSIFICATION: {"forest": Forest, "logistic": _logistic, "neighbours": NeighboursClassifier},
    REGRESSION: {"forest": ForestRegressor, "ridge": _ridge, "neighbours": NeighboursRegressor},
}


def probe_for(spec: Any, kind: str) -> Any:
    """Return a probe that is not fitted yet: one of `PROBES` by name, or a copy of an estimator."""
    if isinstance(spec, str):
        return _named(spec, kind)
    if isinstance(spec, type) or not (hasattr(spec, "fit") and hasattr(spec, "predict")):
        raise refusal(
            None,
            "probes",
            "have names or scikit-learn estimators with 'fit' and 'predict'",
            repr(spec),
        )
    wrong = is_regressor(spec) if kind == CLASSIFICATION else is_classifier(spec)
    if wrong:
        own, other = (PREDICTED[one] for one in (kind, *(set(PREDICTED) - {kind})))
        raise refusal(
            None,
            "probes",
            f"have estimators that predict {own}, as the labels are",
            f"{type(spec).__name__}, which predicts {other},",
            "'task' says what the labels are.",
        )
    return clone(spec)


def score_probe(
    probe: Any,
    Z_train: np.ndarray,
    y_train: np.ndarray,
    Z_test: np.ndarray,
    y_test: np.ndarray,
    kind: str,
    n_classes: int = 0,
    seed: int | None = None,
) -> dict[str, float]:
    """Fit a probe on rows Z, shape (n_train, width), of labels' codes or numbers, and score it.

    A class that the training rows lack gets probability zero. Returns every measure of the kind,
    NaN for one of probabilities where the probe gives none.
    """

    def own() -> Any:
        return clone(probe) if seed is None else seeded(probe, seed)

    if (y_train == y_train[0]).all():
        # Many estimators refuse that, and there is nothing to learn.
        predicted = np.full(len(Z_test), y_train[0])
        probabilities = np.eye(n_classes)[predicted] if kind == CLASSIFICATION else None
    elif kind == CLASSIFICATION:
        predicted, probabilities = _classify(own(), Z_train, y_train, Z_test, n_classes)
    else:
        fitted = own().fit(np.copy(Z_train), y_train)  # a probe may work in place
        predicted, probabilities = _finite(fitted.predict(np.copy(Z_test)), "numbers"), None
    given = {"labels": predicted, "probabilities": probabilities}
    return {
        measure.name: _value(measure.function, y_test, given[measure.needs])
        for measure in measures_of(kind)
    }


def _named(name: str, kind: str) -> Any:
    known = PROBES[kind]
    if name in known:
        return known[name]()
    advice = did_you_mean(name, known, 2, 0.5)
    if any(name in names for names in PROBES.values()):
        advice = "That one is for the other kind of labels."
    raise refusal(
        None,
        "probes",
        f"have {listed(known)} or scikit-learn estimators where labels are {PREDICTED[kind]}",
        repr(name),
        advice,
    )


def _votes(
    probe: Any, Z_train: np.ndarray, y_train: np.ndarray, Z_test: np.ndarray, n_classes: int
) -> np.ndarray | None:
    """Return a narrows forest's votes for all classes, grown without checking what is known."""
    if type(probe) is not Forest:
        return None
    with np.errstate(over="ignore"):
        parts = [np.ascontiguousarray(Z, dtype=np.float32) for Z in (Z_train, Z_test)]
    if not all(np.isfinite(part).all() for part in parts):
        return None  # the forest itself says what is wrong
    present, codes = np.unique(y_train, return_inverse=True)
    votes = np.zeros((len(Z_test), n_classes))
    votes[:, present] = probe._judge(parts[0], codes, parts[1])
    return votes


def _classify(
    probe: Any, Z_train: np.ndarray, y_train: np.ndarray, Z_test: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fit; return predicted codes and, where there are any, probabilities of all classes."""
    votes = _votes(probe, Z_train, y_train, Z_test, n_classes)
    if votes is not None:
        return votes.argmax(axis=1), votes
    fitted = probe.fit(np.copy(Z_train), y_train)  # a probe may work in place
    if not hasattr(fitted, "predict_proba"):
        return fitted.predict(np.copy(Z_test)), None
    probabilities = np.zeros((len(Z_test), n_classes))
    found = _finite(fitted.predict_proba(np.copy(Z_test)), "probabilities")
    probabilities[:, fitted.classes_] = found
    return fitted.predict(np.copy(Z_test)), probabilities


def _finite(predicted: Any, what: str) -> np.ndarray:
    """Return predictions; a resample left out for some that are none would flatter the arm."""
    predicted = np.asarray(predicted)
    bad = np.count_nonzero(~np.isfinite(predicted))
    if bad:
        raise ValueError(
            f"A probe must predict finite {what}. Got {bad} of {predicted.size} that are NaN or "
            "infinite instead."
        )
    return predicted


def _value(function: Any, y_true: np.ndarray, given: np.ndarray | None) -> float:
    return float("nan") if given is None else function(y_true, given)
