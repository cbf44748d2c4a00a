"""Arms that are fitted with labels: of training rows only, marked, and of no use if shuffled."""

import json
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler, TargetEncoder

import narrows
from narrows import PCA, Autoencoder, AutoencoderCV, compare
from narrows.comparison import Comparison, answers
from narrows.comparison._fit_arguments import labels_for, uses_labels
from narrows.report import portraits
from support.warned import warnings_of

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
NAMES = np.random.default_rng(0).permutation(150)
NUMBERED = np.column_stack([NAMES + 0.5, X.to_numpy()])  # column 0 says which row it is
CODES = np.repeat([0, 1, 2], 50)
FAST = {
    "probes": "neighbours", "resampling": "5x1", "seeds": 1, "random_state": 0, "controls": (),
    "preprocess": "none", "quality": False, "n_jobs": 1,
}  # fmt: skip
LDA = LinearDiscriminantAnalysis(n_components=2)


def run(arms, X=X, y=y, **options):
    return compare(arms, X, y, **(FAST | options))


def which(rows):
    """The numbers of rows of `NUMBERED`."""
    return np.argsort(NAMES)[rows[:, 0].astype(int)].tolist()


def accuracy(found, arm):
    return found.summary().query("arm == @arm and measure == 'accuracy'")["mean"].iloc[0]


class Watched(TransformerMixin, BaseEstimator):
    """Notes what its methods get; of labels it can do without."""

    fits: ClassVar[list] = []
    transforms: ClassVar[list] = []

    def fit(self, X, y=None, groups=None):
        Watched.fits.append((np.array(X), y, groups))
        self.fitted_ = True
        return self

    def transform(self, X, **more):
        assert not more
        Watched.transforms.append(np.array(X))
        return np.array(X[:, 1:3])


class WatchedSupervised(Watched):
    """The same, which needs labels."""

    def fit(self, X, y, groups=None):
        assert y is not None
        return super().fit(X, y, groups)


class Memory(TransformerMixin, BaseEstimator):
    """Gives the label of every row that it was fitted on, and zero for all others."""

    def fit(self, X, y):
        self.known_ = {row.tobytes(): 1.0 + label for row, label in zip(X, y, strict=True)}
        return self

    def transform(self, X):
        known = np.array([self.known_.get(row.tobytes(), 0.0) for row in X])
        return np.column_stack([known, known])


@pytest.fixture
def watched():
    Watched.fits, Watched.transforms = [], []
    return Watched


# What goes into a fit


@pytest.mark.parametrize("steps", [[], [StandardScaler(with_mean=False, with_std=False)]])
def test_a_fit_gets_the_training_rows_labels_and_no_other(watched, steps):
    arm = make_pipeline(*steps, WatchedSupervised()) if steps else WatchedSupervised()
    found = run({"it": arm}, NUMBERED)
    assert found.failures.empty
    assert len(watched.fits) == 5
    for (rows, labels, groups), (train, _) in zip(watched.fits, found.resamples, strict=True):
        assert which(rows) == train.tolist()
        assert labels.tolist() == CODES[train].tolist()
        assert labels.dtype.kind == "i"
        assert groups is None


def test_numbers_are_given_as_float64(watched):
    run({"it": WatchedSupervised()}, NUMBERED, np.arange(150) * 3, task="regression")
    assert all(labels.dtype == np.float64 for _, labels, _ in watched.fits)


def test_an_arm_that_can_do_without_gets_labels_on_request(watched):
    assert run({"it": Watched()}, NUMBERED).settings["labelled"] == []
    assert all(labels is None for _, labels, _ in watched.fits)
    watched.fits.clear()
    assert run({"it": Watched()}, NUMBERED, labelled=("it",)).settings["labelled"] == ["it"]
    assert all(labels is not None for _, labels, _ in watched.fits)


def test_what_an_arm_does_to_its_labels_is_its_own_affair(watched):
    class Spoils(WatchedSupervised):
        def fit(self, X, y, groups=None):
            super().fit(X, y.copy(), groups)
            y[:] = 0
            return self

    found = run({"spoils": Spoils(), "lda": LDA}, NUMBERED)
    assert accuracy(found, "lda") == accuracy(run({"lda": LDA}, NUMBERED), "lda") > 0.9
    assert all(len(set(labels)) == 3 for _, labels, _ in watched.fits)


