import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.data import iris, partition

classes = st.lists(st.sampled_from("abc"), min_size=9, max_size=60).filter(
    lambda labels: min(Counter(labels).values()) >= 2
)
seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0.05, 0.6)


@settings(max_examples=60, deadline=None)
@given(labels=classes, seed=seeds, share=shares)
def test_every_class_gives_its_share_rounded_up(labels, seed, share):
    # Classes of two rows give both at most shares above a half; keep a test row in any case.
    labels = labels + ["a"] * 5
    train, test = partition(labels, train=share, random_state=seed)
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert list(train) == sorted(train)
    assert list(test) == sorted(test)
    drawn = Counter(labels[row] for row in train)
    assert drawn == {name: math.ceil(share * size) for name, size in Counter(labels).items()}


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(-40, 40).map(lambda i: i / 2), min_size=10, max_size=60),
    groups=st.integers(2, 8),
    seed=seeds,
)
def test_numbers_are_grouped_as_pandas_qcut_groups_them(values, groups, seed):
    # Quantiles and right-closed intervals are R's cut(); pandas is the independent copy.
    if len(set(values)) == 1:
        values[0] += 1.0
    breaks = np.unique(np.quantile(values, np.linspace(0, 1, groups)))
    cells = pd.cut(pd.Series(values), breaks, include_lowest=True)
    train, _ = partition(values, train=0.5, quantile_groups=groups, random_state=seed)
    expected = np.ceil(cells.value_counts() * 0.5)
    assert (cells.iloc[train].value_counts().sort_index() == expected.sort_index()).all()


def test_iris_is_split_as_in_the_post():
    species = iris()["Species"]
    train, test = partition(species, random_state=0)
    assert species.iloc[train].value_counts().tolist() == [40, 40, 40]
    assert species.iloc[test].value_counts().tolist() == [10, 10, 10]
    assert train.dtype.kind == test.dtype.kind == "i"


def test_seed_decides_the_draw():
    labels = iris()["Species"]
    assert np.array_equal(*(partition(labels, random_state=3)[0] for _ in range(2)))
    drawn = [tuple(partition(labels, random_state=seed)[0]) for seed in range(5)]
    assert len(set(drawn)) == 5


@pytest.mark.parametrize(
    "form",
    [
        list,
        np.array,
        lambda labels: np.array(labels, dtype=object),
        pd.Series,
        pd.Categorical,
        lambda labels: pd.Series(labels, index=range(100, 100 + len(labels)), dtype="category"),
        lambda labels: pd.Series(labels, dtype="string"),
        lambda labels: np.array(labels) == "a",
        lambda labels: np.array([ord(label) for label in labels]),
        lambda labels: np.array([ord(label) for label in labels], dtype=object),
    ],
)
def test_classes_in_any_form_are_stratified(form):
    train, _ = partition(form(["a"] * 10 + ["b"] * 5), train=0.6, random_state=0)
    assert (train < 10).sum() == 6
    assert (train >= 10).sum() == 3


def test_integers_with_many_values_are_numbers_and_floats_always_are():
    # As numbers, 0..99 in four groups of 25: ceil(0.5 * 25) from each.
    train, _ = partition(np.arange(100), train=0.5, random_state=0)
    assert np.bincount(train // 25).tolist() == [13, 13, 13, 13]
    # As classes each of the three values would give ceil(0.5 * 5) = 3; as numbers the
    # breaks 0, 1, 2 make two groups, {0, 1} and {2}, that give 5 and 3.
    codes = np.repeat([0, 1, 2], 5)
    assert len(partition(codes, train=0.5, random_state=0)[0]) == 9
    assert len(partition(codes.astype(float), train=0.5, random_state=0)[0]) == 8


def test_constant_number_is_one_group():
    assert len(partition(np.full(10, 2.5), train=0.5, random_state=0)[0]) == 5


def test_single_row_class_goes_into_training_with_a_warning():
    labels = ["a"] * 10 + ["rare"]
    with pytest.warns(UserWarning, match="single row .*'rare'"):
        train, _ = partition(labels, train=0.5, random_state=0)
    assert 10 in train
    assert len(train) == 6


def test_no_test_rows_is_a_warning():
    with pytest.warns(UserWarning, match="left no test rows"):
        partition(["a", "a", "b", "b"], train=0.8)


def test_levels_without_rows_are_ignored():
    labels = pd.Categorical(["a"] * 5 + ["b"] * 5, categories=["z", "b", "a"])
    assert len(partition(labels, train=0.5, random_state=0)[0]) == 6


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], r"at least two rows to split\. Got 0 instead"),
        (["a"], r"at least two rows to split\. Got 1 instead"),
        (np.zeros((4, 1)), r"one-dimensional, .* Got shape \(4, 1\) instead\. Use y\.ravel"),
        (np.array("a"), r"one-dimensional, .* Got shape \(\) instead"),
        (["a", "a", None, "b"], r"Got 1 missing or infinite, the first in row 2 "),
        (["a", float("nan"), "b"], r"Got 1 missing or infinite, the first in row 1 "),
        (np.array([1.0, 2.0, np.nan, np.inf]), r"Got 2 missing or infinite, the first in row 2 "),
        (pd.Categorical(["a", None, "b"]), r"Got 1 missing or infinite, the first in row 1 "),
        (pd.array([1, None, 2], dtype="Int64"), r"Got 1 missing or infinite, the first in row 1 "),
    ],
)
def test_bad_labels_are_refused(labels, message):
    with pytest.raises(ValueError, match=rf"The 'y' parameter of partition must .*{message}"):
        partition(labels)


@pytest.mark.parametrize("train", [0, 1, -0.2, 1.5, float("nan"), "0.8"])
def test_bad_share_is_refused(train):
    with pytest.raises(ValueError, match=r"The 'train' parameter .* above 0 and below 1.* Got"):
        partition(["a", "b"] * 5, train=train)


@pytest.mark.parametrize("groups", [1, 0, 2.5])
def test_bad_groups_are_refused(groups):
    with pytest.raises(ValueError, match=r"The 'quantile_groups' parameter .* range \[2, inf\)"):
        partition(["a", "b"] * 5, quantile_groups=groups)
