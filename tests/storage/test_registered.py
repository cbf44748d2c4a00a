"""What a session has registered with Keras is not found by a file, under any name, anywhere."""

import copy
import json
import threading
import zipfile

import numpy as np
import pytest

from narrows._keras import keras
from narrows.storage import load, load_keras
from storage.test_no_code import FUNCTIONS, WEIGHTS, layer, write

BARE, PACKED = "storage_touch", "storage>touch"
CALLS = []


def touch(*arguments, **more):
    """The bait."""
    CALLS.append((arguments, more))
    return arguments[0] if arguments else None


class Bait(keras.layers.Layer):
    """Leaves a mark when it is made."""

    def __init__(self, **more):
        CALLS.append(more)
        super().__init__()

    def call(self, x):
        """Return what comes."""
        return x


class Start(keras.initializers.Initializer):
    """Leaves a mark when it is made."""

    def __init__(self, **more):
        CALLS.append(more)

    def __call__(self, shape, dtype=None):
        """Return zeros."""
        return np.zeros(shape, dtype)


@pytest.fixture(params=["registry", "scope"], autouse=True)
def bait(request):
    """Objects under bare names, packages' names and the names of Keras's own."""
    found = {BARE: touch, PACKED: touch, "relu": touch, "glorot_uniform": Start, "Dense": Bait}
    found |= {"storage_bait": Bait, "storage>Bait": Bait, "storage_start": Start, "L2": Start}
    CALLS.clear()
    if request.param == "scope":
        with keras.saving.custom_object_scope(found):
            yield
    else:
        registry = keras.saving.get_custom_objects()
        before = dict(registry)
        registry.update(found)
        yield
        registry.clear()
        registry.update(before)
    assert CALLS == []


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A ``.keras`` file's members, made before anything is registered."""
    inputs = keras.Input((2,), name="i")
    model = keras.Model(inputs, keras.layers.Dense(2, "relu", name="d")(inputs), name="m")
    path = tmp_path_factory.mktemp("good") / "m.keras"
    model.save(path)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def keras_file(tmp_path, parts, change):
    config = json.loads(parts["config.json"])
    change(config["config"]["layers"])
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        for name, content in parts.items():
            file.writestr(name, json.dumps(config) if name == "config.json" else content)
    return tmp_path / "m.keras"


def function(name, module="builtins"):
    return {"class_name": "function", "module": module, "config": name, "registered_name": name}


def entry(name, module=None, **config):
    return {"class_name": name, "module": module, "config": config, "registered_name": name}


