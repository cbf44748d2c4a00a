"""What the last look at a fit costs: fits of iris with the guard and without it, in turn.

Run: ``python benchmarks/guard.py``. Without the guard means that neither the sample is computed
nor Keras called; everything is compiled before the clock starts.
"""

import contextlib
import functools
import statistics
from unittest import mock

from _common import arguments, machine, seconds, table, write

import narrows
from narrows.embedders.fitting import _fit


@contextlib.contextmanager
def unguarded():
    """Leave the guard out inside the block."""
    with mock.patch.object(_fit, "verify_lane"):
        yield


def main() -> None:
    """Measure and write the table."""
    options = arguments(__doc__).parse_args()
    X = narrows.datasets.iris().drop(columns="Species").to_numpy()
    rows = []
    for restarts in (1, 100):
        embedder = narrows.Autoencoder(
            encoder=(150, 50, 25), residual=False, epochs=100, batch_size=32, restarts=restarts,
            random_state=0,
        )  # fmt: skip
        fit = functools.partial(embedder.fit, X)
        fit()
        with_guard, without = [], []
        for _ in range(5 * options.repeats if restarts == 1 else options.repeats):
            with_guard.append(seconds(fit))
            with unguarded():
                without.append(seconds(fit))
        one, other = statistics.median(with_guard), statistics.median(without)
        rows.append([f"{restarts}", f"{one:.3f}", f"{other:.3f}", f"{one / other:.3f}"])
    text = "\n\n".join(
        [
            "# The guard of a fit: iris, 4-150-50-25-2 and back, 100 epochs, once warm",
            f"`python benchmarks/guard.py --repeats {options.repeats}`, medians; "
            + machine(("keras", "jax", "numpy"))
            + ".",
            table(["restarts", "seconds with", "seconds without", "with / without"], rows),
        ]
    )
    write("guard.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
