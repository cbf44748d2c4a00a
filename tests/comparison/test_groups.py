"""Rows that belong together, other people's splitters, and rows that repeat others."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit

import narrows
from narrows.comparison import own_resamples, parse_resampling

FORMS = ["5x2", "kfold:3", "bootstrap:6", "holdout:0.7x4"]
QUICK = {"probes": "neighbours", "controls": (), "quality": False, "random_state": 0}
ARMS = {"pca": narrows.PCA(2)}


@pytest.fixture
def people():
    """Twenty people of two classes, each measured six times, whose class says nothing."""
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(20), 6)
    centres = rng.normal(size=(20, 3)) * 5
    rows = pd.DataFrame(centres[who] + rng.normal(size=(120, 3)) * 0.05, columns=["a", "b", "c"])
    return rows.assign(who=[f"p{n}" for n in who], y=np.array(["sick", "well"])[who % 2])


@given(st.lists(st.integers(0, 9), min_size=30, max_size=60), st.sampled_from(FORMS))
@settings(max_examples=40, deadline=None)
def test_no_group_trains_and_tests(groups, form):
    groups = np.array([*groups, *range(10)])
    found = parse_resampling(form, len(groups), random_state=0, groups=groups)
    for train, test in found:
        assert not set(groups[train]) & set(groups[test])
        assert set(groups[train]) | set(groups[test]) == set(groups)
        rows, times = np.unique(train, return_counts=True)
        for group in set(groups[train]):  # all of its rows, as often as each other
            mine = groups[rows] == group
            assert mine.sum() == (groups == group).sum()
            assert len(set(times[mine])) == 1
    assert found.describe().endswith(" of 10 groups")
    if form == "5x2":
        tested = np.concatenate([test for _, test in list(found)[:5]])
        assert sorted(tested) == list(range(len(groups)))


def test_groups_of_one_class_each_are_stratified(people):
    found = parse_resampling("5x2", people["y"], random_state=0, groups=people["who"])
    assert found.describe() == "5 × 2 stratified folds of 20 groups"
    for _, test in found:
        assert people["y"].iloc[test].value_counts().tolist() == [12, 12]
    mixed = people["y"].where(people.index % 6 > 0, "well")
    found = parse_resampling("5x2", mixed, random_state=0, groups=people["who"])
    assert found.describe() == "5 × 2 folds of 20 groups"
    numbers = parse_resampling("5x2", people["a"], random_state=0, groups=people["who"])
    assert numbers.describe() == "5 × 2 folds of 20 groups"
    assert found != parse_resampling("5x2", mixed, random_state=1, groups=people["who"])


def test_integers_of_groups_are_the_classes_that_they_are_of_rows():
    y, groups = [0] * 20 + [1] * 20, [0] * 20 + [1] * 20
    for task in (None, "classification"):
        with pytest.raises(ValueError, match="of every class"):
            parse_resampling("2x1", y, random_state=0, task=task, groups=groups)
    y, groups = np.arange(80) // 10 % 8, np.arange(80) // 5
    found = [
        parse_resampling("2x1", y, random_state=0, task=task, groups=groups)
        for task in (None, "classification")
    ]
    assert found[0] == found[1]


def test_only_with_groups_is_a_score_that_of_people_never_seen(people):
    def score(**more):
        found = narrows.compare(ARMS, people[["a", "b", "c"]], people["y"], **QUICK, **more)
        return found.scores.query("measure == 'accuracy'")["value"].mean()

    assert score() > 0.95  # it knows everyone
    assert score(groups=people["who"]) < 0.65
    assert score(groups=people["who"], resampling="bootstrap:10") < 0.65


def test_splitters_and_pairs_of_rows(people):
    rows, y = people[["a", "b", "c"]], people["y"]
    pairs = list(GroupKFold(4).split(rows, y, people["who"]))
    wanted = own_resamples(pairs, len(rows))
    for resampling, more in [
        (GroupKFold(4), {"groups": people["who"]}), (pairs, {}), (iter(pairs), {}), (wanted, {}),
    ]:  # fmt: skip
        found = narrows.compare(ARMS, rows, y, resampling=resampling, **QUICK, **more)
        assert found.resamples == wanted
    found = narrows.compare(ARMS, rows, y, resampling=TimeSeriesSplit(3), **QUICK)
    assert found.resamples.describe() == "3 resamples of TimeSeriesSplit"
    assert "3 resamples of TimeSeriesSplit" in str(found)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"groups": ["a", float("nan"), *["b"] * 118]}, "without gaps. Got 1, the first in row 1"),
        ({"groups": np.ones((120, 1))}, "one group for each row. Got ndarray instead"),
        ({"groups": "who"}, "one group for each row. Got str instead"),
        ({"groups": [1, 2]}, "one group for each of 120 rows. Got 2"),
        ({"groups": [None, *[1] * 119]}, "without gaps. Got 1, the first in row 0"),
        ({"groups": ["x"] * 120}, "at least two groups. Got 'x' in all rows"),
        ({"groups": [1] * 60 + [2] * 60}, "at least 5 groups for this resampling. Got 2 instead"),
        ({"groups": [*[0] * 6, *range(1, 115)]}, None),
        ({"resampling": 5}, r"a scikit-learn splitter such as .* Got 5 instead"),
        ({"resampling": [range(100)] * 9}, r"pairs of training and test rows. Got list .range"),
        ({"resampling": []}, "at least one pair"),
    ],
)
def test_what_cannot_be_resampled(people, more, message):
    rows = people[["a", "b", "c"]]
    if message is None:
        assert "groups" in str(narrows.compare(ARMS, rows, people["y"], **QUICK, **more))
        return
    with pytest.raises(ValueError, match=message):
        narrows.compare(ARMS, rows, people["y"], **QUICK, **more)


def test_a_class_of_too_few_groups(people):
    some = people[(people["y"] == "well") | people["who"].isin(["p0", "p2", "p4"])]
    with pytest.raises(ValueError, match=r"at least 5 groups of class 'sick' .* Got 3 instead"):
        narrows.compare(ARMS, some[["a", "b", "c"]], some["y"], groups=some["who"], **QUICK)


def test_resamples_that_tear_groups_apart(people):
    pairs = list(KFold(4, shuffle=True, random_state=0).split(people))
    with pytest.raises(ValueError, match=r"keep groups together. Got \d+ in both parts of pair 0"):
        narrows.compare(
            ARMS, people[["a", "b", "c"]], people["y"], groups=people["who"], resampling=pairs,
            **QUICK,
        )  # fmt: skip


def test_repeats_are_found_without_arrow(people, monkeypatch):
    import sys

    import polars as pl

    from narrows.comparison.resampling._duplicates import repeats_across
    from narrows.data import table_of

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    rows = people[["a", "who"]]
    copies = {name: [*rows[name], *rows[name]] for name in rows}
    found = repeats_across(table_of(pl.DataFrame(copies), "f"), None)
    assert found[0].startswith("120 of 240 rows")


@pytest.mark.parametrize("mixed", [False, True])
def test_rows_that_repeat_others(people, mixed):
    rows = people[["a", "b", "c"]].assign(**({"t": "x"} if mixed else {}))
    copies, y = pd.concat([rows] * 2, ignore_index=True), pd.concat([people["y"]] * 2)
    with pytest.warns(UserWarning, match="120 of 240 rows repeat other rows in all columns"):
        narrows.compare(ARMS, copies, y, resampling="2x1", **QUICK)
    with pytest.warns(UserWarning, match="120 of 240 rows repeat other rows of other groups"):
        narrows.compare(ARMS, copies, y, resampling="2x1", groups=np.arange(240) // 2, **QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        narrows.compare(ARMS, copies, y, resampling="2x1", groups=np.arange(240) % 120, **QUICK)
        narrows.compare(ARMS, rows, people["y"], resampling="2x1", **QUICK)
        whole = (copies[["a", "b", "c"]] / 5).round()  # equal by chance
        narrows.compare(ARMS, whole, y, resampling="2x1", **QUICK)
