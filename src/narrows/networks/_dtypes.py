"""Which types of numbers a network may have: narrows trains in float32.

Rows, losses and what optimizers remember are float32. Layers may compute in less by a mixed policy,
and single layers may have bfloat16 weights, whose range is that of float32. Float64 is not what
JAX computes with unless asked, and weights in float16 lose what small steps add.
"""

from narrows._keras import keras

_WEIGHTS = ("float32", "bfloat16")


def check_session() -> None:
    """Refuse a session whose default type is not float32, before anything is built in it."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    if floatx != "float32":
        raise ValueError(
            "narrows trains in float32, so Keras's floatx must be 'float32'. Got "
            f"{floatx!r} instead. Call keras.config.set_floatx('float32'), or change 'floatx' in "
            "Keras's file keras.json."
        )
    if policy.variable_dtype != "float32":
        raise ValueError(
            "narrows trains in float32, so Keras's policy of types must keep weights in float32, "
            f"as 'float32' and 'mixed_bfloat16' do. Got {policy.name!r} instead. Call "
            "keras.config.set_dtype_policy('float32')."
        )


def check_layers(models) -> None:
    """Refuse layers whose weights, or work, are of a type that a training cannot keep right."""
    for layer in (layer for model in models if model is not None for layer in model.layers):
        found = {weight.dtype for weight in layer.weights if "float" in weight.dtype}
        found |= {layer.compute_dtype} & {"float64"} if layer.weights else set()
        wrong = sorted(found - set(_WEIGHTS))
        if wrong:
            raise ValueError(
                f"The layer {layer.name!r} must have weights of {' or '.join(_WEIGHTS)}, as "
                f"narrows trains in float32. Got {wrong[0]} instead. Leave out its dtype, or give "
                "it 'mixed_bfloat16' or 'mixed_float16', which compute in less."
            )
