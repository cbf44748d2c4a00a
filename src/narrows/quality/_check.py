"""What the measures accept: rows in two spaces, and a number of neighbours that fits them."""

from typing import Any

import numpy as np

from narrows._checks import check_integer, check_option, refusal
from narrows.data import to_matrix
from narrows.quality._distances import METRICS


def check_spaces(X: Any, Z: Any, owner: str, min_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same rows in both spaces, float64, images as rows of pixels."""
    x, z = (
        to_matrix(
            values, owner=f"{owner} ({name})", dtype="float64", allow_images=True, min_rows=min_rows
        ).values
        for name, values in (("X", X), ("Z", Z))
    )
    if len(x) != len(z):
        raise refusal(owner, "Z", f"have a row for every row of X, {len(x)} rows", f"{len(z)}")
    return x.reshape(len(x), -1), z.reshape(len(z), -1)


def check_metric(metric: Any, owner: str) -> None:
    """Raise ValueError unless distances of that name are known."""
    check_option(owner, "metric", METRICS, metric)


def check_neighbours(n_neighbors: Any, largest: int, owner: str, why: str) -> int:
    """Return the number of neighbours as an int, or say how many there can be."""
    return check_integer(owner, "n_neighbors", n_neighbors, least=1, most=largest, why=why)


def check_below_half(n_neighbors: Any, n_rows: int, owner: str) -> int:
    """Return the number of neighbours, which ranks beyond them need to be below half the rows."""
    why = f"below half of the {n_rows} rows"
    return check_neighbours(n_neighbors, (n_rows - 1) // 2, owner, why)
