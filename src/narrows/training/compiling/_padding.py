"""Who may be shown padding rows, and who must not."""

from collections.abc import Callable, Sequence

import numpy as np

from narrows._keras import keras
from narrows.networks import Sampling, Transposed, foreign_pieces, is_own
from narrows.objectives import Objective

_LAYERS = keras.layers
# Layers that treat a batch row by row. Batch normalization does not, but what a training runs in
# its place leaves padding out. What is not in here is not known to: masks, wrappers, functions,
# classes of the user.
_ROW_BY_ROW = {
    getattr(_LAYERS, name)
    for name in [
        "InputLayer",
        "Dense",
        "EinsumDense",
        "Activation",
        "ReLU",
        "LeakyReLU",
        "PReLU",
        "ELU",
        "Identity",
        "BatchNormalization",
        "LayerNormalization",
        "UnitNormalization",
        "GroupNormalization",
        "Rescaling",
        "Dropout",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "GaussianDropout",
        "GaussianNoise",
        "AlphaDropout",
        "Flatten",
        "Reshape",
        "Permute",
        "RepeatVector",
        "Add",
        "Subtract",
        "Multiply",
        "Average",
        "Maximum",
        "Minimum",
        "Concatenate",
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "Conv1DTranspose",
        "Conv2DTranspose",
        "Conv3DTranspose",
        "DepthwiseConv1D",
        "DepthwiseConv2D",
        "SeparableConv1D",
        "SeparableConv2D",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "UpSampling1D",
        "UpSampling2D",
        "UpSampling3D",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "ZeroPadding3D",
        "Cropping1D",
        "Cropping2D",
        "Cropping3D",
        "SimpleRNN",
        "LSTM",
        "GRU",
    ]
    if hasattr(_LAYERS, name)
} | {Sampling, Transposed}


def tolerates_padding(
    model: keras.Model, objective: Objective, metrics: Sequence[keras.metrics.Metric] = ()
) -> bool:
    """Whether padding rows in a batch leave the other rows' results and losses unchanged.

    Where that is not certain, the engine compiles batches of exactly the right length instead, and
    again for another number of rows: a layer class or activation that is not Keras's own, an
    operation that is no layer, an activity regularizer (it sums over the batch), a loss or a metric
    that may look across rows.
    """
    if not objective.ignores_padding or not all(map(_takes_weights, metrics)):
        return False
    return all(_row_by_row(operation) for operation in model.operations)


def _row_by_row(operation: Callable) -> bool:
    if isinstance(operation, keras.Model):
        if foreign_pieces(operation):
            return False
        inner = getattr(operation, "operations", None) or getattr(operation, "layers", [])
        return bool(inner) and all(_row_by_row(one) for one in inner)
    if type(operation) not in _ROW_BY_ROW or foreign_pieces(operation):
        return False
    if getattr(operation, "activity_regularizer", None) is not None:
        return False
    if isinstance(operation, _LAYERS.BatchNormalization):
        # The exchanged layer's mask is by row, over all axes but the last.
        return operation.axis in (-1, len(operation.output.shape) - 1) and not getattr(
            operation, "renorm", False
        )
    return _softmax_axis(operation) != 0


def _takes_weights(metric: keras.metrics.Metric) -> bool:
    """Whether a metric leaves out rows of weight 0, as Keras's own do."""
    function = getattr(metric, "_fn", None)
    if not is_own(metric) or function is None:
        return is_own(metric)
    if not str(getattr(function, "__module__", "")).startswith("keras."):
        return False
    example = np.full((2, 2), 0.5, np.float32)
    return np.ndim(function(example, example, **metric._fn_kwargs)) > 0  # one for a batch: Dice's


def _softmax_axis(operation: Callable) -> int:
    """The axis of an activation that looks along one; the last where there is none."""
    activation = getattr(operation, "activation", None)
    return getattr(activation, "axis", -1)
