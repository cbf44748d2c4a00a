"""What was trained is what is delivered, whatever a network's layers hold."""

import copy
import functools
import pickle

import keras as public_keras
import numpy as np
import pytest
from sklearn.base import clone

import narrows
from narrows._keras import keras
from narrows.networks import Transposed
from narrows.storage._narrows import read_arrays

layers, ops = keras.layers, keras.ops

# With a rate that moves no weight, the history's loss is that of the network that is delivered.
STILL = {"optimizer": "sgd", "learning_rate": 1e-30, "epochs": 1, "random_state": 0}
QUICK = {"epochs": 20, "learning_rate": 1e-2, "random_state": 0}


@pytest.fixture(name="X", scope="module")
def _rows():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(64, 2)) @ rng.normal(size=(2, 5))).astype("float32")


def code(x):
    return layers.Dense(2, name="code")(x)


def last_loss(embedder) -> float:
    return float(embedder.history_["loss"].iloc[-1])


def mse(embedder, X) -> float:
    return float(np.mean((embedder.reconstruct(X) - X) ** 2))


def called(model, X):
    """What Keras makes of rows, called layer by layer."""
    return np.asarray(ops.convert_to_tensor(model(X, training=False)))


beta = slope = factor = 1.0


def loss_of_a_variable(target, output):
    return beta * ops.mean(ops.square(target - output), axis=-1)


def activation_of_a_variable(x):
    return ops.tanh(slope * x)


class Scaled(layers.Layer):
    factor = 1.0

    def call(self, x):
        return x * self.factor


class ScaledLoss(keras.losses.Loss):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def call(self, target, output):
        return self.factor * ops.mean(ops.square(target - output), axis=-1)


class ScaledMetric(keras.metrics.Mean):
    factor = 1.0

    def update_state(self, target, output, sample_weight=None):
        values = self.factor * ops.mean(ops.square(target - output), axis=-1)
        super().update_state(values, sample_weight)


@pytest.mark.parametrize("value", [1.0, 100.0, 0.5])
def test_a_loss_reads_a_variable_as_it_is_now(X, monkeypatch, value):
    monkeypatch.setitem(globals(), "beta", value)
    fitted = narrows.Autoencoder(encoder=(8,), loss=loss_of_a_variable, **STILL).fit(X)
    assert last_loss(fitted) == pytest.approx(value * mse(fitted, X), rel=1e-4)


@pytest.mark.parametrize("value", [1.0, 0.0, 3.0])
def test_an_activation_reads_a_variable_as_it_is_now(X, monkeypatch, value):
    monkeypatch.setitem(globals(), "slope", value)

    def encoder(x):
        return code(layers.Dense(8, activation=activation_of_a_variable, name="h")(x))

    fitted = narrows.Autoencoder(encoder=encoder, decoder=(8,), **STILL).fit(X)
    np.testing.assert_allclose(fitted.transform(X), called(fitted.encoder_, X), atol=1e-5)
    assert last_loss(fitted) == pytest.approx(mse(fitted, X), rel=1e-4)


@pytest.mark.parametrize("value", [1.0, 0.0, 7.0])
def test_a_layer_reads_an_attribute_of_its_class_as_it_is_now(X, monkeypatch, value):
    monkeypatch.setattr(Scaled, "factor", value)
    fitted = narrows.Autoencoder(
        encoder=lambda x: code(Scaled(name="s")(x)), decoder=(8,), **STILL
    ).fit(X)
    np.testing.assert_allclose(fitted.transform(X), called(fitted.encoder_, X), atol=1e-5)
    assert last_loss(fitted) == pytest.approx(mse(fitted, X), rel=1e-4)


def test_rows_are_embedded_by_the_network_as_it_is_now(X):
    fitted = narrows.Autoencoder(
        encoder=lambda x: code(layers.Dense(6, activation="tanh", name="h")(x)),
        decoder=(6,), **STILL,
    ).fit(X)  # fmt: skip
    before = fitted.transform(X)
    fitted.encoder_.get_layer("h").activation = keras.activations.relu
    np.testing.assert_allclose(fitted.transform(X), called(fitted.encoder_, X), atol=1e-5)
    assert np.abs(fitted.transform(X) - before).max() > 1e-3


