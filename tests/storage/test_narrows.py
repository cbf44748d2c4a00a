"""A model comes back from a ``.narrows`` file as it was, to the bit, in a new process too."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

import narrows
from narrows._keras import keras
from narrows.data import TablePreprocessor
from narrows.networks import post_decoder, post_encoder
from narrows.storage import load, read_manifest, save
from narrows.storage._steps import EMBEDDERS


def small(**parameters):
    return narrows.Autoencoder(**{"encoder": (6, 3), "epochs": 2, "random_state": 0, **parameters})


MODELS = {
    "widths": lambda: small(restarts=3, validation_fraction=0.2, metrics=("accuracy",)),
    "functions": lambda: small(encoder=post_encoder, decoder=post_decoder),
    "denoising": lambda: small(noise=("swap", 0.2), sparsity=("kl", 0.1, 0.05), contraction=0.1),
    "tuned": lambda: narrows.AutoencoderCV(
        encoder=(6, 3),
        cv=2,
        epochs=2,
        random_state=0,
        param_distributions={"learning_rate": [1e-2]},
    ),
    "linear": lambda: narrows.LinearAutoencoder(epochs=2, random_state=0),
    "variational": lambda: narrows.VariationalAutoencoder(
        encoder=(6,), epochs=2, kl_warmup=2, random_state=0
    ),
    "pca": lambda: narrows.PCA(n_components=3, standardize=False),
    "table": lambda: make_pipeline(TablePreprocessor(scale="robust"), small()),
    "standard": lambda: make_pipeline(StandardScaler(with_mean=False), small()),
    "range": lambda: make_pipeline(MinMaxScaler((-1, 1)), narrows.PCA()),
    "robust": lambda: make_pipeline(RobustScaler(with_scaling=False), narrows.PCA()),
    "batches": lambda: narrows.ParametricTSNE(
        encoder=(4,), perplexity=5.0, epochs=2, random_state=0
    ),
    "landmarks": lambda: narrows.TSNEMapEncoder(
        encoder=(4,), map_steps=20, landmarks=5, epochs=2, random_state=0
    ),
    "table and pca": lambda: make_pipeline(TablePreprocessor(), narrows.PCA()),
    "table and means": lambda: make_pipeline(
        TablePreprocessor(scale="robust"),
        narrows.VariationalAutoencoder(encoder=(6,), epochs=2, random_state=0),
    ),
    "two scalers": lambda: make_pipeline(RobustScaler(), MinMaxScaler(), narrows.PCA()),
}
MODELS_WITH_A_TABLE = {"table", "table and pca", "table and means"}


def mixed():
    table = narrows.datasets.iris()
    table.loc[3, "Sepal.Width"] = np.nan
    table["born"] = pd.date_range("2020-01-01", periods=len(table))
    table["wild"] = table.index % 3 == 0
    return table


def rows_of(name):
    return mixed() if name in MODELS_WITH_A_TABLE else mixed().iloc[:, :4].fillna(3.0)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Every model, fitted and saved; tests must not change them."""
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for name, make in MODELS.items():
        model = make().fit(rows_of(name))
        save(model, folder / f"{name}.narrows")
        found[name] = (model, folder / f"{name}.narrows")
    return found


def of_learned(step):
    """Every learned attribute that is numbers or names."""
    return {
        name: value
        for name, value in vars(step).items()
        if name.endswith("_") and isinstance(value, np.ndarray | int | float | np.number | None)
    }


@pytest.mark.parametrize("name", MODELS)
def test_it_comes_back_to_the_bit(saved, name):
    model, path = saved[name]
    again = load(path)
    rows = rows_of(name)
    assert type(again) is type(model)
    embedded = model.transform(rows)
    np.testing.assert_array_equal(again.transform(rows), embedded)
    assert again.transform(rows).dtype == embedded.dtype
    if not hasattr(model, "inverse_transform"):  # parametric t-SNE without a decoder
        return
    back = [one.inverse_transform(embedded) for one in (model, again)]
    if isinstance(back[0], pd.DataFrame):
        pd.testing.assert_frame_equal(back[1], back[0])
    else:
        np.testing.assert_array_equal(back[1], back[0])
    assert list(again.get_feature_names_out()) == list(model.get_feature_names_out())


