"""What a comparison says: tables, verdicts, text, JSON, figures; and what it refuses."""

import json
import re
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib.parallel import ThreadingBackend
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison import Comparison, answers, bootstrap, repeated_kfold
from narrows.plots import figure_svg

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
ARMS = {"pca": PCA(2), "one": PCA(1), "autoencoder": Autoencoder(encoder=(8,), epochs=3)}
FAST = {
    "probes": "neighbours", "resampling": "5x2", "seeds": 3, "random_state": 0, "controls": (),
}  # fmt: skip


def run(arms=None, X=X, y=y, **options):
    arms = {"pca": PCA(2), "one": PCA(1)} if arms is None else arms
    return compare(arms, X, y, **(FAST | options))


@pytest.fixture(scope="module")
def found() -> Comparison:
    return run(ARMS)


class Fails(TransformerMixin, BaseEstimator):
    """Fails where a row of the table is among those it is fitted on."""

    def __init__(self, value=None):
        self.value = value

    def fit(self, X, y=None):
        if self.value is None or (self.value == X).any():
            raise RuntimeError("the machine\nis on fire")
        return self

    def transform(self, X):
        return X[:, :2]


class FailingProbe(ClassifierMixin, BaseEstimator):
    """Fails everywhere."""

    def fit(self, X, y):
        raise RuntimeError("no")

    def predict(self, X):
        return X


def scored(comparison, pca, one):
    """Return the comparison with these accuracies in its resamples instead of its own."""
    rows = [
        {"arm": arm, "preprocess": choice, "resample": number, "seed": 0, "probe": "neighbours",
         "measure": "accuracy", "value": value}
        for choice in comparison.settings["preprocess"]
        for arm, values in {"pca": pca, "one": one}.items()
        for number, value in enumerate(values)
    ]  # fmt: skip
    return replace(comparison, scores=pd.DataFrame(rows))


def caption(figure):
    return figure.labels.get("caption", "")


# Tables


def test_seeds_are_averaged_before_anything_else(found):
    frame = found.frame()
    chosen = (frame["arm"] == "autoencoder") & (frame["measure"] == "accuracy")
    by_resample = frame[chosen].groupby(["preprocess", "resample"])["value"].mean()
    summary = found.summary().query("arm == 'autoencoder' and measure == 'accuracy'")
    for row in summary.itertuples():
        means = by_resample[row.preprocess]
        assert row.mean == pytest.approx(means.mean())
        assert row.sd_splits == pytest.approx(means.std(ddof=1))
        assert (row.resamples, row.seeds) == (10, 3)


def test_copies_of_a_seed_change_no_interval(found):
    frame = found.frame()
    again = frame.assign(seed=frame["seed"] + 100)
    more = Comparison(
        pd.concat([frame, again]), found.failures, found.points, found.labels, found.resamples,
        found.settings, found.seconds,
    )  # fmt: skip
    pd.testing.assert_frame_equal(found.verdicts(), more.verdicts())


def test_spread_over_seeds_and_over_splits_are_apart(found):
    frame = found.frame().query("arm == 'autoencoder' and measure == 'accuracy'")
    row = found.seed_spread().query("arm == 'autoencoder' and measure == 'accuracy'").iloc[0]
    cells = frame[frame["preprocess"] == row["preprocess"]].pivot(
        index="resample", columns="seed", values="value"
    )
    assert row["sd_within"] == pytest.approx(np.sqrt(cells.var(axis=1, ddof=1).mean()))
    assert row["sd_splits"] == pytest.approx(cells.mean(axis=1).std(ddof=1))
    assert (row["lowest"], row["highest"]) == (cells.min(axis=None), cells.max(axis=None))
    assert set(found.seed_spread()["arm"]) == {"autoencoder"}


def test_verdicts_equal_a_calculation_by_hand(found):
    table = found.verdicts()
    assert len(table) == 4  # two arms, two preprocessings
    row = table.query("arm == 'one' and preprocess == 'standardize'").iloc[0]
    frame = found.frame().query("measure == 'accuracy' and preprocess == 'standardize'")
    wide = frame.groupby(["resample", "arm"])["value"].mean().unstack()
    d = wide["one"] - wide["pca"]
    error = np.sqrt((1 / 10 + 30 / 120) * d.var(ddof=1))
    t = stats.t(9, d.mean(), error)
    assert row["difference"] == pytest.approx(d.mean())
    assert (row["low"], row["high"]) == pytest.approx(t.interval(0.95))
    assert row["p_better"] == pytest.approx(t.sf(0.01))
    assert row["p_worse"] == pytest.approx(t.cdf(-0.01))
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(d.mean() / error), 9))
    assert (table["p_holm"] >= table["p_value"]).all()


