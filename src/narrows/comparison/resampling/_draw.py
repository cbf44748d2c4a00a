"""Ways to draw resamples beside the bootstrap: folds, holdouts, the user's own, and from text."""

import math
import numbers
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from narrows._checks import check_integer, refusal
from narrows.comparison.resampling._groups import check_apart, group_codes, labels_of_groups, spread
from narrows.comparison.resampling._resamples import Resamples, bootstrap
from narrows.comparison.resampling._strata import strata_of
from narrows.data import REGRESSION, Labels, series_of, task_of

_FORMS = "'5x5' (5 folds, 5 times), 'kfold:10', 'bootstrap:25' or 'holdout:0.8x10'"


def repeated_kfold(
    y_or_n_rows: Any,
    folds: int = 5,
    repeats: int = 5,
    stratify: bool = True,
    random_state: int | np.random.RandomState | None = None,
    task: str | None = None,
) -> Resamples:
    """Draw repeated k-fold cross-validation: every row is tested once in each repeat.

    Parameters
    ----------
    y_or_n_rows : array-like of shape (n_rows,) or int
        Labels, or without stratification the number of rows.
    folds : int, default=5
        Parts of the table, each the test rows once.
    repeats : int, default=5
        How often the table is shuffled and cut anew.
    stratify : bool, default=True
        Give every fold the classes' shares; for numbers, that of each quarter of them.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffles.
    task : {"classification", "regression"}, default=None
        What the labels are; None decides by their values as `narrows.partition` does.

    Returns
    -------
    Resamples
        Of kind ``"k-fold"``, `folds` × `repeats` pairs; rows are sorted.

    Raises
    ------
    ValueError
        If a class has fewer rows than there are folds, labels are missing or needed and not
        given, or a count is out of range.

    References
    ----------
    Kohavi, R. (1995). A study of cross-validation and bootstrap for accuracy estimation and
    model selection. IJCAI 14(2), 1137–1145.

    Examples
    --------
    >>> from narrows.comparison import repeated_kfold
    >>> print(repeated_kfold(["a"] * 20 + ["b"] * 10, random_state=0).describe())
    5 × 5 stratified folds
    """
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    n_rows = _n_rows(y_or_n_rows, stratify, "repeated_kfold")
    why = "up to the number of rows"
    check_integer("repeated_kfold", "folds", folds, least=2, most=n_rows, why=why)
    check_integer("repeated_kfold", "repeats", repeats, least=1)
    settings = {"n_splits": folds, "n_repeats": repeats, "random_state": random_state}
    rows = np.zeros(n_rows)
    if stratify:
        purpose = f"one for each of {folds} folds"
        strata = strata_of(y_or_n_rows, folds, "repeated_kfold", purpose, task)
        pairs = RepeatedStratifiedKFold(**settings).split(rows, strata)
    else:
        pairs = RepeatedKFold(**settings).split(rows)
    words = f"{folds} × {repeats} {'stratified ' if stratify else ''}folds"
    return Resamples("k-fold", tuple(pairs), n_rows, words)


def holdout(
    y_or_n_rows: Any,
    train: float = 0.8,
    times: int = 1,
    stratify: bool = True,
    random_state: int | np.random.RandomState | None = None,
    task: str | None = None,
) -> Resamples:
    """Draw training rows without replacement, and test on all others, several times.

    Parameters
    ----------
    y_or_n_rows : array-like of shape (n_rows,) or int
        Labels, or without stratification the number of rows.
    train : float, default=0.8
        Share of rows to train on, above 0 and below 1, rounded down to whole rows.
    times : int, default=1
        How many draws.
    stratify : bool, default=True
        Give both parts the classes' shares; for numbers, that of each quarter of them. Unlike
        `narrows.partition`, which rounds up in every class, the sizes add up to `train`.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.
    task : {"classification", "regression"}, default=None
        What the labels are; None decides by their values as `narrows.partition` does.

    Returns
    -------
    Resamples
        Of kind ``"holdout"``; rows are sorted.

    Raises
    ------
    ValueError
        If a class has a single row, a part would be empty or smaller than the number of
        classes, labels are missing or needed and not given, or a parameter is out of range.

    Examples
    --------
    >>> from narrows.comparison import holdout
    >>> print(holdout(150, 0.8, times=10, stratify=False, random_state=0).describe())
    10 holdouts of 20 %
    """
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    n_rows = _n_rows(y_or_n_rows, stratify, "holdout")
    _check_share(train)
    check_integer("holdout", "times", times, least=1)
    n_train = math.floor(round(train * n_rows, 9))  # 0.29 × 100 is 28.999999999999996
    settings = {"n_splits": times, "train_size": n_train, "test_size": n_rows - n_train}
    rows, least, strata = np.zeros(n_rows), 1, None
    if stratify:
        purpose = "one to train and one to test on"
        strata = strata_of(y_or_n_rows, 2, "holdout", purpose, task)
        least = int(strata.max()) + 1
    if min(n_train, n_rows - n_train) < least:
        raise refusal(
            "holdout",
            "train",
            f"leave at least {least} rows in both parts",
            f"{train!r}, which is {n_train} training and {n_rows - n_train} test rows",
        )
    draw = StratifiedShuffleSplit if stratify else ShuffleSplit
    drawn = draw(**settings, random_state=random_state).split(rows, strata)
    pairs = tuple((np.sort(one), np.sort(other)) for one, other in drawn)
    words = f"{times} {'stratified ' if stratify else ''}holdout{'s' if times > 1 else ''}"
    return Resamples("holdout", pairs, n_rows, f"{words} of {100 * (1 - train):.3g} %")


