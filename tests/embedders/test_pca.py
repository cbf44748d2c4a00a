import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from narrows.data import iris, partition
from narrows.embedders._pca import PCA


@parametrize_with_checks([PCA(n_components=1), PCA(n_components=1, standardize=True)])
def test_scikit_learn_contract(estimator, check):
    with warnings.catch_warnings():
        # Some checks have constant columns on purpose.
        warnings.filterwarnings("ignore", "PCA keeps constant columns", UserWarning)
        check(estimator)


@pytest.fixture
def table():
    return iris().iloc[:, :4]


def by_hand(X, standardize):
    centred = X - X.mean(axis=0)
    if standardize:
        centred = centred / X.std(axis=0, ddof=1)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return centred @ axes[:2].T


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_training_scores_equal_a_decomposition_by_hand(table, seed, standardize):
    train, _ = partition(iris()["Species"], random_state=seed)
    X = table.to_numpy()[train]
    scores = PCA(standardize=standardize).fit_transform(X)
    np.testing.assert_allclose(scores, by_hand(X, standardize), atol=1e-10)


def test_loadings_and_deviations_equal_prcomp(table):
    # R: prcomp(iris[, 1:4], scale. = TRUE), rotation and sdev.
    rotation = np.array(
        [
            [0.5210659, -0.2693474, 0.5804131, 0.5648565],
            [-0.37741762, -0.92329566, -0.02449161, -0.06694199],
        ]
    )
    pca = PCA(n_components=4, standardize=True).fit(table)
    signs = np.sign((pca.components_[:2] * rotation).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(signs * pca.components_[:2], rotation, atol=1e-7)
    sdev = [1.7083611, 0.9560494, 0.3830886, 0.1439265]
    np.testing.assert_allclose(np.sqrt(pca.explained_variance_), sdev, atol=1e-7)


def test_raw_axes_equal_scikit_learns(table):
    ours = PCA().fit(table)
    theirs = sklearn.decomposition.PCA(n_components=2).fit(table)
    np.testing.assert_allclose(np.abs(ours.components_), np.abs(theirs.components_), atol=1e-10)
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-10)


def test_scores_have_the_stated_variance_and_the_test_rows_do_not_matter(table):
    train, test = partition(iris()["Species"], random_state=0)
    pca = PCA(standardize=True).fit(table.iloc[train])
    scores = pca.transform(table.iloc[train])
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scores.var(axis=0, ddof=1), pca.explained_variance_)
    one_by_one = np.vstack([pca.transform(table.iloc[[row]]) for row in test])
    np.testing.assert_allclose(pca.transform(table.iloc[test]), one_by_one, atol=1e-12)


@pytest.mark.parametrize("standardize", [True, False])
def test_inverse_with_all_components_is_exact_and_with_two_is_not(table, standardize):
    every = PCA(n_components=4, standardize=standardize)
    np.testing.assert_allclose(every.inverse_transform(every.fit_transform(table)), table)
    two = PCA(n_components=2, standardize=standardize)
    error = np.abs(two.inverse_transform(two.fit_transform(table)) - table.to_numpy())
    assert 0.1 < error.max() < 2


def test_reconstruction_equals_scikit_learns(table):
    train, test = partition(iris()["Species"], random_state=0)
    ours, theirs = PCA().fit(table.iloc[train]), sklearn.decomposition.PCA(2)
    theirs.fit(table.iloc[train].to_numpy())
    X = table.iloc[test].to_numpy()
    rebuilt = theirs.inverse_transform(theirs.transform(X))
    np.testing.assert_allclose(ours.reconstruct(table.iloc[test]), rebuilt, atol=1e-12)
    squared = (rebuilt - X) ** 2
    for by, expected in [("cell", squared), ("row", squared.mean(1)), ("column", squared.mean(0))]:
        found = ours.reconstruction_error(table.iloc[test], by=by)
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert ours.score(table.iloc[test]) == pytest.approx(-squared.mean(), abs=1e-12)


