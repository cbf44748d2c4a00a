"""What a comparison found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from narrows._checks import check_option
from narrows._files import replace_file
from narrows._session import usual_numbers
from narrows.comparison.probes._measures import measure_named, measures_of
from narrows.comparison.resampling._resamples import Resamples
from narrows.comparison.results import _text
from narrows.comparison.results._arm_records import UNSEEN, ArmRecord, arm_records
from narrows.comparison.results._presentation import answers
from narrows.comparison.statistics import _tables

# What can be drawn, and the options that each has.
_PLOTS = {
    "intervals": ("probe", "measure", "reference", "rope", "confidence"),
    "embeddings": ("label",),
    "scores": ("probe", "measure"),
}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Scores of arms over the same resamples, and what they say about each other.

    Made by `narrows.compare`; prints as a result.

    Parameters
    ----------
    scores : pandas.DataFrame
        What `frame` returns.
    failures : pandas.DataFrame
        ``arm``, ``preprocess``, ``resample``, ``seed``, ``probe``, ``message``: a row for each
        fit or probe that failed.
    points : pandas.DataFrame
        Embeddings of the first resample by the first seed, for the figure: ``arm``,
        ``preprocess``, ``row``, ``part`` (train or test), ``dim_1``, ``dim_2``.
    labels : list
        The label of each row of the table.
    resamples : Resamples
        Rows that every arm was trained and tested on.
    settings : dict
        How it was done, in plain values.
    seconds : dict of str to float
        Wall time by part: ``"preprocessing"``, ``"embedders"``, ``"probes"``, ``"quality"``.
    """

    scores: pd.DataFrame
    failures: pd.DataFrame
    points: pd.DataFrame
    labels: list
    resamples: Resamples
    settings: dict[str, Any]
    seconds: dict[str, float]

    @property
    def reference(self) -> str:
        """The arm that others are compared with, unless `verdicts` is told otherwise."""
        return self.settings["reference"]

    @property
    def arms(self) -> list[str]:
        """Names of all arms, controls last."""
        return list(self.settings["arms"])

    @property
    def controls(self) -> list[str]:
        """Names of the controls."""
        return list(self.settings["controls"])

    @property
    def arm_records(self) -> dict[str, ArmRecord]:
        """What is known of every arm, by name."""
        return arm_records(self.settings)

    @property
    def measure(self) -> str:
        """The measure that verdicts are about first: accuracy, or R²."""
        return measures_of(self.settings["task"])[0].name

    @usual_numbers()
    def frame(self) -> pd.DataFrame:
        """Return every score.

        Returns
        -------
        pandas.DataFrame
            A row for each ``arm``, ``preprocess``, ``resample``, ``seed`` (both from 0),
            ``probe`` and ``measure``, with its ``value``. Measures of the embedding itself
            (reconstruction error, trustworthiness, …) have ``"embedding"`` as probe.
        """
        return self.scores.copy()

    @usual_numbers()
    def summary(self) -> pd.DataFrame:
        """Return means, and spreads over splits and over seeds apart.

        Returns
        -------
        pandas.DataFrame
            A row for each arm, preprocessing, probe and measure: ``mean`` over resamples of the
            means over seeds; ``sd_splits``, their standard deviation over resamples;
            ``sd_seeds``, the standard deviation over seeds inside a resample (root mean square);
            ``resamples``; ``seeds``.
        """
        return _tables.summary(self.scores)

    @usual_numbers()
    def seed_spread(self) -> pd.DataFrame:
        """Return how much luck with the seed matters, beside luck with the split.

        Returns
        -------
        pandas.DataFrame
            A row for each arm, preprocessing, probe and measure with several seeds: ``seeds``,
            ``sd_within`` (over seeds, inside a resample), ``sd_splits`` (over resamples),
            ``lowest`` and ``highest`` score of one seed in one resample.
        """
        return _tables.seed_spread(self.scores)

    @usual_numbers()
    def verdicts(
        self,
        probe: str | None = None,
        measure: str | None = None,
        *,
        reference: str | None = None,
        rope: float | None = None,
        confidence: float = 0.95,
    ) -> pd.DataFrame:
        """Return what can be said about each arm against the reference.

        Differences are taken resample by resample, after averaging over seeds, against the
        reference under the same preprocessing. Intervals are Nadeau and Bengio's, probabilities
        those of the Bayesian correlated t-test; see `corrected_interval` and `posterior`.

        Parameters
        ----------
        probe : str, default=None
            A probe's name, or ``"embedding"``; None is every probe.
        measure : str, default=None
            None is accuracy for classes and R² for numbers; of the ``"embedding"`` it is every
            measure that there is.
        reference : str, default=None
            The arm to compare with; None is the comparison's own.
        rope : float, default=None
            Differences of less are of no practical importance, in the measure's units; None is
            the measure's default: 0.01 (a point) of accuracy; of an error in the data's own units
            1 % of the reference's (its median) under the same preprocessing.
        confidence : float, default=0.95
            Coverage of the interval; a verdict is better or worse where the interval lies wholly
            outside the region of practical equivalence, see `narrows.comparison.verdict`.

        Returns
        -------
        pandas.DataFrame
            ``arm``, ``reference``, ``preprocess``, ``probe``, ``measure``; ``difference`` with
            its interval's ends ``low`` and ``high``; ``p_better``, ``p_equivalent``,
            ``p_worse``; ``p_value`` of the corrected t-test and ``p_holm``, adjusted over the
            arms and preprocessings of a probe; ``verdict``: better, equivalent, worse,
            undecided, failed where preprocessing, a fit or the probe failed in some resample, or
            not scored where nothing failed but the measure does not exist for the arm or the
            reference; ``resamples``, how many there were; ``rope``, as above. A row for every arm
            but the reference, every preprocessing and probe, whether or not there is a score.

        Raises
        ------
        ValueError
            If `probe`, `measure` or `reference` is not in the comparison.
        """
        return _tables.verdicts(self, probe, measure, reference, rope, confidence)

    @usual_numbers()
    def plot(
        self,
        kind: str = "intervals",
        *,
        probe: str | None = None,
        measure: str | None = None,
        reference: str | None = None,
        rope: float | None = None,
        confidence: float | None = None,
        label: str | None = None,
    ) -> Any:
        """Draw the comparison.

        Parameters
        ----------
        kind : {"intervals", "embeddings", "scores"}, default="intervals"
            ``"intervals"`` draws each arm's difference from the reference with its interval;
            ``"embeddings"`` the first resample's embeddings side by side, coloured by label (the
            raw columns, which are none, are left out; of arms that are fitted with labels only
            test rows are drawn, as on those that taught them classes look apart even where
            labels are noise);
            ``"scores"`` every resample's score.
        probe : str, default=None
            Of intervals and scores: a probe's name, or ``"embedding"``; None is every probe for
            intervals, the first for scores.
        measure : str, default=None
            Of intervals and scores; None is accuracy for classes and R² for numbers.
        reference, rope, confidence : default=None
            Of intervals, as for `verdicts`.
        label : str, default=None
            Of embeddings: what the legend is called; None is ``"label"``.

        Returns
        -------
        plotnine.ggplot

        Raises
        ------
        ValueError
            If `kind` is none of the three, it does not take an option that is given, there are no
            such scores, or no embedding has two columns.
        """
        from narrows import plots
        from narrows.plots import captioned

        given = {
            "probe": probe, "measure": measure, "reference": reference, "rope": rope,
            "confidence": confidence, "label": label,
        }  # fmt: skip
        options = {name: value for name, value in given.items() if value is not None}
        _check_options(kind, options)
        if kind == "embeddings":
            label = label or "label"
            figure = plots.embedding_facets(self._embeddings(label), label=label)
            return captioned(figure, _text.figure_note(self))
        if kind == "scores":
            measure = measure or self.measure
            probe = probe or next(iter(self.settings["probes"]))
            title = measure_named(measure).title
            figure = plots.scores(self._one_score(probe, measure, title), measure=title)
        else:
            rows = answers(
                self, probe, measure or self.measure, reference=reference, rope=rope,
                confidence=0.95 if confidence is None else confidence,
            )  # fmt: skip
            figure = plots.intervals(rows)
        return captioned(figure, _text.fitting_note(self))

    @usual_numbers()
    def sentences(self) -> list[str]:
        """Return the verdict on every arm that is no control, a sentence each.

        Returns
        -------
        list of str
            With ``refit=False`` a first one says that all rows were seen.
        """
        return _text.sentences(self)

    @usual_numbers()
    def table(self, probe: str | None = None) -> pd.DataFrame:
        """Return scores, differences and verdicts of one probe as a person reads them.

        Parameters
        ----------
        probe : str, default=None
            A probe's name; None is the first.

        Returns
        -------
        pandas.DataFrame
            Of text; `summary` and `verdicts` have the numbers. With ``refit=False`` its last
            column says that all rows were seen.
        """
        return _text.score_table(self, probe or next(iter(self.settings["probes"])))

    @usual_numbers()
    def beside(self, other: "Comparison") -> "Comparison":
        """Put the arms of another comparison of the same data on the same resamples beside these.

        Parameters
        ----------
        other : Comparison
            Its arms must have other names.

        Returns
        -------
        Comparison
            With this one's reference. A control of `other` that is here already is left out, but
            not another network's untrained encoder: it is called ``"untrained encoder of ARM"``.
            Random states may differ; ``settings["random_states"]`` keeps the other's.

        Raises
        ------
        ValueError
            If data, resamples, probes or the way of refitting differ, or an arm is in both.
        """
        from narrows.comparison.results._merge import joined

        return joined(self, other)

    @usual_numbers()
    def to_html(
        self,
        path: str | Path | None = None,
        *,
        X: Any = None,
        arms: Mapping[str, Any] | None = None,
        preprocess: Any = None,
        label: str = "label",
        title: str = "Was the embedding worth it?",
    ) -> str:
        """Return the comparison as one self-contained HTML page, and write it if a path is given.

        A comparison keeps scores, not the table and not the fits. With `X` the page tells a row's
        values beside the pointer; with `arms` as well, every arm is fitted once more on all rows
        and the page shows what there is to look at: embeddings, reconstruction, training,
        networks. Without them it shows what the comparison has, and says so.

        Parameters
        ----------
        path : str or Path, default=None
            File to write; an old one stays intact until the new one is complete.
        X : table or array-like of shape (n_rows, n_columns), default=None
            The rows that were compared.
        arms : mapping of str to transformer, default=None
            What was given to `narrows.compare`; needs `X`.
        preprocess : str, transformer, sequence of these, or mapping of str to these, default=None
            What was given to `narrows.compare`; None where that was ``"none"``,
            ``"standardize"`` or both.
        label : str, default="label"
            What the labels are called.
        title : str, default="Was the embedding worth it?"
            The page's heading.

        Returns
        -------
        str
            Escaped throughout; a browser needs no network for it, and figures are drawings where
            it runs no scripts.

        Raises
        ------
        ValueError
            If `X` or `arms` are not what was compared, or there are `arms` without `X`.
        """
        from narrows.report import comparison_report, render

        report = comparison_report(
            self, X=X, arms=arms, preprocess=preprocess, label=label, title=title
        )
        page = render(report)
        if path is not None:
            replace_file(path, page.encode())
        return page

    @usual_numbers()
    def to_json(self, path: str | Path | None = None) -> str:
        """Return every number and setting as JSON, and write it if a path is given.

        Parameters
        ----------
        path : str or Path, default=None
            File to write; an old one stays intact until the new one is complete.

        Returns
        -------
        str
        """
        from narrows.comparison.results._json import to_json

        return to_json(self, path)

    @classmethod
    def from_json(cls, text: str | Path) -> "Comparison":
        """Return the comparison that `to_json` wrote.

        Parameters
        ----------
        text : str or Path
            JSON, or the path of a file with it.

        Returns
        -------
        Comparison

        Raises
        ------
        ValueError
            If it is no comparison, or of a newer format.
        """
        from narrows.comparison.results._json import from_json

        return from_json(text)

    def _one_score(self, probe: str, measure: str, title: str) -> pd.DataFrame:
        means = _tables.averaged(self.scores)
        probes = means["probe"].unique()
        check_option(None, "probe", probes, probe)
        means = means[means["probe"] == probe]
        where = f" for the probe {probe!r} (probes are {', '.join(map(repr, probes))})"
        check_option(None, "measure", means["measure"].unique(), measure, where=where)
        shown = means[means["measure"] == measure].rename(columns={"value": title})
        names = {arm: record.marked for arm, record in self.arm_records.items()}
        return shown.assign(arm=shown["arm"].map(names))

    def _embeddings(self, label: str) -> pd.DataFrame:
        """Return the points of every arm that has two dimensions, with origin and label.

        Of arms that are fitted with labels, only those of test rows.
        """
        arms = [arm for arm, record in self.arm_records.items() if not record.is_raw]
        told = [arm for arm in arms if self.arm_records[arm].uses_labels]
        points = self.points[self.points["arm"].isin(arms)]
        points = points[~points["arm"].isin(told) | (points["part"] == "test")]
        points = points.sort_values("arm", key=lambda names: names.map(arms.index), kind="stable")
        labels = pd.Series(self.labels).iloc[points["row"]].to_numpy()
        names = points["arm"].map({arm: arm + UNSEEN * (arm in told) for arm in arms})
        origin = names + ", " + points["preprocess"]
        return points.assign(**{"data_origin": origin, label: labels})

    @usual_numbers()
    def _repr_html_(self) -> str:
        from narrows.report import notebook_html

        return notebook_html(self)

    @usual_numbers()
    def __repr__(self) -> str:
        return _text.comparison_text(self)


def _check_options(kind: str, options: Mapping[str, Any]) -> None:
    """Raise a ValueError unless there is such a figure and it takes all options given."""
    check_option(None, "kind", _PLOTS, kind)
    if other := [name for name in options if name not in _PLOTS[kind]]:
        taken = ", ".join(map(repr, _PLOTS[kind]))
        raise ValueError(
            f"The options of Comparison.plot({kind!r}) must be some of {taken}. "
            f"Got {other[0]!r} instead."
        )
