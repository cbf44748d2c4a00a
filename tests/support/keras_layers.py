"""Every layer that Keras names and that can stand in a network of a table or of images."""

from collections.abc import Callable

import numpy as np

from narrows._keras import keras
from support.keras_case import ROWS, compare_network

L = keras.layers


def _two(x):
    """Two tensors of one shape, for layers that merge some."""
    return [L.Dense(3, activation="tanh")(x), L.Dense(3, activation="tanh")(x)]


def _after_dense(layer):
    """Apply a layer behind a dense one, so that something before it learns."""
    return lambda x: layer(L.Dense(4)(x))


# By the shape of a row: the layers by their Keras names, each as a function of the input.
VECTOR: dict[str, Callable] = {
    "Activation": _after_dense(L.Activation("tanh")),
    "ActivityRegularization": _after_dense(L.ActivityRegularization(l1=0.01, l2=0.02)),
    "Add": lambda x: L.Add()(_two(x)),
    "Average": lambda x: L.Average()(_two(x)),
    "BatchNormalization": _after_dense(L.BatchNormalization(momentum=0.7, epsilon=0.01)),
    "Concatenate": lambda x: L.Concatenate()(_two(x)),
    "Dense": L.Dense(3, use_bias=False, kernel_initializer="he_normal"),
    "Dot": lambda x: L.Dot(axes=1, normalize=True)(_two(x)),
    "ELU": _after_dense(L.ELU(0.5)),
    "EinsumDense": L.EinsumDense("ab,bc->ac", 3, bias_axes="c"),
    "GaussianDropout": _after_dense(L.GaussianDropout(0.2, seed=1)),
    "GaussianNoise": _after_dense(L.GaussianNoise(0.2, seed=2)),
    "AlphaDropout": _after_dense(L.AlphaDropout(0.2, seed=3)),
    "Dropout": _after_dense(L.Dropout(0.0)),  # other rates draw by a generator of narrows
    "GroupNormalization": _after_dense(L.GroupNormalization(groups=2)),
    "Identity": L.Identity(),
    "Lambda": _after_dense(L.Lambda(lambda x: keras.ops.sin(x))),
    "LayerNormalization": _after_dense(L.LayerNormalization(epsilon=0.01)),
    "LeakyReLU": _after_dense(L.LeakyReLU(0.1)),
    "Maximum": lambda x: L.Maximum()(_two(x)),
    "Minimum": lambda x: L.Minimum()(_two(x)),
    "Multiply": lambda x: L.Multiply()(_two(x)),
    "Normalization": L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0]),
    "PReLU": _after_dense(L.PReLU(alpha_initializer="ones")),
    "RMSNormalization": _after_dense(L.RMSNormalization()),
    "ReLU": _after_dense(L.ReLU(max_value=0.5, negative_slope=0.1)),
    "RepeatVector": L.RepeatVector(2),
    "Rescaling": L.Rescaling(0.5, offset=0.1),
    "Reshape": L.Reshape((2, 2)),
    "Softmax": _after_dense(L.Softmax()),
    "SpectralNormalization": L.SpectralNormalization(L.Dense(3)),
    "Subtract": lambda x: L.Subtract()(_two(x)),
    "UnitNormalization": _after_dense(L.UnitNormalization()),
}
SEQUENCE: dict[str, Callable] = {
    "AdaptiveAveragePooling1D": L.AdaptiveAveragePooling1D(2),
    "AdaptiveMaxPooling1D": L.AdaptiveMaxPooling1D(2),
    "AdditiveAttention": lambda x: L.AdditiveAttention()(_two(x)),
    "Attention": lambda x: L.Attention(use_scale=True)(_two(x)),
    "AveragePooling1D": L.AveragePooling1D(2),
    "Bidirectional": L.Bidirectional(L.GRU(2)),
    "Conv1D": L.Conv1D(2, 3, dilation_rate=2),
    "Conv1DTranspose": L.Conv1DTranspose(2, 3, strides=2),
    "Cropping1D": L.Cropping1D(1),
    "DepthwiseConv1D": L.DepthwiseConv1D(3, depth_multiplier=2),
    "Flatten": L.Flatten(),
    "GRU": L.GRU(2, reset_after=False),
    "GlobalAveragePooling1D": L.GlobalAveragePooling1D(),
    "GlobalMaxPooling1D": L.GlobalMaxPooling1D(),
    "GroupQueryAttention": lambda x: L.GroupQueryAttention(2, 4, 2)(x, x),
    "LSTM": L.LSTM(2, return_sequences=True),
    "MaxPooling1D": L.MaxPooling1D(2),
    "MultiHeadAttention": lambda x: L.MultiHeadAttention(2, 2)(x, x),
    "Permute": L.Permute((2, 1)),
    "RNN": L.RNN(L.StackedRNNCells([L.GRUCell(2), L.LSTMCell(2)])),
    "SeparableConv1D": L.SeparableConv1D(2, 3),
    "SimpleRNN": L.SimpleRNN(2, go_backwards=True),
    "SpatialDropout1D": L.SpatialDropout1D(0.3, seed=4),
    "TimeDistributed": L.TimeDistributed(L.Dense(2)),
    "UpSampling1D": L.UpSampling1D(2),
    "ZeroPadding1D": L.ZeroPadding1D(1),
}
IMAGE: dict[str, Callable] = {
    "AdaptiveAveragePooling2D": L.AdaptiveAveragePooling2D(2),
    "AdaptiveMaxPooling2D": L.AdaptiveMaxPooling2D(2),
    "AveragePooling2D": L.AveragePooling2D(2, padding="same"),
    "CenterCrop": L.CenterCrop(4, 4),
    "Conv2D": L.Conv2D(2, 3, strides=2, activation="relu"),
    "Conv2DTranspose": L.Conv2DTranspose(2, 3, padding="same"),
    "ConvLSTM1D": L.ConvLSTM1D(2, 3),
    "Cropping2D": L.Cropping2D(1),
    "DepthwiseConv2D": L.DepthwiseConv2D(3),
    "GlobalAveragePooling2D": L.GlobalAveragePooling2D(),
    "GlobalMaxPooling2D": L.GlobalMaxPooling2D(),
    "MaxPooling2D": L.MaxPooling2D(2),
    "Resizing": L.Resizing(3, 3),
    "SeparableConv2D": L.SeparableConv2D(2, 3),
    "SpatialDropout2D": L.SpatialDropout2D(0.3, seed=5),
    "UpSampling2D": L.UpSampling2D(2, interpolation="bilinear"),
    "ZeroPadding2D": L.ZeroPadding2D(1),
}
VOLUME: dict[str, Callable] = {
    "AdaptiveAveragePooling3D": L.AdaptiveAveragePooling3D(2),
    "AdaptiveMaxPooling3D": L.AdaptiveMaxPooling3D(2),
    "AveragePooling3D": L.AveragePooling3D(2),
    "Conv3D": L.Conv3D(2, 2),
    "Conv3DTranspose": L.Conv3DTranspose(2, 2),
    "ConvLSTM2D": L.ConvLSTM2D(2, 2),
    "Cropping3D": L.Cropping3D(1),
    "GlobalAveragePooling3D": L.GlobalAveragePooling3D(),
    "GlobalMaxPooling3D": L.GlobalMaxPooling3D(),
    "MaxPooling3D": L.MaxPooling3D(2),
    "SpatialDropout3D": L.SpatialDropout3D(0.3, seed=6),
    "UpSampling3D": L.UpSampling3D(2),
    "ZeroPadding3D": L.ZeroPadding3D(1),
}
BY_SHAPE = {(4,): VECTOR, (6, 3): SEQUENCE, (6, 6, 2): IMAGE, (4, 4, 4, 2): VOLUME}

