"""The last look at a fit: what was trained is what is delivered, or it is an error.

The engine's compiled functions are kept and used again, exchange layers for faster ones, and pass
weights as lists. Each of these could go wrong, and none would show in a history. So the network
that goes to the user is called by Keras on a few rows and has to give what the engine gives for
the same weights, outputs and loss.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from narrows._keras import keras, mask_of
from narrows.networks import TOLERANCE, Networks, apart, close, made_up_rows, size
from narrows.objectives import Batch
from narrows.training._engine import engine
from narrows.training._forward import forward
from narrows.training.compiling._cache import compiling
from narrows.training.looping._loops import Data
from narrows.training.looping._step import Frame, Rows, code_scale_of

SAMPLE = 8  # rows that are compared
_COARSE = 5e-2  # of the largest number, where layers compute in 16 bits
_ROUNDINGS = 16.0  # of every number of a row, whose differences may add up
_VALUES = 1000  # of a made-up row that are compared


@dataclass(frozen=True)
class Sample:
    """A few of the rows, and what the engine makes of them with one lane's weights.

    Attributes
    ----------
    rows : Rows
    parameters : list of float
        The objective's own numbers.
    outputs : dict of str to ndarray
    loss : float
    recipe : Recipe
    """

    rows: Rows
    parameters: list[Any]
    outputs: Mapping[str, np.ndarray]
    loss: float
    recipe: Any


def sample_spec(data: Data, frame: Frame | None) -> Rows:
    """Describe the rows of a sample."""

    def some(values: Any) -> Any:
        return values and jax.ShapeDtypeStruct((SAMPLE, *values.shape[1:]), values.dtype)

    counted = jax.ShapeDtypeStruct((SAMPLE,), jnp.float32)
    targets = None if data.targets is None else some(data.targets)
    return Rows(some(data.x), targets, counted, jax.tree.map(some, data.given), frame)


def samples_of(data: Data, rows: Sequence[np.ndarray], frames: Frame | None) -> list[Rows]:
    """Take a few of each lane's rows, repeated where there are too few.

    Copies, once for lanes with the same rows: all the others may be let go of.
    """
    ones = np.ones(SAMPLE, np.float32)
    data = data._replace(given=data.given._replace(weights=np.ones(len(data.x), np.float32)))
    taken: dict[bytes, Data] = {}
    found = []
    for lane, numbers in enumerate(rows):
        own = np.asarray(numbers)[np.arange(SAMPLE) % len(numbers)]
        key = own.tobytes()
        if key not in taken:
            taken[key] = jax.tree.map(lambda values, own=own: values[own], data)
        some = taken[key]
        frame = jax.tree.map(lambda values, lane=lane: np.array(values[lane], np.float32), frames)
        found.append(Rows(some.x, some.targets, ones, some.given, frame))
    return found


@engine()
def verify(sample: Sample, weights: list[np.ndarray], models: Mapping[str, Any]) -> None:
    """Compare what is delivered with what the engine trained.

    Parameters
    ----------
    sample : Sample
    weights : list of ndarrays
        In the order of the variables of the whole network, as they are delivered.
    models : mapping of str to keras.Model
        What is delivered: the ``"whole"`` network as it is trained, an ``"encoder"`` and maybe a
        ``"decoder"`` over its variables.

    Raises
    ------
    RuntimeError
        If an output or the loss differs by more than 1e-3 of the largest number (5e-2 where
        layers compute in 16 bits), and by more than a few roundings of the rows move it.
    """
    outputs, loss = _as_keras(sample, weights, models)
    tolerance = _tolerance(models["whole"])
    sizes = {name: size(value) for name, value in outputs.items()}
    allowed = {name: tolerance * max(1.0, largest) for name, largest in sizes.items()}
    allowed["loss"] = tolerance * (abs(sample.loss) + 0.1 * max(sizes.values(), default=0.0) ** 2)
    found = {**outputs, "loss": np.asarray(loss)}
    wanted = {**sample.outputs, "loss": np.asarray(sample.loss)}
    differences = {name: apart(found[name], wanted[name]) for name in found}
    if all(differences[name] <= allowed[name] for name in found):
        return
    # Columns far from 0, such as times in seconds, lose more than that in float32.
    rows = sample.rows._replace(x=np.nextafter(sample.rows.x, np.float32(np.inf)))
    moved, loss = _as_keras(dataclasses.replace(sample, rows=rows), weights, models)
    moved = {**moved, "loss": np.asarray(loss)}
    for name in found:
        slack = _ROUNDINGS * apart(moved[name], found[name])
        if differences[name] > max(allowed[name], slack):
            _refuse(name, differences[name])


def _refuse(name: str, difference: float) -> None:
    raise RuntimeError(
        "The network that is delivered must be the one that was trained. On the same rows, with "
        f"the same weights, its {name} differs from the training's by {difference:.3g}. Nothing "
        "was kept. A layer, loss or activation may read a variable that changed meanwhile, or "
        "depend on how it is called; otherwise please report it with the network."
    )


def _tolerance(model: keras.Model) -> float:
    coarse = any(
        "16" in str(getattr(layer, "compute_dtype", "")) for layer in model._flatten_layers()
    )
    return _COARSE if coarse else TOLERANCE


def _makes_masks(model: keras.Model) -> bool:
    plain = keras.layers.Layer.compute_mask
    return any(
        getattr(type(layer), "compute_mask", plain) is not plain
        for layer in model._flatten_layers()
        if not isinstance(layer, keras.Model)
    )


def _as_keras(
    sample: Sample, weights: list[np.ndarray], models: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], float]:
    """Return outputs and loss as Keras has them, from models called here and now."""
    recipe, rows, model = sample.recipe, sample.rows, models["whole"]
    places = {id(variable): place for place, variable in enumerate(model.variables)}

    def call(one: keras.Model, x: jax.Array, **more: Any) -> Any:
        trainable, other = (
            [weights[places[id(v)]] for v in some]
            for some in (one.trainable_variables, one.non_trainable_variables)
        )
        return one.stateless_call(trainable, other, x, training=False, **more)

    # Without a program of its own: what operations compile is the same for every fit.
    with compiling(), jax.default_matmul_precision("float32"):
        x = jnp.asarray(rows.x)
        parts = {name: models[name] for name in ("encoder", "decoder") if models.get(name)}
        found, layers = {}, []
        if "encoder" in parts:
            found["code"], _, layers = call(parts["encoder"], x, return_losses=True)
        if "decoder" in parts and "output" in sample.outputs:
            found["output"], _, more = call(parts["decoder"], found["code"], return_losses=True)
            layers = layers + more
        mask = None
        if set(found) != set(sample.outputs) or _makes_masks(model):
            # Outputs that only the training sees, and a mask that goes through the bottleneck.
            whole, _, layers = call(model, x, return_losses=True)
            whole = whole if isinstance(whole, dict) else {"output": whole}
            mask = mask_of(whole["output"]) if "output" in whole else None
            found = whole | found
        found = {name: value.astype(jnp.float32) for name, value in found.items()}
        objective = recipe.objective
        batch = Batch(
            target=x if rows.target is None else jnp.asarray(rows.target),
            seen=x,
            outputs=found,
            given=jax.tree.map(jnp.asarray, rows.given),
            counted=jnp.asarray(rows.counted),
            rows=jnp.float32(len(x)),
            epoch=jnp.float32(0),
            encode=(lambda x: call(parts["encoder"], x)[0]) if objective.encodes else None,
            parameters=dict(zip(objective.parameters, sample.parameters, strict=True)),
            mask=mask,
            code_scale=code_scale_of(rows.frame),
        )
        loss = objective(batch).loss + sum(layers)
    return {name: np.asarray(value) for name, value in found.items()}, float(loss)


@engine()
def answers(networks: Networks) -> dict[str, list]:
    """Return what networks make of a few made-up rows, for a file or copy to carry.

    Parameters
    ----------
    networks : Networks

    Returns
    -------
    dict of str to list of lists of float or None
        ``"code"`` and, with a decoder, ``"output"``: for each row its first numbers, None for one
        that is not finite.
    """
    code = forward(networks.encoder, made_up_rows(networks.encoder.input.shape[1:]))
    found = {"code": code}
    if networks.decoder is not None:
        found["output"] = forward(networks.decoder, code)
    return {
        name: [
            [float(v) if np.isfinite(v) else None for v in row[:_VALUES]]
            for row in values.reshape(len(values), -1)
        ]
        for name, values in found.items()
    }


def differing(networks: Networks, stored: Mapping[str, Any]) -> str | None:
    """Name what networks give otherwise than `answers` says, or None.

    Parameters
    ----------
    networks : Networks
    stored : mapping
        What `answers` returned.
    """
    now = answers(networks)
    tolerance = max(
        _tolerance(model) for model in (networks.encoder, networks.decoder) if model is not None
    )
    for name, wanted in stored.items():
        one, other = (np.array(values, np.float64) for values in (now.get(name), wanted))
        if not close(one, other, tolerance):
            return name
    return None
