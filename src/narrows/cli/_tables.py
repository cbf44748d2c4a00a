"""Tables on the command line: reading them, columns by name, results by extension."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows._checks import did_you_mean
from narrows.cli._errors import BadInputError, bad_input, warnings_on_stderr
from narrows.cli._models import text_columns

if TYPE_CHECKING:
    import pandas as pd

    from narrows.data import Form

WRITTEN = (".csv", ".tsv", ".parquet", ".arrow")  # by narrows.scale.TableWriter


def text_form(
    separator: str | None,
    decimal: str,
    encoding: str,
    thousands: str | None,
    na_values: Sequence[str] | None,
) -> "Form":
    """Return how text is written, by the options; a tab may be typed as backslash and t."""
    from narrows.data import Form

    separator = "\t" if separator == r"\t" else separator
    with bad_input():
        return Form(separator, decimal, encoding, thousands, tuple(na_values or ()))


def with_text(form: "Form", path: Path, names: Sequence[str] | None) -> "Form":
    """Return a form in which columns stay text that an option names, separated by commas."""
    if not names:
        return form
    known = _header(path, form)
    # What is no text, or cannot be read, is for read_table to refuse.
    text = columns("--text", names, known) if known else names
    return dataclasses.replace(form, text=tuple(text))


def read_for(model: Any, path: Path, form: "Form", drop: Sequence[str] = ()) -> "pd.DataFrame":
    """Read a table for a model that has learned: what was text in fit, stays text.

    In fit there was a letter in some row; without it, others look like numbers or booleans.
    Columns to `drop` are not read.
    """
    from narrows.data import GAPS

    columns = text_columns(model)
    known = _header(path, form) if columns else []
    names = [name for name in columns if name in known]
    table = read(path, dataclasses.replace(form, text=tuple(names)), drop=drop, warns=False)
    for name in names:
        # NA is a code where it was one in fit, by --text; elsewhere it was a gap, and is one.
        if not GAPS & columns[name]:
            table[name] = table[name].mask(table[name].isin(list(GAPS)))
    return table


def names_in(path: Path, form: "Form") -> list[str]:
    """Return the columns of a file before it is read; none of a file that cannot be read."""
    from narrows.data import ARROW, PARQUET, arrow_names, opened_arrow

    if path.suffix.lower() not in PARQUET | ARROW:
        return [name for name in _header(path, form) if name.strip()]
    try:
        with opened_arrow(path) as file:
            return arrow_names(path, file.schema)
    except (ValueError, OSError, ImportError):  # for read_table to say
        return []


def named_in(given: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Return those columns that an option names which there are."""
    parts = [part for one in given or () for part in ([one] if one in known else one.split(","))]
    return [name for name in dict.fromkeys(parts) if name in known]


def _header(path: Path, form: "Form") -> Sequence[str]:
    from narrows.data import header_of

    if form.between(path) is None:
        return []
    with bad_input(path):
        return header_of(path, form)


def read(
    path: Path, form: "Form", *, drop: Sequence[str] = (), warns: bool = True
) -> "pd.DataFrame":
    """Read a table, whatever is wrong with it being the input's fault."""
    import warnings

    from narrows.data import read_table

    with bad_input(path), warnings_on_stderr():
        if not warns:
            warnings.simplefilter("ignore", UserWarning)
        return read_table(path, **vars(form), drop=drop)


def label_values(path: Path, form: "Form", name: str) -> "pd.Series":
    """Return one column of a table, as it is read beside no other."""
    others = [one for one in names_in(path, form) if one != name]
    return read(path, form, drop=others, warns=False)[name]


def check_extension(path: Path, known: Sequence[str]) -> None:
    """Raise BadInputError unless a result's path ends in a known extension that can be written."""
    extension = path.suffix.lower()
    if extension not in known:
        raise BadInputError(f"--out must end in {', '.join(known)}. Got {path.name!r} instead.")
    if extension in {".parquet", ".arrow"}:
        try:
            import pyarrow  # noqa: F401 (only to know that it is there)
        except ImportError as error:
            raise BadInputError(
                f"Writing {extension} files needs pyarrow, which is not installed. Install it "
                'with pip install "narrows[tables]", or write .csv.'
            ) from error


def columns(option: str, given: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Return the columns that an option names, separated by commas or given one by one."""
    found: list[str] = []
    for entry in given or ():
        parts = [entry] if entry in known else entry.split(",")
        found += [name for name in parts if name not in found]
    missing = [name for name in found if name not in known]
    if missing:
        raise BadInputError(f"{option} must name columns of the table. {_no_such(missing, known)}")
    return found


def as_read(
    path: Path, table: "pd.DataFrame", names: Sequence[str], form: "Form"
) -> "pd.DataFrame":
    """Return columns to be taken over; those of text files are the file's text, unchanged.

    As numbers, 00001 would come out as 1, and NA as an empty cell.
    """
    from narrows.data import read_cells

    if form.between(path) is None or not names:
        return table[list(names)]
    with bad_input(path):
        return read_cells(path, list(names), form)


def names_for(model: Any, known: Sequence[str], apart: Sequence[str] = ()) -> list[str]:
    """Return the columns that a model was fitted on, in its order."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        rest = [name for name in known if name not in apart]
        if len(rest) != model.n_features_in_:
            raise BadInputError(
                f"The model was fitted on {model.n_features_in_} columns without names. Got "
                f"{len(rest)} columns instead. Give exactly those columns, in their order."
            )
        return rest
    missing = [name for name in names if name not in known]
    if missing:
        raise BadInputError(
            f"The table must have the columns that the model was fitted on. "
            f"{_no_such(missing, known, taken=names)}"
        )
    return list(names)


def unneeded(model: Any, known: Sequence[str]) -> list[str]:
    """Return those of a table's columns that a model takes no values of."""
    needed = set(getattr(model, "feature_names_in_", known))
    found = [name for name in known if name not in needed]
    return found if len(found) < len(known) else []


def rows_for(model: Any, rows: "pd.DataFrame") -> Any:
    """Return rows of `names_for` as the model takes them: with names, if it was fitted on some."""
    return rows if hasattr(model, "feature_names_in_") else rows.to_numpy()


def check_names(names: Sequence[str], more: Sequence[str], option: str) -> None:
    """Raise BadInputError if columns that an option adds are called as the result's own."""
    twice = [name for name in more if name in names]
    if twice:
        raise BadInputError(
            f"{option} must not repeat a name of the result. Got {', '.join(map(repr, twice))}, "
            "which the result has. Rename the columns of the table."
        )


def _no_such(missing: Sequence[str], known: Any, taken: Any = ()) -> str:
    """Say which columns are not there, and which there are, but not taken, that look like them."""
    names = [str(name) for name in known]
    free = [name for name in names if name not in set(taken)]
    sentences = []
    for name in missing[:5]:
        hint = did_you_mean(name, free)
        sentences.append(f"{name!r}" + (f" ({hint[0].lower()}{hint[1:]})" if hint else ""))
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    shown = ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")
    return f"There is no {', '.join(sentences)}{more}. It has {shown}."
