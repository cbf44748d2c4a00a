"""A comparison as the sections of a page: the verdict first, how it was done last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from narrows.plots import figure_svg
from narrows.report._summary import Figure, Section, Table

if TYPE_CHECKING:
    import pandas as pd

    from narrows.comparison import Comparison

_HEADINGS = {
    "accuracy": "accuracy", "kappa": "kappa", "log_loss": "log-loss", "r2": "R²", "rmse": "RMSE",
    "reconstruction_error": "reconstruction error", "trustworthiness": "trustworthiness",
    "continuity": "continuity", "neighbour_agreement": "agreement",
}  # fmt: skip


def comparison_sections(comparison: Comparison, label: str = "label") -> list[Section]:
    """
    Return what a page says of a comparison.

    Parameters
    ----------
    comparison : Comparison
    label : str
        What the labels are called, for the embeddings' legend.

    Returns
    -------
    list of Section
        Verdict, scores, other measures, embeddings, seeds and splits, how it was done, and what
        failed, if anything did.
    """
    sections = [
        _verdict(comparison),
        _scores(comparison),
        _measures(comparison),
    ]
    if len(comparison.points):
        sections.append(_embeddings(comparison, label))
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
    return Section(
        "What the comparison says",
        [*comparison.sentences(), means],
    )


def _scores(comparison: Comparison) -> Section:
    blocks: list[Any] = []
    if comparison.verdicts()["difference"].notna().any():
        blocks.append(
            Figure(
                figure_svg(comparison.plot()),
                f"Difference of each arm from {comparison.reference} with its 95 % interval, one "
                "panel for each preprocessing.",
                "Differences on unseen rows, with 95 % intervals corrected for the overlap of "
                "resamples (Nadeau and Bengio 2003). The grey band is the region of practical "
                "equivalence. Only arms under the same preprocessing are compared.",
            )
        )
    for probe in comparison.settings["probes"]:
        table = comparison.table(probe).drop(columns=["SD splits", "SD seeds"])
        for choice, part in table.groupby("preprocessing", sort=False):
            caption = f"Preprocessing {choice}, judged by {probe}."
            blocks.append(Table(part.drop(columns="preprocessing"), caption))
    blocks.append("Controls show what no learning, or no reduction, gives.")
    return Section("Scores and differences", blocks)


def _measures(comparison: Comparison) -> Section:
    means = comparison.summary()
    probes = means[means["probe"] != "embedding"]
    itself = means[means["probe"] == "embedding"]
    blocks: list[Any] = [Table(_wide(probes, ["preprocess", "probe", "arm"]), "Every measure.")]
    if len(itself):
        words = (
            "Of the embedding itself, on test rows: mean squared reconstruction error in squared "
            "units of the preprocessed columns, so comparable within a preprocessing only, and "
            "how well each row's five nearest neighbours survive (0 to 1, more is better)."
        )
        blocks += [words, Table(_wide(itself, ["preprocess", "arm"]))]
    return Section("All measures", blocks)


def _wide(means: pd.DataFrame, index: list[str]) -> pd.DataFrame:
    import pandas as pd

    measures = list(dict.fromkeys(means["measure"]))
    order = means[index].drop_duplicates()
    wide = means.pivot(index=index, columns="measure", values="mean").reset_index()
    wide = order.merge(wide, on=index, how="left")[[*index, *measures]]
    text = wide.astype(dict.fromkeys(measures, object))
    for name in measures:
        text[name] = ["" if pd.isna(value) else f"{value:.3f}" for value in wide[name]]
    return text.rename(columns=_HEADINGS)


def _embeddings(comparison: Comparison, label: str) -> Section:
    figure = Figure(
        figure_svg(comparison.plot("embeddings", label=label)),
        "The embeddings side by side, one panel for each arm and preprocessing, points coloured "
        f"by {label}.",
        "Embeddings of the first resample by the first seed, training and test rows. Each panel "
        "has axes of its own; its units mean nothing in another.",
    )
    return Section("The embeddings", [figure])


def _seeds(comparison: Comparison) -> Section:
    spread = comparison.seed_spread()
    shown = spread[spread["measure"] == comparison.measure]
    words = (
        "How far another seed moves the score inside one resample, beside how far another split "
        "moves the mean over seeds. Seeds are averaged before any test: they are no extra test "
        "sets."
    )
    formats = dict.fromkeys(("sd_within", "sd_splits", "lowest", "highest"), ".3f")
    return Section("Luck with seeds and splits", [words, Table(shown, formats=formats)])


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
        "refitted in every resample": "everything" if settings["refit"] else "probes only",
        "seed of everything": str(settings["random_state"]),
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
    return Section("How it was done", [Table(table)])
