"""How long a training is where nobody says: in steps, whatever the number of rows."""

from narrows.embedders.fitting._fit import Length

_REPORTS = 100  # epochs of a history, where the length is counted in steps
_PASSES, _FEWEST, _MOST = 200, 1000, 4000
_SMALL_BATCH, _LARGE_BATCH = 32, 256
_BATCHES_A_PASS = 64  # at least, before batches grow


def length_for(n_rows: int, epochs: int | None, batch_size: int | None) -> Length:
    """Return the length of a training on so many rows."""
    if batch_size is None:
        batch_size = batch_for(n_rows)
    if epochs is not None:
        return Length(int(epochs), int(batch_size))
    batch_size = min(int(batch_size), n_rows)
    steps = steps_for(n_rows, batch_size)
    return Length(_REPORTS, batch_size, -(-steps // _REPORTS) * batch_size)


def batch_for(n_rows: int) -> int:
    """Return a power of two from 32 to 256: a 64th of the rows, within these bounds."""
    size = _SMALL_BATCH
    while size < _LARGE_BATCH and size * 2 * _BATCHES_A_PASS <= n_rows:
        size *= 2
    return size


def steps_for(n_rows: int, batch_size: int) -> int:
    """Return how many steps: 200 passes over the rows, at least 1,000 and at most 4,000."""
    return min(max(_PASSES * n_rows // batch_size, _FEWEST), _MOST)
