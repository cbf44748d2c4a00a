"""What `compare` says of labels and probes that it cannot use is in its own words."""

import pytest

import narrows
from narrows import PCA, compare
from narrows.comparison import repeated_kfold

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
