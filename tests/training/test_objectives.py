"""Objectives inside the engine: what they see, what is minimised, and what is recorded."""

import jax.numpy as jnp
import numpy as np
import pytest

from narrows._keras import keras
from narrows.objectives import (
    Contraction,
    Objective,
    Reconstruction,
    Sparsity,
    Sum,
    TargetSparsity,
    Weighted,
)
from narrows.training import Recipe, train

layers = keras.layers
RNG = np.random.default_rng(0)
X = (RNG.normal(size=(50, 4)) @ RNG.normal(size=(4, 4))).astype("float32") / 2


def network(decoded=True):
    """4 → 3 (tanh) → 4, with the code as an output of its own."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    code = layers.Dense(3, activation="tanh")(inputs)
    outputs = {"code": code}
    if decoded:
        outputs["output"] = layers.Dense(4)(code)
    return keras.Model(inputs, outputs)


def fit(objective, model=None, *, rows=50, rate=0.1, epochs=1, batch_size=64, **more):
    """Train from the model's own weights on rows in their own order, by plain gradient steps."""
    model = model or network()
    template = more.pop("optimizer", None) or keras.optimizers.SGD()
    recipe = Recipe(model, objective, template, schedule=more.pop("schedule", "constant"))
    return train(
        recipe, more.pop("x", X), [np.arange(rows)], epochs=epochs, batch_size=batch_size,
        seeds=[(0, 0)], learning_rates=[rate], orders=[np.tile(np.arange(rows), (epochs, 1))],
        initial=[np.asarray(v.value)[None] for v in model.variables], **more,
    )  # fmt: skip


def by_hand(weights, x=X):
    """Each term of the small network in float64."""
    kernel, bias, back, shift = (np.asarray(w, float) for w in weights)
    code = np.tanh(x @ kernel + bias)
    mean = 1 / (1 + np.exp(-code))
    rho = mean.mean(axis=0)
    jacobians = (1 - code**2)[:, None, :] * kernel[None]
    return {
        "reconstruction": np.mean((code @ back + shift - x) ** 2),
        "sparsity": np.abs(code).sum(axis=1).mean(),
        "target": np.sum(0.1 * np.log(0.1 / rho) + 0.9 * np.log(0.9 / (1 - rho))),
        "contraction": (jacobians**2).sum(axis=(1, 2)).mean(),
    }


def slopes(function, weights, step=1e-6):
    found = []
    for number, weight in enumerate(weights):
        slope = np.zeros(weight.shape)
        for place in np.ndindex(weight.shape):
            ends = []
            for sign in (1, -1):
                moved = [w.astype(float) for w in weights]
                moved[number][place] += sign * step
                ends.append(function(moved))
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        found.append(slope)
    return found


SUM = {"reconstruction": 1.0, "sparsity": 0.3, "contraction": 0.2}


def penalised(squash=False):
    code = TargetSparsity(0.1) if squash else Sparsity()
    return Sum([Reconstruction("mse"), Weighted(code, 0.3), Weighted(Contraction(), 0.2)])


@pytest.mark.parametrize("squash", [False, True])
def test_a_step_follows_the_gradient_of_the_sum(squash):
    """One step of gradient descent at rate 0.1, against central differences in float64."""

    def total(weights):
        terms = by_hand(weights)
        chosen = {**terms, "sparsity": terms["target"]} if squash else terms
        return sum(weight * chosen[name] for name, weight in SUM.items())

    start = [w.copy() for w in network().get_weights()]
    training = fit(penalised(squash))
    terms = by_hand(start)
    terms["sparsity"] = terms["target"] if squash else terms["sparsity"]
    assert training.measures == ["loss", *SUM]
    expected = [total(start), *(terms[name] for name in SUM)]
    np.testing.assert_allclose(training.history[0, 0], expected, rtol=1e-5)
    for before, after, slope in zip(start, training.weights, slopes(total, start), strict=True):
        np.testing.assert_allclose(before - after[0], 0.1 * slope, rtol=1e-3, atol=1e-6)


class Exact(Sum):
    """The same sum, for an engine that does not pad."""

    def __init__(self, parts):
        super().__init__(parts)
        self.ignores_padding = False