def own_resamples(pairs: Iterable[tuple[Any, Any]], n_rows: int) -> Resamples:
    """Take the user's own training and test rows.

    Parameters
    ----------
    pairs : iterable of (train_rows, test_rows)
        Row numbers from 0, e.g. what a scikit-learn splitter's ``split`` yields. A training row
        may stand there several times, a test row not in the same pair's training rows.
    n_rows : int
        Rows of the table.

    Returns
    -------
    Resamples
        Of kind ``"own"``, rows in the order given.

    Raises
    ------
    ValueError
        If there is no pair, or a pair has no training or no test rows, rows outside the table
        or rows in both parts.

    Examples
    --------
    >>> from sklearn.model_selection import LeaveOneOut
    >>> from narrows.comparison import own_resamples
    >>> print(own_resamples(LeaveOneOut().split(range(10)), 10).describe())
    10 own resamples
    """
    check_integer("own_resamples", "n_rows", n_rows, least=2)
    listed = [tuple(pair) for pair in pairs]
    for number, pair in enumerate(listed):
        if len(pair) != 2:
            raise refusal(
                "own_resamples",
                "pairs",
                "have pairs of training and test rows",
                f"{len(pair)} parts in pair {number} (counted from 0)",
            )
    return Resamples("own", [(pair[0], pair[1]) for pair in listed], n_rows)


def parse_resampling(
    text: str,
    y_or_n_rows: Any,
    random_state: int | np.random.RandomState | None = None,
    task: str | None = None,
    groups: Any = None,
) -> Resamples:
    """Draw the resamples that a short text names.

    Parameters
    ----------
    text : str
        ``"5x5"`` or ``"kfold:5x5"``: folds × repeats, ``"kfold:10"``: once; ``"bootstrap:25"``;
        ``"holdout:0.8x10"``: share to train on × times, ``"holdout:0.8"``: once. ``"kfold"``,
        ``"bootstrap"`` and ``"holdout"`` alone take the functions' defaults.
    y_or_n_rows : array-like of shape (n_rows,) or int
        Labels, to stratify by, or the number of rows.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.
    task : {"classification", "regression"}, default=None
        What the labels are; None decides by their values.
    groups : array-like of shape (n_rows,), default=None
        What rows belong together, such as patients: groups are drawn instead of rows, so that
        none is in both parts. They are stratified by the labels if each has one class only.

    Returns
    -------
    Resamples

    Raises
    ------
    ValueError
        If the text has none of these forms, or what it asks for cannot be drawn.

    Examples
    --------
    >>> from narrows.comparison import parse_resampling
    >>> print(parse_resampling("10x3", 150, random_state=0).describe())
    10 × 3 folds
    """
    name, given = _parts(text)
    if groups is not None:
        n_rows = _n_rows(y_or_n_rows, False, "parse_resampling")
        codes = group_codes(groups, n_rows, "parse_resampling")
        of_groups: Any = int(codes.max()) + 1
        if not isinstance(y_or_n_rows, numbers.Integral):
            # Of the rows: the labels of groups are too few to tell classes from numbers by.
            if isinstance(y_or_n_rows, Labels):
                series, task = y_or_n_rows.series, y_or_n_rows.task
            else:
                series = series_of(y_or_n_rows)
                task = task or task_of(y_or_n_rows, "parse_resampling")
            of_groups = labels_of_groups(series, task, codes)
        return spread(parse_resampling(text, of_groups, random_state, task), codes)
    if name == "bootstrap":
        n_rows = _n_rows(y_or_n_rows, False, "bootstrap")
        return bootstrap(n_rows, **given, random_state=random_state)
    draw = holdout if name == "holdout" else repeated_kfold
    stratify = not isinstance(y_or_n_rows, numbers.Integral)
    return draw(y_or_n_rows, **given, stratify=stratify, random_state=random_state, task=task)


def check_folds(text: str, y: Labels, caller: str, codes: np.ndarray | None = None) -> None:
    """Raise, with advice that fits a comparison, where a class is too small for a text's folds.

    Shapes: `codes` (n_rows,).
    """
    name, given = _parts(text)
    if codes is not None:
        _check_group_folds(name, given, labels_of_groups(y.series, y.task, codes), caller)
        return
    if name == "bootstrap" or y.task == REGRESSION:
        return
    small = "or leave out small classes, or {resampling}, for which classes may be small."
    if name == "holdout":
        purpose = "one to train and one to test on"
        strata_of(y, 2, caller, purpose, advice=f"Join {small}", resampling="bootstrap:25")
        return
    folds, repeats = given.get("folds", 5), given.get("repeats", 5)
    fewest = int(np.bincount(y.values).min())
    advice, setting = f"Join {small}", "bootstrap:25"
    if fewest > 1:
        setting = f"{fewest}x{repeats}"
        advice = (
            "Take fewer folds, such as {resampling}, join or leave out small classes, or take "
            "'bootstrap:25', for which classes may be small."
        )
    purpose = f"one for each of {folds} folds"
    strata_of(y, folds, caller, purpose, advice=advice, resampling=setting)


