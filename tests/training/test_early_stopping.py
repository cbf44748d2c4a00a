"""Early stopping inside a compiled training against Keras's callback in a real ``fit``."""

import numpy as np
import pytest

from narrows._keras import keras
from narrows.objectives import Reconstruction
from narrows.training import Recipe, train
from support.agreement import check_weights

ROWS, EPOCHS, BATCH, RATE = 40, 60, 16, 0.05


@pytest.fixture(scope="module")
def data():
    """Rows on which a large learning rate makes the validation loss rise and fall."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=(ROWS + 12, 4)) @ rng.normal(size=(4, 4))).astype("float32")


def network():
    keras.utils.set_random_seed(5)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, activation="tanh")(inputs)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.Dense(4)(x))


@pytest.mark.parametrize("patience", [0, 1, 3, 8])
def test_same_epoch_same_losses_same_weights(data, patience):
    model = network()
    order = np.arange(ROWS)
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.Adam(), ())
    ours = train(
        recipe, data, [order], [np.arange(ROWS, len(data))], epochs=EPOCHS, batch_size=BATCH,
        seeds=[(0, 0)], patience=patience, learning_rates=[RATE],
        initial=[np.asarray(v.value)[None] for v in model.variables],
        orders=[np.tile(order, (EPOCHS, 1))],
    )  # fmt: skip
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=patience, restore_best_weights=True
    )
    model.compile(keras.optimizers.Adam(RATE), loss="mse")
    held_out = data[ROWS:]
    theirs = model.fit(
        data[:ROWS], data[:ROWS], batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0,
        validation_data=(held_out, held_out), callbacks=[stopping],
    ).history  # fmt: skip
    run = int(ours.epochs_run[0])
    assert run == len(theirs["loss"]) < EPOCHS, "the case must stop early to show anything"
    assert ours.best_epoch[0] == np.argmin(theirs["val_loss"])
    for name in ("loss", "val_loss"):
        mine = ours.history[0, :run, ours.measures.index(name)]
        np.testing.assert_allclose(mine, theirs[name], rtol=1e-4)
    check_weights(ours, model)
