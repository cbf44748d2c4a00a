"""How long the full comparison on iris takes, and where the time goes.

Run: ``python benchmarks/comparison.py``. The post's network and PCA under both preprocessings,
with controls, once on 5 × 5 folds and once on 25 bootstraps, 20 seeds, everything refitted: 2,000
trainings. Imports and compiling are within the first one's seconds. As seconds differ between
machines that look alike, Keras's own training of the same network follows in the same process.
"""

import statistics
import time

from _common import arguments, machine, matrix_product_speed, seconds, table, write
from restarts import data, keras_once

import narrows
from narrows.networks import post_decoder, post_encoder

PARTS = ("preprocessing", "embedders", "probes", "quality")


def compared(resampling: str, seeds: int) -> tuple[narrows.Comparison, float]:
    """Run one comparison; return it and its seconds."""
    iris = narrows.datasets.iris()
    arms = {
        "pca": narrows.PCA(2),
        "autoencoder": narrows.Autoencoder(encoder=post_encoder, decoder=post_decoder),
    }
    began = time.perf_counter()
    found = narrows.compare(
        arms, iris.drop(columns="Species"), iris["Species"],
        resampling=resampling, seeds=seeds, random_state=1,
    )  # fmt: skip
    return found, time.perf_counter() - began


def keras_seconds(repeats: int) -> float:
    """Return the median time of one fresh Keras model of the same network and its fit."""
    train, test = data()
    return statistics.median(seconds(lambda: keras_once(train, test)) for _ in range(repeats))


def _summed_up(total: float, alone: float, repeats: int) -> str:
    return (
        f"Both together {total:.0f} s: as long as {total / alone:.0f} fresh Keras models of the "
        f"post's network and their fits, {alone:.1f} s each (median of {repeats}, no forest). A "
        f"float32 matrix product makes {matrix_product_speed():.0f} GFLOP/s here."
    )


def main() -> None:
    """Run both and write the table."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    rows, texts = [], []
    for resampling in ("5x5", "bootstrap:25"):
        found, elapsed = compared(resampling, options.seeds)
        parts = [f"{found.seconds.get(part, 0.0):.1f}" for part in PARTS]
        fits = len(found.frame()[["arm", "preprocess", "resample", "seed"]].drop_duplicates())
        rows.append([resampling, fits, f"{elapsed:.1f}", *parts])
        texts.append(f"```\n{found}\n```")
    total = sum(float(row[2]) for row in rows)
    repeats = max(options.repeats, 3)
    alone = keras_seconds(repeats)
    text = "\n\n".join(
        [
            "# The comparison on iris: time by part",
            f"`python benchmarks/comparison.py --seeds {options.seeds}`; "
            + machine(("keras", "jax", "ydf", "scikit-learn")),
            table(["resampling", "embeddings", "seconds", *PARTS], rows),
            _summed_up(total, alone, repeats),
            *texts,
        ]
    )
    write("comparison.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
