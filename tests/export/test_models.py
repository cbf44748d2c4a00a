"""Whole models, encoder and decoder: every embedder, alone and behind preprocessing."""

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

import narrows
from narrows._keras import keras
from narrows.export import export_onnx
from narrows.export._io_spec import arrays_of
from narrows.export._model import chain_of
from support.onnx_files import run, shuffled

L = keras.layers
FAST = {"encoder": (6,), "epochs": 1, "random_state": 0}
CLOSE = 1e-5


def mixed(rows=90, seed=0):
    """A table with gaps, of all kinds of columns."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "length mm": rng.normal(200, 15, rows).round(1),
            "mass": rng.integers(3000, 6000, rows),
            "sex": rng.choice(["male", "female"], rows),
            "adult": rng.random(rows) < 0.5,
            "seen": pd.Timestamp("2007-11-11") + pd.to_timedelta(rng.integers(0, 900, rows), "D"),
            "group": pd.Categorical(rng.integers(1, 4, rows)),
        }
    )
    table.loc[::9, "length mm"] = np.nan
    table.loc[::7, "sex"] = None
    table.loc[::8, "seen"] = pd.NaT
    return table


def numbers(rows=90, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.normal(size=(rows, 5)) * [1, 10, 100, 0.1, 1] - [0, 50, 0, 0, 0], columns=list("abcde")
    )


EMBEDDERS = {
    "PCA": lambda: narrows.PCA(),
    "Autoencoder": lambda: narrows.Autoencoder(**FAST),
    "LinearAutoencoder": lambda: narrows.LinearAutoencoder(epochs=1, random_state=0),
    "VariationalAutoencoder": lambda: narrows.VariationalAutoencoder(**FAST),
    "TSNEMapEncoder": lambda: narrows.TSNEMapEncoder(**FAST, map_steps=20),
    "ParametricTSNE": lambda: narrows.ParametricTSNE(
        **FAST, perplexity=5, reconstruction_weight=1.0
    ),
}
BEFORE = {
    "nothing": (list, numbers),
    "StandardScaler": (lambda: [StandardScaler()], numbers),
    "StandardScaler, half": (lambda: [StandardScaler(with_mean=False)], numbers),
    "MinMaxScaler": (lambda: [MinMaxScaler((-1, 1), clip=True)], numbers),
    "RobustScaler": (lambda: [RobustScaler(with_scaling=False)], numbers),
    "two scalers": (lambda: [RobustScaler(), MinMaxScaler()], numbers),
    "table of numbers": (lambda: [narrows.TablePreprocessor("robust")], numbers),
    "mixed table": (lambda: [narrows.TablePreprocessor()], mixed),
    "mixed table, scaler": (
        lambda: [narrows.TablePreprocessor("none"), StandardScaler()], mixed,
    ),
    "scaler, then table": (lambda: [StandardScaler(), narrows.TablePreprocessor()], numbers),
}  # fmt: skip
PAIRS = [(name, before) for name in ("PCA", "Autoencoder") for before in BEFORE] + [
    (name, before) for name in list(EMBEDDERS)[2:] for before in ("nothing", "mixed table")
]
# The same graph of a network stands behind every preprocessing.
SHORT = [
    pair for pair in PAIRS
    if pair[0] == "PCA" or pair[1] == "nothing" or pair == ("Autoencoder", "mixed table")
]  # fmt: skip


def in_turn(pairs):
    return [
        pair if pair in SHORT else pytest.param(*pair, marks=pytest.mark.long) for pair in pairs
    ]


@pytest.fixture(scope="module")
def model():
    """Return a function that fits each model once; tests must not change them."""
    known = {}

    def fitted(name, before):
        if (name, before) not in known:
            steps, table = BEFORE[before]
            embedder = EMBEDDERS[name]()
            whole = make_pipeline(*steps(), embedder) if steps() else embedder
            known[name, before] = whole.fit(table()), table
        return known[name, before]

    return fitted


def difference(got, wanted):
    """Return the largest difference, relative to the largest magnitude above 1."""
    return float(np.abs(got - wanted).max() / max(1.0, np.abs(wanted).max()))


def feeds(fitted, table):
    return arrays_of(chain_of(fitted, "encoder").table_ports(), table)


@pytest.mark.parametrize(("name", "before"), in_turn(PAIRS))
def test_the_encoder_gives_what_transform_gives(model, tmp_path, name, before):
    fitted, table = model(name, before)
    report = export_onnx(fitted, tmp_path / "m.onnx")
    assert report.largest_difference < CLOSE
    for rows in (1000, 1, 7):
        new = table(rows, seed=rows)
        got = run(tmp_path / "m.onnx", feeds(fitted, new))
        assert list(got) == ["embedding"]
        wanted = fitted.transform(new)
        assert got["embedding"].dtype == wanted.dtype
        assert difference(got["embedding"], wanted) < CLOSE
    none = {name: values[:0] for name, values in feeds(fitted, new).items()}
    assert run(tmp_path / "m.onnx", none)["embedding"].shape == (0, 2)


@pytest.mark.parametrize(("name", "before"), in_turn(p for p in PAIRS if p[0] != "TSNEMapEncoder"))
def test_the_decoder_gives_what_inverse_transform_gives(model, tmp_path, name, before):
    fitted, table = model(name, before)
    report = export_onnx(fitted, tmp_path / "m.onnx", "decoder", rows=table(50, seed=3))
    assert report.largest_difference < CLOSE
    new = table(300, seed=4)
    Z = np.asarray(fitted.transform(new))
    got = run(tmp_path / "m.onnx", Z)
    wanted = arrays_of(chain_of(fitted, "decoder").table_ports(), fitted.inverse_transform(Z))
    assert list(got) == list(wanted)
    for column, values in wanted.items():
        if before == "mixed table" and column not in {"length mm", "mass"}:
            assert np.mean(got[column] == values) > 0.99  # a tie may go either way
        elif "mixed" not in before:
            assert difference(got[column], values) < CLOSE
    if "mixed" not in before:
        assert got["rows"].dtype == (np.float32 if before == "nothing" and name != "PCA" else "f8")


def test_decoded_columns_go_into_the_encoder(model, tmp_path):
    fitted, table = model("Autoencoder", "mixed table")
    export_onnx(fitted, tmp_path / "e.onnx")
    export_onnx(fitted, tmp_path / "d.onnx", "decoder")
    z = run(tmp_path / "e.onnx", feeds(fitted, table()))["embedding"]
    back = run(tmp_path / "d.onnx", z)
    assert set(np.unique(back["sex"])) <= {"male", "female", ""}
    assert run(tmp_path / "e.onnx", back)["embedding"].shape == z.shape


def test_no_sampling_in_a_variational_encoder(model, tmp_path):
    fitted, table = model("VariationalAutoencoder", "nothing")
    export_onnx(fitted, tmp_path / "m.onnx")
    rows = table().to_numpy("float32")
    first, second = (run(tmp_path / "m.onnx", rows)["embedding"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert difference(first, fitted.posterior(table())[0]) < CLOSE


def test_embeddings_are_negative_too(model, tmp_path):
    fitted, table = model("Autoencoder", "StandardScaler")
    export_onnx(fitted, tmp_path / "m.onnx")
    z = run(tmp_path / "m.onnx", table().to_numpy())["embedding"]
    assert (z < -0.01).any()
    assert (z > 0.01).any()


@pytest.mark.parametrize("before", ["nothing", "StandardScaler"])
@pytest.mark.parametrize("name", ["PCA", "Autoencoder"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_narrows_refuses_are_nan(model, tmp_path, name, before, value):
    fitted, table = model(name, before)
    new = table(4)
    wanted = fitted.transform(new)
    new.iloc[2, 1] = value
    with pytest.raises(ValueError, match=r"NaN|finite|inf"):
        fitted.transform(new)
    export_onnx(fitted, tmp_path / "m.onnx")
    got = run(tmp_path / "m.onnx", feeds(fitted, new))["embedding"]
    assert np.isnan(got[2]).all()
    assert difference(got[[0, 1, 3]], wanted[[0, 1, 3]]) < CLOSE


def test_unseen_levels_that_are_errors_are_nan(tmp_path):
    fitted = make_pipeline(narrows.TablePreprocessor(unseen="error"), narrows.PCA()).fit(mixed())
    export_onnx(fitted, tmp_path / "m.onnx")
    sent = feeds(fitted, mixed())
    sent["sex"][3] = "unknown"
    got = run(tmp_path / "m.onnx", sent)["embedding"]
    assert np.flatnonzero(np.isnan(got).all(axis=1)).tolist() == [3]


@pytest.mark.parametrize("step", [StandardScaler, RobustScaler, MinMaxScaler])
def test_a_large_mean_beside_a_small_spread(tmp_path, step):
    X = 1e6 + 1e-2 * numbers().to_numpy()  # float32 would leave nothing of it
    fitted = make_pipeline(step(), narrows.PCA()).fit(X)
    for part in ("encoder", "decoder"):
        export_onnx(fitted, tmp_path / f"{part}.onnx", part)
    z = run(tmp_path / "encoder.onnx", X)["embedding"]
    np.testing.assert_allclose(z, fitted.transform(X), rtol=1e-7, atol=1e-9)
    back = run(tmp_path / "decoder.onnx", z)["rows"]
    np.testing.assert_allclose(back, fitted.inverse_transform(z), rtol=0, atol=1e-8)


def test_an_array_without_names(tmp_path):
    X = numbers().to_numpy()
    fitted = make_pipeline(StandardScaler(), narrows.PCA(3)).fit(X)
    export_onnx(fitted, tmp_path / "m.onnx")
    assert difference(run(tmp_path / "m.onnx", X)["embedding"], fitted.transform(X)) < CLOSE


def test_a_column_that_is_called_as_the_output(tmp_path):
    table = mixed().rename(columns={"sex": "embedding", "adult": "rows"})
    fitted = make_pipeline(narrows.TablePreprocessor(), narrows.PCA()).fit(table)
    export_onnx(fitted, tmp_path / "m.onnx")
    got = run(tmp_path / "m.onnx", feeds(fitted, table))
    assert difference(got["embedding_2"], fitted.transform(table)) < CLOSE
    export_onnx(fitted, tmp_path / "d.onnx", "decoder")
    assert list(run(tmp_path / "d.onnx", got["embedding_2"])) == list(table.columns)


def branched(x):
    """An encoder with branches, layers used twice, a nested model and operations."""
    shared = L.Dense(4, activation="silu", name="shared")
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, L.Dense(3, activation="gelu")(inner_input), name="inner")
    chain = keras.Sequential([keras.Input((4,)), L.Dense(3), L.LeakyReLU()], name="chain")
    left, right = shared(x), shared(L.Dense(5, name="first")(x) * 0.5 - x)
    joined = L.Concatenate(name="join")([inner(left), chain(right), keras.ops.tanh(left) + right])
    joined = L.BatchNormalization(name="norm")(joined)
    return 1.0 - L.Dense(2, name="code")(joined)


@pytest.mark.long
def test_a_network_with_branches(tmp_path):
    fitted = narrows.Autoencoder(encoder=branched, decoder=(4,), epochs=1, random_state=0).fit(
        numbers()
    )
    shuffled(fitted.autoencoder_)
    assert export_onnx(fitted, tmp_path / "m.onnx", rows=numbers(30)).largest_difference < CLOSE
    got = run(tmp_path / "m.onnx", numbers(200))["embedding"]
    assert difference(got, fitted.transform(numbers(200))) < CLOSE


@pytest.mark.long
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("kernel", [2, 3])
def test_convolutional_networks(tmp_path, flat, kernel):
    encoder, decoder = narrows.networks.convolutional(
        (7, 9, 2), filters=(3, 4), widths=(5,), kernel=kernel, flat=flat
    )
    X = np.random.default_rng(0).random((40, 7, 9, 2)).astype(np.float32)
    X = X.reshape(40, -1) if flat else X
    fitted = narrows.Autoencoder(encoder=encoder, decoder=decoder, epochs=1, random_state=0).fit(X)
    shuffled(fitted.autoencoder_)
    for part in ("encoder", "decoder"):
        export_onnx(fitted, tmp_path / f"{part}.onnx", part)
    z = run(tmp_path / "encoder.onnx", X)["embedding"]
    assert difference(z, fitted.transform(X)) < CLOSE
    back = run(tmp_path / "decoder.onnx", z)["rows"]
    assert difference(back, fitted.inverse_transform(z)) < CLOSE


@pytest.mark.long
def test_the_posts_network(post, measurements, tmp_path):
    assert export_onnx(post, tmp_path / "m.onnx", rows=measurements).largest_difference < CLOSE
    assert export_onnx(post, tmp_path / "d.onnx", "decoder").largest_difference < CLOSE


def test_a_variational_function_of_means_and_log_variances(tmp_path):
    X = StandardScaler().fit_transform(numbers())
    fitted = narrows.VariationalAutoencoder(
        encoder=lambda x: L.Dense(4, name="both")(x), decoder=(4,), epochs=1, random_state=0
    ).fit(X)
    export_onnx(fitted, tmp_path / "m.onnx")
    assert difference(run(tmp_path / "m.onnx", X)["embedding"], fitted.transform(X)) < CLOSE


def test_a_loaded_model_is_exported_alike(model, tmp_path):
    fitted, table = model("Autoencoder", "mixed table")
    narrows.save(fitted, tmp_path / "m.narrows")
    export_onnx(narrows.load(tmp_path / "m.narrows"), tmp_path / "m.onnx")
    got = run(tmp_path / "m.onnx", feeds(fitted, table()))["embedding"]
    assert difference(got, fitted.transform(table())) < CLOSE


def test_every_file_passes_onnx_own_check(model, tmp_path):
    for name, before in PAIRS[::4]:
        export_onnx(model(name, before)[0], tmp_path / "m.onnx")
        onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)
