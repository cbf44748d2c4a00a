"""Columns that vary little around a large number, in float32."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import narrows
from narrows.data import to_matrix
from narrows.data._precision import coarse
from support.warned import warnings_of

noise = np.random.default_rng(0).normal(size=(120, 2))
SMALL = {"epochs": 1, "random_state": 0}
KINDS = [
    narrows.Autoencoder(1, encoder=(4,), **SMALL),
    narrows.LinearAutoencoder(**SMALL),
    narrows.VariationalAutoencoder(encoder=(4,), **SMALL),
    narrows.TSNEMapEncoder(encoder=(4,), map_steps=1, **SMALL),
]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (1.7e9 + 50 * noise[:, 0], True),
        (-1.7e9 + 50 * noise[:, 0], True),
        (1e6 + noise[:, 0], True),
        (1e4 + noise[:, 0], False),
        (np.arange(1950, 2070), False),  # years
        (16_000_000 + np.arange(120), True),  # whole numbers that float32 holds, but no products
        (np.full(120, 1.7e9), False),  # constant: nothing to lose
        (1e38 * noise[:, 0], False),
        (np.array([2**62, 2**62 + 2**12] * 60), True),
        (noise[:, 0].astype("float16"), False),
        (noise[:, 0] > 0, False),
    ],
)
def test_which_columns_are_coarse(values, expected):
    assert coarse(values[:, None]).tolist() == [expected]
    low, high = float(values.min()), float(values.max())
    told = len(np.unique(np.linspace(low, high, 50_000).astype("float32")))
    assert (low < high and told < 1_000) == expected


def test_names_of_coarse_columns():
    table = pd.DataFrame({"time": 1.7e9 + noise[:, 0], "x": noise[:, 1]})
    look = {"owner": "me", "look": True}
    assert to_matrix(table, **look).coarse == ("time",)
    assert to_matrix(table.to_numpy(), **look).coarse == ("x0",)
    assert to_matrix(table.astype(object), **look).coarse == ("time",)
    assert to_matrix(table, dtype="float64", **look).coarse == ()
    assert to_matrix(table, owner="me").coarse == ()
    images = np.broadcast_to(1.7e9 + noise[:, :1, None], (120, 2, 2))
    assert to_matrix(images, allow_images=True, **look).coarse == ("x0", "x1", "x2", "x3")


@pytest.mark.parametrize("embedder", KINDS, ids=lambda one: type(one).__name__)
def test_a_fit_warns_of_them_by_name(embedder):
    table = pd.DataFrame({"time": 1.7e9 + 50 * noise[:, 0], "x": noise[:, 1]})
    owner = type(embedder).__name__
    (said,) = warnings_of(lambda: embedder.fit(table))
    assert str(said.message) == (
        f"{owner} computes in float32, which tells fewer than 1,000 values apart in the range of "
        "column 'time': it varies little around a large number. Put a StandardScaler or "
        "narrows.TablePreprocessor before it in a pipeline, which subtract the mean in float64."
    )
    assert said.filename == __file__


@pytest.mark.parametrize("scaler", [StandardScaler(), narrows.TablePreprocessor()])
def test_a_scaler_before_it_centres_in_float64(scaler):
    """The same codes as without the large number, and no warning."""
    table = pd.DataFrame(np.round(50 * noise, 3), columns=["a", "b"])
    codes = [
        make_pipeline(scaler, narrows.Autoencoder(1, encoder=(4,), **SMALL)).fit_transform(rows)
        for rows in (table, table + 1.7e9)
    ]
    # Rounding of the last digit, after a training.
    np.testing.assert_allclose(codes[0], codes[1], rtol=1e-3, atol=1e-3)


def test_pca_loses_nothing():
    plain = narrows.PCA(2).fit_transform(noise)
    np.testing.assert_allclose(narrows.PCA(2).fit_transform(noise + 1.7e9), plain, atol=1e-5)


def test_a_comparison_takes_the_mean_off_where_float32_would_lose_the_rest():
    """Networks and forests see what PCA sees; all else is as if there were no large number."""
    y = np.repeat(["a", "b"], 60)
    rows = pd.DataFrame(np.round(noise + 3 * (y == "a")[:, None], 3), columns=["t", "u"])
    arms = {"pca": narrows.PCA(1), "linear": narrows.LinearAutoencoder(1, epochs=20)}
    settings = {"preprocess": "none", "resampling": "2x1", "seeds": 1, "random_state": 0,
                "controls": ("raw", "linear")}  # fmt: skip
    centred = narrows.compare(arms, rows, y, **settings).summary()
    found = []
    (said,) = warnings_of(
        lambda: found.append(narrows.compare(arms, rows + 1.7e9, y, **settings).summary())
    )
    assert "'t', 'u': they vary little" in str(said.message)
    assert "Under 'none' the training rows' mean is subtracted from them" in str(said.message)
    far = found[0]
    assert (far.loc[far["measure"] == "accuracy", "mean"] > 0.8).all()
    # The linear control is not through after 20 epochs, and starts further off without the shift.
    same = centred["arm"] != "linear autoencoder"
    np.testing.assert_allclose(far["mean"][same], centred["mean"][same], atol=0.02)


def test_a_comparison_without_networks_does_not_speak_of_them():
    y = np.repeat(["a", "b"], 60)
    narrows.compare(
        {"pca": narrows.PCA(1)}, noise + 1.7e9, y, resampling="2x1", controls=(), random_state=0
    )
