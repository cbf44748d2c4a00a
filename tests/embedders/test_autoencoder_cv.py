"""The autoencoder that chooses by cross-validation: folds, candidates, the choice, the result."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold

import narrows
from narrows import AutoencoderCV
from narrows.embedders.tuning._candidates import candidates_of, programs
from narrows.embedders.tuning._choice import choose
from narrows.embedders.tuning._folds import folds_of

QUICK = {
    "encoder": (8,), "random_state": 0, "cv": 3,
    "param_distributions": {"learning_rate": [3e-3, 1e-2]},
}  # fmt: skip


def curved(rows=120, seed=0, noise=0.05):
    """Rows on a parabola in three columns: one dimension that no line follows."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(-1, 1, rows)
    return np.c_[t, 2 * t**2, t**3] + noise * rng.normal(size=(rows, 3))


@pytest.fixture(scope="module")
def fitted():
    return AutoencoderCV(1, **QUICK).fit(curved())


# What comes out


def test_it_beats_pca_where_rows_are_curved(fitted):
    new = curved(seed=1)
    assert fitted.score(new) > 0.3 * narrows.PCA(1).fit(curved()).score(new)
    assert fitted.best_steps_ > 0


def test_it_is_pca_where_nothing_can_be_learned():
    rows = np.random.default_rng(0).normal(size=(60, 4))
    found = AutoencoderCV(2, weight_decay=0.0, **QUICK).fit(rows)
    assert found.best_steps_ == 0
    pca = narrows.PCA(2).fit(rows)
    assert found.score(rows) == pytest.approx(pca.score(rows), rel=1e-5)
    assert len(found.history_) == 1


def test_the_curve_starts_at_the_held_out_error_of_pca(fitted):
    rows, errors = curved(), []
    for train, test in KFold(3, shuffle=True, random_state=0).split(rows):
        pca = narrows.PCA(1).fit(rows[train])
        errors.append(pca.reconstruction_error(rows[test]).mean())
    assert fitted.curve_["error"].iloc[0] == pytest.approx(np.mean(errors), rel=1e-4)
    assert fitted.curve_["step"].iloc[0] == 0
    assert fitted.curve_["standard_error"].iloc[0] == 0
    assert fitted.curve_["chosen"].sum() == 1


def test_results_are_those_of_scikit_learns_searches(fitted):
    table = pd.DataFrame(fitted.cv_results_)
    assert len(table) == 2
    folds = table[[f"split{fold}_test_score" for fold in range(3)]]
    np.testing.assert_allclose(table["mean_test_score"], folds.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(table["std_test_score"], folds.std(axis=1, ddof=0), rtol=1e-6)
    assert sorted(table["rank_test_score"]) == [1, 2]
    assert fitted.best_params_ in list(table["params"])
    assert table["param_learning_rate"].tolist() == [3e-3, 1e-2]


def test_all_rows_are_passed_over_as_often_as_a_folds(fitted):
    chosen = fitted.curve_[fitted.curve_["chosen"]].iloc[0]
    passes = chosen["step"] * 32 / 80
    assert fitted.best_steps_ * 32 / 120 == pytest.approx(passes, rel=0.05)


def test_same_seed_same_bits(fitted):
    again = clone(fitted).fit(curved())
    np.testing.assert_array_equal(again.transform(curved()), fitted.transform(curved()))
    pd.testing.assert_frame_equal(again.curve_, fitted.curve_, check_exact=True)


def test_a_file_keeps_what_was_found(fitted, tmp_path):
    narrows.save(fitted, tmp_path / "a.narrows")
    again = narrows.load(tmp_path / "a.narrows")
    np.testing.assert_array_equal(again.transform(curved()), fitted.transform(curved()))
    assert again.best_params_ == fitted.best_params_
    assert again.best_steps_ == fitted.best_steps_
    pd.testing.assert_frame_equal(again.curve_, fitted.curve_)
    one, other = (pd.DataFrame(found.cv_results_) for found in (again, fitted))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)
    refitted = again.fit(curved())
    np.testing.assert_array_equal(refitted.transform(curved()), fitted.transform(curved()))


def test_weights_of_rows_count():
    rows = np.r_[curved(), np.random.default_rng(1).normal(size=(60, 3)) * 5]
    weights = np.r_[np.ones(120), np.zeros(60)]
    found = AutoencoderCV(1, **QUICK).fit(rows, sample_weight=weights)
    assert found.score(curved(seed=1)) > -0.05


# Folds


def test_rows_that_repeat_others_stay_in_one_fold():
    rows = np.repeat(curved(30), 3, axis=0)
    for train, test in folds_of("f", rows, 5, None, 0):
        assert not set(map(tuple, rows[train])) & set(map(tuple, rows[test]))


def test_groups_stay_in_one_fold_and_so_do_equal_rows_of_two_groups():
    rows, groups = curved(60), np.arange(60) // 2
    rows[2] = rows[11]  # of the groups 1 and 5
    for train, _ in folds_of("f", rows, 4, groups, 0):
        inside = [set(np.flatnonzero(groups == group)) <= set(train) for group in range(30)]
        outside = [not set(np.flatnonzero(groups == group)) & set(train) for group in range(30)]
        assert all(np.add(inside, outside) == 1)
        assert inside[1] == inside[5]


