"""``narrows fit``: a table in, a model file out."""

import enum
import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narrows._checks import LARGEST_SEED
from narrows.cli import _tables
from narrows.cli._autoencoder import (
    LAYERS,
    BatchSize,
    Epochs,
    Fast,
    LabelWeight,
    Layers,
    LearningRate,
    NoiseAmount,
    Patience,
    autoencoder,
    label_weight_of,
    plain_value,
)
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
    MoreUnlearned,
    NaValues,
    Quiet,
    Separator,
    TextColumns,
    Thousands,
    Unlearned,
    note,
    shows_progress,
)
from narrows.cli._results import show
from narrows.cli._stdout import printable_name

if TYPE_CHECKING:
    from narrows.data import Form

_SHOWN = 5  # columns named on the screen

_OPTIONS = {
    "validation_fraction": "--validation-fraction",
    "learning_rate": "--learning-rate",
    "noise": "--noise",
    "loss": "--loss",
    "y": "--label",
    "label_weight": "--label-weight",
    "cv": "The number of folds",
}


class Scale(enum.StrEnum):
    """How `TablePreprocessor` scales numbers."""

    STANDARDIZE = "standardize"
    NONE = "none"
    RANGE = "range"
    ROBUST = "robust"


def fit(
    table: Annotated[Path, typer.Argument(help=TABLE_HELP)],
    out: Annotated[Path, typer.Option(help="Model file to write; ends in .narrows.")],
    label: Unlearned = None,
    drop: MoreUnlearned = None,
    bottleneck: Annotated[int, typer.Option(min=1, help="Width of the embedding.")] = 2,
    encoder: Layers = LAYERS,
    fast: Fast = False,
    epochs: Epochs = None,
    restarts: Annotated[
        int,
        typer.Option(min=1, help="Independent plain trainings, of which the best is kept."),
    ] = 1,
    patience: Patience = None,
    validation_fraction: Annotated[
        float, typer.Option(min=0.0, help="Share of the rows that a plain training holds out.")
    ] = 0.0,
    learning_rate: LearningRate = None,
    batch_size: BatchSize = None,
    noise: NoiseAmount = None,
    loss: Annotated[str, typer.Option(help="What is minimised, as Keras names it.")] = "mse",
    label_weight: LabelWeight = None,
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

    Numbers are scaled, missing values filled in, text and categories one-hot encoded. The network
    starts at PCA; its settings and its length are chosen by cross-validation. With --fast, or any
    of --epochs, --restarts, --patience, --validation-fraction and --checkpoint, it is one plain
    training.

    With --label-weight the embedding also learns to predict the --label, which is left out of the
    columns all the same. What it predicts of the rows that taught it says little: see the
    out-of-fold embeddings of the documentation.

    With --checkpoint, the same command goes on from that file if it was killed or interrupted,
    and ends with the same model as if nothing had happened. The file stays when it is through.

    Example: narrows fit iris.csv --label Species --out iris.narrows

    Example: narrows fit d.csv --label y --label-weight auto --out d.narrows

    Example: narrows fit iris.csv --restarts 20 --checkpoint c --out i.narrows
    """
    widths = layer_widths(encoder)
    _tables.check_extension(out, [".narrows"])
    output_file(out, table)
    _check_checkpoint(checkpoint, table, out)
    form = _tables.text_form(separator, decimal, encoding, thousands, na_values)
    weight = label_weight_of(label_weight)
    if weight != 0 and label is None:
        raise BadInputError("--label-weight must stand beside --label, which names what to learn.")
    form = _tables.with_text(form, table, text)
    learned, apart = rows_to_learn(table, form, label, drop)
    y = None
    if weight != 0 and label is not None:
        y = _tables.label_values(table, form, label)
    # Imported here, so that a mistyped option or column is answered at once.
    from sklearn.pipeline import make_pipeline

    from narrows.data import TablePreprocessor
    from narrows.storage import save

    plain: dict[str, Any] = {
        "epochs": epochs, "patience": patience, "restarts": restarts if restarts > 1 else None,
        "validation_fraction": validation_fraction or None,
    }  # fmt: skip
    embedder = autoencoder(
        {name: value for name, value in plain.items() if value is not None},
        fast=fast or checkpoint is not None,
        tuned={"learning_rate": learning_rate, "noise": noise},
        bottleneck=bottleneck,
        encoder=widths,
        batch_size=batch_size,
        loss=loss,
        label_weight=weight,
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
        more = {} if checkpoint is None else {"autoencoder__checkpoint": checkpoint}
        model.fit(learned, y, **more)
    seconds = time.perf_counter() - start
    embedder.verbose = 0
    with bad_input(out):
        save(model, out, provenance=provenance)
    result = _result(out, learned, model, seconds) | {
        "checkpoint": None if checkpoint is None else str(checkpoint)
    }
    show(result, _text(result), as_json=as_json)


def rows_to_learn(
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
            "no file was changed. With --checkpoint FILE, a plain training goes on from where it "
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
            f"--encoder must be widths of layers, such as 64,32. Got {text!r} instead."
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
        "tuning": _tuning(embedder),
        "classes": embedder.label_classes_,
        "seconds": round(seconds, 3),
    }


def _tuning(embedder: Any) -> dict[str, Any] | None:
    """Return what cross-validation chose and found; None of a plain training."""
    if not hasattr(embedder, "curve_"):
        return None
    found = embedder.widths_[embedder.widths_["chosen"]].iloc[0]
    return {
        "folds": embedder.n_splits_,
        "candidates": len(embedder.cv_results_["params"]),
        "chosen": {name: plain_value(value) for name, value in embedder.best_params_.items()},
        "steps": embedder.best_steps_,
        "held_out_error": float(found["error"]),
        "held_out_error_of_pca": float(found["pca_error"]),
        "held_out_score": _score(embedder),
    }


def _score(embedder: Any) -> float | None:
    """Return what a probe scores on held-out embeddings of the choice; None without labels."""
    results = embedder.cv_results_
    if "mean_test_label" not in results:
        return None
    place = [dict(one) for one in results["params"]].index(dict(embedder.best_params_))
    return float(results["mean_test_label"][place])


def _text(result: dict[str, Any]) -> str:
    names = result["columns"]
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    measures = ", ".join(f"{name} {value:.4g}" for name, value in result["measures"].items())
    tuned = _tuning_text(result["tuning"])
    which = f"restart {result['restart_in_use']} of {result['restarts']} (counted from 0), "
    trained = (
        f"{which if result['restarts'] > 1 else ''}epoch {result['best_epoch']} of "
        f"{result['epochs']}: {measures}\n"
    )
    if result["tuning"] is not None:
        trained = f"after {result['tuning']['steps']} steps: {measures}\n"
    return (
        f"{result['rows']} rows, {len(names)} columns ({shown}), as "
        f"{result['encoded_columns']} numbers, narrowed to {result['bottleneck']}\n"
        f"{trained}{tuned}"
        f"trained in {result['seconds']:.1f} s, written to {result['model']}"
    )


def _tuning_text(tuning: dict[str, Any] | None) -> str:
    """Say what was chosen, and how well it does on rows that were held out, beside PCA."""
    if tuning is None:
        return ""
    error, pca = tuning["held_out_error"], tuning["held_out_error_of_pca"]
    found = (
        f"held-out error {error:.4g}, PCA's of this width {pca:.4g} ({tuning['folds']} folds, "
        f"{tuning['candidates']} candidates)\n"
    )
    if tuning["held_out_score"] is not None:
        found += (
            f"score of the held-out labels, by nearest neighbours: {tuning['held_out_score']:.4g}\n"
        )
    if not tuning["steps"] and not tuning["chosen"].get("label_weight"):
        return found + "no candidate beats PCA by more than a standard error: this is PCA\n"
    chosen = ", ".join(f"{name} {value}" for name, value in tuning["chosen"].items())
    return found + f"chosen: {chosen}, {tuning['steps']} steps\n"
