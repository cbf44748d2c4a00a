"""A comparison as the sections of a page: the verdict first, how it was done last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from narrows.comparison import (
    Answer,
    answers,
    failure_counts,
    measure_named,
    score_cells,
    score_tables,
)
from narrows.report._blocks import Block, Chart, Download, Figure, Listing, Section, Table
from narrows.report._charts import intervals_data
from narrows.report._fit_sections import (
    View,
    embedding_section,
    reconstruction_section,
    training_section,
)
from narrows.report._svg import still

if TYPE_CHECKING:
    import pandas as pd

    from narrows.comparison import Comparison


def comparison_sections(comparison: Comparison, view: View | None = None) -> list[Section]:
    """
    Return what a page says of a comparison.

    Parameters
    ----------
    comparison : Comparison
    view : View, optional
        The rows and fits to show; without it, what the comparison itself has.

    Returns
    -------
    list of Section
        Verdict, scores, embeddings, reconstruction and training where `view` has them, other
        measures, seeds and splits, what failed, if anything did, and how it was done.
    """
    view = view or View()
    found = (section(comparison, view) for section in _SECTIONS)
    return [section for section in found if section is not None]


def _verdict(comparison: Comparison, view: View) -> Section:
    means = (
        "Better or worse is said where the 95 % interval lies wholly outside the region of "
        "practical equivalence, equivalent where the posterior probability of a difference inside "
        "it exceeds 95 % (the Bayesian correlated t-test; Corani and Benavoli 2015). Anything else "
        "is undecided: the rows do not tell."
    )
    return Section("What the comparison says", [Listing(comparison.sentences()), means])


def _tested_rows(comparison: Comparison) -> str:
    """Return what a caption calls the rows that scores are about."""
    if comparison.settings["refit"]:
        return "unseen rows"
    return "test rows, which the embedders have seen: they were fitted once on all rows"


def _scores(comparison: Comparison, view: View) -> Section:
    rows = answers(comparison)
    blocks: list[Block] = []
    if any(row.has_difference for row in rows):
        blocks.append(_intervals(comparison, rows))
    for title, own in score_tables(rows):
        frame, formats = score_frame(own)
        caption = f"{title[:1].upper()}{title[1:]} on {_tested_rows(comparison)}."
        blocks.append(Table(frame, caption, formats))
    blocks.append(
        f"Differences are from {rows[0].reference_label} under the same preprocessing; Holm's p is "
        "adjusted for all rows of the table. Controls show what no learning, or no reduction, "
        "gives."
        + " Arms fitted with labels got those of the training rows only."
        * any(row.uses_labels for row in rows)
    )
    return Section("Scores and differences", blocks)


def _intervals(comparison: Comparison, rows: Sequence[Answer]) -> Chart:
    drawn = [row for row in rows if row.has_difference]
    return Chart(
        "intervals",
        intervals_data(drawn),
        Figure(
            still(comparison.plot()),
            f"Difference of each arm from {rows[0].reference_label} with its 95 % interval, one "
            "panel for each preprocessing; the table below has the numbers.",
            f"Differences on {_tested_rows(comparison)}. The 95 % intervals are corrected for the "
            "overlap of resamples (Nadeau and Bengio 2003). The grey band, zero "
            f"± {drawn[0].rope:.3g} of {drawn[0].measure.title}, is the region of practical "
            "equivalence. Only arms under the same preprocessing are compared.",
        ),
    )


def score_frame(rows: Sequence[Answer]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the numbers of one probe's table, a row for each answer, and how they are written."""
    import pandas as pd

    title = rows[0].measure.title
    frame = pd.DataFrame(
        {
            "arm": row.label,
            "preprocessing": row.preprocess,
            title: row.mean,
            "verdict": row.verdict,
            "difference": row.difference,
            "95 % interval": score_cells(row)["95 % interval"],
            "P(better)": row.p_better,
            "P(equiv.)": row.p_equivalent,
            "P(worse)": row.p_worse,
            "Holm's p": row.p_holm,
        }
        for row in rows
    )
    formats = {title: ".3f", "difference": "+.3f", "Holm's p": ".3f"}
    return frame, formats | dict.fromkeys(("P(better)", "P(equiv.)", "P(worse)"), ".2f")