def test_attributes_of_losses_and_metrics_count(X):
    loss, metric = ScaledLoss(), ScaledMetric(name="scaled")
    for factor in (1.0, 1000.0):
        loss.factor = metric.factor = factor
        fitted = narrows.Autoencoder(encoder=(8,), loss=loss, metrics=[metric], **STILL).fit(X)
        wanted = factor * mse(fitted, X)
        assert last_loss(fitted) == pytest.approx(wanted, rel=1e-4)
        assert fitted.history_["scaled"].iloc[-1] == pytest.approx(wanted, rel=1e-4)


def again_from_a_file(embedder, X, path):
    narrows.save(embedder.fit(X), path)
    return narrows.load(path)


@pytest.mark.parametrize(
    "through",
    [
        lambda one, *_: clone(one),
        lambda one, *_: copy.deepcopy(one),
        lambda one, *_: pickle.loads(pickle.dumps(one)),
        again_from_a_file,
    ],
    ids=["clone", "deepcopy", "pickle", "file"],
)
def test_what_keras_forgets_of_a_loss_is_kept(X, tmp_path, through):
    """Keras 3.15 leaves ``delta`` out of Huber's configuration."""
    plain = {**STILL, "residual": False}
    embedder = narrows.Autoencoder(encoder=(8,), loss=keras.losses.Huber(delta=0.01), **plain)
    again = through(embedder, X, tmp_path / "h.narrows").fit(X)
    error = np.abs(again.reconstruct(X) - X)
    wanted = np.where(error <= 0.01, error**2 / 2, 0.01 * (error - 0.005)).mean()
    assert last_loss(again) == pytest.approx(wanted, rel=1e-3)
    huber = narrows.Autoencoder(encoder=(8,), loss=keras.losses.Huber(), **plain).fit(X)
    assert last_loss(huber) > 2 * wanted


class Forgetful(layers.Layer):
    """A layer whose get_config leaves an argument out."""

    def __init__(self, factor=1.0, **more):
        super().__init__(**more)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return super().get_config()


def set_later():
    layer = Scaled(name="s")
    layer.factor = 50.0
    return layer


def changed_activation():
    layer = layers.Dense(5, name="h")
    layer.activation = keras.activations.tanh
    return layer


@pytest.mark.parametrize(
    "make",
    [lambda: Forgetful(50.0, name="s"), set_later, changed_activation],
    ids=["a forgotten argument", "an attribute set later", "another activation"],
)
def test_a_layer_is_what_it_is_and_not_what_its_configuration_says(X, make):
    fitted = narrows.Autoencoder(encoder=lambda x: code(make()(x)), decoder=(8,), **STILL).fit(X)
    assert last_loss(fitted) == pytest.approx(mse(fitted, X), rel=1e-4)
    np.testing.assert_allclose(fitted.transform(X), called(fitted.encoder_, X), atol=1e-4)


def test_a_given_model_that_its_configuration_does_not_describe_is_refused(X):
    inputs = keras.Input((5,))
    given = keras.Model(inputs, code(Forgetful(50.0)(inputs)))
    embedder = narrows.Autoencoder(encoder=given, decoder=(8,), **STILL)
    with pytest.raises(ValueError, match=r"must compute the same when its layers are copied"):
        embedder.fit(X)


class HoldsALayer(layers.Layer):
    """Tied weights as people write them."""

    def __init__(self, tied, **more):
        super().__init__(**more)
        self.tied = tied

    def call(self, x):
        return ops.matmul(x, ops.transpose(self.tied.kernel))

    def get_config(self):
        tied = keras.saving.serialize_keras_object(self.tied)
        return {**super().get_config(), "tied": tied}

    @classmethod
    def from_config(cls, config):
        tied = keras.saving.deserialize_keras_object(config["tied"])
        return cls(**{**config, "tied": tied})


def tied(decoder, use_bias=False):
    held = {}

    def encoder(x):
        held["code"] = layers.Dense(2, name="code", use_bias=use_bias)
        return held["code"](x)

    return {"encoder": encoder, "decoder": lambda z: decoder(z, held["code"])}


