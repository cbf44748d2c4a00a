"""Each row's place from a fit that did not see its label: what noise taught does not show."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupKFold, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import narrows
from narrows import PCA, Autoencoder, out_of_fold
from narrows.data import TablePreprocessor

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]


def neighbours(Z, y):
    """Accuracy of unseen rows by five neighbours in an embedding."""
    return cross_val_score(KNeighborsClassifier(5), Z, y, cv=KFold(5, shuffle=True, random_state=0))


def noise(seed, n_rows=240, n_columns=40):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, n_columns)), np.repeat(["a", "b", "c"], n_rows // 3)


class Memory(TransformerMixin, BaseEstimator):
    """Knows the label of every row that it was fitted on, and of no other."""

    def fit(self, X, y):
        self.known_ = {row.tobytes(): float(label) for row, label in zip(X, y, strict=True)}
        return self

    def transform(self, X):
        known = [self.known_.get(row.tobytes(), -1.0) for row in X]
        return np.column_stack([known, X[:, 0]])


class Watched(TransformerMixin, BaseEstimator):
    """Notes what `fit` gets."""

    calls: ClassVar[list] = []

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None, groups=None):
        Watched.calls.append((X, y, groups, self.random_state))
        return self

    def transform(self, X):
        return np.asarray(X)[:, :2]


@pytest.fixture
def calls():
    Watched.calls = []
    return Watched.calls


@pytest.mark.parametrize("cv", [2, 5, KFold(4, shuffle=True, random_state=3)])
def test_what_noise_taught_does_not_show(cv):
    fitted, apart = [], []
    for seed in range(4):
        rows, labels = noise(seed)
        lda = LinearDiscriminantAnalysis(n_components=2)
        fitted.append(neighbours(lda.fit(rows, labels).transform(rows), labels).mean())
        Z = out_of_fold(lda, rows, labels, cv=cv, random_state=seed)
        apart.append(neighbours(Z, labels).mean())
    assert np.mean(fitted) > 0.5  # guessing is a third
    assert np.mean(apart) < 0.4


def test_what_labels_teach_shows():
    Z = out_of_fold(LinearDiscriminantAnalysis(), X, y, random_state=0)
    assert Z.shape == (150, 2)
    assert neighbours(Z, y).mean() > 0.93


def test_no_row_is_placed_by_its_own_label():
    rows, _ = noise(0)
    Z = out_of_fold(Memory(), rows, np.arange(240) % 3, cv=4, random_state=0)
    assert len(np.unique(Z[:, 0])) <= 4  # one place a fold, as none was known


@pytest.mark.parametrize("standardize", [True, False])
def test_of_what_sees_no_labels_it_is_the_embedding_but_for_the_fold(standardize):
    steps = [StandardScaler()] * standardize
    pca = make_pipeline(*steps, sklearn.decomposition.PCA(2))
    Z, whole = out_of_fold(pca, X, y, random_state=0), pca.fit(X).transform(X)
    # Up to a mirror image, since the first fold's axes are its own.
    for axis in range(2):
        assert abs(np.corrcoef(Z[:, axis], whole[:, axis])[0, 1]) > 0.99
    distances = (
        np.linalg.norm(Z[:, None] - Z, axis=2),
        np.linalg.norm(whole[:, None] - whole, axis=2),
    )
    np.testing.assert_allclose(*distances, atol=0.35)


def test_fits_get_labels_of_their_rows_and_one_start(calls):
    rows, numbers = np.arange(300.0).reshape(150, 2), np.arange(150)
    out_of_fold(Watched(), rows, numbers % 3, cv=3, random_state=0)
    assert [len(own) for own, *_ in calls] == [100] * 3
    for own, labels, groups, _ in calls:
        np.testing.assert_array_equal(labels, own[:, 0] // 2 % 3)
        assert np.bincount(labels.astype(int)).tolist() in (
            [33, 33, 34],
            [33, 34, 33],
            [34, 33, 33],
        )
        assert groups is None
    assert len({state for *_, state in calls} - {None}) == 1


def test_a_random_state_of_the_embedders_own_stays(calls):
    out_of_fold(Watched(random_state=7), X, y, cv=2, random_state=0)
    assert {state for *_, state in calls} == {7}


def test_groups_stay_together_and_are_handed_on(calls):
    groups = np.arange(150) // 5
    for cv in (3, GroupKFold(3)):
        calls.clear()
        out_of_fold(Watched(), X, y, cv=cv, groups=groups, random_state=0)
        assert len(calls) == 3
        for _, _, own, _ in calls:
            assert (np.bincount(own, minlength=30)[np.unique(own)] == 5).all()
            assert len(np.unique(own)) == 20


def test_partial_least_squares_tells_classes_apart():
    Z = out_of_fold(PLSRegression(2), X, y, random_state=0)
    assert neighbours(Z, y).mean() > 0.85


def test_tables_numbers_and_no_labels():
    mixed = X.assign(colour=["red", "blue"] * 75)
    pipeline = make_pipeline(TablePreprocessor(), PCA(2))
    assert out_of_fold(pipeline, mixed, y, random_state=0).shape == (150, 2)
    assert out_of_fold(PCA(2), X, None, random_state=0).shape == (150, 2)
    numbers = out_of_fold(PLSRegression(1), X.iloc[:, :3], X["Petal.Width"], random_state=0)
    assert abs(np.corrcoef(numbers[:, 0], X["Petal.Width"])[0, 1]) > 0.9


def test_labels_may_be_missing_where_the_embedder_copes(calls):
    some = y.astype(object).where(np.arange(150) % 3 > 0, None)
    out_of_fold(Watched(), X, some, cv=3, random_state=0)
    assert {int(pd.isna(own).sum()) for _, own, _, _ in calls} <= {33, 34}


def test_a_network():
    network = Autoencoder(encoder=(8,), epochs=2)
    first, again = (out_of_fold(network, X, y, cv=3, random_state=1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.isfinite(first).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cv": 1}, r"'cv' parameter of out_of_fold must be an int in the range \[2, 150"),
        ({"cv": "five"}, "must be an int of at least 2, a splitter or pairs"),
        ({"cv": [(range(100), range(100, 150))]}, "must hold every row out once. Got row 0"),
        ({"y": y[:10]}, "must have a label for each of 150 rows. Got 10 labels"),
        ({"groups": [1, 2]}, "'groups' parameter of out_of_fold must have one group for each"),
        ({"random_state": -1}, "'random_state' parameter of out_of_fold"),
    ],
)
def test_what_it_cannot_do(options, said):
    with pytest.raises(ValueError, match=said):
        out_of_fold(PCA(2), **({"X": X, "y": y} | options))


def test_fits_of_other_widths_are_refused():
    rows, labels = np.random.default_rng(0).normal(size=(41, 5)), ["a", "b"] * 20 + ["c"]
    cv = [(range(20), range(20, 41)), (range(20, 41), range(20))]
    with pytest.raises(ValueError, match=r"must have one width\. Got 1 and 2 instead"):
        out_of_fold(LinearDiscriminantAnalysis(), rows, labels, cv=cv)
