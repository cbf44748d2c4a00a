"""The residual form: it starts exactly at PCA, in coordinates that its weights make up for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import narrows
from narrows import Autoencoder
from narrows.embedders.fitting._pca_start import axes_of
from narrows.networks import build_residual

WIDTHS = {"encoder": (6, 5), "random_state": 0}


def untrained(bottleneck=2, **more):
    """An autoencoder that stays where it starts."""
    return Autoencoder(bottleneck, **{**WIDTHS, "epochs": 1, "learning_rate": 1e-30, **more})


@pytest.fixture(name="X", scope="module")
def unequal_columns(measurements):
    """Columns of unequal scale, far from 0."""
    return measurements.to_numpy() * [100.0, 1.0, 0.01, 1.0] + [5000.0, 0.0, 1.0, -3.0]


@pytest.mark.parametrize("bottleneck", [1, 2, 3])
def test_it_starts_at_pca(X, bottleneck):
    pca = narrows.PCA(bottleneck).fit(X)
    start = untrained(bottleneck).fit(X)
    # In float32, of columns whose squares reach 1e8.
    assert start.score(X) == pytest.approx(pca.score(X), rel=1e-4, abs=1e-5)
    mine, theirs = start.transform(X), pca.transform(X)
    signs = np.sign((mine * theirs).sum(axis=0))
    np.testing.assert_allclose(mine * signs, theirs, atol=1e-4 * np.abs(theirs).max())


def test_the_largest_loading_is_positive(X):
    axes = axes_of(X.astype("f"), np.ones(len(X)), 3).axes
    assert (axes[np.abs(axes).argmax(axis=0), range(3)] > 0).all()
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)


def test_training_does_better_than_pca(X):
    fitted = Autoencoder(**WIDTHS, epochs=200, learning_rate=0.01, weight_decay=0.0).fit(X)
    assert fitted.score(X) > 0.9 * narrows.PCA(2).fit(X).score(X)


def test_weights_of_rows_count(X):
    weights = np.random.default_rng(0).uniform(0, 2, len(X))
    start = untrained().fit(X, sample_weight=weights)
    mean = np.average(X, axis=0, weights=weights)
    covariance = np.cov(X.T, aweights=weights, bias=True)
    axes = np.linalg.eigh(covariance)[1][:, :-3:-1]
    expected = np.abs((X - mean) @ axes)
    np.testing.assert_allclose(np.abs(start.transform(X)), expected, atol=2e-4 * expected.max())


def test_every_lane_starts_at_pca_of_its_own_rows(X):
    parts = [X[:100], X[50:]]
    for part, copy in zip(parts, untrained().fit_resamples(parts, [0, 1]), strict=True):
        assert copy.score(part) == pytest.approx(narrows.PCA(2).fit(part).score(part), rel=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 2**31 - 1))
def test_axes_of_any_rank(bottleneck, rank, seed):
    rng = np.random.default_rng(seed)
    rows = (rng.normal(size=(30, rank)) @ rng.normal(size=(rank, 4))).astype("f") + 7
    found = axes_of(rows, np.ones(30), bottleneck)
    assert found.axes.shape == (4, bottleneck)
    assert all(np.isfinite(v).all() for v in (found.axes, found.deviations, found.scale))
    assert (found.deviations > 0).all()
    centred = rows - found.mean
    rebuilt = centred @ found.axes @ found.axes.T
    if bottleneck >= rank:
        np.testing.assert_allclose(rebuilt, centred, atol=1e-4)


@pytest.mark.parametrize("shape", [(30, 4), (5, 4), (40, 1)])
def test_rows_that_hardly_vary_are_handled(shape):
    rows = np.zeros(shape)
    rows[0, 0] = 1
    fitted = Autoencoder(1, **WIDTHS, epochs=2).fit(rows)
    assert np.isfinite(fitted.transform(rows)).all()
    constant = Autoencoder(1, **WIDTHS, epochs=2).fit(np.full(shape, 3.0))
    np.testing.assert_allclose(constant.reconstruct(np.full(shape, 3.0)), 3.0, atol=1e-4)


def test_many_rows_are_taken_in_blocks(monkeypatch):
    from narrows.embedders.fitting import _pca_start

    rows = np.random.default_rng(0).normal(size=(1000, 5)).astype("f")
    whole = axes_of(rows, np.ones(1000), 2)
    monkeypatch.setattr(_pca_start, "_BLOCK", 64)
    parts = axes_of(rows, np.ones(1000), 2)
    np.testing.assert_allclose(parts.axes, whole.axes, atol=1e-10)


def test_it_is_the_default_of_widths_alone(X):
    def names(embedder):
        return {layer.name for layer in embedder._build((4,)).trained.layers}

    assert "encoder_linear" in names(Autoencoder(encoder=(5,)))
    assert "encoder_linear" not in names(Autoencoder(encoder=(5,), residual=False))
    post = Autoencoder(encoder=narrows.networks.post_encoder, decoder=narrows.networks.post_decoder)
    assert "encoder_linear" not in names(post)


def test_the_plain_form_is_as_before(X):
    plain = Autoencoder(encoder=(6,), residual=False, epochs=1, random_state=0).fit(X)
    layers = [layer.name for layer in plain.autoencoder_.layers]
    assert layers == ["input_1", "encoder_1", "bottleneck", "decoder_1", "reconstruction"]
    assert plain.encoder_.get_layer("encoder_1").activation.__name__ == "relu"
    tanh = Autoencoder(encoder=(6,), residual=False, activation="tanh", epochs=1).fit(X)
    assert tanh.decoder_.get_layer("decoder_1").activation.__name__ == "tanh"


def test_a_part_without_hidden_layers_is_linear():
    networks = build_residual((4,), 2, (), (7,))
    assert [layer.name for layer in networks.encoder.layers] == ["input_1", "bottleneck"]
    assert "decoder_curved" in {layer.name for layer in networks.decoder.layers}
    rows = np.random.default_rng(0).normal(size=(50, 4)) * [1, 5, 1, 1] + 3
    start = untrained(encoder=(), decoder=(7,)).fit(rows)
    assert start.score(rows) == pytest.approx(narrows.PCA(2).fit(rows).score(rows), rel=1e-4)


def test_penalties_see_codes_as_they_are(X):
    """The term in the history is that of the delivered encoder."""
    fitted = Autoencoder(
        **WIDTHS, epochs=1, learning_rate=1e-30, sparsity=0.1, contraction=0.1, batch_size=150
    ).fit(X)
    last = fitted.history_.iloc[-1]
    codes = fitted.transform(X).astype(float)
    assert last["sparsity"] == pytest.approx(np.abs(codes).sum(axis=1).mean(), rel=1e-3)
    kernel = fitted.encoder_.get_layer("encoder_linear").get_weights()[0].astype(float)
    assert last["contraction"] == pytest.approx((kernel**2).sum(), rel=1e-3)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"residual": "yes"}, "'residual' parameter of Autoencoder must be a bool or None"),
        (
            {"residual": True, "encoder": lambda x: x, "decoder": lambda z: z},
            "'residual' parameter of Autoencoder must be left out where a part is a function",
        ),
        ({"activation": 3}, "'activation' parameter of Autoencoder must be the name"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"weight_decay": -1}, "'weight_decay' parameter of Autoencoder must be a float"),
    ],
)
def test_parameters_that_cannot_be(X, parameters, said):
    with pytest.raises(ValueError, match=said):
        Autoencoder(**parameters).fit(X)


def test_nothing_compressed_is_said(X):
    with pytest.warns(UserWarning, match="Nothing is compressed: .* 4 wide, and there are 4"):
        Autoencoder(4, **WIDTHS, epochs=1).fit(X)


def test_a_file_and_keras_give_the_same(X, tmp_path):
    fitted = Autoencoder(**WIDTHS, epochs=3).fit(X)
    narrows.save(fitted, tmp_path / "a.narrows")
    again = narrows.load(tmp_path / "a.narrows")
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    pd.testing.assert_frame_equal(again.weights(), fitted.weights())


def test_a_length_in_steps_depends_little_on_the_rows():
    from narrows.embedders.fitting._length import length_for

    for rows in (20, 150, 1500, 20_000, 1_000_000):
        length = length_for(rows, None, None)
        steps = length.epochs * length.epoch_rows // length.batch_size
        assert 1000 <= steps <= 4000
        assert min(32, rows) <= length.batch_size <= 256
    assert length_for(150, 7, None).epoch_rows is None
    assert length_for(150, 7, None).epochs == 7


def test_a_search_over_inputs_of_a_lane_compiles_once(X, monkeypatch):
    from sklearn.model_selection import GridSearchCV

    from narrows.training.compiling import _program

    compiled = []
    original = _program.compile_together

    def counting(*lowered):
        compiled.append(lowered)
        return original(*lowered)

    monkeypatch.setattr(_program, "compile_together", counting)
    space = {"learning_rate": [1e-3, 1e-2], "weight_decay": [0.0, 0.1], "schedule": ["constant"]}
    embedder = Autoencoder(encoder=(9,), noise=0.1, epochs=2, random_state=0)
    GridSearchCV(embedder, space, cv=2).fit(X)
    GridSearchCV(embedder, {"noise": [0.2, 0.3]}, cv=2).fit(X)
    assert len(compiled) == 1


@pytest.mark.parametrize("size", [1e-15, 1.0, 1e18])
def test_rows_that_span_less_than_the_bottleneck(size):
    """Two rows span a line: of the second code rounding is all there is, and it stays small."""
    rows = np.random.default_rng(2).normal(size=(2, 3)) * size
    found = Autoencoder(encoder=(6,), epochs=2, random_state=0).fit(rows)
    Z = found.transform(rows)
    assert np.abs(Z[:, 1]).max() < np.abs(Z[:, 0]).max()
    np.testing.assert_allclose(found.reconstruct(rows), rows, atol=0.1 * np.abs(rows).max())


def test_weight_decay_is_2_where_nobody_says(X):
    fits = [Autoencoder(**WIDTHS, epochs=5, **more).fit(X) for more in ({}, {"weight_decay": 2.0})]
    assert fits[0].transform(X).tobytes() == fits[1].transform(X).tobytes()
    plain = {**WIDTHS, "epochs": 5, "residual": False}
    fits = [Autoencoder(**plain, **more).fit(X) for more in ({}, {"weight_decay": 0.0})]
    assert fits[0].transform(X).tobytes() == fits[1].transform(X).tobytes()