def _measures(comparison: Comparison, view: View) -> Section:
    means = _marked(comparison, comparison.summary())
    probes = means[means["probe"] != "embedding"]
    itself = means[means["probe"] == "embedding"]
    blocks: list[Block] = [_wide(probes, ["preprocess", "probe", "arm"], "Every measure.")]
    if len(itself):
        refit = comparison.settings["refit"]
        rows = "test rows" if refit else "test rows that the embedders have seen"
        words = (
            f"Of the embedding itself, on {rows}: mean squared reconstruction error in squared "
            "units of the preprocessed columns, so comparable within a preprocessing only, and "
            "how well each row's five nearest neighbours survive (0 to 1, more is better)."
        )
        blocks += [words, _wide(itself, ["preprocess", "arm"], "The embedding itself.")]
    return Section("All measures", blocks)


def _wide(means: pd.DataFrame, index: list[str], caption: str) -> Table:
    titles = {name: measure_named(name).title for name in dict.fromkeys(means["measure"])}
    order = means[index].drop_duplicates()
    wide = means.pivot(index=index, columns="measure", values="mean").reset_index()
    wide = order.merge(wide, on=index, how="left")[[*index, *titles]]
    names = titles | {"preprocess": "preprocessing"}
    return Table(wide.rename(columns=names), caption, dict.fromkeys(titles.values(), ".3f"))


def _seeds(comparison: Comparison, view: View) -> Section | None:
    spread = _marked(comparison, comparison.seed_spread())
    if not len(spread):
        return None
    shown = spread[spread["measure"] == comparison.measure].drop(columns="measure")
    words = (
        "How far another seed moves the score inside one resample, beside how far another split "
        "moves the mean over seeds. Seeds are averaged before any test: they are no extra test "
        "sets."
    )
    names = {"preprocess": "preprocessing", "sd_within": "SD within a resample",
             "sd_splits": "SD splits"}  # fmt: skip
    formats = dict.fromkeys((*list(names.values())[1:], "lowest", "highest"), ".3f")
    table = Table(
        shown.rename(columns=names),
        f"{measure_named(comparison.measure).title} of arms with several seeds.",
        formats,
    )
    return Section("Luck with seeds and splits", [words, table])


def _failures(comparison: Comparison, view: View) -> Section | None:
    if not len(comparison.failures):
        return None
    words = (
        "These failed and were left out; an arm that failed in some resample gets no verdict, "
        "since to leave out just those resamples would flatter it."
    )
    return Section("What failed", [words, Table(_marked(comparison, failure_counts(comparison)))])


def _marked(comparison: Comparison, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which arms that are fitted with labels say so."""
    names = {arm: record.marked for arm, record in comparison.arm_records.items()}
    return frame.assign(arm=frame["arm"].map(names))


def _method(comparison: Comparison, view: View) -> Section:
    import pandas as pd

    settings = comparison.settings
    facts = {
        "rows × columns": f"{settings['n_rows']} × {settings['n_columns']}",
        "resampling": comparison.resamples.describe(),
        "fingerprint of the resamples": comparison.resamples.fingerprint[:16],
        "refitted in every resample": "everything"
        if settings["refit"]
        else "probes only; preprocessing and embedders were fitted once on all rows",
        "seed of everything": str(settings["random_state"]),
        **{
            f"seed of {arm!r}, put beside later": str(state)
            for arm, state in settings.get("random_states", {}).items()
        },
        "reference": settings["reference"],
        **{f"preprocessing {name!r}": text for name, text in settings["preprocess"].items()},
        **{f"probe {name!r}": text for name, text in settings["probes"].items()},
        **{
            f"arm {name!r}, seeds: {arm.seeds}": arm.text
            + "; fitted with the training rows' labels" * arm.uses_labels
            for name, arm in comparison.arm_records.items()
        },
        **{f"time for {part}": f"{spent:.1f} s" for part, spent in comparison.seconds.items()},
    }
    table = pd.DataFrame({"what": list(facts), "how": list(facts.values())})
    words = (
        "The file has every score, the resamples' recipe, the settings and the labels; "
        "narrows.Comparison.from_json reads it."
    )
    blocks: list[Block] = [
        Table(table, "Settings, as plain text."),
        Download("comparison.json", comparison.to_json(), "Every number of the comparison"),
        words,
    ]
    return Section("How it was done", blocks)


# The page's sections in their order; each is None where there is nothing to say.
_SECTIONS = (
    _verdict,
    _scores,
    embedding_section,
    reconstruction_section,
    training_section,
    _measures,
    _seeds,
    _failures,
    _method,
)
