"""What each lane has for itself: weight decay, schedules, noise, epochs of any length."""

import dataclasses

import numpy as np
import pytest

from narrows._keras import keras
from narrows.objectives import Reconstruction
from narrows.training import Noise, Recipe, forget_programs, train
from narrows.training._seeding import BatchOrder
from narrows.training.compiling import _program
from narrows.training.looping._settings import factor

X = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
ROWS = np.arange(40)
HELD_OUT = np.arange(40, 60)


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    code = keras.layers.Dense(2, activation="tanh")(inputs)
    return keras.Model(inputs, {"code": code, "output": keras.layers.Dense(3)(code)})


MODEL = network()
STARTS = [np.asarray(variable.value) for variable in MODEL.variables]
KERNELS = frozenset({0, 2})
RECIPE = Recipe(MODEL, Reconstruction("mse"), keras.optimizers.Adam(), decayed=KERNELS)


def fit(lanes=1, recipe=RECIPE, rows=None, **more):
    more = {"epochs": 4, "batch_size": 16, "learning_rates": [0.01] * lanes, **more}
    return train(
        recipe, X, rows or [ROWS] * lanes, seeds=[(1, 0)] * lanes,
        initial=[np.stack([start] * lanes) for start in STARTS], **more,
    )  # fmt: skip


def test_weight_decay_is_that_of_adamw():
    ours = fit(weight_decays=[0.2], epochs=3, orders=[np.tile(ROWS, (3, 1))], batch_size=8)
    model = network()
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    output = keras.Model(model.input, model.output["output"])
    output.compile(optimizer, "mse")
    output.fit(X[ROWS], X[ROWS], batch_size=8, epochs=3, shuffle=False, verbose=0)
    for mine, theirs in zip(ours.weights, output.get_weights(), strict=True):
        np.testing.assert_allclose(mine[0], theirs, atol=1e-5)


