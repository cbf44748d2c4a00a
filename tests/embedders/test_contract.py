"""What scikit-learn asks of an estimator, asked of every embedder."""

import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import narrows
from narrows.embedders import EMBEDDERS, capabilities_of

# Small networks and few epochs, of one kind, so that all checks share their compiled programs.
TSNE = {
    "bottleneck": 1, "encoder": (4,), "reconstruction_weight": 1.0, "epochs": 2, "batch_size": 32,
    "random_state": 0,
}  # fmt: skip
SMALL = [
    narrows.Autoencoder(bottleneck=1, encoder=(4,), epochs=2, random_state=0),
    narrows.AutoencoderCV(
        bottleneck=1,
        encoder=(4,),
        epochs=2,
        cv=2,
        random_state=0,
        param_distributions={"learning_rate": [1e-3]},
    ),
    narrows.LinearAutoencoder(bottleneck=1, epochs=2, random_state=0),
    narrows.VariationalAutoencoder(bottleneck=1, encoder=(4,), epochs=2, random_state=0),
    narrows.ParametricTSNE(perplexity=1.0, **TSNE),
    narrows.TSNEMapEncoder(map_steps=20, landmarks=2, **TSNE),
    narrows.PCA(n_components=1),
]
NETWORKS = [embedder for embedder in SMALL if capabilities_of(embedder).network]

# Checks that cannot hold, by class, with the reason.
_BY_ROW = {
    "check_sample_weight_equivalence_on_dense_data": (
        "batches are drawn by row: a row of weight 2 is seen once, a row that stands twice is "
        "seen twice, in other batches"
    ),
}
CANNOT_HOLD = {type(embedder).__name__: dict(_BY_ROW) for embedder in NETWORKS}


def test_every_embedder_is_looked_at():
    assert {type(embedder) for embedder in SMALL} == set(EMBEDDERS)
    assert {kind.__name__ for kind in EMBEDDERS} <= set(narrows.__all__)


def test_a_reason_names_a_check_that_exists():
    from sklearn.utils.estimator_checks import estimator_checks_generator

    for embedder in SMALL:
        names = {
            getattr(check, "func", check).__name__
            for _, check in estimator_checks_generator(embedder, legacy=True)
        }
        assert set(CANNOT_HOLD.get(type(embedder).__name__, {})) <= names


def cannot_hold(embedder):
    return CANNOT_HOLD.get(type(embedder).__name__, {})


@parametrize_with_checks([SMALL[0], SMALL[-1]], expected_failed_checks=cannot_hold)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.long
@parametrize_with_checks(SMALL[1:-1], expected_failed_checks=cannot_hold)
def test_scikit_learns_checks_of_the_other_networks(estimator, check):
    check(estimator)


def of(embedders):
    return pytest.mark.parametrize("embedder", embedders, ids=lambda one: type(one).__name__)


def fitted(embedder, X):
    """A fitted copy; one that needs labels gets them."""
    y = np.arange(len(X)) % 3 if capabilities_of(embedder).labels else None
    return clone(embedder).fit(X, y)


@of(SMALL)
def test_embedders_can_do_what_they_say(embedder, measurements):
    can, found = capabilities_of(embedder), fitted(embedder, measurements)
    Z = found.transform(measurements)
    assert Z.shape == (150, 1)
    assert len(found.get_feature_names_out()) == 1
    assert hasattr(found, "inverse_transform") == (can.decoder != "never")
    if can.decoder != "never":
        assert found.inverse_transform(Z).shape == (150, 4)
    assert hasattr(found, "encoder_") == can.network
    assert hasattr(found, "posterior_") == can.posterior
    assert Z.dtype == ("float32" if can.network else "float64")
    assert get_tags(found).target_tags.required == can.labels
    for name in can.learned:
        assert hasattr(found, name)
    assert set(can.objective) <= set(found.get_params())


@of(SMALL)
@pytest.mark.parametrize("through", ["pickle", "file"])
def test_a_fitted_embedder_comes_back(embedder, through, measurements, tmp_path):
    found = fitted(embedder, measurements)
    if through == "pickle":
        again = pickle.loads(pickle.dumps(found))
    elif capabilities_of(embedder).stored:
        narrows.save(found, tmp_path / "m.narrows")
        again = narrows.load(tmp_path / "m.narrows")
    else:
        with pytest.raises(TypeError, match="must be a fitted"):
            narrows.save(found, tmp_path / "m.narrows")
        return
    Z = found.transform(measurements)
    np.testing.assert_array_equal(again.transform(measurements), Z)
    if capabilities_of(embedder).decoder != "never":
        np.testing.assert_array_equal(again.inverse_transform(Z), found.inverse_transform(Z))
    assert again.get_params() == found.get_params()
    assert clone(again).get_params() == found.get_params()


@of(SMALL)
def test_an_onnx_file_holds_those_that_say_so(embedder, measurements, tmp_path):
    pytest.importorskip("onnxruntime")
    found = fitted(embedder, measurements)
    if not capabilities_of(embedder).exported:
        with pytest.raises(TypeError, match="must be one of"):
            narrows.export_onnx(found, tmp_path / "m.onnx")
        return
    assert narrows.export_onnx(found, tmp_path / "m.onnx").largest_difference < 1e-5
    if capabilities_of(embedder).decoder != "never":
        narrows.export_onnx(found, tmp_path / "d.onnx", "decoder")


@of(SMALL)
def test_a_comparison_takes_them(embedder, measurements):
    found = narrows.compare(
        {"it": embedder}, measurements, np.repeat(["a", "b", "c"], 50), probes="neighbours",
        resampling="2x1", controls=(), seeds=1, random_state=0,
    )  # fmt: skip
    assert found.failures.empty
    assert found.arm_records["it"].uses_labels == capabilities_of(embedder).labels


def test_an_embedder_that_needs_labels_gets_them(measurements):
    class Supervised(narrows.Autoencoder):
        """One that says that it needs labels."""

        _capabilities = dataclasses.replace(narrows.Autoencoder._capabilities, labels=True)

        def _fit_lanes(self, Xs, seeds, on_progress=None, labels=()):
            assert [len(own) for own in labels] == [75, 75]
            return super()._fit_lanes(Xs, seeds, on_progress)

    assert get_tags(Supervised()).target_tags.required
    arms = {"own": make_pipeline(StandardScaler(), Supervised(encoder=(4,), epochs=1))}
    found = narrows.compare(
        arms, measurements, np.repeat(["a", "b", "c"], 50), preprocess="none", resampling="2x1",
        probes="neighbours", controls=(), seeds=1, random_state=0,
    )  # fmt: skip
    assert found.failures.empty
    assert found.settings["labelled"] == ["own"]


@of(SMALL)
def test_a_notebook_shows_it(embedder, measurements):
    html = fitted(embedder, measurements)._repr_html_()
    assert type(embedder).__name__ in html
    assert ("<svg xmlns" in html) == capabilities_of(embedder).network


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
    several = clone(embedder)
    holds_out = "validation_fraction" in several.get_params()
    if holds_out:
        several.set_params(restarts=2, validation_fraction=0.2)
    found = fitted(several, measurements)
    terms = {
        "ParametricTSNE": ["kl", "reconstruction"],
        "TSNEMapEncoder": ["landmarks", "reconstruction"],
        "VariationalAutoencoder": ["reconstruction", "kl"],
    }
    names = ["loss", *terms.get(type(embedder).__name__, [])]
    wanted = ["restart", "epoch", *names, *(f"val_{name}" for name in names if holds_out)]
    assert found.history_.columns.tolist() == wanted
    assert np.isfinite(found.history_.to_numpy()).all()
