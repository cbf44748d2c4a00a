import dataclasses
import math
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import chi2

from narrows.quality import IntrinsicDimension, _dimension, intrinsic_dimension
from support import dimensions

# What ``python -m support.dimensions`` printed with scikit-dimension 0.5.0, nothing and a tenth
# discarded.
THEIRS = {
    "iris": [3.45407004, 3.32257148],
    "wine": [2.41544648, 2.41435794],
    "digits": [9.04424949, 8.92153845],
    "cube": [4.69127982, 4.59901737],
    "roll": [2.04537606, 2.03966873],
}


@pytest.mark.parametrize("name", THEIRS)
def test_scikit_dimension_agrees(name):
    x = dimensions.sets()[name]
    found = [intrinsic_dimension(x, discard=part).dimension for part in dimensions.DISCARDED]
    assert found == pytest.approx(THEIRS[name], rel=1e-7)


def test_worked_case():
    # Five places on a line, whose ratios are 3/1, 2/1, 3/2, 5/4 and 9/5, and the same five far
    # away. The product of the ten ratios is 20.25²; where both threes are only known to be at
    # least as large as the twos, it is 13.5².
    five = np.array([0.0, 1, 3, 7, 12])
    x = np.concatenate([five, five + 1000])[:, None]
    for discard, dimension, k in ((0, 9 / math.log(20.25**2), 10), (0.2, 7 / math.log(13.5**2), 8)):
        found = intrinsic_dimension(x, discard=discard, confidence=0.9)
        assert found.dimension == pytest.approx(dimension)
        ends = chi2.ppf([0.05, 0.95], 2 * k) / (2 * (k - 1) / dimension)
        assert [found.low, found.high] == pytest.approx(list(ends))
        assert (found.confidence, found.n_rows) == (0.9, 10)


def by_definition(x, discard):
    distances = np.sort(cdist(x, x), axis=1)
    logs = np.sort(np.log(distances[:, 2] / distances[:, 1]))
    k = int((1 - discard) * len(x))
    counted = [min(log, logs[k - 1]) for log in logs]
    return (k - 1) / sum(counted)


@settings(max_examples=40, deadline=None)
@given(
    n_rows=st.integers(10, 60), width=st.sampled_from([1, 3, 20, 60]),
    seed=st.integers(0, 10_000), discard=st.floats(0, 0.49),
)  # fmt: skip
def test_definition_agrees(n_rows, width, seed, discard):
    x = np.random.default_rng(seed).normal(size=(n_rows, width))
    found = intrinsic_dimension(x, discard=discard)
    assert found.dimension == pytest.approx(by_definition(x, discard), rel=1e-9)


@pytest.mark.parametrize("n_columns", range(1, 9))
def test_cubes_have_their_dimension(n_columns):
    found = intrinsic_dimension(dimensions.cube(n_columns, 2000, n_columns + 10)).dimension
    # Edges draw it down, the further the more dimensions.
    assert 1 - 0.018 * n_columns - 0.02 < found / n_columns < 1.05
    assert round(found) == n_columns or n_columns > 5


def test_a_thousand_rows_in_eight_dimensions_give_seven():
    found = [intrinsic_dimension(dimensions.cube(8, 1000, 8, seed)).dimension for seed in range(10)]
    assert np.mean(found) == pytest.approx(7, abs=0.2)


def test_swiss_roll_has_two():
    assert intrinsic_dimension(dimensions.roll(2000)).dimension == pytest.approx(2, abs=0.15)


@settings(max_examples=60, deadline=None)
@given(
    n_rows=st.integers(12, 60), width=st.sampled_from([1, 5, 20, 40]),
    seed=st.integers(0, 10_000), exponent=st.floats(-280, 280),
)  # fmt: skip
def test_moving_turning_scaling_reordering_and_copies_change_nothing(n_rows, width, seed, exponent):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, width))
    moved = dimensions.turned(x, width, seed) * 10**exponent
    moved = moved[[*rng.permutation(n_rows), *rng.integers(0, n_rows, 5)]]
    before, after = (dataclasses.astuple(intrinsic_dimension(a)) for a in (x, moved))
    assert after == pytest.approx(before, rel=1e-8)


@pytest.mark.parametrize("width", [20, 40])
def test_digits_are_not_lost_far_from_zero(width):
    # Of so few digits that none is lost in the sum.
    x = np.round(np.random.default_rng(0).normal(size=(200, width)) * 2**20) / 2**20
    assert intrinsic_dimension(x + 2**27) == intrinsic_dimension(x)
    # Two clouds: what a product of matrices makes of their distances has few digits.
    x[:100] = x[:100] / 100 + 1000
    expected = by_definition(x, 0.1)
    assert intrinsic_dimension(x).dimension == pytest.approx(expected, rel=1e-9)


def test_equal_rows_are_one():
    x = np.random.default_rng(0).normal(size=(50, 3))
    x[0, 0] = 0.0
    copies = np.vstack([x, x[:20], [[-0.0, *x[0, 1:]]]])
    assert intrinsic_dimension(copies) == intrinsic_dimension(x)
    assert intrinsic_dimension(copies).n_rows == 50


