"""Every layer that is written, against Keras: random weights, odd sizes, strides and paddings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows._keras import keras
from narrows.export._network import known_layers
from narrows.export.layers._activations import FUNCTIONS
from narrows.networks import Transposed
from support.onnx_files import graph_of, largest_difference, shuffled

L = keras.layers
ROWS = 5
CLOSE = 2e-6  # a few roundings of float32; the largest seen is below 1e-6

# A layer and the shape of its rows.
CASES = {
    "Dense": (L.Dense(3), (4,)),
    "Dense, no bias, activation": (L.Dense(3, use_bias=False, activation="tanh"), (4,)),
    "Dense on a grid": (L.Dense(3, activation="relu"), (2, 5, 4)),
    "Dense, a layer as activation": (L.Dense(3, activation=L.LeakyReLU(0.3)), (4,)),
    "Transposed": (Transposed(units=3), (4,)),
    "Transposed, no bias, on a grid": (
        Transposed(units=3, use_bias=False, activation="tanh"), (2, 4)
    ),
    "EinsumDense": (L.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d"), (3, 4)),
    "Activation": (L.Activation("softmax"), (2, 5)),
    "ReLU": (L.ReLU(), (4,)),
    "ReLU, slope": (L.ReLU(negative_slope=0.2), (4,)),
    "ReLU, everything": (L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.4), (4,)),
    "ReLU, limit": (L.ReLU(max_value=0.7), (4,)),
    "LeakyReLU": (L.LeakyReLU(negative_slope=0.05), (4,)),
    "PReLU": (L.PReLU(), (4,)),
    "PReLU, shared": (L.PReLU(shared_axes=[1, 2]), (3, 2, 4)),
    "ELU": (L.ELU(alpha=0.6), (4,)),
    "Softmax": (L.Softmax(axis=1), (3, 4)),
    "Softmax, two axes": (L.Softmax(axis=[1, 2]), (3, 4)),
    "BatchNormalization": (L.BatchNormalization(), (4,)),
    "BatchNormalization, plain": (L.BatchNormalization(center=False, scale=False), (3, 3, 4)),
    "BatchNormalization, axis": (L.BatchNormalization(axis=1, epsilon=0.1), (3, 2, 4)),
    "LayerNormalization": (L.LayerNormalization(), (7,)),
    "LayerNormalization, axes": (L.LayerNormalization(axis=[1, 2]), (3, 4, 2)),
    "LayerNormalization, inner axis": (L.LayerNormalization(axis=1, center=False), (5, 2)),
    "GroupNormalization": (L.GroupNormalization(groups=2), (3, 3, 6)),
    "GroupNormalization, plain": (L.GroupNormalization(groups=3, scale=False), (6,)),
    "GroupNormalization, axis": (L.GroupNormalization(groups=2, axis=1), (4, 3)),
    "UnitNormalization": (L.UnitNormalization(), (4,)),
    "Rescaling": (L.Rescaling(1 / 127.5, offset=-1.0), (3, 3, 1)),
    "Normalization": (L.Normalization(mean=[1.0, -2.0], variance=[4.0, 0.0]), (2,)),
    "Normalization, back": (L.Normalization(mean=2.0, variance=9.0, invert=True), (3,)),
    "Dropout": (L.Dropout(0.5), (4,)),
    "AlphaDropout": (L.AlphaDropout(0.5), (4,)),
    "GaussianDropout": (L.GaussianDropout(0.5), (4,)),
    "GaussianNoise": (L.GaussianNoise(1.0), (4,)),
    "SpatialDropout1D": (L.SpatialDropout1D(0.5), (3, 4)),
    "SpatialDropout2D": (L.SpatialDropout2D(0.5), (3, 3, 4)),
    "SpatialDropout3D": (L.SpatialDropout3D(0.5), (3, 3, 2, 4)),
    "ActivityRegularization": (L.ActivityRegularization(0.1), (4,)),
    "Identity": (L.Identity(), (4,)),
    "Flatten": (L.Flatten(), (3, 2, 4)),
    "Flatten, channels first": (L.Flatten(data_format="channels_first"), (3, 2, 4)),
    "Reshape": (L.Reshape((4, -1)), (2, 6)),
    "Permute": (L.Permute((3, 1, 2)), (2, 3, 4)),
    "RepeatVector": (L.RepeatVector(3), (4,)),
    "ZeroPadding1D": (L.ZeroPadding1D((1, 2)), (3, 2)),
    "ZeroPadding2D": (L.ZeroPadding2D(((1, 0), (2, 3))), (3, 2, 2)),
    "ZeroPadding2D, channels first": (
        L.ZeroPadding2D(((1, 0), (2, 3)), data_format="channels_first"), (2, 3, 2),
    ),
    "ZeroPadding3D": (L.ZeroPadding3D(((1, 0), (2, 3), (0, 1))), (3, 2, 2, 1)),
    "Cropping1D": (L.Cropping1D((1, 2)), (5, 2)),
    "Cropping2D": (L.Cropping2D(((1, 0), (0, 2))), (4, 5, 2)),
    "Cropping2D, channels first": (
        L.Cropping2D(((1, 0), (0, 2)), data_format="channels_first"), (2, 4, 5),
    ),
    "Cropping3D": (L.Cropping3D(((1, 0), (0, 2), (1, 1))), (4, 5, 3, 2)),
    "UpSampling1D": (L.UpSampling1D(3), (4, 2)),
    "UpSampling2D": (L.UpSampling2D((2, 3)), (3, 2, 2)),
    "UpSampling2D, channels first": (
        L.UpSampling2D((2, 3), data_format="channels_first"), (2, 3, 2),
    ),
    "UpSampling2D, bilinear": (L.UpSampling2D((2, 3), interpolation="bilinear"), (5, 4, 2)),
    "UpSampling2D, bicubic": (L.UpSampling2D((2, 3), interpolation="bicubic"), (5, 4, 2)),
    "UpSampling3D": (L.UpSampling3D((2, 1, 3)), (3, 2, 2, 2)),
    "Conv1D, causal": (L.Conv1D(3, 3, padding="causal", dilation_rate=2), (7, 2)),
    "Conv2D, groups": (L.Conv2D(6, 3, groups=2, padding="same"), (5, 4, 4)),
    "Conv2D, channels first": (
        L.Conv2D(3, 3, strides=2, padding="same", data_format="channels_first"), (2, 7, 6),
    ),
    "Conv3D": (L.Conv3D(2, (2, 3, 1), strides=(1, 2, 1), padding="same"), (4, 5, 3, 2)),
    "Conv3DTranspose": (L.Conv3DTranspose(2, 2, strides=2, padding="same"), (2, 3, 2, 2)),
    "DepthwiseConv1D": (L.DepthwiseConv1D(3, depth_multiplier=2, strides=2), (7, 2)),
    "SeparableConv1D": (L.SeparableConv1D(3, 3, padding="same", strides=2), (7, 2)),
    "GlobalAveragePooling1D": (L.GlobalAveragePooling1D(), (5, 3)),
    "GlobalAveragePooling2D": (L.GlobalAveragePooling2D(keepdims=True), (5, 4, 3)),
    "GlobalAveragePooling3D": (L.GlobalAveragePooling3D(), (2, 5, 4, 3)),
    "GlobalMaxPooling1D": (L.GlobalMaxPooling1D(keepdims=True), (5, 3)),
    "GlobalMaxPooling2D": (L.GlobalMaxPooling2D(data_format="channels_first"), (3, 5, 4)),
    "GlobalMaxPooling3D": (L.GlobalMaxPooling3D(), (2, 5, 4, 3)),
    "AveragePooling3D": (L.AveragePooling3D(2, padding="same"), (3, 5, 4, 2)),
    "MaxPooling3D": (L.MaxPooling3D(2, strides=1), (3, 5, 4, 2)),
}  # fmt: skip
if hasattr(L, "RMSNormalization"):
    CASES["RMSNormalization"] = (L.RMSNormalization(axis=-1), (7,))
MERGING = ["Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"]
SEARCHED = [
    "Conv1D", "Conv2D", "Conv1DTranspose", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D",
    "AveragePooling1D", "AveragePooling2D", "MaxPooling1D", "MaxPooling2D",
]  # fmt: skip


def rows(shape, count=ROWS, seed=1):
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32) * 2


def test_every_known_layer_is_tested():
    tested = {name.split(",")[0].split(" ")[0] for name in CASES} | {*MERGING, *SEARCHED}
    assert tested == set(known_layers())


@pytest.mark.parametrize("name", CASES)
def test_a_layer_does_what_keras_does(name):
    layer, shape = CASES[name]
    copy = type(layer).from_config(layer.get_config())
    assert largest_difference(graph_of([copy], shape), rows(shape)) < CLOSE


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_an_activation_does_what_keras_does(function):
    x = np.concatenate([rows((6,)), np.zeros((1, 6)), rows((6,)) * 20]).astype(np.float32)
    assert largest_difference(graph_of([L.Activation(function.__name__)], (6,)), x) < CLOSE


def test_every_activation_of_keras_but_three_is_known():
    named = {
        name for name, value in vars(keras.activations).items()
        if callable(value) and name not in {"get", "serialize", "deserialize"}
    }  # fmt: skip
    missing = {name for name in named if getattr(keras.activations, name) not in FUNCTIONS}
    # threshold needs arguments, so no layer can name it; of the others see the module.
    assert missing == {"glu", "sparsemax", "threshold"}


@pytest.mark.parametrize("name", MERGING)
def test_merging(name):
    inputs = keras.Input((3, 4))
    branches = [L.Dense(4)(inputs), inputs]
    if name not in {"Subtract"}:
        branches.append(L.Dense(4, activation="relu")(inputs))
    model = shuffled(keras.Model(inputs, getattr(L, name)()(branches)))
    assert largest_difference(model, rows((3, 4))) < CLOSE


@pytest.mark.parametrize("name", ["Add", "Multiply"])
def test_merging_of_unequal_ranks(name):
    inputs = keras.Input((3, 4))
    short = L.GlobalAveragePooling1D()(inputs)
    model = keras.Model(inputs, getattr(L, name)()([inputs, short]))
    assert largest_difference(model, rows((3, 4))) < CLOSE


def test_concatenation_along_another_axis():
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, L.Concatenate(axis=1)([inputs, L.ReLU()(inputs)]))
    assert largest_difference(model, rows((3, 4))) < CLOSE


# Windows: size of the rows, window, stride or dilation, padding.
windows = st.tuples(
    st.integers(3, 9), st.integers(3, 9), st.integers(1, 4), st.integers(1, 4),
    st.integers(1, 3), st.integers(1, 3), st.sampled_from(["same", "valid"]), st.booleans(),
)  # fmt: skip


def window_options(drawn, square_strides=False):
    """Return rows' size and a layer's options; either strides or dilation are above 1."""
    height, width, tall, wide, down, right, padding, dilated = drawn
    if padding == "valid":
        tall, wide = min(tall, height), min(wide, width)
    pair = (down, down) if square_strides else (down, right)
    options = {"padding": padding}
    if dilated:
        if padding == "valid":
            pair = (
                min(pair[0], max(1, (height - 1) // max(tall - 1, 1))),
                min(pair[1], max(1, (width - 1) // max(wide - 1, 1))),
            )
            pair = (min(pair),) * 2 if square_strides else pair
        options["dilation_rate"] = pair
    else:
        options["strides"] = pair
    return (height, width), (tall, wide), options


SEARCH = settings(max_examples=6, deadline=None, derandomize=True)


@pytest.mark.long
@pytest.mark.parametrize("name", ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"])
@given(drawn=windows)
@SEARCH
def test_convolutions_of_any_size(name, drawn):
    size, window, options = window_options(drawn, square_strides=name != "Conv2D")
    first = () if name == "DepthwiseConv2D" else (3,)
    layer = getattr(L, name)(*first, window, activation="tanh", **options)
    assert largest_difference(graph_of([layer], (*size, 2)), rows((*size, 2), 2)) < CLOSE


@pytest.mark.parametrize("name", ["Conv1D", "Conv1DTranspose"])
@given(drawn=windows)
@SEARCH
def test_convolutions_of_one_axis(name, drawn):
    (size, _), (window, _), options = window_options(drawn)
    options = {k: v if k == "padding" else v[0] for k, v in options.items()}
    layer = getattr(L, name)(3, window, **options)
    assert largest_difference(graph_of([layer], (size, 2)), rows((size, 2), 2)) < CLOSE


@pytest.mark.long
@given(drawn=windows, extra=st.sampled_from([None, 0, 1, 2]))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_transposed_convolutions_of_any_size(drawn, extra):
    size, window, options = window_options(drawn)
    strides = options.get("strides", (1, 1))
    if extra is not None:
        options["output_padding"] = min(extra, min(strides) - 1)
    layer = L.Conv2DTranspose(3, window, activation="relu", **options)
    assert largest_difference(graph_of([layer], (*size, 2)), rows((*size, 2), 2)) < CLOSE


@pytest.mark.parametrize("name", ["MaxPooling", "AveragePooling"])
@given(drawn=windows, flat=st.booleans())
@SEARCH
def test_pooling_of_any_size(name, drawn, flat):
    height, width, tall, wide, down, right, padding, default = drawn
    tall, wide = min(tall, height), min(wide, width)
    strides = None if default else (down, right)
    if flat:
        layer = getattr(L, f"{name}1D")(tall, strides and down, padding=padding)
        shape = (height, 3)
    else:
        layer = getattr(L, f"{name}2D")((tall, wide), strides, padding=padding)
        shape = (height, width, 3)
    assert largest_difference(graph_of([layer], shape), rows(shape, 2)) < CLOSE
