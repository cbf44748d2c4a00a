"""The blog post's network: 4 → 150 → 50 → 25 → 2 and back, with the post's layer names."""

from narrows._keras import keras


def post_encoder(x):
    """Map rows to the two-dimensional bottleneck, as the post's ``encoder``.

    Parameters
    ----------
    x : keras.KerasTensor of shape (None, n_columns)
        The input layer's tensor.

    Returns
    -------
    keras.KerasTensor of shape (None, 2)
    """
    layers = keras.layers
    x = layers.Dense(150, activation="relu", name="dense_1")(x)
    x = layers.BatchNormalization(name="batch_normalization_1")(x)
    x = layers.Dropout(0.2, name="dropout_1")(x)
    x = layers.Dense(50, activation="relu", name="dense_2")(x)
    x = layers.Dropout(0.1, name="dropout_2")(x)
    x = layers.Dense(25, activation="relu", name="dense_3")(x)
    return layers.Dense(2, name="dense_4")(x)


def post_decoder(z):
    """Map the bottleneck back to iris's four columns, as the post's ``decoder``.

    Parameters
    ----------
    z : keras.KerasTensor of shape (None, 2)
        The bottleneck.

    Returns
    -------
    keras.KerasTensor of shape (None, 4)
    """
    layers = keras.layers
    z = layers.Dense(150, activation="relu", name="dense_5")(z)
    z = layers.Dropout(0.2, name="dropout_3")(z)
    z = layers.Dense(50, activation="relu", name="dense_6")(z)
    z = layers.Dropout(0.1, name="dropout_4")(z)
    z = layers.Dense(25, activation="relu", name="dense_7")(z)
    return layers.Dense(4, name="dense_8")(z)
