"""From an embedder's parameters to Keras's loss, optimizer and metrics."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

from narrows._keras import keras
from narrows.embedders._parameters import check_name, fail
from narrows.networks import Networks
from narrows.objectives import (
    Contraction,
    Objective,
    Reconstruction,
    Sparsity,
    Sum,
    TargetSparsity,
    Weighted,
)
from narrows.training import lost_settings


def objective_of(embedder: Any) -> Objective:
    """Return what the `loss` parameter stands for; raise where it stands for nothing."""
    loss = embedder.loss
    if isinstance(loss, Objective):
        return loss
    if not _is_piece(loss, keras.losses.Loss):
        wanted = (
            "the name of a loss, a function of two arrays, a keras.losses.Loss or a "
            "narrows.objectives.Objective"
        )
        fail(embedder, "loss", wanted, loss)
    if isinstance(loss, str) and not _gets(keras.losses.get, loss):
        known = _names(keras.losses, keras.losses.Loss, keras.losses.get)
        check_name(embedder, "loss", loss, known, "a loss")
    return Reconstruction(loss)


def penalised(
    main: Objective,
    networks: Networks,
    sparsity: tuple[float, float | None] | None,
    contraction: float,
) -> Objective:
    """Return an objective with the penalties on the code whose weights are not 0."""
    parts: list[Objective | Weighted] = [main]
    if sparsity is not None:
        weight, target = sparsity
        squash = not _ends_in_sigmoid(networks.encoder)
        penalty = Sparsity() if target is None else TargetSparsity(target, squash)
        parts.append(Weighted(penalty, weight))
    if contraction > 0:
        parts.append(Weighted(Contraction(), contraction))
    return main if len(parts) == 1 else Sum(parts)


def _ends_in_sigmoid(model: keras.Model) -> bool:
    last = model.layers[-1]
    return getattr(last, "activation", None) is keras.activations.sigmoid


def optimizer_of(embedder: Any) -> tuple[keras.optimizers.Optimizer, float]:
    """Return a Keras optimizer to copy, and the learning rate of a named one."""
    optimizer = embedder.optimizer
    if isinstance(optimizer, str):
        if not _gets(keras.optimizers.get, optimizer):
            known = _names(keras.optimizers, keras.optimizers.Optimizer, keras.optimizers.get)
            check_name(embedder, "optimizer", optimizer, known, "an optimizer")
        return keras.optimizers.get(optimizer), float(embedder.learning_rate)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        wanted = "the name of an optimizer or a keras.optimizers.Optimizer"
        fail(embedder, "optimizer", wanted, optimizer)
    lost = lost_settings(optimizer)
    if lost:
        raise ValueError(
            f"The 'optimizer' parameter of {type(embedder).__name__} must do without "
            f"{' and '.join(lost)}, which a compiled training does not carry over. "
            "Got an optimizer with it. Leave it out."
        )
    return optimizer, float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def metrics_of(
    embedder: Any, row_shape: tuple[int, ...], terms: Sequence[str] = ()
) -> tuple[keras.metrics.Metric, ...]:
    """Return the embedder's metrics as Keras objects.

    None of them may have the name of one of the loss's `terms`.

    ``"accuracy"`` means what Keras makes of it for such outputs: with several columns, whether
    the largest output stands where the largest input stands.
    """
    metrics = embedder.metrics
    several = isinstance(metrics, Sequence) and not isinstance(metrics, str)
    if not several or not all(_is_piece(metric, keras.metrics.Metric) for metric in metrics):
        wanted = "a sequence of names of metrics, functions of two arrays or keras.metrics.Metric"
        fail(embedder, "metrics", wanted, metrics)
    found = tuple(_metric(embedder, metric, row_shape) for metric in metrics)
    names = ["loss", *terms, *(metric.name for metric in found)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"The 'metrics' parameter of {type(embedder).__name__} must give every metric a name "
            f"of its own, and not that of the loss or its terms. Got {', '.join(twice)} more than "
            "once. Wrap functions in keras.metrics.MeanMetricWrapper with a name."
        )
    return found


class _FunctionMetric(keras.metrics.MeanMetricWrapper):
    """The mean of a user's function; unlike Keras's wrapper, a copy needs no registered name."""

    def get_config(self) -> dict[str, Any]:
        return {"fn": self._fn, "name": self.name, "dtype": self.dtype, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def _metric(embedder: Any, metric: Any, row_shape: tuple[int, ...]) -> keras.metrics.Metric:
    if type(metric) is keras.metrics.MeanMetricWrapper:
        return _FunctionMetric(
            metric._fn, name=metric.name, dtype=metric.dtype, **metric._fn_kwargs
        )
    if isinstance(metric, keras.metrics.Metric):
        return metric
    if not isinstance(metric, str):
        return _FunctionMetric(metric, name=getattr(metric, "__name__", "metric"))
    if metric in {"accuracy", "acc"}:
        single = row_shape[-1] == 1
        kind = keras.metrics.BinaryAccuracy if single else keras.metrics.CategoricalAccuracy
        return kind(name=metric)
    if not _gets(keras.metrics.get, metric):
        known = _names(keras.metrics, keras.metrics.Metric, keras.metrics.get) | {"accuracy"}
        check_name(embedder, "metrics", metric, known, "a metric")
    found = keras.metrics.get(metric)
    if not isinstance(found, keras.metrics.Metric):
        return keras.metrics.MeanMetricWrapper(found, name=metric)
    found.name = metric  # as Keras logs it: "mse", not "mean_squared_error"
    return found


def _names(module: Any, base: type, getter: Callable[[str], Any]) -> set[str]:
    """Names that a Keras module's getter takes: of functions, and of classes where it does."""
    found = {"mse", "mae", "mape", "msle"}
    for name, member in vars(module).items():
        if inspect.isclass(member) and issubclass(member, base) and member is not base:
            found |= {name.lower(), name}
        elif inspect.isfunction(member):
            found.add(name)
    taken = {name for name in found if _gets(getter, name)}
    return {name for name in taken if name.islower() or name.lower() not in taken}


def _is_piece(value: Any, base: type) -> bool:
    """Whether `value` is a name, a function or an object of the class; not a class itself."""
    return isinstance(value, str | base) or (callable(value) and not isinstance(value, type))


def _gets(getter: Callable[[str], Any], name: str) -> bool:
    """Whether Keras can make something of a name alone, without further arguments."""
    try:
        return getter(name) is not None
    except (KeyError, TypeError, ValueError):
        return False
