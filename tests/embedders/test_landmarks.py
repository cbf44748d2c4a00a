"""Landmarks of a map, and how rows are shared out over them."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from narrows.embedders.tsne._landmarks import NEAREST, Landmarks, choose_landmarks, landmark_count


def test_shares_are_those_of_all_landmarks():
    """Against the formula over all landmarks: those that are left out have nearly nothing."""
    rng = np.random.default_rng(0)
    places = 30 * rng.normal(size=(2000, 2))
    landmarks = choose_landmarks(places, 200, 0)
    squared = cdist(places, landmarks.places) ** 2
    h = np.sqrt(squared.min(axis=1).mean())
    assert landmarks.radius == pytest.approx(h, rel=1e-5)
    expected = np.exp(-squared / (2 * h**2))
    expected /= expected.sum(axis=1, keepdims=True)
    found = np.zeros_like(expected)
    shares = landmarks.shares(places)
    numbers = shares[:, :NEAREST].astype(int)
    np.put_along_axis(found, numbers, shares[:, NEAREST:], axis=1)
    assert np.abs(found - expected).max() < 1e-3


def test_a_landmark_stands_for_several_rows():
    assert [landmark_count(1000, n) for n in (2, 100, 4000, 60_000)] == [1, 25, 1000, 1000]


@pytest.mark.parametrize("places", [np.zeros((40, 2)), np.repeat([[0.0, 0.0], [9, 0]], 20, axis=0)])
def test_fewer_places_than_landmarks(places):
    landmarks = choose_landmarks(places, 10, 0)
    assert landmarks.places.shape == (10, 2)
    assert landmarks.radius == pytest.approx(0, abs=1e-5)
    shares = landmarks.shares(places)
    assert np.isfinite(shares).all()
    nearest = landmarks.places[shares[:, :10].astype(int)]
    back = (shares[:, 10:, None] * nearest).sum(axis=1)
    np.testing.assert_allclose(back, places, atol=1e-5)


def test_one_landmark():
    rng = np.random.default_rng(0)
    shares = Landmarks(np.ones((1, 2), np.float32), 1.0).shares(rng.normal(size=(5, 2)))
    np.testing.assert_array_equal(shares, np.tile([0, 1], (5, 1)))
