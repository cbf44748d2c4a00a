"""The same numbers give the same bits from every container; mixed tables go in and come back."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import narrows

polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")

CONTAINERS = {
    "numpy": lambda frame: frame.to_numpy(),
    "float32": lambda frame: frame.to_numpy("float32"),
    "pandas": lambda frame: frame,
    "polars": polars.from_pandas,
    "arrow": lambda frame: pyarrow.Table.from_pandas(frame, preserve_index=False),
    "list": lambda frame: frame.to_numpy().tolist(),
}


def small(**changes):
    return narrows.Autoencoder(**{"encoder": (6,), "epochs": 3, "random_state": 0, **changes})


@pytest.fixture(scope="module")
def reference(measurements):
    return small().fit(measurements).transform(measurements)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_the_same_bits_from_every_container(kind, measurements, reference):
    X = CONTAINERS[kind](measurements)
    fitted = small().fit(X)
    np.testing.assert_array_equal(fitted.transform(X), reference)
    named = kind in {"pandas", "polars", "arrow"}
    assert hasattr(fitted, "feature_names_in_") == named
    if named:
        assert list(fitted.feature_names_in_) == list(measurements.columns)


def test_set_output(measurements, reference):
    Z = small().set_output(transform="pandas").fit_transform(measurements)
    assert list(Z.columns) == ["autoencoder0", "autoencoder1"]
    np.testing.assert_array_equal(Z.to_numpy(), reference)
    Z = small().set_output(transform="polars").fit_transform(measurements)
    assert isinstance(Z, polars.DataFrame)


def test_columns_are_checked_by_name(measurements):
    fitted = small().fit(measurements)
    with pytest.raises(ValueError, match=r"Petal\.Width"):
        fitted.transform(measurements.drop(columns="Petal.Width"))
    with pytest.raises(ValueError, match="order"):
        fitted.transform(measurements[measurements.columns[::-1]])


def test_text_names_its_column():
    iris = narrows.datasets.iris()
    with pytest.raises(ValueError, match=r"Species.*setosa"):
        small().fit(iris)


@pytest.mark.long
def test_searches_and_pipelines(measurements):
    pipeline = make_pipeline(StandardScaler(), small())
    search = GridSearchCV(pipeline, {"autoencoder__bottleneck": [1, 3]}, cv=2).fit(measurements)
    assert search.best_params_["autoencoder__bottleneck"] in (1, 3)
    scores = cross_val_score(pipeline, measurements, cv=3)
    assert (scores < 0).all()
    columns = ColumnTransformer(
        [("petal", small(bottleneck=1), ["Petal.Length", "Petal.Width"])], remainder="passthrough"
    )
    assert columns.fit_transform(measurements).shape == (150, 3)


def penguins() -> pd.DataFrame:
    """Make a table of every kind of column, with gaps."""
    rng = np.random.default_rng(0)
    n = 90
    species = rng.choice(["Adelie", "Gentoo <b>", "Chinstrap 🐧"], n)
    mass = rng.normal(4000, 500, n).round()
    return pd.DataFrame(
        {
            "species": species,
            "mass": np.where(rng.random(n) < 0.1, np.nan, mass),
            "year": rng.integers(2007, 2010, n),
            "tagged": rng.random(n) < 0.5,
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
        }
    )


def test_a_mixed_table_goes_in_and_its_reconstruction_reads_like_it():
    table = penguins()
    prepared = narrows.TablePreprocessor()
    embedder = small(bottleneck=4, encoder=(32,), epochs=300, learning_rate=5e-3)
    pipeline = make_pipeline(prepared, embedder).fit(table)
    back = pipeline.inverse_transform(pipeline.transform(table))
    assert list(back.columns) == list(table.columns)
    assert (back.dtypes == table.dtypes).all()
    assert set(back["species"].dropna()) <= set(table["species"])
    assert (back["species"] == table["species"]).mean() > 0.9
    assert abs((back["seen"] - table["seen"]).dt.days).median() < 60


def test_one_row_at_a_time(measurements):
    fitted = small().fit(measurements)
    rows = [fitted.transform(measurements.iloc[[k]])[0] for k in range(3)]
    np.testing.assert_allclose(rows, fitted.transform(measurements)[:3], rtol=1e-5)


def test_a_bundled_table_with_gaps_and_text():
    """Palmer's penguins, from plotnine's data: factors, numbers and missing values."""
    from plotnine.data import penguins as table

    pipeline = make_pipeline(
        narrows.TablePreprocessor(),
        small(bottleneck=3, encoder=(32,), epochs=100, learning_rate=5e-3),
    ).fit(table)
    back = pipeline.inverse_transform(pipeline.transform(table))
    assert list(back.columns) == list(table.columns)
    assert (back["species"].astype(str) == table["species"].astype(str)).mean() > 0.9
    known = table["body_mass_g"].notna() & back["body_mass_g"].notna()
    error = (back["body_mass_g"] - table["body_mass_g"])[known].abs().median()
    assert error < table["body_mass_g"].std()
    with pytest.raises(ValueError, match="bill_length_mm"):
        pipeline.transform(table.drop(columns="bill_length_mm"))


def test_one_row_cannot_be_fitted(measurements):
    with pytest.raises(ValueError, match="1 sample"):
        small().fit(measurements.iloc[:1])


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(2, 40),
    columns=st.sampled_from([1, 3]),
    exponent=st.integers(-30, 30),
    constant=st.booleans(),
    repeated=st.booleans(),
    scaled=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_result_or_a_clear_error_never_nan(
    rows, columns, exponent, constant, repeated, scaled, seed
):
    X = np.random.default_rng(seed).normal(size=(rows, columns)) * 10.0**exponent
    if constant:
        X[:, 0] = X[0, 0]
    if repeated:
        X[:] = X[0]
    embedder = small(epochs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a constant column is named in one
        pipeline = make_pipeline(narrows.TablePreprocessor(), embedder) if scaled else embedder
        try:
            Z, said = pipeline.fit_transform(X), ""
        except ValueError as error:
            Z, said = None, str(error)
    if Z is None:
        assert "finite" in said
        assert "learning_rate" in said
        assert not scaled, "standardized columns train whatever their scale"
        return
    assert np.isfinite(Z).all()
    assert np.isfinite(embedder.history_["loss"]).all()