# Tried elsewhere, or no layer of numbers.
ELSEWHERE = {
    "in every network": ["InputLayer"],
    "in the tests of masks": ["Masking"],
    "parts of others": ["GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"],
    "classes to build on": ["InputSpec", "Layer", "Wrapper", "Pipeline"],
    "other frameworks' networks": ["FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"],
    "of numbers of classes or texts": [
        "CategoryEncoding", "Discretization", "Embedding", "HashedCrossing", "Hashing",
        "IntegerLookup", "ReversibleEmbedding", "StringLookup", "TextVectorization",
    ],
    "of sound, of five axes, or of boxes": [
        "ConvLSTM3D", "MaxNumBoundingBoxes", "MelSpectrogram", "STFTSpectrogram",
    ],
    "made for reading images, not for a network": [
        "AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix",
        "Equalization", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration",
        "RandomColorJitter", "RandomContrast", "RandomCrop", "RandomElasticTransform",
        "RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue",
        "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomRotation",
        "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom",
        "Solarization",
    ],
}  # fmt: skip


def network(shape, names=None) -> keras.Model:
    """Build a network with a branch for each layer of rows of a shape."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    chosen = BY_SHAPE[shape] if names is None else {name: BY_SHAPE[shape][name] for name in names}
    branches = [L.Flatten()(apply(inputs)) for apply in chosen.values()]
    joined = L.Concatenate()(branches) if len(branches) > 1 else branches[0]
    size = 1
    for length in shape:
        size *= length
    return keras.Model(inputs, L.Reshape(shape)(L.Dense(size)(joined)))


def compare_layers(shape, names=None) -> None:
    """Train a network with a branch for each layer of rows of a shape."""
    x = np.random.default_rng(0).normal(size=(ROWS, *shape)).astype("float32")
    compare_network(network(shape, names), x)
