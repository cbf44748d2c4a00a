"""A comparison as text: the verdict in sentences, then the table."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from narrows.comparison.probes._measures import measure_named

if TYPE_CHECKING:
    from narrows.comparison._comparison import Comparison


_ONCE = "ONCE ON ALL ROWS"
_SEEN = f"embedders fitted {_ONCE}, test rows included"


def comparison_text(comparison: "Comparison") -> str:
    """Return what a comparison prints as.

    Parameters
    ----------
    comparison : Comparison
    """
    parts = [heading(comparison), "", *_verdict_sentences(comparison)]
    for probe in comparison.settings["probes"]:
        table = score_table(comparison, probe)
        if len(table):
            parts += ["", f"{_title(comparison.measure)} of {probe}", "", _aligned(table)]
    parts += _failure_lines(comparison)
    return "\n".join(parts)


def heading(comparison: "Comparison") -> str:
    """Return one line on what was compared how."""
    settings = comparison.settings
    asked = len(comparison.arms) - len(comparison.controls)
    seeds = max(settings["seeds"].values())
    refitted = "everything refitted in each" if settings["refit"] else _SEEN
    return (
        f"{_count(asked, 'arm')} and {_count(len(comparison.controls), 'control')} on "
        f"{settings['n_rows']} rows × {settings['n_columns']} columns; "
        f"{comparison.resamples.describe()}, {refitted}, {_count(seeds, 'seed')}"
    )


def fitting_note(comparison: "Comparison") -> str:
    """Return a sentence on embedders that have seen all rows; nothing where all was refitted."""
    return "" if comparison.settings["refit"] else f"Made with {_SEEN}."


def sentences(comparison: "Comparison") -> list[str]:
    """Return the verdict on every arm that was asked for, a sentence each, after the note."""
    note = fitting_note(comparison)
    return [note, *_verdict_sentences(comparison)] if note else _verdict_sentences(comparison)


def _verdict_sentences(comparison: "Comparison") -> list[str]:
    table = comparison.verdicts()
    asked = table[~table["arm"].isin(comparison.controls)]
    return [_sentence(row, len(comparison.settings["probes"]) > 1) for row in asked.itertuples()]


_WHERE = {"none": "On columns as they are", "standardize": "On standardized columns"}


def _sentence(row, several_probes: bool) -> str:
    where = _WHERE.get(row.preprocess, f"With preprocessing {row.preprocess!r}")
    where += f", judged by {row.probe}" if several_probes else ""
    if row.verdict in ("failed", "not scored"):
        return f"{where}, {row.arm} cannot be compared with {row.reference}: {row.verdict}."
    says = {
        "better": "is better than",
        "worse": "is worse than",
        "equivalent": "is as good as",
        "undecided": "is neither shown to be better nor worse than",
    }[row.verdict]
    found = interval(row)
    if np.isnan(row.low):
        found = (
            "from one resample, which allows no interval"
            if row.resamples == 1
            else "no interval, as all differences are equal, which says nothing of their spread"
        )
    return f"{where}, {row.arm} {says} {row.reference}: {difference(row)}, {found}."


def difference(row) -> str:
    """Return a difference with its unit: points of accuracy, or the measure's own."""
    if row.measure == "accuracy":
        return f"{signed(100 * row.difference, 1)} points of accuracy"
    return f"{signed(row.difference, 3)} {_title(row.measure)}"


def signed(number: float, digits: int) -> str:
    """Return a number with its sign, a true minus where it is negative."""
    return f"{number:+.{digits}f}".replace("-", "−")


def interval(row) -> str:
    """Return an interval in the units of `difference`."""
    factor, digits = (100, 1) if row.measure == "accuracy" else (1, 3)
    low, high = factor * row.low, factor * row.high
    return f"95 % interval {signed(low, digits)} to {signed(high, digits)}"


def score_table(comparison: "Comparison", probe: str) -> pd.DataFrame:
    """Return the table of one probe, its cells as text.

    Parameters
    ----------
    comparison : Comparison
    probe : str
    """
    measure = comparison.measure
    means = comparison.summary()
    means = means[(means["probe"] == probe) & (means["measure"] == measure)]
    verdicts = comparison.verdicts(probe) if len(means) else pd.DataFrame()
    rows = []
    for row in means.itertuples():
        found = verdicts[
            (verdicts["arm"] == row.arm) & (verdicts["preprocess"] == row.preprocess)
        ].to_dict("records")
        rows.append(_cells(comparison, row, found[0] if found else None))
    order = {name: number for number, name in enumerate(comparison.settings["preprocess"])}
    table = pd.DataFrame(rows)
    if not len(table):
        return table
    return table.sort_values(
        "preprocessing", key=lambda column: column.map(order), kind="stable"
    ).reset_index(drop=True)


def _cells(comparison: "Comparison", row, found: dict | None) -> dict[str, str]:
    seeds = "" if np.isnan(row.sd_seeds) else f"{row.sd_seeds:.3f}"
    cells = {
        "preprocessing": row.preprocess,
        "arm": row.arm + (" (control)" if row.arm in comparison.controls else ""),
        _title(comparison.measure): f"{row.mean:.3f}",
        "SD splits": "" if np.isnan(row.sd_splits) else f"{row.sd_splits:.3f}",
        "SD seeds": seeds,
    }
    cells["verdict"] = "reference" if found is None else found["verdict"]
    compared = found is not None and not np.isnan(found["difference"])
    bounded = found is not None and not np.isnan(found["low"])
    chances = ("p_better", "p_equivalent", "p_worse")
    cells |= {
        "difference": signed(found["difference"], 3) if compared and found else "",
        "95 % interval": f"{signed(found['low'], 3)} to {signed(found['high'], 3)}"
        if bounded and found
        else "",
        "better/equiv./worse": " / ".join(f"{found[name]:.2f}" for name in chances)
        if bounded and found
        else "",
    }
    return cells if comparison.settings["refit"] else cells | {"fitted": _ONCE}


def _failure_lines(comparison: "Comparison") -> list[str]:
    failures = comparison.failures
    if not len(failures):
        return []
    lines = ["", f"{_count(len(failures), 'fit')} failed:"]
    groups = failures.groupby(["arm", "preprocess", "probe", "message"], sort=False)
    for (arm, choice, probe, message), group in groups:
        what = arm if probe == "embedding" else f"{probe} on {arm}"
        lines.append(f"  {what} under {choice!r}, {len(group)} times: {message}")
    return lines


def _title(measure: str) -> str:
    return measure_named(measure).title


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _aligned(table: pd.DataFrame) -> str:
    cells = [list(map(str, table.columns)), *table.astype(str).to_numpy().tolist()]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)
