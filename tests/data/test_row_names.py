"""Columns that name the rows are told of, and those that measure something are not."""

import numpy as np
import pandas as pd
import pytest

import narrows
from narrows.data import TablePreprocessor
from narrows.data._row_names import numbers_that_name_rows
from support.warned import warnings_of

rng = np.random.default_rng(0)
COUNT = 30
KEPT = np.sort(rng.choice(np.arange(1, 51), COUNT, replace=False))  # of 50, some were left out
NAMES = {
    "a running number": (np.arange(COUNT), "row"),
    "in another order": (rng.permutation(COUNT) + 1000, "row"),
    "in another order, as floats": (rng.permutation(COUNT) + 1000.0, "row"),
    "with holes": (KEPT, "row"),
    "numbers that are called so": (rng.choice(10**6, COUNT, replace=False), "patient_id"),
    "in capitals": (rng.choice(10**6, COUNT, replace=False), "customerID"),
    "text": (np.array([f"P{n}" for n in range(COUNT)]), "who"),
}
NO_NAMES = {
    "measured": (rng.normal(size=COUNT), "x"),
    "measured, called so": (rng.normal(size=COUNT), "id"),
    "large numbers": (rng.choice(10**6, COUNT, replace=False), "population"),
    "counts": (rng.poisson(9, COUNT), "n"),
    "numbers that repeat": ([*range(COUNT - 1), 0], "row"),
    "a few rows": (np.arange(19), "row"),
    "with a gap": ([*range(COUNT - 1), np.nan], "row"),
    "text that repeats": ([*map(str, range(COUNT - 1)), "0"], "who"),
    "flags": (np.arange(COUNT) > 3, "id"),
    "dates": (pd.date_range("2024-05-01", periods=COUNT), "day"),
    "another word that ends so": (rng.choice(10**6, COUNT, replace=False), "paid"),
}


@pytest.mark.parametrize("how", NAMES)
def test_what_names_rows(how):
    values, name = NAMES[how]
    table = pd.DataFrame({"x": np.resize([0.5, 1.5, 4.0], len(values)), name: values})
    (said,) = warnings_of(lambda: TablePreprocessor().fit(table))
    first = ", ".join(repr(one) for one in pd.Series(values[:3]).convert_dtypes().tolist())
    assert str(said.message) == (
        f"TablePreprocessor learns from column '{name}', with another value in every row "
        f"({first}, …): it seems to name the rows. Drop it (--drop on the command line), unless "
        "that is meant."
    )
    assert said.filename == __file__
    assert not warnings_of(lambda: TablePreprocessor()._fit_quietly(table))


@pytest.mark.parametrize("how", NO_NAMES)
def test_what_does_not(how):
    values, name = NO_NAMES[how]
    assert not warnings_of(lambda: TablePreprocessor().fit(pd.DataFrame({name: values})))


def test_many_levels_are_told_of_once():
    table = pd.DataFrame({"who": [f"P{n}" for n in range(COUNT)]})
    (said,) = warnings_of(lambda: TablePreprocessor(max_levels=5).fit(table))
    assert "Drop the column if it names the rows" in str(said.message)


@pytest.mark.parametrize(
    "embedder", [narrows.PCA(1), narrows.LinearAutoencoder(1, epochs=1)], ids=["pca", "linear"]
)
def test_embedders_name_them(embedder):
    table = pd.DataFrame({"x": rng.normal(size=COUNT), "a": np.arange(COUNT), "b": KEPT})
    owner = type(embedder).__name__
    (said,) = warnings_of(lambda: embedder.fit(table))
    assert str(said.message) == (
        f"{owner} learns from columns 'a', 'b', each with another value in every row (0, 1, 2, …): "
        "they seem to name the rows. Drop them (--drop on the command line), unless that is meant."
    )
    assert said.filename == __file__
    assert not warnings_of(lambda: embedder.fit(table.to_numpy()))  # of a scaler that told of it


def test_whole_numbers_of_any_size_and_images():
    assert not numbers_that_name_rows(np.full((COUNT, 1), 2**63, np.uint64), ["id"])[0]
    ends = np.array([-(2**63), 2**63 - 1] * COUNT)
    assert not numbers_that_name_rows(ends[:, None], ["id"])[0]
    images = np.broadcast_to(np.arange(COUNT)[:, None, None], (COUNT, 2, 2))
    from narrows.data import to_matrix

    assert to_matrix(images, owner="me", allow_images=True, look=True).row_names == ()
