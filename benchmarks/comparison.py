"""How long the full comparison on iris takes, and where the time goes.

Run: ``python benchmarks/comparison.py``. The post's network and PCA under both preprocessings,
with controls, once on 5 × 5 folds and once on 25 bootstraps, 20 seeds, everything refitted: 2,000
trainings. Each run is a process of its own, and compiling is within the first comparison's seconds;
runs that may reuse compiled programs from the disk and runs that may not take turns. As seconds
differ between machines that look alike, Keras's own training of the same network follows.
"""

import json
import os
import statistics
import subprocess
import sys
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
        "autoencoder": narrows.Autoencoder(
            encoder=post_encoder, decoder=post_decoder, epochs=100, batch_size=32
        ),
    }
    began = time.perf_counter()
    found = narrows.compare(
        arms, iris.drop(columns="Species"), iris["Species"],
        resampling=resampling, seeds=seeds, random_state=1,
    )  # fmt: skip
    return found, time.perf_counter() - began


def run(seeds: int) -> dict[str, list]:
    """Compare by both resamplings; return the table's rows and the texts."""
    rows, texts = [], []
    for resampling in ("5x5", "bootstrap:25"):
        found, elapsed = compared(resampling, seeds)
        parts = [round(found.seconds.get(part, 0.0), 1) for part in PARTS]
        fits = len(found.frame()[["arm", "preprocess", "resample", "seed"]].drop_duplicates())
        rows.append([resampling, fits, round(elapsed, 1), *parts])
        texts.append(f"```\n{found}\n```")
    return {"rows": rows, "texts": texts}


def in_a_process(seeds: int, **environment: str) -> dict[str, list]:
    """Do one run in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--once", "--seeds", str(seeds)],
        env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def total(found: dict[str, list]) -> float:
    """Return the seconds of both comparisons of a run."""
    return sum(row[2] for row in found["rows"])


def keras_seconds(repeats: int) -> float:
    """Return the median time of one fresh Keras model of the same network and its fit."""
    train, test = data()
    return statistics.median(seconds(lambda: keras_once(train, test)) for _ in range(repeats))


def _listed(runs: list[dict[str, list]]) -> str:
    return ", ".join(f"{total(found):.0f}" for found in runs)


def _summed_up(warm: list[dict[str, list]], cold: list[dict[str, list]], alone: float) -> str:
    middle = statistics.median(map(total, warm))
    return (
        f"Both together, each time in a fresh process: {_listed(warm)} s with compiled programs on "
        f"the disk (the table shows the median), {_listed(cold)} s without "
        f"(`NARROWS_CACHE=off`), in turn. The median is as long as {middle / alone:.0f} fresh "
        f"Keras models of the post's network and their fits, {alone:.1f} s each (no forest). A "
        f"float32 matrix product makes {matrix_product_speed():.0f} GFLOP/s here."
    )


def main() -> None:
    """Run both and write the table."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--once", action="store_true", help="one run here; print it as JSON")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(run(options.seeds)))
        return
    in_a_process(options.seeds)  # so that the disk has the compiled programs
    warm, cold = [], []
    for number in range(options.repeats):
        warm.append(in_a_process(options.seeds))
        cold.append(in_a_process(options.seeds, NARROWS_CACHE="off"))
        print(f"  round {number + 1}: {total(warm[-1]):.1f}, {total(cold[-1]):.1f} s", flush=True)
    middle = sorted(warm, key=total)[len(warm) // 2]
    command = f"comparison.py --seeds {options.seeds} --repeats {options.repeats}"
    text = "\n\n".join(
        [
            "# The comparison on iris: time by part",
            f"`python benchmarks/{command}`; " + machine(("keras", "jax", "ydf", "scikit-learn")),
            table(["resampling", "embeddings", "seconds", *PARTS], middle["rows"]),
            _summed_up(warm, cold, keras_seconds(max(options.repeats, 3))),
            *middle["texts"],
        ]
    )
    write("comparison.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