TENSOR = {
    "class_name": "__keras_tensor__",
    "config": {"shape": [None, 2], "dtype": "float32", "keras_history": ["i", 0, 0]},
}
NAMED = {
    "text": BARE,
    "text with a package": PACKED,
    "function": function(BARE),
    "function without a module": function(BARE, None),
    "function by half its name": function("touch"),
    "function in activations": function(BARE, "keras.activations"),
    "class": entry("storage_bait"),
    "class of Keras's module": entry("storage_bait", "keras.layers"),
    "class by its registered name": entry("Bait", "storage") | {"registered_name": "storage>Bait"},
    "initializer": entry("storage_start", "keras.initializers"),
    "text of a class": "storage_start",
}
PLACES = (
    "activation", "kernel_initializer", "bias_initializer", "kernel_regularizer",
    "activity_regularizer", "kernel_constraint", "dtype",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_in_a_value_of_a_layer(tmp_path, parts, name):
    for place in PLACES:

        def change(layers, place=place):
            layers[1]["config"][place] = copy.deepcopy(NAMED[name])

        with pytest.raises(ValueError, match="must describe a Keras model"):
            load_keras(keras_file(tmp_path, parts, change))
        manifest = copy.deepcopy(FUNCTIONS)
        layer(manifest, "code")["config"][place] = copy.deepcopy(NAMED[name])
        with pytest.raises(ValueError, match="must describe a model"):
            load(write(tmp_path, manifest, WEIGHTS))


@pytest.mark.parametrize("name", [*NAMED, "get", "deserialize"])
def test_in_an_operation(tmp_path, parts, name):
    fun = NAMED.get(name, function(name, "keras.activations"))
    operation = {
        "class_name": "JVP", "module": "keras.src.ops.linalg", "config": {"name": "dead"},
        "registered_name": "JVP", "name": "dead",
        "inbound_nodes": [{"args": [fun, [TENSOR], [TENSOR]], "kwargs": {}}],
    }  # fmt: skip
    with pytest.raises(ValueError, match="must describe a Keras model"):
        load_keras(keras_file(tmp_path, parts, lambda layers: layers.append(operation)))


def wrapped(inner):
    return {
        "time": entry("TimeDistributed", "keras.layers", layer=inner),
        "both ways": entry("Bidirectional", "keras.layers", layer=inner),
        "cells": entry("StackedRNNCells", "keras.layers", cells=[inner]),
        "a cell": entry("RNN", "keras.layers", cell=inner),
        "activation": entry("Activation", "keras.layers", activation=inner),
        "norm": entry("SpectralNormalization", "keras.layers", layer=inner),
        "query": entry("MultiHeadAttention", "keras.layers", num_heads=1, key_dim=1,
                       kernel_initializer=inner),
        "gru": entry("GRU", "keras.layers", units=2, recurrent_activation=inner),
        "lstm": entry("LSTM", "keras.layers", units=2, recurrent_initializer=inner),
        "embedding": entry("Embedding", "keras.layers", input_dim=2, output_dim=2,
                           embeddings_initializer=inner),
        "prelu": entry("PReLU", "keras.layers", alpha_initializer=inner),
        "batch": entry("BatchNormalization", "keras.layers", gamma_constraint=inner),
    }  # fmt: skip


@pytest.mark.parametrize("place", wrapped(None))
def test_in_layers_that_hold_others(tmp_path, parts, place):
    for inner in NAMED.values():
        other = wrapped(copy.deepcopy(inner))[place]
        other["registered_name"] = None
        other |= {"name": "dead", "inbound_nodes": [{"args": [TENSOR], "kwargs": {}}]}
        other["config"]["name"] = "dead"

        def change(layers, other=other):
            layers.append(other)

        with pytest.raises(ValueError, match="must describe a Keras model"):
            load_keras(keras_file(tmp_path, parts, change))


@pytest.mark.parametrize("parameter", ["loss", "optimizer", "metrics"])
def test_in_a_parameter(tmp_path, parameter):
    for name in (BARE, PACKED):
        manifest = copy.deepcopy(FUNCTIONS)
        several = [name] if parameter == "metrics" else name
        manifest["steps"][-1]["parameters"][parameter] = several
        with pytest.raises(ValueError, match=r"session has registered .*custom_objects"):
            load(write(tmp_path, manifest, WEIGHTS))
    schedule = entry("Adam", "keras.optimizers", learning_rate=entry("storage_bait"))
    for value in (NAMED["class"], function(BARE), schedule):
        manifest = copy.deepcopy(FUNCTIONS)
        value = {"keras": value}
        manifest["steps"][-1]["parameters"][parameter] = (
            [value] if parameter == "metrics" else value
        )
        with pytest.raises(ValueError, match="not Keras's own"):
            load(write(tmp_path, manifest, WEIGHTS))


def test_names_of_keras_lead_to_keras(tmp_path, parts):
    def change(layers):
        layers[1]["config"]["activation"] = "relu"
        layers[1]["config"]["kernel_initializer"] = "glorot_uniform"

    model = load_keras(keras_file(tmp_path, parts, change))
    assert model.layers[1].activation is keras.activations.relu
    assert type(model.layers[1].kernel_initializer) is keras.initializers.GlorotUniform
    assert type(model.layers[1]) is keras.layers.Dense
    manifest = copy.deepcopy(FUNCTIONS)
    load(write(tmp_path, manifest, WEIGHTS))


def test_what_the_caller_passes_is_found(tmp_path, parts):
    def double(x):
        return 2 * x

    def change(layers):
        layers[1]["config"]["activation"] = function(BARE, None)

    path = keras_file(tmp_path, parts, change)
    assert load_keras(path, {BARE: double}).layers[1].activation is double


def test_the_session_and_its_other_threads_keep_their_registry(tmp_path, parts):
    from narrows._keras import only_passed

    before, seen = dict(keras.saving.get_custom_objects()), []
    with only_passed({"x": touch}):
        assert keras.saving.get_registered_object(BARE) is None
        assert keras.saving.get_registered_object("x") is touch
        other = threading.Thread(
            target=lambda: seen.append(dict(keras.saving.get_custom_objects()))
        )
        other.start()
        other.join()
    assert seen == [before]
    assert keras.saving.get_custom_objects() == before


def test_the_bait_is_taken_by_keras_itself(parts, tmp_path):
    def change(layers):
        layers[1]["config"]["kernel_initializer"] = "storage_start"

    keras.saving.load_model(keras_file(tmp_path, parts, change))
    assert CALLS
    CALLS.clear()
