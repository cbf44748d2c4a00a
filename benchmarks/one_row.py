"""The embedding of one row, once warm: narrows against Keras's ``predict`` and a direct call.

Run: ``python benchmarks/one_row.py``. Contestants run in turn in one process.
"""

import statistics

import numpy as np
from _common import arguments, machine, seconds, table, write
from sklearn.base import clone

import narrows


def main() -> None:
    """Measure and write the table."""
    options = arguments(__doc__).parse_args()
    frame = narrows.datasets.iris().drop(columns="Species")
    rows = frame.to_numpy("float32")
    network = narrows.Autoencoder(encoder=(150, 50, 25), residual=False, epochs=2, random_state=0)
    named, plain = clone(network).fit(frame), clone(network).fit(rows)
    one, one_named = rows[:1], frame.iloc[:1]
    contestants = {
        "narrows, NumPy row": lambda: plain.transform(one),
        "narrows, pandas row": lambda: named.transform(one_named),
        "Keras, direct call": lambda: np.asarray(plain.encoder_(one)),
        "Keras, predict": lambda: plain.encoder_.predict(one, verbose=0),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(100 * options.repeats):
        for name, run in contestants.items():
            times[name].append(seconds(run))
    medians = {name: statistics.median(measured) for name, measured in times.items()}
    slowest = medians["Keras, predict"]
    text = "\n\n".join(
        [
            "# One row through an encoder (4-150-50-25-2), once warm",
            f"`python benchmarks/one_row.py --repeats {options.repeats}`, medians; "
            + machine(("keras", "jax", "numpy", "pandas"))
            + ".",
            table(
                ["contestant", "milliseconds", "× Keras's predict"],
                [
                    [name, f"{1000 * took:.2f}", f"{slowest / took:.1f}"]
                    for name, took in medians.items()
                ],
            ),
        ]
    )
    write("one_row.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
