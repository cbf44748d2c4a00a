"""A table of mixed columns as a matrix, and back."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from narrows._checks import check_integer, check_option, fail
from narrows.data._columns import Column, columns_of, rows_of, without_values
from narrows.data._containers import as_frame, check_size, names_of, positional
from narrows.data._matrix import check_columns, first_odd, to_matrix
from narrows.data.preprocessing._encodings import (
    Encoding,
    Levels,
    Number,
    encoding_from_config,
    encoding_to_config,
)
from narrows.data.preprocessing._learning import Settings, check_usable, learn_encodings
from narrows.data.reading._dates_in_text import is_date
from narrows.data.reading._numbers_in_text import is_plain

FORMAT = 1
CHOICES = {
    "scale": ("none", "standardize", "range", "robust"),
    "unseen": ("ignore", "warn", "error"),
}


class TablePreprocessor(TransformerMixin, BaseEstimator):
    """Turn a table of mixed columns into numbers, and numbers back into such a table.

    What becomes of a column is decided by its dtype in `fit`. Numbers and dates (as days since
    1970) get their median where they are missing, then are scaled. Booleans become 0 and 1,
    their commonest value where they are missing. Text and categoricals get one column for each
    level, missing being a level of its own. Arrays of a numeric dtype are numbers.

    Parameters
    ----------
    scale : {"none", "standardize", "range", "robust"}, default="standardize"
        For numbers and dates: leave them; subtract the mean and divide by the standard
        deviation; map the range to 0 … 1; subtract the median and divide by the interquartile
        range (by the whole range where that is zero).
    missing_indicator : bool, default=True
        Add a column of zeros and ones to each number, date and boolean that had missing values
        in `fit`. Without it, `inverse_transform` cannot tell where they were.
    unseen : {"ignore", "warn", "error"}, default="ignore"
        What to do with levels that were not there in `fit`: all zeros, with a warning if
        wanted, or an error. So are missing levels where none were missing in `fit`.
    max_levels : int, default=100
        A text column with more levels has its rarest share one column, with a warning. None
        gives each level its own.

    Attributes
    ----------
    encodings_ : list
        What was learned of each column.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        The columns' names, if `X` had any.

    See Also
    --------
    sklearn.compose.ColumnTransformer : The same by hand, but without a way back.

    Notes
    -----
    A column that is constant in `fit` is zero for any row, and `inverse_transform` gives its
    one value back. Categoricals keep their unused categories but only levels seen in `fit`
    get columns. Missing values in a column without any in `fit` are filled in silently.

    Examples
    --------
    >>> import pandas as pd
    >>> from narrows.data import TablePreprocessor
    >>> table = pd.DataFrame({"age": [31, 40, 22], "city": ["Rome", None, "Oslo"]})
    >>> preprocessor = TablePreprocessor().fit(table)
    >>> list(preprocessor.get_feature_names_out())
    ['age', 'city_Oslo', 'city_Rome', 'city_missing']
    >>> preprocessor.inverse_transform(preprocessor.transform(table))["age"].tolist()
    [31, 40, 22]
    """

    def __init__(
        self,
        scale="standardize",
        missing_indicator=True,
        unseen="ignore",
        max_levels=100,
    ):
        self.scale = scale
        self.missing_indicator = missing_indicator
        self.unseen = unseen
        self.max_levels = max_levels

    def fit(self, X: Any, y: Any = None) -> "TablePreprocessor":
        """Learn medians, scales and levels.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_columns)
        y : None
            Ignored.

        Returns
        -------
        TablePreprocessor
            This object.

        Raises
        ------
        InvalidParameterError
            If a parameter is not one of its values.
        ValueError
            If a column has no values, an infinite one or too large ones; if there are no rows,
            no columns or repeated names.
        TypeError
            If a column mixes kinds or holds objects.

        Warns
        -----
        UserWarning
            If columns are constant and scaled, have more than `max_levels` levels or whole
            numbers beyond 2^53, or are text that is nearly all numbers, such as 1,5, or dates.
        """
        return self._learn(X, warns=True)

    def _fit_quietly(self, X: Any) -> "TablePreprocessor":
        """Fit without warnings, for who fits on many parts of a table and has warned of it."""
        return self._learn(X, warns=False)

    def _learn(self, X: Any, *, warns: bool) -> "TablePreprocessor":
        self._check_parameters()
        owner = type(self).__name__
        check_size(rows_of(X, owner), owner)
        columns, names = columns_of(X, owner)
        settings = Settings(
            owner=owner,
            scale=self.scale,
            missing_indicator=bool(self.missing_indicator),
            unseen=self.unseen,
            max_levels=None if self.max_levels is None else int(self.max_levels),
            warns=warns,
        )
        self._adopt(learn_encodings(columns, settings), names)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return rows as numbers.

        Parameters
        ----------
        X : table or array-like of shape (n_rows, n_features_in_)
            With the columns of `fit`, in their order.

        Returns
        -------
        float64 ndarray of shape (n_rows, n_encoded_columns)
            Finite; see `get_feature_names_out`.

        Raises
        ------
        ValueError
            If columns are missing, unexpected or out of order, of another kind than in `fit`,
            or hold values that cannot be encoded.
        """
        check_is_fitted(self)
        owner = type(self).__name__
        frame = as_frame(X, owner)
        shape = rows_of(X, owner)
        check_columns(
            self._names(),
            self.n_features_in_,
            None if frame is None else names_of(frame),
            shape[1],
            owner,
        )
        check_size(shape, owner)
        columns, _ = columns_of(X, owner)
        check_usable(columns, owner)
        with np.errstate(over="ignore", invalid="ignore"):
            blocks = [
                self._encode(encoding, column)
                for encoding, column in zip(self.encodings_, columns, strict=True)
            ]
        return np.column_stack(blocks)

    def inverse_transform(self, X: Any) -> pd.DataFrame:
        """Return the table that numbers stand for.

        Whole numbers are rounded, dates rounded to the day, minute or second that those in
        `fit` were whole in; a text column gets the level with the largest number; a value is
        missing where its indicator is above 0.5.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_encoded_columns)
            As `transform` gives them, or a reconstruction of it.

        Returns
        -------
        pandas.DataFrame of shape (n_rows, n_features_in_)
            With the columns of `fit`, in their order and of their types.

        Raises
        ------
        ValueError
            If `X` has another number of columns, or NaN or infinite values.
        """
        check_is_fitted(self)
        owner = f"{type(self).__name__}.inverse_transform"
        names = [name for one in self._encoded_names(self._called()) for name in one]
        values = to_matrix(X, owner=owner, names=names, dtype="float64").values
        if values.shape[1] != len(names):
            raise ValueError(
                f"{owner} needs {len(names)} columns, as transform gives them. Got "
                f"{values.shape[1]} instead."
            )
        widths = [len(one) for one in self._encoded_names(self._called())]
        blocks = np.split(values, np.cumsum(widths)[:-1], axis=1)
        series = [one.decode(block) for one, block in zip(self.encodings_, blocks, strict=True)]
        table = pd.concat(series, axis=1, keys=range(len(series)))
        table.columns = pd.Index(self._called())
        if isinstance(X, pd.DataFrame):
            table.index = X.index
        return table

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the encoded columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The columns' names, where they had none in `fit`.

        Returns
        -------
        ndarray of str
            ``age`` and ``age_missing`` of a number, ``city_Rome``, ``city_other`` and
            ``city_missing`` of text. Where two would be equal, the later gets ``_2``.
        """
        check_is_fitted(self)
        called = self._called()
        if input_features is not None:
            called = tuple(str(name) for name in input_features)
            if self._names() is not None and called != self._names():
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(called) != self.n_features_in_:
                raise ValueError(
                    "input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(called)}"
                )
        return np.array(
            _distinct([name for one in self._encoded_names(called) for name in one]), dtype=object
        )

    def to_config(self) -> dict[str, Any]:
        """Return parameters and what was learned as a dictionary for JSON.

        Returns
        -------
        dict
            Of text, numbers, booleans and lists.
        """
        check_is_fitted(self)
        parameters = dict(self.get_params())
        parameters["missing_indicator"] = bool(self.missing_indicator)
        parameters["max_levels"] = None if self.max_levels is None else int(self.max_levels)
        return {
            "format": FORMAT,
            "parameters": parameters,
            "names": None if self._names() is None else list(self._called()),
            "encodings": [encoding_to_config(one) for one in self.encodings_],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TablePreprocessor":
        """Return the fitted preprocessor that `to_config` described.

        Parameters
        ----------
        config : dict

        Returns
        -------
        TablePreprocessor
            Which transforms to the same bits.

        Raises
        ------
        ValueError
            If `config` is of a newer format.
        """
        if config.get("format") != FORMAT:
            raise ValueError(
                f"A TablePreprocessor's config must be of format {FORMAT}. Got format "
                f"{config.get('format')!r} instead. Update narrows."
            )
        preprocessor = cls(**config["parameters"])
        encodings = [encoding_from_config(one) for one in config["encodings"]]
        names = config["names"]
        preprocessor._adopt(encodings, None if names is None else tuple(names))
        return preprocessor

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _adopt(self, encodings: list[Encoding], names: tuple[str, ...] | None) -> None:
        self.encodings_ = encodings
        self.n_features_in_ = len(encodings)
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _names(self) -> tuple[str, ...] | None:
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else tuple(names)

    def _called(self) -> tuple[str, ...]:
        return self._names() or positional(self.n_features_in_)

    def _encoded_names(self, called: tuple[str, ...]) -> list[list[str]]:
        return [one.names(name) for one, name in zip(self.encodings_, called, strict=True)]

    def _encode(self, encoding: Encoding, column: Column) -> np.ndarray:
        if column.missing.all():  # of any type: an empty column of a CSV file is float64
            column = without_values(column, "text" if isinstance(encoding, Levels) else "number")
        elif not _takes(encoding, column):
            _raise_other_kind(encoding, column)
        block = encoding.encode(column)
        if not np.isfinite(block).all():
            row = int((~np.isfinite(block)).any(axis=1).argmax())
            raise ValueError(
                f"Column {column.name!r} must stay finite when it is scaled. Got "
                f"{column.values[row]:g} in row {row} (counted from 0), which is too large beside "
                "the values in fit, instead."
            )
        return block

    def _check_parameters(self) -> None:
        for name, choices in CHOICES.items():
            check_option(self, name, choices)
        if not isinstance(self.missing_indicator, bool | np.bool_):
            fail(self, "missing_indicator", "a bool", self.missing_indicator)
        check_integer(self, "max_levels", least=1, optional=True)


def _takes(encoding: Encoding, column: Column) -> bool:
    """Whether a column is of the kind that the encoding was learned from."""
    if isinstance(encoding, Levels):
        numeric = not any(isinstance(level, str) for level in encoding.levels)
        return column.kind == "text" or (numeric and column.kind in {"number", "boolean"})
    if isinstance(encoding, Number) and encoding.step:
        return column.kind == "date"
    return column.kind in {"number", "boolean"}


def _raise_other_kind(encoding: Encoding, column: Column) -> None:
    dates = isinstance(encoding, Number) and encoding.step
    kinds = {"number": "numbers", "boolean": "booleans", "text": "text", "date": "dates"}
    row, value = first_odd(column, is_date if dates else is_plain)
    advice = "Convert it as it was in fit."
    if dates:
        advice = "Write every date as 2024-05-17, or convert the column with pandas.to_datetime."
    raise ValueError(
        f"Column {column.name!r} had {'dates' if dates else kinds[encoding.kind]} in fit. Got "
        f"{kinds[column.kind]} instead, first {value!r} in row {row} (counted from 0). {advice}"
    )


def _distinct(names: list[str]) -> list[str]:
    taken: set[str] = set()
    for place, name in enumerate(names):
        number = 2
        while names[place] in taken:
            names[place] = f"{name}_{number}"
            number += 1
        taken.add(names[place])
    return names
