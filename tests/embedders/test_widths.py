"""How wide: several widths on the same folds, beside PCA, and the smallest that is enough."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

import narrows
from narrows import AutoencoderCV
from narrows.embedders.tuning._widths import (
    COLUMNS,
    Width,
    cell_errors,
    choose_width,
    dimension_of,
    spanned,
    widths_frame,
)

QUICK = {
    "encoder": (8,), "random_state": 0, "cv": 3,
    "param_distributions": {"learning_rate": [1e-2]},
}  # fmt: skip
THIRDS = np.ones(3) / 3


def curved(rows=120, seed=0, noise=0.05):
    """Rows on a parabola in three columns: one dimension that no line follows."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-1, 1, rows)
    return np.c_[t, 2 * t**2, t**3] + noise * rng.normal(size=(rows, 3))


def plane(rows=90, seed=0, noise=0.05):
    """Rows near a plane in six columns."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 2)) @ rng.normal(size=(2, 6)) + noise * rng.normal(size=(rows, 6))


@pytest.fixture(scope="module")
def fitted():
    return AutoencoderCV([1, 2], **QUICK).fit(curved())


@pytest.fixture(scope="module")
def flat():
    return AutoencoderCV(range(1, 4), **QUICK, epochs=10).fit(plane())


# What comes out


def test_a_curve_needs_one_width_and_pca_two(fitted):
    table = fitted.widths_
    assert list(table.columns) == list(COLUMNS)
    assert table["chosen"].tolist() == [True, False]
    assert fitted.bottleneck_ == fitted.transform(curved()).shape[1] == 1
    assert table["ratio"][0] < 0.1
    # By the same rule PCA would take two.
    pca = table["pca_error"] * table["cell_error"] / table["error"]
    assert pca[1] < pca[0] / 2
    assert table["steps"][0] > 0
    assert fitted.best_params_ == {"learning_rate": 1e-2, "bottleneck": 1}


@pytest.mark.long
def test_a_plane_needs_two_and_there_is_pca(flat):
    assert flat.bottleneck_ == 2
    assert flat.best_steps_ == 0
    table = flat.widths_
    np.testing.assert_array_equal(table["error"], table["pca_error"])
    assert table["steps"].tolist() == [0, 0, 0]
    # The error itself falls, as a third code takes a third of the noise's six dimensions.
    assert table["error"][2] < table["error"][1]
    assert table["cell_error"][2] > table["cell_error"][1]
    assert flat.score(plane()) == pytest.approx(narrows.PCA(2).fit(plane()).score(plane()))


def test_errors_are_pcas_on_the_same_folds_with_students_interval(flat):
    rows = plane()
    for _, found in flat.widths_.iterrows():
        errors = [
            narrows.PCA(int(found["bottleneck"]))
            .fit(rows[train])
            .reconstruction_error(rows[test])
            .mean()
            for train, test in KFold(3, shuffle=True, random_state=0).split(rows)
        ]
        away = 4.302653 * np.std(errors, ddof=1) / np.sqrt(3)  # of two degrees of freedom
        assert found["pca_error"] == pytest.approx(np.mean(errors), rel=1e-3)
        assert found["pca_low"] == pytest.approx(np.mean(errors) - away, rel=1e-2, abs=1e-6)
        assert found["pca_high"] == pytest.approx(np.mean(errors) + away, rel=1e-2)


def test_the_rows_own_dimension_stands_beside(flat):
    found = flat.intrinsic_dimension_
    assert found == narrows.quality.intrinsic_dimension(plane().astype(np.float32))
    assert 1.5 < found.dimension < 3


def test_one_width_has_one_row():
    found = AutoencoderCV(2, **QUICK, epochs=2).fit(plane())
    assert found.bottleneck_ == 2
    assert found.intrinsic_dimension_ is None
    assert len(found.widths_) == 1
    assert found.widths_["chosen"].tolist() == [True]
    assert "bottleneck" not in found.best_params_


def test_where_training_does_not_start_at_pca_its_errors_are_found_all_the_same(flat):
    found = AutoencoderCV([2], **QUICK, residual=False, epochs=2).fit(plane())
    wanted = flat.widths_["pca_error"][1]
    assert found.widths_["pca_error"][0] == pytest.approx(wanted, rel=1e-4)
    assert (found.widths_["error"] != found.widths_["pca_error"]).all()


def test_same_seed_same_bits(flat):
    again = clone(flat).fit(plane())
    np.testing.assert_array_equal(again.transform(plane()), flat.transform(plane()))
    pd.testing.assert_frame_equal(again.widths_, flat.widths_, check_exact=True)


def test_a_width_is_trained_as_if_it_were_alone(fitted):
    alone = AutoencoderCV(1, **QUICK).fit(curved())
    np.testing.assert_array_equal(alone.transform(curved()), fitted.transform(curved()))
    assert alone.widths_["error"][0] == fitted.widths_["error"][0]


def test_a_file_keeps_what_was_found(flat, tmp_path):
    narrows.save(flat, tmp_path / "a.narrows")
    again = narrows.load(tmp_path / "a.narrows")
    pd.testing.assert_frame_equal(again.widths_, flat.widths_, check_exact=True)
    assert again.bottleneck_ == 2
    assert again.intrinsic_dimension_ == flat.intrinsic_dimension_
    assert tuple(again.bottleneck) == (1, 2, 3)  # a range is kept as its numbers
    np.testing.assert_array_equal(again.transform(plane()), flat.transform(plane()))
    refitted = again.fit(plane())
    np.testing.assert_array_equal(refitted.transform(plane()), flat.transform(plane()))


def test_without_a_dimension_a_file_has_none(tmp_path):
    rows = np.repeat(plane(8), 2, axis=0)
    found = AutoencoderCV([1, 2], **QUICK, epochs=2).fit(rows)
    assert found.intrinsic_dimension_ is None  # fewer than ten rows that differ
    narrows.save(found, tmp_path / "a.narrows")
    assert narrows.load(tmp_path / "a.narrows").intrinsic_dimension_ is None


def test_what_reads_a_number_has_one(flat):
    assert list(flat.get_feature_names_out()) == ["autoencodercv0", "autoencodercv1"]
    assert flat.inverse_transform(flat.transform(plane())).shape == (90, 6)
    assert "svg" in flat._repr_html_()
    assert not hasattr(clone(flat), "bottleneck_")
    assert clone(flat).bottleneck == range(1, 4)
    assert flat._lane_weights(6) == AutoencoderCV(3, **QUICK)._lane_weights(6)


# What is refused, and what is left out


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"bottleneck": []}, "be a sequence of at least one width"),
        ({"bottleneck": "2"}, "or a sequence of such ints. Got '2' instead"),
        ({"bottleneck": 0}, "or a sequence of such ints. Got 0 instead"),
        ({"bottleneck": [1, 0]}, r"be an int in the range \[1, inf\). Got 0 instead"),
        ({"bottleneck": [1, 2.5]}, r"be an int in the range \[1, inf\). Got 2.5 instead"),
        ({"bottleneck": [6, 7]}, "have a width below 6.*Got 6, 7 for 6 columns instead"),
        (
            {"bottleneck": [1, 2], "param_distributions": {"bottleneck": [1, 2]}},
            "leave out 'bottleneck' beside several widths. Got it in both",
        ),
        ({"bottleneck": [1, 2], "encoder": len}, "'encoder' .* be widths of layers"),
        (
            {"bottleneck": [1, 2], "param_distributions": {"encoder": [len]}},
            "'encoder' .* be widths of layers",
        ),
    ],
)
def test_what_cannot_be(parameters, said):
    with pytest.raises(ValueError, match=said):
        AutoencoderCV(**{**QUICK, **parameters}).fit(plane())


def test_widths_that_compress_nothing_are_left_out():
    said = "leaves out the widths 3, 4: there are 3 columns.*Give widths below 3"
    with pytest.warns(UserWarning, match=said):
        found = AutoencoderCV([4, 2, 3, 2], **QUICK, epochs=2).fit(curved())
    assert found.widths_["bottleneck"].tolist() == [2]


def test_columns_that_follow_from_others_are_no_dimensions():
    rows = plane()
    assert spanned(rows) == 6
    more = np.c_[rows, rows[:, :2].sum(axis=1), np.ones(90)]
    assert spanned(more.astype(np.float32)) == 6
    assert spanned(plane(4)) == 6  # few rows say nothing of columns
    assert spanned(np.ones((5, 2))) == 0
    with pytest.warns(UserWarning, match="the width 2: there are 4 columns, which span 2 dimens"):
        found = AutoencoderCV([1, 2], **QUICK, epochs=2).fit(np.c_[rows[:, :2], more[:, 6:]])
    assert found.bottleneck_ == 1


def test_many_rows_are_thinned_for_their_dimension():
    rows = np.random.default_rng(0).normal(size=(10_500, 2))
    assert dimension_of(rows, 0).n_rows == 10_000
    assert dimension_of(rows, 0) == dimension_of(rows, 0)


# The rule, worked by hand


def test_a_code_takes_its_share_of_the_dimensions_along():
    # One of four dimensions: 9 / (3/4)² = 16; three of four: 1 / (1/4)² = 16.
    assert cell_errors(np.array([9.0]), 1, 4) == 16
    assert cell_errors(np.array([1.0]), 3, 4) == 16
    assert np.isnan(cell_errors(np.array([1.0]), 4, 4)).all()


def test_the_smallest_width_within_a_standard_error_of_the_best_is_taken():
    best = np.array([1.0, 2.0, 3.0])
    # (.1, .2, −.2): mean .033, standard error .208/√3 = .12; (.1, .2, 0): .1 and .058.
    near, far = best + np.array([0.1, 0.2, -0.2]), best + np.array([0.1, 0.2, 0.0])
    assert choose_width(np.stack([far, near, best, far]), THIRDS) == 1
    assert choose_width(np.stack([far, far, best, near]), THIRDS) == 2
    # Paired by fold: folds differ by far more than a tenth.
    assert choose_width(np.stack([best * 100 + 0.1, best * 100]), THIRDS) == 1
    assert choose_width(np.stack([best, best]), THIRDS) == 0


def test_a_width_that_diverged_is_not_taken():
    best, lost = np.ones(3), np.full(3, np.nan)
    assert choose_width(np.stack([lost, best + 1, best, lost]), THIRDS) == 2


def test_folds_count_by_their_rows():
    cells = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 2.0]])
    assert choose_width(cells, THIRDS) == 0
    # Mean difference .8, standard error 1.155/√3 = .67.
    assert choose_width(cells, np.array([0.9, 0.05, 0.05])) == 1


def test_the_table_by_hand():
    one = Width(1, np.array([2.0, 4.0]), np.array([6.0, 6.0]), 250)
    two = Width(2, np.array([1.0, 1.0]), np.array([0.0, 0.0]), 0)
    table = widths_frame([one, two], 1, np.array([0.5, 0.5]), 4)
    # One degree of freedom: 12.706 · √2 / √2.
    assert table["low"][0] == pytest.approx(3 - 12.7062047)
    assert table["high"][0] == pytest.approx(3 + 12.7062047)
    assert table["ratio"][0] == 0.5
    assert np.isnan(table["ratio"][1])
    assert table["cell_error"].tolist() == [pytest.approx(3 * 16 / 9), 4]
    assert table["chosen"].tolist() == [False, True]
    assert table["steps"].tolist() == [250, 0]


# Figures


@pytest.mark.parametrize("kind", ["curve", "candidates", "widths"])
def test_there_is_a_figure(fitted, kind):
    assert narrows.plots.figure_svg(fitted.plot(kind)).startswith("<?xml")


def test_candidates_are_those_of_the_width_in_use(fitted):
    assert fitted.plot("candidates").labels.x == "held-out error at width 1, mse"
    assert len(fitted.plot("candidates").data) == 1
    assert len(fitted.cv_results_["params"]) == 2


def test_no_such_figure(fitted):
    with pytest.raises(ValueError, match="Did you mean 'widths'"):
        fitted.plot("width")
