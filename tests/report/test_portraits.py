"""Every arm fitted once on all rows: the right rows, the right fits, the right errors."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import decomposition
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison import Comparison
from narrows.report import comparison_report, portraits
from support.warned import warnings_of

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
FAST = {"probes": "neighbours", "resampling": "5x1", "seeds": 2, "random_state": 0,
        "quality": False}  # fmt: skip


def autoencoder():
    return Autoencoder(encoder=(8,), epochs=3)


@pytest.fixture(scope="module")
def arms():
    return {"pca": PCA(2), "autoencoder": autoencoder()}


@pytest.fixture(scope="module")
def comparison(arms):
    return compare(arms, X, y, **FAST)


@pytest.fixture(scope="module")
def found(comparison, arms):
    return portraits(comparison, arms, X)


def item(found, arm, preprocess):
    return next(one for one in found.items if (one.arm, one.preprocess) == (arm, preprocess))


def test_every_arm_but_the_raw_columns(found):
    assert [(one.arm, one.preprocess, one.control) for one in found.items] == [
        (arm, choice, arm not in ("pca", "autoencoder"))
        for choice in ("none", "standardize")
        for arm in ("pca", "autoencoder", "random projection", "untrained encoder")
    ]
    assert all(one.failure is None and one.points.shape == (150, 2) for one in found.items)


def test_columns_around_a_large_number_are_drawn_as_they_were_compared():
    """Less their mean, which the reconstruction has again; the fits do not warn once more."""
    far = X * 16 + 2**31  # with values that no addition rounds
    arms = {"linear": narrows.LinearAutoencoder(2, epochs=40)}
    options = {**FAST, "controls": (), "preprocess": "none", "seeds": 1, "resampling": "2x1"}
    compared = []
    (said,) = warnings_of(lambda: compared.append(compare(arms, far, y, **options)))
    assert "mean is subtracted from them before networks see them" in str(said.message)
    one = item(portraits(compared[0], arms, far), "linear", "none")
    assert len(np.unique(one.points, axis=0)) > 140
    assert (one.lost < 0.5).all()
    np.testing.assert_allclose(one.original.mean(axis=0), one.rebuilt.mean(axis=0), atol=20)


def test_errors_are_those_of_the_fit(found):
    """Against scikit-learn's PCA of standardized columns."""
    scaler = StandardScaler().fit(X)
    Z = scaler.transform(X)
    model = decomposition.PCA(2).fit(Z)
    rebuilt = model.inverse_transform(model.transform(Z))
    one = item(found, "pca", "standardize")
    np.testing.assert_allclose(one.lost, ((Z - rebuilt) ** 2).mean(axis=0), rtol=1e-6)
    errors = ((Z - rebuilt) ** 2).mean(axis=1)
    assert one.typical == pytest.approx(np.median(errors))
    assert [worst.row for worst in one.worst] == list(np.argsort(-errors)[:5])
    # In the table's own units again, and the column that is furthest off.
    np.testing.assert_allclose(one.original, X.to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(one.rebuilt, scaler.inverse_transform(rebuilt), rtol=1e-6)
    first = one.worst[0]
    place = int(np.abs(Z - rebuilt)[first.row].argmax())
    assert first.column == X.columns[place]
    assert first.original == pytest.approx(X.iloc[first.row, place])


def test_trainings_are_as_many_as_seeds_and_the_best_is_shown(found):
    one = item(found, "autoencoder", "none")
    assert sorted(one.history["restart"].unique()) == [0, 1]
    last = one.history[one.history["epoch"] == 3].set_index("restart")["loss"]
    assert one.in_use == last.idxmin()
    assert one.network.startswith("<svg")
    assert "Total params" in one.summary
    assert item(found, "pca", "none").history is None


def test_an_untrained_encoder_is_where_the_arm_starts(found):
    untrained = item(found, "untrained encoder", "none").points
    assert np.abs(untrained - item(found, "autoencoder", "none").points).max() > 0.01


def test_it_is_the_same_again_and_changes_no_arm(comparison, arms, found):
    again = portraits(comparison, arms, X)
    for one, other in zip(found.items, again.items, strict=True):
        np.testing.assert_array_equal(one.points, other.points)
    assert not hasattr(arms["autoencoder"], "encoder_")
    assert arms["autoencoder"].restarts == 1


def test_a_comparison_read_from_a_file_can_be_shown(comparison, arms, found):
    again = portraits(Comparison.from_json(comparison.to_json()), arms, X)
    np.testing.assert_array_equal(again.items[0].points, found.items[0].points)


@pytest.mark.long
def test_a_failing_arm_says_why_and_others_go_on(comparison, arms, monkeypatch):
    def fails(self, X, y=None):
        raise RuntimeError("on fire")

    monkeypatch.setattr(PCA, "fit", fails)
    shown = portraits(comparison, arms, X)
    assert item(shown, "pca", "none").failure == "RuntimeError: on fire"
    assert item(shown, "autoencoder", "none").failure is None
    text = str(comparison_report(comparison, X=X, arms=arms).sections)
    assert "could not be fitted on all rows: pca, none: RuntimeError: on fire" in text


@pytest.mark.long
def test_pipelines_numbers_as_labels_and_text_columns():
    table = X.assign(colour=["red", "blue"] * 75, progress=np.arange(150.0) / 4)
    arms = {"pca": PCA(1), "pipe": make_pipeline(StandardScaler(), autoencoder())}
    rows = table.drop(columns="progress")
    found = compare(arms, rows, table["progress"], **(FAST | {"probes": "ridge"}))
    shown = portraits(found, arms, rows)
    pipe = item(shown, "pipe", "standardize")
    assert len(pipe.columns) == pipe.rebuilt.shape[1] == pipe.original.shape[1] > 4
    assert pipe.history["restart"].nunique() == 2
    assert item(shown, "pca", "none").points.shape == (150, 1)
    found.to_html(X=rows, arms=arms)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": X.iloc[:-1]}, "'X' parameter must be the table that was compared, of 150 rows"),
        ({"X": X + 1}, "with other values or labels"),
        ({"arms": {"pca": PCA(2)}}, r"'arms' parameter must be the arms.*Got \['pca'\]"),
        (
            {"arms": {"pca": PCA(1), "autoencoder": autoencoder()}},
            r"'pca' as PCA\(\)\. Got PCA\(n_components=1\) instead",
        ),
        ({"preprocess": "none"}, "must have the choices that were compared"),
    ],
)
def test_what_was_not_compared_is_refused(comparison, arms, changes, message):
    given = {"arms": arms, "X": X, "preprocess": None} | changes
    with pytest.raises(ValueError, match=message):
        portraits(comparison, **given)


