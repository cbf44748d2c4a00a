"""``narrows compare``: whether an autoencoder's embedding of a table is better than PCA's."""

import enum
import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from narrows._checks import LARGEST_SEED
from narrows.cli import _tables
from narrows.cli._arms import AUTOENCODER, DEFAULT, arms_named, check_arms
from narrows.cli._autoencoder import (
    LAYERS,
    BatchSize,
    Epochs,
    Fast,
    Layers,
    LearningRate,
    NoiseAmount,
    Patience,
    autoencoder,
)
from narrows.cli._comparison_view import show_comparison
from narrows.cli._errors import (
    BadInputError,
    bad_input,
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
from narrows.cli._results import printing
from narrows.cli._stdout import printable_name
from narrows.cli.commands._fit import layer_widths

_OPTIONS = {"y": "--label", "probes": "--probe"} | {
    name: f"--{name}"
    for name in ("resampling", "groups", "seeds", "preprocess", "controls", "task")
}


class Task(enum.StrEnum):
    """What the label is, as `narrows.compare` calls it."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


def compare(
    table: Annotated[Path, typer.Argument(help=TABLE_HELP)],
    label: Annotated[str, typer.Option(help="Column that a probe has to predict.")],
    drop: Annotated[
        list[str] | None, typer.Option(help="Columns to leave out, separated by commas.")
    ] = None,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            help="What is compared: some of pca,autoencoder (the default),lda,nca,pls. The last "
            "three are fitted with the training rows' labels; pls is PLS-DA where these are "
            "classes. The first is the reference unless pca is there."
        ),
    ] = None,
    bottleneck: Annotated[
        int,
        typer.Option(min=1, help="Width of the embeddings; of lda at most the classes less one."),
    ] = 2,
    encoder: Layers = LAYERS,
    fast: Fast = False,
    epochs: Epochs = None,
    patience: Patience = None,
    learning_rate: LearningRate = None,
    batch_size: BatchSize = None,
    noise: NoiseAmount = None,
    resampling: Annotated[
        str, typer.Option(help="5x5 (folds x repeats), bootstrap:25, or holdout:0.8x10.")
    ] = "5x5",
    groups: Annotated[
        str | None,
        typer.Option(
            help="Column that says which rows belong together, such as a patient's: they train or "
            "test together. It is not learned from."
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Trainings in each resample; by default 10 of a plain autoencoder, otherwise 1.",
        ),
    ] = None,
    probe: Annotated[
        list[str] | None,
        typer.Option(help="Models that judge, e.g. forest,neighbours; an unknown name lists all."),
    ] = None,
    task: Annotated[
        Task | None,
        typer.Option(
            help="What the label is. By default floats are numbers; integers too, unless they "
            "have at most 20 values, each in two rows on average; all else is classes."
        ),
    ] = None,
    preprocess: Annotated[
        list[str] | None, typer.Option(help="none, standardize, or both (the default).")
    ] = None,
    controls: Annotated[
        str, typer.Option(help="Some of raw,random,untrained,linear; '' for none.")
    ] = "raw,random,untrained",
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Decides everything.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Page to write, .html; or .json for every number.")
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
    """Compare an autoencoder, or other arms, with PCA on a table, refitted in every resample.

    The autoencoder starts at PCA, and its settings are chosen by cross-validation inside the
    training rows of every resample. With --fast, --epochs or --patience it is trained plainly.

    Raw columns, a random projection and the untrained encoder stand beside them.

    Example: narrows compare iris.csv --label Species --out iris.html

    Example: narrows compare d.csv --label y --probe ridge --resampling 10x1

    Example: narrows compare iris.csv --label Species --arms pca,lda,nca
    """
    widths = layer_widths(encoder)
    names = tuple(_split(arms)) or DEFAULT
    own = {
        "--fast": fast, "--epochs": epochs, "--patience": patience, "--noise": noise,
        "--learning-rate": learning_rate, "--batch-size": batch_size,
        "--encoder": encoder != LAYERS,
    }  # fmt: skip
    check_arms(names, [option for option, value in own.items() if value not in (None, False)])
    if out is not None:
        _tables.check_extension(out, [".html", ".json"])
        output_file(out, table)
    form = _tables.text_form(separator, decimal, encoding, thousands, na_values)
    form = _tables.with_text(form, table, text)
    known = _tables.names_in(table, form)
    used = _tables.named_in([label, *([] if groups is None else [groups])], known)
    unread = [one for one in _tables.named_in(drop, known) if one not in used]
    rows = _tables.read(table, form, drop=unread if set(unread) < set(known) else [])
    known = known or list(rows.columns)
    name = _one_column("--label", label, known)
    apart = _tables.columns("--drop", drop, known)
    together = None if groups is None else _one_column("--groups", groups, known)
    apart += [] if together is None else [together]
    learned = rows.drop(columns=[name, *(one for one in apart if one in rows)])
    if not learned.shape[1]:
        raise BadInputError(
            "--label, --drop and --groups must leave a column to learn from. They name all."
        )
    # Imported here, so that a mistyped option or column is answered at once.
    from narrows import compare as run

    _check_label(rows[name])
    if task is None:
        _note_kind(rows[name], quiet=quiet)
    plain = {"epochs": epochs, "patience": patience}
    embedder = autoencoder(
        {name: value for name, value in plain.items() if value is not None},
        fast=fast,
        tuned={"learning_rate": learning_rate, "noise": noise},
        bottleneck=bottleneck,
        encoder=widths,
        batch_size=batch_size,
    )
    plainly = AUTOENCODER in names and not hasattr(embedder, "cv")
    seeds = seeds or (10 if plainly else 1)
    embedders, said = arms_named(names, embedder, bottleneck, _n_classes(rows[name], task), seed)
    for sentence in said:
        note(sentence, quiet=quiet)
    with bad_input(options=_OPTIONS), warnings_on_stderr():
        found = run(
            embedders,
            learned,
            rows[name],
            preprocess=tuple(_split(preprocess)) or ("none", "standardize"),
            probes=tuple(_split(probe)) or ("forest",),
            resampling=resampling,
            groups=None if together is None else rows[together],
            seeds=seeds,
            controls=tuple(_split([controls])),
            task=task and task.value,
            random_state=seed,
            verbose=int(shows_progress(quiet)),
        )
    try:
        if out is not None:
            with bad_input(out):
                _write(found, out, printable_name(table.name), name, embedders, learned)
    finally:  # what cannot be written is still printed
        _print(found, as_json=as_json)
    if out is not None:
        note(f"written to {out}", quiet=quiet)


def _print(found: Any, *, as_json: bool) -> None:
    with printing():
        if as_json:
            print(json.dumps(json.loads(found.to_json()), indent=1), flush=True)
        else:
            show_comparison(found)


def _one_column(option: str, given: str, known: list[str]) -> str:
    named = _tables.columns(option, [given], known)
    if len(named) != 1:
        raise BadInputError(
            f"{option} must name one column. Got {len(named)}, {', '.join(map(repr, named))}, "
            "instead. Leave further columns out with --drop."
        )
    return named[0]


def _check_label(labels: Any) -> None:
    from narrows.data import pandas_column

    with bad_input():
        kind = pandas_column(labels, labels.name).kind
    if kind == "other":
        row = int(labels.notna().to_numpy().argmax())
        value = labels.iloc[row]
        raise BadInputError(
            "--label must name a column of text, numbers, booleans or dates. Got "
            f"{type(value).__name__} {value!r} in row {row} (counted from 0) of {labels.name!r} "
            "instead. Name another column, or convert it."
        )


def _n_classes(labels: Any, task: Task | None) -> int | None:
    """Return how many classes labels have; None of numbers."""
    from narrows.comparison import label_kind

    kind = label_kind(labels) if task is None else task
    return int(labels.nunique()) if kind == Task.CLASSIFICATION else None


def _note_kind(labels: Any, *, quiet: bool) -> None:
    """Say what labels are taken for that could be classes as well as numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    from narrows.comparison import label_kind
    from narrows.data import PREDICTED

    if not is_numeric_dtype(labels.dtype) or is_bool_dtype(labels.dtype):
        return
    kind = label_kind(labels)
    other = next(one.value for one in Task if one.value != kind)
    text = f"labels {labels.name!r} are taken for {PREDICTED[kind]}; --task {other} says otherwise"
    note(text, quiet=quiet)


def _split(given: list[str] | None) -> list[str]:
    return [part.strip() for entry in given or () for part in entry.split(",") if part.strip()]


def _write(found: Any, out: Path, name: str, label: str, arms: dict[str, Any], rows: Any) -> None:
    if out.suffix.lower() == ".json":
        found.to_json(out)
        return
    from narrows.report import comparison_report, write_report

    report = comparison_report(
        found,
        X=rows,
        arms=arms,
        label=label,
        title=f"{name}: is the embedding worth it?",
        command=printable_name(shlex.join(["narrows", *sys.argv[1:]])),
    )
    write_report(report, out)
