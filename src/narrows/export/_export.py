"""``export_onnx``: build a graph, compare it with narrows, say in the file what it is, write it."""

import datetime
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from narrows._checks import refusal
from narrows._files import replace_file
from narrows._session import usual_numbers
from narrows._version import __version__

PARTS = ("encoder", "decoder")


@dataclass(frozen=True)
class ExportReport:
    """What was written, and how well it agrees with narrows.

    Attributes
    ----------
    path : Path
        The file.
    part : {"encoder", "decoder"}
    inputs : dict of str to str
        What the file takes, by name, in words.
    outputs : dict of str to str
        What it gives.
    rows : int
        How many rows it was compared on.
    rows_from : str
        Where they come from, in words.
    largest_difference : float
        The largest absolute difference of a number, divided by the largest magnitude in the
        output (of decoded columns, in the column) where that is above 1.
    opset : int
        The version of ONNX's operators.
    bytes : int
        The file's size.
    """

    path: Path
    part: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    rows: int
    rows_from: str
    largest_difference: float
    opset: int
    bytes: int

    def __str__(self) -> str:
        return (
            f"{self.part} written to {self.path}, {self.bytes:,} bytes, opset {self.opset}; "
            f"largest difference {self.largest_difference:.2g} on {self.rows} rows "
            f"{self.rows_from}"
        )