@pytest.mark.parametrize(
    ("estimator", "uses"),
    [
        (LDA, True),
        (NeighborhoodComponentsAnalysis(), True),
        (PLSRegression(), True),
        (make_pipeline(StandardScaler(), LDA), True),
        (make_pipeline(LDA, sklearn.decomposition.PCA(1)), True),
        (make_pipeline("passthrough", TargetEncoder(), PCA(2)), True),
        (make_union(sklearn.decomposition.PCA(2), LDA), True),
        (GridSearchCV(LDA, {"shrinkage": [None]}), True),
        (SelectFromModel(LogisticRegression()), True),
        (WatchedSupervised(), True),
        (Watched(), False),
        (SelectKBest(), False),
        (PCA(2), False),
        (Autoencoder(), False),
        (AutoencoderCV(), False),
        (make_pipeline(StandardScaler(), Autoencoder()), False),
        (GridSearchCV(Autoencoder(), {}), False),
    ],
)
def test_who_uses_labels_says_so(estimator, uses):
    assert uses_labels(estimator) == uses


def test_a_regressor_of_several_targets_gets_a_column_for_each_class():
    codes = np.array([0, 2, 2, 0])
    for arm in (PLSRegression(), make_pipeline(StandardScaler(), PLSRegression())):
        found = labels_for(arm, codes, classes=True)
        assert found.tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]
        assert labels_for(arm, codes, classes=False) is codes
    assert labels_for(LDA, codes, classes=True) is codes


def test_the_known_methods_work_and_numbers_too():
    arms = {
        "pca": PCA(2), "lda": LDA, "pls": PLSRegression(2),
        "nca": make_pipeline(StandardScaler(), NeighborhoodComponentsAnalysis(2)),
    }  # fmt: skip
    found = run(arms)
    assert found.failures.empty
    assert found.settings["labelled"] == ["lda", "pls", "nca"]
    assert min(accuracy(found, arm) for arm in arms) > 0.85
    numbers = run({"pca": PCA(1), "pls": PLSRegression(1)}, X.iloc[:, :3], X["Petal.Width"],
                  probes="ridge", reference="pca")  # fmt: skip
    assert numbers.failures.empty
    assert set(numbers.frame().query("arm == 'pls'")["measure"]) >= {"r2", "reconstruction_error"}


def test_too_wide_an_lda_fails_alone_and_says_why():
    found = run({"pca": PCA(2), "lda": LinearDiscriminantAnalysis(n_components=3)})
    (line,) = str(found).split("5 fits failed:\n")[1].splitlines()
    assert line == (
        "  lda under 'none', 5 times: n_components cannot be larger than min(n_features, "
        "n_classes - 1)."
    )


# Nobody cheats


def test_an_arm_that_remembers_labels_gains_nothing():
    rows = np.random.default_rng(0).normal(size=(150, 4))
    found = run({"pca": PCA(2), "memory": Memory()}, rows, np.arange(150) % 3)
    assert accuracy(found, "memory") < 0.45  # guessing is a third


def test_test_rows_are_asked_for_without_labels(watched):
    found = run({"it": WatchedSupervised()}, NUMBERED)
    asked = [which(rows) for rows in watched.transforms]
    for train, test in found.resamples:
        assert train.tolist() in asked
        assert test.tolist() in asked
    assert len(asked) == 10


def test_shuffled_labels_are_no_advantage():
    rng = np.random.default_rng(1)
    arms = {"pca": PCA(2), "lda": LDA, "pls": PLSRegression(2)}
    scores = {arm: [] for arm in arms}
    for _ in range(4):
        found = run(arms, rng.normal(size=(150, 20)), rng.permutation(CODES))
        for arm in arms:
            scores[arm].append(accuracy(found, arm))
    assert all(np.mean(own) < 0.4 for own in scores.values())  # guessing is a third


@pytest.mark.parametrize("arms", [{"lda": LDA}, {"own": make_pipeline(LDA, PCA(1))}])
def test_fitted_once_on_all_rows_it_would_cheat(arms):
    said = (
        f"'refit' parameter of compare must be True beside arms that are fitted with labels, "
        f"'{next(iter(arms))}'. Got False instead. Fitted once on all rows, they would see"
    )
    with pytest.raises(ValueError, match=said):
        run({"pca": PCA(2), **arms}, refit=False)
    with pytest.raises(ValueError, match="with labels, 'it'"):
        run({"it": Watched()}, refit=False, labelled=["it"])


