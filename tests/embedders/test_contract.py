"""What scikit-learn asks of an estimator, asked of every embedder."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import narrows

# Small networks and few epochs, of one kind, so that all checks share their compiled programs.
EMBEDDERS = [
    narrows.Autoencoder(bottleneck=1, encoder=(4,), epochs=2, random_state=0),
    narrows.PCA(n_components=1),
]

# Checks that cannot hold, by class, with the reason.
CANNOT_HOLD = {
    "Autoencoder": {
        "check_sample_weight_equivalence_on_dense_data": (
            "batches are drawn by row: a row of weight 2 is seen once, a row that stands twice is "
            "seen twice, in other batches"
        ),
    },
}


def test_the_list_is_not_empty():
    assert {type(embedder).__name__ for embedder in EMBEDDERS} == {"Autoencoder", "PCA"}


def test_a_reason_names_a_check_that_exists():
    from sklearn.utils.estimator_checks import estimator_checks_generator

    for embedder in EMBEDDERS:
        names = {
            getattr(check, "func", check).__name__
            for _, check in estimator_checks_generator(embedder, legacy=True)
        }
        assert set(CANNOT_HOLD.get(type(embedder).__name__, {})) <= names


@parametrize_with_checks(
    EMBEDDERS, expected_failed_checks=lambda one: CANNOT_HOLD.get(type(one).__name__, {})
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("embedder", EMBEDDERS, ids=lambda one: type(one).__name__)
def test_embedders_offer_what_a_comparison_needs(embedder, measurements):
    fitted = embedder.fit(measurements)
    Z = fitted.transform(measurements)
    assert Z.shape == (150, 1)
    assert fitted.inverse_transform(Z).shape == (150, 4)
    assert len(fitted.get_feature_names_out()) == 1
