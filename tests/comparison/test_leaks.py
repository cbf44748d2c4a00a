"""Columns that know the label are named; those that only predict it well are not."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import narrows
from narrows import PCA, compare
from narrows.comparison.running._leaks import leaking_columns
from narrows.data import labels_of, table_of
from support.warned import warnings_of

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
rng = np.random.default_rng(0)
NUMBER = rng.lognormal(sigma=2, size=400)
CLASSES = np.repeat(["a", "b", "c", "d"], 100)
NOISE = pd.DataFrame(rng.normal(size=(400, 3)), columns=["u", "v", "w"])


def said(X, y, groups=None, task=None):
    table = table_of(X, "f")
    return leaking_columns(table, labels_of(y, len(table), "f", task), groups, "f")


def leaking(column, y, **options):
    """Whether a column among noise is named, and only that one."""
    found = said(NOISE.assign(odd=column), y, **options)
    assert all("'odd'" in one for one in found)
    return bool(found)


def test_good_columns_are_not_named():
    assert said(X, y) == []
    for name in X:
        assert said(iris.drop(columns=name), iris[name]) == []
    for load in (load_wine, load_breast_cancer, load_diabetes):
        data = load(as_frame=True)
        assert said(data.data, data.target) == []


CODES = np.repeat([0.0, 1.0, 2.0, 3.0], 100)


@pytest.mark.parametrize(
    ("column", "named"),
    [
        (np.array([3, 1, 2, 0])[CODES.astype(int)], "another name"),
        (CLASSES.astype(object) + "!", "another name"),
        (pd.Categorical(CLASSES), "another name"),
        (CODES + rng.uniform(-0.4, 0.4, 400), "almost alone (kappa 1.000 in cross-val"),
        (np.where(CODES == 2, np.nan, CODES * 10.0), "another name"),
        (np.where(rng.uniform(size=400) < 0.004, 0, CODES), "almost alone"),
        (np.char.add(CLASSES, rng.integers(0, 5, 400).astype(str)), "almost alone"),
        (CODES % 2, None),
        (np.where(rng.uniform(size=400) < 0.1, 0, CODES), None),
        (CODES + rng.normal(scale=0.3, size=400), None),
        (rng.permutation(400), None),
        (np.arange(400).astype(str), None),
        (rng.choice(list("pqrs"), 400), None),
    ],
)
def test_classes(column, named):
    found = said(NOISE.assign(odd=column), CLASSES)
    assert len(found) == (named is not None)
    assert named is None or ("'odd'" in found[0] and named in found[0])


@pytest.mark.parametrize(
    ("column", "named"),
    [
        (NUMBER, "another name"),
        (-np.log(NUMBER), "another name"),
        (NUMBER * (1 + rng.normal(scale=0.05, size=400)), "almost alone (R² of ranks 0.99"),
        (np.abs(np.log(NUMBER)), None),
        (NUMBER * np.exp(rng.normal(size=400)), None),
        (pd.qcut(NUMBER, 40).astype(str), "almost alone"),
        (pd.qcut(NUMBER, 3).astype(str), None),
        (rng.normal(size=400), None),
        (np.arange(400).astype(str), None),
    ],
)
def test_numbers(column, named):
    found = said(NOISE.assign(odd=column), NUMBER)
    assert len(found) == (named is not None)
    assert named is None or ("'odd'" in found[0] and named in found[0])


def test_a_gap_may_know_it_too():
    died = rng.uniform(size=400) < 0.3
    when = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, 400), "D"))
    assert leaking(when.where(died), np.where(died, "died", "alive"))
    assert leaking(pd.Series(["x"] * 400).where(died), np.where(died, "died", "alive"))
    assert not leaking(when, np.where(died, "died", "alive"))


def test_a_number_of_many_shapes():
    height = np.abs(np.log(NUMBER))
    assert leaking(np.log(NUMBER), height)  # neither monotone nor one-to-one


def test_names_of_groups_know_it_within_groups_only():
    patient = np.arange(400) // 4
    sick = np.repeat(rng.permutation(np.arange(100) % 2), 4)
    assert leaking([f"patient {n}" for n in patient], sick)
    assert not leaking([f"patient {n}" for n in patient], sick, groups=patient)


def test_numbers_that_name_sorted_rows_are_told_of_as_such():
    assert not leaking(np.arange(400), CLASSES)
    assert leaking(np.arange(400) + 0.5, CLASSES)


def test_infinite_numbers_stop_nothing():
    mixed = NOISE.assign(text="x", odd=np.where(CODES == 1, np.inf, CODES + NOISE["u"] / 99))
    assert len(said(mixed, CLASSES)) == 1
    assert leaking(np.where(CODES == 1, -1e300, CODES * 1e300), CLASSES)


def test_few_rows_say_nothing():
    assert said(pd.DataFrame({"odd": np.arange(18.0)}), ["a", "b"] * 9) == []
    assert said(pd.DataFrame({"odd": np.arange(18.0)}), np.repeat(["a", "b"], 9)) == []
    rare = np.r_[np.zeros(96, int), np.ones(4, int)]
    assert said(pd.DataFrame({"odd": rare * 1.0}), rare) == []


def test_large_and_wide_tables_take_no_time():
    big = pd.DataFrame({"odd": np.arange(200_000) + 0.5, "noise": rng.normal(size=200_000)})
    began = time.perf_counter()
    assert len(said(big, np.arange(200_000) // 50_000)) == 1
    assert said(rng.normal(size=(60, 3000)), np.arange(60) % 2) == []
    assert said(rng.normal(size=(60, 3000)), rng.normal(size=60)) == []
    assert time.perf_counter() - began < 30


def test_many_are_not_all_named():
    copies = pd.DataFrame({f"c{n}": CODES + rng.uniform(-0.4, 0.4, 400) for n in range(14)})
    found = said(copies, CLASSES)
    assert len(found) == 11
    assert found[-1] == "So do 4 more columns of f, such as 'c10', 'c11', 'c12' and 1 more."


def test_compare_warns_once_before_anything_is_trained():
    run = {"controls": (), "probes": "neighbours", "resampling": "2x1", "random_state": 0}
    known = pd.factorize(y)[0] * 2.0
    found = warnings_of(lambda: compare({"pca": PCA(2)}, X.assign(code=known), y, **run))
    assert [str(one.message) for one in found] == [
        (
            "compare learns from column 'code', which is the label under another name: each value "
            "stands beside one label only. Leave it out (--drop on the command line)."
        )
    ]
    near = X.assign(code=known + np.linspace(0, 0.5, 150))
    (warning,) = warnings_of(lambda: compare({"pca": PCA(2)}, near, y, **run))
    assert str(warning.message) == (
        "The column 'code' of compare predicts the label almost alone (kappa 1.000 in "
        "cross-validation): if it is known only once the label is, leave it out (--drop on the "
        "command line)."
    )
