"""Every layer that can stand in a network of a table or of images trains as in Keras."""

import inspect

import pytest

from narrows._keras import keras
from support import keras_layers

ROWS, *LARGER = keras_layers.BY_SHAPE


@pytest.mark.long
def test_layers_of_rows():
    keras_layers.compare_layers(ROWS)


@pytest.mark.long
@pytest.mark.parametrize("shape", LARGER, ids=["steps", "images", "volumes"])
def test_layers_of_larger_shapes(shape):
    keras_layers.compare_layers(shape)


def test_no_layer_of_keras_is_left_out():
    named = {name for layers in keras_layers.BY_SHAPE.values() for name in layers}
    named |= {name for names in keras_layers.ELSEWHERE.values() for name in names}
    known = {getattr(keras.layers, name, None) for name in named}  # older Keras lacks some
    kinds = {one for one in vars(keras.layers).values() if inspect.isclass(one)}
    assert not kinds - known
