"""Files name no setting that the oldest allowed Keras does not know, and say who wrote them.

``keras_3_12.json`` holds the settings that `get_config` gives under Keras 3.12.4. Written under
3.15.1, files of all layers below were read under 3.12.4, 3.13.2 and 3.14.1.
"""

import inspect
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import narrows
from narrows._keras import keras
from narrows.storage import load, load_keras, read_manifest, save_keras
from narrows.storage._graphs import object_config
from narrows.storage._keras_versions import OLDEST, YOUNGER, without_younger
from storage.test_no_code import FUNCTIONS, WEIGHTS, layer, write

KNOWN = json.loads((Path(__file__).parent / "keras_3_12.json").read_text())
GIVEN = {
    "units": 2, "filters": 2, "kernel_size": 2, "num_heads": 2, "key_dim": 2, "head_dim": 2,
    "num_query_heads": 2, "num_key_value_heads": 2, "equation": "ab,bc->ac", "output_shape": 2,
    "input_dim": 2, "output_dim": 2, "rate": 0.1, "stddev": 0.1, "activation": "relu",
    "target_shape": (2,), "pool_size": 2,
}  # fmt: skip


def made(space, name):
    kind = getattr(getattr(keras, space), name)
    needed = [
        one.name
        for one in inspect.signature(kind).parameters.values()
        if one.default is one.empty and one.name in GIVEN
    ]
    return kind(**{one: GIVEN[one] for one in needed})


def named(config):
    """Every class of Keras's own in a configuration, with its settings."""
    if isinstance(config, list):
        for one in config:
            yield from named(one)
    if isinstance(config, dict):
        if str(config.get("module")).startswith("keras") and isinstance(config["config"], dict):
            yield config["class_name"], config["config"]
        for one in config.values():
            yield from named(one)


@pytest.mark.parametrize("space", KNOWN)
def test_what_is_written_was_known_to_the_oldest_keras(space):
    for name, settings in KNOWN[space].items():
        config = keras.saving.serialize_keras_object(made(space, name))
        found = without_younger(json.loads(json.dumps(config)))
        for inner, values in named(found):
            known = KNOWN[space].get(inner, KNOWN["initializers"].get(inner, values))
            assert set(values) - {"name", "seed"} <= set(known), inner
        assert set(settings) <= {*found["config"], *YOUNGER}, name  # nothing else is left out


def test_neither_kind_of_file_names_a_younger_setting(measurements, tmp_path):
    optimizer = keras.optimizers.Adam(1e-2)
    model = narrows.Autoencoder(encoder=(3,), epochs=1, random_state=0, optimizer=optimizer)
    narrows.save(model.fit(measurements), tmp_path / "m.narrows")
    texts = [json.dumps(read_manifest(tmp_path / "m.narrows"))]
    for path in save_keras(model, tmp_path):
        with zipfile.ZipFile(path) as file:
            texts.append(file.read("config.json").decode())
    assert len(texts) == 4
    for text in texts:
        assert not [key for key in YOUNGER if f'"{key}"' in text]


def test_a_younger_setting_that_does_something_stays():
    config = keras.saving.serialize_keras_object(keras.initializers.VarianceScaling())
    config["config"]["input_axes"] = [0]
    assert without_younger(config)["config"]["input_axes"] == [0]
    own = {"class_name": "Mine", "module": "mine", "config": {"use_gate": False}}
    assert without_younger(own) == own  # whose default is not known


def test_older_files_with_such_settings_are_read(tmp_path):
    code = layer(json.loads(json.dumps(FUNCTIONS)), "code")
    assert "quantization_config" in code["config"]  # as Keras 3.15 wrote it
    load(write(tmp_path, FUNCTIONS, WEIGHTS))
    assert "input_axes" in code["config"]["kernel_initializer"]["config"]


def test_a_refused_file_says_which_versions_wrote_and_read_it(tmp_path):
    manifest = json.loads(json.dumps(FUNCTIONS))
    layer(manifest, "code")["config"]["news"] = 1
    manifest["versions"]["keras"] = "9.9.9"
    here = re.escape(keras.__version__)
    with pytest.raises(
        ValueError, match=rf"written under Keras 9\.9\.9 .* read under Keras {here}"
    ):
        load(write(tmp_path, manifest, WEIGHTS))
    manifest["versions"] |= {"keras": keras.__version__, "narrows": narrows.__version__}
    with pytest.raises(ValueError, match=r"Nothing was loaded\.$"):
        load(write(tmp_path, manifest, WEIGHTS))


def test_a_keras_file_says_so_too(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.save(tmp_path / "old.keras")
    with zipfile.ZipFile(tmp_path / "old.keras") as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["metadata.json"] = b'{"keras_version": "9.9.9\\n\\u001b[1m"}'
    parts["config.json"] = parts["config.json"].replace(b'"units"', b'"news": 1, "units"')
    with zipfile.ZipFile(tmp_path / "new.keras", "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    with pytest.raises(ValueError, match=r"written under Keras 9\.9\.9, and is read") as caught:
        load_keras(tmp_path / "new.keras")
    assert str(caught.value).isprintable()


def test_the_oldest_is_the_one_that_the_ranges_allow():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'"keras>={OLDEST}"' in text


def test_parameters_are_written_for_the_oldest_too():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
    for value in (keras.optimizers.Adam(schedule), keras.losses.MeanAbsoluteError()):
        config = object_config(value)
        assert not {*YOUNGER} & {key for _, found in named(config) for key in found}


def test_the_same_networks_give_the_same_files(measurements, tmp_path, monkeypatch):
    import datetime

    model = narrows.Autoencoder(encoder=(3,), epochs=1, random_state=0).fit(measurements)
    first = [path.read_bytes() for path in save_keras(model, tmp_path)]

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2077, 1, 1, tzinfo=tz)

    monkeypatch.setattr(datetime, "datetime", Later)
    paths = save_keras(model, tmp_path / "later")
    assert [path.read_bytes() for path in paths] == first
    np.testing.assert_array_equal(
        load_keras(paths[0]).get_weights()[0], model.encoder_.get_weights()[0]
    )


def test_the_same_model_gives_the_same_file_but_for_the_time(measurements, tmp_path, monkeypatch):
    model = narrows.Autoencoder(encoder=(3,), epochs=1, random_state=0).fit(measurements)
    paths = [tmp_path / "one.narrows", tmp_path / "two.narrows"]
    for path, epoch in zip(paths, ("0", "86400"), strict=True):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        narrows.save(model, path)
    one, two = map(read_manifest, paths)
    assert [one.pop("created"), two.pop("created")] == [
        "1970-01-01T00:00:00+00:00",
        "1970-01-02T00:00:00+00:00",
    ]
    assert one == two
    narrows.save(load(paths[1]), paths[0])  # what is loaded is the same model
    assert paths[0].read_bytes() == paths[1].read_bytes()
