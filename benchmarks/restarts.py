"""A hundred restarts of the post's training: narrows against one network at a time.

Run: ``python benchmarks/restarts.py`` (PyTorch takes part if installed). All contestants run in
turn in this process, the whole-process ones as processes of their own; numbers are medians.
"""

import functools
import tempfile
import warnings

import numpy as np
from _common import (
    arguments,
    in_turn,
    installed,
    machine,
    matrix_product_speed,
    process,
    table,
    write,
)

import narrows

EPOCHS = 100
BATCH = 32
# Multiply-adds of the eight dense layers on one row, forward and backward (three products).
FLOP_PER_ROW = 6 * (4 * 150 + 150 * 50 + 50 * 25 + 25 * 2 + 2 * 150 + 150 * 50 + 50 * 25 + 25 * 4)


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return the post's training and test rows."""
    table = narrows.datasets.iris()
    train, test = narrows.partition(table["Species"], 0.8, random_state=0)
    X = table.drop(columns="Species").to_numpy("float32")
    return X[train], X[test]


def embedder(restarts: int):
    """Return the post's network with so many restarts."""
    from narrows.networks import post_decoder, post_encoder

    return narrows.Autoencoder(
        encoder=post_encoder, decoder=post_decoder, metrics=("accuracy",), epochs=EPOCHS,
        batch_size=BATCH, restarts=restarts, random_state=0,
    )  # fmt: skip


def keras_once(train, test) -> None:
    """Build and fit a fresh model, as the post does."""
    from narrows._keras import keras
    from narrows.networks import post_decoder, post_encoder

    inputs = keras.Input((4,))
    model = keras.Model(inputs, post_decoder(post_encoder(inputs)))
    model.compile(loss="mse", optimizer="adam", metrics=["accuracy"])
    model.fit(
        train, train, epochs=EPOCHS, batch_size=BATCH, validation_data=(test, test), verbose=0
    )


def torch_once(train, test) -> None:
    """Train the same network in PyTorch, eagerly, as a tutorial would; on a GPU if there is one."""
    import torch
    from torch import nn

    layers = [
        nn.Linear(4, 150), nn.ReLU(), nn.BatchNorm1d(150, eps=1e-3, momentum=0.01), nn.Dropout(0.2),
        nn.Linear(150, 50), nn.ReLU(), nn.Dropout(0.1), nn.Linear(50, 25), nn.ReLU(),
        nn.Linear(25, 2), nn.Linear(2, 150), nn.ReLU(), nn.Dropout(0.2), nn.Linear(150, 50),
        nn.ReLU(), nn.Dropout(0.1), nn.Linear(50, 25), nn.ReLU(), nn.Linear(25, 4),
    ]  # fmt: skip
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = nn.Sequential(*layers).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, held_out = torch.from_numpy(train).to(device), torch.from_numpy(test).to(device)
    for _ in range(EPOCHS):
        model.train()
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            batch = x[order[start : start + BATCH]]
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.mse_loss(model(batch), batch)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            loss = nn.functional.mse_loss(model(held_out), held_out)
    float(loss)  # a GPU may be busy still


def sklearn_once(train) -> None:
    """Fit the same widths without dropout, batch normalization and validation, for scale."""
    from sklearn.neural_network import MLPRegressor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MLPRegressor(
            hidden_layer_sizes=(150, 50, 25, 2, 150, 50, 25),
            batch_size=BATCH,
            max_iter=EPOCHS,
            n_iter_no_change=EPOCHS,
        ).fit(train, train)


KERAS_PROCESS = """
import os
os.environ["KERAS_BACKEND"] = "jax"
import sys
sys.path.insert(0, "benchmarks")
import restarts
restarts.keras_once(*restarts.data())
"""
NARROWS_PROCESS = """
import sys
sys.path.insert(0, "benchmarks")
import restarts
train, test = restarts.data()
restarts.embedder({restarts}).fit(train, validation_data=test)
"""


def whole_processes(repeats: int) -> dict[str, tuple[float, float]]:
    """Time whole processes, in turn: median seconds and median peak memory in MB."""
    measured: dict[str, list[tuple[float, float]]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            runs = {
                "Keras, 1 training": lambda: process(KERAS_PROCESS),
                "narrows, 100 restarts, cold": functools.partial(
                    process, NARROWS_PROCESS.format(restarts=100), NARROWS_CACHE=folder
                ),
            }
            runs["narrows, 100 restarts, warm disk cache"] = runs["narrows, 100 restarts, cold"]
            for name, run in runs.items():
                measured.setdefault(name, []).append(run())
                print(f"  process, {name}: {measured[name][-1][0]:.2f} s", flush=True)
    return {
        name: tuple(float(np.median([one[k] for one in found])) for k in (0, 1))
        for name, found in measured.items()
    }


def main() -> None:
    """Run all contestants and write the table."""
    parser = arguments(__doc__)
    parser.add_argument("--most", type=int, default=1000, help="largest number of restarts")
    options = parser.parse_args()
    train, test = data()
    speed = matrix_product_speed()
    counts = [count for count in (1, 10, 100, 1000, 10_000) if count <= options.most]

    contestants = {"Keras (JAX), fresh model and fit": lambda: keras_once(train, test)}
    if installed("torch"):
        contestants["PyTorch, eager"] = lambda: torch_once(train, test)
    contestants["scikit-learn MLPRegressor, no dropout or batch-norm"] = lambda: sklearn_once(train)
    sizes = dict.fromkeys(contestants, 1)
    for run in contestants.values():
        run()  # imports and first-call work are not part of a training
    for count in counts:
        name = f"narrows, {count:,} restart{'s' if count > 1 else ''}"
        sizes[name] = count
        fit = embedder(count).fit
        contestants[name] = functools.partial(fit, train, validation_data=test)
        fit(train, validation_data=test)  # compiled here; the cold case is a process of its own
    medians = in_turn(contestants, options.repeats)
    each = {name: medians[name] / sizes[name] for name in medians}

    keras = each["Keras (JAX), fresh model and fit"]
    torch = each.get("PyTorch, eager")
    rows = []
    for name, one in each.items():
        flops = FLOP_PER_ROW * len(train) * EPOCHS / one / 1e9
        rows.append(
            [
                name, f"{medians[name]:.3f}", f"{one:.4f}", f"{keras / one:.1f}",
                f"{torch / one:.1f}" if torch else "-", f"{100 * flops / speed:.1f} %",
            ]
        )  # fmt: skip
    head = ["contestant", "seconds", "per restart", "× Keras", "× PyTorch", "of matrix speed"]
    processes = whole_processes(options.repeats)
    base = processes["Keras, 1 training"][0]
    process_rows = [
        [name, f"{took:.2f}", f"{took / base:.2f}", f"{peak:.0f}"]
        for name, (took, peak) in processes.items()
    ]
    text = "\n\n".join(
        [
            "# Restarts of the post's training (120 × 4, 100 epochs, batches of 32)",
            f"`python benchmarks/restarts.py --repeats {options.repeats} --most {options.most}`, "
            "medians; "
            + machine(("keras", "jax", "torch", "scikit-learn", "numpy"))
            + f"; float32 matrix product {speed:.0f} GFLOP/s.",
            table(head, rows),
            "Whole processes, imports and compiling included:",
            table(["process", "seconds", "relative to Keras", "peak MB"], process_rows),
        ]
    )
    write("restarts.md", text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
