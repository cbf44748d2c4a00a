"""What a function computes, as a short text: two functions of one text compile to one program.

A function's name, code and configuration do not tell what it does: it may read variables that
change, and a layer may hold what its configuration forgets. Tracing tells, since everything that
is not an input stands in the trace as a constant.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

# Rules for derivatives: a trace that is compiled is not differentiated again.
_RULES = {"jvp_jaxpr_fun", "jvp_jaxpr_thunk", "fwd_jaxpr_thunk", "bwd", "jvp", "fwd", "jvp_fun"}


class UnknowableError(Exception):
    """A trace calls back into Python, so that nobody can tell what it does."""


def digest(function: Callable, *args: Any) -> str | None:
    """Return a text for what a function does with arguments of given shapes and types."""
    closed = jax.make_jaxpr(function)(*args)
    found = hashlib.sha256()
    try:
        _add_closed(found, closed)
    except UnknowableError:
        return None
    return found.hexdigest()


def _add_closed(found, closed) -> None:
    _add_jaxpr(found, closed.jaxpr)
    for value in closed.consts:
        _add(found, value)


def _add_jaxpr(found, jaxpr) -> None:
    """Add every step, with variables numbered in the order in which they appear."""
    numbers: dict[Any, int] = {}

    def name(variable) -> str:
        if hasattr(variable, "val"):  # a literal
            _add(found, variable.val)
            return f"literal {variable.aval}"
        return f"{numbers.setdefault(variable, len(numbers))}:{variable.aval}"

    found.update(" ".join(name(v) for v in (*jaxpr.constvars, *jaxpr.invars)).encode())
    for step in jaxpr.eqns:
        if "callback" in step.primitive.name:
            raise UnknowableError
        inputs = " ".join(name(v) for v in step.invars)
        found.update(f"\n{step.primitive.name} {inputs} -> ".encode())
        found.update(" ".join(name(v) for v in step.outvars).encode())
        for key in sorted(set(step.params) - _RULES):
            found.update(f" {key}=".encode())
            _add(found, step.params[key])
    found.update(("\nend " + " ".join(name(v) for v in jaxpr.outvars)).encode())


def _add(found, value: Any) -> None:
    """Add a constant or a parameter of a step."""
    if hasattr(value, "jaxpr") and hasattr(value, "consts"):
        _add_closed(found, value)
    elif hasattr(value, "eqns"):
        _add_jaxpr(found, value)
    elif isinstance(value, np.ndarray | np.generic | jax.Array):
        array = (
            np.asarray(value)
            if not jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)
            else np.asarray(jax.random.key_data(value))
        )
        found.update(f"{array.dtype} {array.shape} ".encode() + array.tobytes())
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            found.update(f"{key}:".encode())
            _add(found, value[key])
    elif isinstance(value, list | tuple):
        found.update(f"[{len(value)}".encode())
        for one in value:
            _add(found, one)
    else:
        found.update(re.sub(r"0x[0-9a-f]+", "", repr(value)).encode())
