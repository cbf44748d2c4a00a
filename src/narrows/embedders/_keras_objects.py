"""From an embedder's parameters to Keras's loss, optimizer and metrics."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from narrows._keras import keras
from narrows.embedders._parameters import check_name, fail
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


def loss_of(embedder):
    """Return the embedder's loss as `keras.losses.get` takes it; raise for an unknown name."""
    loss = embedder.loss
    if not _is_piece(loss, keras.losses.Loss):
        wanted = "the name of a loss, a function of two arrays or a keras.losses.Loss"
        fail(embedder, "loss", wanted, loss)
    if isinstance(loss, str) and not _gets(keras.losses.get, loss):
        known = _names(keras.losses, keras.losses.Loss, keras.losses.get)
        check_name(embedder, "loss", loss, known, "a loss")
    return loss


def penalised(
    loss, networks, sparsity: tuple[float, float | None] | None, contraction: float
) -> Objective:
    """Return the reconstruction loss with the penalties on the code whose weights are not 0.

    Parameters
    ----------
    loss : see `loss_of`
    networks : narrows.networks.Networks
    sparsity : (weight, target or None) or None
    contraction : float
    """
    reconstruction = Reconstruction(loss)
    parts: list[Objective | Weighted] = [reconstruction]
    if sparsity is not None:
        weight, target = sparsity
        squash = not _ends_in_sigmoid(networks.encoder)
        penalty = Sparsity() if target is None else TargetSparsity(target, squash)
        parts.append(Weighted(penalty, weight))
    if contraction > 0:
        parts.append(Weighted(Contraction(), contraction))
    return reconstruction if len(parts) == 1 else Sum(parts)


def _ends_in_sigmoid(model: keras.Model) -> bool:
    last = model.layers[-1]
    return getattr(last, "activation", None) is keras.activations.sigmoid


def optimizer_of(embedder):
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


def metrics_of(embedder, row_shape: tuple[int, ...], terms: Sequence[str] = ()) -> tuple:
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

    def get_config(self):
        return {"fn": self._fn, "name": self.name, "dtype": self.dtype, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _metric(embedder, metric, row_shape: tuple[int, ...]):
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


def _names(module, base: type, getter: Callable) -> set[str]:
    """Names that a Keras module's getter takes: of functions, and of classes where it does."""
    found = {"mse", "mae", "mape", "msle"}
    for name, member in vars(module).items():
        if inspect.isclass(member) and issubclass(member, base) and member is not base:
            found |= {name.lower(), name}
        elif inspect.isfunction(member):
            found.add(name)
    taken = {name for name in found if _gets(getter, name)}
    return {name for name in taken if name.islower() or name.lower() not in taken}


def _is_piece(value, base: type) -> bool:
    """Whether `value` is a name, a function or an object of the class; not a class itself."""
    return isinstance(value, str | base) or (callable(value) and not isinstance(value, type))


def _gets(getter, name: str) -> bool:
    """Whether Keras can make something of a name alone, without further arguments."""
    try:
        return getter(name) is not None
    except (KeyError, TypeError, ValueError):
        return False


def known_classes(parameters: Mapping[str, Any]) -> contextlib.AbstractContextManager:
    """Return a context in which Keras finds the classes of the parameters.

    A clone has copies of its parameters, and Keras copies an object from its configuration: of a
    loss, metric, optimizer or layer class that is not registered it would not know the name.

    Parameters
    ----------
    parameters : mapping of str to object
    """
    if "keras" not in sys.modules:  # so none of them is Keras's
        return contextlib.nullcontext()
    from narrows._keras import keras
    from narrows.networks import foreign_pieces, is_own

    found: dict[str, Any] = {}
    for value in parameters.values():
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, keras.Layer):
                found |= foreign_pieces(one)
            elif isinstance(one, keras.Loss | keras.Metric | keras.Optimizer) and not is_own(one):
                found[type(one).__name__] = type(one)
    return keras.saving.CustomObjectScope(found) if found else contextlib.nullcontext()


def check_same_models(parameters: Mapping[str, Any], copies: Mapping[str, Any]) -> None:
    """Refuse a copied model that computes something else than the one it is a copy of.

    Parameters
    ----------
    parameters, copies : mappings of str to object

    Raises
    ------
    ValueError
    """
    if "keras" not in sys.modules:
        return
    from narrows._keras import keras
    from narrows.networks import computes_as, is_described

    for name, value in parameters.items():
        if not isinstance(value, keras.Model) or is_described(value):
            continue
        if not computes_as(value, copies[name]):
            raise ValueError(
                f"The model {value.name!r} must compute the same when it is copied. A copy "
                "computes something else. Let get_config return every argument of its layers' "
                "constructors, or give a function that makes them."
            )


def carry_losses(parameters: Mapping[str, Any], copies: Mapping[str, Any]) -> None:
    """Give copies of losses and metrics the arguments that Keras's copying forgets.

    Parameters
    ----------
    parameters, copies : mappings of str to object
    """
    if "keras" not in sys.modules:
        return
    from narrows._keras import keras
    from narrows.networks import carry_attributes

    kinds = keras.Loss | keras.Metric
    for name, value in parameters.items():
        several = isinstance(value, list | tuple)
        pairs = zip(value, copies[name], strict=True) if several else [(value, copies[name])]
        for one, copy in pairs:
            if isinstance(one, kinds) and copy is not one:
                carry_attributes(one, copy)
