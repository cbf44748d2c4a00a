"""The same rows in every container, and tables as people have them."""

import datetime

import numpy as np
import pandas as pd
import pytest

CONTAINERS = ["numpy", "list", "pandas", "polars", "arrow", "batch"]
TABLES = ["pandas", "polars", "arrow", "batch"]


def contain(columns, kind):
    """Put columns (name → list, None where missing) into a container."""
    if kind in {"numpy", "list"}:
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        return rows if kind == "list" else np.array(rows)
    if kind == "pandas":
        return pd.DataFrame(columns)
    if kind == "polars":
        return pytest.importorskip("polars").DataFrame(columns)
    table = pytest.importorskip("pyarrow").table(columns)
    return table if kind == "arrow" else table.combine_chunks().to_batches()[0]


@pytest.fixture(params=CONTAINERS)
def container(request):
    """Build every container in turn, arrays and lists included."""
    contain({"a": [1]}, request.param)  # skips where the library is missing
    return lambda columns: contain(columns, request.param)


@pytest.fixture(params=TABLES)
def table(request):
    """Build every container with names in turn."""
    contain({"a": [1]}, request.param)
    return lambda columns: contain(columns, request.param)


@pytest.fixture
def mixed():
    """Missing values, dates, booleans, whole numbers, and text nobody would want."""
    day = datetime.date(2024, 2, 29)
    moment = datetime.datetime(1969, 12, 31, 23, 59)
    return {
        "count": [3, 1, 4, 1, 5, 9],
        "maybe": [2, None, 7, 1, None, 8],
        "weight": [1.5, None, 2.25, -3.0, 0.125, 1e-3],
        "member": [True, False, True, True, False, False],
        "smoker": [None, True, False, True, None, True],
        "note": ["<b>bold</b>", "café ☕", None, '😀, "yes"', "<b>bold</b>", ""],
        "born": [day, datetime.date(1960, 1, 1), day, None, day, datetime.date(2001, 9, 9)],
        "seen": [moment, moment, datetime.datetime(2024, 1, 1, 12, 30), None, moment, moment],
    }


@pytest.fixture
def penguins():
    """A table like the Palmer penguins: 344 rows, three kinds of columns, gaps."""
    rng = np.random.default_rng(7)
    n = 344
    species = rng.choice(["Adelie", "Chinstrap", "Gentoo"], n, p=[0.44, 0.2, 0.36])
    big = species == "Gentoo"
    frame = pd.DataFrame(
        {
            "species": pd.Categorical(species, ["Gentoo", "Adelie", "Chinstrap", "Emperor"]),
            "island": rng.choice(["Biscoe", "Dream", "Torgersen"], n),
            "bill_length_mm": (39 + 8 * big + rng.normal(0, 2, n)).round(1),
            "body_mass_g": (3700 + 1300 * big + 25 * rng.integers(-20, 20, n)).astype(float),
            "sex": rng.choice(["Female", "Male"], n),
            "year": rng.integers(2007, 2010, n),
        }
    )
    gaps = rng.choice(n, 11, replace=False)
    frame.loc[gaps, "sex"] = None
    frame.loc[gaps[:2], ["bill_length_mm", "body_mass_g"]] = np.nan
    return frame
