"""The comparison's front door: arguments checked, design made, result handed over."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import joblib
import numpy as np
import pandas as pd

from narrows._checks import check_integer, check_option, refusal
from narrows._progress import Progress, progress_bar
from narrows.comparison._arms import Arm, all_arms, check_arms, check_labelled
from narrows.comparison._comparison import Comparison
from narrows.comparison._teachable import check_teachable
from narrows.comparison.probes._registry import probe_for
from narrows.comparison.resampling._draw import resamples_for
from narrows.comparison.resampling._duplicates import repeats_across
from narrows.comparison.resampling._groups import group_codes
from narrows.comparison.resampling._resamples import Resamples
from narrows.comparison.results._arm_records import described
from narrows.comparison.results._fingerprint import estimator_text, hash_of
from narrows.comparison.running._design import COLUMNS, FAILED, POINTS, Design, Findings, SeedSource
from narrows.comparison.running._leaks import leaking_columns
from narrows.comparison.running._preprocessing import DEFAULT, check_mixed, choices_of
from narrows.comparison.running._schedule import run
from narrows.comparison.running._score import NO_PROBE, Judge
from narrows.comparison.running._survey import Survey, coarse_columns, row_names, survey
from narrows.data import Labels, check_shared, labels_of, table_of
from narrows.embedders import capabilities_of

_CALLER = "compare"
COMPARING = "comparing, refitted in every resample"
# Controls are background: two draws in each resample are fifty in 25, enough to tell a poor
# embedding from a good one.
_MOST_CONTROL_SEEDS = 2


def compare(
    arms: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    preprocess: Any = DEFAULT,
    probes: Any = ("forest",),
    resampling: Resamples | str | Any = None,
    groups: Any = None,
    seeds: int = 10,
    reference: str | None = None,
    controls: Sequence[str] = ("raw", "random", "untrained"),
    labelled: Sequence[str] = (),
    refit: bool = True,
    task: str | None = None,
    quality: bool = True,
    random_state: int | None = None,
    n_jobs: int = -1,
    verbose: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Compare embedders by what a probe can do with their embedding of unseen rows.

    Everything that learns is refitted inside every resample: preprocessing, embedder, probe.
    Every arm sees the same resamples and the same preprocessing choices, and in each resample
    a probe draws the same random numbers for every arm. Arms that are fitted with labels, such as
    linear discriminant analysis, get those of the training rows, and are marked in every output;
    of test rows no arm is ever told a label.

    Parameters
    ----------
    arms : mapping of str to transformer
        Embedders by name: any scikit-learn transformers, which are cloned and get seeds of the
        comparison's as their ``random_state``. All fits of a narrows
        embedder, also as the last step of a pipeline, are trained together by the engine; others
        are fitted one by one through joblib, where ``joblib.parallel_config`` can spread them.
        So is a pipeline in which a step before its embedder has a ``random_state``, since each
        fit then has rows of its own; it gets no untrained control. Embedders that say that they
        use labels are fitted with the training rows': those that scikit-learn's tags call
        classifiers, regressors or in need of labels, those whose `fit` cannot do without ``y``,
        and pipelines with them. They get class codes from 0, or numbers as float64; a regressor
        of several targets gets a column of zeros and ones for each class (PLS-DA).
    X : table or array-like of shape (n_rows, n_columns)
        The rows. A table may have text, dates and gaps; see `preprocess`.
    y : array-like of shape (n_rows,)
        Labels: classes or numbers, see `task`.
    preprocess : str, transformer, sequence of these, or mapping of str to these, \
default=("none", "standardize")
        What is done to the columns before every embedder, each choice with every arm.
        ``"standardize"`` gives a column mean 0 and standard deviation 1. In a table with text or
        gaps both names first turn these into numbers, as `TablePreprocessor` does.
    probes : str, estimator, sequence of these, or mapping of str to these, default=("forest",)
        The downstream models: names such as ``"forest"`` and ``"neighbours"``, of which an
        unknown one lists all, or scikit-learn estimators.
    resampling : Resamples, str, splitter or iterable of pairs, default=None
        Rows to train and to test on, as an object or as text: ``"5x5"`` for five times five
        folds, ``"bootstrap:25"``, ``"holdout:0.8x10"``. None is 5 × 5 folds. Folds and
        holdouts are stratified by the labels. Or a scikit-learn splitter, such as
        ``TimeSeriesSplit()``, or pairs of training and test rows, numbered from 0.
    groups : array-like of shape (n_rows,), default=None
        What rows belong together, such as patients with several visits: no group is in training
        and test rows of one resample. A text then draws groups; they are stratified by the
        labels if each has one class only. An arm whose `fit` takes ``groups``, such as
        `narrows.AutoencoderCV`, gets those of its training rows.
    seeds : int, default=10
        Fits of each arm in each resample, from different seeds; one of an arm without a random
        state, and at most two of a control. They are averaged before any test: seeds are not
        extra test sets.
    reference : str, default=None
        The arm that others are compared with; None is the first PCA, or else the first arm.
    controls : sequence of {"raw", "random", "untrained", "linear"}, \
default=("raw", "random", "untrained")
        What stands beside without being asked for: the columns themselves, a Gaussian random
        projection, the networks before training, of every arm that the engine trains; on request
        a linear autoencoder. Projection and linear autoencoder are as wide as the first arm that
        states a width, if there are as many columns after preprocessing. Each once; empty for
        none.
    labelled : sequence of str, default=()
        Names of further arms that are fitted with the training rows' labels: those whose `fit`
        can use labels but does not need them, such as ``umap.UMAP``.
    refit : bool, default=True
        False fits preprocessing and embedders once on all rows, test rows included, as the post
        does. The result says so. Arms that are fitted with labels are refused then.
    task : {"classification", "regression"}, default=None
        What `y` is; None decides by its values, see `narrows.comparison.label_kind`.
    quality : bool, default=True
        Whether to measure, on at most 1,000 test rows of each resample, how well neighbourhoods
        survive: trustworthiness, continuity, agreement of five neighbours.
    random_state : int, default=None
        Root of every seed. An arm's seeds depend on its name, the preprocessing, the resample
        and their number, not on other arms. None draws one; the result keeps it.
    n_jobs : int, default=-1
        joblib workers for probes and for embedders outside the engine; threads, unless
        ``joblib.parallel_config`` says otherwise. It has no influence on any number: each fit
        has one thread of BLAS and OpenMP to itself.
    verbose : int, default=0
        1 shows a progress bar on stderr, unless there is `progress`.
    progress : callable, default=None
        Called as ``progress(done, total)``, in embeddings.

    Returns
    -------
    Comparison

    Warns
    -----
    UserWarning
        If columns are constant and standardized, text columns have very many levels, or many
        rows repeat others, so that training and test rows share them; if a parameter of an arm
        has no effect beside its others; if columns vary so little around a large number that
        float32 tells few values apart: networks then get them less the training rows' mean; if
        columns or labels have another whole number, or text, in every row, as ids have; if a
        column predicts the label almost alone, by a small decision tree or its levels, with a
        cross-validated kappa of at least .98 or as large an R² of the label's ranks, or is the
        label under another name.

    Raises
    ------
    ValueError
        If an argument is none of what it may be; if `X`, `y` and `resampling` differ in rows; if
        labels are missing, of one class, another in every row, or such that no training rows
        could teach them; if a class has fewer rows than there are folds; if
        the reference is a PCA of more components than there are columns or training rows; if
        every arm failed. An arm that fails alone is named in the result, the others go on.

    References
    ----------
    Barker, M. and Rayens, W. (2003). Partial least squares for discrimination. Journal of
    Chemometrics 17, 166-173. https://doi.org/10.1002/cem.785

    Varma, S. and Simon, R. (2006). Bias in error estimation when using cross-validation for
    model selection. BMC Bioinformatics 7, 91. https://doi.org/10.1186/1471-2105-7-91

    Examples
    --------
    >>> import narrows
    >>> iris = narrows.datasets.iris()
    >>> arms = {"pca": narrows.PCA(2), "one column": narrows.PCA(1)}
    >>> found = narrows.compare(
    ...     arms, iris.drop(columns="Species"), iris["Species"],
    ...     probes="neighbours", resampling="5x1", controls=(), random_state=0,
    ... )
    >>> sorted(found.summary()["arm"].unique())
    ['one column', 'pca']
    """
    check_arms(arms, controls, _CALLER)
    told = check_labelled(arms, labelled, _CALLER, refit=bool(refit))
    table = table_of(X, _CALLER)
    n_rows = len(table)
    labels = labels_of(y, n_rows, _CALLER, task)
    check_shared(labels, _CALLER)
    root = SeedSource(check_integer(_CALLER, "random_state", random_state, least=0, optional=True))
    together = None if groups is None else group_codes(groups, n_rows, _CALLER)
    resamples = resamples_for(resampling, labels, together, root.get("resamples"), _CALLER)
    check_teachable(labels, resamples, _CALLER)
    named = _probes(probes, labels.task, n_jobs)
    choices = choices_of(preprocess, table.mixed, _CALLER)
    compared_with = _reference(reference, arms)
    asked = {"random", "linear"} & set(controls) or _components(arms[compared_with]) is not None
    seen = survey(choices, table, _CALLER, widths=bool(asked))
    seen.messages.extend(repeats_across(table, together))
    seen.messages.extend(row_names(table, labels, _CALLER))
    seen.messages.extend(leaking_columns(table, labels, together, _CALLER))
    everyone = all_arms(arms, controls, seen.narrowest, told)
    seen.messages.extend(coarse_columns(choices, table, everyone, _CALLER))
    seen.messages.extend(_without_effect(everyone))
    design = Design(
        arms=everyone,
        choices=choices,
        table=table,
        resamples=resamples,
        judge=Judge(named, labels.task, labels.values, len(labels.classes), bool(quality)),
        n_seeds=_seed_counts(everyone, seeds),
        seeds=root,
        refit=bool(refit),
        n_jobs=n_jobs,
        groups=together,
    )
    trains = [train for train, _ in resamples]
    check_mixed(choices, table, trains, _CALLER)
    fitted_on = max(map(len, trains)) if refit else n_rows
    _check_components(compared_with, arms[compared_with], seen, fitted_on)
    seen.warn()
    with (
        progress_bar(COMPARING) if verbose and progress is None else nullcontext(progress) as report
    ):
        findings = run(design, report)
    _check_not_all_failed(design, findings)
    return _result(design, findings, compared_with, labels, X)


