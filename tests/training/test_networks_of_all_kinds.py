"""Whatever Keras can build, the engine trains as Keras does, or says that it cannot."""

import warnings

import numpy as np
import pytest

import narrows
from narrows._keras import keras
from narrows.objectives import PerRow, Reconstruction
from narrows.training import Recipe, train
from narrows.training._forward import forward
from support.agreement import check, keras_fit

layers = keras.layers


def compare(build, shape, rows=40, batch_size=16, epochs=2):
    """Train a network here and in Keras from the same start on the same batches."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input(shape)
    model = keras.Model(inputs, build(inputs))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows + 10, *shape)).astype("float32")
    orders = np.stack([rng.permutation(rows) for _ in range(epochs)])
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.Adam(), ())
    ours = train(
        recipe, x, [np.arange(rows)], [np.arange(rows, rows + 10)], epochs=epochs,
        batch_size=batch_size, seeds=[(0, 0)], learning_rates=[1e-3],
        initial=[np.asarray(v.value)[None] for v in model.variables], orders=[orders],
    )  # fmt: skip
    model.compile("adam", loss="mse")
    theirs = keras_fit(model, x[:rows], orders, batch_size, x[rows:])
    check(ours, theirs, model)


def convolutional(x):
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dense(2)(layers.Flatten()(x))
    x = layers.Reshape((4, 4, 2))(layers.Dense(32)(x))
    return layers.Conv2DTranspose(1, 3, strides=2, padding="same")(x)


def regularized(x):
    x = layers.Conv1D(3, 3, padding="same", kernel_regularizer="l2", activity_regularizer="l1")(x)
    return layers.Dense(2)(layers.LayerNormalization()(x))


def recurrent(x):
    x = layers.GRU(4)(x)
    return layers.Dense(3)(layers.RepeatVector(5)(x))


def constrained(x):
    x = layers.Dense(6, activation="tanh", kernel_constraint="unit_norm", use_bias=False)(x)
    return layers.Dense(4)(layers.UnitNormalization()(x))


class Whitened(layers.Layer):
    """A user's layer in which every row depends on the whole batch."""

    def call(self, inputs):
        return inputs - keras.ops.mean(inputs, axis=0, keepdims=True)


def coupled(x):
    return layers.Dense(4)(Whitened()(layers.Dense(5, use_bias=False)(x)))


@pytest.mark.long
@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (convolutional, (8, 8, 1)),
        (regularized, (6, 2)),
        (recurrent, (5, 3)),
        (constrained, (4,)),
        (coupled, (4,)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_equal_to_keras(build, shape):
    compare(build, shape)


class WithNumpy(layers.Layer):
    """A layer that JAX cannot trace."""

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def call(self, inputs):
        return keras.ops.convert_to_tensor(np.sort(np.asarray(inputs), axis=1))


class WithoutConfig(layers.Layer):
    """A layer that cannot be copied."""

    def __init__(self, width):
        super().__init__()
        self.width = width

    def call(self, inputs):
        return inputs * self.width

    def get_config(self):
        return {}


def train_with(layer, rows):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layer(inputs))
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.Adam(), ())
    return train(
        recipe, rows, [np.arange(50)], epochs=1, batch_size=16, seeds=[(0, 0)],
        learning_rates=[1e-3],
    )  # fmt: skip


def test_a_layer_that_cannot_be_compiled_is_a_clear_error(rows):
    with pytest.raises(ValueError, match=r"JAX can compile.*\(WithNumpy\).*keras\.ops"):
        train_with(WithNumpy(), rows)


def test_a_layer_that_cannot_be_copied_is_trained_but_not_taken_from_a_given_model(rows):
    assert train_with(WithoutConfig(2.0), rows).history[0, 0, 0] > 0
    inputs = keras.Input((4,))
    given = keras.Model(inputs, layers.Dense(2)(WithoutConfig(2.0)(inputs)))
    with pytest.raises(ValueError, match=r"WithoutConfig.*get_config"):
        narrows.Autoencoder(encoder=given, decoder=(3,)).fit(rows)


def test_mixed_precision_computes_in_bfloat16_and_counts_in_float32(rows):
    inputs = keras.Input((4,))
    policy = keras.DTypePolicy("mixed_bfloat16")
    x = layers.Dense(2, dtype=policy)(inputs)
    model = keras.Model(inputs, layers.Dense(4, dtype=policy)(x))
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.Adam(), ())
    done = train(
        recipe, rows, [np.arange(50)], epochs=20, batch_size=16, seeds=[(0, 0)],
        learning_rates=[1e-2],
    )  # fmt: skip
    assert done.weights[0].dtype == np.float32
    assert done.history[0, -1, 0] < 0.8 * done.history[0, 0, 0]


