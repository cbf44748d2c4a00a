"""A comparison as text: the verdict in sentences, then the table."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from narrows.comparison.probes._measures import signed
from narrows.comparison.results._presentation import Answer, answers

if TYPE_CHECKING:
    from narrows.comparison._comparison import Comparison


_ONCE = "ONCE ON ALL ROWS"
_SEEN = f"embedders fitted {_ONCE}, test rows included"


def comparison_text(comparison: "Comparison") -> str:
    """Return what a comparison prints as."""
    rows = answers(comparison)
    parts = [heading(comparison), "", *_verdict_sentences(rows)]
    for title, own in score_tables(rows):
        parts += ["", title, "", _aligned([score_cells(row) for row in own])]
    if failed := failure_lines(comparison):
        parts += ["", failed[0], *(f"  {line}" for line in failed[1:])]
    return "\n".join(parts)


def heading(comparison: "Comparison") -> str:
    """Return one line on what was compared how."""
    settings = comparison.settings
    asked = len(comparison.arms) - len(comparison.controls)
    seeds = max(settings["seeds"].values())
    refitted = "everything refitted in each" if settings["refit"] else _SEEN
    told = [arm.name for arm in comparison.arm_records.values() if arm.uses_labels]
    return (
        f"{_count(asked, 'arm')} and {_count(len(comparison.controls), 'control')} on "
        f"{settings['n_rows']} rows × {settings['n_columns']} columns; "
        f"{comparison.resamples.describe()}, {refitted}, {_count(seeds, 'seed')}"
        + f"; {', '.join(told)} fitted with labels of the training rows"
        * bool(told)
    )


def fitting_note(comparison: "Comparison") -> str:
    """Return a sentence on embedders that have seen all rows; nothing where all was refitted."""
    return "" if comparison.settings["refit"] else f"Made with {_SEEN}."


def figure_note(comparison: "Comparison") -> str:
    """Return what is to be said below the figure of embeddings."""
    told = [arm.name for arm in comparison.arm_records.values() if arm.uses_labels]
    drawn = f"Fitted with labels, so drawn on unseen rows only: {', '.join(told)}." * bool(told)
    return " ".join(filter(None, [fitting_note(comparison), drawn]))


def sentences(comparison: "Comparison") -> list[str]:
    """Return the verdict on every arm that was asked for, a sentence each, after the note."""
    note = fitting_note(comparison)
    return [note] * bool(note) + _verdict_sentences(answers(comparison))


def _asked(rows: Sequence[Answer]) -> list[Answer]:
    """Return the answers on arms that were asked for, but the reference."""
    return [row for row in rows if not row.is_control and row.arm != row.reference]


def _verdict_sentences(rows: Sequence[Answer]) -> list[str]:
    several = len({row.probe for row in rows}) > 1
    return [_sentence(row, several) for row in _asked(rows)]


_WHERE = {"none": "On columns as they are", "standardize": "On standardized columns"}
_SAYS = {
    "better": "is better than",
    "worse": "is worse than",
    "equivalent": "is as good as",
    "undecided": "is neither shown to be better nor worse than",
}


def _sentence(row: Answer, several_probes: bool) -> str:
    where = _WHERE.get(row.preprocess, f"With preprocessing {row.preprocess!r}")
    where += f", judged by {row.probe}" if several_probes else ""
    if row.verdict not in _SAYS:
        return f"{where}, {row.label} cannot be compared with {row.reference_label}: {row.verdict}."
    told = row.measure.told
    found = f"95 % interval {told(row.low)} to {told(row.high)}"
    if not row.has_interval:
        found = (
            "from one resample, which allows no interval"
            if row.resamples == 1
            else "no interval, as all differences are equal, which says nothing of their spread"
        )
    said = f"{told(row.difference)} {row.unit}, {found}."
    return f"{where}, {row.label} {_SAYS[row.verdict]} {row.reference_label}: {said}"


def headline(comparison: "Comparison") -> str:
    """
    Return the verdict in a sentence or, for a few arms, one for each, and whose rows it is about.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
    """
    seen = " Embedders were fitted once on all rows, those included that the probes are scored on."
    said = conclusion(answers(comparison), comparison.reference)
    return said + seen * (not comparison.settings["refit"])


def conclusion(rows: Sequence[Answer], reference: str) -> str:
    """Return what all answers say together."""
    asked = _asked(rows)
    arms = list(dict.fromkeys(row.arm for row in asked))
    if not asked:
        return f"There is nothing to compare {reference} with but controls."
    if len(arms) > 3:
        counts = pd.Series([row.verdict for row in asked]).value_counts()
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        return f"{len(arms)} arms against {reference}: {said}."
    return " ".join(_concluded([row for row in asked if row.arm == arm]) for arm in arms)


_CERTAIN = {
    "better": "Yes: {arm} is better than {reference}{everywhere}.",
    "worse": "No: {arm} is worse than {reference}{everywhere}.",
    "equivalent": "No gain: {arm} is as good as {reference}{everywhere}.",
    "undecided": "Undecided: these rows do not show {arm} to be better or worse than {reference}"
    "{everywhere}.",
}


def _concluded(rows: list[Answer]) -> str:
    """Return what is said of one arm."""
    arm, reference = rows[0].label, rows[0].reference_label
    verdicts = list(dict.fromkeys(row.verdict for row in rows))
    if len(verdicts) == 1:
        # Two preprocessings; the name of a single one says nothing that the title does not.
        everywhere = {1: "", 2: ", either way"}.get(len(rows), f", all {len(rows)} ways")
        certain = _CERTAIN.get(verdicts[0], "{arm} could not be compared with {reference}.")
        return certain.format(arm=arm, reference=reference, everywhere=everywhere)
    several = len({row.probe for row in rows}) > 1
    parts = []
    for verdict in verdicts:
        where = [
            f"{row.preprocess}, judged by {row.probe}" if several else row.preprocess
            for row in rows
            if row.verdict == verdict
        ]
        said = _SAYS.get(verdict, "could not be compared with")
        parts.append(f"{said} {reference} with preprocessing {' and '.join(where)}")
    return f"It depends: {arm} {'; it '.join(parts)}."


def score_tables(rows: Sequence[Answer]) -> list[tuple[str, list[Answer]]]:
    """Return the answers that have a score, probe by probe, with a title for each table."""
    scored = [row for row in rows if row.mean is not None]
    tables = groupby(scored, key=lambda row: f"{row.measure.title} of {row.probe}")
    return [(title, list(own)) for title, own in tables]


def score_table(comparison: "Comparison", probe: str) -> pd.DataFrame:
    """Return the table of one probe, its cells as text."""
    rows = answers(comparison, probe)
    return pd.DataFrame([score_cells(row) for row in rows if row.mean is not None])


def score_cells(row: Answer) -> dict[str, str]:
    """Return an answer as the texts of a table's cells, by column."""
    chances = f"{row.p_better:.2f} / {row.p_equivalent:.2f} / {row.p_worse:.2f}"
    fitted = {} if row.refit else {"fitted": _ONCE}
    return {
        "preprocessing": row.preprocess,
        "arm": row.label,
        row.measure.title: f"{row.mean:.3f}",
        "SD splits": "" if np.isnan(row.sd_splits) else f"{row.sd_splits:.3f}",
        "SD seeds": "" if np.isnan(row.sd_seeds) else f"{row.sd_seeds:.3f}",
        "verdict": row.verdict,
        "difference": signed(row.difference, 3) if row.has_difference else "",
        "95 % interval": f"{signed(row.low, 3)} to {signed(row.high, 3)}" * row.has_interval,
        "better/equiv./worse": chances * row.has_interval,
    } | fitted


def failure_lines(comparison: "Comparison") -> list[str]:
    """Return what failed how often, after a line on all of it; nothing where nothing failed."""
    failures = comparison.failures
    if not len(failures):
        return []
    lines = [f"{_count(len(failures), 'fit')} failed:"]
    for row in failure_counts(comparison).itertuples():
        what = row.arm if row.probe == "embedding" else f"{row.probe} on {row.arm}"
        lines.append(f"{what} under {row.preprocess!r}, {row.times} times: {row.message}")
    return lines


def failure_counts(comparison: "Comparison") -> pd.DataFrame:
    """Return what failed in which way, a row each, with how many ``times``."""
    groups = comparison.failures.groupby(["arm", "preprocess", "probe", "message"], sort=False)
    return groups.size().reset_index(name="times")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _aligned(rows: list[dict[str, str]]) -> str:
    cells = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)
