"""``narrows embed``: a model and a table in, the embedding out."""

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
    import pandas as pd


def embed(
    model: Annotated[Path, typer.Argument(help="What narrows fit or narrows.save wrote.")],
    table: Annotated[Path, typer.Argument(help=TABLE_HELP)],
    out: Annotated[Path, typer.Option(help="Table to write: .csv, .tsv, .parquet or .arrow.")],
    keep: Keep = None,
    separator: Separator = None,
    decimal: Decimal = ".",
    encoding: Encoding = "utf-8",
    thousands: Thousands = None,
    na_values: NaValues = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the embedding of a table's rows.

    Columns are found by name; those that the model was not fitted on are left out. Parquet and
    Arrow are read and written some rows at a time, so they may be larger than memory.

    Example: narrows embed iris.narrows iris.csv --keep Species --out z.parquet
    """
    _tables.check_extension(out, _tables.WRITTEN)
    output_file(out, model, table)
    form = _tables.text_form(separator, decimal, encoding, thousands, na_values)
    check_there(table)  # before a model is loaded for it
    fitted = load_model(model)
    source = Source(table, form, fitted)
    kept = _tables.columns("--keep", keep, source.names)
    learned = _tables.names_for(fitted, source.names, kept)
    names = [str(name) for name in fitted.get_feature_names_out()]
    _tables.check_names(names, kept, "--keep")
    from narrows.scale import TableWriter

    unseen, count = Unseen(fitted), 0
    with (
        bad_input(out), warnings_on_stderr(), source.progress(quiet) as done,
        TableWriter(out) as writer,
    ):  # fmt: skip
        for rows, beside in source.pieces(learned, kept):
            writer.write(_embedded(fitted, rows, beside, names, unseen))
            count += len(rows)
            done(len(rows))
        unseen.warn()
    used = {*kept, *learned}
    ignored = [name for name in source.names if name not in used]
    result = {
        "out": str(out),
        "rows": count,
        "columns": names,
        "kept": kept,
        "left_out": ignored,
        **unseen.result(),
    }
    left = f"; left out {', '.join(ignored)}" if ignored else ""
    text = f"{count} rows, {', '.join([*names, *kept])}, written to {out}{left}"
    show(result, text, as_json=as_json)


def _embedded(
    fitted: Any, rows: "pd.DataFrame", beside: "pd.DataFrame", names: list[str], unseen: Any
) -> "pd.DataFrame":
    """Return the embedding of some rows, with columns that are taken over."""
    import pandas as pd

    given = _tables.rows_for(fitted, rows)
    with counted_from(rows):
        embedding = pd.DataFrame(fitted.transform(given), columns=names, index=rows.index)
        unseen.add(given, int(rows.index[0]))
    return pd.concat([embedding, beside], axis=1)