def _without_effect(arms: list[Arm]) -> list[str]:
    """Return sentences on parameters of the arms that do nothing."""
    own = [arm.network for arm in arms if not arm.control]
    networks = [one for one in own if capabilities_of(one).network]
    return [text for one in networks for text in one._without_effect()]


def _probes(probes: Any, kind: str, n_jobs: int) -> dict[str, Any]:
    if isinstance(probes, Mapping):
        pairs = list(probes.items())
    else:
        single = isinstance(probes, str) or hasattr(probes, "fit")
        if not single and not isinstance(probes, Iterable):
            raise refusal(
                _CALLER,
                "probes",
                "be names, estimators, or a sequence or mapping of these, e.g. ('forest', "
                "'neighbours')",
                repr(probes),
            )
        listed = [probes] if single else list(probes)
        pairs = [(p if isinstance(p, str) else type(p).__name__, p) for p in listed]
    names = [name for name, _ in pairs]
    if not pairs or len(set(names)) < len(names) or NO_PROBE in names:
        raise refusal(
            _CALLER,
            "probes",
            f"have at least one probe, each under a name of its own and none {NO_PROBE!r}",
            f"{names}",
        )
    found = {str(name): probe_for(probe, kind) for name, probe in pairs}
    if joblib.effective_n_jobs(n_jobs) > 1:
        for name, probe in pairs:
            if isinstance(probe, str) and "n_jobs" in found[name].get_params():
                found[name].set_params(n_jobs=1)  # the cores are taken by other embeddings
    return found


