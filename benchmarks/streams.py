"""Embedding a Parquet file in batches: memory and speed as the file grows.

Run: ``python benchmarks/streams.py``. One, ten and thirty million rows of ten columns, made batch
by batch, go through ``narrows embed`` into Parquet, each size in a process of its own; up to ten
million then in one piece, as ``read_table`` and ``transform`` take them. Peak memory is the
process's largest resident set.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from _common import arguments, machine, table, write

import narrows
from narrows.scale import TableWriter

COLUMNS = 10
BATCHED = """
import sys
from narrows.cli import main
try:
    main(["embed", *sys.argv[1:3], "--keep", "id", "--out", sys.argv[3]])
except SystemExit as stop:
    assert not stop.code
"""
WHOLE = """
import sys
import pandas as pd, narrows
model, rows = narrows.load(sys.argv[1]), narrows.read_table(sys.argv[2])
names = list(model.get_feature_names_out())
found = pd.DataFrame(model.transform(rows[model.feature_names_in_]), columns=names)
found.assign(id=rows["id"]).to_parquet(sys.argv[3], index=False)
"""
MEASURED = """
import resource, time
began = time.perf_counter()
{code}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print("MEASURED", time.perf_counter() - began, peak)
"""


def rows_of(start: int, count: int) -> pd.DataFrame:
    """Return correlated columns and a row number."""
    rng = np.random.default_rng(start)
    hidden = rng.normal(size=(count, 3))
    mixed = hidden @ np.random.default_rng(0).normal(size=(3, COLUMNS))
    names = [f"x{k}" for k in range(COLUMNS)]
    found = pd.DataFrame(mixed + rng.normal(0, 0.1, mixed.shape), columns=names)
    return found.assign(id=np.arange(start, start + count))


def file_of(path: Path, count: int) -> Path:
    """Write that many rows."""
    step = 500_000
    with TableWriter(path) as writer:
        for start in range(0, count, step):
            writer.write(rows_of(start, min(step, count - start)))
    return path


def measured(code: str, *paths: Path) -> tuple[float, float]:
    """Return the seconds and the peak megabytes of a process that runs some code."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(code=code), *map(os.fspath, paths)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, peak = done.stdout.rsplit("MEASURED", 1)[1].split()
    return float(seconds), float(peak)


def main() -> None:
    """Run all sizes and write the table."""
    parser = arguments(__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 10, 30])
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        embedder = narrows.Autoencoder(2, epochs=5, random_state=0)
        model = folder / "m.narrows"
        narrows.save(embedder.fit(rows_of(0, 2_000).drop(columns="id")), model)
        for millions in options.millions:
            source = file_of(folder / "x.parquet", int(millions * 1e6))
            size = source.stat().st_size / 2**20
            # All of the largest file at once would be a test of the machine's memory.
            kinds = {"narrows embed": BATCHED} | ({"at once": WHOLE} if millions <= 10 else {})
            for kind, code in kinds.items():
                seconds, peak = measured(code, model, source, folder / "z.parquet")
                speed = f"{millions * 1e3 / seconds:,.0f}"
                rows.append([kind, f"{millions:g}", f"{size:,.0f}", f"{seconds:.1f}", speed,
                             f"{peak:,.0f}"])  # fmt: skip
                print(*rows[-1], flush=True)
    heads = ["", "million rows", "MB on disk", "seconds", "thousand rows per second", "peak MB"]
    title = (
        f"`python benchmarks/streams.py`, {COLUMNS} columns and a row number, the default network "
        f"(150-50-25-2), whole processes; {machine(('keras', 'jax', 'pyarrow'))}"
    )
    text = "\n\n".join(
        [
            "# Embedding a file in batches",
            title,
            table(heads, rows),
        ]
    )
    write("streams.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
