"""A model's layers as a table, in the form that Keras 2 printed and the post shows."""

import math

import pandas as pd

from narrows._keras import keras


def layer_table(model: keras.Model) -> pd.DataFrame:
    """List a model's layers.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    pandas.DataFrame
        One row a layer: ``layer``, ``type``, ``output_shape`` (a tuple, None for the rows),
        ``parameters``.
    """
    rows = [
        {
            "layer": layer.name,
            "type": type(layer).__name__,
            "output_shape": tuple(layer.output.shape),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
    return pd.DataFrame(rows)


def parameter_counts(model: keras.Model) -> dict[str, int]:
    """Count a model's parameters.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    dict of str to int
        ``total``, ``trainable`` and ``non_trainable``.
    """

    def size(weights) -> int:
        return sum(math.prod(weight.shape) for weight in weights)

    trainable, fixed = size(model.trainable_weights), size(model.non_trainable_weights)
    return {"total": trainable + fixed, "trainable": trainable, "non_trainable": fixed}


def summary_text(model: keras.Model) -> str:
    """Return the table and the counts as text, as Keras 2's ``summary`` printed them.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    str
    """
    width = 75
    lines = ["_" * width, _row("Layer (type)", "Output Shape", "Param #"), "=" * width]
    table = layer_table(model)
    for position, (name, kind, shape, count) in enumerate(table.itertuples(index=False)):
        lines.append(_row(f"{name} ({kind})", str(shape), str(count)))
        lines.append(("=" if position == len(table) - 1 else "_") * width)
    counts = parameter_counts(model)
    lines += [
        f"Total params: {counts['total']:,}",
        f"Trainable params: {counts['trainable']:,}",
        f"Non-trainable params: {counts['non_trainable']:,}",
        "_" * width,
    ]
    return "\n".join(lines)


def _row(name: str, shape: str, count: str) -> str:
    return f"{name:<44} {shape:<20} {count}".rstrip()


def weight_table(model: keras.Model) -> pd.DataFrame:
    """List a model's weight arrays, in the order of ``model.get_weights()``.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    pandas.DataFrame
        One row an array: ``layer``, ``weight``, ``shape``, ``rank`` (2 is what R calls a matrix,
        1 an array), ``trainable``.
    """
    rows = [
        {
            "layer": layer.name,
            "weight": weight.name,
            "shape": tuple(weight.shape),
            "rank": len(weight.shape),
            "trainable": weight.trainable,
        }
        for layer in model.layers
        for weight in layer.weights
    ]
    return pd.DataFrame(rows, columns=["layer", "weight", "shape", "rank", "trainable"])
