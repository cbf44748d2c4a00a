import dataclasses
import hashlib
import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import LeaveOneOut, RepeatedKFold, RepeatedStratifiedKFold

from narrows.comparison import Resamples, bootstrap
from narrows.comparison.resampling._draw import (
    holdout,
    own_resamples,
    parse_resampling,
    repeated_kfold,
)
from narrows.data import iris


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


def species():
    return iris()["Species"]


def test_folds_test_every_row_once_in_each_repeat():
    drawn = repeated_kfold(species(), folds=5, repeats=3, random_state=0)
    assert (drawn.kind, len(drawn), drawn.n_rows) == ("k-fold", 15, 150)
    for repeat in range(3):
        tested = np.concatenate([test for _, test in drawn.pairs[5 * repeat : 5 * repeat + 5]])
        assert sorted(tested) == list(range(150))
    codes = np.repeat([0, 1, 2], 50)
    for train, test in drawn:
        assert np.bincount(codes[test]).tolist() == [10, 10, 10]
        assert sorted([*train, *test]) == list(range(150))
    assert drawn.test_train_ratio == pytest.approx(1 / 4)


def test_folds_are_those_of_scikit_learn():
    expected = RepeatedStratifiedKFold(n_splits=4, n_repeats=2, random_state=3)
    pairs = list(expected.split(np.zeros(150), species()))
    assert repeated_kfold(species(), 4, 2, random_state=3) == Resamples("k-fold", pairs, 150)
    plain = list(RepeatedKFold(n_splits=4, n_repeats=2, random_state=3).split(np.zeros(150)))
    drawn = repeated_kfold(150, 4, 2, stratify=False, random_state=3)
    assert drawn == Resamples("k-fold", plain, 150)
    assert drawn != repeated_kfold(150, 4, 2, stratify=False, random_state=4)


def test_class_with_fewer_rows_than_folds_is_named():
    y = ["common"] * 20 + ["rare"] * 3 + ["rarer"] * 2
    message = r"5 rows of every class.* Got 2 of class 'rarer', 3 of class 'rare' instead"
    with pytest.raises(ValueError, match=message):
        repeated_kfold(y, folds=5)
    assert len(repeated_kfold(y, folds=2)) == 10
    assert len(repeated_kfold(y, folds=5, stratify=False)) == 25
    with pytest.raises(ValueError, match="Got 1 of class 'b' instead"):
        holdout(["a", "a", "b"])
    with pytest.raises(
        ValueError, match=r"Got 1 of class 'a', 1 of class 'b', 1 .*, 2 more instead"
    ):
        holdout(list("abcde"))


def test_numbers_are_stratified_by_their_quarters():
    y = np.random.default_rng(0).normal(size=80)
    quarter = np.searchsorted(np.quantile(y, [0.25, 0.5, 0.75]), y)
    for _, test in repeated_kfold(y, folds=5, repeats=4, random_state=0):
        assert np.bincount(quarter[test], minlength=4).tolist() == [4, 4, 4, 4]
    for _, test in holdout(y, 0.75, times=5, random_state=0):
        assert np.bincount(quarter[test], minlength=4).tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize(
    "y",
    [
        np.arange(7.5),  # too few for quarters of five
        np.array([0.0] * 40 + [1.5]),  # one number is nearly all there is
        np.array([0.0, 0.0, 0.0, 1.0, 2.0] * 6 + [1e9]),
    ],
)
def test_few_or_equal_numbers_make_fewer_groups(y):
    for train, test in repeated_kfold(y, folds=5, repeats=2, random_state=0):
        assert len(train) + len(test) == len(y)


def test_task_decides_what_labels_are():
    # Thirty class codes look like numbers; their counts say what they were taken for.
    codes = np.repeat(np.arange(30), 5)
    as_classes = repeated_kfold(codes, 5, 1, random_state=0, task="classification")
    assert all(np.bincount(codes[test]).tolist() == [1] * 30 for _, test in as_classes)
    as_numbers = repeated_kfold(codes, 5, 1, random_state=0)
    assert any(np.bincount(codes[test]).max() > 1 for _, test in as_numbers)
    with pytest.raises(ValueError, match=r"at least 5 rows of every class.* Got 2 of class '1.5'"):
        repeated_kfold([0.5] * 6 + [1.5] * 2, folds=5, task="classification")
    with pytest.raises(ValueError, match=r"'task' parameter of holdout .* Got 'classes'"):
        holdout(codes, task="classes")


