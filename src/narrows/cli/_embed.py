"""``narrows embed``: a model and a table in, the embedding out."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli import _tables
from narrows.cli._errors import bad_input, output_file, warnings_on_stderr
from narrows.cli._models import load_model, unseen_levels
from narrows.cli._options import (
    TABLE_HELP,
    AsJson,
    Decimal,
    Encoding,
    Separator,
)
from narrows.cli._results import show


def embed(
    model: Annotated[Path, typer.Argument(help="What narrows fit or narrows.save wrote.")],
    table: Annotated[Path, typer.Argument(help=TABLE_HELP)],
    out: Annotated[Path, typer.Option(help="Table to write: .csv, .tsv, .parquet or .arrow.")],
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns to take over, such as a label; separated by commas. Those of text "
            "files stay as they are written there, and are text in Parquet and Arrow."
        ),
    ] = None,
    separator: Separator = None,
    decimal: Decimal = ".",
    encoding: Encoding = "utf-8",
    as_json: AsJson = False,
) -> None:
    """Write the embedding of a table's rows.

    Columns are found by name; those that the model was not fitted on are left out.

    Example: narrows embed iris.narrows iris.csv --keep Species --out z.parquet
    """
    _tables.check_extension(out, _tables.WRITTEN)
    output_file(out, model, table)
    form = _tables.text_form(separator, decimal, encoding)
    rows = _tables.read(table, form)
    kept = _tables.columns("--keep", keep, rows)
    import pandas as pd

    fitted = load_model(model)
    learned = _tables.rows_for(fitted, rows, kept)
    with bad_input(), warnings_on_stderr():
        embedding = fitted.transform(learned)
        unseen = unseen_levels(fitted, learned)
    names = [str(name) for name in fitted.get_feature_names_out()]
    frame = pd.DataFrame(embedding, columns=names, index=rows.index)
    _tables.write(
        _tables.add_columns(frame, _tables.as_read(table, rows, kept, form), "--keep"), out
    )
    used = {*kept, *getattr(learned, "columns", rows.columns)}
    ignored = [name for name in rows.columns if name not in used]
    result = {
        "out": str(out),
        "rows": len(rows),
        "columns": names,
        "kept": kept,
        "left_out": ignored,
        "unseen": unseen,
    }
    left = f"; left out {', '.join(ignored)}" if ignored else ""
    text = f"{len(rows)} rows, {', '.join([*names, *kept])}, written to {out}{left}"
    show(result, text, as_json=as_json)