@pytest.mark.parametrize("name", MODELS)
def test_what_was_learned_comes_back_with_its_types(saved, name):
    model, path = saved[name]
    again = load(path)
    pairs = zip(
        getattr(model, "steps", [("", model)]), getattr(again, "steps", [("", again)]), strict=True
    )
    for (old_name, old), (new_name, new) in pairs:
        assert old_name == new_name
        assert of_learned(old).keys() == of_learned(new).keys()
        for key, value in of_learned(old).items():
            np.testing.assert_array_equal(of_learned(new)[key], value, err_msg=key)


def test_history_restarts_and_parameters_come_back(saved):
    model, path = saved["widths"]
    again = load(path)
    assert again.get_params() == model.get_params()
    pd.testing.assert_frame_equal(again.history_, model.history_)
    pd.testing.assert_frame_equal(again.restarts_.frame(), model.restarts_.frame())
    assert again.restarts_.best == model.restarts_.best
    # The weights of the restart in use, and only those.
    assert list(again.restarts_.weights) == [model.restarts_.best]
    kept = model.restarts_.weights[model.restarts_.best]
    for old, new in zip(kept, again.restarts_.weights[model.restarts_.best], strict=True):
        np.testing.assert_array_equal(new, old)


def test_networks_share_their_weights_and_names(saved):
    model, path = saved["functions"]
    again = load(path)
    assert again.summary() == model.summary()
    pd.testing.assert_frame_equal(again.weights(), model.weights())
    kernel = again.autoencoder_.get_layer("dense_1").kernel
    assert again.encoder_.get_layer("dense_1").kernel is kernel


@pytest.mark.long
def test_a_function_comes_back_as_its_graph_and_can_be_fitted_again(saved):
    model, path = saved["functions"]
    again = load(path)
    assert again.encoder is again.encoder_
    rows = rows_of("functions")
    refitted = clone(again).fit(rows)
    np.testing.assert_array_equal(refitted.transform(rows), model.transform(rows))


@pytest.mark.long
def test_a_new_process_gives_the_same_bits(saved, tmp_path):
    """One process for all: every embedder, on numbers and mixed tables."""
    for mixed_table in (False, True):
        names = [name for name in MODELS if (name in MODELS_WITH_A_TABLE) == mixed_table]
        rows_of(names[0]).to_pickle(tmp_path / f"{mixed_table}.pkl")
    code = (
        "import sys, pathlib, numpy as np, pandas as pd\n"
        "from narrows.storage import load\n"
        "folder, *paths = map(pathlib.Path, sys.argv[1:])\n"
        f"mixed = {MODELS_WITH_A_TABLE!r}\n"
        "rows = {kind: pd.read_pickle(folder / f'{kind}.pkl') for kind in (False, True)}\n"
        "found = {p.stem: load(p).transform(rows[p.stem in mixed]) for p in paths}\n"
        "np.savez(folder / 'z.npz', **found)\n"
    )
    paths = [path for _, path in saved.values()]
    subprocess.run([sys.executable, "-c", code, *map(os.fspath, [tmp_path, *paths])], check=True)
    with np.load(tmp_path / "z.npz") as found:
        assert set(found) == set(MODELS)
        for name, (model, _) in saved.items():
            expected = model.transform(rows_of(name))
            np.testing.assert_array_equal(found[name], expected, err_msg=name)
            assert found[name].dtype == expected.dtype


def test_every_embedder_is_among_the_models(saved):
    last = [type(getattr(model, "steps", [("", model)])[-1][1]) for model, _ in saved.values()]
    assert set(last) == set(EMBEDDERS)


