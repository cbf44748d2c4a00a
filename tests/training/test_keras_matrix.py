"""Every optimizer, loss, metric and piece of a layer that Keras names agrees, or is refused."""

import inspect

import numpy as np
import pytest

from narrows._keras import keras
from narrows.objectives import Objective, Reconstruction
from narrows.training import Recipe, initial_weights, train
from support import keras_case, keras_losses, keras_optimizers, keras_pieces
from support.agreement import keras_fit
from support.keras_matrix import agreeing, outcome, refused

OPTIMIZERS, LOSSES, METRICS = (
    keras_optimizers.cases(),
    keras_losses.losses(),
    keras_losses.metrics(),
)
WEIGHTS = np.random.default_rng(5).uniform(0.0, 2.0, keras_case.ROWS).astype("float32")


def tells_little(name: str) -> bool:
    """Whether a case is one of default settings, or of a schedule, and can wait."""
    return f"{name} unusual" in OPTIMIZERS or "Decay" in name


DAILY = {
    name for name in OPTIMIZERS
    if name in ("Adam unusual", "SGD unusual") or name.startswith("refused")
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DAILY))
def test_optimizers_in_daily_use(name):
    outcome(OPTIMIZERS[name], keras_optimizers.compare)


def test_losses_of_each_sort():
    """Of numbers, of shares, of the user, of one number for the batch."""
    names = ["Huber unusual", "KLDivergence", "of the user, a number for the batch"]
    keras_losses.compare_losses({name: LOSSES[name] for name in names}, WEIGHTS)


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [name for name in OPTIMIZERS if not (tells_little(name) or name in DAILY)]
)
def test_optimizers(name):
    outcome(OPTIMIZERS[name], keras_optimizers.compare)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if tells_little(name)])
def test_optimizers_with_default_settings_and_schedules(name):
    outcome(OPTIMIZERS[name], keras_optimizers.compare)


def test_every_schedule_has_settings():
    kinds = keras_case.classes_of(
        keras_optimizers.SCHEDULES, keras_optimizers.SCHEDULES.LearningRateSchedule
    )
    assert set(kinds) == set(keras_optimizers.SCHEDULED)


@pytest.mark.long
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_losses(weights):
    """Those of one number for the batch count the weights of rows as Keras does, too."""
    keras_losses.compare_losses(agreeing(LOSSES), weights)


@pytest.mark.parametrize("name", refused(LOSSES))
def test_losses_that_are_none_of_rows_are_refused(name):
    outcome(LOSSES[name], keras_losses.try_loss)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's own, of BinaryIoU
def test_metrics():
    keras_losses.compare_metrics(agreeing(METRICS))


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's own, of BinaryIoU
def test_metrics_of_each_sort():
    """Means over rows, sums over columns, one number for a batch: all but what compiles long."""
    names = ["F1Score", "MeanAbsoluteError", "R2Score", "of the user, a number for the batch"]
    keras_losses.compare_metrics({name: METRICS[name] for name in names})


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning")
@pytest.mark.parametrize("name", refused(METRICS))
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's own, of BinaryIoU
def test_metrics_that_are_none_of_rows_are_refused(name):
    outcome(METRICS[name], keras_losses.try_metric)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["activation", "regularizer", "constraint", "initializer"])
def test_pieces_of_layers(kind):
    own = {name: given for name, given in keras_pieces.pieces().items() if f"{kind} " in name}
    assert own
    keras_pieces.compare_pieces(own)


@pytest.mark.parametrize("kind", ["initializers", "losses", "metrics", "optimizers"])
def test_no_name_of_keras_is_left_out(kind):
    module = getattr(keras, kind)
    base = {
        "initializers": "Initializer", "losses": "Loss", "metrics": "Metric",
        "optimizers": "Optimizer",
    }[kind]  # fmt: skip
    cases = {"initializers": keras_pieces.pieces(), "losses": LOSSES, "metrics": METRICS,
             "optimizers": OPTIMIZERS}[kind]  # fmt: skip
    words = " ".join(cases)
    made_of_others = {"MeanMetricWrapper", "MultiOptimizer"}
    kinds = keras_case.classes_of(module, getattr(module, base))
    left = [name for name in kinds if name not in words and not name.startswith("STFT")]
    assert set(left) <= made_of_others
    assert not [name for name, one in kinds.items() if not inspect.isclass(one)]


