"""What the benchmark scripts share: machine, medians, contestants as processes, result tables."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import joblib

RESULTS = Path(__file__).parent / "results"


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all scripts have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--repeats", type=int, default=3, help="medians are over this many")
    parser.add_argument("--no-write", action="store_true", help="leave benchmarks/results alone")
    return parser


def seconds(run: Callable[[], object]) -> float:
    """Return how long one call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def in_turn(contestants: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Run all contestants one after another, `repeats` rounds; return each one's median seconds."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(repeats):
        for name, run in contestants.items():
            times[name].append(seconds(run))
            print(f"  round {round_number + 1}, {name}: {times[name][-1]:.3f} s", flush=True)
    return {name: statistics.median(measured) for name, measured in times.items()}


def process(code: str, **environment: str) -> tuple[float, float]:
    """Run Python code in a new process; return its wall seconds and its peak memory in MB."""
    # Not getrusage's figure: a child starts with its parent's peak.
    tail = (
        "\nfor line in open('/proc/self/status'):\n"
        "    if line.startswith('VmHWM'):\n"
        "        print('peak', int(line.split()[1]) / 1024)\n"
    )
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + tail],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    took = time.perf_counter() - began
    return took, float(done.stdout.rsplit("peak", 1)[1])


def installed(name: str) -> bool:
    """Whether a package is installed."""
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def machine(packages: Sequence[str]) -> str:
    """Describe the machine and the versions in one line."""
    names = [f"{name} {version(name)}" for name in packages if installed(name)]
    processor = platform.processor() or platform.machine()
    for line in _cpu_lines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    accelerator = "" if on_cpu() else f"{_device_name()}, "
    return (
        f"{accelerator}{joblib.cpu_count()} cores ({processor}), {platform.system()}, "
        f"Python {platform.python_version()}, " + ", ".join(names)
    )


def on_cpu() -> bool:
    """Whether JAX computes on the CPU."""
    import jax

    return jax.default_backend() == "cpu"


def _device_name() -> str:
    import jax

    return jax.devices()[0].device_kind


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def matrix_product_speed() -> float:
    """Return the machine's float32 matrix-product speed in GFLOP/s, JAX on all cores."""
    import jax
    import jax.numpy as jnp

    size = 2000
    x = jnp.ones((size, size), jnp.float32)
    product = jax.jit(lambda x: x @ x)
    product(x).block_until_ready()
    best = min(seconds(lambda: product(x).block_until_ready()) for _ in range(5))
    return 2 * size**3 / best / 1e9


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def recorded(out: Path, columns: Sequence[str]) -> Any:
    """Return the frame of results that a file has; an empty one if there is no file."""
    import pandas as pd

    return pd.read_csv(out) if out.exists() else pd.DataFrame(columns=list(columns))


def record(out: Path, new: Any) -> None:
    """Add a frame of results to a file."""
    new.to_csv(out, mode="a", header=not out.exists(), index=False)


def names_in(text: str, known: Iterable[str], what: str) -> list[str]:
    """Return the names in a list with commas; refuse unknown ones, as argparse wants it."""
    names, there = text.split(","), list(known)
    if unknown := [name for name in names if name not in there]:
        raise argparse.ArgumentTypeError(
            f"no {what} {', '.join(unknown)}; there are {', '.join(there)}"
        )
    return names


def write(name: str, text: str, *, wanted: bool) -> None:
    """Print a result and, if wanted, keep it under benchmarks/results; an accelerator's apart."""
    print("\n" + text)
    if not on_cpu():
        name = name.replace(".md", "_accelerator.md")
    if wanted:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / name).write_text(text + "\n")
