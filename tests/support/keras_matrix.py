"""Everything that Keras names, trained here and by Keras's own ``fit`` from the same start.

Names are read from Keras's modules, so that one that a new Keras adds is tried as well. A case
either agrees, or is refused by name. ``PYTHONPATH=tests python -m support.keras_matrix`` prints
how many of each kind there are.
"""

import inspect
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from narrows._keras import keras
from narrows.embedders._pieces import _FunctionMetric
from narrows.objectives import Losses, Objective, Reconstruction
from narrows.training import Recipe, train
from support import keras_layers

ROWS, BATCH, EPOCHS = 22, 8, 3  # the last batch of an epoch is short
K = keras.optimizers
SCHEDULES = keras.optimizers.schedules


def classes_of(module, base) -> dict[str, type]:
    """Return the classes of a Keras module, each under the first of its names."""
    found: dict[type, str] = {}
    for name, member in sorted(vars(module).items()):
        if inspect.isclass(member) and issubclass(member, base) and member is not base:
            found.setdefault(member, name)
    return {name: member for member, name in found.items()}


def table(columns=3, rows=ROWS) -> np.ndarray:
    """Rows of numbers between 0.1 and 0.9, as every loss takes them."""
    return np.random.default_rng(0).uniform(0.1, 0.9, (rows, columns)).astype("float32")


def orders(rows=ROWS) -> np.ndarray:
    return np.stack([np.random.default_rng(epoch).permutation(rows) for epoch in range(EPOCHS)])


def small_network() -> keras.Model:
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((3,))
    for units in (4, 2, 4):
        x = keras.layers.Dense(units, activation="tanh")(x)
    return keras.Model(inputs, keras.layers.Dense(3, activation="sigmoid")(x))


def train_here(recipe: Recipe, x, rate, weights=None, validation=None):
    """Train one lane from the model's own weights on the shared orders."""
    return train(
        recipe, x, [np.arange(ROWS)], validation, epochs=EPOCHS, batch_size=BATCH, seeds=[(0, 0)],
        learning_rates=[rate], orders=[orders()], sample_weights=weights,
        initial=[np.asarray(v.value)[None] for v in recipe.model.variables],
    )  # fmt: skip


def fit_keras(model, x, y=None, weights=None, **compiled) -> dict[str, list]:
    """Call Keras's ``fit`` an epoch at a time, on rows put in the epoch's order beforehand."""
    model.compile(**compiled)
    history: dict[str, list] = {}
    for order in orders():
        parts = keras.tree.map_structure(lambda part, o=order: part[o], (x, x if y is None else y))
        chosen = None
        if weights is not None:
            chosen = keras.tree.map_structure(lambda part, o=order: part[o], weights)
        found = model.fit(
            *parts, sample_weight=chosen, batch_size=BATCH, epochs=1, shuffle=False, verbose=0
        ).history
        for name, values in found.items():
            history.setdefault(name, []).extend(values)
    return history


