"""The post's network has the post's names, shapes and counts, whatever the process did before."""

import re

import pytest

from narrows._keras import keras
from narrows.networks import (
    build_networks,
    layer_table,
    parameter_counts,
    post_decoder,
    post_encoder,
    summary_text,
    weight_table,
)

# The table in the post: name, output shape, Param # as printed there.
POST_TABLE = """\
input_1 (None, 4) 0
dense_1 (None, 150) 750
batch_normalization_1 (None, 150) 600
dropout_1 (None, 150) 0
dense_2 (None, 50) 7550
dropout_2 (None, 50) 0
dense_3 (None, 25) 1275
dense_4 (None, 2) 52
dense_5 (None, 150) 450
dropout_3 (None, 150) 0
dense_6 (None, 50) 7550
dropout_4 (None, 50) 0
dense_7 (None, 25) 1275
dense_8 (None, 4) 104"""
ROW = re.compile(r"(\w+) \(\w+\)\s+(\(.*\))\s+(\S+)$")


@pytest.fixture(scope="module")
def networks():
    return build_networks((4,), 2, post_encoder, post_decoder)


def names(model):
    return [layer.name for layer in model.layers]


def test_summary_prints_the_posts_table(networks):
    text = summary_text(networks.autoencoder)
    rows = [match.groups() for line in text.splitlines() if (match := ROW.match(line))]
    assert "\n".join(" ".join(row) for row in rows) == POST_TABLE
    assert text.splitlines()[-4:-1] == [
        "Total params: 19,606",
        "Trainable params: 19,306",
        "Non-trainable params: 300",
    ]
    assert re.match(r"Layer \(type\) +Output Shape +Param #$", text.splitlines()[1])
    assert {len(line) for line in text.splitlines() if set(line) <= {"_", "="}} == {75}


def test_tables_agree_with_the_model(networks):
    table = layer_table(networks.autoencoder)
    assert table["parameters"].sum() == 19_606
    assert table.loc[2].tolist() == [
        "batch_normalization_1", "BatchNormalization", (None, 150), 600
    ]  # fmt: skip
    assert parameter_counts(networks.autoencoder) == {
        "total": 19_606, "trainable": 19_306, "non_trainable": 300
    }  # fmt: skip


def test_twenty_arrays_with_the_posts_ranks(networks):
    table = weight_table(networks.autoencoder)
    # The post's output of map_chr(class), a matrix being of rank 2.
    ranks = "211111212121212121" + "21"
    assert "".join(map(str, table["rank"])) == ranks
    assert table["shape"].tolist() == [w.shape for w in networks.autoencoder.get_weights()]
    assert table["layer"].tolist()[:6] == ["dense_1"] * 2 + ["batch_normalization_1"] * 4
    assert table.loc[~table["trainable"], "weight"].tolist() == ["moving_mean", "moving_variance"]


def test_names_do_not_depend_on_what_was_built_before():
    first = build_networks((4,), 2, post_encoder, post_decoder)
    for _ in range(3):
        keras.layers.BatchNormalization()(keras.layers.Dense(3)(keras.Input((4,))))
    second = build_networks((4,), 2, post_encoder, post_decoder)
    assert names(first.autoencoder) == names(second.autoencoder)
    assert names(second.autoencoder) == [line.split()[0] for line in POST_TABLE.splitlines()]
