"""Files that are damaged or hostile: one clear ValueError each, nothing loaded, no code run."""

import hashlib
import io
import json
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as read_safetensors
from safetensors.numpy import save as write_safetensors

import narrows
from narrows.storage import load, read_manifest, save

MANIFEST, WEIGHTS = "manifest.json", "weights.safetensors"


@pytest.fixture(scope="module")
def good(tmp_path_factory, measurements):
    """A small model's file, as bytes."""
    path = tmp_path_factory.mktemp("good") / "good.narrows"
    model = narrows.Autoencoder(encoder=(3,), epochs=1, random_state=0).fit(measurements)
    save(model, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def pca(tmp_path_factory, measurements):
    path = tmp_path_factory.mktemp("good") / "pca.narrows"
    save(narrows.PCA().fit(measurements), path)
    return path.read_bytes()


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return json.loads(file.read(MANIFEST)), file.read(WEIGHTS)


def zipped(*entries, compression=zipfile.ZIP_STORED, comment=b""):
    """A zip of (name, content) pairs."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as file:
        file.comment = comment
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            file.writestr(info, data)
    return target.getvalue()


def again(manifest, weights):
    """A file with its hashes right, whatever else is wrong."""
    stated = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    manifest = {**manifest, "members": {WEIGHTS: stated}}
    return zipped((MANIFEST, json.dumps(manifest)), (WEIGHTS, weights))


def refused(tmp_path, content, message):
    path = tmp_path / "bad.narrows"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        load(path)
    assert type(caught.value) is ValueError
    assert repr(os.fspath(path)) in str(caught.value)
    assert "\n" not in str(caught.value)


def layers(manifest, part="encoder"):
    return manifest["steps"][-1]["networks"][part]["config"]["layers"]


def test_the_helpers_make_files_that_load(good, tmp_path, measurements):
    """Otherwise every refusal below might have another reason."""
    path = tmp_path / "fine.narrows"
    path.write_bytes(again(*members(good)))
    (tmp_path / "original.narrows").write_bytes(good)
    np.testing.assert_array_equal(
        load(path).transform(measurements),
        load(tmp_path / "original.narrows").transform(measurements),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "It is empty"),
        (b"a,b\n1,2\n", "something else"),
        (zipped(("word/document.xml", "x")), r"zip of \['word/document.xml'\]"),
        (zipped(("a", "x"), ("b", "y")), r"zip of \['a', 'b'\]"),
        (zipped((MANIFEST, "{}"), (WEIGHTS, b"")), "'format'"),
        (zipped((MANIFEST, "[]"), (WEIGHTS, b"")), "'format'"),
        (zipped((MANIFEST, "{"), (WEIGHTS, b"")), "not JSON"),
        (zipped((MANIFEST, "[" * 100_000), (WEIGHTS, b"")), "not JSON"),
        (zipped((MANIFEST, '{"a": 1, "a": 2}'), (WEIGHTS, b"")), "twice"),
        (zipped((MANIFEST, b"\xff\xfe\xfd"), (WEIGHTS, b"")), "not JSON"),
    ],
)
def test_what_is_not_ours(tmp_path, content, message):
    refused(tmp_path, content, message)


def test_a_file_that_is_not_there(tmp_path):
    for read in (load, read_manifest):
        with pytest.raises(FileNotFoundError, match=r"none\.narrows"):
            read(tmp_path / "none.narrows")
        with pytest.raises(ValueError, match="folder"):
            read(tmp_path)


def test_every_cut_is_noticed(good, tmp_path):
    for length in [*range(1, 60), *range(60, len(good), 997), len(good) - 1]:
        refused(tmp_path, good[:length], "cut off|something else")


def test_an_addition_is_noticed(good, tmp_path):
    refused(tmp_path, good + b"x", "added at its end")
    refused(tmp_path, b"PK\x03\x04" + good, "damaged")


def test_newer_and_impossible_format_versions(good, tmp_path):
    manifest, weights = members(good)
    refused(tmp_path, again({**manifest, "format_version": 2}, weights), "newer format 2.*Update")
    for version in (0, -1, 1.0, "1", None, True):
        content = again({**manifest, "format_version": version}, weights)
        refused(tmp_path, content, "format version is")


def test_hash_and_size_must_be_right(good, tmp_path):
    manifest, weights = members(good)
    altered = weights[:-1] + bytes([weights[-1] ^ 1])
    text = json.dumps(manifest)
    refused(tmp_path, zipped((MANIFEST, text), (WEIGHTS, altered)), "SHA-256")
    refused(tmp_path, zipped((MANIFEST, text), (WEIGHTS, weights + b"x")), "bytes, its manifest")


def test_zip_tricks(good, tmp_path):
    manifest, weights = members(good)
    text = json.dumps(manifest)
    for name in ("../evil", "/etc/passwd", "a\\b", "manifest.json/", "MANIFEST.JSON"):
        refused(tmp_path, zipped((name, text), (WEIGHTS, weights)), "not of manifest.json")
    extra = [(MANIFEST, text), (WEIGHTS, weights), ("../evil", "x")]
    refused(tmp_path, zipped(*extra), r"zip of \['../evil', 'manifest.json'")
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped((MANIFEST, text), (MANIFEST, text))
    refused(tmp_path, twice, r"zip of \['manifest.json', 'manifest.json'\]")
    entries = [(MANIFEST, text), (WEIGHTS, weights)]
    refused(tmp_path, zipped(*entries, comment=b"hello"), "damaged")


def test_a_bomb_is_refused_before_it_grows(good, tmp_path):
    manifest, _ = members(good)
    bomb = zipped(
        (MANIFEST, json.dumps(manifest)), (WEIGHTS, bytes(50_000_000)),
        compression=zipfile.ZIP_DEFLATED,
    )  # fmt: skip
    assert len(bomb) < 100_000
    tracemalloc.start()
    refused(tmp_path, bomb, "compressed")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def patched(content, old, new):
    assert content.count(old) >= 1
    return content.replace(old, new)


def test_sizes_that_lie(good, tmp_path):
    size = struct.pack("<L", len(members(good)[1]))
    refused(tmp_path, patched(good, size + size, b"\xf0\xff\xff\x7f" * 2), "damaged")
    refused(tmp_path, patched(good, size + size, size + b"\xf0\xff\xff\x7f"), "damaged")


def test_a_manifest_that_is_no_model(good, tmp_path):
    manifest, weights = members(good)
    for key in ("created", "versions", "columns", "pipeline", "steps", "provenance"):
        refused(tmp_path, again({**manifest, key: 3}, weights), f"no proper '{key}'")
    refused(tmp_path, again({**manifest, "steps": []}, weights), "no steps")
    refused(tmp_path, again({**manifest, "steps": [3]}, weights), "no proper 'name'")
    refused(tmp_path, again({**manifest, "steps": manifest["steps"] * 2}, weights), "two of one")
    step = manifest["steps"][0]
    for change, message in [
        ({"kind": "Pickle"}, "unknown class 'Pickle'"),
        ({"parameters": {"evil": 1}}, "evil"),
        ({"row_shape": [5]}, "shape"),
        ({"row_shape": [10**12]}, "shape"),
        ({"bottleneck": 0}, "count of 0"),
        ({"bottleneck": True}, "count of True"),
        ({"networks": {}}, "lacks 'encoder'"),
        ({"networks": None}, "does not"),
        ({"history": ["loss"]}, "history must have"),
        ({"restarts": {"count": 7, "in_use": 0, "monitored": "loss"}}, "restarts"),
        ({"n_features_in": "4"}, "count of '4'"),
        ({"feature_names_in": ["a"]}, "does not name its columns"),
        ({"name": "other"}, "expected|history must have"),
    ]:
        changed = {**manifest, "steps": [{**step, **change}]}
        refused(tmp_path, again(changed, weights), message)


def test_lists_in_place_of_arrays(pca, tmp_path):
    manifest, weights = members(pca)
    step = manifest["steps"][0]
    other = {**step, "kind": "RobustScaler", "parameters": {}}
    refused(tmp_path, again({**manifest, "steps": [other]}, weights), "RobustScaler must have")
    arrays = read_safetensors(weights)
    arrays["pca/mean_"] = np.zeros(3)
    refused(tmp_path, again(manifest, write_safetensors(arrays)), "mean_ is not one number")
    arrays = read_safetensors(weights)
    refused(
        tmp_path, again(manifest, write_safetensors({**arrays, "x/y": np.zeros(3)})),
        r"no step has the arrays \['x/y'\]",
    )  # fmt: skip


def test_weights_must_be_those_of_the_network(good, tmp_path):
    manifest, weights = members(good)
    arrays = read_safetensors(weights)
    key = "autoencoder/weights/encoder_curved/0.kernel"
    for value, message in [
        (np.zeros((3, 3), "float32"), r"'encoder_curved': expected kernel \(3, 2\).*\(3, 3\)"),
        (np.zeros((3, 2), "float64"), "'encoder_curved': expected kernel .* float64"),
        (None, "'encoder_curved': expected"),
    ]:
        changed = {k: v for k, v in {**arrays, key: value}.items() if v is not None}
        refused(tmp_path, again(manifest, write_safetensors(changed)), message)
    more = {**arrays, "autoencoder/weights/ghost/0.kernel": np.zeros(2, "float32")}
    refused(tmp_path, again(manifest, write_safetensors(more)), "no layer .*ghost")


def test_arrays_that_are_none(good, tmp_path):
    manifest, weights = members(good)
    huge = struct.pack("<Q", 2**62) + weights[8:]
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}).encode()
    lying = struct.pack("<Q", len(header)) + header + bytes(4)
    for content in (b"", b"abc", huge, weights[:-4], lying):
        refused(tmp_path, again(manifest, content), "its arrays cannot be read")


def test_a_huge_layer_is_refused_before_it_is_built(good, tmp_path):
    manifest, weights = members(good)
    layers(manifest)[1]["config"]["units"] = 10**11
    refused(tmp_path, again(manifest, weights), r"'encoder_1'.*\(4, 100000000000\)")


def dense(name, **more):
    return {
        "module": "keras.layers", "class_name": "Dense", "registered_name": None, "name": name,
        "config": {"name": name, "units": 3, **more}, "inbound_nodes": [],
    }  # fmt: skip


EVIL = {
    "a lambda": ({"class_name": "Lambda", "module": "keras.layers"}, "Lambda"),
    "a lambda by its old module": ({"class_name": "Lambda", "module": None}, "Lambda"),
    "no module": ({"class_name": "Lambda"}, "Lambda"),
    "a lookup that reads a file": (
        {"class_name": "StringLookup", "module": "keras.layers"}, "StringLookup",
    ),
    "a saved model": ({"class_name": "TFSMLayer", "module": "keras.layers"}, "TFSMLayer"),
    "another package": ({"class_name": "system", "module": "os"}, "system"),
    "a function of Keras's": (
        {"class_name": "get_file", "module": "keras.utils"}, "get_file",
    ),
    "another name in the registry": (
        {"class_name": "Dense", "module": "keras.layers", "registered_name": "mine>Evil"}, "Dense",
    ),
    "inside a module of layers": (
        {"class_name": "Lambda", "module": "keras.src.layers.core.lambda_layer"}, "Lambda",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVIL)
def test_classes_that_are_not_known(good, tmp_path, name):
    change, message = EVIL[name]
    manifest, weights = members(good)
    layer = layers(manifest)[1]
    layer.pop("module")
    layer.update(change)
    refused(tmp_path, again(manifest, weights), rf"\['{message}'\].*could run code")


@pytest.mark.parametrize(
    "value",
    [
        {"class_name": "__lambda__", "config": {"value": ["", None, None]}},
        {"class_name": "function", "module": "builtins", "config": "eval"},
        {"class_name": "function", "module": "os", "config": "system", "registered_name": None},
        {"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "object"}},
        {"class_name": "__typespec__", "config": [1]},
        {"class_name": 3, "module": "keras.layers", "config": {}},
    ],
)
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_values_that_are_not_known(good, tmp_path, value, part):
    manifest, weights = members(good)
    layers(manifest, part)[1]["config"]["activation"] = value
    refused(tmp_path, again(manifest, weights), "could run code")


def test_a_parameter_may_be_keras_only(good, tmp_path):
    manifest, weights = members(good)
    manifest["steps"][0]["parameters"]["loss"] = {
        "keras": {"class_name": "Popen", "module": "subprocess", "config": {"args": "true"}}
    }
    refused(tmp_path, again(manifest, weights), "'Popen'")


def test_what_a_model_was_compiled_with_is_not_looked_at(good, tmp_path, measurements):
    manifest, weights = members(good)
    encoder = manifest["steps"][0]["networks"]["encoder"]
    encoder["compile_config"] = {"optimizer": {"class_name": "Evil", "config": {}}}
    (tmp_path / "m.narrows").write_bytes(again(manifest, weights))
    load(tmp_path / "m.narrows").transform(measurements)


def mutations(content):
    """Bytes changed, removed, doubled or put in, anywhere."""
    place = st.integers(0, len(content) - 1)
    change = st.builds(
        lambda at, data: content[:at] + data + content[at + len(data) :],
        place, st.binary(min_size=1, max_size=8),
    )  # fmt: skip
    cut = st.builds(lambda a, b: content[: min(a, b)] + content[max(a, b) :], place, place)
    double = st.builds(lambda a, b: content[: max(a, b)] + content[min(a, b) :], place, place)
    return st.one_of(change, cut, double)


def load_or_clear_error(path, content):
    path.write_bytes(content)
    message = None
    try:
        return load(path)
    except ValueError as error:
        message = str(error)
    assert repr(os.fspath(path)) in message
    return None


def only_clear_errors(path, content, measurements, expected):
    loaded = load_or_clear_error(path, content)
    if loaded is not None:
        np.testing.assert_array_equal(loaded.transform(measurements), expected)


FUZZ = settings(
    max_examples=300, deadline=None, derandomize=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


@FUZZ
@given(data=st.data())
def test_any_damage_gives_a_clear_error_or_the_right_result(data, tmp_path, pca, measurements):
    path = tmp_path / "fuzzed.narrows"
    path.write_bytes(pca)
    expected = load(path).transform(measurements)
    only_clear_errors(path, data.draw(mutations(pca)), measurements, expected)


@FUZZ
@given(data=st.data())
def test_any_manifest_with_right_hashes_gives_a_clear_error_or_a_model(data, tmp_path, good):
    """One value in the manifest is something else; the zip is sound."""
    manifest, weights = members(good)
    node, key = manifest, data.draw(st.sampled_from([k for k in manifest if k != "members"]))
    while isinstance(node[key], dict | list) and node[key] and data.draw(st.integers(0, 9)):
        node = node[key]
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = data.draw(st.sampled_from(keys))
    node[key] = data.draw(
        st.one_of(
            st.none(), st.booleans(), st.integers(-3, 10**15), st.floats(allow_nan=False),
            st.text(max_size=8), st.just([]), st.just({}), st.just([[1]]),
            st.just({"class_name": "Lambda", "config": {}}),
        )
    )  # fmt: skip
    load_or_clear_error(tmp_path / "fuzzed.narrows", again(manifest, weights))