def _seed_counts(arms: list[Arm], seeds: Any) -> dict[str, int]:
    check_integer(_CALLER, "seeds", seeds, least=1)
    most = {True: min(int(seeds), _MOST_CONTROL_SEEDS), False: int(seeds)}
    return {arm.name: most[arm.control] if arm.seeded else 1 for arm in arms}


def _reference(reference: str | None, arms: Mapping[str, Any]) -> str:
    names = list(arms)
    if reference is None:
        return next((n for n in names if type(arms[n]).__name__ == "PCA" or n == "pca"), names[0])
    check_option(_CALLER, "reference", names, reference)
    return reference


def _components(estimator: Any) -> int | None:
    """Return how many components a PCA is to have; None for all else."""
    wanted = getattr(estimator, "n_components", None)
    return wanted if type(estimator).__name__ == "PCA" and isinstance(wanted, int) else None


def _check_components(name: str, estimator: Any, seen: Survey, rows: int) -> None:
    """Raise if a reference that is a PCA could be fitted in no resample: after all trainings."""
    wanted, widest = _components(estimator), max(seen.widths.values(), default=None)
    if wanted is None or widest is None or wanted <= min(widest, rows):
        return
    raise ValueError(
        f"The reference arm {name!r} of {_CALLER} can have at most {min(widest, rows)} components, "
        f"as there are {widest} columns and {rows} training rows. Got {wanted} instead. Give a "
        "narrower embedding or another reference."
    )