def assert_equal_weights(ours, model, rtol=1e-4) -> None:
    for variable, mine in zip(model.variables, ours.weights, strict=True):
        if "seed_generator" in variable.path:
            continue
        reference = np.asarray(variable.value)
        np.testing.assert_allclose(
            mine[0], reference, rtol=rtol, atol=rtol * max(np.abs(reference).max(), 1e-3),
            err_msg=variable.path,
        )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One thing to train with.

    Attributes
    ----------
    make : callable
        Returns the Keras object.
    refused : str or None
        What the sentence must say that refuses it; None for one that must agree.
    """

    make: Callable
    refused: str | None = None


# ---- optimizers ------------------------------------------------------------------------------

_UNUSUAL: dict[str, dict] = {
    "Adadelta": {"learning_rate": 0.5, "rho": 0.8, "clipnorm": 0.05},
    "Adafactor": {"learning_rate": 0.05, "relative_step": False, "clip_threshold": 0.5},
    "Adagrad": {"learning_rate": 0.1, "initial_accumulator_value": 0.3, "clipvalue": 0.01},
    "Adam": {"learning_rate": 0.01, "amsgrad": True, "weight_decay": 0.1, "clipnorm": 0.05},
    "AdamW": {"learning_rate": 0.01, "weight_decay": 0.3, "gradient_accumulation_steps": 2},
    "Adamax": {"learning_rate": 0.01, "beta_1": 0.7, "global_clipnorm": 0.05},
    "Ftrl": {"learning_rate": 0.1, "l1_regularization_strength": 0.01, "beta": 0.1},
    "Lamb": {"learning_rate": 0.01, "weight_decay": 0.1, "loss_scale_factor": 256.0},
    "Lion": {"learning_rate": 0.01, "beta_1": 0.5, "weight_decay": 0.1},
    "Muon": {"learning_rate": 0.01, "exclude_layers": ["dense_1"], "nesterov": False},
    "Nadam": {"learning_rate": 0.01, "gradient_accumulation_steps": 3, "clipvalue": 0.01},
    "RMSprop": {"learning_rate": 0.01, "centered": True, "momentum": 0.5},
    "SGD": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "loss_scale_factor": 1024.0},
    "ScheduleFreeAdamW": {
        "learning_rate": 0.05, "warmup_steps": 4, "weight_decay": 0.1, "loss_scale_factor": 64.0,
    },
}  # fmt: skip
_SCHEDULED: dict[str, Callable] = {
    "CosineDecay": lambda: SCHEDULES.CosineDecay(0.01, 6, warmup_target=0.1, warmup_steps=2),
    "CosineDecayRestarts": lambda: SCHEDULES.CosineDecayRestarts(0.1, 3),
    "ExponentialDecay": lambda: SCHEDULES.ExponentialDecay(0.1, 2, 0.5, staircase=True),
    "InverseTimeDecay": lambda: SCHEDULES.InverseTimeDecay(0.1, 2, 0.5),
    "PiecewiseConstantDecay": lambda: SCHEDULES.PiecewiseConstantDecay([3, 6], [0.1, 0.05, 0.01]),
    "PolynomialDecay": lambda: SCHEDULES.PolynomialDecay(0.1, 5, power=2.0),
}


class Anchored(K.SGD):
    """A user's optimizer that draws the weights back to where they started."""

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._anchors = self.add_optimizer_variables(variables, "anchor")
        for anchor, variable in zip(self._anchors, variables, strict=True):
            anchor.assign(variable)

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate)
        anchor = self._anchors[self._get_variable_index(variable)]
        self.assign_sub(variable, 0.1 * (variable - anchor))


class Halved(Anchored):
    """One whose variables start from the weights in another way than as copies."""

    def build(self, variables):
        built = self.built
        super().build(variables)
        if not built:
            for anchor in self._anchors:
                anchor.assign(0.5 * anchor.value)


class Finalized(K.SGD):
    """One that changes the weights when Keras's ``fit`` ends."""

    def finalize_variable_values(self, var_list):
        for variable in var_list:
            variable.assign(variable * 0.5)


def _several():
    return K.MultiOptimizer(K.OptimizerMap(K.SGD(0.1), {"dense/.*": K.Adam(0.1)}))


def optimizers() -> dict[str, Case]:
    """Every optimizer with default and unusual settings, every schedule, and what is refused."""
    cases: dict[str, Case] = {}
    for name, kind in classes_of(K, K.Optimizer).items():
        if name in ("LossScaleOptimizer", "MultiOptimizer"):
            continue  # they are made of others, below
        cases[name] = Case(kind)
        if name in _UNUSUAL:
            cases[f"{name} unusual"] = Case(lambda kind=kind, name=name: kind(**_UNUSUAL[name]))
    for name in classes_of(SCHEDULES, SCHEDULES.LearningRateSchedule):
        cases[f"SGD {name}"] = Case(lambda name=name: K.SGD(_SCHEDULED[name](), momentum=0.5))
    # The scale doubles at every other step, beyond what float32 holds, and is halved again.
    cases["LossScaleOptimizer"] = Case(
        lambda: K.LossScaleOptimizer(K.Adam(0.01), initial_scale=2.0**125, dynamic_growth_steps=2)
    )
    cases["LossScaleOptimizer ScheduleFreeAdamW"] = Case(
        lambda: K.LossScaleOptimizer(K.ScheduleFreeAdamW(0.05))
    )
    cases["of the user, from the weights"] = Case(lambda: Anchored(0.1))
    cases["of the user, wrapped"] = Case(lambda: K.LossScaleOptimizer(Anchored(0.1)))
    refused = {
        "use_ema": lambda: K.Adam(use_ema=True, ema_overwrite_frequency=2),
        "use_ema wrapped": lambda: K.LossScaleOptimizer(K.Adam(use_ema=True)),
        "a function as learning_rate": lambda: K.SGD(lambda: 0.1),
        "a finalize_variable_values of its own": lambda: Finalized(0.1),
        "starts from something else": lambda: Halved(0.1),
    }
    if hasattr(K, "MultiOptimizer"):
        refused["several optimizers"] = _several
    for words, make in refused.items():
        cases[f"refused: {words}"] = Case(make, words.removesuffix(" wrapped"))
    return cases


