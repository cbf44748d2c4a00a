"""Controls: as wide as the arms, known by name, each once."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import FunctionTransformer

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison._arms import narrowest
from narrows.comparison._preprocessing import choices_of, table_of

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


def width(X, preprocess, controls=("random",)):
    table, mixed = table_of(X, "f")
    return narrowest(controls, choices_of(preprocess, mixed, "f"), table)


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


def test_nothing_is_learned_for_controls_without_a_width():
    before = Fails.fits
    width(X, {"fails": Fails()}, controls=("raw", "untrained"))
    assert Fails.fits == before


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