def test_reading_the_manifest_imports_neither_keras_nor_jax(saved):
    _, path = saved["table"]
    code = (
        "import sys, json\n"
        "from narrows.storage import read_manifest\n"
        "found = read_manifest(sys.argv[1])\n"
        "print(json.dumps([found['steps'][-1]['kind'], 'keras' in sys.modules or "
        "'jax' in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, os.fspath(path)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == ["Autoencoder", False]


def test_inspecting_imports_neither_keras_nor_jax(saved):
    """Not even where they cannot be imported."""
    _, path = saved["functions"]
    code = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('keras', 'jax', 'jaxlib', 'tensorflow', 'torch'))\n"
        "from narrows.cli import main\n"
        "sys.argv = ['narrows', 'inspect', sys.argv[1]]\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, os.fspath(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "dense_1/kernel" in done.stdout


def test_the_manifest_says_what_the_model_is(saved, tmp_path):
    model, _ = saved["table"]
    save(model, tmp_path / "m.narrows", provenance={"rows": 150})
    found = read_manifest(tmp_path / "m.narrows")
    assert (found["format"], found["format_version"]) == ("narrows", 1)
    assert found["provenance"] == {"rows": 150}
    assert found["versions"]["keras"] == keras.__version__
    assert [one["name"] for one in found["columns"]] == list(mixed().columns)
    assert found["columns"][-1] == {"name": "wild", "dtype": "bool"}
    last = found["steps"][-1]
    assert last["seed"] == 0
    wanted = {"loss": "mse", "noise": 0.0, "sparsity": 0.0, "contraction": 0.0}
    wanted |= {"label_weight": 0.0, "label_loss": None, "class_weight": None}
    assert last["objective"] == wanted
    assert set(last["networks"]) == {"encoder", "decoder"}
    assert last["parameters"]["encoder"] == [6, 3]


def test_set_output_comes_back(tmp_path, measurements):
    model = narrows.PCA().set_output(transform="pandas").fit(measurements)
    save(model, tmp_path / "m.narrows")
    pd.testing.assert_frame_equal(
        load(tmp_path / "m.narrows").transform(measurements), model.transform(measurements)
    )


def test_rows_without_names(tmp_path, measurements):
    model = make_pipeline(StandardScaler(), small()).fit(measurements.to_numpy())
    save(model, tmp_path / "m.narrows")
    assert read_manifest(tmp_path / "m.narrows")["columns"] is None
    again = load(tmp_path / "m.narrows")
    assert not hasattr(again, "feature_names_in_")
    np.testing.assert_array_equal(
        again.transform(measurements.to_numpy()), model.transform(measurements.to_numpy())
    )


def test_images_and_convolutions(tmp_path):
    def encoder(x):
        x = keras.layers.Conv2D(2, 3, activation="relu", name="conv")(x)
        return keras.layers.Dense(2, name="code")(keras.layers.Flatten(name="flat")(x))

    images = np.random.default_rng(0).normal(size=(8, 6, 6, 1)).astype("float32")
    model = small(encoder=encoder, decoder=(4,)).fit(images)
    save(model, tmp_path / "m.narrows")
    again = load(tmp_path / "m.narrows")
    np.testing.assert_array_equal(again.reconstruct(images), model.reconstruct(images))
    assert again.decoder == (4,)


def test_operations_and_nested_models(tmp_path, measurements):
    def encoder(x):
        start = keras.Input((4,), name="in_0")
        inner = keras.Model(start, keras.layers.Dense(3, "gelu", name="in_1")(start), name="inner")
        x = keras.ops.tanh(inner(x) * 0.5) + 1.0
        return keras.layers.Dense(2, name="code", kernel_regularizer="l2")(x)

    model = small(encoder=encoder, decoder=(4,)).fit(measurements)
    save(model, tmp_path / "m.narrows")
    again = load(tmp_path / "m.narrows")
    np.testing.assert_array_equal(again.transform(measurements), model.transform(measurements))