def compare_optimizer(case: Case) -> None:
    x, model, optimizer = table(), small_network(), case.make()
    rate = 0.1 if case.refused else float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    ours = train_here(Recipe(model, Reconstruction("mse"), optimizer), x, rate)
    theirs = fit_keras(model, x, optimizer=case.make(), loss="mse")
    np.testing.assert_allclose(ours.history[0, :, 0], theirs["loss"], rtol=1e-4)
    assert_equal_weights(ours, model)


# ---- losses ----------------------------------------------------------------------------------

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


# ---- metrics ---------------------------------------------------------------------------------

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


# ---- activations, regularizers, constraints, initializers ------------------------------------

_REGULARIZERS: dict[str, dict] = {
    "L1": {"l1": 0.3},
    "L2": {"l2": 0.3},
    "L1L2": {"l1": 0.1, "l2": 0.2},
    "OrthogonalRegularizer": {"factor": 0.1, "mode": "columns"},
}
_CONSTRAINTS: dict[str, dict] = {
    "MaxNorm": {"max_value": 0.4, "axis": 1},
    "MinMaxNorm": {"min_value": 0.3, "max_value": 0.6, "rate": 0.5},
    "UnitNorm": {"axis": 1},
}
_INITIALIZERS: dict[str, dict] = {
    "Constant": {"value": 0.3},
    "Identity": {"gain": 0.5},
    "IdentityInitializer": {"gain": 0.5},
    "Orthogonal": {"gain": 0.5},
    "OrthogonalInitializer": {"gain": 0.5},
    "RandomNormal": {"mean": 0.2, "stddev": 0.3},
    "RandomUniform": {"minval": 0.1, "maxval": 0.4},
    "TruncatedNormal": {"mean": 0.1, "stddev": 0.4},
    "VarianceScaling": {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"},
}
_NO_ACTIVATIONS = ("get", "serialize", "deserialize")


def _default_and_unusual(module, base, settings) -> dict[str, Callable]:
    found: dict[str, Callable] = {}
    for name, kind in classes_of(module, base).items():
        found[name] = kind
        if name in settings:
            found[f"{name} unusual"] = lambda k=kind, n=name: k(**settings[n])
    return found


def _drawn(make: Callable):
    """Give an initializer that draws a seed, so that Keras and narrows draw the same."""
    initializer = make()
    config = initializer.get_config()
    if "seed" not in config:
        return initializer
    return type(initializer).from_config({**config, "seed": 7})


def pieces() -> dict[str, dict]:
    """For each name of a piece of a layer, the arguments of a dense layer that has it."""
    k = keras
    found: dict[str, dict] = {}
    activations = {
        f"activation {name}": function
        for name, function in vars(k.activations).items()
        if callable(function) and name not in _NO_ACTIVATIONS and _of_one_argument(function)
    }
    found |= {name: {"activation": function} for name, function in activations.items()}
    for name, make in _default_and_unusual(
        k.regularizers, k.regularizers.Regularizer, _REGULARIZERS
    ).items():
        found[f"regularizer {name}"] = {"kernel_regularizer": make()}
        if "Orthogonal" not in name:
            found[f"activity regularizer {name}"] = {"activity_regularizer": make()}
    for name, make in _default_and_unusual(
        k.constraints, k.constraints.Constraint, _CONSTRAINTS
    ).items():
        found[f"constraint {name}"] = {"kernel_constraint": make()}
    for name, make in _default_and_unusual(
        k.initializers, k.initializers.Initializer, _INITIALIZERS
    ).items():
        if not name.startswith("STFT"):  # of a complex kernel with an odd number of columns
            found[f"initializer {name}"] = {"kernel_initializer": _drawn(make)}
    return found


def _of_one_argument(function) -> bool:
    """Whether a layer can call it: Keras's threshold needs two more."""
    needed = [
        one.name
        for one in inspect.signature(function).parameters.values()
        if one.default is inspect.Parameter.empty
    ]
    return len(needed) == 1


def branching(arguments: dict[str, dict]) -> keras.Model:
    """Build a network with a branch of one dense layer for each piece."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    branches = [
        keras.layers.Dense(4, name=name.replace(" ", "_"), **own)(inputs)
        for name, own in arguments.items()
    ]
    return keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Concatenate()(branches)))


def compare_pieces(arguments: dict[str, dict]) -> None:
    """Train with all of them together, from weights that both draw alike."""
    model = branching(arguments)
    compare_network(model, table(4))


def compare_network(model, x, **more) -> None:
    ours = train_here(Recipe(model, Reconstruction("mse"), K.SGD()), x, 0.05, **more)
    theirs = fit_keras(model, x, optimizer=K.SGD(0.05), loss="mse")
    np.testing.assert_allclose(ours.history[0, :, 0], theirs["loss"], rtol=1e-4)
    assert_equal_weights(ours, model)


# ---- counting --------------------------------------------------------------------------------


def outcome(case: Case, compare: Callable) -> str:
    """Return "agreed" or "refused"; raise where a case does neither as it should."""
    if case.refused is None:
        compare(case)
        return "agreed"
    try:
        compare(case)
    except ValueError as error:
        if case.refused not in str(error):
            raise AssertionError(f"refused without {case.refused!r}: {error}") from error
        return "refused"
    raise AssertionError(f"not refused: {case.refused}")


@dataclass
class Counts:
    """How many names of each kind agreed, were refused, or failed."""

    found: dict[str, Counter] = field(default_factory=dict)

    def add(self, kind: str, names, run: Callable) -> None:
        """Count names that are tried together; where they fail, each is tried alone."""
        try:
            result = run()
        except Exception as error:
            result = "failed"
            print(f"{kind}, {', '.join(names)}: {type(error).__name__}: {str(error)[:300]}")
        self.found.setdefault(kind, Counter())[result] += len(names)

    def table(self) -> str:
        lines = [f"{'':14}{'agreed':>8}{'refused':>8}{'failed':>8}"]
        for kind, counted in self.found.items():
            numbers = "".join(f"{counted[one]:8d}" for one in ("agreed", "refused", "failed"))
            lines.append(f"{kind:14}{numbers}")
        return "\n".join(lines)


def compare_layers(shape, names=None) -> None:
    """Train a network with a branch for each layer of rows of a shape."""
    x = np.random.default_rng(0).normal(size=(ROWS, *shape)).astype("float32")
    compare_network(keras_layers.network(shape, names), x)


def agreeing(cases: dict[str, Case]) -> dict[str, Case]:
    return {name: case for name, case in cases.items() if case.refused is None}


def refused(cases: dict[str, Case]) -> dict[str, Case]:
    return {name: case for name, case in cases.items() if case.refused is not None}


def main() -> None:
    """Print the counts."""
    counts = Counts()
    for name, case in optimizers().items():
        counts.add("optimizers", [name], lambda case=case: outcome(case, compare_optimizer))
    for kind, cases, together, alone in (
        ("losses", losses(), compare_losses, try_loss),
        ("metrics", metrics(), compare_metrics, try_metric),
    ):
        several = agreeing(cases)
        counts.add(kind, list(several), lambda s=several, t=together: t(s) or "agreed")
        for name, case in refused(cases).items():
            counts.add(kind, [name], lambda c=case, a=alone: outcome(c, a))
    arguments = pieces()
    for kind in ("activation", "regularizer", "constraint", "initializer"):
        own = {name: given for name, given in arguments.items() if f"{kind} " in name}
        counts.add(f"{kind}s", list(own), lambda own=own: compare_pieces(own) or "agreed")
    for shape, layers in keras_layers.BY_SHAPE.items():
        counts.add("layers", list(layers), lambda shape=shape: compare_layers(shape) or "agreed")
    print(counts.table())


if __name__ == "__main__":
    main()
