"""Where a network that learns labels starts: the linear embedding that does both tasks best."""

from dataclasses import dataclass

import numpy as np
from scipy.special import huber, log_softmax
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold

from narrows._session import usual_numbers
from narrows.embedders.fitting._labels import FitLabels

_FOLDS = 3
_MOST_ROWS = 5_000  # that choose among the linear embeddings, and that the head starts from
_PENALTY = 1.0  # of the head's start, for codes of unit size
_RIDGE = 1e-8  # of the way back, of the codes' variance: codes may follow from one another


@dataclass(frozen=True)
class LinearStart:
    """A linear embedding with its way back, of centred columns, and a model of the labels.

    Attributes
    ----------
    axes : float64 ndarray of shape (n_columns, bottleneck)
    back : float64 ndarray of shape (bottleneck, n_columns)
    deviations : float64 ndarray of shape (bottleneck,)
        Standard deviations of the codes; the largest where they do not vary.
    kernel : float64 ndarray of shape (bottleneck, n_outputs)
        Of codes over their deviations.
    bias : float64 ndarray of shape (n_outputs,)
    """

    axes: np.ndarray
    back: np.ndarray
    deviations: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Rows:
    """Standardized rows with their labels; `known` says which have one.

    Attributes
    ----------
    u : float64 ndarray of shape (n_rows, n_columns)
        Of deviation 1, or constant.
    scale : float64 ndarray of shape (n_columns,)
        What `u` is multiplied by to get rows around 0.
    weights, values, known : ndarrays of shape (n_rows,)
    """

    u: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    known: np.ndarray

    def take(self, rows: np.ndarray) -> "Rows":
        """Return some of the rows."""
        return Rows(
            self.u[rows], self.scale, self.weights[rows], self.values[rows], self.known[rows]
        )

    @property
    def x(self) -> np.ndarray:
        """The rows around 0, in the columns' units."""
        return self.u * self.scale


class StartChooser:
    """The linear embeddings of some rows, and how each does on rows held out.

    Parameters
    ----------
    x : float32 ndarray of shape (n_rows, n_columns)
    weights : float32 ndarray of shape (n_rows,)
    mean, scale : float64 ndarrays of shape (n_columns,)
    labels : FitLabels
        Of these rows.
    bottleneck : int
    """

    @usual_numbers()
    def __init__(
        self, x: np.ndarray, weights: np.ndarray, mean: np.ndarray, scale: np.ndarray,
        labels: FitLabels, bottleneck: int,
    ):  # fmt: skip
        self._labels, self._width = labels, bottleneck
        u = (x.astype(np.float64) - mean) / scale
        self._rows = Rows(u, scale, weights.astype(np.float64), labels.values, labels.known)
        self._errors = self._held_out()
        self._starts: dict[str, LinearStart] = {}

    @usual_numbers()
    def best(self, weight: float) -> LinearStart:
        """Return the start with the least held-out loss, where labels weigh so much."""
        name = "pca"
        if weight > 0:
            sums = [rows + weight * label for rows, label in self._errors.values()]
            name = list(self._errors)[int(np.argmin(sums))]
        if name not in self._starts:
            self._starts[name] = _linear_start(name, self._rows, self._labels, self._width)
        return self._starts[name]

    def _held_out(self) -> dict[str, tuple[float, float]]:
        """Return each start's mean held-out errors, over the variance and over the guess's."""
        rows = self._rows
        if len(rows.u) > _MOST_ROWS:
            rows = rows.take(np.linspace(0, len(rows.u) - 1, _MOST_ROWS).astype(int))
        names = _names(self._labels, self._width, rows.u.shape[1])
        if len(rows.u) < 2 * _FOLDS or len(names) == 1:
            return {names[0]: (0.0, 0.0)}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for train, test in KFold(_FOLDS, shuffle=True, random_state=0).split(rows.u):
            own, new = rows.take(train), rows.take(test)
            if not _teach(own) or not new.known.any():
                continue
            for name in names:
                start = _linear_start(name, own, self._labels, self._width)
                found[name].append(_errors(start, new, self._labels))
        return {
            name: tuple(np.mean(pairs, axis=0)) if pairs else (0.0, 0.0)
            for name, pairs in found.items()
        }


def _names(labels: FitLabels, bottleneck: int, n_columns: int) -> list[str]:
    """Return what is tried: axes that see labels first, axes of PCA for the rest."""
    names = ["pca", "pls", "lda"] if labels.classes is not None else ["pca", "pls"]
    if bottleneck > 1:
        names += [f"{name}-1" for name in names[1:]]  # one axis that sees labels
    return names if min(bottleneck, n_columns) else ["pca"]


def _teach(rows: Rows) -> bool:
    values = rows.values[rows.known]
    return len(values) > 1 and bool((values != values[0]).any())


def _linear_start(name: str, rows: Rows, labels: FitLabels, bottleneck: int) -> LinearStart:
    """Return a start by its name."""
    kind, _, most = name.partition("-")
    # Axes that see labels, then those of PCA of what these leave.
    seeing = int(most) if most else bottleneck
    axes = np.zeros((rows.u.shape[1], 0))
    if kind != "pca" and _teach(rows):
        axes = _supervised(kind, rows, labels, min(seeing, rows.u.shape[1]))
    x, w = rows.x, rows.weights
    z = x @ axes
    rest = x - z @ _back(z, x, w)
    more = bottleneck - axes.shape[1]
    axes = np.column_stack([axes, _pca_axes(rest, w, more)])
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(bottleneck)]
    axes = axes * np.where(largest < 0, -1.0, 1.0)
    z = x @ axes
    total = w.sum() or 1.0
    deviations = np.sqrt((w[:, None] * (z - w @ z / total) ** 2).sum(axis=0) / total)
    size = deviations.max(initial=0) or 1.0
    deviations = np.where(deviations > 1e-12 * size, deviations, size)
    kernel, bias = _head(z / deviations, rows, labels)
    return LinearStart(axes, _back(z, x, w), deviations, kernel, bias)