def test_what_decays_shrinks_and_the_rest_does_not():
    still = fit(weight_decays=[3.0], loss_scales=[0.0])
    for place, (mine, start) in enumerate(zip(still.weights, STARTS, strict=True)):
        steps = 4 * 3
        shrunk = start * (1 - 0.01 * 3.0) ** steps if place in KERNELS else start
        np.testing.assert_allclose(mine[0], shrunk, rtol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"weight_decays": [0.0, 0.3]},
        {"schedules": ["constant", "one-cycle"]},
        {"noises": [0.0, 0.4]},
        {"loss_scales": [1.0, 1e3]},
        {"learning_rates": [0.01, 0.1]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_lanes_together_are_lanes_alone(settings):
    recipe = dataclasses.replace(RECIPE, noise=Noise("gaussian", 0.1))
    together = fit(2, recipe, **settings)
    for lane in range(2):
        own = {name: [values[lane]] * 2 for name, values in settings.items()}
        alone = fit(2, recipe, **own)
        np.testing.assert_array_equal(together.history[lane], alone.history[0])
    assert not np.array_equal(together.history[0], together.history[1])


def test_another_value_compiles_nothing(monkeypatch):
    recipe = dataclasses.replace(RECIPE, noise=Noise("masking", 0.1))
    fit(2, recipe)
    monkeypatch.setattr(_program, "compile_together", None)
    fit(
        2, recipe, learning_rates=[0.1, 0.2], weight_decays=[0.1, 0.5], noises=[0.3, 0.0],
        schedules=["cosine", "one-cycle"], loss_scales=[2.0, 3.0], epochs=3,
    )  # fmt: skip


def with_dropout(*rates, foreign=False):
    """Build a network with dropout in a row, in a nested model and in a layer that is called twice.

    The last rate is in a wrapper and no input.
    """
    layers = keras.layers
    first, second, third, wrapped = rates
    inner = keras.Sequential(
        [
            keras.Input((6,), name="inner_rows"),
            layers.Dropout(third, name="third"),
            layers.Dense(5, name="inner_dense"),
        ],
        name="inner",
    )
    twice = layers.Dropout(second, name="twice")
    inputs = x = keras.Input((3,), name="rows")
    x = layers.Dense(6, activation="relu", name="wide")(x)
    x = layers.BatchNormalization(name="norm")(layers.Dropout(first, name="first")(x))
    x = inner(twice(layers.Dense(6, name="dense")(twice(x))))
    x = layers.Reshape((5, 1), name="column")(x)
    x = layers.TimeDistributed(layers.Dropout(wrapped, name="wrapped"), name="wrapper")(x)
    code = layers.Dense(2, name="code")(layers.Flatten(name="flat")(x))
    if foreign:
        code = Doubled(name="doubled")(code)
    outputs = {"code": code, "output": layers.Dense(3, name="output")(code)}
    return keras.Model(inputs, outputs, name="network")


class Doubled(keras.layers.Layer):
    """A layer of nobody's own, so that a network with it is told by its trace."""

    def call(self, inputs):
        """Double."""
        return inputs * 2


def fit_dropouts(*rates, foreign=False, lanes=2, **more):
    recipe = Recipe(with_dropout(*rates, foreign=foreign), Reconstruction("mse"), RECIPE.optimizer)
    more = {"epochs": 3, "batch_size": 16, "learning_rates": [0.01] * lanes, **more}
    validation = [HELD_OUT] * lanes
    return train(recipe, X, [ROWS] * lanes, validation, seeds=[(1, 0)] * lanes, **more)


@pytest.mark.parametrize("foreign", [False, True], ids=["described", "traced"])
def test_another_dropout_rate_compiles_nothing(monkeypatch, foreign):
    forget_programs()
    one, other = (0.2, 0.3, 0.4, 0.1), (0.25, 0.6, 0.05, 0.1)
    before = fit_dropouts(*one, foreign=foreign)
    with monkeypatch.context() as patched:
        patched.setattr(_program, "compile_together", None)
        shared = fit_dropouts(*other, foreign=foreign)
    assert not np.array_equal(shared.history, before.history)
    forget_programs()
    alone = fit_dropouts(*other, foreign=foreign)
    np.testing.assert_array_equal(shared.history, alone.history)
    for mine, theirs in zip(shared.weights, alone.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("rates", [(0.0, 0.3, 0.4, 0.1), (0.2, 0.3, 0.4, 0.2)], ids=str)
def test_a_rate_of_zero_or_in_a_wrapper_is_another_program(monkeypatch, rates):
    fit_dropouts(0.2, 0.3, 0.4, 0.1)
    monkeypatch.setattr(_program, "compile_together", None)
    with pytest.raises(TypeError):
        fit_dropouts(*rates)


def test_dropout_rates_together_are_rates_alone():
    rates = [[0.2, 0.3, 0.4], [0.7, 0.1, 0.5]]
    together = fit_dropouts(0.2, 0.3, 0.4, 0.1, dropouts=rates)
    for lane, own in enumerate(rates):
        alone = fit_dropouts(*own, 0.1)
        np.testing.assert_array_equal(together.history[lane], alone.history[lane])
        for mine, theirs in zip(together.weights, alone.weights, strict=True):
            np.testing.assert_array_equal(mine[lane], theirs[lane])
    assert not np.array_equal(together.history[0], together.history[1])


def test_dropout_rates_of_zero_drop_nothing():
    zero = [[0.0] * 3] * 2
    one = fit_dropouts(0.2, 0.3, 0.4, 0.1, dropouts=zero)
    other = fit_dropouts(0.9, 0.8, 0.7, 0.1, dropouts=zero)
    np.testing.assert_array_equal(one.history, other.history)
    assert not np.array_equal(one.history, fit_dropouts(0.2, 0.3, 0.4, 0.1).history)


@pytest.mark.parametrize("rates", [[0.2, 0.3], [0.2, 0.3, 1.0], [0.2, 0.3, -0.1]], ids=str)
def test_dropout_rates_must_be_those_of_the_layers(rates):
    with pytest.raises(ValueError, match="a rate of at least 0 and less than 1 for each of"):
        fit_dropouts(0.2, 0.3, 0.4, 0.1, dropouts=[rates] * 2)


def test_no_noise_of_a_lane_is_no_noise():
    noisy = fit(1, dataclasses.replace(RECIPE, noise=Noise("gaussian", 0.3)), noises=[0.0])
    np.testing.assert_allclose(noisy.history, fit().history, rtol=1e-6)


def test_learning_rate_zero_changes_nothing():
    still = fit(learning_rates=[0.0], weight_decays=[0.3])
    for mine, start in zip(still.weights, STARTS, strict=True):
        np.testing.assert_array_equal(mine[0], start)


def test_schedules_by_hand():
    def at(schedule, progress):
        return float(factor(np.int32(schedule), np.float32(progress)))

    assert [at(0, p) for p in (0, 0.4, 1)] == [1, 1, 1]
    assert [at(1, p) for p in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0], abs=1e-6)
    assert [at(2, p) for p in (0, 0.15, 0.3, 0.65, 1)] == pytest.approx(
        [0.04, 0.52, 1, 0.500002, 4e-6], abs=1e-5
    )


def test_a_schedule_stopped_early_is_the_start_of_the_longer_training():
    whole = fit(schedules=["cosine"], epochs=6)
    part = fit(schedules=["cosine"], epochs=2, all_epochs=6)
    np.testing.assert_array_equal(part.history[0], whole.history[0, :2])
    assert not np.array_equal(part.history, fit(schedules=["cosine"], epochs=2).history)


def test_epochs_of_any_length_are_cut_from_passes_over_the_rows():
    rows = np.array([3, 5, 7, 9, 11])
    order = BatchOrder(rows, np.random.SeedSequence(0), epoch_rows=7)
    stream = np.concatenate([order.draw(2).ravel(), order.draw(3).ravel()])
    assert stream.shape == (35,)
    for passed in stream.reshape(7, 5):
        assert sorted(passed) == rows.tolist()
    again = BatchOrder(rows, np.random.SeedSequence(0), epoch_rows=7)
    assert again.draw(5).shape == (5, 7)


def test_lanes_may_have_different_numbers_of_rows():
    rows, validation = [ROWS, ROWS[:33]], [HELD_OUT, HELD_OUT[:7]]
    together = fit(2, rows=rows, validation=validation, epoch_rows=32)
    for lane in range(2):
        alone = fit(2, rows=[rows[lane]] * 2, validation=[validation[lane]] * 2, epoch_rows=32)
        np.testing.assert_allclose(together.history[lane], alone.history[0], rtol=1e-6)


def test_held_out_losses_are_of_a_lanes_own_rows():
    validation = [HELD_OUT, HELD_OUT[:7]]
    found = fit(2, validation=validation, learning_rates=[0.0, 0.0], epochs=1)
    place = found.measures.index("val_loss")
    for lane, numbers in enumerate(validation):
        output = MODEL(X[numbers])["output"]
        assert found.history[lane, 0, place] == pytest.approx(
            float(np.mean((np.asarray(output) - X[numbers]) ** 2)), rel=1e-5
        )


def test_a_checkpoint_of_settings_goes_on_to_the_same_bits(tmp_path):
    settings = {"weight_decays": [0.3], "schedules": ["one-cycle"], "epoch_rows": 24, "epochs": 6}
    whole = fit(**settings)
    path = tmp_path / "c"
    fit(**settings, checkpoint=path)
    again = fit(**settings, checkpoint=path)
    np.testing.assert_array_equal(again.history, whole.history)
    with pytest.raises(ValueError, match="differs in its settings"):
        fit(**settings | {"weight_decays": [0.2]}, checkpoint=path)
