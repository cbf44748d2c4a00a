"""Learning the encodings of a table's columns, with scikit-learn's imputer, scalers and encoder."""

import warnings
from dataclasses import dataclass

import numpy as np

from narrows._checks import listed
from narrows._errors import TableTypeError
from narrows.data._columns import Column
from narrows.data._row_names import columns_that_name_rows, row_names_message, shown
from narrows.data.preprocessing._encodings import Encoding, Flag, Levels, Number, step_of
from narrows.data.reading._dates_in_text import first_undated, is_dated
from narrows.data.reading._numbers_in_text import first_unplain, how_to_read

_EXACT = 2.0**53  # all whole numbers below it are floats
_FINE = (
    1_000_000  # steps of float64 between the least and the largest value; with fewer it is coarse
)


@dataclass(frozen=True)
class Settings:
    """How to learn.

    Attributes
    ----------
    owner : str
        For the messages.
    scale : {"none", "standardize", "range", "robust"}
    missing_indicator : bool
    unseen : {"ignore", "warn", "error"}
    max_levels : int or None
    warns : bool
        Whether constant columns, rare levels and numbers written as text are warned of.
    """

    owner: str
    scale: str
    missing_indicator: bool
    unseen: str
    max_levels: int | None
    warns: bool = True


def learn_encodings(columns: list[Column], settings: Settings) -> list[Encoding]:
    """Return one encoding for each column, in their order."""
    check_usable(columns, settings.owner)
    empty = [column.name for column in columns if column.missing.all()]
    if empty:
        raise ValueError(
            f"{settings.owner} needs values to learn from. Got columns without any: "
            f"{listed(empty)}. Drop them."
        )
    scaled = [column for column in columns if column.kind in {"number", "date"}]
    learned: dict[str, Encoding] = {}
    if scaled:
        learned = {one.name: one for one in _learn_numbers(scaled, settings)}
    for column in columns:
        if column.kind == "boolean":
            learned[column.name] = _learn_flag(column, settings)
        elif column.kind == "text":
            learned[column.name] = _learn_levels(column, settings)
    _warn_of_constants(learned, settings)
    _warn_of_large_numbers(columns, settings)
    told = _warn_of_written(columns, settings)
    _warn_of_row_names([one for one in columns if one.name not in told], learned, settings)
    return [learned[column.name] for column in columns]


def check_usable(columns: list[Column], owner: str) -> None:
    """Raise if a column holds what cannot be encoded: objects, mixed values or infinity."""
    for column in columns:
        if column.kind == "other":
            _raise_unusable(column, owner)
        if column.kind == "number" and np.isinf(column.values).any():
            infinite = np.isinf(column.values)
            raise ValueError(
                f"{owner} needs finite numbers or missing ones. Got {infinite.sum()} infinite "
                f"(inf) instead, the first in row {infinite.argmax()} (counted from 0), column "
                f"{column.name!r}. Make them missing or drop those rows."
            )


def _raise_unusable(column: Column, owner: str) -> None:
    kinds = "numbers, text, booleans or dates"
    if column.dtype != "object":
        raise TableTypeError(
            f"{owner} takes {kinds}. Got {column.dtype} in column {column.name!r} instead. "
            "Convert it to numbers or drop it."
        )
    shown = [value for value, no in zip(column.values, column.missing, strict=True) if not no]
    odd = next((one for one in shown if not isinstance(one, str | int | float)), shown[-1])
    different = next((one for one in shown if type(one) is not type(odd)), None)
    row = next(number for number, value in enumerate(column.values) if value is odd)
    beside = "" if different is None else f" beside {type(different).__name__} {different!r}"
    raise TableTypeError(
        f"{owner} takes columns of one kind: {kinds}. Got {type(odd).__name__} {odd!r} in row "
        f"{row} (counted from 0) of column {column.name!r}{beside} instead; every value's argument "
        "must be a string or a real number. Convert the column, for example to text with "
        ".astype(str), or drop it."
    )


def _learn_numbers(columns: list[Column], settings: Settings) -> list[Number]:
    from sklearn.impute import SimpleImputer

    block = np.column_stack([column.values for column in columns])
    # Arrays, whatever scikit-learn is configured to return in this session.
    imputer = SimpleImputer(strategy="median").set_output(transform="default").fit(block)
    fill = imputer.statistics_
    center, scale, constant = _scaling(imputer.transform(block), settings.scale)
    out_of_range = ~(np.isfinite(center) & np.isfinite(scale) & np.isfinite(fill))
    if out_of_range.any():
        place = int(out_of_range.argmax())
        raise ValueError(
            f"{settings.owner} needs values that can be scaled in float64. Got up to "
            f"{np.nanmax(np.abs(block[:, place])):.3g} in column {columns[place].name!r} instead. "
            "Divide the column by a large number or take logarithms."
        )
    return [
        Number(
            name=column.name,
            dtype=column.dtype,
            fill=float(fill[k]),
            center=float(center[k]),
            scale=float(scale[k]),
            constant=bool(constant[k]),
            indicator=bool(settings.missing_indicator and column.missing.any()),
            step=step_of(column.values[~column.missing]) if column.kind == "date" else 0,
        )
        for k, column in enumerate(columns)
    ]