def test_another_reference_mirrors_the_difference(found):
    one = found.verdicts().query("arm == 'one'").iloc[0]
    other = found.verdicts(reference="one").query("arm == 'pca'").iloc[0]
    assert other["difference"] == pytest.approx(-one["difference"])
    assert other["p_better"] == pytest.approx(one["p_worse"])


def test_less_is_better_where_it_is(found):
    log_loss = found.verdicts(measure="log_loss", rope=0.0).query("arm == 'one'").iloc[0]
    assert log_loss["difference"] > 0  # one component loses something
    assert log_loss["p_worse"] > 0.9


def test_a_single_resample_allows_no_interval():
    single = run(resampling="holdout:0.8x1")
    row = single.verdicts().iloc[0]
    assert np.isnan(row["low"])
    assert row["verdict"] == "undecided"
    assert "one resample, which allows no interval" in repr(single)
    figure_svg(single.plot())


@pytest.mark.parametrize(("pca", "one"), [((0.95, 0.94), (0.94, 0.93)), ((0.9, 0.8), (1.0, 0.9))])
def test_differences_that_are_all_equal_allow_no_interval(found, pca, one):
    # Scores come in steps; and 0.95 - 0.94 is not 0.94 - 0.93 in floating point.
    equal = scored(found, pca, one)
    row = equal.verdicts().iloc[0]
    assert row["difference"] == pytest.approx(one[0] - pca[0])
    assert row[["low", "high", "p_better", "p_equivalent", "p_worse", "p_value"]].isna().all()
    assert row["verdict"] == "undecided"
    reason = "no interval, as all differences are equal, which says nothing of their spread."
    assert equal.sentences()[0].endswith(reason)
    figure_svg(equal.plot())


def test_arms_that_differ_by_rounding_are_the_same(found):
    same = scored(found, (0.9, 0.95, 0.8), (0.9, 0.95 + 1e-16, 0.8 - 1e-16))
    row = same.verdicts().iloc[0]
    assert row[["difference", "low", "high", "p_equivalent", "p_value"]].tolist() == [0, 0, 0, 1, 1]
    assert row["verdict"] == "equivalent"


def test_an_errors_region_is_the_references_under_the_same_preprocessing():
    # Errors of raw columns are a million times those of standardized ones.
    large = run(X=X * 1000, resampling="5x1")
    table = large.verdicts(measure="reconstruction_error").set_index("preprocess")
    errors = large.frame().query("arm == 'pca' and measure == 'reconstruction_error'")
    medians = errors.groupby("preprocess")["value"].median()
    for choice in ("none", "standardize"):
        assert table.loc[choice, "rope"] == pytest.approx(0.01 * medians[choice])
        assert table.loc[choice, "verdict"] == "worse"
    assert large.verdicts(rope=0.2)["rope"].tolist() == [0.2, 0.2]
    figure = large.plot(measure="reconstruction_error")
    assert sorted(figure.layers[0].geom.data["rope"]) == sorted(table["rope"])


def test_the_embeddings_own_measures_are_judged(found):
    table = found.verdicts("embedding")
    measures = ["reconstruction_error", "trustworthiness", "continuity", "neighbour_agreement"]
    assert table["measure"].drop_duplicates().tolist() == measures
    one = found.verdicts("embedding", "continuity")
    pd.testing.assert_frame_equal(
        table[table["measure"] == "continuity"].reset_index(drop=True), one
    )


# The same again


class WholeLists(ThreadingBackend):
    """Like joblib's multiprocessing: no result before the last one; but it does not fork."""

    supports_return_generator = False


joblib.register_parallel_backend("whole lists", WholeLists)


@pytest.mark.long
@pytest.mark.parametrize("backend", ["loky", "threading", "whole lists"])
def test_one_process_and_several_give_the_same(found, backend):
    with joblib.parallel_config(backend=backend):
        several = run(ARMS, n_jobs=2)
    alone = run(ARMS, n_jobs=1)
    pd.testing.assert_frame_equal(several.frame(), alone.frame())
    pd.testing.assert_frame_equal(found.frame(), alone.frame())


