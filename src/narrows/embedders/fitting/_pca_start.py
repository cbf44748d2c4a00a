"""Where a network of the residual form starts: at PCA of its own rows, in coordinates of its own.

Importing this imports Keras and JAX.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg

from narrows._session import usual_numbers
from narrows.embedders.fitting._label_start import StartChooser
from narrows.networks import CURVED, LINEAR, Networks
from narrows.objectives import BIAS, KERNEL
from narrows.training import Frame, Training

if TYPE_CHECKING:
    from narrows.embedders.fitting._fit import Job

_BLOCK = 65_536  # rows that are turned to float64 at once
_NOTHING = 1e-12  # of the largest deviation: what a smaller one is, is rounding


@dataclass(frozen=True)
class Axes:
    """PCA of weighted rows.

    Attributes
    ----------
    mean, scale : float64 ndarrays of shape (n_columns,)
        The columns' means and standard deviations; of a constant column its size, or 1.
    axes : float64 ndarray of shape (n_columns, bottleneck)
        Orthonormal, by falling variance; the largest entry of each is positive. Zeros where
        there are fewer columns than that.
    back : float64 ndarray of shape (bottleneck, n_columns)
        The way back from scores; of PCA the axes once more.
    deviations : float64 ndarray of shape (bottleneck,)
        The scores' standard deviations; the largest where rows do not vary along the axis, so that
        what rounding leaves there is small.
    variance : float
        The columns' variances, summed.
    head : tuple of (ndarray, ndarray), optional
        A linear model of the labels on scores over their deviations: kernel and bias.
    """

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    back: np.ndarray
    deviations: np.ndarray
    variance: float
    head: tuple[np.ndarray, np.ndarray] | None = None


@usual_numbers()
def axes_of(x: np.ndarray, weights: np.ndarray, bottleneck: int) -> Axes:
    """Find the principal axes of rows, in float64.

    By the covariance matrix (Jolliffe 2002, Principal Component Analysis, section 1.1), which
    takes one pass over the rows and little memory.

    Shapes: `x` (n_rows, n_columns), `weights` (n_rows,).
    """
    n_columns = x.shape[1]
    total = float(weights.sum(dtype=np.float64)) or 1.0
    first = x[:1].astype(np.float64)  # a column far from 0 keeps its digits
    mean = first[0] + sum(w @ (part - first) for part, w in _blocks(x, weights)) / total
    covariance = np.zeros((n_columns, n_columns))
    for part, w in _blocks(x, weights):
        centred = part - mean
        covariance += centred.T @ (centred * w[:, None])
    covariance /= total
    variances = np.diag(covariance).copy()
    constant = x.min(axis=0) == x.max(axis=0)
    mean = np.where(constant, first[0], mean)
    # In units of its size a constant column cancels out of the first product, however large.
    size = np.where(mean == 0, 1.0, np.abs(mean))
    flat = constant | (variances <= 0)
    scale = np.where(flat, size, np.sqrt(np.maximum(variances, 0)))
    kept = min(bottleneck, n_columns)
    found, axes = linalg.eigh(covariance, subset_by_index=[n_columns - kept, n_columns - 1])
    axes = axes[:, ::-1]
    signs = axes[np.abs(axes).argmax(axis=0), np.arange(kept)]
    axes = axes * np.where(signs < 0, -1.0, 1.0)
    deviations = np.sqrt(np.maximum(found[::-1], 0))
    largest = deviations.max(initial=0) or 1.0
    deviations = np.where(deviations > _NOTHING * largest, deviations, largest)
    axes = np.pad(axes, ((0, 0), (0, bottleneck - kept)))
    return Axes(
        mean,
        scale,
        axes,
        axes.T,
        np.pad(deviations, (0, bottleneck - kept), constant_values=largest),
        float(variances.sum()),
    )


def _blocks(x: np.ndarray, weights: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return a few rows at a time in float64, with their weights."""
    for begin in range(0, len(x), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        yield x[rows].astype(np.float64), weights[rows].astype(np.float64)


@dataclass(frozen=True)
class PCAStart:
    """Where the lanes of a training start; arrays have the lane axis first.

    Attributes
    ----------
    frame : Frame
        The network sees standardized columns, and codes of unit deviation.
    initial : dict of int to ndarray
        The linear layers, by the variable's place.
    variances : float ndarray of shape (lanes,)
        Mean squared distance of a cell from its column's mean; 1 of rows that are all equal.
    parameters : dict of str to ndarray, or None
        What the model of the labels starts from.
    """

    frame: Frame
    initial: dict[int, np.ndarray]
    variances: np.ndarray
    parameters: dict[str, np.ndarray] | None = None


def pca_start(
    networks: Networks, jobs: Sequence["Job"], label_weights: Sequence[float]
) -> PCAStart:
    """Return where a network of the residual form starts for each of some jobs.

    With columns u = (x − mean) / scale and codes v = z / deviation, in which the network computes,
    the axes V of PCA become A = scale · V / deviation and B = deviation · Vᵀ / scale. Where labels
    weigh something, V are the linear axes that do both tasks best on rows held out, and the way
    back is by least squares.
    """
    bottleneck = networks.encoder.output.shape[-1]
    starts = _Starts(bottleneck)
    found = [starts.of(job, one) for job, one in zip(jobs, label_weights, strict=True)]
    places = _places(networks)
    a = [one.scale[:, None] * one.axes / one.deviations for one in found]
    b = [one.deviations[:, None] * one.back / one.scale for one in found]
    zeros = [np.zeros(bottleneck), np.zeros(len(found[0].mean))]
    initial = {
        places["encoder", "kernel"]: a,
        places["encoder", "bias"]: [zeros[0]] * len(found),
        places["decoder", "kernel"]: b,
        places["decoder", "bias"]: [zeros[1]] * len(found),
    }
    return PCAStart(
        Frame(
            *(
                np.stack([getattr(one, name) for one in found]).astype(np.float32)
                for name in ("mean", "scale", "deviations")
            )
        ),
        {place: np.stack(values).astype(np.float32) for place, values in initial.items()},
        np.array([one.variance / len(one.mean) or 1.0 for one in found]),
        _heads(found),
    )


def _heads(found: list[Axes]) -> dict[str, np.ndarray] | None:
    """Return what the models of the labels start from, lanes first."""
    heads = [one.head for one in found if one.head is not None]
    if len(heads) < len(found):
        return None
    return {
        name: np.stack([head[place] for head in heads]).astype(np.float32)
        for place, name in enumerate((KERNEL, BIAS))
    }


class _Starts:
    """Linear embeddings of jobs' rows, each computed once."""

    def __init__(self, bottleneck: int):
        self._width = bottleneck
        self._axes: dict[Any, Axes] = {}
        self._choosers: dict[Any, StartChooser] = {}
        self._chosen: dict[Any, Axes] = {}

    def of(self, job: "Job", label_weight: float) -> Axes:
        """Return where a job starts."""
        key = id(job.x), job.rows.tobytes()
        if key not in self._axes:
            self._axes[key] = axes_of(job.x[job.rows], job.weights[job.rows], self._width)
        if job.labels is None:
            return self._axes[key]
        taught = *key, id(job.labels)
        if (taught, label_weight) not in self._chosen:
            plain = self._axes[key]
            self._chosen[taught, label_weight] = self._with_labels(job, taught, plain, label_weight)
        return self._chosen[taught, label_weight]

    def _with_labels(self, job: "Job", key: Any, plain: Axes, label_weight: float) -> Axes:
        assert job.labels is not None
        if key not in self._choosers:
            own = dataclasses.replace(
                job.labels,
                values=job.labels.values[job.rows],
                weights=job.labels.weights[job.rows],
            )
            self._choosers[key] = StartChooser(
                job.x[job.rows], job.weights[job.rows], plain.mean, plain.scale, own, self._width
            )
        start = self._choosers[key].best(label_weight)
        axes = dataclasses.replace(plain, head=(start.kernel, start.bias))
        if label_weight == 0:  # exactly PCA's
            return axes
        return dataclasses.replace(
            axes, axes=start.axes, back=start.back, deviations=start.deviations
        )


def variances_of(jobs: Sequence["Job"]) -> np.ndarray:
    """Return what `PCAStart` calls variances, of rows of any shape; (jobs,)."""
    found = []
    for job in jobs:
        flat = job.x[job.rows].reshape(len(job.rows), -1)
        found.append(float(flat.var(axis=0, dtype=np.float64).mean()) or 1.0)
    return np.array(found)


def in_columns(networks: Networks, training: Training, frame: Frame) -> Training:
    """Return a training whose weights take rows and give codes as they are.

    What the frame does goes into the first and last layers of either part, in float64.
    """
    mean, scale, code = (
        np.asarray(values, np.float64)[training.lanes]
        for values in (frame.offset, frame.scale, frame.code)
    )
    weights = [np.asarray(values, np.float64) for values in training.weights]
    paths = {id(variable): place for place, variable in enumerate(networks.trained.variables)}
    ends = {"encoder": (mean, scale, code), "decoder": (0 * code, code, scale)}
    for part, model in _parts(networks):
        shift, into, out = ends[part]
        for layer in _firsts(model, part):
            kernel, bias = paths[id(layer.kernel)], paths[id(layer.bias)]
            weights[kernel] = weights[kernel] / into[:, :, None]
            weights[bias] = weights[bias] - np.einsum("lp,lpk->lk", shift, weights[kernel])
        for layer in _lasts(model, part):
            kernel = paths[id(layer.kernel)]
            weights[kernel] = weights[kernel] * out[:, None, :]
            if layer.use_bias:
                bias = paths[id(layer.bias)]
                weights[bias] = weights[bias] * out
    bias = paths[id(_linear(networks.decoder, "decoder").bias)]
    weights[bias] = weights[bias] + mean
    weights = [new.astype(old.dtype) for new, old in zip(weights, training.weights, strict=True)]
    parameters = dict(training.parameters)
    if KERNEL in parameters:
        parameters[KERNEL] = (parameters[KERNEL] / code[:, :, None]).astype(np.float32)
    return dataclasses.replace(training, weights=weights, parameters=parameters)


def decaying(networks: Networks) -> frozenset[int]:
    """Return the places of the kernels that weight decay is for: all but those of A and B."""
    linear = {id(_linear(model, part).kernel) for part, model in _parts(networks)}
    variables = networks.trained.variables
    return frozenset(one for one in kernels(networks) if id(variables[one]) not in linear)


def kernels(networks: Networks) -> frozenset[int]:
    """Return the places of all kernels."""
    return frozenset(
        place
        for place, variable in enumerate(networks.trained.variables)
        if variable.trainable and variable.path.endswith("kernel")
    )


def _parts(networks: Networks) -> list[tuple[str, Any]]:
    return [("encoder", networks.encoder), ("decoder", networks.decoder)]


def _linear(model: Any, part: str) -> Any:
    """Return the layer that is A or B."""
    last = {"encoder": "bottleneck", "decoder": "reconstruction"}[part]
    names = {layer.name for layer in model.layers}
    return model.get_layer(LINEAR[part] if LINEAR[part] in names else last)


def _firsts(model: Any, part: str) -> list[Any]:
    """Return the layers that take the part's input."""
    names = {layer.name for layer in model.layers}
    return [_linear(model, part)] + [
        model.get_layer(name) for name in (f"{part}_1",) if name in names
    ]


def _lasts(model: Any, part: str) -> list[Any]:
    """Return the layers that give the part's output."""
    names = {layer.name for layer in model.layers}
    return [_linear(model, part)] + [
        model.get_layer(name) for name in (CURVED[part],) if name in names
    ]


def _places(networks: Networks) -> dict[tuple[str, str], int]:
    """Return the places of the linear layers' variables."""
    paths = {id(variable): place for place, variable in enumerate(networks.trained.variables)}
    return {
        (part, name): paths[id(getattr(_linear(model, part), name))]
        for part, model in _parts(networks)
        for name in ("kernel", "bias")
    }
