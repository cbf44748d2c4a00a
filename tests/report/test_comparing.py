"""A comparison in words and tables."""

import dataclasses

import pandas as pd
import pytest

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison import Answer, answers, headline, measure_named
from narrows.comparison.results._text import conclusion
from narrows.report import comparison_report, comparison_sections
from narrows.report._sections import score_frame

iris = narrows.datasets.iris()
DEPENDS = (
    "It depends: ae is better than pca with preprocessing raw; it is neither shown to be better "
    "nor worse than pca with preprocessing z."
)


@pytest.fixture(scope="module")
def comparison():
    arms = {"pca": PCA(2), "one": PCA(1), "same": PCA(2)}
    return compare(
        arms, iris.drop(columns="Species"), iris["Species"], probes=("neighbours", "logistic"),
        resampling="5x2", random_state=0, controls=("raw",), quality=False,
    )  # fmt: skip


def said(arm, preprocess, probe, verdict):
    return Answer(
        "better than the reference", arm, arm == "raw", "pca", preprocess, probe,
        measure_named("accuracy"), verdict=verdict,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("ae", "none", "f", "better")], "Yes: ae is better than pca."),
        (
            [("ae", "none", "f", "better"), ("ae", "standardize", "f", "better")],
            "Yes: ae is better than pca, either way.",
        ),
        ([("ae", "none", "f", "worse")], "No: ae is worse than pca."),
        ([("ae", "none", "f", "equivalent")], "No gain: ae is as good as pca."),
        (
            [("ae", "none", "f", "undecided")],
            "Undecided: these rows do not show ae to be better or worse than pca.",
        ),
        ([("ae", "none", "f", "failed")], "ae could not be compared with pca."),
        (
            [("ae", "raw", "f", "better"), ("ae", "z", "f", "undecided")],
            DEPENDS,
        ),
        ([("raw", "none", "f", "better")], "There is nothing to compare pca with but controls."),
        (
            [(arm, "none", "f", "worse") for arm in "abcd"] + [("e", "none", "f", "better")],
            "5 arms against pca: 4 worse, 1 better.",
        ),
    ],
)
def test_the_verdict_in_a_sentence(rows, sentence):
    reference = said("pca", "none", "f", "reference")
    assert conclusion([reference, *(said(*row) for row in rows)], "pca") == sentence


@pytest.mark.long
@pytest.mark.parametrize("refit", [True, False])
def test_a_page_says_whether_embedders_had_seen_the_test_rows(refit):
    X, arms = (
        iris.drop(columns="Species"),
        {"pca": PCA(2), "ae": Autoencoder(epochs=3, encoder=(8,))},
    )
    found = compare(
        arms, X, iris["Species"], probes="neighbours", resampling="5x1", seeds=1, random_state=0,
        controls=(), preprocess="none", refit=refit,
    )  # fmt: skip
    seen = "Embedders were fitted once on all rows, those included that the probes are scored on."
    assert headline(found).endswith(seen) != refit
    assert (seen in found._repr_html_()) != refit
    short, full = comparison_report(found), comparison_report(found, X=X, arms=arms)
    assert short.lead == headline(found)
    for report, times in ((short, 4), (full, 6)):  # captions of scores, and what is looked at
        assert ("unseen rows" in str(report)) == refit
        assert "zero ± 0.01 of accuracy, is the region of practical equivalence" in str(report)
        assert str(report).count("embedders have seen") == (0 if refit else times)
    assert ("refits in every resample" in str(full)) == refit


def test_the_table_has_the_numbers_of_the_comparison(comparison):
    frame, formats = score_frame(answers(comparison, "logistic"))
    verdicts = comparison.verdicts("logistic").set_index(["arm", "preprocess"])
    means = comparison.summary().query("probe == 'logistic' and measure == 'accuracy'")
    assert list(frame["preprocessing"]) == ["none"] * 4 + ["standardize"] * 4
    assert len(frame) == len(means)
    for row in frame.to_dict("records"):
        arm = row["arm"].removesuffix(" (control)")
        mean = means[(means["arm"] == arm) & (means["preprocess"] == row["preprocessing"])]
        assert row["accuracy"] == mean["mean"].item()
        if arm == "pca":
            assert row["verdict"] == "reference"
            assert row["95 % interval"] == ""
        else:
            found = verdicts.loc[(arm, row["preprocessing"])]
            assert (row["verdict"], row["difference"]) == (found["verdict"], found["difference"])
    assert set(formats) <= set(frame.columns)


def test_sections_in_order(comparison):
    titles = [section.title for section in comparison_sections(comparison)]
    assert titles == [
        "What the comparison says", "Scores and differences", "The embeddings", "All measures",
        "How it was done",
    ]  # fmt: skip
    failures = pd.DataFrame(
        [("one", "none", 0, 0, "logistic", "no <luck>")], columns=comparison.failures.columns
    )
    failed = dataclasses.replace(comparison, failures=failures)
    assert "What failed" in [section.title for section in comparison_sections(failed)]


def test_a_notebook_shows_verdict_and_tables(comparison):
    text = comparison._repr_html_()
    assert text.count("<table") == 2
    assert headline(comparison) in text
    assert "<script" not in text


def test_one_resample_and_one_arm_make_a_page():
    found = compare(
        {"pca": PCA(2)}, iris.drop(columns="Species"), iris["Species"], probes="neighbours",
        resampling="holdout:0.8x1", random_state=0, controls=(), quality=False,
    )  # fmt: skip
    assert "There is nothing to compare pca with" in found.to_html()
    assert found._repr_html_()