def test_an_arm_does_not_depend_on_the_others(found):
    alone = run({"autoencoder": ARMS["autoencoder"]})
    frame = found.frame()
    expected = frame[frame["arm"] == "autoencoder"].reset_index(drop=True)
    # Alone and among others the lanes lie in other chunks.
    assert alone.frame()["value"].to_numpy() == pytest.approx(expected["value"], rel=1e-3, abs=0.04)


def test_a_seed_that_was_drawn_is_kept():
    first = run(random_state=None)
    again = run(random_state=first.settings["random_state"])
    pd.testing.assert_frame_equal(first.frame(), again.frame())


# Failures


def test_an_arm_that_fails_is_named_and_the_others_go_on():
    broken = run({"pca": PCA(2), "broken": Fails(), "too wide": PCA(9)}, preprocess="none")
    assert set(broken.failures["arm"]) == {"broken", "too wide"}
    assert set(broken.frame()["arm"]) == {"pca"}
    verdicts = broken.verdicts().set_index("arm")
    assert verdicts["verdict"].tolist() == ["failed", "failed"]
    assert "broken cannot be compared with pca: failed" in repr(broken)
    assert "broken under 'none', 10 times: RuntimeError: the machine is on fire" in repr(broken)


def test_an_arm_that_fails_in_some_resamples_gets_no_verdict():
    X = np.arange(40.0).reshape(20, 2) / 4
    y = np.array(list("ab") * 10)
    arms = {"fine": PCA(1), "sometimes": Fails(value=9.5)}
    found = run(arms, X=X, y=y, preprocess="none", resampling="5x1")
    assert len(found.failures) == 4
    assert found.verdicts()["verdict"].tolist() == ["failed"]


def test_what_failed_everywhere_has_a_verdict():
    options = {
        "preprocess": {"none": "none", "broken": Fails()}, "resampling": "5x1",
        "probes": {"neighbours": "neighbours", "failing": FailingProbe()},
    }  # fmt: skip
    found = run(**options)
    table = found.verdicts()
    said = {(row.preprocess, row.probe): row.verdict for row in table.itertuples()}
    assert said.pop(("none", "neighbours")) != "failed"
    assert said == dict.fromkeys(
        [("broken", "neighbours"), ("none", "failing"), ("broken", "failing")], "failed"
    )
    assert found.verdicts("failing")["verdict"].tolist() == ["failed", "failed"]
    sentences = found.sentences()
    assert len(sentences) == 4
    words = (
        "With preprocessing 'broken', judged by failing, one cannot be compared with pca: failed."
    )
    assert words in sentences
    figure_svg(found.plot())


def test_what_has_no_such_measure_is_not_scored():
    found = run({"pca": PCA(2)}, controls=("raw",), resampling="5x1", preprocess="none")
    assert found.verdicts(measure="reconstruction_error")["verdict"].tolist() == ["not scored"]


def test_lanes_that_diverge_are_named():
    arms = {"pca": PCA(2), "wild": Autoencoder(encoder=(4,), epochs=4, learning_rate=1e30)}
    found = run(arms, preprocess="none")
    assert found.verdicts()["verdict"].tolist() == ["failed"]
    assert found.failures["message"].str.contains("must keep a finite loss").all()


def test_a_bad_parameter_of_an_arm_is_its_failure():
    arms = {"pca": PCA(2), "odd": Autoencoder(bottleneck=0)}
    assert run(arms).failures["message"].str.contains("'bottleneck' parameter").all()


def test_all_failing_is_an_error():
    with pytest.raises(ValueError, match=r"All failed, the first, 'a' under 'none', with: Runtime"):
        run({"a": Fails(), "b": Fails()})


# Bad input