def _scaling(block: np.ndarray, how: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return centers, scales and which columns are constant, each of shape (n_columns,)."""
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    low, high = block.min(axis=0), block.max(axis=0)
    if how == "none":
        return np.zeros_like(low), np.ones_like(low), np.zeros(len(low), bool)
    constant = low == high
    with np.errstate(all="ignore"):
        spread = high - low
        if how == "range":
            ranged = MinMaxScaler().fit(block)
            center, scale = ranged.data_min_, ranged.data_range_
        elif how == "robust":
            center = RobustScaler().fit(block).center_
            scale = np.subtract(*np.percentile(block, [75, 25], axis=0))
            scale = np.where(scale > 0, scale, spread)  # half the rows are equal
        else:
            standard = StandardScaler().fit(block)
            center, scale = standard.mean_, standard.scale_
            # Squares of tiny and huge values leave float64, and a large mean hides a small
            # spread: scikit-learn then takes columns for constant that are not, or misses
            # their mean by more than their spread.
            kept = np.isclose(scale**2, standard.var_, rtol=1e-6, atol=0) & (standard.var_ > 1e-290)
            kept &= spread > _FINE * np.spacing(np.maximum(np.abs(low), np.abs(high)))
            shifted = (block - low) / np.where(constant, 1.0, spread)
            center = np.where(kept, center, low + shifted.mean(axis=0) * spread)
            scale = np.where(kept, scale, shifted.std(axis=0) * spread)
    return np.where(constant, low, center), np.where(constant, 1.0, scale), constant


def _learn_flag(column: Column, settings: Settings) -> Flag:
    from sklearn.impute import SimpleImputer

    imputer = SimpleImputer(strategy="most_frequent").fit(column.values[:, None])
    indicator = bool(settings.missing_indicator and column.missing.any())
    return Flag(column.name, column.dtype, float(imputer.statistics_[0]), indicator)


def _learn_levels(column: Column, settings: Settings) -> Levels:
    from sklearn.preprocessing import OneHotEncoder

    present = column.values[~column.missing]
    encoder = OneHotEncoder(
        max_categories=settings.max_levels, handle_unknown="infrequent_if_exist"
    ).fit(present[:, None])
    rare = encoder.infrequent_categories_[0] if settings.max_levels is not None else None
    pooled = () if rare is None else tuple(rare)
    levels = tuple(level for level in encoder.categories_[0] if level not in set(pooled))
    if pooled and settings.warns:
        warnings.warn(
            f"Column {column.name!r} has {len(levels) + len(pooled)} levels, more than "
            f"max_levels={settings.max_levels}: the {len(pooled)} rarest share one column. Drop "
            "the column if it names the rows, or raise max_levels.",
            UserWarning,
            stacklevel=5,
        )
    return Levels(
        name=column.name,
        dtype=column.dtype,
        levels=levels,
        pooled=pooled,
        indicator=bool(column.missing.any()),
        categories=column.categories,
        ordered=column.ordered,
        unseen=settings.unseen,
    )


def _warn_of_constants(learned: dict[str, Encoding], settings: Settings) -> None:
    names = [name for name, one in learned.items() if isinstance(one, Number) and one.constant]
    if names and settings.warns:
        warnings.warn(
            f"{settings.owner} keeps constant columns at zero, they cannot be scaled: "
            f"{listed(names, 20)}. Drop them, or use scale='none'.",
            UserWarning,
            stacklevel=5,
        )


def _warn_of_large_numbers(columns: list[Column], settings: Settings) -> None:
    names = [
        column.name
        for column in columns
        if column.kind == "number"
        and column.dtype.lower().startswith(("int64", "uint64"))
        and np.nanmax(np.abs(column.values)) >= _EXACT
    ]
    if names and settings.warns:
        warnings.warn(
            f"{settings.owner} computes in float64, which rounds whole numbers beyond 2^53 such as "
            f"those of {listed(names)}: others come back. Drop columns that name the rows; of "
            "others subtract a number that is near to all.",
            UserWarning,
            stacklevel=5,
        )


def _warn_of_row_names(
    columns: list[Column], learned: dict[str, Encoding], settings: Settings
) -> None:
    if not settings.warns:
        return
    # What has too many levels for columns of their own is told of already.
    found = [
        column
        for column in columns_that_name_rows(columns)
        if not getattr(learned[column.name], "pooled", ())
    ]
    if found:
        warnings.warn(
            row_names_message(
                settings.owner, [column.name for column in found], shown(found[0].values)
            ),
            UserWarning,
            stacklevel=5,
        )


def _warn_of_written(columns: list[Column], settings: Settings) -> set[str]:
    """Warn of text that was meant as numbers or dates; return the columns' names."""
    told: set[str] = set()
    for column in columns if settings.warns else ():
        if column.kind != "text" or column.categories is not None:
            continue
        said = _meant(list(column.values[~column.missing]))
        if said is not None:
            told.add(column.name)
            warnings.warn(
                f"Column {column.name!r} is text and gets a column for each level, but nearly all "
                f"of its values look like {said}",
                UserWarning,
                stacklevel=5,
            )
    return told


def _meant(texts: list[str]) -> str | None:
    odd = first_unplain(texts)
    if odd is not None:
        return (
            f"numbers; the first that is no plain number is {odd!r}: read it as numbers if it is "
            f"meant so, for example with {how_to_read(odd)}."
        )
    odd = first_undated(texts)
    if odd is None:
        return None
    return (
        f"dates, such as {odd!r}: write them as 2024-05-17, or convert the column with "
        "pandas.to_datetime, if all are."
        if is_dated(odd)
        else f"dates; the first that is no ISO date such as 2024-05-17 is {odd!r}: write it so, or "
        f"make it missing with na_values={odd!r} of read_table (--na on the command line)."
    )
