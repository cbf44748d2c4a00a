"""Whether a file gives what narrows gives, on rows."""

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import onnx
import onnxruntime

from narrows.export._build import Part
from narrows.export._graph import TYPES
from narrows.export._io_spec import ROWS, Port, arrays_of
from narrows.export._model import Chain
from narrows.export._sample_rows import rows_with_gaps

MEASURE = (
    "the largest absolute difference of a number, divided by the largest magnitude in the output "
    "(of decoded columns, in the column) where that is above 1"
)

_ROUNDING = 0.01  # relative; what is more, is another result


@dataclass(frozen=True)
class Agreement:
    """How far a file is from narrows.

    Attributes
    ----------
    difference : float
        See `MEASURE`.
    absolute : float
        The largest difference as it is.
    """

    difference: float
    absolute: float


class _Worst:
    """The largest difference of all that were measured, and where it is."""

    def __init__(self) -> None:
        self.difference = self.absolute = 0.0
        self.where = "nowhere"

    def compare(
        self, got: np.ndarray, wanted: np.ndarray, names: Any, *, by_column: bool = False
    ) -> None:
        """Measure numbers of shape (rows, ...); `names` of the columns, if they have any.

        A network's rounding errors are as large as its largest numbers make them, in all of its
        outputs alike; what decodes a column afterwards sees that column alone.
        """
        if got.shape != wanted.shape:
            raise ValueError(
                f"The ONNX graph must give the shape {wanted.shape} that narrows gives. It gives "
                f"{got.shape}. Nothing was written."
            )
        if not got.size:
            return
        equal = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
        with np.errstate(invalid="ignore"):
            apart = np.where(equal, 0.0, np.abs(got.astype(np.float64) - wanted))
        apart = np.where(np.isnan(apart), np.inf, apart)
        size = np.abs(np.where(np.isfinite(wanted), wanted, 0.0))
        scale = size.max(axis=0 if by_column else None, initial=1.0)
        scaled = apart / scale
        self.absolute = max(self.absolute, float(apart.max()))
        if scaled.max() > self.difference or self.where == "nowhere":
            place = np.unravel_index(int(scaled.argmax()), scaled.shape)
            self.difference = float(scaled[place])
            column = (
                repr(names[place[1]]) if names is not None and len(place) == 2
                else str([int(one) for one in place[1:]])
            )  # fmt: skip
            self.where = f"row {place[0]} (counted from 0), column {column}"


def check_agreement(
    model: Any, part: Part, chain: Chain, rows: Any, *, is_encoder: bool, tolerance: float
) -> Agreement:
    """Compare a file's results with narrows'; raise ValueError if they are too far apart."""
    found = _compare(model, part, chain, rows, is_encoder=is_encoder)
    if not found.difference <= tolerance:
        _raise(f"is {found.difference:.3g}, in {found.where}", tolerance, found.difference)
    # The rows may have no gaps; those that the file will be used on may.
    made_up = rows_with_gaps(chain)
    if made_up is not None:
        gaps = _compare(model, part, chain, made_up, is_encoder=is_encoder)
        if not gaps.difference <= tolerance:
            what = f"is {gaps.difference:.3g}, of rows with gaps that were made up for it"
            _raise(what, tolerance, gaps.difference)
    return Agreement(found.difference, found.absolute)


def _compare(model: Any, part: Part, chain: Chain, rows: Any, *, is_encoder: bool) -> _Worst:
    worst = _Worst()
    Z = np.asarray(chain.model.transform(rows))
    if is_encoder:
        wanted = [Z]
        if len(part.outputs) > 1:
            classes = chain.embedder.label_classes_ is not None
            found = chain.model.predict_proba(rows) if classes else chain.model.predict(rows)
            wanted.append(np.asarray(found).reshape(len(Z), -1))
        _compare_encoder(worst, model, part, arrays_of(part.inputs, rows), wanted)
    else:
        _compare_decoder(worst, model, part, chain, Z)
    return worst


def _session(model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; what a runtime optimises is not the user's matter
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _compare_encoder(
    worst: _Worst,
    model: Any,
    part: Part,
    feeds: dict[str, np.ndarray],
    wanted: list[np.ndarray],
) -> None:
    session = _session(model)
    found = session.run(None, feeds)
    first = session.run(None, {name: values[:1] for name, values in feeds.items()})
    for port, got, one, expected in zip(part.outputs, found, first, wanted, strict=True):
        worst.compare(got, expected, port.columns)
        alone = got.copy()
        alone[:1] = one
        worst.compare(alone, expected, port.columns)


def _compare_decoder(worst: _Worst, model: Any, part: Part, chain: Chain, Z: np.ndarray) -> None:
    given = {part.inputs[0].name: Z.astype(np.float32 if chain.is_network else np.float64)}
    wanted = np.asarray(chain.embedder.inverse_transform(Z))
    if part.inner is None:
        worst.compare(_session(model).run(None, given)[0], wanted, part.outputs[0].columns)
        return
    # Rounding and choosing a level make steps of the smallest differences. So the reconstruction
    # is compared before them, and what follows on the very numbers that the graph has there.
    session = _session(_with_output(model, part.inner))
    *found, inner = session.run(None, given)
    worst.compare(inner, wanted, None)
    rows: Any = inner.astype(np.float64)
    for step in reversed(chain.preprocessing):
        rows = step.inverse_transform(rows)
    expected = arrays_of(part.outputs, rows)
    for port, got in zip(part.outputs, found, strict=True):
        if port.kind in {"text", "date"}:
            _compare_exactly(port, got, expected[port.name])
        elif port.shape:
            worst.compare(got, expected[port.name], port.columns, by_column=True)
        else:
            worst.compare(got[:, None], expected[port.name][:, None], (port.name,), by_column=True)


def _compare_exactly(port: Port, got: np.ndarray, wanted: np.ndarray) -> None:
    unequal = got != wanted
    if unequal.any():
        row = int(unequal.argmax())
        _raise(f"is {got[row]!r} where narrows gives {wanted[row]!r}, in row {row} (counted from "
               f"0), column {port.name!r}", 0)  # fmt: skip


def _with_output(model: Any, port: Port) -> Any:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.output.append(
        onnx.helper.make_tensor_value_info(port.name, TYPES[port.type], [ROWS, *port.shape])
    )
    return copy


def _raise(what: str, tolerance: float, difference: float = np.inf) -> NoReturn:
    advice = "Scale the columns, or accept it with the 'tolerance' parameter."
    if difference > _ROUNDING:
        advice = "That is more than rounding can do: please report it, with the columns' types."
    raise ValueError(
        f"The ONNX graph must agree with narrows within {tolerance:g} on the rows of the check. "
        f"The largest difference {what}. Nothing was written. {advice}"
    )
