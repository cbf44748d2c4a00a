"""A file runs no code and imports nothing, whatever its configuration names, and wherever.

Each attack would leave a mark if it came through; first it is shown that it would.
"""

import copy
import hashlib
import importlib
import io
import json
import pickle
import sys
import zipfile

import numpy as np
import pytest

from fixtures.models import CUSTOM, FOLDER, Twice, numbers
from narrows._keras import keras
from narrows.storage import load

# Keras is imported by narrows, which chooses the backend; only then may its parts be.
global_state = importlib.import_module("keras.src.backend.common.global_state")
MARKS = []
CODE = "__import__('storage_marks').append(1)"  # what an attacker's code does here


class Pickled:
    def __reduce__(self):
        return exec, (CODE,)


@pytest.fixture(autouse=True)
def no_mark():
    MARKS.clear()
    yield
    assert MARKS == []


@pytest.fixture(params=[False, True], ids=["as usual", "unsafe"])
def unsafe(request):
    """Also with a session that has told Keras to run anything."""
    before = global_state.get_global_attribute("safe_mode_saving")
    if request.param:
        keras.config.enable_unsafe_deserialization()
    yield request.param
    global_state.set_global_attribute("safe_mode_saving", before)


def lambda_config():
    """A lambda as Keras writes it: marshalled code."""
    function = lambda x: __import__("storage_marks").append(1) or x  # noqa: E731
    with pytest.warns(UserWarning, match="lambda"):
        return json.loads(json.dumps(keras.saving.serialize_keras_object(function)))


def keras_entry(name, module, /, **config):
    return {"class_name": name, "module": module, "config": config, "registered_name": None}


PAYLOAD = pickle.dumps(Pickled()).decode("latin-1")
ATTACKS = {
    "lambda": lambda_config(),
    "Lambda": keras_entry("Lambda", "keras.layers", function=lambda_config(), name="l"),
    "Lambda of a name": keras_entry("Lambda", "keras.layers", function="tanh", name="l"),
    "Lambda by its own module": keras_entry(
        "Lambda", "keras.src.layers.core.lambda_layer", function=lambda_config()
    ),
    "a class of os": keras_entry("system", "os"),
    "a function of os": {
        "class_name": "function", "module": "os", "config": "system", "registered_name": "system",
    },
    "a function of builtins": {
        "class_name": "function", "module": "builtins", "config": "eval", "registered_name": "eval",
    },
    "a module": keras_entry("Anything", "storage_evil"),
    "a module without a dot, registered elsewhere": {
        **keras_entry("Twice", "storage_evil"), "registered_name": "nobody",
    },
    "pickle in torch": keras_entry("TorchModuleWrapper", "keras.layers", module=PAYLOAD),
    "pickle in jax": keras_entry("JaxLayer", "keras.layers", call_fn=PAYLOAD),
    "pickle in flax": keras_entry("FlaxLayer", "keras.layers", module=PAYLOAD),
    "a saved model": keras_entry("TFSMLayer", "keras.layers", filepath="/tmp"),
    "a vocabulary": keras_entry("StringLookup", "keras.layers", vocabulary="/etc/passwd"),
    "a feature space": keras_entry("FeatureSpace", "keras.utils", features={}),
    "a download": keras_entry("get_file", "keras.utils", origin="http://127.0.0.1/x"),
    "loading": {
        "class_name": "function", "module": "keras.saving", "config": "load_model",
        "registered_name": "load_model",
    },
    "the base of layers": keras_entry("Layer", "keras.layers"),
    "a subclassed model": keras_entry("Model", "keras"),
    "a type of TensorFlow": {
        "class_name": "__typespec__", "spec_name": "system", "module": "os", "config": [],
        "registered_name": None,
    },
    "an array of objects": {
        "class_name": "__numpy__", "config": {"value": [PAYLOAD], "dtype": "object"},
    },
    "a class that this session has registered": {
        "class_name": "Twice", "module": "fixtures.models", "config": {"name": "t"},
        "registered_name": "narrows-tests>Twice",
    },
    "another class under a known name": {
        **keras_entry("Dense", "keras.layers", units=2), "registered_name": "narrows-tests>Twice",
    },
    "a layer of the oldest form": {"class_name": "Lambda", "config": {"function": ["", None]}},
    "a quantized policy": keras_entry("QuantizedDTypePolicy", "keras.dtype_policies", mode="int8"),
    "a map of policies": keras_entry("DTypePolicyMap", "keras.dtype_policies"),
}  # fmt: skip
KEYS = [
    "activation", "kernel_initializer", "kernel_regularizer", "kernel_constraint",
    "activity_regularizer", "dtype", "name", "anything",
]  # fmt: skip


def members(name):
    with zipfile.ZipFile(FOLDER / "v1" / f"{name}.narrows") as file:
        return json.loads(file.read("manifest.json")), file.read("weights.safetensors")


FUNCTIONS, WEIGHTS = members("functions")


def graph(manifest):
    return manifest["steps"][-1]["networks"]["encoder"]["config"]


def layer(manifest, name):
    return next(one for one in graph(manifest)["layers"] if one["name"] == name)


def write(tmp_path, manifest, weights=WEIGHTS):
    stated = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    text = json.dumps({**manifest, "members": {"weights.safetensors": stated}})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("manifest.json", text)
        file.writestr("weights.safetensors", weights)
    (tmp_path / "m.narrows").write_bytes(content.getvalue())
    return tmp_path / "m.narrows"


