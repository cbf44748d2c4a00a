"""One restart against Keras's own ``fit``, from iris to 60,000 × 784.

Run: ``python benchmarks/sizes.py``. Data are made up; the largest network is the parametric t-SNE
notebook's, 784-500-500-2000-2 and back. Cold is a first fit with nothing compiled (no disk cache);
warm is the next fit. Contestants run in turn in one process; ratios above 1 mean narrows is faster.
"""

import os

os.environ["NARROWS_CACHE"] = "off"

import statistics

import numpy as np
from _common import arguments, machine, seconds, table, write

import narrows

# rows, columns, widths, batch size, epochs of one fit
SIZES = [
    (120, 4, (150, 50, 25), 32, 100),
    (1_000, 20, (150, 50, 25), 32, 20),
    (10_000, 50, (256, 128), 128, 5),
    (20_000, 200, (500, 250), 128, 2),
    (60_000, 784, (500, 500, 2000), 512, 1),
]


def keras_model(columns: int, widths):
    """Build and compile a network of these widths and its mirror."""
    from narrows._keras import keras

    x = inputs = keras.Input((columns,))
    for width in widths:
        x = keras.layers.Dense(width, activation="relu")(x)
    x = keras.layers.Dense(2)(x)
    for width in reversed(widths):
        x = keras.layers.Dense(width, activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(columns)(x))
    model.compile(loss="mse", optimizer="adam")
    return model


def one_round(rows, columns, widths, batch, epochs, warm_fits: int):
    """Time each side's first fit and its next ones: (Keras cold, warm, narrows cold, warm)."""
    from narrows.training import forget_programs

    x = np.random.default_rng(0).normal(size=(rows, columns)).astype("float32")

    def keras_fit(model):
        model.fit(x, x, epochs=epochs, batch_size=batch, verbose=0)

    def cold_keras():
        cold_keras.model = keras_model(columns, widths)
        keras_fit(cold_keras.model)

    def narrows_fit():
        narrows.Autoencoder(
            encoder=widths, residual=False, epochs=epochs, batch_size=batch, random_state=0
        ).fit(x)

    forget_programs()
    keras_cold, narrows_cold = seconds(cold_keras), seconds(narrows_fit)
    pairs = [
        (seconds(lambda: keras_fit(cold_keras.model)), seconds(narrows_fit))
        for _ in range(warm_fits)
    ]
    warm = [statistics.median(side) for side in zip(*pairs, strict=True)]
    return keras_cold, warm[0], narrows_cold, warm[1]


def main() -> None:
    """Run every size and write the table."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--sizes", type=int, default=len(SIZES), help="only the first so many sizes"
    )
    options = parser.parse_args()
    rows = []
    for size in SIZES[: options.sizes]:
        found = [one_round(*size, warm_fits=2) for _ in range(options.repeats)]
        keras_cold, keras_warm, ours_cold, ours_warm = np.median(found, axis=0)
        n, columns, widths, batch, epochs = size
        rows.append(
            [
                f"{n:,} × {columns}", "-".join(map(str, widths)), batch, epochs,
                f"{keras_cold / epochs:.4f}", f"{ours_cold / epochs:.4f}",
                f"{keras_cold / ours_cold:.2f}",
                f"{keras_warm / epochs:.4f}", f"{ours_warm / epochs:.4f}",
                f"{keras_warm / ours_warm:.2f}",
            ]
        )  # fmt: skip
        print(rows[-1], flush=True)
    head = [
        "data", "encoder", "batch", "epochs", "Keras cold", "narrows cold", "ratio cold",
        "Keras warm", "narrows warm", "ratio warm",
    ]  # fmt: skip
    text = "\n\n".join(
        [
            "# One restart against Keras's fit, seconds per epoch",
            f"`python benchmarks/sizes.py --repeats {options.repeats}`, medians; "
            + machine(("keras", "jax", "numpy"))
            + ". Ratios above 1: narrows is faster.",
            table(head, rows),
        ]
    )
    write("sizes.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