def _check_not_all_failed(design: Design, findings: Findings) -> None:
    asked = {arm.name for arm in design.arms if not arm.control}
    scored = {row[0] for row in findings.values if row[4] != NO_PROBE}
    if findings.failures and not asked & scored:
        arm, choice, _, _, _, message = findings.failures[0]
        raise ValueError(
            f"At least one arm of {_CALLER} must be scored. All failed, the first, {arm!r} under "
            f"{choice!r}, with: {message}"
        )


def _result(
    design: Design, findings: Findings, reference: str, labels: Labels, X: Any
) -> Comparison:
    classes = labels.classes
    return Comparison(
        scores=pd.DataFrame(findings.values, columns=COLUMNS),
        failures=pd.DataFrame(findings.failures, columns=FAILED),
        points=_points(findings),
        labels=[classes[c] for c in labels.values] if classes else list(np.asarray(labels.given)),
        resamples=design.resamples,
        settings={
            "reference": reference,
            "arms": {arm.name: described(arm) for arm in design.arms},
            "controls": [arm.name for arm in design.arms if arm.control],
            "labelled": [arm.name for arm in design.arms if arm.uses_labels],
            "seeds": design.n_seeds,
            "preprocess": {name: estimator_text(choice) for name, choice in design.choices.items()},
            "probes": {name: estimator_text(probe) for name, probe in design.judge.probes.items()},
            "task": design.judge.kind,
            "classes": list(classes),
            "refit": design.refit,
            "random_state": design.seeds.entropy,
            "n_rows": design.resamples.n_rows,
            "n_columns": design.table.shape[1],
            "data": hash_of(design.table, design.judge.y),
        },
        seconds=dict(findings.seconds),
    )


def _points(findings: Findings) -> pd.DataFrame:
    if not findings.points:
        return pd.DataFrame(columns=POINTS)
    return pd.concat(findings.points, ignore_index=True)[POINTS]