def test_a_mixed_precision_embedding_is_float32(rows):
    inputs = keras.Input((4,))
    half = keras.Model(inputs, layers.Dense(2, dtype=keras.DTypePolicy("mixed_bfloat16"))(inputs))
    assert half.output.dtype == "bfloat16"
    assert forward(half, rows).dtype == np.float32


def test_restarts_of_random_layers_differ(rows):
    """Keras's own random layers get a generator of their own in every lane."""
    inputs = keras.Input((4,))
    x = layers.GaussianNoise(1.0)(layers.Dense(2, kernel_initializer="ones")(inputs))
    model = keras.Model(inputs, layers.Dense(4, kernel_initializer="ones")(x))
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.SGD(), ())
    done = train(
        recipe, rows, [np.arange(50)] * 3, epochs=1, batch_size=16,
        seeds=[(0, k) for k in range(3)], learning_rates=[0.0] * 3,
        orders=[np.arange(50)[None]] * 3,
    )  # fmt: skip
    assert len(np.unique(done.history[:, 0, 0])) == 3


def with_operations(x):
    x = layers.Dense(5, use_bias=False)(x)
    return layers.Dense(4)(x - keras.ops.mean(x, axis=0, keepdims=True))


def with_lambda(x):
    x = layers.Dense(5, use_bias=False)(x)
    mean = layers.Lambda(lambda t: t - keras.ops.mean(t, axis=0, keepdims=True))
    return layers.Dense(4)(mean(x))


def with_softmax_over_rows(x):
    return layers.Dense(4)(layers.Softmax(axis=0)(layers.Dense(5)(x)))


def with_wrapped_norm(x):
    return layers.Dense(3)(layers.TimeDistributed(layers.BatchNormalization())(x))


def with_own_activation(x):
    x = layers.Dense(6, activation=lambda t: keras.ops.tanh(t) * 2.0)(x)
    return layers.Dense(4, activation=keras.ops.sin)(x)


@pytest.mark.long
@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (with_operations, (4,)),
        (with_lambda, (4,)),
        (with_softmax_over_rows, (4,)),
        (with_wrapped_norm, (5, 3)),
        (with_own_activation, (4,)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_rows_that_depend_on_each_other_equal_keras(build, shape):
    """A short last batch must not be padded where padding could be seen."""
    compare(build, shape)


def test_a_loss_across_rows_equals_keras():
    from support.agreement import both

    def spread(target, output):
        return keras.ops.mean((output - target) ** 2) + keras.ops.mean(
            keras.ops.var(output, axis=0)
        )

    keras.utils.set_random_seed(4)
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(4)(layers.Dense(3, activation="tanh")(inputs)))
    check(*both(model, 40, 16, loss=spread, epochs=2))


def test_a_batch_larger_than_the_data_costs_no_padding(rows, recipe):
    from narrows.training import _train
    from narrows.training.looping._loops import Data

    plan, _ = _train._plan(
        recipe,
        Data(rows, None, PerRow(np.ones(70, "f4"))),
        [np.arange(50)],
        None,
        1,
        1_000_000,
        None,
        {},
        None,
    )
    assert plan.shape.batch_size <= 256


def test_an_initializer_that_cannot_be_seeded_is_said(rows):
    inputs = keras.Input((4,))
    drawn = layers.Dense(4, kernel_initializer=lambda shape, dtype=None: np.ones(shape, dtype))
    model = keras.Model(inputs, drawn(inputs))
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.Adam(), ())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        train(
            recipe, rows, [np.arange(50)] * 2, epochs=1, batch_size=16, seeds=[(0, 0), (0, 1)],
            learning_rates=[1e-3] * 2,
        )  # fmt: skip
    wanted = "kernel come from an initializer that is not Keras's own"
    assert any(wanted in str(one.message) for one in said)


def test_a_lane_that_diverges_under_early_stopping_ends_there_and_keeps_its_best(fit, monkeypatch):
    """However long the segments are."""
    from narrows.training import _chunk

    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([12], [1e-2, 1e30])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(4)(layers.Dense(3)(inputs)))
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.SGD(schedule), ())

    def run():
        return fit([(0, 0)], recipe=recipe, epochs=40, patience=10)

    long = run()
    monkeypatch.setattr(_chunk, "_SEGMENT_SECONDS", 1e-9)
    short = run()
    assert long.diverged[0]
    assert long.epochs_run[0] == short.epochs_run[0] < 10
    assert np.isfinite(long.losses("val_loss")).all()
    assert all(np.isfinite(weight).all() for weight in long.weights)
    assert all(np.array_equal(a, b) for a, b in zip(long.weights, short.weights, strict=True))
