import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets, manifold
from sklearn.decomposition import PCA

from narrows.quality import (
    _counting,
    _neighbourhoods,
    continuity,
    neighbour_agreement,
    trustworthiness,
)

MEASURES = [trustworthiness, continuity, neighbour_agreement]


def spaces(n_rows, width, seed):
    """Rows without ties and a noisy projection of theirs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, width))
    return x, x @ rng.normal(size=(width, 2)) + rng.normal(size=(n_rows, 2))


@st.composite
def cases(draw):
    n_rows = draw(st.integers(3, 60))
    x, z = spaces(n_rows, draw(st.integers(1, 60)), draw(st.integers(0, 10_000)))
    return x, z, draw(st.integers(1, (n_rows - 1) // 2))


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_scikit_learn_agrees(case):
    x, z, k = case
    assert trustworthiness(x, z, k) == pytest.approx(
        manifold.trustworthiness(x, z, n_neighbors=k), abs=1e-12
    )
    assert continuity(x, z, k) == pytest.approx(
        manifold.trustworthiness(z, x, n_neighbors=k), abs=1e-12
    )


@pytest.mark.parametrize("n_neighbors", [1, 5, 74])
@pytest.mark.parametrize("load", [datasets.load_iris, datasets.load_wine, datasets.load_digits])
def test_scikit_learn_agrees_on_data_sets(load, n_neighbors):
    # Measured to few digits, they are full of ties, which scikit-learn breaks by row order.
    x = load().data[:1200]
    x = x + np.random.default_rng(0).normal(scale=1e-3, size=x.shape)
    z = PCA(2).fit_transform(x)
    for measure, from_, to in [(trustworthiness, x, z), (continuity, z, x)]:
        expected = manifold.trustworthiness(from_, to, n_neighbors=n_neighbors)
        assert measure(x, z, n_neighbors) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["cityblock", "cosine"])
@pytest.mark.parametrize("width", [3, 40])
def test_scikit_learn_agrees_on_other_metrics(metric, width):
    x, z = spaces(80, width, seed=1)
    expected = manifold.trustworthiness(x, z, n_neighbors=4, metric=metric)
    assert trustworthiness(x, z, 4, metric=metric) == pytest.approx(expected, abs=1e-12)
    assert expected != pytest.approx(trustworthiness(x, z, 4), abs=1e-4)


def by_definition(x, z, k):
    """Venna and Kaski's sums, and the shared neighbours, in loops; rows without ties."""
    n = len(x)
    order = [
        [sorted((j for j in range(n) if j != i), key=lambda j: np.hypot(*(s[i] - s[j])))
         for i in range(n)]
        for s in (x, z)
    ]  # fmt: skip
    false = lost = shared = 0
    for in_x, in_z in zip(*order, strict=True):
        false += sum(in_x.index(j) + 1 - k for j in in_z[:k] if j not in in_x[:k])
        lost += sum(in_z.index(j) + 1 - k for j in in_x[:k] if j not in in_z[:k])
        shared += len(set(in_x[:k]) & set(in_z[:k]))
    factor = 2 / (n * k * (2 * n - 3 * k - 1))
    return 1 - factor * false, 1 - factor * lost, shared / (n * k)


