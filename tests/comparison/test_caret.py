import math
import re

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from narrows.comparison import CaretForest, Forest, Resamples, bootstrap, caret_forest
from narrows.comparison.running._design import SeedSource
from narrows.data import iris, partition
from narrows.embedders._pca import PCA


@pytest.fixture
def embedding():
    table = iris()
    train, _ = partition(table["Species"], random_state=0)
    return PCA(standardize=True).fit_transform(table.iloc[train, :4]), table["Species"].iloc[train]


def test_scores_are_those_of_a_forest_on_out_of_bag_rows(embedding):
    Z, y = embedding
    drawn = bootstrap(120, times=3, random_state=0)
    found = caret_forest(Z, y, resamples=drawn, n_estimators=50, random_state=7)
    labels = y.to_numpy()
    for j, (train, test) in enumerate(drawn):
        forest = Forest(50, 2, SeedSource(7).get("forest", j)).fit(Z[train], labels[train])
        predicted = forest.predict(Z[test])
        assert found.accuracy[j] == np.mean(predicted == labels[test])
        assert found.kappa[j] == pytest.approx(cohen_kappa_score(labels[test], predicted))
    assert found.accuracy_mean == pytest.approx(found.accuracy.mean())
    assert found.accuracy_sd == pytest.approx(np.std(found.accuracy, ddof=1))
    assert found.kappa_sd == pytest.approx(np.std(found.kappa, ddof=1))
    frame = found.frame()
    assert list(frame.columns) == ["resample", "n_train", "n_test", "accuracy", "kappa"]
    assert frame["n_test"].tolist() == [len(test) for _, test in drawn]


def test_labels_that_tell_nothing_score_as_chance(embedding):
    # A score far above a third would mean that test rows leak into training.
    Z, y = embedding
    shuffled = np.random.default_rng(0).permutation(y.to_numpy())
    drawn = bootstrap(120, times=10, random_state=0)
    found = caret_forest(Z, shuffled, resamples=drawn, n_estimators=50, random_state=0)
    assert abs(found.kappa_mean) < 0.2
    good = caret_forest(Z, y, resamples=drawn, n_estimators=50, random_state=0)
    assert good.kappa_mean > 0.7


def test_prints_as_caret_does():
    drawn = bootstrap(120, times=25, random_state=0)
    spread = np.linspace(-0.01, 0.01, 25)
    found = CaretForest(
        accuracy=0.870376 + spread,
        kappa=0.8037107 + 2 * spread,
        resamples=drawn,
        classes=("setosa", "versicolor", "virginica"),
        n_columns=2,
        n_estimators=500,
        max_features=2,
    )
    # The post's first print, with the two deviations beside it.
    assert str(found) == "\n".join(
        [
            "Random Forest",
            "",
            "120 samples",
            "  2 predictors",
            "  3 classes: 'setosa', 'versicolor', 'virginica'",
            "",
            "No pre-processing",
            "Resampling: Bootstrapped (25 reps)",
            "Summary of sample sizes: 120, 120, 120, 120, 120, 120, ...",
            "Resampling results:",
            "",
            "  Accuracy  Kappa      AccuracySD   KappaSD",
            "  0.870376  0.8037107  0.006133167  0.01226633",
            "",
            "Tuning parameter 'mtry' was held constant at a value of 2",
        ]
    )


def test_undefined_kappas_are_left_out_as_in_caret():
    drawn = bootstrap(12, times=3, random_state=0)
    found = CaretForest(np.ones(3), np.array([np.nan, 0.5, 0.7]), drawn, ("a", "b"), 1, 5, 1)
    assert found.kappa_mean == pytest.approx(0.6)
    assert found.kappa_sd == pytest.approx(math.sqrt(0.02))
    assert re.search(r"^ 1 predictor$", str(found), re.MULTILINE)


def test_one_resample_has_no_deviation(embedding):
    drawn = bootstrap(120, times=1, random_state=0)
    found = caret_forest(*embedding, resamples=drawn, n_estimators=10, random_state=0)
    assert math.isnan(found.accuracy_sd)


def test_seed_decides_the_scores(embedding):
    Z, y = embedding
    Z = Z + np.random.default_rng(0).normal(size=Z.shape)
    drawn = bootstrap(120, times=5, random_state=0)

    def scores(seed):
        return caret_forest(Z, y, resamples=drawn, n_estimators=20, random_state=seed).accuracy

    np.testing.assert_array_equal(scores(0), scores(0))
    assert (scores(0) != scores(1)).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["a"] * 120}, r"at least two classes\. Got 1, 'a' in all 120 rows"),
        ({"y": ["a", None] * 60}, r"Got 60 missing, the first in row 1"),
        ({"y": ["a", "b"]}, r"a label for each of 120 rows\. Got 2 labels"),
        ({"Z": np.full((120, 2), np.nan)}, "contains NaN"),
        ({"resamples": Resamples("k", [([0], [1])], 5)}, "table of 120 rows.* Got .* of 5 rows"),
    ],
)
def test_bad_input_is_refused(embedding, change, message):
    Z, y = embedding
    given = {"Z": Z, "y": y, "resamples": bootstrap(120, 2, random_state=0)} | change
    with pytest.raises(ValueError, match=message):
        caret_forest(given.pop("Z"), given.pop("y"), **given)
