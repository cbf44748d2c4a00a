"""Types of numbers that a training cannot keep right are refused before it, in one sentence."""

import warnings

import numpy as np
import pytest

import narrows
from narrows._keras import keras

layers = keras.layers
X = np.random.default_rng(0).normal(size=(30, 4)).astype("float32")
EMBEDDERS = {
    "Autoencoder": lambda: narrows.Autoencoder(encoder=(3,), epochs=1, random_state=0),
    "LinearAutoencoder": lambda: narrows.LinearAutoencoder(epochs=1, random_state=0),
    "VariationalAutoencoder": lambda: narrows.VariationalAutoencoder(
        encoder=(3,), epochs=1, random_state=0
    ),
    "TSNEMapEncoder": lambda: narrows.TSNEMapEncoder(
        encoder=(3,), epochs=1, map_steps=20, random_state=0
    ),
}


@pytest.fixture(autouse=True)
def session():
    """A session with Keras's defaults, before and after."""
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def refused(embedder, message):
    with pytest.raises(ValueError, match=message) as caught:
        embedder.fit(X)
    assert "\n" not in str(caught.value)
    assert not hasattr(embedder, "encoder_")


@pytest.mark.parametrize("name", EMBEDDERS)
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_another_default_type_is_refused(name, dtype):
    keras.config.set_floatx(dtype)
    refused(EMBEDDERS[name](), rf"floatx must be 'float32'. Got '{dtype}' instead. .*set_floatx")


@pytest.mark.parametrize("name", EMBEDDERS)
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_another_policy_of_weights_is_refused(name, dtype):
    keras.config.set_dtype_policy(dtype)
    refused(EMBEDDERS[name](), rf"policy of types must .*Got '{dtype}' instead. .*set_dtype_policy")


@pytest.mark.parametrize("dtype", ["float64", "float16"])
@pytest.mark.parametrize("kind", ["function", "model"])
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")  # of JAX, for float64
def test_a_layer_of_such_weights_is_refused(dtype, kind):
    def encoder(x):
        return layers.Dense(2, dtype=dtype, name="odd")(x)

    inputs = keras.Input((4,))
    part = encoder if kind == "function" else keras.Model(inputs, encoder(inputs))
    embedder = narrows.Autoencoder(encoder=part, decoder=(3,), epochs=1, random_state=0)
    refused(embedder, rf"layer 'odd' must have weights of float32 or bfloat16.* Got {dtype}")


@pytest.mark.long
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_policies_train_and_come_back(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    embedder = EMBEDDERS["Autoencoder"]().fit(X)
    assert {weight.dtype for weight in embedder.encoder_.weights} == {"float32"}
    narrows.save(embedder, tmp_path / "m.narrows")
    keras.config.set_dtype_policy("float32")
    again = narrows.load(tmp_path / "m.narrows")
    np.testing.assert_array_equal(again.transform(X), embedder.transform(X))


def test_a_file_is_read_in_a_session_of_another_type(tmp_path):
    embedder = EMBEDDERS["Autoencoder"]().fit(X)
    narrows.save(embedder, tmp_path / "m.narrows")
    for dtype in ("float64", "float16"):
        keras.config.set_floatx(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of JAX, that float64 is off
            again = narrows.load(tmp_path / "m.narrows")
            Z = again.transform(X)
        np.testing.assert_array_equal(Z, embedder.transform(X))
