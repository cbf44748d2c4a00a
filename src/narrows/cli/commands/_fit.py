"""``narrows fit``: a table in, a model file out."""

import enum
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narrows._checks import LARGEST_SEED
from narrows.cli import _tables
from narrows.cli._errors import (
    BadInputError,
    bad_input,
    interruption,
    output_file,
    warnings_on_stderr,
)
from narrows.cli._options import (
    TABLE_HELP,
    AsJson,
    Decimal,
    Encoding,
    NaValues,
    Quiet,
    Separator,
    TextColumns,
    Thousands,
    note,
    shows_progress,
)
from narrows.cli._results import show
from narrows.cli._stdout import printable_name

if TYPE_CHECKING:
    from narrows.data import Form

_SHOWN = 5  # columns named on the screen

_OPTIONS = {"validation_fraction": "--validation-fraction"}


class Scale(enum.StrEnum):
    """How `TablePreprocessor` scales numbers."""

    STANDARDIZE = "standardize"
    NONE = "none"
    RANGE = "range"
    ROBUST = "robust"


def fit(
    table: Annotated[Path, typer.Argument(help=TABLE_HELP)],
    out: Annotated[Path, typer.Option(help="Model file to write; ends in .narrows.")],
    label: Annotated[
        str | None, typer.Option(help="Column that is not learned from, such as a class.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="More such columns, separated by commas.")
    ] = None,
    bottleneck: Annotated[int, typer.Option(min=1, help="Width of the embedding.")] = 2,
    encoder: Annotated[
        str, typer.Option(help="Widths of the encoder's hidden layers; the decoder mirrors them.")
    ] = "150,50,25",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the rows, at most.")] = 100,
    restarts: Annotated[
        int, typer.Option(min=1, help="Independent trainings, of which the best is kept.")
    ] = 1,
    patience: Annotated[
        int | None, typer.Option(min=0, help="Stop after so many epochs without a better loss.")
    ] = None,
    validation_fraction: Annotated[
        float, typer.Option(min=0.0, help="Share of the rows held out to validate on.")
    ] = 0.0,
    scale: Annotated[Scale, typer.Option(help="Scaling of numbers and dates.")] = Scale.STANDARDIZE,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Decides the training.")] = 1,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="File that the training is written to every ten seconds or so, to go on from."
        ),
    ] = None,
    separator: Separator = None,
    decimal: Decimal = ".",
    encoding: Encoding = "utf-8",
    thousands: Thousands = None,
    na_values: NaValues = None,
    text: TextColumns = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Learn a small embedding of a table and save it, preprocessing included.

    Numbers are scaled, missing values filled in, text and categories one-hot encoded.

    With --checkpoint, the same command goes on from that file if it was killed or interrupted,
    and ends with the same model as if nothing had happened. The file stays when it is through.

    Example: narrows fit iris.csv --label Species --out iris.narrows

    Example: narrows fit iris.csv --restarts 20 --checkpoint c --out i.narrows
    """
    widths = layer_widths(encoder)
    _tables.check_extension(out, [".narrows"])
    output_file(out, table)
    _check_checkpoint(checkpoint, table, out)
    form = _tables.text_form(separator, decimal, encoding, thousands, na_values)
    learned, apart = _read(table, _tables.with_text(form, table, text), label, drop)
    # Imported here, so that a mistyped option or column is answered at once.
    from sklearn.pipeline import make_pipeline

    from narrows import Autoencoder
    from narrows.data import TablePreprocessor
    from narrows.storage import save

    embedder = Autoencoder(
        bottleneck=bottleneck,
        encoder=widths,
        epochs=epochs,
        restarts=restarts,
        patience=patience,
        validation_fraction=validation_fraction,
        random_state=seed,
        verbose=int(shows_progress(quiet)),
    )
    model = make_pipeline(TablePreprocessor(scale=scale.value), embedder)
    provenance = _provenance(table, learned, label, apart)  # before the file can change
    start = time.perf_counter()
    if checkpoint is not None and checkpoint.exists():
        note(f"going on from {checkpoint}", quiet=quiet)
    with (
        interruption(lambda: _kept(checkpoint)), bad_input(checkpoint, _OPTIONS),
        warnings_on_stderr(),
    ):  # fmt: skip
        model.fit(learned, autoencoder__checkpoint=checkpoint)
    seconds = time.perf_counter() - start
    embedder.verbose = 0
    with bad_input(out):
        save(model, out, provenance=provenance)
    result = _result(out, learned, model, seconds) | {
        "checkpoint": None if checkpoint is None else str(checkpoint)
    }
    show(result, _text(result), as_json=as_json)


def _read(
    table: Path, form: "Form", label: str | None, drop: list[str] | None
) -> tuple[Any, list[str]]:
    """Return the rows to learn from, and the names of the columns that are left out unread."""
    known = _tables.names_in(table, form)
    options = {"--label": [label] if label else None, "--drop": drop}
    unread = [name for given in options.values() for name in _tables.named_in(given, known)]
    if known and set(unread) >= set(known):
        raise BadInputError("--label and --drop must leave a column to learn from. They name all.")
    rows = _tables.read(table, form, drop=list(dict.fromkeys(unread)))
    known = known or list(rows.columns)
    return rows, [n for one, given in options.items() for n in _tables.columns(one, given, known)]


def _check_checkpoint(checkpoint: Path | None, table: Path, out: Path) -> None:
    if checkpoint is None:
        return
    if checkpoint.resolve() == out.resolve():
        raise BadInputError(
            f"--checkpoint and --out must be two files. Got {str(out)!r} for both. Give another "
            "name."
        )
    output_file(checkpoint, table, option="--checkpoint")


def _kept(checkpoint: Path | None) -> str:
    """What an interrupted training leaves."""
    if checkpoint is None:
        return (
            "no file was changed. With --checkpoint FILE, the same command goes on from where it "
            "stopped."
        )
    if checkpoint.exists():
        return f"{str(checkpoint)!r} has the training so far, and the same command goes on from it."
    return "no file was changed, as the training had not begun."


def layer_widths(text: str) -> tuple[int, ...]:
    """Return the widths that ``--encoder`` names; none for a linear network."""
    try:
        widths = tuple(int(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        widths = (0,)
    if any(width < 1 for width in widths):
        raise BadInputError(
            f"--encoder must be widths of layers, such as 150,50,25. Got {text!r} instead."
        )
    return widths


def _provenance(path: Path, rows: Any, label: str | None, apart: list[str]) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "command": "narrows fit",
        "table": printable_name(path.name),
        "table_sha256": digest,
        "rows": len(rows),
        "label": label,
        "left_out": apart,
    }


def _result(out: Path, learned: Any, model: Any, seconds: float) -> dict[str, Any]:
    preprocessor, embedder = (step for _, step in model.steps)
    restarts = embedder.restarts_
    kept = restarts.table[restarts.table["in_use"]].iloc[0]
    measures = [name for name in embedder.history_.columns if name not in {"restart", "epoch"}]
    return {
        "model": str(out),
        "rows": len(learned),
        "columns": list(learned.columns),
        "encoded_columns": len(preprocessor.get_feature_names_out()),
        "bottleneck": embedder.bottleneck,
        "restarts": len(restarts),
        "restart_in_use": restarts.best,
        "diverged": int(restarts.table["diverged"].sum()),
        "epochs": int(kept["epochs"]),
        "best_epoch": int(kept["best_epoch"]),
        "measures": {name: float(kept[name]) for name in measures},
        "seconds": round(seconds, 3),
    }


def _text(result: dict[str, Any]) -> str:
    names = result["columns"]
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    measures = ", ".join(f"{name} {value:.4g}" for name, value in result["measures"].items())
    which = f"restart {result['restart_in_use']} of {result['restarts']} (counted from 0), "
    return (
        f"{result['rows']} rows, {len(names)} columns ({shown}), as "
        f"{result['encoded_columns']} numbers, narrowed to {result['bottleneck']}\n"
        f"{which if result['restarts'] > 1 else ''}epoch {result['best_epoch']} of "
        f"{result['epochs']}: {measures}\n"
        f"trained in {result['seconds']:.1f} s, written to {result['model']}"
    )
