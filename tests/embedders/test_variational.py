"""The variational autoencoder's bound, its distribution of codes, and its samples."""

import numpy as np
import pytest
from scipy import stats
from sklearn.utils._param_validation import InvalidParameterError

import narrows
from narrows._keras import keras

RNG = np.random.default_rng(0)
FACTORS = np.array([[2.0, 1.0, 0.0, -1.0, 0.5], [0.0, 1.0, -1.5, 0.5, 0.0]])
X = (RNG.normal(size=(600, 2)) @ FACTORS + RNG.normal(size=(600, 5)) + 1).astype("float32")


def make(**changes):
    settings = {"encoder": (), "decoder": (), "random_state": 0, "learning_rate": 0.02}
    return narrows.VariationalAutoencoder(**{**settings, **changes})


@pytest.fixture(scope="module")
def linear():
    """A linear network on rows that a linear model with noise of variance 1 made."""
    return make(epochs=4000, batch_size=600, learning_rate=0.01).fit(X)


def factors_covariance():
    """Of the rows' means in probabilistic PCA with two factors and noise of variance 1.

    Tipping and Bishop (1999), doi:10.1111/1467-9868.00196, equation 7 with σ² given.
    """
    covariance = np.cov(X.T.astype(float), bias=True)
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1], vectors[:, ::-1]
    return vectors[:, :2] * (values[:2] - 1) @ vectors[:, :2].T


def best_log_likelihood():
    model = stats.multivariate_normal(X.mean(axis=0), factors_covariance() + np.eye(5))
    return model.logpdf(X).mean()


def test_the_bound_of_a_linear_network_is_the_likelihood_of_probabilistic_pca(linear):
    """Its best value is that likelihood (Lucas et al. 2019, arXiv:1911.02469, section 4)."""
    limit = best_log_likelihood()
    bounds = -linear.history_["loss"].tail(20)
    assert bounds.mean() == pytest.approx(limit, abs=0.01)
    assert bounds.mean() < limit + 3 * bounds.std() / np.sqrt(20)


def test_the_loss_is_the_sum_of_its_terms(linear):
    history = linear.history_
    np.testing.assert_allclose(
        history["loss"], history["reconstruction"] + history["kl"], rtol=1e-5
    )
    weighted = make(epochs=3, beta=0.25, kl_warmup=2).fit(X).history_
    expected = weighted["reconstruction"] + 0.25 * weighted["kl"]
    np.testing.assert_allclose(weighted["loss"], expected, rtol=1e-5)


def test_terms_by_hand_from_the_posterior(linear):
    """The divergence of the codes in use, and the expected log-likelihood by many draws."""
    means, deviations = linear.posterior(X)
    np.testing.assert_array_equal(means, linear.transform(X))
    kl = 0.5 * (deviations**2 + means**2 - 1 - 2 * np.log(deviations)).sum(axis=1).mean()
    assert linear.history_["kl"].iloc[-1] == pytest.approx(kl, abs=0.05)
    draws = np.random.default_rng(1).normal(size=(20, *means.shape))
    rows = [linear.inverse_transform(means + deviations * one) for one in draws]
    expected = np.mean([-stats.norm.logpdf(X, row).sum(axis=1).mean() for row in rows])
    recorded = linear.history_["reconstruction"].tail(20).mean()
    assert recorded == pytest.approx(expected, abs=0.03)


def test_validation_draws_codes_too_and_the_same_ones_after_every_epoch():
    still = make(epochs=3, learning_rate=1e-12).fit(X[:500], validation_data=X[500:])
    assert still.history_["val_loss"].nunique() == 1
    assert still.history_["loss"].nunique() == 3
    at_the_means = 0.5 * ((X[500:] - still.reconstruct(X[500:])) ** 2).sum(axis=1).mean()
    constant = 2.5 * np.log(2 * np.pi)
    assert abs(still.history_["val_reconstruction"][0] - constant - at_the_means) > 1e-3


def test_samples_are_like_the_rows(linear):
    drawn = linear.sample(4000, random_state=0)
    assert drawn.shape == (4000, 5)
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.15)
    # A decoder gives means, without the columns' noise.
    covariance = np.cov(drawn.T)
    assert np.abs(covariance - factors_covariance()).max() < 0.1 * np.abs(covariance).max()
    np.testing.assert_array_equal(linear.sample(3, 7), linear.sample(3, 7))
    assert not np.array_equal(linear.sample(3, 7), linear.sample(3, 8))
    with pytest.raises(ValueError, match=r"'n_rows' parameter of VariationalAutoencoder.sample"):
        linear.sample(0)


def test_a_larger_beta_holds_codes_nearer_to_the_standard_normal():
    divergences = [
        make(epochs=40, beta=beta).fit(X).history_["kl"].iloc[-1] for beta in (0.1, 1, 9)
    ]
    assert divergences[0] > divergences[1] > divergences[2]
    assert divergences[2] < 0.05


def test_probabilities():
    bits = (X.mean(axis=0) < X).astype("float32")
    model = narrows.VariationalAutoencoder(
        encoder=(8,), likelihood="bernoulli", epochs=20, random_state=0
    ).fit(bits)
    drawn = model.sample(50, 0)
    assert ((drawn > 0) & (drawn < 1)).all()
    # Five fair coins, each known for itself alone, take 5 log 2 nats.
    assert model.history_["loss"].iloc[0] == pytest.approx(5 * np.log(2), abs=0.5)
    with pytest.raises(ValueError, match=r"between 0 and 1 for likelihood='bernoulli'"):
        narrows.VariationalAutoencoder(likelihood="bernoulli").fit(X)


def test_an_encoder_of_ones_own_gives_both_halves():
    def encoder(x):
        return keras.layers.Dense(4, name="both")(x)

    model = make(encoder=encoder, epochs=2).fit(X)
    both = X @ model.posterior_.get_layer("both").kernel + model.posterior_.get_layer("both").bias
    means, deviations = model.posterior(X)
    np.testing.assert_allclose(means, both[:, :2], atol=1e-5)
    np.testing.assert_allclose(deviations, np.exp(both[:, 2:] / 2), rtol=1e-4)
    with pytest.raises(ValueError, match=r"\(None, 4\), 2 means and then 2 log variances"):
        make(encoder=lambda x: keras.layers.Dense(2)(x)).fit(X)


def test_all_weights_are_listed(linear):
    layers = linear.weights()["layer"].unique().tolist()
    assert layers == ["bottleneck", "log_variance", "reconstruction"]
    assert "sampling (Sampling)" in linear.summary()
    for used, kept in zip(linear._whole.get_weights(), linear.restarts_.weights[0], strict=True):
        np.testing.assert_array_equal(used, kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [("beta", -1.0), ("kl_warmup", -1), ("kl_warmup", 0.5), ("likelihood", "poisson"),
     ("likelihood", None)],
)  # fmt: skip
def test_parameters(name, value):
    wanted = f"The '{name}' parameter of VariationalAutoencoder must be"
    with pytest.raises(InvalidParameterError, match=wanted):
        make(**{name: value}).fit(X)