TIES = {
    "a layer that holds a layer": lambda z, layer: HoldsALayer(layer, name="back")(z),
    "Transposed": lambda z, layer: Transposed(layer, name="back", use_bias=False)(z),
}


@pytest.mark.parametrize("tie", TIES.values(), ids=TIES)
def test_tied_weights_are_trained_and_delivered(X, tie):
    embedder = narrows.Autoencoder(**tied(tie), restarts=3, **QUICK).fit(X)
    kernel = np.asarray(embedder.encoder_.get_layer("code").kernel)
    np.testing.assert_allclose(embedder.reconstruct(X), X @ kernel @ kernel.T, atol=1e-4)
    np.testing.assert_allclose(
        embedder.inverse_transform(embedder.transform(X)), embedder.reconstruct(X), atol=1e-5
    )
    assert mse(embedder, X) < 0.5 * np.mean(X**2)
    assert mse(embedder, X) == pytest.approx(last_loss_of_best(embedder), rel=0.2)
    assert len(embedder.restarts_.weights[0]) == 1, "one kernel, held once"


def last_loss_of_best(embedder) -> float:
    table = embedder.restarts_.frame()
    return float(table.query("in_use")["final_loss"].iloc[0])


def test_tied_weights_take_the_gradient_of_both_uses(X):
    """Keras trains the same network on the same rows from the same start."""
    embedder = narrows.Autoencoder(**tied(TIES["Transposed"]), **{**QUICK, "batch_size": 64})
    start = embedder.set_params(**STILL).fit(X).encoder_.get_weights()
    fitted = embedder.set_params(optimizer="sgd", learning_rate=1e-2, epochs=3).fit(X)
    inputs = keras.Input((5,))
    dense = layers.Dense(2, use_bias=False)
    z = dense(inputs)
    model = keras.Model(inputs, Transposed(dense, use_bias=False)(z))
    model.set_weights(start)
    model.compile(keras.optimizers.SGD(1e-2), "mse")
    history = model.fit(X, X, batch_size=64, epochs=3, verbose=0).history["loss"]
    np.testing.assert_allclose(fitted.history_["loss"], history, rtol=1e-5)


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (
            lambda z, layer: ops.matmul(z, ops.transpose(layer.kernel)),
            "same network whenever it is called",
        ),
        (
            lambda z, layer: layers.Lambda(
                lambda q: ops.matmul(q, ops.transpose(layer.kernel)), output_shape=(5,)
            )(z),
            r"decoder must hold every weight that it uses.*code/kernel.*Transposed",
        ),
    ],
    ids=["an operation on a kernel", "a Lambda on a kernel"],
)
def test_ties_that_no_file_or_copy_could_keep_are_refused(X, decoder, message):
    with pytest.raises(ValueError, match=message):
        narrows.Autoencoder(**tied(decoder), **QUICK).fit(X)


@pytest.fixture(scope="module")
def tied_fit(X):
    back = lambda z, layer: Transposed(layer, name="back", activation="tanh")(z)  # noqa: E731
    return narrows.Autoencoder(**tied(back, use_bias=True), **QUICK).fit(X)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_copies_of_tied_weights_compute_the_same_and_stay_tied(X, tied_fit, again, monkeypatch):
    monkeypatch.setattr(tied_fit, "encoder", (4,))  # functions inside functions cannot be pickled
    monkeypatch.setattr(tied_fit, "decoder", (4,))
    check_tied(X, tied_fit, again(tied_fit))


def check_tied(X, one, other):
    np.testing.assert_array_equal(other.transform(X), one.transform(X))
    np.testing.assert_array_equal(other.reconstruct(X), one.reconstruct(X))
    back = other.decoder_.get_layer("back")
    assert back.kernel is other.encoder_.get_layer("code").kernel


def test_tied_weights_in_a_file_are_stored_once_and_tied_again(X, tied_fit, tmp_path):
    narrows.save(tied_fit, tmp_path / "tied.narrows")
    _, arrays = read_arrays(tmp_path / "tied.narrows")
    kernels = [name for name in arrays if "weights/" in name and "kernel" in name]
    assert len(kernels) == 1
    check_tied(X, tied_fit, narrows.load(tmp_path / "tied.narrows"))


