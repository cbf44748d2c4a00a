"""Short files that ask for much are refused before anything is taken."""

import copy
import hashlib
import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from fixtures.models import FOLDER, numbers
from narrows.storage import load, read_manifest
from narrows.storage._arrays import read_arrays, write_arrays

MANIFEST, WEIGHTS = "manifest.json", "weights.safetensors"


def members(name):
    with zipfile.ZipFile(FOLDER / "v1" / f"{name}.narrows") as file:
        return json.loads(file.read(MANIFEST)), file.read(WEIGHTS)


FUNCTIONS = members("functions")
PCA = members("pca")


def write(tmp_path, manifest, weights):
    stated = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    if isinstance(manifest, dict):
        manifest = json.dumps({**manifest, "members": {WEIGHTS: stated}})
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr(MANIFEST, manifest)
        file.writestr(WEIGHTS, weights)
    (tmp_path / "m.narrows").write_bytes(content.getvalue())
    return tmp_path / "m.narrows"


def refused(tmp_path, manifest, weights, message, *, megabytes=60, read=load):
    path = write(tmp_path, manifest, weights)
    tracemalloc.start()
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert type(caught.value) is ValueError
    assert "\n" not in str(caught.value)
    assert peak < megabytes * 1e6


def graph(manifest):
    return manifest["steps"][-1]["networks"]["encoder"]["config"]


def layer(manifest, name):
    return next(one for one in graph(manifest)["layers"] if one["name"] == name)


def entry(name, inputs, config, module="keras.layers"):
    """A layer of a graph, called on the output of another."""
    return {
        "class_name": name, "module": module, "registered_name": None,
        "config": {"name": f"new_{name}".lower(), **config}, "name": f"new_{name}".lower(),
        "inbound_nodes": [{"args": [tensor(inputs)], "kwargs": {}}],
    }  # fmt: skip


