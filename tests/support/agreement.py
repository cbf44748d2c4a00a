"""Train the same network from the same start on the same batches, here and in Keras."""

import numpy as np

from narrows._keras import keras
from narrows.objectives import Reconstruction
from narrows.training import Recipe, train

EPOCHS = 5
RTOL = 1e-4


def keras_fit(model, x, orders, batch_size, held_out):
    """Train with Keras, an epoch at a time, on rows put in the given order beforehand."""
    history = []
    for order in orders:
        got = model.fit(
            x[order], x[order], batch_size=batch_size, epochs=1, shuffle=False, verbose=0,
            validation_data=(held_out, held_out), validation_batch_size=batch_size,
        )  # fmt: skip
        history.append([got.history[name][0] for name in sorted(got.history)])
    return np.array(history)


def both(model, rows, batch_size, optimizer="adam", loss="mse", epochs=EPOCHS):
    """Train the same start on the same batches in narrows and in Keras."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows + 30, 4)).astype("float32") @ rng.normal(size=(4, 4)).astype("f4")
    orders = np.stack([rng.permutation(rows) for _ in range(epochs)])
    start = [np.asarray(v.value)[None] for v in model.variables]
    rate = 3e-3
    template = keras.optimizers.get(optimizer)
    recipe = Recipe(
        model, Reconstruction(loss), template, (keras.metrics.CategoricalAccuracy("accuracy"),)
    )
    ours = train(
        recipe, x, [np.arange(rows)], [np.arange(rows, rows + 30)],
        epochs=epochs, batch_size=batch_size, seeds=[(0, 0)], learning_rates=[rate],
        initial=start, orders=[orders],
    )  # fmt: skip
    own = type(template).from_config({**template.get_config(), "learning_rate": rate})
    model.compile(own, loss=loss, metrics=["accuracy"])
    theirs = keras_fit(model, x[:rows], orders, batch_size, x[rows:])
    return ours, theirs, model


def check(ours, theirs, model):
    """Compare the history and every weight."""
    ordered = [ours.measures.index(name) for name in sorted(ours.measures)]
    np.testing.assert_allclose(ours.history[0][:, ordered], theirs, rtol=RTOL, atol=1e-6)
    check_weights(ours, model)


def check_weights(ours, model):
    """Compare every weight, relative to the largest of its array."""
    for variable, mine in zip(model.variables, ours.weights, strict=True):
        if "seed_generator" in variable.path:
            continue
        reference = np.asarray(variable.value)
        scale = np.abs(reference).max()
        np.testing.assert_allclose(
            mine[0], reference, rtol=RTOL, atol=RTOL * scale, err_msg=variable.path
        )
