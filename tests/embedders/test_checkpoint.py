import numpy as np
import pytest

import narrows


def embedders():
    small = {"encoder": (6,), "epochs": 3, "random_state": 1}
    return [
        narrows.Autoencoder(restarts=3, validation_fraction=0.2, patience=2, **small),
        narrows.LinearAutoencoder(epochs=3, random_state=1),
        narrows.VariationalAutoencoder(**small),
        narrows.ParametricTSNE(landmarks=20, map_steps=20, **small),
    ]


@pytest.mark.parametrize("embedder", embedders(), ids=lambda e: type(e).__name__)
def test_a_fit_with_a_checkpoint_is_the_fit_without(embedder, tmp_path):
    X = narrows.datasets.iris().drop(columns="Species")
    plain = embedder.fit_transform(X)
    path = tmp_path / "fit.checkpoint"
    first = embedder.fit(X, checkpoint=path).transform(X)
    again = embedder.fit(X, checkpoint=path).transform(X)
    np.testing.assert_array_equal(first, plain)
    np.testing.assert_array_equal(again, plain)


@pytest.mark.parametrize("embedder", embedders()[::3], ids=lambda e: type(e).__name__)
def test_a_seed_is_needed(embedder, tmp_path):
    X = narrows.datasets.iris().drop(columns="Species")
    with pytest.raises(ValueError, match="With a checkpoint, the 'random_state' parameter"):
        embedder.set_params(random_state=None).fit(X, checkpoint=tmp_path / "c")
    assert not list(tmp_path.iterdir())
