"""Every optimizer and schedule that Keras names, and what is refused."""

from collections.abc import Callable

import numpy as np

from narrows._keras import keras
from narrows.objectives import Reconstruction
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
SCHEDULES = keras.optimizers.schedules

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
SCHEDULED: dict[str, Callable] = {
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
            anchor.assign(keras.ops.copy(variable))

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


def cases() -> dict[str, Case]:
    """Every optimizer with default and unusual settings, every schedule, and what is refused."""
    found: dict[str, Case] = {}
    for name, kind in classes_of(K, K.Optimizer).items():
        if name in ("LossScaleOptimizer", "MultiOptimizer"):
            continue  # they are made of others, below
        found[name] = Case(kind)
        if name in _UNUSUAL:
            found[f"{name} unusual"] = Case(lambda kind=kind, name=name: kind(**_UNUSUAL[name]))
    for name in classes_of(SCHEDULES, SCHEDULES.LearningRateSchedule):
        found[f"SGD {name}"] = Case(lambda name=name: K.SGD(SCHEDULED[name](), momentum=0.5))
    found["LossScaleOptimizer"] = Case(lambda: K.LossScaleOptimizer(K.Adam(0.01)))
    found["LossScaleOptimizer unusual"] = Case(
        lambda: K.LossScaleOptimizer(K.SGD(0.1, momentum=0.5), 8.0, dynamic_growth_steps=2)
    )
    found["LossScaleOptimizer ScheduleFreeAdamW"] = Case(
        lambda: K.LossScaleOptimizer(K.ScheduleFreeAdamW(0.05))
    )
    found["of the user, from the weights"] = Case(lambda: Anchored(0.1))
    found["of the user, wrapped"] = Case(lambda: K.LossScaleOptimizer(Anchored(0.1)))
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
        found[f"refused: {words}"] = Case(make, words.removesuffix(" wrapped"))
    return found


def compare(case: Case) -> None:
    x, model, optimizer = table(), small_network(), case.make()
    rate = 0.1 if case.refused else float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    ours = train_here(Recipe(model, Reconstruction("mse"), optimizer), x, rate)
    theirs = fit_keras(model, x, optimizer=case.make(), loss="mse")
    np.testing.assert_allclose(ours.history[0, :, 0], theirs["loss"], rtol=1e-4)
    assert_equal_weights(ours, model)
