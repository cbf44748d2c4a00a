"""``narrows width``: how many numbers a table's rows need."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from narrows._checks import LARGEST_SEED
from narrows.cli import _tables
from narrows.cli._autoencoder import LAYERS, Layers
from narrows.cli._errors import BadInputError, bad_input, interruption, warnings_on_stderr
from narrows.cli._options import (
    TABLE_HELP,
    AsJson,
    Decimal,
    Encoding,
    MoreUnlearned,
    NaValues,
    Quiet,
    Separator,
    TextColumns,
    Thousands,
    Unlearned,
    shows_progress,
)
from narrows.cli._results import show
from narrows.cli.commands._fit import Scale, layer_widths, rows_to_learn

_MOST = 8  # widths, where nobody says which
_LARGEST = 1000
_OPTIONS = {"bottleneck": "--widths", "cv": "The number of folds"}


def width(
    table: Annotated[Path, typer.Argument(help=TABLE_HELP)],
    label: Unlearned = None,
    drop: MoreUnlearned = None,
    widths: Annotated[
        str | None,
        typer.Option(help="Such as 1-8 or 1,2,4; by default 1 to 8, as far as they compress."),
    ] = None,
    encoder: Layers = LAYERS,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the rows; by default by their number.")
    ] = None,
    scale: Annotated[Scale, typer.Option(help="Scaling of numbers and dates.")] = Scale.STANDARDIZE,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Decides the training.")] = 1,
    separator: Separator = None,
    decimal: Decimal = ".",
    encoding: Encoding = "utf-8",
    thousands: Thousands = None,
    na_values: NaValues = None,
    text: TextColumns = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Find how many numbers the rows of a table need.

    Rows are prepared as by fit. An autoencoder of every width, its settings chosen by
    cross-validation, is compared with PCA on rows that were held out. The error falls with every
    width, as the encoder sees the rows; so it is also shown as it would be of cells that the
    encoder has not seen, and by that the width is chosen: the smallest within a standard error of
    the best.

    Example: narrows width iris.csv --label Species

    Example: narrows width iris.csv --label Species --widths 1,2 --json
    """
    layers, asked = layer_widths(encoder), None if widths is None else widths_in(widths)
    form = _tables.text_form(separator, decimal, encoding, thousands, na_values)
    learned, _ = rows_to_learn(table, _tables.with_text(form, table, text), label, drop)
    # Imported here, so that a mistyped option or column is answered at once.
    from narrows import AutoencoderCV
    from narrows.data import TablePreprocessor
    from narrows.embedders import spanned

    start = time.perf_counter()
    with (
        interruption(lambda: "no file was changed."), bad_input(table, _OPTIONS),
        warnings_on_stderr(),
    ):  # fmt: skip
        preprocessor = TablePreprocessor(scale=scale.value).set_output(transform="default")
        rows = preprocessor.fit_transform(learned)
        tuned = AutoencoderCV(
            asked or range(1, max(min(_MOST, spanned(rows) - 1), 1) + 1),
            encoder=layers,
            epochs=epochs,
            random_state=seed,
            verbose=int(shows_progress(quiet)),
        ).fit(rows)
    result = _result(learned, rows.shape[1], tuned, time.perf_counter() - start)
    show(result, _text(result), as_json=as_json)


def widths_in(text: str) -> list[int]:
    """Return the widths that ``--widths`` names."""
    found: set[int] = set()
    for part in text.split(","):
        low, dash, high = part.partition("-")
        try:
            ends = int(low), int(high if dash else low)
        except ValueError:
            ends = (0, 0)
        if not 1 <= ends[0] <= ends[1] <= _LARGEST:
            raise BadInputError(
                f"--widths must be numbers from 1 to {_LARGEST}, such as 1-8 or 1,2,4. Got "
                f"{text!r} instead."
            )
        found |= set(range(ends[0], ends[1] + 1))
    return sorted(found)


def _result(learned: Any, encoded: int, tuned: Any, seconds: float) -> dict[str, Any]:
    dimension = tuned.intrinsic_dimension_
    return {
        "rows": len(learned),
        "columns": list(learned.columns),
        "encoded_columns": encoded,
        "folds": tuned.n_splits_,
        "widths": tuned.widths_.to_dict("records"),
        "chosen": tuned.bottleneck_,
        "intrinsic_dimension": None if dimension is None else vars(dimension),
        "seconds": round(seconds, 3),
    }


def _text(result: dict[str, Any]) -> str:
    heads = ("width", "held-out error", "PCA's", "ratio", "unseen cells")
    lines = ["  ".join(heads)]
    for row in result["widths"]:
        cells = (
            f"{row['bottleneck']}",
            *(f"{row[name]:.4g}" for name in ("error", "pca_error")),
            f"{row['ratio']:.2f}",
            f"{row['cell_error']:.4g}",
        )
        padded = [cell.rjust(len(head)) for cell, head in zip(cells, heads, strict=True)]
        lines.append("  ".join(padded) + ("  chosen" if row["chosen"] else ""))
    chosen = next(row for row in result["widths"] if row["chosen"])
    lost = (
        f"its held-out error is {chosen['ratio']:.2f} of PCA's"
        if chosen["steps"]
        else "nothing beats PCA of this width"
    )
    fills = result["intrinsic_dimension"]
    dimension = (
        "the rows' intrinsic dimension cannot be found"
        if fills is None
        else f"the rows' intrinsic dimension is about {fills['dimension']:.1f} "
        f"({fills['low']:.1f} to {fills['high']:.1f})"
    )
    return "\n".join(
        [
            *lines,
            f"Width {result['chosen']} is enough: {lost}; {dimension}.",
        ]
    )
