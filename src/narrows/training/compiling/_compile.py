"""From a function of one lane to a compiled function of many."""

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax

from narrows._errors import UntrainableError
from narrows._keras import keras
from narrows.training.compiling._cache import compiling

# A training's time is in matrix products, which LLVM does not see: less effort, same speed.
_OPTIONS = {"xla_backend_optimization_level": 1}


def over_lanes(
    function: Callable[..., Any], lanes: int, axes: tuple[int | None, ...]
) -> Callable[..., Any]:
    """Return `function` over a leading lane axis: `jax.vmap`, or for one lane the plain function.

    XLA finds better kernels for a matrix product without an axis of length one.
    """
    if lanes > 1:
        return jax.vmap(function, in_axes=axes)

    def alone(*args: Any) -> Any:
        own = [
            arg if axis is None else jax.tree.map(lambda leaf: leaf[0], arg)
            for arg, axis in zip(args, axes, strict=True)
        ]
        return jax.tree.map(lambda leaf: leaf[None], function(*own))

    return alone


def traced(trace: Callable[[], Any]) -> Any:
    """Call what traces a network; what Python cannot trace is the network's fault, and named."""
    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()  # or the error loses the frames that name the layer
    try:
        return trace()
    except UntrainableError:
        raise
    except Exception as error:
        raise ValueError(
            "The network, its loss and its metrics must be functions that JAX can compile: no "
            "NumPy on tensors, no Python branches on their values. Tracing them failed"
            f"{_place(error)}: {type(error).__name__}: {_first_lines(error)} "
            "Use keras.ops there."
        ) from error
    finally:
        if filtering:
            keras.config.enable_traceback_filtering()


def _place(error: Exception) -> str:
    """Name the innermost Keras layer that an error came from."""
    layers = [
        frame.f_locals["self"]
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if isinstance(frame.f_locals.get("self"), keras.layers.Layer)
    ]
    return f" in layer {layers[-1].name!r} ({type(layers[-1]).__name__})" if layers else ""


def _first_lines(error: Exception, most: int = 3) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:most])


def compile_together(*lowered: Any) -> list[Any]:
    """Compile traced functions at once, on a thread each: XLA works outside Python's lock."""
    with compiling(), ThreadPoolExecutor(len(lowered)) as pool:
        return list(pool.map(lambda one: one.compile(_OPTIONS), lowered))
