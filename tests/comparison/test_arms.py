"""Controls: as wide as the arms, known by name, each once."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import FunctionTransformer

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison.running._preprocessing import choices_of
from narrows.comparison.running._survey import survey
from narrows.data import TablePreprocessor, table_of

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
rng = np.random.default_rng(0)
WORDS = pd.DataFrame({"a": rng.choice(list("abcdefgh"), 60), "b": rng.choice(list("uvwxyz"), 60)})


class Fails(TransformerMixin, BaseEstimator):
    """No preprocessing."""

    fits = 0

    def fit(self, X, y=None):
        Fails.fits += 1
        raise RuntimeError("no")

    def transform(self, X):
        return X


def test_controls_are_as_wide_as_the_arms_where_text_becomes_many_columns():
    found = compare(
        {"pca": PCA(5), "ae": Autoencoder(5, epochs=3, encoder=(8,))}, WORDS, np.arange(60) % 2,
        controls=("random", "linear"), preprocess="none", probes="neighbours", resampling="3x1",
        seeds=1, random_state=0,
    )  # fmt: skip
    assert "n_components=5" in found.settings["arms"]["random projection"]
    assert "bottleneck=5" in found.settings["arms"]["linear autoencoder"]
    assert found.failures.empty


def surveyed(X, preprocess, **asked):
    table = table_of(X, "f")
    return survey(choices_of(preprocess, table.mixed, "f"), table, "f", **asked)


def width(X, preprocess):
    return surveyed(X, preprocess).narrowest


def test_the_narrowest_preprocessing_counts():
    first = FunctionTransformer(lambda rows: rows[:, :1])
    twice = FunctionTransformer(lambda rows: np.hstack([rows, rows]))
    assert width(X, ("none", "standardize")) == 4
    assert width(X, {"none": "none", "first": first}) == 1
    assert width(X, {"twice": twice}) == 8
    assert width(WORDS, "none") > 10


def test_a_preprocessing_that_fails_is_left_to_the_resamples():
    assert width(X, {"fails": Fails(), "none": "none"}) == 4
    assert width(X, {"fails": Fails()}) == 4


def test_nothing_of_the_callers_own_is_learned_where_no_width_is_wanted():
    before = Fails.fits
    assert surveyed(X, {"fails": Fails(), "none": "none"}, widths=False).widths == {"none": 4}
    compare(
        {"one": PCA(1)}, X, y, preprocess={"fails": Fails(), "none": "none"}, reference="one",
        resampling="3x1", probes="neighbours", controls=("raw",), random_state=0,
    )  # fmt: skip
    assert Fails.fits == before + 1 + 3  # a PCA has a width, and three folds


def test_a_mixed_table_is_learned_once_before_the_resamples(monkeypatch):
    fitted = []
    learn = TablePreprocessor._learn

    def watched(self, X, *, warns):
        fitted.append((len(X), warns))
        return learn(self, X, warns=warns)

    monkeypatch.setattr(TablePreprocessor, "_learn", watched)
    compare(
        {"pca": PCA(2)}, WORDS, np.arange(60) % 2, resampling="3x1", probes="neighbours",
        random_state=0,
    )  # fmt: skip
    assert fitted[:2] == [(60, True)] * 2  # one for each preprocessing
    assert fitted[2:] == [(40, False)] * 6


@pytest.mark.parametrize(
    ("table", "labels", "components", "said"),
    [
        (X, y, 5, "at most 4 components, as there are 4 columns and 120 training rows. Got 5"),
        (X[:20], y[:10].tolist() + ["z"] * 10, 9, "at most 4 components"),
        (WORDS, np.arange(60) % 2, 15, "at most 14 components, as there are 14 columns and 48"),
    ],
)
def test_a_reference_wider_than_the_table_is_refused_before_anything_is_trained(
    table, labels, components, said
):
    class Untouched(Fails):
        def fit(self, X, y=None):
            raise AssertionError("trained")

    with pytest.raises(ValueError, match=f"The reference arm 'pca' of compare can have {said}"):
        compare({"pca": PCA(components), "ae": Untouched()}, table, labels, resampling="5x1")


def test_a_reference_that_is_fitted_once_on_all_rows_may_be_wider_than_a_fold_has_rows():
    wide = np.random.default_rng(0).normal(size=(12, 20))
    found = compare(
        {"pca": PCA(10)}, wide, np.arange(12) % 2, resampling="3x1", probes="neighbours",
        preprocess="none", controls=(), refit=False, random_state=0,
    )  # fmt: skip
    assert found.failures.empty


def test_a_wide_arm_that_is_no_reference_costs_only_itself():
    found = compare(
        {"pca": PCA(2), "wide": PCA(5)}, X, y, resampling="3x1", probes="neighbours",
        controls=(), random_state=0,
    )  # fmt: skip
    assert set(found.failures["arm"]) == {"wide"}


@pytest.mark.parametrize(
    ("controls", "advice"),
    [
        ("raw", r"Got 'raw' instead\. Write \('raw',\)\.$"),
        ("rw", r"Got 'rw' instead\. Did you mean 'raw'\?$"),
        (None, r"Got None instead\. Write \(\) for none\.$"),
        (("raw", "xyz"), r"'xyz'\) instead\.$"),
        (("raw", "random", "raw"), r"instead\. Name each once\.$"),
    ],
)
def test_controls_that_are_none(controls, advice):
    with pytest.raises(ValueError, match=f"'controls' parameter of compare must be .*{advice}"):
        compare({"pca": PCA(2)}, X, y, controls=controls)