@settings(max_examples=40, deadline=None)
@given(n_rows=st.integers(3, 15), seed=st.integers(0, 10_000), data=st.data())
def test_definition_agrees(n_rows, seed, data):
    x, z = spaces(n_rows, 2, seed)
    k = data.draw(st.integers(1, (n_rows - 1) // 2))
    found = [measure(x, z, k) for measure in MEASURES]
    assert found == pytest.approx(by_definition(x, z, k), abs=1e-12)


def test_worked_case():
    # Five rows on a line, the first two exchanged, one neighbour each. Only the third row's
    # changes, and is the second nearest in the other space: one rank too many, times
    # 2 / (5 · 1 · (10 − 3 − 1)).
    x, z = np.array([[0.0], [1], [3], [7], [12]]), np.array([[1.0], [0], [3], [7], [12]])
    assert trustworthiness(x, z, 1) == pytest.approx(1 - 2 / 30)
    assert continuity(x, z, 1) == pytest.approx(1 - 2 / 30)
    assert neighbour_agreement(x, z, 1) == pytest.approx(4 / 5)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("width", [4, 50])
def test_size_of_blocks_and_way_of_counting_change_nothing(measure, width, monkeypatch):
    x, z = spaces(150, width, seed=2)
    x[100:] = x[:50].round(1)
    whole = measure(x, z)
    monkeypatch.setattr(_neighbourhoods, "BLOCK", 1)
    monkeypatch.setattr(_counting, "SHORT", 0)
    assert measure(x, z) == pytest.approx(whole, abs=1e-12)
    monkeypatch.setattr(_neighbourhoods, "BLOCK", 150 * 37)
    monkeypatch.setattr(_counting, "LIMITS_PER_ENTRY", 0)
    assert measure(x, z) == pytest.approx(whole, abs=1e-12)


def test_matrix_of_all_distances_is_never_there():
    x, z = spaces(4000, 50, seed=3)
    tracemalloc.start()
    try:
        trustworthiness(x, z)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4000 * 4000 * 8 / 2


@settings(max_examples=60, deadline=None)
@given(
    n_rows=st.integers(5, 40),
    width=st.sampled_from([2, 5, 40]),
    seed=st.integers(0, 10_000),
    exponent=st.floats(-150, 150),
    data=st.data(),
)
def test_moving_turning_scaling_and_reordering_change_nothing(
    n_rows, width, seed, exponent, data
):  # fmt: skip
    # Whole numbers, a few of them: rows tie and repeat.
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n_rows, width)).astype(float)
    z = rng.integers(0, 5, (n_rows, 2)).astype(float)
    k = data.draw(st.integers(1, (n_rows - 1) // 2))
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    order = rng.permutation(n_rows)
    moved = (x @ turn + rng.normal(size=width)) * 10**exponent
    for measure in MEASURES:
        before = measure(x, z, k)
        assert measure(moved[order], 3 * z[order] - 1, k) == pytest.approx(before, abs=1e-9)


def chance(n_rows, k):
    """What trustworthiness and continuity are on average for unrelated rows."""
    return 1 - (n_rows - 1 - k) * (n_rows - k) / ((n_rows - 1) * (2 * n_rows - 3 * k - 1))


def test_random_embedding_is_as_poor_as_stated_and_pca_is_good():
    x = datasets.load_digits().data[:200]
    rng = np.random.default_rng(0)
    poor = np.array([[m(x, rng.normal(size=(200, 2))) for m in MEASURES] for _ in range(20)])
    assert poor.mean(axis=0) == pytest.approx([chance(200, 5)] * 2 + [5 / 199], abs=0.01)
    assert poor.max() < 0.55
    good = [measure(x, PCA(10).fit_transform(x)) for measure in MEASURES]
    assert good[0] > 0.95
    assert good[1] > 0.95
    assert good[2] > 0.5


@pytest.mark.parametrize("measure", MEASURES)
def test_tables_and_images_are_taken(measure):
    x, z = spaces(30, 6, seed=4)
    expected = measure(x, z)
    assert measure(pd.DataFrame(x), pd.DataFrame(z)) == expected
    assert measure(x.tolist(), z.tolist()) == expected
    assert measure(x.reshape(30, 2, 3), z) == expected
    assert measure(np.asfortranarray(x), np.asfortranarray(z)) == expected


@pytest.mark.parametrize("measure", MEASURES)
def test_input_is_left_alone(measure):
    x, z = spaces(30, 40, seed=4)
    before = x.copy(), z.copy()
    measure(x, z)
    measure(x, z, metric="cosine")
    assert np.array_equal(x, before[0])
    assert np.array_equal(z, before[1])


def test_all_neighbours_agree_when_every_row_is_one():
    assert neighbour_agreement(*spaces(6, 3, seed=5), n_neighbors=5) == 1


def test_bad_input_is_refused():
    x, z = spaces(30, 4, seed=6)
    for measure in MEASURES:
        name = measure.__name__
        largest = 29 if measure is neighbour_agreement else 14
        for wrong in (0, largest + 1, 2.0, True, None, "5"):
            message = rf"'n_neighbors' .* {name} must be an int in the range \[1, {largest}\]"
            with pytest.raises(ValueError, match=message):
                measure(x, z, wrong)
        measure(x, z, np.int64(largest))
        with pytest.raises(ValueError, match=f"'Z' .* {name} .* 30 rows. Got 29 instead"):
            measure(x, z[1:])
        with pytest.raises(ValueError, match=r"'cityblock', 'cosine'\. Got 'dice'"):
            measure(x, z, metric="dice")
        with pytest.raises(ValueError, match=f"required by {name} .X."):
            measure(x[:1], z[:1], 1)
        holes = z.copy()
        holes[3, 1] = np.nan
        with pytest.raises(ValueError, match=rf"{name} \(Z\) needs finite .* 1 NaN .* row 3 "):
            measure(x, holes)
        with pytest.raises(ValueError, match=rf"{name} \(X\) needs numbers. Got text"):
            measure(pd.DataFrame({"a": ["b"] * 30}), z)


def test_largest_odd_and_even():
    for n_rows in (30, 31):
        x, z = spaces(n_rows, 4, seed=7)
        largest = (n_rows - 1) // 2
        expected = manifold.trustworthiness(x, z, n_neighbors=largest)
        assert trustworthiness(x, z, largest) == pytest.approx(expected, abs=1e-12)
        with pytest.raises(ValueError, match="should be less than"):
            manifold.trustworthiness(x, z, n_neighbors=largest + 1)
        with pytest.raises(ValueError, match=f"below half of the {n_rows} rows"):
            trustworthiness(x, z, largest + 1)