def test_a_given_model_with_tied_weights_is_tied_again(X, tied_fit):
    again = narrows.Autoencoder(
        encoder=tied_fit.encoder_, decoder=tied_fit.decoder_, **QUICK
    ).fit(X)  # fmt: skip
    assert again.autoencoder_.count_params() == tied_fit.autoencoder_.count_params() == 17
    assert again.decoder_.get_layer("back").kernel is again.encoder_.get_layer("code").kernel
    assert again.encoder_.get_layer("code").kernel is not tied_fit.encoder_.get_layer("code").kernel


KERNEL = np.arange(30, dtype="float32").reshape(5, 6) / 30 - 0.51  # none of them 0


def sets_weights(x, trainable=True):
    layer = layers.Dense(6, activation="tanh", name="set", trainable=trainable)
    y = layer(x)
    layer.set_weights([KERNEL, np.full(6, 0.25, "float32")])
    return code(y)


def test_what_a_function_sets_is_the_start_of_every_restart(X):
    still = narrows.Autoencoder(encoder=sets_weights, decoder=(8,), restarts=3, **STILL).fit(X)
    weights = still.restarts_.weights
    assert len({values[0].tobytes() for values in weights.values()}) == 1
    np.testing.assert_array_equal(weights[1][0], KERNEL)
    np.testing.assert_array_equal(weights[1][1], np.full(6, 0.25))
    assert len({values[2].tobytes() for values in weights.values()}) == 3, "all else is drawn"
    moved = narrows.Autoencoder(encoder=sets_weights, decoder=(8,), **QUICK).fit(X)
    assert np.abs(moved.encoder_.get_layer("set").get_weights()[0] - KERNEL).max() > 1e-3


def test_a_checkpoint_knows_the_weights_that_were_set(X, tmp_path):
    def fit(value):
        def encoder(x):
            layer = layers.Dense(2, name="code")
            z = layer(x)
            layer.set_weights([np.full((5, 2), value), np.zeros(2)])
            return z

        embedder = narrows.Autoencoder(encoder=encoder, decoder=(8,), **STILL)
        return embedder.fit(X, checkpoint=tmp_path / "c.checkpoint")

    fit(0.5)
    with pytest.raises(ValueError, match="differs in its starting weights"):
        fit(0.25)