def _supervised(kind: str, rows: Rows, labels: FitLabels, width: int) -> np.ndarray:
    """Return axes that see labels, of rows around 0; shape (n_columns, at most `width`)."""
    u, y = rows.u[rows.known], rows.values[rows.known]
    if kind == "lda":
        width = min(width, len(np.unique(y)) - 1)
        lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(u, y)
        return lda.scalings_[:, :width] / rows.scale[:, None]
    Y = y[:, None] if labels.classes is None else _indicators(y)
    width = min(width, len(u) - 1)
    pls = PLSRegression(n_components=width, scale=False).fit(u, Y)
    axes = pls.x_rotations_ / rows.scale[:, None]
    return axes[:, np.isfinite(axes).all(axis=0) & (np.abs(axes).max(axis=0) > 0)]


def _indicators(y: np.ndarray) -> np.ndarray:
    return (y[:, None] == np.unique(y)).astype(np.float64)


def _pca_axes(x: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Return the principal axes of weighted rows around 0; zeros where there are too few."""
    n_columns = x.shape[1]
    kept = min(count, n_columns)
    axes = np.linalg.svd(x * np.sqrt(weights)[:, None], full_matrices=False)[2][:kept].T
    return np.pad(axes, ((0, 0), (0, count - axes.shape[1])))


def _back(z: np.ndarray, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the least-squares map from codes to rows; shape (bottleneck, n_columns)."""
    size = np.sqrt((z**2).mean(axis=0))
    size = np.where(size > 0, size, 1.0)
    unit = z / size
    weighted = unit * weights[:, None]
    gram = weighted.T @ unit + _RIDGE * max(weights.sum(), 1.0) * np.eye(z.shape[1])
    return np.linalg.solve(gram, weighted.T @ x) / size[:, None]


def _head(v: np.ndarray, rows: Rows, labels: FitLabels) -> tuple[np.ndarray, np.ndarray]:
    """Return a linear model of the labels on codes of unit size."""
    kernel, bias = np.zeros((v.shape[1], labels.n_outputs)), np.zeros(labels.n_outputs)
    if not _teach(rows):
        return kernel, bias
    some = np.flatnonzero(rows.known)
    some = some[np.linspace(0, len(some) - 1, min(len(some), _MOST_ROWS)).astype(int)]
    v, y = v[some], rows.values[some]
    weights = rows.weights[some] * labels_weights(labels, y)
    if labels.classes is None:
        ridge = Ridge(alpha=_PENALTY).fit(v, y, weights)
        return ridge.coef_[:, None], np.array([ridge.intercept_])
    model = LogisticRegression(C=1 / _PENALTY, max_iter=200).fit(v, y.astype(int), weights)
    seen = model.classes_
    if len(seen) == 2:  # of two, scikit-learn keeps the difference
        kernel[:, seen] = np.stack([-model.coef_[0] / 2, model.coef_[0] / 2], axis=1)
        bias[seen] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        kernel[:, seen], bias[seen] = model.coef_.T, model.intercept_
    if len(seen) < labels.n_outputs:  # a class without a row here is improbable, not impossible
        unseen = np.setdiff1d(np.arange(labels.n_outputs), seen)
        bias[unseen] = bias[seen].min() - 3.0
    return kernel, bias


@usual_numbers()
def head_on(z: np.ndarray, weights: np.ndarray, labels: FitLabels) -> tuple[np.ndarray, np.ndarray]:
    """Return a linear model of the labels on codes: kernel and bias.

    Shapes: `z` (n_rows, bottleneck), `weights` (n_rows,).
    """
    z = z.astype(np.float64)
    scale = np.where(z.std(axis=0) > 0, z.std(axis=0), 1.0)
    mean = z.mean(axis=0)
    rows = Rows(z, scale, weights.astype(np.float64), labels.values, labels.known)
    kernel, bias = _head((z - mean) / scale, rows, labels)
    kernel = kernel / scale[:, None]
    return kernel, bias - mean @ kernel


def labels_weights(labels: FitLabels, y: np.ndarray) -> np.ndarray:
    """Return what labels of these values weigh; shape (n_rows,)."""
    if labels.classes is None:
        return np.ones(len(y))
    table = np.zeros(labels.n_outputs)
    table[labels.values[labels.known].astype(int)] = labels.weights[labels.known]
    return table[y.astype(int)] / table.max()


def _errors(start: LinearStart, rows: Rows, labels: FitLabels) -> tuple[float, float]:
    """Return the errors of rows, over their variance, and of labels, over the guess's."""
    x, w = rows.x, rows.weights
    z = x @ start.axes
    left = (w[:, None] * (x - z @ start.back) ** 2).sum()
    total = (w[:, None] * x**2).sum()
    a = (z / start.deviations) @ start.kernel + start.bias
    return left / (total or 1.0), label_error(a[rows.known], rows.values[rows.known], labels)


def label_error(a: np.ndarray, y: np.ndarray, labels: FitLabels) -> float:
    """Return the mean loss of labels, over that of the best constant guess."""
    if labels.loss == "crossentropy":
        per_row = -log_softmax(a, axis=1)[np.arange(len(y)), y.astype(int)]
    else:
        error = y - a[:, 0]
        per_row = huber(1.0, error) if labels.loss == "huber" else error**2
    return float(np.average(per_row, weights=labels_weights(labels, y)) / labels.guess)
