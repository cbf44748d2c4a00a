"""``narrows export``: a model as files for other programs, ONNX, HDF5 and Keras's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from narrows.cli import _tables
from narrows.cli._errors import (
    BadInputError,
    bad_input,
    output_file,
    output_folder,
    warnings_on_stderr,
)
from narrows.cli._models import load_model
from narrows.cli._options import AsJson, Decimal, Encoding, NaValues, Separator, Thousands
from narrows.cli._results import show

if TYPE_CHECKING:
    from narrows.data import Form


def export(
    model: Annotated[Path, typer.Argument(help="What narrows fit or narrows.save wrote.")],
    onnx: Annotated[
        Path | None, typer.Option(help="ONNX file to write: preprocessing and encoder.")
    ] = None,
    onnx_decoder: Annotated[
        Path | None, typer.Option(help="ONNX file to write: decoder and inverse preprocessing.")
    ] = None,
    hdf5: Annotated[
        Path | None, typer.Option(help="HDF5 file to write: the network's weights by layer name.")
    ] = None,
    keras: Annotated[
        Path | None,
        typer.Option(help="Folder for encoder.keras, decoder.keras and autoencoder.keras."),
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(help="Table to compare ONNX and narrows on; by default rows are drawn."),
    ] = None,
    separator: Separator = None,
    decimal: Decimal = ".",
    encoding: Encoding = "utf-8",
    thousands: Thousands = None,
    na_values: NaValues = None,
    as_json: AsJson = False,
) -> None:
    """Write a model as files that other programs read.

    ONNX files hold the preprocessing too, and are compared with the model before they are
    written; HDF5 and Keras files hold the network alone. Several can be asked for at once.

    Example: narrows export iris.narrows --onnx iris.onnx
    """
    files = {"--onnx": onnx, "--onnx-decoder": onnx_decoder, "--hdf5": hdf5}
    _check_options(model, files, keras, rows)
    form = _tables.text_form(separator, decimal, encoding, thousands, na_values)
    if rows is None and form.given():
        raise BadInputError(
            "Options of text are of the table that --rows names. Got "
            f"{', '.join(form.given())} without --rows. Leave them out, or add --rows."
        )
    fitted, table = _load(model, rows, form)
    embedder = fitted[-1] if hasattr(fitted, "steps") else fitted
    _check_network(embedder, {"--hdf5": hdf5, "--keras": keras})
    if onnx_decoder is not None and not hasattr(embedder, "inverse_transform"):
        raise BadInputError(
            f"--onnx-decoder must be for a model with a decoder. Got a {type(embedder).__name__} "
            "without one. Train one with fit_decoder."
        )
    if keras is not None:
        _named("--keras", lambda: output_folder(keras))
    written: list[dict[str, Any]] = []
    for part, path in (("encoder", onnx), ("decoder", onnx_decoder)):
        if path is not None:
            written.append(_write_onnx(fitted, path, part, table))
    if hdf5 is not None:
        written.append(_write_hdf5(embedder, hdf5))
    if keras is not None:
        written += _write_keras(embedder, keras)
    result = {"model": str(model), "written": written}
    show(result, "\n".join(entry["text"] for entry in written), as_json=as_json)


def _check_options(
    model: Path, files: dict[str, Path | None], keras: Path | None, rows: Path | None
) -> None:
    """Refuse options that contradict one another, before anything is read or written."""
    given = {option: path for option, path in files.items() if path is not None}
    if not given and keras is None:
        raise BadInputError(
            "narrows export must be told what to write. Give --onnx, --onnx-decoder, --hdf5 or "
            "--keras."
        )
    if rows is not None and not {"--onnx", "--onnx-decoder"} & set(given):
        raise BadInputError(
            "--rows are what ONNX files are compared on. Got it without --onnx and "
            "--onnx-decoder. Leave it out, or add one of them."
        )
    seen: dict[Path, str] = {}
    for option, path in given.items():
        twin = seen.setdefault(path.resolve(), option)
        if twin != option:
            raise BadInputError(
                f"{twin} and {option} must be two files. Got {str(path)!r} for both. Give another "
                "name."
            )
        inputs = [model] if rows is None else [model, rows]
        _named(option, lambda path=path, inputs=inputs: output_file(path, *inputs))


def _named(option: str, check: Any) -> None:
    """Let a check of ``--out`` speak of the option that it is made for."""
    try:
        check()
    except BadInputError as error:
        raise BadInputError(str(error).replace("--out", option)) from error


def _load(model: Path, rows: Path | None, form: "Form") -> tuple[Any, Any]:
    fitted = load_model(model)
    if rows is None:
        return fitted, None
    known = _tables.names_in(rows, form)
    table = _tables.read_for(fitted, rows, form, drop=_tables.unneeded(fitted, known))
    names = _tables.names_for(fitted, known or list(table.columns))
    return fitted, _tables.rows_for(fitted, table[names])


def _check_network(embedder: Any, asked: dict[str, Path | None]) -> None:
    options = [option for option, path in asked.items() if path is not None]
    if options and not hasattr(embedder, "encoder_"):
        raise BadInputError(
            f"{' and '.join(options)} must be for a network. Got a model of "
            f"{type(embedder).__name__}, which has none. Use --onnx."
        )


def _write_onnx(fitted: Any, path: Path, part: Any, rows: Any) -> dict[str, Any]:
    from narrows.export import export_onnx

    with bad_input(), warnings_on_stderr():
        report = export_onnx(fitted, path, part, rows)
    return {
        "file": str(path),
        "kind": f"onnx {part}",
        "text": str(report),
        "inputs": report.inputs,
        "outputs": report.outputs,
        "rows": report.rows,
        "largest_difference": report.largest_difference,
        "opset": report.opset,
    }


def _write_hdf5(embedder: Any, path: Path) -> dict[str, Any]:
    from narrows.storage import save_weights_hdf5

    with bad_input():
        save_weights_hdf5(embedder, path)
    return {"file": str(path), "kind": "hdf5", "text": f"weights written to {path}"}


def _write_keras(embedder: Any, folder: Path) -> list[dict[str, Any]]:
    from narrows.storage import save_keras

    with bad_input():
        paths = save_keras(embedder, folder)
    return [
        {
            "file": str(path),
            "kind": f"keras {path.stem}",
            "text": f"{path.stem} written to {path}",
        }
        for path in paths
    ]
