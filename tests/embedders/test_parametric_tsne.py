"""The embedders by t-SNE: places of new rows, with and without a map, decoders, bad input."""

import contextlib
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils._param_validation import InvalidParameterError

import narrows
from narrows._keras import keras


@pytest.fixture(scope="module")
def digits():
    """Training rows and labels, other rows and labels."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.astype("float32"), y, test_size=0.3, random_state=0, stratify=y)


SETTINGS = {"encoder": (200, 200), "epochs": 60, "random_state": 0}


def make(**changes):
    """An encoder of a map."""
    steps = {} if "places" in changes else {"map_steps": 300}
    return narrows.TSNEMapEncoder(**SETTINGS | steps | changes)


def of_batches(**changes):
    return narrows.ParametricTSNE(**SETTINGS | changes)


@pytest.fixture(scope="module")
def mapped(digits):
    """An embedder with a map; tests must not change it."""
    return make().fit(digits[0])


def first_neighbour(Z, labels, new, new_labels):
    return KNeighborsClassifier(1).fit(Z, labels).score(new, new_labels)


@pytest.mark.long
def test_new_rows_are_near_rows_of_their_class_where_pca_has_them_mixed(digits, mapped):
    train, test, labels, test_labels = digits
    pca = narrows.PCA(2).fit(train)
    by_pca = first_neighbour(pca.transform(train), labels, pca.transform(test), test_labels)
    assert by_pca < 0.65
    Z = mapped.transform(train)
    assert first_neighbour(Z, labels, mapped.transform(test), test_labels) > by_pca + 0.25
    assert first_neighbour(mapped.embedding_, labels, Z, labels) > 0.95


@pytest.mark.long
def test_refined_rows_are_nearer_to_their_neighbours(digits, mapped):
    _, test, labels, test_labels = digits
    numbers = mapped._reference.nearest(test, 5)[1]
    before, after = mapped.transform(test), mapped.transform(test, refine=True)

    def distance(Z):
        return np.median(np.linalg.norm(Z[:, None] - mapped.embedding_[numbers], axis=2))

    assert distance(after) < 0.9 * distance(before)
    found = first_neighbour(mapped.embedding_, labels, after, test_labels)
    assert found > first_neighbour(mapped.embedding_, labels, before, test_labels)


def test_a_refined_row_does_not_depend_on_the_others(digits, mapped):
    together = mapped.transform(digits[1], refine=True)
    alone = mapped.transform(digits[1][7:8], refine=True)
    np.testing.assert_allclose(alone, together[7:8], atol=1e-2)


@pytest.mark.long
def test_a_fit_repeated_gives_the_same_bits(digits, mapped):
    train, test, *_ = digits
    again = make().fit(train)
    for name in ("embedding_", "landmarks_"):
        np.testing.assert_array_equal(getattr(again, name), getattr(mapped, name))
    np.testing.assert_array_equal(again.transform(test), mapped.transform(test))
    refined = [one.transform(test, refine=True) for one in (again, mapped)]
    np.testing.assert_array_equal(*refined)


def test_the_encoder_is_the_mean_of_landmarks(digits, mapped):
    """From the layers' own weights, in float64."""
    x = digits[1].astype(float)
    for name in ("encoder_1", "encoder_2"):
        kernel, bias = mapped.encoder_.get_layer(name).get_weights()
        x = np.maximum(x @ kernel + bias, 0)
    kernel, bias = mapped.encoder_.get_layer("landmarks").get_weights()
    logits = 4.0 * (x @ kernel + bias)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    expected = shares @ mapped.landmarks_
    np.testing.assert_allclose(mapped.transform(digits[1]), expected, atol=2e-2)
    assert len(mapped.landmarks_) == len(digits[0]) // 4


def test_the_batches_own_loss_falls_and_is_named(digits):
    train, test, labels, test_labels = digits
    embedder = of_batches().fit(train)
    history = embedder.history_
    assert history.columns.tolist() == ["restart", "epoch", "loss", "kl"]
    assert history["kl"].iloc[-1] < 0.7 * history["kl"].iloc[0]
    found = first_neighbour(
        embedder.transform(train), labels, embedder.transform(test), test_labels
    )
    assert found > 0.65
    assert not hasattr(embedder, "embedding_")


@pytest.mark.long
def test_degrees_of_freedom_are_learned(digits):
    embedder = of_batches(degrees_of_freedom="learned", epochs=5).fit(digits[0])
    assert 0.1 < embedder.degrees_of_freedom_ < 10
    assert embedder.degrees_of_freedom_ != 1.0


