"""The linear autoencoder finds PCA's plane on real tables."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

import narrows

TABLES = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}
RESTARTS = 3


def standardized(name):
    X = TABLES[name]().data
    return StandardScaler().fit_transform(X[:, X.std(axis=0) > 0]).astype("float32")


def largest_angle(one, two):
    """Degrees between the planes that two sets of columns span."""
    return np.rad2deg(subspace_angles(np.asarray(one, float), np.asarray(two, float)).max())


@pytest.mark.parametrize("name", TABLES)
def test_every_restart_finds_the_plane_and_the_error_of_pca(name):
    X = standardized(name)
    pca = PCA(2, svd_solver="full").fit(X.astype(float))
    scores = pca.transform(X.astype(float))
    least = np.mean((X - pca.inverse_transform(scores)) ** 2)
    linear = narrows.LinearAutoencoder(restarts=RESTARTS, random_state=1).fit(X)
    assert len(linear.restarts_) == RESTARTS
    for encoder, bias, decoder, shift in linear.restarts_.weights.values():
        codes = X @ encoder
        assert largest_angle(decoder.T, pca.components_.T) < 1.0
        assert largest_angle(codes - codes.mean(axis=0), scores) < 1.0
        error = np.mean((X - ((codes + bias) @ decoder + shift)) ** 2)
        assert least * (1 - 1e-5) < error < 1.01 * least


def test_the_measure_sees_a_plane_that_is_not_pcas():
    X = standardized("wine")
    plane = PCA(2).fit(X).components_.T
    short = narrows.LinearAutoencoder(epochs=2, random_state=0).fit(X)
    assert largest_angle(short.decoder_.get_weights()[0].T, plane) > 5.0


def test_raw_columns_are_centred_by_the_biases():
    X = datasets.load_iris().data.astype("float32")
    pca = PCA(2).fit(X.astype(float))
    linear = narrows.LinearAutoencoder(random_state=0).fit(X)
    assert largest_angle(linear.decoder_.get_weights()[0].T, pca.components_.T) < 1.0
    least = np.mean((X - pca.inverse_transform(pca.transform(X))) ** 2)
    assert -linear.score(X) < 1.01 * least


def test_it_has_no_activation():
    X = standardized("iris")
    linear = narrows.LinearAutoencoder(epochs=3, random_state=0).fit(X)
    both = linear.transform(np.stack([X[0], X[1], (X[0] + X[1]) / 2]))
    np.testing.assert_allclose(both[2], (both[0] + both[1]) / 2, atol=1e-5)
    assert [layer.name for layer in linear.autoencoder_.layers[1:]] == [
        "bottleneck", "reconstruction",
    ]  # fmt: skip