@pytest.mark.parametrize(
    ("labelled", "said"),
    [
        ("umap", r"must be a sequence of names of arms, or empty. Got 'umap' .* \('umap',\)"),
        (None, r"Got None instead\. Write \(\) for none"),
        (("ldaa",), "must be one of 'lda', 'network', 'pca'. Got 'ldaa' .* Did you mean 'lda'"),
        (("network",), "whose `fit` can use labels. Got 'network', a Autoencoder that does not"),
        (("pca",), "Got 'pca', a PCA that does not"),
    ],
)
def test_names_of_arms_that_get_labels(labelled, said):
    with pytest.raises(ValueError, match=f"'labelled' parameter of compare .*{said}"):
        run({"lda": LDA, "network": Autoencoder(), "pca": PCA(2)}, labelled=labelled)


# Networks that are trained together


class Supervised(Autoencoder):
    """An autoencoder that learns labels, and notes those that it gets."""

    got: ClassVar[list] = []

    def _fit_lanes(self, Xs, seeds, on_progress=None, labels=None):
        Supervised.got.append((Xs, labels))
        return super()._fit_lanes(Xs, seeds, on_progress, labels)


@pytest.mark.parametrize("steps", [[], [LDA]])
def test_networks_get_the_labels_of_their_lanes(steps):
    Supervised.got = []
    network = Supervised(1, encoder=(4,), epochs=2, label_weight=1.0)
    arm = make_pipeline(*steps, network) if steps else network
    found = run({"it": arm}, controls=("untrained",), seeds=2)
    assert found.failures.empty
    assert found.settings["labelled"] == ["it", *["untrained encoder"] * len(steps)]
    ((matrices, labels),) = Supervised.got
    expected = [CODES[train].tolist() for train, _ in found.resamples for _ in range(2)]
    assert [own.tolist() for own in labels] == expected
    assert [len(rows) for rows in matrices] == [120] * 10


def test_a_network_without_labels_gets_none_from_the_steps_before_it():
    found = run({"it": make_pipeline(LDA, Autoencoder(1, encoder=(4,), epochs=2))})
    assert found.failures.empty
    assert accuracy(found, "it") > 0.9


# Groups

WHO = np.arange(150) // 2


@pytest.mark.parametrize("steps", [[], [sklearn.decomposition.PCA(2, random_state=0)]])
def test_groups_reach_an_arm_that_takes_them(watched, steps):
    arm = make_pipeline(*steps, Watched()) if steps else Watched()
    found = run({"it": arm, "pca": PCA(2)}, NUMBERED, groups=WHO)
    assert found.failures.empty
    for (_, labels, groups), (train, _) in zip(watched.fits, found.resamples, strict=True):
        assert labels is None
        assert groups.tolist() == WHO[train].tolist()


def test_without_groups_none_are_given(watched):
    run({"it": Watched()}, NUMBERED)
    assert all(groups is None for *_, groups in watched.fits)


def test_fitted_once_on_all_rows_it_gets_all_groups(watched):
    run({"it": Watched()}, NUMBERED, groups=WHO, refit=False)
    ((_, _, groups),) = watched.fits
    assert groups.tolist() == WHO.tolist()


class Folds(GroupKFold):
    """Folds that note which groups they are given."""

    seen: ClassVar[list] = []

    def split(self, X, y=None, groups=None):
        Folds.seen.append(groups)
        return super().split(X, y, groups)


@pytest.mark.parametrize("steps", [[], [StandardScaler()]])
def test_groups_reach_the_folds_of_a_tuned_autoencoder(steps):
    Folds.seen = []
    tuned = AutoencoderCV(
        encoder=(4,), epochs=2, param_distributions={"learning_rate": [1e-3]}, cv=Folds(2)
    )
    arm = make_pipeline(*steps, tuned) if steps else tuned
    found = run({"it": arm}, groups=WHO, resampling="2x1", controls=("untrained",))
    assert found.failures.empty
    expected = [WHO[train].tolist() for train, _ in found.resamples]
    assert [np.asarray(groups).tolist() for groups in Folds.seen] == expected
    measures = set(found.frame().query("arm == 'it'")["measure"])
    assert "reconstruction_error" in measures


# Marked wherever they are shown


