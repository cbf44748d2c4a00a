"""What fits take and refuse, and what is left of an embedder when one is refused."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import narrows
from narrows import (
    PCA,
    Autoencoder,
    LinearAutoencoder,
    ParametricTSNE,
    TSNEMapEncoder,
    VariationalAutoencoder,
)

KINDS = [Autoencoder, LinearAutoencoder, VariationalAutoencoder, ParametricTSNE, TSNEMapEncoder]


def small(**parameters):
    return Autoencoder(**({"encoder": (4,), "epochs": 1, "random_state": 0} | parameters))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((20, 6, 6))


@pytest.fixture(scope="module")
def of_images(images):
    from narrows._keras import keras

    layers = keras.layers
    return small(
        encoder=lambda x: layers.Dense(2)(layers.Flatten()(x)),
        decoder=lambda z: layers.Reshape((6, 6))(layers.Dense(36)(z)),
    ).fit(images, validation_data=images[:5])


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_width_may_be_a_numpy_integer(kind, measurements):
    embedder = kind(np.int64(2), epochs=1, random_state=0).fit(measurements)
    assert embedder.transform(measurements).shape == (150, 2)


def test_a_search_over_numpy_widths(measurements):
    search = GridSearchCV(small(), {"bottleneck": np.arange(1, 3)}, cv=2).fit(measurements)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.long
def test_convolutional_widths_may_be_numpy_integers():
    encoder, decoder = narrows.networks.convolutional(
        (8, 8), bottleneck=np.int64(2), filters=(2,), widths=tuple(np.array([3]))
    )
    embedder = small(encoder=encoder, decoder=decoder)
    assert embedder.fit(np.random.default_rng(0).random((9, 8, 8))).encoder_.output.shape[1] == 2


REFUSED = {
    "validation rows": lambda embedder, rows: embedder.fit(rows, validation_data=rows.iloc[:, :2]),
    "one row": lambda embedder, rows: embedder.fit(rows.iloc[:1]),
    "weights": lambda embedder, rows: embedder.fit(rows, sample_weight=-np.ones(len(rows))),
    "a fraction": lambda embedder, rows: embedder.set_params(validation_fraction=1e-9).fit(rows),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_refused_fit_leaves_what_was_fitted(how, measurements):
    embedder = small().fit(measurements)
    before = embedder.transform(measurements)
    with pytest.raises(ValueError):  # noqa: PT011 (each with a message of its own)
        REFUSED[how](embedder, measurements.rename(columns=str.upper) * 100)
    np.testing.assert_array_equal(embedder.transform(measurements), before)
    unfitted = small()
    with pytest.raises(ValueError):  # noqa: PT011
        REFUSED[how](unfitted, measurements.rename(columns=str.upper))
    assert not hasattr(unfitted, "n_features_in_")


@pytest.mark.parametrize("embedder", [PCA(2), TSNEMapEncoder(2, epochs=1, random_state=0)])
def test_so_do_refused_fits_of_others(embedder, measurements):
    embedder.fit(measurements)
    before = embedder.transform(measurements)
    wrong = {"n_components": 9} if isinstance(embedder, PCA) else {"places": np.zeros((3, 2))}
    with pytest.raises(ValueError, match="parameter of"):
        embedder.set_params(**wrong).fit(measurements.rename(columns=str.upper))
    np.testing.assert_array_equal(embedder.transform(measurements), before)


def test_validation_rows_are_no_pair(measurements, of_images, images):
    for embedder, rows in ((small(), measurements), (of_images, images)):
        with pytest.raises(ValueError, match=r"rows alone.* Got a tuple of two tables"):
            embedder.fit(rows, validation_data=(rows, rows))
    rows = measurements.to_numpy()
    small().fit(rows, validation_data=(rows[0], rows[1]))  # two rows


@pytest.mark.parametrize("method", ["transform", "reconstruct", "reconstruction_error"])
def test_images_of_another_shape(method, images, of_images):
    wrong = [images[:, :, :5], images[:, :, 0], images[:, :, :, None]]
    for rows in wrong:
        with pytest.raises(ValueError, match=r"takes rows of shape \(6, 6\), as in fit. Got rows"):
            getattr(of_images, method)(rows)
        with pytest.raises(ValueError, match=r"takes rows of shape \(6, 6\)"):
            of_images.fit(images, validation_data=rows)


def test_rows_held_out_are_weighted(measurements):
    """Those of weight 0 do not decide which restart is in use."""
    rows, weights = measurements.to_numpy().copy(), np.ones(150)
    weights[:75] = 0
    rows[:75] = np.random.default_rng(0).normal(size=(75, 4)) * 50

    def history(weights):
        embedder = small(validation_fraction=0.4, epochs=3, restarts=2)
        return embedder.fit(rows, sample_weight=weights).history_

    plain, ones, ten = (history(w) for w in (None, np.ones(150), np.full(150, 10.0)))
    assert plain.equals(ones)
    first = ten["epoch"] == ten["epoch"].min()
    np.testing.assert_allclose(
        ten["val_loss"][first], 10 * plain["val_loss"][first], rtol=0.2
    )  # after an epoch of other steps
    assert history(weights)["val_loss"].max() < plain["val_loss"].min() / 4


def test_a_checkpoint_is_no_folder(measurements, tmp_path):
    with pytest.raises(ValueError, match="must be a file"):
        small().fit(measurements, checkpoint=tmp_path)


def test_a_random_state_that_no_file_holds(measurements, tmp_path):
    embedder = small(random_state=np.random.RandomState(0)).fit(measurements)
    narrows.save(embedder, tmp_path / "m.narrows")
    with pytest.raises(ValueError, match=r"'random_state' .* not stored in the file"):
        narrows.load(tmp_path / "m.narrows").fit(measurements)


def test_steps_that_pass_rows_through_need_no_file(measurements, tmp_path):
    pipeline = make_pipeline("passthrough", PCA(2)).fit(measurements)
    narrows.save(pipeline, tmp_path / "m.narrows")
    found = narrows.load(tmp_path / "m.narrows").transform(measurements)
    np.testing.assert_array_equal(found, pipeline.transform(measurements))


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("scale", ["none", "standardize", "range", "robust"])
def test_what_scikit_learn_returns_in_this_session_does_not_matter(output, scale, mixed_rows):
    plain = narrows.TablePreprocessor(scale).fit(mixed_rows)
    with sklearn.config_context(transform_output=output), warnings.catch_warnings():
        warnings.simplefilter("error")
        configured = narrows.TablePreprocessor(scale).fit(mixed_rows)
    assert configured.to_config() == plain.to_config()


def test_nor_in_a_comparison(mixed_rows):
    def scores(rows):
        found = narrows.compare(
            {"pca": PCA(2)}, rows, ["a", "b"] * 10, probes="neighbours", resampling="2x1",
            controls=("random",), random_state=0,
        )  # fmt: skip
        assert found.failures.empty
        return found.scores

    for rows in (mixed_rows, mixed_rows[["n", "m"]]):
        plain = scores(rows)
        with sklearn.config_context(transform_output="pandas"), warnings.catch_warnings():
            warnings.simplefilter("error")
            assert scores(rows).equals(plain)


@pytest.fixture
def mixed_rows():
    import pandas as pd

    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"n": rng.normal(size=20), "s": ["a", "b", "c", "c"] * 5, "m": rng.normal(size=20)}
    )


@pytest.mark.long
def test_clones_with_classes_of_the_user(measurements):
    from narrows._keras import keras

    class Fourth(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)

    class Own(keras.metrics.MeanSquaredError):
        pass

    class Slow(keras.optimizers.SGD):
        pass

    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    rows = keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), Twice()])
    encoder = keras.Model(rows, keras.layers.Dense(2)(inner(rows)))
    embedder = small(
        loss=Fourth(), metrics=[Own()], optimizer=Slow(1e-6), encoder=encoder, decoder=(3,)
    )
    fitted = embedder.fit(measurements)
    again = clone(fitted).fit(measurements)
    assert type(again.loss) is Fourth
    assert again.loss is not embedder.loss
    np.testing.assert_array_equal(again.transform(measurements), fitted.transform(measurements))
    arms = {"pca": PCA(2), "own": small(loss=Fourth())}
    found = narrows.compare(
        arms, measurements, ["a", "b"] * 75, probes="neighbours", resampling="2x1", controls=(),
        seeds=1, random_state=0,
    )  # fmt: skip
    assert found.failures.empty


def test_weights_that_no_term_would_see_are_refused(measurements):
    embedder = narrows.ParametricTSNE(encoder=(4,), random_state=0)
    with pytest.raises(ValueError, match=r"'sample_weight' of ParametricTSNE\.fit must be None"):
        embedder.fit(measurements, sample_weight=np.ones(150))