def test_batches_stay_as_they_are_unless_reshuffled(digits, monkeypatch):
    from narrows.embedders.tsne import _training

    seen = []
    original = _training.train

    def watched(*args, orders=None, **more):
        seen.append(orders)
        return original(*args, orders=orders, **more)

    monkeypatch.setattr(_training, "train", watched)
    for reshuffle in (True, False):
        of_batches(epochs=3, restarts=2, reshuffle=reshuffle).fit(digits[0][:200])
    assert seen[0] is None
    one, two = seen[1]
    assert (one[0] == one[2]).all()
    assert not (one[0] == two[0]).all()
    assert sorted(one[0]) == list(range(200))


@pytest.mark.long
def test_every_term_is_in_the_history(digits):
    history = make(epochs=2, reconstruction_weight=0.5, validation_fraction=0.2).fit(
        digits[0]
    ).history_  # fmt: skip
    names = ["loss", "landmarks", "reconstruction"]
    wanted = ["restart", "epoch", *names, *(f"val_{name}" for name in names)]
    assert history.columns.tolist() == wanted
    expected = history["landmarks"] + 0.5 * history["reconstruction"]
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("kind", [make, of_batches])
def test_a_decoder_afterwards_and_fine_tuning(digits, kind):
    train, test, *_ = digits
    embedder = kind(epochs=10).fit(train)
    Z = embedder.transform(test)
    assert not hasattr(embedder, "inverse_transform")
    with pytest.raises(ValueError, match="Call fit_decoder first"):
        embedder.fine_tune(train)
    embedder.fit_decoder(train, epochs=60)
    np.testing.assert_array_equal(embedder.transform(test), Z)
    assert embedder.inverse_transform(Z).shape == test.shape
    mean_error = np.mean((test - train.mean(axis=0)) ** 2)
    before = -embedder.score(test)
    assert before < 0.85 * mean_error
    embedder.fine_tune(train, epochs=10)
    assert -embedder.score(test) < before
    term = "kl" if kind is of_batches else "landmarks"
    names = ["restart", "epoch", "loss", term, "reconstruction"]
    assert embedder.fine_tuning_history_.columns.tolist() == names
    np.testing.assert_allclose(
        embedder.reconstruct(test), embedder.inverse_transform(embedder.transform(test)), atol=1e-3
    )
    embedder.set_params(epochs=1).fit(train)
    assert not hasattr(embedder, "decoder_")


def test_places_of_ones_own(digits):
    train, *_ = digits
    places = narrows.PCA(3).fit_transform(train)
    embedder = make(bottleneck=3, places=places, landmarks=200).fit(train)
    Z = embedder.transform(train)
    assert np.corrcoef(Z.ravel(), places.ravel())[0, 1] > 0.9
    np.testing.assert_array_equal(embedder.embedding_, np.asarray(places, np.float32))
    with pytest.raises(ValueError, match="1 or 2 dimensions"):
        embedder.transform(train, refine=True)


def as_function(x):
    x = keras.layers.Dense(20, activation="relu")(x)
    return keras.layers.Dense(2)(x)


def as_model():
    inputs = keras.Input((64,))
    return keras.Model(inputs, as_function(inputs))


@pytest.mark.parametrize("encoder", [as_function, as_model()], ids=["function", "model"])
def test_the_head_stands_on_the_hidden_layers(digits, encoder, tmp_path):
    embedder = make(encoder=encoder, epochs=2, map_steps=20, landmarks=10).fit(digits[0])
    widths = [layer.output.shape[1] for layer in embedder.encoder_.layers]
    assert widths == [64, 20, 10, 10, 10, 2]
    narrows.save(embedder, tmp_path / "m.narrows")
    again = narrows.load(tmp_path / "m.narrows").fit(digits[0])
    assert [layer.output.shape[1] for layer in again.encoder_.layers] == widths


@pytest.mark.long
def test_a_file_keeps_the_map(digits, tmp_path):
    train, test, *_ = digits
    places = narrows.PCA(2).fit_transform(train)
    kinds = {
        "map": make(epochs=2, map_steps=20).fit(train).fit_decoder(train, epochs=2),
        "array": make(epochs=2, places=places).fit(train),
        "batches": of_batches(epochs=2, degrees_of_freedom="learned").fit(train),
    }
    for name, embedder in kinds.items():
        narrows.save(embedder, tmp_path / f"{name}.narrows")
        again = narrows.load(tmp_path / f"{name}.narrows")
        refine = {} if name == "batches" else {"refine": True}
        np.testing.assert_array_equal(
            again.transform(test, **refine), embedder.transform(test, **refine)
        )
        for kept in ("embedding_", "landmarks_", "degrees_of_freedom_"):
            assert hasattr(again, kept) == hasattr(embedder, kept)
            if hasattr(again, kept):
                np.testing.assert_array_equal(getattr(again, kept), getattr(embedder, kept))
    again = narrows.load(tmp_path / "map.narrows")
    assert again.decoder_history_.equals(kinds["map"].decoder_history_)
    again.fine_tune(train, epochs=1)


