"""What scikit-learn asks of an estimator, asked of every embedder."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import narrows

# Small networks and few epochs, of one kind, so that all checks share their compiled programs.
EMBEDDERS = [
    narrows.Autoencoder(bottleneck=1, encoder=(4,), epochs=2, random_state=0),
    narrows.LinearAutoencoder(bottleneck=1, epochs=2, random_state=0),
    narrows.VariationalAutoencoder(bottleneck=1, encoder=(4,), epochs=2, random_state=0),
    narrows.ParametricTSNE(
        bottleneck=1, encoder=(4,), map_steps=20, landmarks=2, reconstruction_weight=1.0,
        epochs=2, batch_size=32, random_state=0,
    ),
    narrows.PCA(n_components=1),
]  # fmt: skip
NETWORKS = EMBEDDERS[:-1]

# Checks that cannot hold, by class, with the reason.
_BY_ROW = {
    "check_sample_weight_equivalence_on_dense_data": (
        "batches are drawn by row: a row of weight 2 is seen once, a row that stands twice is "
        "seen twice, in other batches"
    ),
}
CANNOT_HOLD = {
    "Autoencoder": _BY_ROW,
    "LinearAutoencoder": _BY_ROW,
    "ParametricTSNE": _BY_ROW,
    "VariationalAutoencoder": _BY_ROW,
}


def test_the_list_is_not_empty():
    assert {type(embedder).__name__ for embedder in EMBEDDERS} == {*CANNOT_HOLD, "PCA"}


def test_a_reason_names_a_check_that_exists():
    from sklearn.utils.estimator_checks import estimator_checks_generator

    for embedder in EMBEDDERS:
        names = {
            getattr(check, "func", check).__name__
            for _, check in estimator_checks_generator(embedder, legacy=True)
        }
        assert set(CANNOT_HOLD.get(type(embedder).__name__, {})) <= names


def cannot_hold(embedder):
    return CANNOT_HOLD.get(type(embedder).__name__, {})


@parametrize_with_checks([EMBEDDERS[0], EMBEDDERS[-1]], expected_failed_checks=cannot_hold)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.long
@parametrize_with_checks(EMBEDDERS[1:-1], expected_failed_checks=cannot_hold)
def test_scikit_learns_checks_of_the_other_networks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("embedder", EMBEDDERS, ids=lambda one: type(one).__name__)
def test_embedders_offer_what_a_comparison_needs(embedder, measurements):
    fitted = embedder.fit(measurements)
    Z = fitted.transform(measurements)
    assert Z.shape == (150, 1)
    assert fitted.inverse_transform(Z).shape == (150, 4)
    assert len(fitted.get_feature_names_out()) == 1


def of(embedders):
    return pytest.mark.parametrize("embedder", embedders, ids=lambda one: type(one).__name__)


@of(EMBEDDERS)
@pytest.mark.parametrize("through", ["pickle", "file"])
def test_a_fitted_embedder_comes_back(embedder, through, measurements, tmp_path):
    fitted = clone(embedder).fit(measurements)
    if through == "pickle":
        again = pickle.loads(pickle.dumps(fitted))
    else:
        narrows.save(fitted, tmp_path / "m.narrows")
        again = narrows.load(tmp_path / "m.narrows")
    Z = fitted.transform(measurements)
    np.testing.assert_array_equal(again.transform(measurements), Z)
    np.testing.assert_array_equal(again.inverse_transform(Z), fitted.inverse_transform(Z))
    assert again.get_params() == fitted.get_params()
    assert clone(again).get_params() == fitted.get_params()


@of(EMBEDDERS)
def test_a_notebook_shows_it(embedder, measurements):
    html = clone(embedder).fit(measurements)._repr_html_()
    assert type(embedder).__name__ in html
    assert ("<svg xmlns" in html) == (embedder in NETWORKS)


@of(NETWORKS)
def test_lanes_equal_separate_fits(embedder, measurements):
    X = measurements.to_numpy("float32")
    lanes = embedder._fit_lanes([X, X[:100]], [3, 4])
    copies = embedder.fit_resamples([X, X[:100]], [3, 4])
    for lane, (rows, seed) in enumerate(((X, 3), (X[:100], 4))):
        alone = clone(embedder).set_params(random_state=seed).fit(rows)
        Z = alone.transform(X)
        for found in (lanes.transform(lane, X), copies[lane].transform(X)):
            np.testing.assert_allclose(found, Z, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            lanes.inverse_transform(lane, Z), alone.inverse_transform(Z), rtol=1e-4, atol=1e-5
        )
    assert lanes.failures == [None, None]
    untrained = embedder._untrained_lanes(4, [3, 4])
    assert not np.allclose(untrained.transform(0, X), untrained.transform(1, X))
    assert not np.allclose(untrained.transform(0, X), lanes.transform(0, X))


@of(NETWORKS)
def test_the_history_has_every_term(embedder, measurements):
    fitted = clone(embedder).set_params(restarts=2, validation_fraction=0.2).fit(measurements)
    terms = {
        "ParametricTSNE": ["landmarks", "reconstruction"],
        "VariationalAutoencoder": ["reconstruction", "kl"],
    }
    names = ["loss", *terms.get(type(embedder).__name__, [])]
    wanted = ["restart", "epoch", *names, *(f"val_{name}" for name in names)]
    assert fitted.history_.columns.tolist() == wanted
    assert np.isfinite(fitted.history_.to_numpy()).all()