def _check_group_folds(name: str, given: dict[str, Any], of_groups: Any, caller: str) -> None:
    least = given.get("folds", 5) if name == "kfold" else 2
    counts = None if isinstance(of_groups, int) else of_groups.value_counts()
    fewest = of_groups if counts is None else int(counts.min())
    if fewest < least:
        whose = "" if counts is None else f" of class {str(counts.idxmin())!r}"
        raise refusal(
            caller,
            "groups",
            f"have at least {least} groups{whose} for this resampling",
            str(fewest),
            "Take fewer folds, or 'bootstrap:25'."
            if fewest > 1
            else "Join or leave out small classes, or group the rows otherwise.",
        )


# What follows the name and a colon: groups are named as the functions' parameters.
_GRAMMAR = {
    "kfold": r"(?P<folds>\d+)(?:[x×](?P<repeats>\d+))?",
    "bootstrap": r"(?P<times>\d+)",
    "holdout": r"(?P<train>\d*\.\d+)(?:[x×](?P<times>\d+))?",
}


def _parts(text: Any) -> tuple[str, dict[str, Any]]:
    """Return a form's name and its parameters."""
    plain = re.sub(r"\s", "", text).lower() if isinstance(text, str) else ""
    if re.fullmatch(r"\d+[x×]\d+", plain):
        plain = f"kfold:{plain}"
    name, colon, rest = plain.partition(":")
    name = name.replace("-", "")
    if name in _GRAMMAR and not colon:
        return name, {}
    found = re.fullmatch(_GRAMMAR[name], rest) if name in _GRAMMAR else None
    if found is None:
        raise refusal(None, "resampling", f"be a text such as {_FORMS}", repr(text))
    once = {"repeats": "1"} if name == "kfold" else {}
    given = once | {key: value for key, value in found.groupdict().items() if value}
    return name, {key: float(v) if key == "train" else int(v) for key, v in given.items()}


def _n_rows(y_or_n_rows: Any, stratify: bool, caller: str) -> int:
    if not isinstance(y_or_n_rows, numbers.Integral):
        if not hasattr(y_or_n_rows, "__len__") or isinstance(y_or_n_rows, str):
            raise refusal(caller, "y_or_n_rows", "be labels or a number of rows", repr(y_or_n_rows))
        return len(y_or_n_rows)
    if stratify:
        raise refusal(
            caller,
            "y_or_n_rows",
            "be labels to stratify by",
            f"the number {y_or_n_rows}",
            "Give the labels, or stratify=False.",
        )
    check_integer(caller, "y_or_n_rows", y_or_n_rows, least=2)
    return int(y_or_n_rows)


def _check_share(train: float) -> None:
    if not (isinstance(train, numbers.Real) and 0 < train < 1):
        raise refusal(
            "holdout",
            "train",
            "be a number above 0 and below 1, the share of rows to train on",
            repr(train),
        )


DEFAULT = "5x5"


def resamples_for(
    resampling: Any,
    y: Labels,
    codes: np.ndarray | None,
    seed: int,
    caller: str,
) -> Resamples:
    """Return the resamples that an argument stands for, checked.

    Shapes: `codes` (n_rows,).
    """
    n_rows = len(y)
    if resampling is None or isinstance(resampling, str):
        text = DEFAULT if resampling is None else resampling
        check_folds(text, y, caller, codes)
        return parse_resampling(text, y, random_state=seed, task=y.task, groups=codes)
    found = _given(resampling, y, codes, caller)
    if found.n_rows != n_rows:
        raise refusal(
            caller,
            "resampling",
            f"be drawn from a table of {n_rows} rows, as 'X' has",
            f"resamples of {found.n_rows} rows",
        )
    if codes is not None:
        check_apart(found, codes, caller)
    return found


def _given(resampling: Any, y: Labels, codes: np.ndarray | None, caller: str) -> Resamples:
    n_rows = len(y)
    if isinstance(resampling, Resamples):
        return resampling
    if hasattr(resampling, "split"):
        pairs = tuple(resampling.split(np.zeros((n_rows, 1)), np.asarray(y.given), codes))
        name = type(resampling).__name__
        return Resamples("own", pairs, n_rows, f"{len(pairs)} resamples of {name}")
    if isinstance(resampling, Iterable):
        listed = list(resampling)
        if all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in listed):
            return own_resamples([(pair[0], pair[1]) for pair in listed], n_rows)
    raise refusal(
        caller,
        "resampling",
        "be a text such as '5x5' or 'bootstrap:25', Resamples, a scikit-learn splitter "
        "such as TimeSeriesSplit(), or pairs of training and test rows",
        _short(resampling),
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:60]}…"