BAD = [
    (make, {"places": np.zeros((5, 3))}, "'places' parameter"),
    (make, {"places": "map"}, "'places' parameter"),
    (make, {"places": np.full((5, 2), np.nan)}, "free of NaN"),
    (make, {"landmarks": 0}, "'landmarks' parameter"),
    (make, {"sharpness": 0.0}, "'sharpness' parameter"),
    (make, {"n_neighbors": 1.5}, "'n_neighbors' parameter"),
    (make, {"map_steps": 0}, "'map_steps' parameter"),
    (make, {"exaggeration": 0.5}, "'exaggeration' parameter"),
    (of_batches, {"exaggeration": 0.5}, "'exaggeration' parameter"),
    (of_batches, {"perplexity": 0.5}, "'perplexity' parameter"),
    (of_batches, {"degrees_of_freedom": "two"}, "'degrees_of_freedom' parameter"),
    (of_batches, {"metrics": ("mae",)}, "'metrics' parameter"),
    (make, {"reconstruction_weight": -1}, "'reconstruction_weight' parameter"),
    (make, {"reshuffle": "yes"}, "'reshuffle' parameter"),
    (make, {"epochs": 0}, "'epochs' parameter"),
    (make, {"batch_size": 0}, "'batch_size' parameter"),
    (make, {"encoder": (0,)}, "'encoder' parameter"),
]


@pytest.mark.parametrize(("kind", "changes", "message"), BAD)
def test_parameters_out_of_range(kind, changes, message, measurements):
    with pytest.raises(InvalidParameterError, match=message):
        kind(**changes).fit(measurements)


def test_neither_class_has_a_parameter_of_the_other():
    names = {kind: set(kind().get_params()) for kind in (make, of_batches)}
    assert {"perplexity", "degrees_of_freedom", "metrics"} == names[of_batches] - names[make]
    assert {"places", "n_neighbors", "map_steps", "landmarks", "sharpness"} == (
        names[make] - names[of_batches]
    )


def test_the_map_shows_its_progress_too(measurements, monkeypatch):
    from narrows.embedders.fitting import _fit
    from narrows.embedders.tsne import _targets

    seen = []

    @contextlib.contextmanager
    def bar(what, unit="", total=None):
        yield lambda done, wanted: seen.append((what, done, wanted, total, unit))

    for module in (_fit, _targets):
        monkeypatch.setattr(module, "progress_bar", bar)
    small = {"encoder": (4,), "epochs": 1, "map_steps": 30, "random_state": 0}
    narrows.TSNEMapEncoder(**small).fit(measurements)
    assert seen == []
    narrows.TSNEMapEncoder(**small, verbose=1).fit(measurements)
    maps = [one for one in seen if one[0] == "mapping"]
    assert maps[-1] == ("mapping", 30, 30, 30, "steps")
    assert {(what, unit) for what, *_, unit in seen} == {
        ("mapping", "steps"), ("training", "epochs"),
    }  # fmt: skip


def test_a_perplexity_that_a_batch_cannot_hold(measurements):
    for changes, largest in (({"perplexity": 60.0}, "49.66"), ({"batch_size": 61}, "20,")):
        with pytest.raises(ValueError, match=f"at most {re.escape(largest)}"):
            of_batches(**changes).fit(measurements)


def test_other_bad_input(measurements, mapped, digits):
    with pytest.raises(ValueError, match="a place for each of the 150 rows"):
        make(places=np.zeros((149, 2))).fit(measurements)
    with pytest.raises(NotFittedError):
        make().fit_decoder(measurements)
    with pytest.raises(ValueError, match=r"'epochs' parameter of TSNEMapEncoder.fit_decoder"):
        mapped.fit_decoder(digits[0], epochs=0)
    decoded = make(epochs=1, map_steps=20, reconstruction_weight=1.0).fit(measurements)
    with pytest.raises(ValueError, match="the 150 rows that it was made of"):
        decoded.fine_tune(measurements[::-1])