def test_the_error_by_hand():
    # The only axis is (1, 1) / √2; the last row is 2 off it in both columns.
    X = np.array([[-3.0, -3.0], [3.0, 3.0], [-2.0, 2.0], [2.0, -2.0]])
    pca = PCA(1).fit(X)
    np.testing.assert_allclose(pca.reconstruct(X)[2:], 0, atol=1e-12)
    np.testing.assert_allclose(pca.reconstruction_error(X), [0, 0, 4, 4], atol=1e-12)
    assert pca.score(X) == pytest.approx(-2)


def test_the_error_of_standardized_columns_is_in_their_own_units(table):
    pca = PCA(standardize=True).fit(table)
    deviation = table.to_numpy() - pca.inverse_transform(pca.transform(table))
    by_column = (deviation**2).mean(axis=0)
    np.testing.assert_allclose(pca.reconstruction_error(table, by="column"), by_column)


def test_an_unknown_kind_of_error_is_refused(table):
    with pytest.raises(ValueError, match=r"PCA\.reconstruction_error must be 'row', .* Got 'rows'"):
        PCA().fit(table).reconstruction_error(table, by="rows")


def test_constant_column_stays_at_zero_with_one_warning_that_names_it(table):
    table = table.assign(flat=0.1)
    with pytest.warns(UserWarning, match=r"constant columns at zero.*: 'flat'\.") as caught:
        pca = PCA(standardize=True).fit(table)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(pca.components_[:, 4], 0)
    np.testing.assert_allclose(
        np.abs(pca.transform(table)),
        np.abs(PCA(standardize=True).fit_transform(table.iloc[:, :4])),
        atol=1e-10,
    )
    np.testing.assert_array_equal(pca.inverse_transform(pca.transform(table))[:, 4], 0.1)


def test_constant_column_of_an_array_is_named_by_number_and_raw_columns_do_not_warn():
    X = np.column_stack([np.full(6, 3.0), np.arange(6.0), np.arange(6.0) ** 2])
    with pytest.warns(UserWarning, match="'x0'"):
        PCA(standardize=True).fit(X)
    PCA().fit(X)


def test_all_columns_constant_explains_nothing():
    pca = PCA(standardize=False).fit(np.ones((5, 3)))
    assert pca.explained_variance_ratio_.tolist() == [0, 0]


def test_names_come_out_and_wrong_names_are_refused(table):
    pca = PCA().fit(table)
    assert list(pca.get_feature_names_out()) == ["pca0", "pca1"]
    framed = clone(pca).set_output(transform="pandas").fit_transform(table)
    assert isinstance(framed, pd.DataFrame)
    with pytest.raises(ValueError, match="feature names should match"):
        pca.transform(table.iloc[:, ::-1])


@pytest.mark.parametrize("n_components", [0, -1, 1.5, "two", True, None])
def test_components_must_be_a_positive_int(table, n_components):
    with pytest.raises(ValueError, match=r"'n_components' parameter of PCA must be an int in"):
        PCA(n_components=n_components).fit(table)


def test_more_components_than_columns_is_refused(table):
    with pytest.raises(ValueError, match=r"at most 4 for n_samples=150 and n_features=4.* Got 5"):
        PCA(n_components=5).fit(table)


def test_inverse_of_the_wrong_width_is_refused(table):
    with pytest.raises(ValueError, match=r"must have 2 columns, one a component\. Got 3"):
        PCA().fit(table).inverse_transform(np.zeros((2, 3)))


def test_missing_and_text_are_named_by_column(table):
    holed = table.copy()
    holed.iloc[7, 2] = np.nan
    message = rf"PCA needs finite numbers\. Got 1 NaN .* row 7 .* column '{table.columns[2]}'\."
    with pytest.raises(ValueError, match=message):
        PCA().fit(holed)
    with pytest.raises(ValueError, match=message):
        PCA().fit(table).transform(holed)
    with pytest.raises(ValueError, match=r"PCA needs numbers\. .*'kind'"):
        PCA().fit(table.assign(kind="a"))


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_of_other_libraries_give_the_same_bits(table, library):
    pytest.importorskip(library)
    import narwhals

    other = narwhals.from_native(table).to_arrow()
    other = narwhals.from_arrow(other, backend=library).to_native()
    fitted = PCA(standardize=True).fit(other)
    expected = PCA(standardize=True).fit(table)
    assert list(fitted.feature_names_in_) == list(table.columns)
    np.testing.assert_array_equal(fitted.transform(other), expected.transform(table))
