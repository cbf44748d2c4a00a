from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from narrows.quality import neighbour_accuracy


def parts(n_train=60, n_test=25, width=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.choice(["b", "a", "c"], n_train + n_test)
    z = rng.normal(size=(n_train + n_test, width))
    z[:, 0] += 2 * (y == "a")
    return z[:n_train], y[:n_train], z[n_train:], y[n_train:]


def in_loops(z_train, y_train, z_test, y_test, k):
    right = 0
    for row, label in zip(z_test, y_test, strict=True):
        nearest = np.argsort(((z_train - row) ** 2).sum(axis=1))[:k]
        votes = Counter(y_train[nearest])
        right += label == min(votes, key=lambda name: (-votes[name], name))
    return right / len(y_test)


@settings(max_examples=40, deadline=None)
@given(
    width=st.sampled_from([1, 2, 20]), k=st.integers(1, 12), seed=st.integers(0, 10_000),
    kind=st.sampled_from(["float32", "float64"]),
)  # fmt: skip
def test_loops_and_scikit_learn_agree(width, k, seed, kind):
    z_train, y_train, z_test, y_test = parts(width=width, seed=seed)
    z_train, z_test = z_train.astype(kind), z_test.astype(kind)
    found = neighbour_accuracy(z_train, y_train, z_test, y_test, k)
    assert found == pytest.approx(in_loops(z_train, y_train, z_test, y_test, k))
    theirs = KNeighborsClassifier(k).fit(z_train, y_train).score(z_test, y_test)
    assert found == pytest.approx(theirs)


def test_noise_tells_little_and_pixels_tell_much():
    digits = load_digits()
    y = digits.target
    noise = np.random.default_rng(0).normal(size=(len(y), 2))
    assert neighbour_accuracy(noise[:900], y[:900], noise[900:], y[900:]) < 0.15
    images = digits.images
    assert neighbour_accuracy(images[:900], y[:900], images[900:], y[900:]) > 0.9


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [("f4", "f4", "f4"), ("f4", "f8", "f8"), ("f8", "f8", "f8"), ("i4", "i4", "f8")],
)
def test_float32_stays_float32(train, test, expected, monkeypatch):
    seen = []
    fit = KNeighborsClassifier.fit

    def record(self, X, y):
        seen.append(X.dtype)
        return fit(self, X, y)

    monkeypatch.setattr(KNeighborsClassifier, "fit", record)
    z_train, y_train, z_test, y_test = parts()
    neighbour_accuracy(z_train.astype(train), y_train, z_test.astype(test), y_test)
    assert seen == [np.dtype(expected)]


def test_labels_and_rows_of_many_kinds():
    z_train, y_train, z_test, y_test = parts()
    expected = neighbour_accuracy(z_train, y_train, z_test, y_test, 3)
    codes = {"a": 3, "b": 7, "c": 11}
    for convert in (
        list,
        pd.Series,
        pd.Categorical,
        lambda y: pd.Series(y, index=range(5, 5 + len(y)), dtype="category"),
        lambda y: np.array([codes[name] for name in y]),
        lambda y: np.array([codes[name] for name in y], dtype=float),
    ):
        assert neighbour_accuracy(z_train, convert(y_train), z_test, convert(y_test), 3) == expected
    frames = (pd.DataFrame(z, columns=["a", "b", "c"]) for z in (z_train, z_test))
    assert neighbour_accuracy(next(frames), y_train, next(frames), y_test, 3) == expected
    booleans = neighbour_accuracy(z_train, y_train == "a", z_test, y_test == "a", 3)
    assert 0.5 < booleans <= 1


def test_an_unseen_class_is_wrong():
    z = np.array([[0.0], [10.0]])
    assert neighbour_accuracy(z, ["a", "b"], z, ["a", "new"]) == 0.5


def test_bad_input_is_refused():
    z_train, y_train, z_test, y_test = parts()

    def refused(message, **changes):
        given = {"Z_train": z_train, "y_train": y_train, "Z_test": z_test, "y_test": y_test}
        with pytest.raises(ValueError, match=message):
            neighbour_accuracy(**given | changes)

    refused(r"'n_neighbors' .* \[1, 60\], at most the 60 training rows", n_neighbors=61)
    refused("'n_neighbors'", n_neighbors=0)
    refused("'y_train' .* 60 rows of Z_train. Got shape .59,.", y_train=y_train[1:])
    refused("'y_test' .* 25 rows of Z_test. Got shape .25, 1.", y_test=y_test[:, None])
    refused("'y_test' .* 1 missing, the first in row 0", y_test=[None, *y_test[1:]])
    refused(f"'y_test' .* in common .* none instead: 1 here, '{y_train[0]}' there", y_test=[1] * 25)
    refused(r"neighbour_accuracy \(Z_test\) needs finite", Z_test=z_test * np.nan)
    refused("X has 2 features, but neighbour_accuracy is expecting 3", Z_test=z_test[:, :2])
    refused("minimum of 1 is required by neighbour_accuracy .Z_test.", Z_test=z_test[:0], y_test=[])
