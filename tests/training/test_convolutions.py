"""Convolutions as patches times a matrix give what Keras's own operations give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows._keras import keras
from narrows.training.compiling._convolutions import convolve, convolve_transposed

RTOL, ATOL = 1e-4, 1e-4


def arrays(seed, rows, space, channels, kernel_shape):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, *space, channels)).astype("float32")
    return x, rng.normal(size=kernel_shape).astype("float32")


@settings(max_examples=15, deadline=None)
@given(
    rank=st.integers(1, 2),
    sizes=st.lists(st.integers(3, 9), min_size=2, max_size=2),
    window=st.lists(st.integers(1, 3), min_size=2, max_size=2),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid"]),
    groups=st.integers(1, 2),
    seed=st.integers(0, 99),
)
def test_convolution_equals_keras(rank, sizes, window, stride, dilation, padding, groups, seed):
    if stride > 1:
        dilation = 1  # Keras refuses both
    space, window = sizes[:rank], window[:rank]
    if padding == "valid" and any(
        (w - 1) * dilation + 1 > n for w, n in zip(window, space, strict=True)
    ):
        return
    x, kernel = arrays(seed, 2, space, 4, (*window, 4 // groups, 6))
    ours = convolve(x, kernel, (stride,) * rank, padding, (dilation,) * rank)
    theirs = keras.ops.conv(
        x, kernel, strides=stride, padding=padding, dilation_rate=dilation,
        data_format="channels_last",
    )  # fmt: skip
    np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=ATOL)


@pytest.mark.long
@settings(max_examples=15, deadline=None)
@given(
    rank=st.integers(1, 2),
    sizes=st.lists(st.integers(2, 6), min_size=2, max_size=2),
    window=st.lists(st.integers(1, 4), min_size=2, max_size=2),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid"]),
    seed=st.integers(0, 99),
)
def test_transposed_convolution_equals_keras(rank, sizes, window, stride, padding, seed):
    space, window = sizes[:rank], window[:rank]
    x, kernel = arrays(seed, 2, space, 3, (*window, 5, 3))
    ours = convolve_transposed(x, kernel, (stride,) * rank, padding)
    theirs = keras.ops.conv_transpose(
        x, kernel, strides=stride, padding=padding, data_format="channels_last"
    )
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("padding", ["same", "causal", "valid"])
def test_exchanged_layers_equal_their_originals(padding):
    from narrows.training.compiling._exchange import exchanged

    layers = keras.layers
    x = inputs = keras.Input((12, 2))
    x = layers.Conv1D(3, 3, padding=padding, activation="relu")(x)
    x = layers.Conv1DTranspose(2, 4, strides=2, padding="same", use_bias=False)(x)
    model = keras.Model(inputs, x)
    for layer in model.layers[1:]:
        assert type(exchanged(layer)).__module__ == "narrows.training.compiling._convolutions"
    rows = np.random.default_rng(0).normal(size=(3, 12, 2)).astype("float32")
    np.testing.assert_allclose(exchanged(model)(rows), model(rows), rtol=RTOL, atol=ATOL)
