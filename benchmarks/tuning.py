"""What tuning costs: `AutoencoderCV` beside fresh Keras models and fits of the post's network.

Run: ``python benchmarks/tuning.py``. All contestants run in turn in this process on the same
rows, warm (each once before); numbers are medians.
"""

import numpy as np
from _common import arguments, in_turn, machine, matrix_product_speed, table, write
from restarts import BATCH, EPOCHS

import narrows

SHAPES = ((150, 4), (1_500, 10), (5_000, 20))


def rows(shape: tuple[int, int]) -> np.ndarray:
    """Return iris, or rows of five numbers under curves and noise; columns are standardized."""
    if shape == (150, 4):
        X = narrows.datasets.iris().drop(columns="Species").to_numpy()
    else:
        rng = np.random.default_rng(0)
        hidden = rng.normal(size=(shape[0], 5))
        X = np.tanh(hidden @ rng.normal(size=(5, shape[1]))) + hidden @ rng.normal(
            size=(5, shape[1])
        )
        X += 0.3 * rng.normal(size=shape)
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype("float32")


def keras_once(X: np.ndarray) -> None:
    """Build and fit a fresh model of the post's network, with as many columns as there are."""
    from narrows._keras import keras
    from narrows.networks import post_decoder, post_encoder

    inputs = keras.Input((X.shape[1],))
    outputs = post_decoder(post_encoder(inputs))
    if X.shape[1] != 4:
        outputs = keras.layers.Dense(X.shape[1], name="columns")(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(loss="mse", optimizer="adam")
    model.fit(X, X, epochs=EPOCHS, batch_size=BATCH, verbose=0)


def tuned(X: np.ndarray) -> None:
    """Choose among the default candidates on five folds, then train on all rows."""
    narrows.AutoencoderCV(bottleneck=2, random_state=0).fit(X)


def main() -> None:
    """Measure, print and write the table."""
    given = arguments(__doc__).parse_args()
    lines = []
    for shape in SHAPES:
        X = rows(shape)
        print(f"{shape[0]} × {shape[1]}", flush=True)
        tuned(X)
        repeats = given.repeats if shape[0] < 5_000 else 1
        found = in_turn(
            {"keras": lambda X=X: keras_once(X), "tuned": lambda X=X: tuned(X)}, repeats
        )
        lines.append(
            [
                f"{shape[0]:,} × {shape[1]}",
                f"{found['keras']:.2f}",
                f"{found['tuned']:.2f}",
                f"{found['tuned'] / found['keras']:.2f}",
            ]
        )
    heads = ["rows × columns", "one Keras model and fit, s", "AutoencoderCV, s", "ratio"]
    about = (
        f"{machine(['narrows', 'jax', 'keras'])}; {matrix_product_speed():.0f} GFLOP/s. The "
        "default candidates on five folds, then one training on all rows; medians of runs in turn "
        "in one process, warm."
    )
    text = "\n\n".join(["# What tuning costs", about, table(heads, lines)])
    write("tuning.md", text, wanted=not given.no_write)


if __name__ == "__main__":
    main()