def tensor(name):
    where = {"shape": [None, 2], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": where}


def with_layer(name, config, module="keras.layers"):
    manifest = copy.deepcopy(FUNCTIONS[0])
    graph(manifest)["layers"].append(entry(name, "code", config, module))
    return manifest


@pytest.mark.parametrize(
    ("name", "config", "module"),
    [
        ("Dense", {"units": 10**12}, "keras.layers"),
        ("Embedding", {"input_dim": 10**9, "output_dim": 10**4}, "keras.layers"),
        ("RepeatVector", {"n": 10**9}, "keras.layers"),
        ("Tile", {"repeats": 10**9}, "keras.src.ops.numpy"),
        ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": [10**12]}, "keras.layers"),
    ],
)
def test_layers_of_any_size(tmp_path, name, config, module):
    message = "expected a weight of shape|numbers of a row"
    refused(tmp_path, with_layer(name, config, module), FUNCTIONS[1], message)


def test_statistics_spread_over_a_huge_row(tmp_path):
    """Normalization with given numbers takes memory when it is built."""
    manifest = with_layer("RepeatVector", {"n": 5_000_000})
    config = {"mean": [0.0], "variance": [1.0], "axis": 1}
    norm = entry("Normalization", "new_repeatvector", config)
    graph(manifest)["layers"].append(norm)
    refused(tmp_path, manifest, FUNCTIONS[1], "numbers of a row", megabytes=10)


def test_given_statistics_load(tmp_path):
    manifest = copy.deepcopy(FUNCTIONS[0])
    norm = entry("Normalization", "code", {"mean": [1.0, 2.0], "variance": [4.0, 4.0], "axis": -1})
    graph(manifest)["layers"].append(norm)
    graph(manifest)["output_layers"] = ["new_normalization", 0, 0]
    rows = numbers()
    plain = load(write(tmp_path, *FUNCTIONS)).transform(rows)
    found = load(write(tmp_path, manifest, FUNCTIONS[1])).transform(rows)
    np.testing.assert_allclose(found, (plain - [1, 2]) / 2, rtol=1e-5)


def test_operations_that_would_compute_at_once(tmp_path):
    for name, args in (
        ("Arange", [10**12]),
        ("Zeros", [[10**9, 10**3]]),
        ("Tile", [[1], [10**12]]),
    ):
        manifest = with_layer(name, {}, "keras.src.ops.numpy")
        graph(manifest)["layers"][-1]["inbound_nodes"] = [{"args": args, "kwargs": {}}]
        refused(tmp_path, manifest, FUNCTIONS[1], "called on numbers|could run code")


def test_models_nested_so_that_the_inner_one_is_called_a_billion_times(tmp_path):
    manifest = copy.deepcopy(FUNCTIONS[0])
    inner = copy.deepcopy(layer(manifest, "inner"))
    for _ in range(30):
        outer = copy.deepcopy(layer(manifest, "inner"))
        below = {**inner, "inbound_nodes": [{"args": [tensor("in_0")], "kwargs": {}}] * 2}
        outer["config"]["layers"].append(below)
        inner = outer
    layer(manifest, "inner").update(inner)
    refused(tmp_path, manifest, FUNCTIONS[1], "counted once for every call|levels deep")


def test_graphs_of_many_layers(tmp_path):
    manifest = copy.deepcopy(FUNCTIONS[0])
    layers = graph(manifest)["layers"]
    layers += [{**copy.deepcopy(layers[-1]), "name": f"more_{n}"} for n in range(1000)]
    refused(tmp_path, manifest, FUNCTIONS[1], "more than 1,000 layers")


def test_an_input_of_any_size(tmp_path):
    manifest = copy.deepcopy(FUNCTIONS[0])
    graph(manifest)["layers"][0]["config"]["batch_shape"] = [None, 10**12]
    refused(tmp_path, manifest, FUNCTIONS[1], "numbers of a row")


@pytest.mark.parametrize("name", ["AUC", "MeanIoU", "Precision"])
def test_metrics_with_any_number_of_thresholds_or_classes(tmp_path, name):
    manifest = copy.deepcopy(FUNCTIONS[0])
    config = {"num_thresholds": 10**9, "num_classes": 10**7, "thresholds": [0.5]}
    keras = {"class_name": name, "module": "keras.metrics", "config": config}
    manifest["steps"][-1]["parameters"]["metrics"] = [{"keras": keras}]
    refused(tmp_path, manifest, FUNCTIONS[1], "not Keras's own")


def test_a_scaler_that_states_any_number_of_columns(tmp_path):
    manifest = copy.deepcopy(PCA[0])
    scaler = {
        "name": "scaler", "kind": "StandardScaler", "n_features_in": 10**12,
        "parameters": {"with_mean": False, "with_std": False}, "feature_names_in": None,
        "output": None,
        "learned": {"mean_": None, "scale_": None, "var_": None, "n_samples_seen_": 3},
    }  # fmt: skip
    manifest["steps"].insert(0, scaler)
    manifest["pipeline"] = {"verbose": False}
    message = "makes 1000000000000 columns, and its PCA takes 4"
    refused(tmp_path, manifest, PCA[1], message)


@pytest.mark.parametrize("read", [load, read_manifest])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"x": 0', b'"x": NaN', "NaN is no number"),
        (b'"x": 0', b'"x": -Infinity', "-Infinity is no number"),
        (b'"x": 0', b'"x": ' + b"9" * 5000, "not JSON"),
        (b'"x": 0', b'"x": ' + b"[" * 200 + b"]" * 200, "200 levels"),
        (b'"x": 0', b'"x": ' + b"[" * 100_000, "not JSON"),
        (b'"x": 0', b'"x": ' + b'{"a": ' * 300 + b"1" + b"}" * 300, "200 levels"),
        (b'"x": 0', b'"x": 0, "x": 1', "twice"),
        (b'"x": 0', b'"x": "\\ud800"', "not JSON"),
        (b'"x": 0', b'"\\ud800": 1', "not JSON"),
        (b'"x": 0', b'"x": "\xff"', "not JSON"),
    ],
)
def test_json_that_readers_could_take_in_two_ways(tmp_path, old, new, message, read):
    manifest, weights = PCA
    stated = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    sound = json.dumps({**manifest, "x": 0, "members": {WEIGHTS: stated}}).encode()
    assert sound.count(old) == 1
    read(write(tmp_path, sound, weights))
    refused(tmp_path, sound.replace(old, new), weights, message, read=read)


def test_a_large_number_or_many_keys_do_no_harm(tmp_path):
    manifest = {**PCA[0], "x": 1e308, "more": {str(n): n for n in range(10_000)}}
    assert read_manifest(write(tmp_path, manifest, PCA[1]))["more"]["7"] == 7


def test_many_steps(tmp_path):
    manifest = copy.deepcopy(PCA[0])
    manifest["steps"] = [{**manifest["steps"][0], "name": f"s{n}"} for n in range(101)]
    refused(tmp_path, manifest, PCA[1], "more than 100 steps")


def test_types_that_no_array_has(tmp_path):
    arrays = read_arrays(PCA[1])
    weights = write_arrays({**arrays, "pca/mean_": np.zeros(4, "float32")})
    for kind in (b"C64", b"F8_E4M3"):
        changed = weights.replace(b'"F32"', b'"' + kind + b'"')
        refused(tmp_path, PCA[0], changed, "its arrays cannot be read")


def test_what_is_unknown_in_the_manifest_is_left_alone(tmp_path):
    """A later version may add keys that an older one can do without."""
    manifest = copy.deepcopy(PCA[0])
    manifest["news"] = {"class_name": "Lambda"}
    manifest["steps"][0]["news"] = [1, 2]
    load(write(tmp_path, manifest, PCA[1]))