def test_other_preprocessings_must_be_given():
    arms, own = {"pca": PCA(2), "one": PCA(1)}, {"robust": StandardScaler(with_mean=False)}
    found = compare(arms, X, y, preprocess=own, controls=(), **FAST)
    with pytest.raises(ValueError, match="'robust' is not known by its name"):
        portraits(found, arms, X)
    assert len(portraits(found, arms, X, own).items) == 2


def test_the_order_of_arms_changes_no_control():
    arms = {"wide": PCA(3), "one": PCA(1)}
    found = compare(arms, X, y, preprocess="none", **FAST)
    shown = portraits(found, dict(reversed(arms.items())), X)
    assert [one.arm for one in shown.items] == ["wide", "one", "random projection"]
    assert item(shown, "random projection", "none").points.shape == (150, 3)


def test_arms_made_again_are_the_same_arms():
    def arms():
        return {"pca": PCA(2), "own": make_pipeline(FunctionTransformer(lambda X: X), PCA(1))}

    found = compare(arms(), X, y, controls=(), preprocess="none", **FAST)
    assert len(portraits(found, arms(), X).items) == 2


def test_a_mixed_table_in_another_container_and_its_wide_controls():
    table = X.assign(letter=list("abcde") * 30)
    arms = {"pca": PCA(5)}
    found = compare(arms, table, y, preprocess="none", **FAST)
    shown = portraits(found, arms, pa.Table.from_pandas(table, preserve_index=False))
    assert item(shown, "random projection", "none").points.shape == (150, 5)


@pytest.mark.long
def test_joined_arms_are_drawn_from_their_own_random_state(comparison, arms):
    options = FAST | {"random_state": 5, "resampling": comparison.resamples}
    other = compare({"late": autoencoder()}, X, y, controls=(), **options)
    both = comparison.beside(other)
    assert "put beside later" in both.to_html()
    assert "put beside later" not in other.to_html()
    shown = portraits(both, arms | {"late": autoencoder()}, X)
    alone = portraits(other, {"late": autoencoder()}, X)
    np.testing.assert_array_equal(
        item(shown, "late", "none").points, item(alone, "late", "none").points
    )


def test_arms_without_a_table_are_refused(comparison, arms):
    with pytest.raises(ValueError, match="Give both, or neither"):
        comparison_report(comparison, arms=arms)
    with pytest.raises(ValueError, match="must be the table that was compared"):
        comparison.to_html(X=pd.DataFrame(np.eye(150)).add_prefix("x"))


def test_a_page_does_not_repeat_what_the_comparison_warned_of(tmp_path):
    table, arms = X.assign(flat=1.0), {"pca": PCA(2, standardize=True)}
    options = FAST | {"seeds": 1, "controls": (), "resampling": "holdout:0.8x2"}
    with pytest.warns(UserWarning, match="constant columns at zero"):
        found = compare(arms, table, y, **options)
    found.to_html(tmp_path / "page.html", X=table, arms=arms)  # a warning would be an error
    # Under "standardize" the warning, as an error, would be why the arm is not shown.
    assert [one.failure for one in portraits(found, arms, table).items] == [None, None]


@pytest.mark.filterwarnings("ignore::RuntimeWarning:narrows.embedders")
@pytest.mark.filterwarnings("ignore::RuntimeWarning:numpy")
@pytest.mark.filterwarnings("ignore:The column 'more' of compare predicts:UserWarning")
def test_an_error_beyond_all_numbers_is_infinite_without_a_warning():
    """Variances of such columns are beyond all numbers too, which PCA says itself."""
    huge = {"some": np.where(np.arange(150) % 7, 0.0, 1e170), "more": np.arange(150) * 1e160}
    table, arms = X.assign(**huge), {"pca": PCA(1)}
    options = FAST | {"seeds": 1, "controls": (), "resampling": "holdout:0.8x2"}
    found = compare(arms, table, y, preprocess="none", **options)
    (one,) = portraits(found, arms, table).items
    assert one.failure is None
    assert one.typical == np.inf
    assert [row.error for row in one.worst] == [np.inf] * 5
    assert np.isfinite(one.lost[:4]).all()
