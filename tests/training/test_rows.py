"""Rows are padded to few sizes, and only where padding does no harm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows._keras import keras
from narrows.objectives import Reconstruction
from narrows.training._buckets import bucket, pad_rows
from narrows.training.compiling._padding import tolerates_padding

layers = keras.layers
ROWS = st.integers(1, 10_000_000)


@given(rows=ROWS, multiple=st.integers(1, 5000))
def test_a_bucket_holds_the_rows_in_whole_batches(rows, multiple):
    size = bucket(rows, multiple)
    assert size >= rows
    assert size % multiple == 0


@given(rows=ROWS)
def test_at_most_a_quarter_is_padding(rows):
    assert bucket(rows) - rows <= max(0.25 * rows, 256 - rows)


@given(rows=ROWS, more=st.integers(0, 1000), multiple=st.integers(1, 512))
def test_more_rows_never_need_a_smaller_bucket(rows, more, multiple):
    assert bucket(rows, multiple) <= bucket(rows + more, multiple)


@given(rows=ROWS)
def test_a_bucket_is_its_own_bucket(rows):
    assert bucket(bucket(rows)) == bucket(rows)


def test_few_sizes_to_each_power_of_two():
    assert {bucket(rows) for rows in range(1, 257)} == {256}
    assert len({bucket(rows) for rows in range(1025, 2049)}) <= 8
    assert bucket(120, 32) == bucket(100, 32) == 256


def test_padding_appends_zeros():
    x = np.ones((3, 2), np.float32)
    padded = pad_rows(x, 5)
    assert padded.dtype == x.dtype
    np.testing.assert_array_equal(padded[:3], x)
    np.testing.assert_array_equal(padded[3:], 0)
    assert pad_rows(x, 3) is x


class OwnLayer(layers.Layer):
    def call(self, x):
        return x - keras.ops.mean(x, axis=0)


@pytest.mark.parametrize(
    ("layer", "tolerates"),
    [
        (layers.Dense(2), True),
        (layers.BatchNormalization(), True),
        (layers.Dropout(0.1), True),
        (layers.Dense(2, activity_regularizer="l2"), False),
        (layers.ActivityRegularization(l2=0.1), False),
        (OwnLayer(), False),
    ],
    ids=["dense", "norm", "dropout", "activity", "activity layer", "own"],
)
@pytest.mark.parametrize("nested", [False, True])
def test_who_tolerates_padding(layer, tolerates, nested):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    if nested:
        model = keras.Model(outer := keras.Input((3,)), model(outer))
    assert tolerates_padding(model, Reconstruction("mse")) is tolerates


@pytest.mark.parametrize("loss", ["dice", lambda target, output: (target - output) ** 2])
def test_a_loss_that_may_look_across_rows_does_not_tolerate_padding(loss):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Dense(3)(inputs))
    assert tolerates_padding(model, Reconstruction("huber"))
    assert not tolerates_padding(model, Reconstruction(loss))


def test_a_nested_sequential_is_looked_into():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)])
    coupled = keras.Sequential([keras.Input((3,)), layers.Softmax(axis=0)])
    for nested, tolerates in ((inner, True), (coupled, False)):
        inputs = keras.Input((3,))
        model = keras.Model(inputs, nested(inputs))
        assert tolerates_padding(model, Reconstruction("mse")) is tolerates