@pytest.fixture(scope="module")
def compared():
    return run({"pca": PCA(2), "lda": LDA}, controls=("raw",), probes=("neighbours", "logistic"))


def test_marked_in_text_and_records(compared):
    text = str(compared)
    assert "; lda fitted with labels of the training rows\n" in text
    assert "judged by logistic, lda (fitted with labels) is" in text
    assert "none           lda (fitted with labels)" in text
    assert compared.arm_records["lda"].uses_labels
    assert not compared.arm_records["pca"].uses_labels
    assert {answer.label for answer in answers(compared)} == {
        "pca", "lda (fitted with labels)", "raw columns (control)",
    }  # fmt: skip
    assert "than lda (fitted with labels):" in str(
        run({"lda": LDA, "pca": PCA(2)}, reference="lda")
    )


def test_marked_in_figures(compared):
    assert "lda (fitted with labels)" in set(compared.plot().data["arm"])
    assert "lda (fitted with labels)" in set(compared.plot("scores").data["arm"])
    figure = compared.plot("embeddings")
    assert figure.labels.caption == "Fitted with labels, so drawn on unseen rows only: lda."
    counts = figure.data["origin"].value_counts()
    assert counts["pca, none"] == 150
    assert counts["lda (unseen rows), none"] == 30


def test_marked_in_json_and_older_files_are_read(compared):
    content = json.loads(compared.to_json())
    assert content["settings"]["labelled"] == ["lda"]
    assert str(Comparison.from_json(compared.to_json())) == str(compared)
    del content["settings"]["labelled"]
    older = Comparison.from_json(json.dumps(content))
    assert not any(record.uses_labels for record in older.arm_records.values())
    assert "fitted with labels" not in str(older)


def test_marked_beside_another_comparison(compared):
    other = run({"pls": PLSRegression(2)}, probes=("neighbours", "logistic"),
                resampling=compared.resamples)  # fmt: skip
    both = compared.beside(other)
    assert both.settings["labelled"] == ["lda", "pls"]
    assert other.beside(compared).settings["labelled"] == ["pls", "lda"]


def test_pages_say_it_and_draw_unseen_rows(compared):
    kept = compared.to_html()
    assert "Fitted with labels, and drawn on unseen rows only: lda." in kept
    assert "lda (unseen rows), none" in kept
    page = compared.to_html(X=X, arms={"pca": PCA(2), "lda": LDA})
    assert "Fitted with labels, and drawn out of fold: lda." in page
    assert "lda (out of fold), none" in page
    assert "LinearDiscriminantAnalysis(n_components=2); fitted with the training rows" in page


def test_portraits_of_noise_show_nothing():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(150, 40)), rng.permutation(CODES)
    pairs = [(np.setdiff1d(np.arange(150), part), part) for part in np.arange(120).reshape(4, 30)]
    arms = {"lda": LDA}
    (drawn,) = portraits(run(arms, rows, labels, resampling=pairs), arms, rows).items
    assert drawn.uses_labels
    assert np.isnan(drawn.points[120:]).all()  # never tested
    apart = run({"drawn": PCA(2)}, drawn.points[:120], labels[:120])
    fitted = run({"drawn": PCA(2)}, LDA.fit(rows, labels).transform(rows), labels)
    assert accuracy(apart, "drawn") < 0.45
    assert accuracy(fitted, "drawn") > 0.5


def test_portraits_of_numbers_and_networks():
    rows, numbers = X.iloc[:, :3], X["Petal.Width"]
    network = Autoencoder(1, encoder=(4,), epochs=2)
    arms = {
        "pls": PLSRegression(2),
        "steps": make_pipeline(SelectFromModel(LinearRegression()), network),
    }
    found = run(arms, rows, numbers, probes="ridge", controls=("untrained",))
    drawn = portraits(found, arms, rows).items
    assert [(one.failure, one.points.shape, one.uses_labels) for one in drawn] == [
        (None, (150, 2), True), (None, (150, 1), True), (None, (150, 1), True),
    ]  # fmt: skip
    assert pd.notna(drawn[0].points).all()


def test_nothing_is_said_where_nobody_uses_labels():
    found = run({"pca": PCA(2)})
    assert "label" not in str(found)
    assert found.plot("embeddings").labels.get("caption", "") == ""
    assert not warnings_of(lambda: run({"pca": PCA(2)}))