@pytest.mark.parametrize(("train", "n_train"), [(0.8, 80), (0.29, 29), (0.555, 55)])
def test_holdout_sizes_add_up(train, n_train):
    drawn = holdout(100, train, times=3, stratify=False, random_state=0)
    assert (drawn.kind, len(drawn)) == ("holdout", 3)
    for rows, others in drawn:
        assert (len(rows), len(others)) == (n_train, 100 - n_train)
        assert (np.diff(rows) > 0).all()
        assert (np.diff(others) > 0).all()


def test_holdout_keeps_the_classes_shares():
    y = np.repeat(["a", "b"], [80, 20])
    drawn = holdout(y, 0.75, times=4, random_state=0)
    assert len({test.tobytes() for _, test in drawn}) == 4
    for _, test in drawn:
        assert (y[test] == "b").sum() == 5


def test_own_rows_are_taken_as_they_are():
    given = [([3, 1, 1], [0, 2]), ([0], [3])]
    drawn = own_resamples(iter(given), 5)
    assert [(train.tolist(), test.tolist()) for train, test in drawn] == given
    assert len(own_resamples(LeaveOneOut().split(np.zeros(6)), 6)) == 6
    with pytest.raises(ValueError, match=r"pairs of training and test rows\. Got 3 parts in pair"):
        own_resamples([([0], [1], [2])], 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5x5", lambda y: repeated_kfold(y, 5, 5, random_state=1)),
        (" 10 × 3 ", lambda y: repeated_kfold(y, 10, 3, random_state=1)),
        ("kfold:4x2", lambda y: repeated_kfold(y, 4, 2, random_state=1)),
        ("K-Fold:10", lambda y: repeated_kfold(y, 10, 1, random_state=1)),
        ("kfold", lambda y: repeated_kfold(y, random_state=1)),
        ("bootstrap:7", lambda y: bootstrap(150, 7, random_state=1)),
        ("bootstrap", lambda y: bootstrap(150, random_state=1)),
        ("holdout:0.7x10", lambda y: holdout(y, 0.7, 10, random_state=1)),
        ("holdout:.7", lambda y: holdout(y, 0.7, random_state=1)),
        ("holdout", lambda y: holdout(y, random_state=1)),
    ],
)
def test_text_names_resamples(text, expected):
    drawn = parse_resampling(text, species(), random_state=1)
    assert drawn == expected(species())
    assert drawn.describe() == expected(species()).describe()


def test_text_without_labels_is_not_stratified():
    assert parse_resampling("4x2", 30, 1) == repeated_kfold(
        30, 4, 2, stratify=False, random_state=1
    )


