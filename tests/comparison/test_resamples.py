import dataclasses
import hashlib

import numpy as np
import pytest

from narrows.comparison import Resamples, bootstrap


def test_bootstrap_draws_with_replacement_and_tests_out_of_bag():
    drawn = bootstrap(120, times=40, random_state=0)
    assert drawn.kind == "bootstrap"
    assert len(drawn) == 40
    for train, test in drawn:
        assert len(train) == 120
        assert set(test) == set(range(120)) - set(train)
    # (1 - 1/120)^120 of the rows are out of the bag on average.
    share = np.mean([len(test) / 120 for _, test in drawn])
    assert share == pytest.approx((1 - 1 / 120) ** 120, abs=0.02)


def test_every_row_is_drawn_equally_often():
    drawn = bootstrap(10, times=2000, random_state=1)
    counts = np.bincount(np.concatenate([train for train, _ in drawn]), minlength=10)
    # 20,000 draws; five standard deviations of a count.
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(20000 * 0.1 * 0.9)


def test_tiny_table_always_has_a_test_row():
    assert all(len(test) for _, test in bootstrap(2, times=50, random_state=0))


def test_fingerprint_is_the_rows_and_nothing_else():
    first, again = bootstrap(30, 5, random_state=1), bootstrap(30, 5, random_state=1)
    assert first.fingerprint == again.fingerprint
    assert first == again
    assert hash(first) == hash(again)
    assert first != bootstrap(30, 5, random_state=2)
    assert len(first.fingerprint) == 64
    assert dataclasses.replace(first, kind="other") == first
    assert dataclasses.replace(first, n_rows=31) != first


def test_fingerprint_is_a_sha256_that_does_not_change_between_versions():
    rows = Resamples("k", [([0, 1], [2])], 3)
    content = b"rows 3;2,1:" + np.array([0, 1, 2], dtype="<i8").tobytes()
    assert rows.fingerprint == hashlib.sha256(content).hexdigest()


def test_fingerprint_sees_where_training_ends():
    assert Resamples("k", [([0, 1], [2])], 3) != Resamples("k", [([0], [1, 2])], 3)


def test_ratio_counts_a_row_drawn_twice_once():
    assert Resamples("k", [([0, 0, 1], [2]), ([0, 1, 1], [2, 3])], 4).test_train_ratio == 0.75


def test_rows_cannot_be_changed():
    given = np.array([0, 1])
    rows = Resamples("k", [(given, np.array([2]))], 3)
    given[0] = 1
    assert rows.pairs[0][0].tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        rows.pairs[0][0][0] = 1


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "at least one pair .* Got none"),
        ([([0, 1], [])], r"Resample 0 .* non-empty array of test rows\. Got shape \(0,\)"),
        ([([0], [1]), ([0], [3])], "Resample 1 must have test rows from 0 to 2. Got 3 to 3"),
        ([([-1], [1])], "training rows from 0 to 2. Got -1"),
        ([([0, 1], [1, 2])], "must not test on rows it trains on. Got 1 such rows, the first 1"),
        ([([0.5], [1])], "row numbers .* Got dtype float64"),
    ],
)
def test_bad_pairs_are_refused(pairs, message):
    with pytest.raises(ValueError, match=message):
        Resamples("k", pairs, 3)


@pytest.mark.parametrize(("n_rows", "times"), [(1, 5), (2.5, 5), (10, 0)])
def test_bad_counts_are_refused(n_rows, times):
    with pytest.raises(ValueError, match="parameter of bootstrap must be an int in the range"):
        bootstrap(n_rows, times)