def test_without_repeats_folds_are_scikit_learns():
    rows = curved(50)
    found = folds_of("f", rows, 5, None, 3)
    expected = list(KFold(5, shuffle=True, random_state=3).split(rows))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one[1], other[1])


def test_a_splitter_and_pairs_are_taken():
    groups = np.arange(60) % 6
    pairs = folds_of("f", curved(60), GroupKFold(3), groups, 0)
    assert len(pairs) == 3
    assert len(folds_of("f", curved(60), pairs, None, 0)) == 3


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"cv": 1}, "'cv' parameter of AutoencoderCV must be an int of at least 2"),
        ({"cv": 500}, "'cv' parameter of AutoencoderCV must be at most 120"),
        ({"cv": 2.5}, "'cv' parameter of AutoencoderCV must be an int of at least 2"),
        ({"param_distributions": {"learning": [1]}}, "Did you mean 'learning_rate'"),
        ({"param_distributions": {"noise": 3}}, "a list or a distribution for 'noise'"),
        ({"param_distributions": {}}, "be a mapping"),
        ({"param_distributions": {"weight_decay": [-1]}}, "'weight_decay' parameter"),
        ({"n_iter": 0}, "'n_iter' parameter of AutoencoderCV must be an int"),
    ],
)
def test_what_cannot_be(parameters, said):
    with pytest.raises(ValueError, match=said):
        AutoencoderCV(1, **{**QUICK, **parameters}).fit(curved())


# Candidates


def test_small_grids_are_whole_and_large_ones_are_drawn():
    grid = {"learning_rate": [1, 2], "noise": [0.0, 0.1, 0.2]}
    assert len(candidates_of("f", grid, 6, 0)) == 6
    drawn = candidates_of("f", grid, 4, 0)
    assert len(drawn) == 4
    assert drawn == candidates_of("f", grid, 4, 0)
    space = {"learning_rate": stats.loguniform(1e-4, 1e-1)}
    assert len({one["learning_rate"] for one in candidates_of("f", space, 5, 0)}) == 5


def test_what_costs_no_compiling_shares_a_program():
    grid = {"learning_rate": [1e-3, 1e-2], "weight_decay": [0.0, 0.1], "encoder": [(4,), (8,)]}
    found = programs(candidates_of("f", grid, 8, 0))
    assert sorted(map(len, found)) == [4, 4]


def test_another_kind_of_noise_is_another_program():
    grid = {"noise": [0.0, 0.3, ("masking", 0.2), ("masking", 0.1)]}
    assert sorted(map(len, programs(candidates_of("f", grid, 8, 0)))) == [2, 2]


# The choice, worked by hand

THIRDS = np.ones(3) / 3


def test_the_start_is_kept_within_a_standard_error_of_the_best():
    # Differences from the best end: (.1, .2, .0), mean .1, standard error .1/√3 = .058.
    ends = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    start = ends[0] + [0.1, 0.2, 0.0]
    assert choose(start, ends, np.array([9, 9]), THIRDS) == (0, True, 0)
    # (.1, .2, −.2): mean .033, standard error .208/√3 = .12.
    start = ends[0] + [0.1, 0.2, -0.2]
    assert choose(start, ends, np.array([9, 9]), THIRDS) == (0, False, 0)


def test_differences_are_paired_by_fold():
    # Folds differ by far more than the tenth by which the end is better in each of them.
    ends = np.array([[1.0, 20.0, 300.0]])
    assert choose(ends[0] + 0.1, ends, np.array([9]), THIRDS).trained


def test_a_smaller_network_within_a_standard_error_is_taken():
    start = np.full(3, 9.0)
    ends = np.array([[1.0, 2.0, 3.0], [1.1, 1.9, 3.1], [1.5, 2.6, 3.5]])
    assert choose(start, ends, np.array([50, 20, 10]), THIRDS) == (1, True, 0)
    assert choose(start, ends, np.array([20, 50, 50]), THIRDS) == (0, True, 0)


def test_folds_count_by_their_rows():
    ends = np.array([[1.0, 5.0], [2.0, 1.0]])
    start = np.full(2, 9.0)
    assert choose(start, ends, np.array([9, 9]), np.array([0.9, 0.1])).best == 0
    assert choose(start, ends, np.array([9, 9]), np.array([0.5, 0.5])).best == 1


def test_what_diverged_is_not_taken():
    start = np.full(2, 2.0)
    ends = np.array([[0.1, np.nan], [1.5, 1.4]])
    assert choose(start, ends, np.array([9, 9]), np.ones(2) / 2) == (1, True, 1)
    with pytest.raises(ValueError, match="infinite or not a number"):
        choose(start, np.full((1, 2), np.nan), np.array([1]), np.ones(2) / 2)


def test_the_best_third_is_trained_for_all_of_the_length(fitted):
    table = pd.DataFrame(fitted.cv_results_)
    assert set(table["steps"]) <= {250, 1000}
    many = clone(fitted).set_params(
        param_distributions={"learning_rate": [1e-12, 1e-11, 1e-3, 3e-3, 1e-2, 3e-2]}
    )
    steps = many.fit(curved()).cv_results_["steps"]
    assert steps[:2].tolist() == [250, 250]
    assert (steps == 1000).sum() in (1, 2)