def refused(tmp_path, manifest, custom=None, message="must describe a model"):
    before = set(sys.modules)
    with pytest.raises(ValueError, match=message) as caught:
        load(write(tmp_path, manifest), custom)
    assert type(caught.value) is ValueError
    assert "\n" not in str(caught.value)
    assert "storage_evil" not in sys.modules
    assert not {"tensorflow", "torch", "flax"} & (set(sys.modules) - before)


@pytest.fixture(autouse=True)
def evil_module(tmp_path, monkeypatch):
    """A module on the path that leaves a mark when it is imported."""
    (tmp_path / "storage_evil.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "storage_marks", MARKS)


def test_the_attacks_would_leave_a_mark():
    pickle.loads(PAYLOAD.encode("latin-1"))
    before = global_state.get_global_attribute("safe_mode_saving")
    keras.config.enable_unsafe_deserialization()
    try:
        keras.saving.deserialize_keras_object(copy.deepcopy(ATTACKS["lambda"]), safe_mode=True)(1)
    finally:
        global_state.set_global_attribute("safe_mode_saving", before)
    import storage_evil  # noqa: F401

    del sys.modules["storage_evil"]
    assert len(MARKS) == 3
    MARKS.clear()


@pytest.mark.parametrize("attack", ATTACKS)
def test_in_place_of_a_layer(tmp_path, attack, unsafe):
    for where in ("code", "inner"):
        manifest = copy.deepcopy(FUNCTIONS)
        old = layer(manifest, where)
        for key in ("module", "registered_name", "build_config"):
            old.pop(key, None)
        old.update(copy.deepcopy(ATTACKS[attack]))
        refused(tmp_path, manifest, message="could run code")


@pytest.mark.parametrize("attack", ATTACKS)
def test_in_place_of_a_value(tmp_path, attack, unsafe):
    for key in KEYS:
        manifest = copy.deepcopy(FUNCTIONS)
        layer(manifest, "code")["config"][key] = copy.deepcopy(ATTACKS[attack])
        refused(tmp_path, manifest, message="could run code")


@pytest.mark.parametrize("attack", ATTACKS)
def test_deep_inside(tmp_path, attack):
    for place in range(6):
        manifest = copy.deepcopy(FUNCTIONS)
        evil = copy.deepcopy(ATTACKS[attack])
        inner = layer(manifest, "inner")["config"]["layers"][1]
        code = layer(manifest, "code")
        decoder = manifest["steps"][-1]["networks"]["decoder"]["config"]["layers"]
        gru = next(one for one in decoder if one["name"] == "gru")
        if place == 0:
            inner["config"]["activation"] = {"deeper": [{"and": evil}]}
        elif place == 1:
            gru["config"]["recurrent_initializer"] = evil
        elif place == 2:
            code["inbound_nodes"][0]["kwargs"]["mask"] = evil
        elif place == 3:
            code["inbound_nodes"][0]["args"].append([evil])
        elif place == 4:
            code["build_config"] = {"input_shape": evil}
        else:
            code["config"]["kernel_regularizer"]["config"]["l2"] = evil
        refused(tmp_path, manifest, message="could run code")


@pytest.mark.parametrize("attack", ATTACKS)
def test_in_a_parameter(tmp_path, attack):
    for name in ("loss", "optimizer", "metrics"):
        manifest = copy.deepcopy(FUNCTIONS)
        evil = {"keras": copy.deepcopy(ATTACKS[attack])}
        manifest["steps"][-1]["parameters"][name] = [evil] if name == "metrics" else evil
        refused(tmp_path, manifest, message="not Keras's own|not a loss")


@pytest.mark.parametrize(
    "text", ["__lambda__", "narrows-tests>Twice", "os.system", "eval", "Twice"]
)
def test_texts_are_no_way_either(tmp_path, text):
    for key in KEYS[:5]:
        manifest = copy.deepcopy(FUNCTIONS)
        layer(manifest, "code")["config"][key] = text
        refused(tmp_path, manifest)


def test_what_a_model_was_compiled_with_is_dropped(tmp_path):
    manifest = copy.deepcopy(FUNCTIONS)
    for evil in ATTACKS.values():
        layer(manifest, "inner")["compile_config"] = {"optimizer": evil}
        manifest["steps"][-1]["networks"]["encoder"]["compile_config"] = evil
        load(write(tmp_path, manifest)).transform(numbers())


def test_a_name_that_was_passed_leads_to_what_was_passed_only(tmp_path):
    manifest, weights = members("own-layer")
    expected = load(write(tmp_path, manifest, weights), CUSTOM).transform(numbers())
    for change in (
        {"module": "storage_evil", "registered_name": "nobody"},
        {"module": "storage_evil", "registered_name": None},
        {"module": None, "registered_name": None},
        {"module": "storage_evil", "class_name": "system", "registered_name": "Twice"},
    ):
        layer(manifest, "twice").update(change)
        found = load(write(tmp_path, manifest, weights), CUSTOM)
        assert type(found.encoder_.get_layer("twice")) is Twice
        np.testing.assert_array_equal(found.transform(numbers()), expected)
        assert "storage_evil" not in sys.modules


def test_refused_classes_of_keras_cannot_be_passed_either(tmp_path):
    manifest = copy.deepcopy(FUNCTIONS)
    layer(manifest, "code").update(copy.deepcopy(ATTACKS["Lambda"]))
    refused(tmp_path, manifest, {"Lambda": keras.layers.Lambda}, message="could run code")


def test_a_session_stays_as_it_was(tmp_path, unsafe):
    before = [dict(keras.saving.get_custom_objects()), keras.layers.Layer.add_weight]
    load(write(tmp_path, FUNCTIONS))
    assert [dict(keras.saving.get_custom_objects()), keras.layers.Layer.add_weight] == before
    assert (global_state.get_global_attribute("safe_mode_saving") is False) == unsafe