rare = np.array(["a"] * 147 + ["b"] * 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arms": {}}, "'arms' parameter of compare must be a mapping"),
        ({"arms": [PCA(2)]}, "'arms' parameter of compare must be a mapping"),
        ({"arms": {"pca": PCA}}, "Each arm of compare must be a scikit-learn transformer"),
        ({"arms": {"no": object()}}, "without fit and transform"),
        ({"controls": ("rw",)}, "'controls' .* Did you mean 'raw'"),
        ({"preprocess": "standardise"}, "'preprocess' .*'none', 'standardize' or a transformer"),
        ({"preprocess": ()}, "'preprocess' .* at least one choice"),
        ({"probes": ()}, "'probes' .* at least one probe"),
        ({"probes": "forrest"}, "forest"),
        ({"probes": "ridge"}, "ridge"),
        ({"resampling": bootstrap(100)}, "table of 150 rows, as 'X' has. Got resamples of 100"),
        ({"resampling": 5}, "a text such as '5x5' or 'bootstrap:25', Resamples"),
        ({"resampling": "5 by 5"}, "5 by 5"),
        ({"seeds": 0}, r"'seeds' parameter of compare must be an int in the range \[1, inf\)"),
        ({"reference": "pcA"}, "'reference' .* one of 'pca', 'one'. Got 'pcA'"),
        ({"random_state": -1}, "'random_state' parameter of compare"),
        ({"task": "class"}, "'classification', 'regression' or None"),
        ({"y": y[:100]}, "a label for each of 150 rows. Got 100"),
        ({"y": ["a"] * 150}, "at least two classes. Got 1, 'a' in all 150 rows"),
        ({"y": [None, *y[1:]]}, "Got 1 missing, the first in row 0"),
        ({"y": rare}, "one for each of 5 folds. Got 3 of class 'b'"),
        ({"X": X.to_numpy() * [1, 1, 1, np.nan]}, "150 NaN"),
    ],
)
def test_bad_input_gets_one_sentence(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        run(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "x"}, "'reference' parameter must be one of 'pca', 'one', 'autoencoder'"),
        ({"measure": "acc"}, "'measure' parameter must be one of 'accuracy'"),
        ({"probe": "forest"}, "'probe' parameter must be one of 'neighbours' or None"),
        (
            {"probe": "embedding", "measure": "kappa"},
            "'probe' parameter must be one of 'neighbours' or None for the measure 'kappa'",
        ),
    ],
)
def test_verdicts_on_what_was_not_compared(found, options, message):
    with pytest.raises(ValueError, match=message):
        found.verdicts(**options)


def test_a_figure_that_there_is_not(found):
    with pytest.raises(ValueError, match="'kind' parameter must be one of 'intervals'"):
        found.plot("bars")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measure": "trustworthiness"}, "'accuracy', .* for the probe 'neighbours' .*'embedding'"),
        ({"probe": "forest"}, "'probe' parameter must be one of 'neighbours', 'embedding'"),
    ],
)
def test_a_figure_of_scores_that_there_are_not(found, options, message):
    with pytest.raises(ValueError, match=message):
        found.plot("scores", **options)
    figure_svg(found.plot("scores", probe="embedding", measure="trustworthiness"))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("scores", {"rope": 0.1}, "'scores'.* some of 'probe', 'measure'. Got 'rope'"),
        ("embeddings", {"probe": "neighbours"}, "'embeddings'.* some of 'label'. Got 'probe'"),
        ("intervals", {"label": "Species"}, "'intervals'.*'confidence'. Got 'label' instead"),
    ],
)
def test_a_figure_takes_its_own_options_only(found, kind, options, message):
    with pytest.raises(ValueError, match=message):
        found.plot(kind, **options)


def test_the_figure_of_intervals_takes_the_options_of_verdicts(found):
    drawn = found.plot(rope=0.2, confidence=0.5, reference="one", measure="kappa")
    table = found.verdicts(rope=0.2, confidence=0.5, reference="one", measure="kappa")
    assert drawn.data["rope"].tolist() == table["rope"].tolist()
    assert drawn.data["low"].tolist() == table["low"].tolist()
    assert drawn.labels.x == "difference from one, kappa"


def test_the_figure_of_scores_calls_measures_by_their_titles(found):
    assert found.plot("scores", measure="log_loss").labels.x == "Log loss"


def test_answers_are_the_verdicts_with_the_reference_among_them(found):
    rows = answers(found)
    compared = [row for row in rows if row.arm != "pca"]
    table = found.verdicts()
    for name in ("arm", "preprocess", "difference", "low", "high", "p_holm", "rope", "verdict"):
        assert [getattr(row, name) for row in compared] == table[name].tolist()
    assert {row.question for row in rows} == {"better than the reference"}
    assert {row.unit for row in rows} == {"points of accuracy"}
    assert [row.is_control for row in rows] == [row.arm in found.controls for row in rows]
    assert {row.verdict for row in rows if row.arm == "pca"} == {"reference"}


