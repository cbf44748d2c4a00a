"""Rows that are neighbours in one space and not in the other, and by how many ranks."""

from narrows.quality._neighbourhoods import Neighbourhoods


def intrusion(own: Neighbourhoods, other: Neighbourhoods) -> tuple[float, float]:
    """Sum up the neighbours in one space that are not neighbours in the other."""
    rows, others = own.pairs()
    weight = own.weights(rows, others) - other.weights(rows, others)
    strange = weight > 0
    weight, rows, others = weight[strange], rows[strange], others[strange]
    return float(weight.sum()), float(weight @ other.ranks_beyond(rows, others))


def kept(excess: float, n_rows: int, n_neighbors: int) -> float:
    """Return trustworthiness or continuity for the ranks beyond, of all rows."""
    n, k = n_rows, n_neighbors
    return 1 - excess * 2 / (n * k * (2 * n - 3 * k - 1))


def agreement(count: float, n_rows: int, n_neighbors: int) -> float:
    """Return the agreement for the number of neighbours in one space only, of all rows."""
    return 1 - count / (n_rows * n_neighbors)
