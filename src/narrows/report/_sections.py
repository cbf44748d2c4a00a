"""A comparison as the sections of a page: the verdict first, how it was done last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from narrows.comparison import measure_named, signed
from narrows.report._blocks import Block, Chart, Download, Figure, Listing, Section, Table
from narrows.report._charts import intervals_data
from narrows.report._fit_sections import View, embedding_section, portrait_sections
from narrows.report._svg import still

if TYPE_CHECKING:
    import pandas as pd

    from narrows.comparison import Comparison

_HEADINGS = {
    "accuracy": "accuracy", "kappa": "kappa", "log_loss": "log-loss", "r2": "R²", "rmse": "RMSE",
    "reconstruction_error": "reconstruction error", "trustworthiness": "trustworthiness",
    "continuity": "continuity", "neighbour_agreement": "agreement",
}  # fmt: skip
_CHANCES = {"p_better": "P(better)", "p_equivalent": "P(equiv.)", "p_worse": "P(worse)"}

_SEEN = "Embedders were fitted once on all rows, those included that the probes are scored on."


def tested_rows(comparison: Comparison) -> str:
    """
    Return what a caption calls the rows that scores are about.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
    """
    if comparison.settings["refit"]:
        return "unseen rows"
    return "test rows, which the embedders have seen: they were fitted once on all rows"


def headline(comparison: Comparison) -> str:
    """
    Return the verdict in a sentence or, for a few arms, one for each, and whose rows it is about.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
    """
    seen = "" if comparison.settings["refit"] else f" {_SEEN}"
    return f"{_verdicts(comparison)}{seen}"


def _verdicts(comparison: Comparison) -> str:
    table = comparison.verdicts()
    asked = table[~table["arm"].isin(comparison.controls)]
    if not len(asked):
        return f"There is nothing to compare {comparison.reference} with but controls."
    arms = list(asked["arm"].unique())
    if len(arms) > 3:
        counts = asked["verdict"].value_counts()
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        return f"{len(arms)} arms against {comparison.reference}: {said}."
    return " ".join(_said(asked[asked["arm"] == arm], comparison) for arm in arms)


_CERTAIN = {
    "better": "Yes: {arm} is better than {reference}{everywhere}.",
    "worse": "No: {arm} is worse than {reference}{everywhere}.",
    "equivalent": "No gain: {arm} is as good as {reference}{everywhere}.",
    "undecided": "Undecided: these rows do not show {arm} to be better or worse than {reference}"
    "{everywhere}.",
}
_PARTS = {
    "better": "is better than {reference}",
    "worse": "is worse than {reference}",
    "equivalent": "is as good as {reference}",
    "undecided": "is neither shown to be better nor worse than {reference}",
}


def _said(rows: pd.DataFrame, comparison: Comparison) -> str:
    words = {"arm": rows["arm"].iloc[0], "reference": comparison.reference, "everywhere": ""}
    verdicts = list(dict.fromkeys(rows["verdict"]))
    if len(verdicts) == 1:
        if verdicts[0] not in _CERTAIN:
            return "{arm} could not be compared with {reference}.".format(**words)
        # Two preprocessings; the name of a single one says nothing that the title does not.
        words["everywhere"] = {1: "", 2: ", either way"}.get(len(rows), f", all {len(rows)} ways")
        return _CERTAIN[verdicts[0]].format(**words)
    several = rows["probe"].nunique() > 1
    parts = []
    for verdict in verdicts:
        where = [
            f"{row.preprocess}, judged by {row.probe}" if several else row.preprocess
            for row in rows[rows["verdict"] == verdict].itertuples()
        ]
        said = _PARTS.get(verdict, "could not be compared with {reference}").format(**words)
        parts.append(f"{said} with preprocessing {' and '.join(where)}")
    return f"It depends: {words['arm']} {'; it '.join(parts)}."


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
    sections = [_verdict(comparison), _scores(comparison)]
    sections += embedding_section(comparison, view)
    sections += portrait_sections(comparison, view)
    sections.append(_measures(comparison))
    if len(comparison.seed_spread()):
        sections.append(_seeds(comparison))
    if len(comparison.failures):
        sections.append(_failures(comparison))
    return [*sections, _method(comparison)]


def _verdict(comparison: Comparison) -> Section:
    means = (
        "Better or worse is said where the 95 % interval lies wholly outside the region of "
        "practical equivalence, equivalent where the posterior probability of a difference inside "
        "it exceeds 95 % (the Bayesian correlated t-test; Corani and Benavoli 2015). Anything else "
        "is undecided: the rows do not tell."
    )
    return Section("What the comparison says", [Listing(comparison.sentences()), means])


def _scores(comparison: Comparison) -> Section:
    verdicts = comparison.verdicts()
    blocks: list[Block] = []
    if verdicts["difference"].notna().any():
        blocks.append(_intervals(comparison, verdicts))
    for probe in comparison.settings["probes"]:
        frame, formats = score_frame(comparison, probe)
        if len(frame):
            title = measure_named(comparison.measure).title
            caption = f"{title[:1].upper()}{title[1:]} of {probe} on {tested_rows(comparison)}."
            blocks.append(Table(frame, caption, formats))
    blocks.append(
        f"Differences are from {comparison.reference} under the same preprocessing; Holm's p is "
        "adjusted for all rows of the table. Controls show what no learning, or no reduction, "
        "gives."
    )
    return Section("Scores and differences", blocks)


def _intervals(comparison: Comparison, verdicts: pd.DataFrame) -> Chart:
    about = measure_named(comparison.measure)
    scores = comparison.scores[comparison.scores["measure"] == comparison.measure]
    rope = comparison._rope(scores, comparison.reference)
    unit = "points of accuracy" if comparison.measure == "accuracy" else about.title
    axis = f"difference from {comparison.reference}, {unit}"
    return Chart(
        "intervals",
        intervals_data(verdicts, rope, comparison.controls, axis),
        Figure(
            still(comparison.plot()),
            f"Difference of each arm from {comparison.reference} with its 95 % interval, one "
            "panel for each preprocessing; the table below has the numbers.",
            f"Differences on {tested_rows(comparison)}. The 95 % intervals are corrected for the "
            "overlap of resamples (Nadeau and Bengio 2003). The grey band, zero "
            f"± {rope:.3g} of {about.title}, is the region of practical equivalence. Only arms "
            "under the same preprocessing are compared.",
        ),
    )


def score_frame(comparison: Comparison, probe: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """
    Return the numbers of one probe's table, and how they are written.

    Parameters
    ----------
    comparison : Comparison
    probe : str

    Returns
    -------
    frame : DataFrame
        A row for each preprocessing and arm.
    formats : dict of str to str
        As for `Table`.
    """
    means = comparison.summary()
    means = means[(means["probe"] == probe) & (means["measure"] == comparison.measure)]
    if not len(means):
        return means, {}
    keys = ["arm", "preprocess"]
    numbers = ["difference", "low", "high", *_CHANCES, "p_holm"]
    verdicts = comparison.verdicts(probe)[[*keys, *numbers, "verdict"]]
    frame = means.merge(verdicts, on=keys, how="left")
    order = {name: place for place, name in enumerate(comparison.settings["preprocess"])}
    frame = frame.sort_values("preprocess", key=lambda names: names.map(order), kind="stable")
    title = measure_named(comparison.measure).title
    controls = set(comparison.controls)
    frame = frame.assign(
        verdict=frame["verdict"].fillna("reference"),
        arm=[f"{arm} (control)" if arm in controls else arm for arm in frame["arm"]],
        interval=[
            f"{signed(low, 3)} to {signed(high, 3)}" if np.isfinite(low) else ""
            for low, high in zip(frame["low"], frame["high"], strict=True)
        ],
    )
    names = {"arm": "arm", "preprocess": "preprocessing", "mean": title, "verdict": "verdict",
             "difference": "difference", "interval": "95 % interval", **_CHANCES,
             "p_holm": "Holm's p"}  # fmt: skip
    formats = {title: ".3f", "difference": "+.3f", "Holm's p": ".3f"}
    shown = frame[list(names)].rename(columns=names)
    return shown, formats | dict.fromkeys(_CHANCES.values(), ".2f")


def _measures(comparison: Comparison) -> Section:
    means = comparison.summary()
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
    measures = list(dict.fromkeys(means["measure"]))
    order = means[index].drop_duplicates()
    wide = means.pivot(index=index, columns="measure", values="mean").reset_index()
    wide = order.merge(wide, on=index, how="left")[[*index, *measures]].rename(columns=_HEADINGS)
    formats = {_HEADINGS.get(name, name): ".3f" for name in measures}
    return Table(wide.rename(columns={"preprocess": "preprocessing"}), caption, formats)


def _seeds(comparison: Comparison) -> Section:
    spread = comparison.seed_spread()
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
        f"{_HEADINGS[comparison.measure]} of arms with several seeds.",
        formats,
    )
    return Section("Luck with seeds and splits", [words, table])


def _failures(comparison: Comparison) -> Section:
    groups = comparison.failures.groupby(["arm", "preprocess", "probe", "message"], sort=False)
    table = groups.size().reset_index(name="times")
    words = (
        "These failed and were left out; an arm that failed in some resample gets no verdict, "
        "since to leave out just those resamples would flatter it."
    )
    return Section("What failed", [words, Table(table)])


def _method(comparison: Comparison) -> Section:
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
            f"arm {name!r}, seeds: {settings['seeds'][name]}": text
            for name, text in settings["arms"].items()
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