class Steady(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule whose configuration is not all of it."""

    def __init__(self, rate=0.1):
        self.rate = rate

    def __call__(self, step):
        return self.rate

    def get_config(self):
        return {}


def test_an_attribute_of_a_schedule_counts(X):
    schedule = Steady()
    schedule.rate = 0.0
    optimizer = keras.optimizers.SGD(schedule)
    still = narrows.Autoencoder(encoder=sets_weights, decoder=(8,), epochs=2, random_state=0)
    fitted = still.set_params(optimizer=optimizer).fit(X)
    np.testing.assert_array_equal(fitted.encoder_.get_layer("set").get_weights()[0], KERNEL)


def test_weights_set_to_zero_are_kept_too(X):
    def encoder(x):
        layer = layers.Dense(2, name="code")
        z = layer(x)
        layer.set_weights([np.zeros((5, 2)), np.zeros(2)])
        return z

    fitted = narrows.Autoencoder(encoder=encoder, decoder=(8,), **STILL).fit(X)
    assert not fitted.transform(X).any()


def test_frozen_stays_frozen(X):
    fitted = narrows.Autoencoder(
        encoder=lambda x: sets_weights(x, trainable=False), decoder=(8,), restarts=2, **QUICK
    ).fit(X)
    for weights in fitted.restarts_.weights.values():
        np.testing.assert_array_equal(weights[0], KERNEL)
    np.testing.assert_allclose(fitted.transform(X), called(fitted.encoder_, X), atol=1e-5)


def adapted(x):
    norm = layers.Normalization(name="norm")
    norm.adapt(np.random.default_rng(1).normal(3, 5, size=(50, 5)).astype("float32"))
    return code(norm(x))


def test_adapted_statistics_are_kept(X, tmp_path):
    fitted = narrows.Autoencoder(encoder=adapted, decoder=(8,), **STILL).fit(X)
    norm = fitted.encoder_.get_layer("norm")
    assert np.asarray(norm.mean).ravel() == pytest.approx([3] * 5, abs=2.5)
    np.testing.assert_allclose(fitted.transform(X), called(fitted.encoder_, X), atol=1e-5)
    assert last_loss(fitted) == pytest.approx(mse(fitted, X), rel=1e-4)
    narrows.save(fitted, tmp_path / "adapted.narrows")
    again = narrows.load(tmp_path / "adapted.narrows")
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))


def test_a_layer_that_was_trained_before_starts_from_its_weights_and_keeps_them(X):
    inputs = keras.Input((5,))
    trained = keras.Model(inputs, layers.Dense(6, activation="tanh", name="body")(inputs))
    before = trained.get_weights()

    def encoder(x):
        return code(trained(x))

    still = narrows.Autoencoder(encoder=encoder, decoder=(8,), restarts=2, **STILL).fit(X)
    np.testing.assert_array_equal(still.restarts_.weights[1][0], before[0])
    moved = narrows.Autoencoder(encoder=encoder, decoder=(8,), **QUICK).fit(X)
    assert np.abs(moved.encoder_.weights[0].numpy() - before[0]).max() > 1e-3
    np.testing.assert_array_equal(trained.get_weights()[0], before[0])


def test_a_layer_that_is_made_outside_and_never_called_is_refused(X):
    outside = layers.Dense(6, name="outside")
    embedder = narrows.Autoencoder(encoder=lambda x: code(outside(x)), decoder=(8,), **STILL)
    with pytest.raises(ValueError, match=r"'outside' must be made inside"):
        embedder.fit(X)


def given_model(trainable):
    inputs = keras.Input((5,))
    body = layers.Dense(6, activation="tanh", name="body")
    model = keras.Model(inputs, code(body(inputs)))
    body.trainable = trainable
    return model


def test_a_given_model_keeps_frozen_layers_and_those_that_are_named(X):
    frozen, free = given_model(False), given_model(True)
    kept = narrows.Autoencoder(encoder=frozen, decoder=(8,), **QUICK).fit(X)
    np.testing.assert_array_equal(
        kept.encoder_.get_layer("body").get_weights()[0], frozen.get_weights()[0]
    )
    named = narrows.Autoencoder(encoder=free, decoder=(8,), keep=("body",), **STILL).fit(X)
    np.testing.assert_array_equal(named.encoder_.get_weights()[0], free.get_weights()[0])
    drawn = narrows.Autoencoder(encoder=free, decoder=(8,), **STILL).fit(X)
    assert np.abs(drawn.encoder_.get_weights()[0] - free.get_weights()[0]).max() > 1e-3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"encoder": given_model, "keep": ("bdy",)}, r"'bdy', which none of them has"),
        ({"encoder": (4,), "keep": ("body",)}, r"'keep' parameter of Autoencoder must be \(\)"),
        ({"encoder": (4,), "keep": "body"}, r"must be a sequence of names"),
    ],
)
def test_names_to_keep_that_mean_nothing_are_refused(X, changed, message):
    if changed["encoder"] is given_model:
        changed = {**changed, "encoder": given_model(True)}
    with pytest.raises(ValueError, match=message):
        narrows.Autoencoder(**{"decoder": (8,), **changed}, **STILL).fit(X)


def draws_weights(x):
    layer = layers.Dense(2, name="code")
    z = layer(x)
    layer.set_weights([0.1 * layer.get_weights()[0], np.zeros(2)])
    return z


def test_weights_that_a_function_draws_are_refused(X):
    embedder = narrows.Autoencoder(encoder=draws_weights, decoder=(8,), **STILL)
    with pytest.raises(ValueError, match=r"code/kernel come from numbers that are drawn anew"):
        embedder.fit(X)


def test_the_session_s_generators_are_where_they_were(X):
    np.random.seed(3)
    wanted = np.random.default_rng(3)  # only to be sure that the seed below is the session's
    assert wanted is not None
    before = np.random.get_state()[1].tolist()
    narrows.Autoencoder(encoder=sets_weights, decoder=(8,), **STILL).fit(X)
    assert np.random.get_state()[1].tolist() == before


# What no layer's class or configuration shows


def multiplied(factor):
    return lambda row: row * factor


class OnlyInTraining:
    """A function that differs in training alone."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x, training=False):
        return x * self.factor if training else x


def in_an_operation(factor):
    return lambda x: code(ops.map(multiplied(factor), x))


def in_a_lambda_of_a_partial(factor):
    scaled = functools.partial(ops.multiply, factor)
    return lambda x: code(layers.Lambda(scaled, output_shape=(5,))(x))


@pytest.mark.long
@pytest.mark.parametrize("make", [in_an_operation, in_a_lambda_of_a_partial])
def test_functions_in_operations_and_lambdas_count(X, make):
    for number, factor in enumerate((2.0, 30.0)):
        fitted = narrows.Autoencoder(encoder=make(factor), decoder=(7 + number,), **STILL).fit(X)
        np.testing.assert_allclose(fitted.transform(X), called(fitted.encoder_, X), rtol=1e-4)
        assert last_loss(fitted) == pytest.approx(mse(fitted, X), rel=1e-4)


def test_an_object_that_differs_in_training_alone_counts(X, tmp_path):
    def fit(factor):
        layer = layers.Lambda(OnlyInTraining(factor), output_shape=(5,), name="lam")
        return narrows.Autoencoder(encoder=lambda x: code(again(layer, x)), decoder=(8,), **STILL)

    def again(layer, x):
        return layers.Lambda(layer.function, output_shape=(5,), name="lam")(x)

    path = tmp_path / "c.checkpoint"
    one, other = fit(1.0), fit(30.0)
    assert last_loss(one.fit(X, checkpoint=path)) != last_loss(fit(30.0).fit(X))
    with pytest.raises(ValueError, match="differs in its network"):
        other.fit(X, checkpoint=path)


@pytest.mark.long
@pytest.mark.parametrize("first", [True, False])
def test_a_constraint_on_a_variable_counts(X, first):
    def fit(constraint, decoder):
        def encoder(x):
            layer = layers.Dense(2, name="code")
            z = layer(x)
            layer.kernel.constraint = constraint
            return z

        return narrows.Autoencoder(encoder=encoder, decoder=decoder, **QUICK).fit(X)

    constraint, decoder = keras.constraints.NonNeg(), (7 if first else 6,)
    kinds = (constraint, None) if first else (None, constraint)
    lowest = [
        fit(kind, decoder).encoder_.get_layer("code").get_weights()[0].min() for kind in kinds
    ]
    assert [value >= 0 for value in lowest] == [kind is not None for kind in kinds]


def test_a_frozen_variable_of_a_given_model_is_kept(X):
    given = given_model(True)
    kernel = given.get_layer("body").kernel
    kernel.trainable = False
    fitted = narrows.Autoencoder(encoder=given, decoder=(8,), **QUICK).fit(X)
    found = fitted.encoder_.get_layer("body").get_weights()
    np.testing.assert_array_equal(found[0], np.asarray(kernel.value))
    assert np.abs(found[1]).max() > 1e-4, "the bias is trained"


def test_a_number_that_is_read_from_a_drawn_kernel_is_refused(X):
    def encoder(x):
        layer = layers.Dense(2, name="code")
        return layer(x) * float(np.asarray(layer.kernel).std())

    with pytest.raises(ValueError, match="same network whenever it is called"):
        narrows.Autoencoder(encoder=encoder, decoder=(8,), **STILL).fit(X)


# The guard


def test_the_guard_sees_a_layer_that_the_engine_computes_otherwise(X, monkeypatch):
    from narrows.training import forget_programs
    from narrows.training.compiling import _layers

    forget_programs()
    right = _layers.Dense.call
    monkeypatch.setattr(_layers.Dense, "call", lambda self, x, training=None: right(self, x) + 0.1)
    with pytest.raises(RuntimeError, match=r"must be the one that was trained.*differs"):
        narrows.Autoencoder(encoder=(8,), **STILL).fit(X)
    forget_programs()


@pytest.mark.parametrize("what", ["loss", "network"])
def test_the_guard_sees_a_program_of_another_training(X, monkeypatch, what):
    """As if two trainings that differ went by one name."""
    from narrows.training import forget_programs
    from narrows.training.compiling import _program

    forget_programs()
    monkeypatch.setattr(_program.Program, "_identity", lambda *_: "the same")
    fitted = {}
    for value in (1.0, 3.0):
        monkeypatch.setitem(globals(), "beta" if what == "loss" else "slope", value)

        def encoder(x):
            return code(layers.Dense(8, activation=activation_of_a_variable, name="h")(x))

        embedder = narrows.Autoencoder(
            encoder=encoder, decoder=(8,), loss=loss_of_a_variable, **STILL
        )
        if value == 1.0:
            fitted[value] = embedder.fit(X)
            continue
        with pytest.raises(RuntimeError, match="loss differs" if what == "loss" else "differs"):
            embedder.fit(X)
        assert not hasattr(embedder, "encoder_")
    forget_programs()


def test_a_fit_that_the_guard_refuses_leaves_the_last_one(X, monkeypatch):
    from narrows.training import _guard

    fitted = narrows.Autoencoder(encoder=(8,), **STILL).fit(X)
    before = fitted.transform(X)
    monkeypatch.setattr(_guard, "apart", lambda *_: float("inf"))
    monkeypatch.setattr(_guard, "_ROUNDINGS", 0.0)
    with pytest.raises(RuntimeError, match="Nothing was kept"):
        fitted.set_params(random_state=5).fit(X)
    np.testing.assert_array_equal(fitted.transform(X), before)


def test_keras_is_the_one_that_users_import():
    assert public_keras is keras


# Copies and files of networks that are more than their configuration


@pytest.fixture(scope="module")
def forgetful_fit(X):
    return narrows.Autoencoder(
        encoder=with_forgetful_layer, decoder=(8,), **{**QUICK, "epochs": 2}
    ).fit(X)  # fmt: skip


def with_forgetful_layer(x):
    return code(Forgetful(50.0, name="s")(x))


def test_a_copy_that_would_compute_something_else_is_refused(forgetful_fit):
    known = keras.utils.custom_object_scope({"Forgetful": Forgetful})
    with known, pytest.raises(ValueError, match="A copy of a fitted Autoencoder must compute"):
        copy.deepcopy(forgetful_fit)


def test_a_file_that_would_give_another_network_is_not_written(forgetful_fit, tmp_path):
    with pytest.raises(ValueError, match=r"one that can be built again.*another code"):
        narrows.save(forgetful_fit, tmp_path / "f.narrows")
    assert not list(tmp_path.iterdir())


def test_a_clone_that_would_train_another_network_is_refused(forgetful_fit):
    given = narrows.Autoencoder(encoder=forgetful_fit.encoder_, decoder=(8,))
    with pytest.raises(ValueError, match="must compute the same when it is copied"):
        clone(given)


class Doubling(layers.Layer):
    def call(self, x):
        return 2.0 * x


class Tripling(layers.Layer):
    def call(self, x):
        return 3.0 * x


def test_a_file_whose_classes_compute_something_else_is_refused(X, tmp_path):
    fitted = narrows.Autoencoder(
        encoder=lambda x: code(Doubling(name="s")(x)), decoder=(8,), **STILL
    ).fit(X)
    path = tmp_path / "d.narrows"
    narrows.save(fitted, path)
    again = narrows.load(path, custom_objects={"Doubling": Doubling})
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    with pytest.raises(ValueError, match="give another code for made-up rows"):
        narrows.load(path, custom_objects={"Doubling": Tripling})


def test_a_layer_that_holds_a_layer_is_not_written_to_a_file(X, tmp_path):
    tie = TIES["a layer that holds a layer"]
    fitted = narrows.Autoencoder(**tied(tie), **STILL).fit(X)
    with pytest.raises(ValueError, match=r"can be built again.*narrows\.networks\.Transposed"):
        narrows.save(fitted, tmp_path / "t.narrows")


def test_the_guard_allows_what_float32_loses_of_columns_far_from_zero(X):
    """Folded into biases, the origin of a linear training costs digits, of which `fit` warns."""
    with pytest.warns(UserWarning, match="float32"):
        narrows.LinearAutoencoder(2, epochs=3, random_state=0).fit(X * 50 + 1.7e9)