def test_a_variational_encoder_of_ones_own_comes_back_with_both_halves(tmp_path, measurements):
    def encoder(x):
        return keras.layers.Dense(4, name="both")(keras.layers.Dense(3, "relu", name="first")(x))

    model = narrows.VariationalAutoencoder(
        encoder=encoder, decoder=(4,), epochs=2, random_state=0
    ).fit(measurements)
    save(model, tmp_path / "m.narrows")
    again = load(tmp_path / "m.narrows")
    for old, new in zip(model.posterior(measurements), again.posterior(measurements), strict=True):
        np.testing.assert_array_equal(new, old)
    np.testing.assert_array_equal(again.sample(5, 0), model.sample(5, 0))
    refitted = clone(again).fit(measurements)
    np.testing.assert_array_equal(refitted.transform(measurements), model.transform(measurements))


class Twice(keras.layers.Layer):
    def call(self, x):
        return x * 2


def doubled(x):
    return x * 2


def test_a_layer_of_ones_own_is_loaded_only_if_it_is_passed(tmp_path, measurements):
    def encoder(x):
        return keras.layers.Dense(2, activation=doubled, name="code")(Twice(name="twice")(x))

    model = small(encoder=encoder, decoder=(4,)).fit(measurements)
    save(model, tmp_path / "m.narrows")
    assert read_manifest(tmp_path / "m.narrows")["custom_objects"] == ["Twice", "doubled"]
    with pytest.raises(ValueError, match=r"\['Twice', 'doubled'\].*custom_objects"):
        load(tmp_path / "m.narrows")
    with pytest.raises(ValueError, match=r"\['doubled'\]"):
        load(tmp_path / "m.narrows", {"Twice": Twice})
    again = load(tmp_path / "m.narrows", {"Twice": Twice, "doubled": doubled})
    np.testing.assert_array_equal(again.transform(measurements), model.transform(measurements))


def test_a_lambda_is_refused_when_it_is_saved(tmp_path, measurements):
    def encoder(x):
        return keras.layers.Dense(2, name="code")(keras.layers.Lambda(doubled, name="l")(x))

    model = small(encoder=encoder, decoder=(4,)).fit(measurements)
    with pytest.raises(ValueError, match="'Lambda'"):
        save(model, tmp_path / "m.narrows")
    assert list(tmp_path.iterdir()) == []


def own_loss(y, p):
    return keras.ops.mean((y - p) ** 2, axis=-1)


def test_kerass_objects_come_back_and_functions_leave_a_note(tmp_path, measurements):
    model = small(
        loss=own_loss,
        optimizer=keras.optimizers.SGD(0.01, momentum=0.5),
        metrics=(keras.metrics.MeanAbsoluteError(name="far"), "mse"),
    ).fit(measurements)
    save(model, tmp_path / "m.narrows")
    again = load(tmp_path / "m.narrows")
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert again.metrics[0].name == "far"
    assert again.loss == "<function own_loss, not stored in the file>"
    with pytest.raises(ValueError, match="function own_loss, not stored"):
        clone(again).fit(measurements)
    assert load(tmp_path / "m.narrows", {"own_loss": own_loss}).loss is own_loss


def test_a_network_that_was_compiled_since_is_saved_without_that(tmp_path, measurements):
    model = small().fit(measurements)
    model.autoencoder_.compile(optimizer="adam", loss="mse")
    save(model, tmp_path / "m.narrows")
    assert b"compile_config" not in (tmp_path / "m.narrows").read_bytes()
    np.testing.assert_array_equal(
        load(tmp_path / "m.narrows").transform(measurements), model.transform(measurements)
    )


def test_the_same_model_makes_the_same_weights_member(saved, tmp_path):
    model, path = saved["widths"]
    save(model, tmp_path / "m.narrows")
    assert read_manifest(tmp_path / "m.narrows")["members"] == read_manifest(path)["members"]


def test_loading_warns_of_nothing(saved):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(saved["functions"][1])
