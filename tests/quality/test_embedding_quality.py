import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.quality import (
    Quality,
    _neighbourhoods,
    continuity,
    embedding_quality,
    neighbour_agreement,
    trustworthiness,
)


@settings(max_examples=40, deadline=None)
@given(
    n_rows=st.integers(5, 60),
    width=st.sampled_from([1, 4, 40]),
    whole=st.booleans(),
    metric=st.sampled_from(["euclidean", "cityblock", "cosine"]),
    seed=st.integers(0, 10_000),
    data=st.data(),
)
def test_each_measure_is_that_of_its_function(n_rows, width, whole, metric, seed, data):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(n_rows, width)), rng.normal(size=(n_rows, 2))
    x, z = (x.round(), z.round()) if whole else (x, z)
    k = data.draw(st.integers(1, (n_rows - 1) // 2))
    found = embedding_quality(x, z, k, metric=metric)
    for measure in (trustworthiness, continuity, neighbour_agreement):
        expected = measure(x, z, k, metric=metric)
        assert getattr(found, measure.__name__) == pytest.approx(expected, abs=1e-12)
    assert (found.n_neighbors, found.n_rows) == (k, n_rows)


def test_blocks_are_summed_up(monkeypatch):
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(90, 5)), rng.normal(size=(90, 2))
    whole = embedding_quality(x, z)
    monkeypatch.setattr(_neighbourhoods, "BLOCK", 1)
    assert embedding_quality(x, z).frame().round(12).equals(whole.frame().round(12))


def test_frame():
    found = Quality(0.9, 0.8, 0.5, n_neighbors=5, n_rows=30).frame()
    expected = {
        "n_rows": [30],
        "n_neighbors": [5],
        "trustworthiness": [0.9],
        "continuity": [0.8],
        "neighbour_agreement": [0.5],
    }
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected))


def test_values_are_plain_numbers():
    rng = np.random.default_rng(0)
    found = embedding_quality(rng.normal(size=(30, 5)), rng.normal(size=(30, 2)).astype("f4"))
    kinds = {name: type(value) for name, value in vars(found).items()}
    assert kinds.pop("n_neighbors") is kinds.pop("n_rows") is int
    assert set(kinds.values()) == {float}


def test_bad_input_is_refused():
    x, z = np.random.default_rng(0).normal(size=(2, 30, 3))
    with pytest.raises(ValueError, match=r"embedding_quality must be an int .* \[1, 14\]"):
        embedding_quality(x, z, 15)
    with pytest.raises(ValueError, match=r"'Z' .* embedding_quality"):
        embedding_quality(x, z[:-1])
    with pytest.raises(ValueError, match=r"'metric' .* embedding_quality"):
        embedding_quality(x, z, metric="minkowski")
