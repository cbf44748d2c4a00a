"""An objective of one's own as the loss of an embedder."""

import pickle

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone

import narrows
from narrows.objectives import (
    Batch,
    LogLikelihood,
    Losses,
    Objective,
    Reconstruction,
    Sum,
    Weighted,
)


class UnitLength(Objective):
    """How far codes are from length 1."""

    names = ("length",)

    def __call__(self, batch: Batch) -> Losses:
        length = jnp.sqrt(jnp.sum(batch.code**2, axis=-1) + 1e-12)
        value = batch.mean((length - 1.0) ** 2)
        return Losses(minimised=value, loss=value, terms={"length": value})


def make(loss, kind=narrows.Autoencoder, **more):
    own = {"encoder": (8,)} if kind is narrows.Autoencoder else {}
    settings = {"epochs": 40, "learning_rate": 0.01, "random_state": 0}
    return kind(loss=loss, **settings | own | more)


def circle(weight=1.0):
    return Sum([Reconstruction("mse"), Weighted(UnitLength(), weight)])


@pytest.mark.parametrize("kind", [narrows.Autoencoder, narrows.LinearAutoencoder])
def test_an_objective_is_a_loss(kind, measurements):
    X = (measurements - measurements.mean()) / measurements.std()

    def away(embedder):
        return np.abs(np.linalg.norm(embedder.fit(X).transform(X), axis=1) - 1).mean()

    plain, own = make("mse", kind), make(circle(10.0), kind)
    assert away(plain) > 2 * away(own)
    assert own.history_.columns.tolist() == ["restart", "epoch", "loss", "reconstruction", "length"]
    expected = own.history_["reconstruction"] + 10 * own.history_["length"]
    np.testing.assert_allclose(own.history_["loss"], expected, rtol=1e-5)


def test_the_objective_of_a_name_is_that_name(measurements):
    one, two = (make(loss).fit(measurements) for loss in ("mse", Reconstruction("mse")))
    np.testing.assert_array_equal(one.transform(measurements), two.transform(measurements))
    assert one.history_.equals(two.history_)


def test_penalties_are_added_to_it(measurements):
    fitted = make(LogLikelihood("gaussian"), sparsity=0.1, contraction=0.1).fit(measurements)
    names = ["loss", "reconstruction", "sparsity", "contraction"]
    assert fitted.history_.columns.tolist()[2:] == names


def test_copies_files_and_comparisons_keep_it(measurements, tmp_path):
    fitted = make(circle(), epochs=2).fit(measurements)
    Z = fitted.transform(measurements)
    np.testing.assert_array_equal(clone(fitted).fit(measurements).transform(measurements), Z)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.fit(measurements).transform(measurements), Z)
    narrows.save(fitted, tmp_path / "m.narrows")
    np.testing.assert_array_equal(narrows.load(tmp_path / "m.narrows").transform(measurements), Z)
    found = narrows.compare(
        {"own": fitted}, measurements, np.repeat(["a", "b", "c"], 50), probes="neighbours",
        resampling="2x1", controls=(), seeds=1, random_state=0,
    )  # fmt: skip
    assert found.failures.empty


def test_a_file_names_what_it_does_not_hold(measurements, tmp_path):
    own = circle()
    fitted = make(own, epochs=1).fit(measurements)
    narrows.save(fitted, tmp_path / "m.narrows")
    with pytest.raises(ValueError, match="'loss' parameter of Autoencoder must be the name of"):
        narrows.load(tmp_path / "m.narrows").fit(measurements)
    again = narrows.load(tmp_path / "m.narrows", {"Sum": own})
    np.testing.assert_array_equal(
        again.fit(measurements).transform(measurements), fitted.transform(measurements)
    )


def test_a_metric_must_not_have_the_name_of_its_term(measurements):
    with pytest.raises(ValueError, match="Got length more than once"):
        make(circle(), metrics=[named_length]).fit(measurements)


def named_length(rows, found):
    return jnp.mean((rows - found) ** 2, axis=-1)


named_length.__name__ = "length"


def test_a_class_of_objectives_is_no_objective(measurements):
    with pytest.raises(ValueError, match=r"or a narrows\.objectives\.Objective"):
        make(UnitLength).fit(measurements)