def test_rows_nearly_in_one_place_count_for_little():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(1000, 3))
    x[:20] = x[20:40] + 1e-9 * rng.normal(size=(20, 3))
    assert 2.4 < intrinsic_dimension(x).dimension < 3.2
    assert intrinsic_dimension(x, discard=0).dimension < 1.2
    x[:300] = x[300:600] + 1e-3 * rng.normal(size=(300, 3))
    assert intrinsic_dimension(x).dimension < 1  # too many, as the docstring says


def test_ties_are_ties_after_a_turn():
    # A row and its four neighbours on a grid turned by rounding: no ratio is above 1 by much.
    grid = np.stack(np.meshgrid(*[np.arange(12.0)] * 2), axis=-1).reshape(-1, 2)
    with pytest.raises(ValueError, match="Got equal distances for 144 of 144 rows instead"):
        intrinsic_dimension(dimensions.turned(grid, 5))


@settings(max_examples=60, deadline=None)
@given(
    n_rows=st.integers(10, 200), discard=st.floats(0, 0.4999), confidence=st.floats(0.5, 0.999),
)  # fmt: skip
def test_estimate_lies_in_its_interval(n_rows, discard, confidence):
    x = np.random.default_rng(n_rows).normal(size=(n_rows, 2))
    found = intrinsic_dimension(x, discard=discard, confidence=confidence)
    assert found.low < found.dimension < found.high
    assert found.high < intrinsic_dimension(x, discard=discard, confidence=0.9999).high


@pytest.mark.parametrize("k", [45, 50])
def test_interval_is_exact_and_estimate_unbiased_for_independent_ratios(k):
    rng = np.random.default_rng(0)
    logs = np.sort(rng.exponential(1 / 4, size=(4000, 50)), axis=1)
    dimension, low, high = np.transpose([_dimension._estimate(row, k, 0.9) for row in logs])
    assert dimension.mean() == pytest.approx(4, rel=0.01)
    assert np.mean(low > 4) == pytest.approx(0.05, abs=0.01)
    assert np.mean(high < 4) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(("dimension", "stated"), [(1, 0.92), (2, 0.9), (3, 0.85)])
def test_interval_covers_as_often_as_stated(dimension, stated):
    found = [intrinsic_dimension(dimensions.torus(dimension, 300, seed)) for seed in range(300)]
    covered = np.mean([one.low <= dimension <= one.high for one in found])
    assert covered == pytest.approx(stated, abs=0.01)


def test_tables_and_images_are_taken():
    x = np.random.default_rng(0).normal(size=(30, 6))
    expected = intrinsic_dimension(x)
    assert isinstance(expected, IntrinsicDimension)
    frame = pd.DataFrame(x, columns=list("abcdef"))
    for form in (
        frame,
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
        x.tolist(),
        x.reshape(30, 2, 3),
        np.asfortranarray(x),
    ):
        assert intrinsic_dimension(form) == expected


def test_input_is_left_alone():
    x = np.random.default_rng(0).normal(size=(30, 20))
    before = x.copy()
    intrinsic_dimension(x)
    assert np.array_equal(x, before)


def test_size_of_blocks_changes_nothing(monkeypatch):
    x = np.random.default_rng(0).normal(size=(100, 30))
    whole = intrinsic_dimension(x)
    monkeypatch.setattr(_dimension, "BLOCK", 210)
    assert intrinsic_dimension(x) == whole


@pytest.mark.parametrize("width", [3, 100])
def test_matrix_of_all_distances_is_never_there(width):
    x = np.random.default_rng(0).normal(size=(5000, width))
    tracemalloc.start()
    try:
        intrinsic_dimension(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5000 * 5000 * 8 / 4


def test_bad_input_is_refused():
    x = np.random.default_rng(0).normal(size=(30, 3))

    def refused(message, X=x, **options):
        with pytest.raises(ValueError, match=message):
            intrinsic_dimension(X, **options)

    for wrong in (-0.1, 0.5, math.nan, "0.1", None, True):
        refused(r"'discard' .* intrinsic_dimension must be a float in .* \[0, 0.5\)", discard=wrong)
    for wrong in (0.4, 1, math.nan, "0.9", None):
        refused(r"'confidence' .* must be a float in .* \[0.5, 1\)", confidence=wrong)
    refused("9 sample.* minimum of 10 is required by intrinsic_dimension. Give", x[:9])
    nine = np.vstack([x[:9], x[:9]])
    refused("'X' .* at least 10 distinct rows. Got 9 among 18 rows instead. Give more", nine)
    assert intrinsic_dimension(np.vstack([x[:10], x[:9]])).n_rows == 10
    refused(
        "different distances. Got equal distances for 98 of 100 rows", np.arange(100.0)[:, None]
    )
    holes = x.copy()
    holes[3, 1] = np.nan
    refused("intrinsic_dimension needs finite .* 1 NaN .* row 3 ", holes)
    holes[3, 1] = np.inf
    refused("intrinsic_dimension needs finite", holes)
    refused("intrinsic_dimension needs numbers. Got text", pd.DataFrame({"a": ["b"] * 30}))
    refused("Expected 2D array", x[:, 0])