def test_a_figure_of_embeddings_needs_two_columns():
    thin = run({"one": PCA(1)}, resampling="5x1", controls=("raw",))
    with pytest.raises(ValueError, match="at least one embedding with two columns"):
        thin.plot("embeddings")


# Side by side


def test_results_on_the_same_resamples_stand_side_by_side(found):
    other = run({"wide": PCA(3)}, resampling=found.resamples, controls=("raw",))
    both = found.beside(other)
    assert both.arms == ["pca", "one", "autoencoder", "wide", "raw columns"]
    assert both.controls == ["raw columns"]
    together = run({**ARMS, "wide": PCA(3)}, resampling=found.resamples, controls=("raw",))
    assert both.verdicts()["arm"].tolist() == together.verdicts()["arm"].tolist()
    wide = both.verdicts().query("arm == 'wide'")["difference"].to_numpy()
    assert wide == pytest.approx(
        together.verdicts().query("arm == 'wide'")["difference"].to_numpy(), abs=1e-12
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"random_state": 1}, "must have the same resamples. Got fingerprints"),
        ({"preprocess": "none"}, "must have the same preprocessing"),
        ({"probes": "logistic"}, "must have the same probes"),
        ({"refit": False}, "must have the same way of refitting"),
        ({"X": X + 1}, "must have the same rows and labels"),
        ({"arms": {"pca": PCA(1)}}, "arms of different names. Got 'pca' in both"),
    ],
)
def test_results_that_do_not_belong_together_are_kept_apart(found, options, message):
    options = {"arms": {"wide": PCA(3)}, **options}
    if "random_state" not in options:
        options["resampling"] = found.resamples
    with pytest.raises(ValueError, match=message):
        found.beside(run(**options))


# Text, JSON, figures


def test_it_prints_as_a_result(found):
    text = repr(found)
    assert "3 arms and 0 controls on 150 rows × 4 columns" in text
    assert "3 seeds" in text
    assert re.search(r"On columns as they are, one is .* pca: [+−]\d+\.\d points of acc", text)
    assert "reference" in text
    assert max(map(len, text.splitlines())) < 160


def test_without_refitting_text_table_and_figures_say_so(found):
    once = run(refit=False, resampling="5x1")
    words = "fitted ONCE ON ALL ROWS, test rows included"
    assert words in once.sentences()[0]
    assert len(once.sentences()) == 3
    assert repr(once).count(words) == 1
    assert set(once.table()["fitted"]) == {"ONCE ON ALL ROWS"}
    assert "fitted" not in found.table()
    for kind in ("intervals", "embeddings", "scores"):
        assert words in caption(once.plot(kind))
        assert not caption(found.plot(kind))
    figure_svg(once.plot())


def test_json_holds_everything(found, tmp_path):
    text = found.to_json(tmp_path / "found.json")
    assert (tmp_path / "found.json").read_text(encoding="utf-8") == text
    for source in (text, tmp_path / "found.json"):
        again = Comparison.from_json(source)
        pd.testing.assert_frame_equal(again.frame(), found.frame())
        pd.testing.assert_frame_equal(again.verdicts(), found.verdicts())
        assert again.resamples == found.resamples
        assert repr(again) == repr(found)
    assert json.loads(text)["verdicts"][0]["arm"] == "one"


def test_json_with_failures_and_missing_numbers():
    broken = run({"pca": PCA(2), "broken": Fails()}, resampling="holdout:0.8x1")
    again = Comparison.from_json(broken.to_json())
    assert repr(again) == repr(broken)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Got a text that is none"),
        ("{}", "with the format 'narrows comparison'. Got None"),
        ('{"format": "narrows comparison", "version": 99, "narrows": "9"}', "Upgrade narrows"),
    ],
)
def test_json_that_is_no_comparison(text, message):
    with pytest.raises(ValueError, match=message):
        Comparison.from_json(text)


@pytest.mark.parametrize("kind", ["intervals", "embeddings", "scores"])
def test_figures_are_drawn(found, kind):
    assert "<svg" in figure_svg(found.plot(kind))


def test_folds_of_labels_can_be_given(found):
    drawn = repeated_kfold(y, 3, 1, random_state=0)
    assert run(resampling=drawn).resamples == drawn
