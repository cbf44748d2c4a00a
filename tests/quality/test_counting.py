import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.quality import _counting
from narrows.quality._counting import count_below


@pytest.fixture(params=["together", "one by one", "sorted one by one"])
def way(request, monkeypatch):
    """Count in each of the ways, whatever the length of a row."""
    monkeypatch.setattr(_counting, "SHORT", np.inf if request.param == "together" else 0)
    most = np.inf if request.param == "one by one" else 0
    monkeypatch.setattr(_counting, "LIMITS_PER_ENTRY", most)


@pytest.mark.usefixtures("way")
def test_counts_are_those_of_a_loop():
    @settings(max_examples=60, deadline=None)
    @given(
        shape=st.tuples(st.integers(1, 4), st.integers(1, 9)),
        limits=st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 6)), max_size=12),
        seed=st.integers(0, 1000),
    )
    def check(shape, limits, seed):
        values = np.random.default_rng(seed).integers(0, 5, shape).astype(float)
        values[:, 0] = np.inf
        limits = sorted((row % shape[0], limit) for row, limit in limits)
        rows = np.array([row for row, _ in limits], dtype=int)
        found = count_below(values, rows, np.array([limit for _, limit in limits], dtype=float))
        assert found.tolist() == [sum(v < limit for v in values[row]) for row, limit in limits]

    check()
