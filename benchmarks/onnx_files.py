"""ONNX files against narrows on real tables: how far apart, and how fast.

Run: ``python benchmarks/onnx_files.py``. Five models, pipelines of a mixed table and of scalers
among them, are fitted, exported and run by onnxruntime on up to 1,000 rows of their table, encoder
and decoder; the largest difference is printed. Then one row and a million rows are embedded in
both, contestants in turn.
"""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from _common import arguments, in_turn, machine, seconds, table, write
from sklearn import datasets
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import narrows
from narrows.export._io_spec import arrays_of
from narrows.export._model import chain_of

ROWS = 1000
_DIFFERENCES = (
    "Differences on the table's own rows, encoder against `transform` and decoder against "
    "`inverse_transform`: the largest of a number, divided by the largest magnitude of the output "
    "where that is above 1 (decoded text and dates are equal). Then the encoder's largest "
    "difference as it is, beside the largest magnitude of the embedding."
)
_TIMES = (
    "Time to embed, medians, contestants in turn. narrows gets a pandas table; onnxruntime gets "
    "arrays as its file takes them, whose making is not counted."
)


@dataclass(frozen=True)
class Case:
    """One table and what is fitted on it."""

    name: str
    load: Callable[[], pd.DataFrame]
    model: Callable[[], Any]


def network() -> narrows.Autoencoder:
    """Return the default autoencoder."""
    return narrows.Autoencoder(
        encoder=(150, 50, 25), residual=False, epochs=20, batch_size=32, random_state=0
    )


def diamonds() -> pd.DataFrame:
    """Return 1,000 of plotnine's diamonds: numbers, and three ordered categoricals."""
    from plotnine.data import diamonds as every

    return every.sample(ROWS, random_state=0).reset_index(drop=True)


def housing() -> pd.DataFrame:
    """Return 1,000 months of plotnine's Texan cities: text and numbers, with gaps."""
    from plotnine.data import txhousing as every

    return every.sample(ROWS, random_state=0).reset_index(drop=True)


def penguins() -> pd.DataFrame:
    """Return plotnine's penguins: numbers and text, with gaps."""
    from plotnine.data import penguins as every

    return every


CASES = [
    Case(
        "breast cancer, 569 × 30, standardized",
        lambda: datasets.load_breast_cancer(as_frame=True).data,
        lambda: make_pipeline(StandardScaler(), network()),
    ),
    Case(
        "digits, 1,000 × 64, to 0…1",
        lambda: datasets.load_digits(as_frame=True).data[:ROWS],
        lambda: make_pipeline(MinMaxScaler(), network()),
    ),
    Case("wine, 178 × 13, raw", lambda: datasets.load_wine(as_frame=True).data, network),
    Case(
        "penguins, 344 × 8, mixed with gaps",
        penguins,
        lambda: make_pipeline(narrows.TablePreprocessor(), network()),
    ),
    Case(
        "diamonds, 1,000 × 10, mixed",
        diamonds,
        lambda: make_pipeline(narrows.TablePreprocessor(), network()),
    ),
    Case(
        "Texan housing, 1,000 × 9, mixed with gaps",
        housing,
        lambda: make_pipeline(narrows.TablePreprocessor(), network()),
    ),
]


def opened(path: Path) -> onnxruntime.InferenceSession:
    """Return a file as a server would open it."""
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def feeds_of(model: Any, rows: Any) -> dict[str, np.ndarray]:
    """Return rows as the encoder's file takes them."""
    return arrays_of(chain_of(model, "encoder").table_ports(), rows)


def distance(model: Any, rows: pd.DataFrame, folder: Path) -> list[str]:
    """Return the largest differences of encoder and decoder on rows, and the files' sizes."""
    cells = []
    for part in ("encoder", "decoder"):
        report = narrows.export_onnx(model, folder / f"{part}.onnx", part, rows)
        cells += [f"{report.largest_difference:.1e}", f"{report.bytes / 1000:.0f}"]
    Z = model.transform(rows)
    got = opened(folder / "encoder.onnx").run(None, feeds_of(model, rows))[0]
    return [*cells, f"{np.abs(got - Z).max():.1e}", f"{np.abs(Z).max():.3g}"]


def speed(model: Any, rows: pd.DataFrame, folder: Path, many: int, repeats: int) -> list[list[str]]:
    """Return lines for one row and for many; rows are prepared beforehand for both."""
    session = opened(folder / "encoder.onnx")
    one, several = rows[:1], rows.iloc[np.arange(many) % len(rows)].reset_index(drop=True)
    lines = []
    for name, sample, rounds in (("one row", one, 200 * repeats), (f"{many:,} rows", several, 0)):
        feeds = feeds_of(model, sample)
        contestants = {
            "narrows": lambda sample=sample: model.transform(sample),
            "onnxruntime": lambda feeds=feeds: session.run(None, feeds),
        }
        for run in contestants.values():
            run()  # programs are compiled, arenas filled
        took = in_turn(contestants, repeats) if not rounds else _medians(contestants, rounds)
        ratio = took["narrows"] / took["onnxruntime"]
        lines.append([name, _shown(took["narrows"]), _shown(took["onnxruntime"]), f"{ratio:.1f}"])
    return lines


def _medians(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            times[name].append(seconds(run))
    return {name: statistics.median(measured) for name, measured in times.items()}


def _shown(took: float) -> str:
    return f"{1000 * took:.2f} ms" if took < 1 else f"{took:.2f} s"


def main() -> None:
    """Compare, measure, write."""
    parser = arguments(__doc__)
    parser.add_argument("--many", type=int, default=1_000_000, help="rows of the large table")
    options = parser.parse_args()
    differences, times = [], []
    for case in CASES:
        rows = case.load()
        model = case.model().fit(rows)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            differences.append([case.name, *distance(model, rows, folder)])
            print(*differences[-1], sep="  ", flush=True)
            lines = speed(model, rows, folder, options.many, options.repeats)
            times += [[case.name, *line] for line in lines]
    text = "\n\n".join(
        [
            "# ONNX files against narrows",
            f"`python benchmarks/onnx_files.py --repeats {options.repeats} --many {options.many}`; "
            + machine(("keras", "jax", "onnx", "onnxruntime", "scikit-learn", "numpy"))
            + ". Plain network (150-50-25-2 and back), 20 epochs.",
            _DIFFERENCES,
            table(
                [
                    "table", "encoder", "kB", "decoder", "kB", "encoder, absolute",
                    "largest magnitude",
                ],
                differences,
            ),
            _TIMES,
            table(["table", "rows", "narrows", "onnxruntime", "ratio"], times),
        ]
    )  # fmt: skip
    write("onnx.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