@pytest.mark.parametrize(
    "text",
    ["", "5", "5x", "5by5", "kfold:5x5x5", "bootstrap:", "bootstrap:2.5", "holdout:80", "loo", 5],
)
def test_other_texts_are_refused_with_examples(text):
    with pytest.raises(
        ValueError, match=r"such as '5x5' .*'bootstrap:25'.*'holdout:0.8x10'"
    ) as found:
        parse_resampling(text, 150)
    assert f"Got {text!r} instead." in str(found.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: repeated_kfold(150), "must be labels to stratify by. Got the number 150 instead"),
        (lambda: repeated_kfold("text"), "must be labels or a number of rows. Got 'text'"),
        (lambda: repeated_kfold(species(), 1), r"'folds' .*range \[2, 150\].* Got 1 instead"),
        (lambda: repeated_kfold(4, 5, stratify=False), r"'folds' .*range \[2, 4\].* Got 5"),
        (
            lambda: repeated_kfold(species(), 5, 0),
            r"'repeats' parameter of repeated_kfold .* Got 0",
        ),
        (lambda: repeated_kfold(["a", None] * 9), "label in every row. Got 9 missing"),
        (lambda: holdout(species(), 1.0), "'train' parameter of holdout .* Got 1.0"),
        (lambda: holdout(species(), 0.99), "at least 3 rows in both .*148 training and 2 test"),
        (lambda: holdout(10, 0.01, stratify=False), "0 training and 10 test rows"),
        (lambda: holdout(species(), times=0), "'times' parameter of holdout .* Got 0"),
        (lambda: own_resamples([], 3), "at least one pair"),
        (lambda: own_resamples([([0], [5])], 3), "Resample 0 must have test rows from 0 to 2"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_resamples_say_what_they_are():
    drawn = repeated_kfold(species(), random_state=0)
    assert str(drawn) == f"5 × 5 stratified folds of 150 rows, fingerprint {drawn.fingerprint[:8]}…"
    assert repr(drawn) == f"<Resamples: {drawn}>"
    assert repeated_kfold(9, 3, 1, stratify=False).describe() == "3 × 1 folds"
    assert bootstrap(9, 1, random_state=0).describe() == "1 bootstrap"
    assert holdout(species(), 0.75, 2).describe() == "2 stratified holdouts of 25 %"
    assert Resamples("odd", [([0], [1])], 2).describe() == "1 odd resample"


def test_frame_has_the_sizes():
    frame = Resamples("k", [([0, 0, 1], [2]), ([0], [1, 2])], 4).frame()
    assert frame.to_dict("list") == {
        "resample": [0, 1],
        "n_train": [3, 1],
        "n_distinct": [2, 1],
        "n_test": [1, 2],
    }


@st.composite
def any_resamples(draw):
    n_rows = draw(st.integers(2, 12))
    pairs = []
    for _ in range(draw(st.integers(1, 3))):
        rows = draw(st.permutations(range(n_rows)))
        cut = draw(st.integers(1, n_rows - 1))
        train = draw(st.lists(st.sampled_from(rows[:cut]), min_size=1, max_size=15))
        pairs.append((train, rows[cut : draw(st.integers(cut + 1, n_rows))]))
    return Resamples("own", pairs, n_rows, draw(st.sampled_from(["", "× some"])))


@given(any_resamples())
def test_config_gives_back_every_row_in_its_place(drawn):
    back = Resamples.from_config(json.loads(json.dumps(drawn.to_config())))
    assert (back.kind, back.n_rows, back.description) == (
        drawn.kind,
        drawn.n_rows,
        drawn.description,
    )
    for pair, expected in zip(back, drawn, strict=True):
        for rows, wanted in zip(pair, expected, strict=True):
            np.testing.assert_array_equal(rows, wanted)


def test_config_leaves_out_what_follows():
    drawn = repeated_kfold(species(), random_state=0)
    assert [pair["train"] for pair in drawn.to_config()["pairs"]] == [None] * 25
    assert Resamples.from_config(drawn.to_config()) == drawn
    boot = bootstrap(150, random_state=0)
    assert [pair["test"] for pair in boot.to_config()["pairs"]] == [None] * 25
    assert Resamples.from_config(boot.to_config()) == boot


def test_config_that_was_changed_is_refused():
    config = bootstrap(20, 2, random_state=0).to_config()
    config["pairs"][1]["train"][0] = config["pairs"][1]["train"][-1]
    with pytest.raises(ValueError, match=r"fingerprint it states, .*rows were changed"):
        Resamples.from_config(config)
    for broken in ({}, {"pairs": 3, "n_rows": 2}, {**config, "n_rows": None}, []):
        with pytest.raises(ValueError, match="must be what to_config returned"):
            Resamples.from_config(broken)


def test_resamples_can_be_sent_elsewhere():
    drawn = bootstrap(20, 3, random_state=0)
    assert pickle.loads(pickle.dumps(drawn)) == drawn


def test_groups_of_one_class_are_drawn_without_strata():
    found = parse_resampling("2x1", ["a"] * 8, 0, groups=[0, 0, 1, 1, 2, 2, 3, 3])
    assert found.n_rows == 8
