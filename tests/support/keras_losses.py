"""Every loss and metric that Keras names: many in one training."""

import inspect
import re
from collections.abc import Callable

import numpy as np

from narrows._keras import keras
from narrows.embedders._keras_objects import _FunctionMetric
from narrows.objectives import Losses, Objective, Reconstruction
from narrows.training import Recipe
from support.keras_case import (
    Case,
    assert_equal_weights,
    classes_of,
    fit_keras,
    small_network,
    table,
    train_here,
)

K = keras.optimizers

_LOSS_SETTINGS: dict[str, dict] = {
    "BinaryCrossentropy": {"from_logits": True, "label_smoothing": 0.1},
    "BinaryFocalCrossentropy": {"apply_class_balancing": True, "gamma": 1.5},
    "CategoricalCrossentropy": {"label_smoothing": 0.2, "from_logits": True},
    "CategoricalFocalCrossentropy": {"alpha": 0.4, "gamma": 1.0},
    "CategoricalGeneralizedCrossEntropy": {"q": 0.8},
    "Huber": {"delta": 0.1},
    "Tversky": {"alpha": 0.3, "beta": 0.8},
    "Dice": {"axis": (1,)},
    "MeanSquaredError": {"reduction": "mean"},
}
# Losses of a class's number, of pairs, or of sequences: a row is none of these.
_NO_ROWS = {
    name: f"Got {name!r}"
    for name in (
        "CTC",
        "Circle",
        "SparseCategoricalCrossentropy",
        "CategoricalGeneralizedCrossEntropy",
    )
}


def _of_user() -> dict[str, Callable]:
    ops = keras.ops
    return {
        "a number for the batch": lambda t, p: ops.sqrt(ops.mean(ops.square(t - p))),
        "a number for a row": lambda t, p: ops.max(ops.abs(t - p), axis=-1),
    }


def losses() -> dict[str, Case]:
    """Every loss with default and unusual settings."""
    cases: dict[str, Case] = {}
    wrapped = set()
    for name, kind in classes_of(keras.losses, keras.losses.Loss).items():
        cases[name] = Case(kind, _NO_ROWS.get(name))
        if name not in _NO_ROWS:
            wrapped.add(getattr(kind(), "fn", None))
        if name in _LOSS_SETTINGS and name not in _NO_ROWS:
            cases[f"{name} unusual"] = Case(
                lambda kind=kind, name=name: kind(**_LOSS_SETTINGS[name])
            )
    for name, function in sorted(vars(keras.losses).items()):
        if not inspect.isfunction(function) or name in ("get", "serialize", "deserialize"):
            continue
        if function not in wrapped and name not in {_snake(one).lower() for one in _NO_ROWS}:
            cases[name] = Case(lambda function=function: function)
    cases |= {f"of the user, {name}": Case(lambda f=f: f) for name, f in _of_user().items()}
    cases["refused: over rows"] = Case(
        lambda: keras.losses.CosineSimilarity(axis=0), "Got 'CosineSimilarity'"
    )
    for reduction in ("sum", "mean_with_sample_weight"):
        cases[f"refused: reduction={reduction!r}"] = Case(
            lambda reduction=reduction: keras.losses.MeanSquaredError(reduction=reduction),
            f"reduction='{reduction}'",
        )
    return cases


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Together(Objective):
    """The sum of many losses, each a term, so that one training tries them all."""

    def __init__(self, parts: dict[str, Reconstruction]):
        self._parts = parts
        self.names = tuple(parts)
        self.row_by_row = self.ignores_padding = False

    def __call__(self, batch):
        terms = {name: part(batch).loss for name, part in self._parts.items()}
        return Losses(sum(terms.values()), sum(terms.values()), terms)

    def config(self):
        return ["together", id(self)]


def compare_losses(cases: dict[str, Case], weights=None) -> None:
    """Train with all of them together, against a Keras model with an output for each."""
    x, model = table(), small_network()
    parts = {f"loss{number}": case.make() for number, case in enumerate(cases.values())}
    objective = Together({name: Reconstruction(loss) for name, loss in parts.items()})
    ours = train_here(Recipe(model, objective, K.SGD()), x, 1e-3, weights)
    named = {name: keras.layers.Identity(name=name)(model.output) for name in parts}
    several = keras.Model(model.inputs, named)
    given = None if weights is None else dict.fromkeys(parts, weights)
    theirs = fit_keras(
        several, x, dict.fromkeys(parts, x), given, optimizer=K.SGD(1e-3), loss=dict(parts)
    )
    for name, case in zip(parts, cases, strict=True):
        mine = ours.history[0, :, ours.measures.index(name)]
        np.testing.assert_allclose(mine, theirs[f"{name}_loss"], rtol=1e-4, err_msg=case)
    np.testing.assert_allclose(ours.history[0, :, 0], theirs["loss"], rtol=1e-4)
    assert_equal_weights(ours, model)


def try_loss(case: Case) -> None:
    Reconstruction(case.make())


_METRIC_SETTINGS: dict[str, dict] = {
    "AUC": {"num_thresholds": 20, "curve": "PR"},
    "BinaryIoU": {"threshold": 0.4},
    "F1Score": {"average": "macro", "threshold": 0.4},
    "FBetaScore": {"average": "micro", "beta": 2.0},
    "IoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "Precision": {"thresholds": 0.4},
    "PrecisionAtRecall": {"recall": 0.5},
    "R2Score": {"class_aggregation": "variance_weighted_average"},
    "Recall": {"thresholds": 0.4},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "TopKCategoricalAccuracy": {"k": 2},
}
# Means of values and metrics of a class's number: they take no two rows of numbers.
_NO_PAIRS = {
    "Mean": "Got Mean (",
    "Sum": "Got Sum (",
    "SparseCategoricalAccuracy": "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy": "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy": "SparseTopKCategoricalAccuracy",
}


def metrics() -> dict[str, Case]:
    """Every metric, with unusual settings where it has some."""
    cases: dict[str, Case] = {}
    for name, kind in classes_of(keras.metrics, keras.metrics.Metric).items():
        if name == "MeanMetricWrapper":
            continue  # what it wraps is below
        settings = _METRIC_SETTINGS.get(name, {})
        cases[name] = Case(
            lambda kind=kind, settings=settings: kind(**settings), _NO_PAIRS.get(name)
        )
    for number, (name, function) in enumerate(_of_user().items()):
        cases[f"of the user, {name}"] = Case(
            lambda f=function, n=number: _FunctionMetric(f, name=f"own{n}")
        )
    return cases


def compare_metrics(cases: dict[str, Case], x=None) -> None:
    """Train with all of them together."""
    x, model = table() if x is None else x, small_network()

    def named():
        made = {f"metric{number}": case.make() for number, case in enumerate(cases.values())}
        for name, metric in made.items():
            metric.name = name
        return made

    recipe = Recipe(model, Reconstruction("mse"), K.SGD(), tuple(named().values()))
    ours = train_here(recipe, x, 0.1)
    theirs = fit_keras(model, x, optimizer=K.SGD(0.1), loss="mse", metrics=list(named().values()))
    for name, case in zip(named(), cases, strict=True):
        mine = ours.history[0, :, ours.measures.index(name)]
        np.testing.assert_allclose(mine, theirs[name], rtol=1e-4, atol=1e-6, err_msg=case)


def try_metric(case: Case) -> None:
    recipe = Recipe(small_network(), Reconstruction("mse"), K.SGD(), (case.make(),))
    train_here(recipe, table(), 0.1)
