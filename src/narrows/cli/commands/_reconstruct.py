"""``narrows reconstruct``: a table as it comes back through the bottleneck."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narrows.cli import _tables
from narrows.cli._batches import Source, counted_from
from narrows.cli._errors import bad_input, output_file, warnings_on_stderr
from narrows.cli._models import Unseen, check_there, load_model
from narrows.cli._options import (
    TABLE_HELP,
    AsJson,
    Decimal,
    Encoding,
    Keep,
    NaValues,
    Quiet,
    Separator,
    Thousands,
)
from narrows.cli._results import show

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ERROR_COLUMN = "reconstruction_error"


def reconstruct(
    model: Annotated[Path, typer.Argument(help="What narrows fit or narrows.save wrote.")],
    table: Annotated[Path, typer.Argument(help=TABLE_HELP)],
    out: Annotated[Path, typer.Option(help="Table to write: .csv, .tsv, .parquet or .arrow.")],
    errors: Annotated[
        bool,
        typer.Option(
            "--errors",
            help=f"Add {ERROR_COLUMN}: a row's mean squared error over its encoded columns.",
        ),
    ] = False,
    keep: Keep = None,
    separator: Separator = None,
    decimal: Decimal = ".",
    encoding: Encoding = "utf-8",
    thousands: Thousands = None,
    na_values: NaValues = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write what is left of a table's rows after the bottleneck, with the table's own types.

    Rows with a large error are those that the embedding cannot describe. Parquet and Arrow are
    read and written some rows at a time, so they may be larger than memory.

    Example: narrows reconstruct iris.narrows iris.csv --errors --out r.csv
    """
    _tables.check_extension(out, _tables.WRITTEN)
    output_file(out, model, table)
    form = _tables.text_form(separator, decimal, encoding, thousands, na_values)
    check_there(table)  # before a model is loaded for it
    fitted = load_model(model)
    source = Source(table, form, fitted)
    kept = _tables.columns("--keep", keep, source.names)
    learned = _tables.names_for(fitted, source.names, kept)
    if errors:
        _tables.check_names([*learned, *kept], [ERROR_COLUMN], "--errors")
    _tables.check_names(learned, kept, "--keep")
    import pandas as pd

    from narrows.scale import TableWriter

    unseen, count, total = Unseen(fitted), 0, 0.0
    with (
        bad_input(out), warnings_on_stderr(), source.progress(quiet) as done,
        TableWriter(out) as writer,
    ):  # fmt: skip
        for rows, beside in source.pieces(learned, kept):
            given = _tables.rows_for(fitted, rows)
            with counted_from(rows):
                rebuilt, row_errors = _rebuild(fitted, given)
                unseen.add(given, int(rows.index[0]))
            frame = _frame(rebuilt, given, rows.index)
            frame = frame.assign(**{ERROR_COLUMN: row_errors}) if errors else frame
            writer.write(pd.concat([frame, beside], axis=1))
            count += len(rows)
            done(len(rows))
            total += float(row_errors.sum())
        unseen.warn()
    mean = total / count
    result = {
        "out": str(out),
        "rows": count,
        "columns": list(learned),
        "kept": kept,
        "mean_reconstruction_error": mean,
        **unseen.result(),
    }
    text = f"{count} rows, mean error {mean:.4g}, written to {out}"
    show(result, text, as_json=as_json)


def _rebuild(fitted: Any, learned: Any) -> "tuple[Any, np.ndarray]":
    """Return the rows after the bottleneck, and each row's error in the embedder's units."""
    import numpy as np

    steps = [step for _, step in getattr(fitted, "steps", [("", fitted)])]
    encoded = learned
    for step in steps[:-1]:
        encoded = step.transform(encoded)
    embedder = steps[-1]
    rebuilt = embedder.inverse_transform(embedder.transform(encoded))
    given = np.asarray(encoded, np.float64)
    row_errors = np.mean((np.asarray(rebuilt, np.float64) - given) ** 2, axis=1)
    for step in steps[-2::-1]:
        rebuilt = step.inverse_transform(rebuilt)
    return rebuilt, row_errors


def _frame(rebuilt: Any, learned: Any, index: "pd.Index") -> "pd.DataFrame":
    """Return rows as a table; numbers without a preprocessor get the table's types back."""
    import pandas as pd

    if isinstance(rebuilt, pd.DataFrame):
        return rebuilt.set_axis(index, axis=0)
    if not isinstance(learned, pd.DataFrame):
        names = [f"x{number}" for number in range(rebuilt.shape[1])]
        return pd.DataFrame(rebuilt, columns=names, index=index)
    frame = pd.DataFrame(rebuilt, columns=learned.columns, index=index)
    for name, dtype in learned.dtypes.items():
        if pd.api.types.is_integer_dtype(dtype):
            frame[name] = frame[name].round().astype(dtype)
        else:
            frame[name] = frame[name].astype(dtype)
    return frame