def test_padding_changes_no_term():
    """A short last batch, with row weights: padded, and compiled at its exact length."""
    parts = [Reconstruction("mse"), TargetSparsity(0.1), Weighted(Contraction(), 0.2)]
    weights = np.linspace(0, 2, 50)
    padded, exact = (
        fit(kind(parts), epochs=3, batch_size=16, sample_weights=weights) for kind in (Sum, Exact)
    )
    np.testing.assert_allclose(padded.history, exact.history, rtol=1e-5)
    for one, two in zip(padded.weights, exact.weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_a_network_without_decoder():
    training = fit(Sparsity(), network(decoded=False), epochs=20)
    assert training.measures == ["loss"]
    assert training.history[0, -1, 0] < 0.7 * training.history[0, 0, 0]


class Batchwise(Objective):
    """The variance of the code over the batch, which grows with the batch."""

    names = ("spread",)
    row_by_row = False

    def __call__(self, batch):
        return self._single(jnp.sum(batch.counted) * jnp.mean(batch.code**2))

    def config(self):
        return ["batchwise"]


def test_what_depends_on_the_batch_is_validated_in_batches_of_that_size():
    training = fit(
        Batchwise(), network(decoded=False), rows=32, batch_size=8, rate=1e-12,
        validation=[np.arange(32, 48)],
    )  # fmt: skip
    model = network(decoded=False)
    code = np.asarray(model(X[32:48])["code"])
    expected = np.mean([8 * np.mean(code[k : k + 8] ** 2) for k in (0, 8)])
    found = training.history[0, 0, training.measures.index("val_loss")]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


# Numbers of the objective's own


class Scale(Objective):
    """Reconstructs with a trained scale: mean of (s · z − 2)², which s alone can bring to 0."""

    names = ("misfit",)
    parameters = {"scale": 0.5}  # noqa: RUF012

    def __call__(self, batch):
        value = batch.parameters["scale"] - 2.0
        return self._single(value**2 + 0.0 * jnp.sum(batch.code))

    def config(self):
        return ["scale"]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_number_of_the_objective_is_trained(optimizer):
    template = keras.optimizers.get(optimizer)
    if optimizer == "adamw":
        template.weight_decay = 0.5  # of the network: it would hold the number away from 2
    training = fit(Sum([Reconstruction("mse"), Scale()]), epochs=300, rate=0.05, optimizer=template)
    assert training.parameters.keys() == {"scale"}
    np.testing.assert_allclose(training.parameters["scale"], [2.0], atol=1e-3)
    assert len(training.weights) == 4
    assert training.take(slice(0, 1)).parameters["scale"].shape == (1,)


def test_early_stopping_keeps_the_number_of_the_best_epoch():
    training = fit(Scale(), network(decoded=False), epochs=20, rate=1.05, patience=2)
    # At rate 1.05 the error grows by 1.1 at every step: the first epoch is the best.
    assert training.best_epoch[0] == 0
    assert training.epochs_run[0] == 3
    np.testing.assert_allclose(training.parameters["scale"], [2 - (0.5 - 2) * 1.1], rtol=1e-5)


# Schedules


def test_a_rising_weight_is_what_is_minimised_and_the_full_one_what_is_recorded():
    rising = Sum([Reconstruction("mse"), Weighted(Sparsity(), 0.3, warmup=4)])
    training = fit(rising, epochs=3)
    weights = network().get_weights()
    for epoch in range(3):
        terms = by_hand(weights)
        recorded = terms["reconstruction"] + 0.3 * terms["sparsity"]
        np.testing.assert_allclose(training.history[0, epoch, 0], recorded, rtol=1e-5)
        part = Sum([Reconstruction("mse"), Weighted(Sparsity(), 0.3 * epoch / 4)])
        model = network()
        model.set_weights(weights)
        weights = [w[0] for w in fit(part, model).weights]
    for one, two in zip(training.weights, weights, strict=True):
        np.testing.assert_allclose(one[0], two, rtol=1e-5, atol=1e-7)


def test_the_cosine_is_kerass_own():
    """The learning rate falls as under `keras.optimizers.schedules.CosineDecay`."""
    epochs, steps = 4, 4
    ours = fit(Reconstruction("mse"), epochs=epochs, batch_size=13, schedule="cosine", rate=0.2)
    schedule = keras.optimizers.schedules.CosineDecay(0.2, epochs * steps)
    theirs = fit(
        Reconstruction("mse"),
        epochs=epochs,
        batch_size=13,
        optimizer=keras.optimizers.SGD(schedule),
    )
    constant = fit(Reconstruction("mse"), epochs=epochs, batch_size=13, rate=0.2)
    for one, two, other in zip(ours.weights, theirs.weights, constant.weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
        assert not np.allclose(one, other, atol=1e-3)


def test_segments_do_not_matter_to_schedules(monkeypatch):
    from narrows.training import _chunk

    rising = Sum([Reconstruction("mse"), Weighted(Sparsity(), 0.3, warmup=4)])

    def run():
        return fit(rising, epochs=5, batch_size=16, schedule="cosine")

    long = run()
    monkeypatch.setattr(_chunk, "_SEGMENT_SECONDS", 1e-9)
    short = run()
    assert all(np.array_equal(a, b) for a, b in zip(long.weights, short.weights, strict=True))


# Targets


def test_other_targets_than_the_rows_equal_keras():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((2,))
    model = keras.Model(inputs, layers.Dense(4)(layers.Dense(5, activation="tanh")(inputs)))
    z = X[:, :2] * 2
    ours = fit(Reconstruction("mse"), model, x=z, targets=X, epochs=3, batch_size=16)
    model.compile(keras.optimizers.SGD(0.1), loss="mse")
    model.fit(z, X, batch_size=16, epochs=3, shuffle=False, verbose=0)
    for variable, mine in zip(model.variables, ours.weights, strict=True):
        np.testing.assert_allclose(mine[0], np.asarray(variable.value), rtol=1e-4, atol=1e-6)