@usual_numbers()
def export_onnx(
    model: Any,
    path: str | os.PathLike,
    part: Literal["encoder", "decoder"] = "encoder",
    rows: Any = None,
    tolerance: float = 1e-5,
    labels: bool = False,
) -> ExportReport:
    """Write a fitted model as an ONNX file that onnxruntime runs without narrows.

    Preprocessing and encoder, or decoder and inverse preprocessing, are one graph for any number
    of rows. It is run on some rows and compared with narrows before anything is written.

    Parameters
    ----------
    model : an embedder, such as Autoencoder or PCA, or sklearn.pipeline.Pipeline
        Fitted. A pipeline is made of `TablePreprocessor`, ``StandardScaler``, ``MinMaxScaler``
        or ``RobustScaler`` and, as its last step, an embedder.
    path : path-like
        The file to write; an old file is replaced only when the new one is complete.
    part : {"encoder", "decoder"}, default="encoder"
        Rows to embedding, what `transform` does, or embedding to rows, `inverse_transform`.
    rows : table or array-like of shape (n_rows, n_columns), default=None
        Rows that the model takes, to compare on, beside some with gaps in every column that are
        made up for `TablePreprocessor`. None draws 200 from what the preprocessing
        knows of its columns, missing values and unseen levels included; from the standard normal
        distribution where there is no preprocessing.
    tolerance : float, default=1e-5
        The largest difference that is accepted: absolute where no number of the output is larger
        than 1, else relative to the largest (a network rounds to seven digits of its largest
        numbers). Decoded text and dates must be equal.
    labels : bool, default=False
        Whether the encoder of an embedder that was taught labels gives what they are predicted to
        be too: ``probabilities`` of shape (n_rows, n_classes), what `predict_proba` does, or
        ``prediction`` of shape (n_rows, 1), of numbers; float64.

    Returns
    -------
    ExportReport

    Raises
    ------
    ImportError
        If onnx or onnxruntime is not installed.
    TypeError
        If `model`, or a step of it, is of another class.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If `part` is neither, there is no decoder, a layer cannot be written or does not compute
        in float32, or the graph differs from narrows by more than `tolerance`. Nothing is
        written then.
    OSError
        If the file cannot be written.

    See Also
    --------
    narrows.save : A file for narrows itself.

    Notes
    -----
    The encoder takes one array, ``rows``, of shape (n_rows, n_columns) and float64; float32 where
    the network stands alone; with further axes for images. A table that `TablePreprocessor` took
    for more than numbers has one input for each column, of shape (n_rows,) and the column's name:

    ============================  =======  =======================================  ============
    column                        type     value                                    missing
    ============================  =======  =======================================  ============
    number                        float64  itself                                   NaN
    boolean                       float64  1 or 0                                   NaN
    text, categorical of text     string   itself                                   empty text
    categorical of numbers        float64  the number                               NaN
    date                          int64    microseconds since 1970-01-01 UTC        −2⁶³
    ============================  =======  =======================================  ============

    ``dates.astype("datetime64[us]").astype("int64")`` makes such dates in NumPy, missing ones
    included. Where the empty text was a value in `fit`, missing text is ``(missing)`` instead, as
    the report's and the file's ``inputs`` say. The encoder gives ``embedding``, the decoder takes
    it and gives the rows in the form that the encoder takes them. Of a categorical of numbers,
    levels that were pooled decode to NaN, since no number stands for them.

    What narrows refuses with an error, such as infinity, NaN without `TablePreprocessor`, or an
    unseen level with ``unseen="error"``, makes that row's embedding NaN; the other rows stand.
    Unseen levels with ``unseen="warn"`` become zeros in silence.

    `VariationalAutoencoder` gives the means, as `transform` does; the refinement of
    `TSNEMapEncoder` (``refine=True``) is no network and cannot be exported.

    The metadata of the file say what it is: ``narrows`` (version), ``model``, ``part``,
    ``opset``, ``created``, ``inputs`` and ``outputs`` with their columns and ``check`` with the
    largest difference, the last three as JSON. Operators are those of opset 17, in IR version 8.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import narrows
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = narrows.export_onnx(narrows.PCA().fit(X), pathlib.Path(folder, "pca.onnx"))
    >>> report.largest_difference < 1e-5
    True
    """
    if part not in PARTS:
        raise refusal("export_onnx", "part", "be 'encoder' or 'decoder'", repr(part))
    if labels and part != "encoder":
        raise refusal(
            "export_onnx", "labels", "be False with part='decoder'", "True",
            "Labels are predicted from the embedding: export the encoder.",
        )  # fmt: skip
    _check_installed()
    from narrows.export._agreement import MEASURE, check_agreement
    from narrows.export._build import decoder_part, encoder_part
    from narrows.export._graph import OPSET
    from narrows.export._model import chain_of
    from narrows.export._sample_rows import drawn_rows

    chain = chain_of(model, part)
    if labels and not hasattr(chain.embedder, "label_coef_"):
        raise refusal(
            "export_onnx", "labels", "be False for an embedder that was taught none", "True",
            "Fit it with labels and a label_weight.",
        )  # fmt: skip
    built = encoder_part(chain, labels=labels) if part == "encoder" else decoder_part(chain)
    proto = built.graph.model(built.inputs, built.outputs, name=part, version=__version__)
    rows, rows_from = drawn_rows(chain) if rows is None else (rows, "given by the caller")
    found = check_agreement(
        proto, built, chain, rows, is_encoder=part == "encoder", tolerance=tolerance
    )
    _describe(
        proto,
        narrows=__version__,
        model=chain.title,
        part=part,
        opset=OPSET,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        inputs=[_port(port) for port in built.inputs],
        outputs=[_port(port) for port in built.outputs],
        check={
            "rows": len(rows),
            "rows_from": rows_from,
            "largest_difference": found.difference,
            "largest_absolute_difference": found.absolute,
            "tolerance": tolerance,
            "measure": MEASURE,
        },
    )
    content = proto.SerializeToString()
    return ExportReport(
        path=replace_file(path, content),
        part=part,
        inputs={port.name: port.meaning for port in built.inputs},
        outputs={port.name: port.meaning for port in built.outputs},
        rows=len(rows),
        rows_from=rows_from,
        largest_difference=found.difference,
        opset=OPSET,
        bytes=len(content),
    )


def _check_installed() -> None:
    missing = [name for name in ("onnx", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Exporting to ONNX needs onnx and onnxruntime. Not installed: {', '.join(missing)}. "
            'Install them with pip install "narrows[onnx]".'
        )


def _port(port: Any) -> dict[str, Any]:
    columns = None if port.columns is None else list(port.columns)
    known = {"name": port.name, "kind": port.kind, "type": port.type, "columns": columns}
    return known | ({"missing": port.gap} if port.kind == "text" else {})


def _describe(proto: Any, **facts: Any) -> None:
    for key, value in facts.items():
        entry = proto.metadata_props.add()
        entry.key = key
        plain = isinstance(value, str | int)
        entry.value = str(value) if plain else json.dumps(value, ensure_ascii=False)
