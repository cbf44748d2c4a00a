"""What `compare` says of labels and probes that it cannot use is in its own words."""

import numpy as np
import pandas as pd
import pytest

import narrows
from narrows import PCA, TSNEMapEncoder, compare
from narrows.comparison import repeated_kfold
from support.warned import warnings_of

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
RARE, SINGLE = ["a"] * 147 + ["b"] * 3, ["a"] * 149 + ["b"]


@pytest.mark.parametrize(
    ("y", "resampling", "message"),
    [
        (RARE, None, r"one for each of 5 folds. Got 3 of class 'b' .* resampling='3x5', join"),
        (RARE, "4x2", r"at least 4 rows of every class.* such as resampling='3x2', join"),
        (RARE, "kfold", "resampling='3x5'"),
        (
            SINGLE,
            "5x1",
            r"Got 1 of class 'b' instead. Join or leave out small classes, or resampling='boot",
        ),
        (
            SINGLE,
            "holdout:0.8",
            "one to train and one to test on. .* or resampling='bootstrap:25', for which",
        ),
    ],
)
def test_a_class_with_too_few_rows(y, resampling, message):
    with pytest.raises(ValueError, match=rf"'y' parameter of compare.*{message}") as caught:
        compare({"pca": PCA(2)}, X, y, resampling=resampling)
    assert "stratify" not in str(caught.value)


def test_bootstraps_need_no_rows_of_a_class():
    settings = {"probes": "neighbours", "controls": (), "quality": False, "random_state": 0}
    found = compare({"pca": PCA(2)}, X, RARE, resampling="bootstrap:2", **settings)
    assert len(found.resamples) == 2


def test_labels_of_two_dimensions():
    with pytest.raises(ValueError, match=r"'y' parameter of compare must be one-dim.*\(150, 1\)"):
        compare({"pca": PCA(2)}, X, iris[["Species"]])
    with pytest.raises(ValueError, match="'y' parameter of repeated_kfold must be one-dim"):
        repeated_kfold(iris[["Species"]])


@pytest.mark.parametrize("probes", [None, 5])
def test_probes_that_are_none(probes):
    message = f"'probes' parameter of compare must be names, estimators.*Got {probes} instead"
    with pytest.raises(ValueError, match=message):
        compare({"pca": PCA(2)}, X, y, probes=probes)


# Names of rows, learned from or as labels

IDS = [f"P{n:03}" for n in range(150)]


@pytest.mark.parametrize(
    "options",
    [{}, {"resampling": "bootstrap:25"}, {"resampling": "holdout:0.8", "refit": False},
     {"resampling": [(range(100), range(100, 150))]}],
)  # fmt: skip
@pytest.mark.parametrize("labels", [IDS, pd.Categorical(IDS)])
def test_another_class_in_every_row_is_refused(labels, options):
    with pytest.raises(ValueError, match=r"^The 'y' .* must have classes of several rows. Got an"):
        compare({"pca": PCA(2)}, X, labels, **options)


def test_whole_numbers_that_are_classes_are_refused_too():
    with pytest.raises(ValueError, match=r"each of 150 rows, such as '0', '1', '2' and 147 more, "):
        compare({"pca": PCA(2)}, X, np.arange(150), task="classification")


def test_classes_that_no_training_rows_have_are_refused():
    apart = [(range(75), range(75, 150))]
    labels = np.repeat(list("abcd"), [40, 35, 40, 35])
    with pytest.raises(ValueError, match=r"both. Got none in 1 resample instead"):
        compare({"pca": PCA(2)}, X, labels, resampling=apart)
    with pytest.raises(ValueError, match="Got one and the same in each of 1 resample instead"):
        compare({"pca": PCA(2)}, X, np.repeat(list("ab"), 75), resampling=apart)
    with pytest.raises(ValueError, match="Got one and the same in each of 1 resample instead"):
        compare({"pca": PCA(2)}, X, np.repeat([0.5, 1.5], 75), resampling=apart)
    with pytest.raises(ValueError, match=r"Got 1 instead. Join or leave out small classes, or"):
        compare({"pca": PCA(2)}, X, y, groups=y, resampling="bootstrap:3")


def test_columns_and_numbers_that_name_rows_are_warned_of():
    run = {"controls": (), "probes": "neighbours", "resampling": "2x1", "random_state": 0}
    numbered = X.assign(id=np.arange(150))
    said = warnings_of(lambda: compare({"pca": PCA(2)}, numbered, y, **run))
    assert len(said) == 1
    assert str(said[0].message) == (
        "compare learns from column 'id', with another value in every row (0, 1, 2, …): it seems "
        "to name the rows. Drop it (--drop on the command line), unless that is meant."
    )
    said = warnings_of(lambda: compare({"pca": PCA(2)}, numbered.assign(town="Rome"), y, **run))
    assert sum("column 'id'" in str(one.message) for one in said) == 1
    said = warnings_of(lambda: compare({"pca": PCA(2)}, X, np.arange(150), **run))
    assert ["The 'y' of compare has another whole number" in str(one.message) for one in said] == [
        True
    ]


def test_what_has_no_effect_is_said_before_anything_is_trained():
    arms = {
        "pca": PCA(2),
        "t-SNE": TSNEMapEncoder(encoder=(2,), epochs=1, places=np.zeros((150, 2)), map_steps=5),
    }

    def run():
        with pytest.raises(RuntimeError, match="stop"):
            compare(arms, X, y, controls=(), random_state=0, progress=_stop)

    first = str(warnings_of(run)[0].message)
    assert first.startswith(
        "TSNEMapEncoder makes no use of map_steps=5 with places that are given."
    )


def _stop(done, total):
    raise RuntimeError("stop")