@pytest.mark.long
def test_a_lane_among_others_starts_its_optimizer_from_its_own_weights():
    """Drawn weights, three lanes at once, and a batch whose scaled gradients overflow."""

    def optimizer():
        inner = keras.optimizers.ScheduleFreeAdamW(0.05)
        return keras.optimizers.LossScaleOptimizer(inner, 2.0**100, dynamic_growth_steps=2)

    x, model, seeds = keras_case.table(), keras_case.small_network(), [(0, 0), (0, 1), (0, 2)]
    x[5] = 1e15
    recipe = Recipe(model, Reconstruction("mse"), optimizer())
    drawn = initial_weights(recipe, seeds)
    ours = train(
        recipe, x, [np.arange(keras_case.ROWS)] * 3, epochs=keras_case.EPOCHS,
        batch_size=keras_case.BATCH, seeds=seeds, learning_rates=[0.05, 0.01, 0.05],
        orders=[keras_case.orders()] * 3,
    )  # fmt: skip
    model.set_weights([values[2] for values in drawn])
    theirs = keras_case.fit_keras(model, x, optimizer=optimizer(), loss="mse")
    np.testing.assert_allclose(ours.history[2, :, 0], theirs["loss"], rtol=1e-4)
    keras_case.assert_equal_weights(ours.take(slice(2, 3)), model)


LAYERS = keras.layers


def masked_rows(x):
    return LAYERS.Dense(4)(LAYERS.Dense(3, activation="tanh")(LAYERS.Masking()(x)))


def masked_steps(x):
    return LAYERS.Dense(4)(LAYERS.SimpleRNN(3, return_sequences=True)(LAYERS.Masking()(x)))


def with_gaps(shape) -> np.ndarray:
    """32 rows, some of which, or some of whose steps, are masked."""
    x = np.random.default_rng(0).normal(size=(32, *shape)).astype("float32")
    x[[1, 4, 23]] = 0.0
    if len(shape) > 1:
        x[:6, 3:] = 0.0
    return x


def compare_masked(build, shape, loss="mse", weights=None):
    keras.utils.set_random_seed(0)
    inputs, x = keras.Input(shape), with_gaps(shape)
    model = keras.Model(inputs, build(inputs))
    rows, held_out = x[: keras_case.ROWS], x[keras_case.ROWS :]
    recipe = Recipe(
        model, Reconstruction(loss), keras.optimizers.SGD(), (keras.metrics.MeanAbsoluteError(),)
    )
    ours = keras_case.train_here(recipe, x, 0.1, weights, [np.arange(keras_case.ROWS, len(x))])
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=[keras.metrics.MeanAbsoluteError()])
    if weights is None:
        theirs = keras_fit(model, rows, keras_case.orders(), keras_case.BATCH, held_out)
        names = sorted(ours.measures)
        mine = ours.history[0][:, [ours.measures.index(name) for name in names]]
    else:
        theirs = keras_case.fit_keras(
            model, rows, None, weights[: keras_case.ROWS], optimizer=keras.optimizers.SGD(0.1),
            loss=loss,
        )["loss"]  # fmt: skip
        mine = ours.history[0][:, 0]
    np.testing.assert_allclose(mine, theirs, rtol=1e-4)
    keras_case.assert_equal_weights(ours, model)


@pytest.mark.long
@pytest.mark.parametrize(
    ("build", "shape"), [(masked_rows, (4,)), (masked_steps, (5, 4))], ids=["rows", "steps"]
)
def test_a_mask_counts_as_in_keras(build, shape):
    compare_masked(build, shape)


@pytest.mark.long
@pytest.mark.parametrize("loss", ["mse", "tversky"])
def test_a_mask_and_weights_of_rows_count_as_in_keras(loss):
    weights = np.random.default_rng(1).uniform(0.0, 2.0, 32).astype("float32")
    compare_masked(masked_rows, (4,), loss, weights)


class Absolute(Objective):
    """A user's objective that knows of no mask."""

    names = ("absolute",)

    def __call__(self, batch):
        return self._single(batch.mean(abs(batch.output - batch.target).mean(axis=-1)))

    def config(self):
        return ["absolute"]


def test_a_mask_is_refused_where_the_objective_would_not_see_it():
    inputs = keras.Input((4,))
    recipe = Recipe(keras.Model(inputs, masked_rows(inputs)), Absolute(), keras.optimizers.SGD())
    with pytest.raises(ValueError, match="must have no mask, since the objective Absolute"):
        keras_case.train_here(recipe, with_gaps((4,)), 0.1)


def test_a_loss_of_fewer_numbers_than_the_mask_is_refused():
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, masked_steps(inputs))

    def of_rows(target, output):
        return keras.ops.mean(keras.ops.square(target - output), axis=(1, 2))

    with pytest.raises(ValueError, match=r"an array of 2 axes\. Got one of 1"):
        keras_case.train_here(
            Recipe(model, Reconstruction(of_rows), keras.optimizers.SGD()), with_gaps((5, 4)), 0.1
        )
