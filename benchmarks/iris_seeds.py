"""The post's forest over ten splits and trainings: how much of its numbers is luck.

Run: ``python benchmarks/iris_seeds.py``. For each seed: split, embed the training rows unlabelled,
judge by caret's 25 bootstraps of a forest with 500 trees, as the post does once. Run it again with
``--append`` where another version of JAX is installed: JAX rounds differently, and a training
amplifies that.
"""

from importlib.metadata import version

import numpy as np
import pandas as pd
from _common import RESULTS, arguments, machine, table, write

import narrows
from narrows.comparison import bootstrap, caret_forest
from narrows.networks import post_decoder, post_encoder

PCA, RAW_PCA, AUTOENCODER = (
    "PCA, standardized columns", "PCA, raw columns", "autoencoder, raw columns",
)  # fmt: skip
NAME = "iris_seeds.md"


def embedders(seed: int) -> dict:
    """Return the embedders by name."""
    return {
        PCA: narrows.PCA(2, standardize=True),
        RAW_PCA: narrows.PCA(2, standardize=False),
        AUTOENCODER: narrows.Autoencoder(
            encoder=post_encoder,
            decoder=post_decoder,
            epochs=100,
            batch_size=32,
            random_state=seed,
        ),
    }


def one_seed(seed: int) -> list[dict]:
    """Judge every embedder on one split."""
    iris = narrows.datasets.iris()
    train, _ = narrows.partition(iris["Species"], 0.8, random_state=seed)
    X, y = iris.drop(columns="Species").iloc[train], iris["Species"].iloc[train]
    resamples = bootstrap(len(y), 25, random_state=seed)
    found = []
    for name, embedder in embedders(seed).items():
        Z = np.asarray(embedder.fit_transform(X))
        forest = caret_forest(Z, y, resamples=resamples, random_state=seed)
        accuracy, kappa = forest.accuracy_mean, forest.kappa_mean
        found.append({"seed": seed, "name": name, "accuracy": accuracy, "kappa": kappa})
    return found


def accuracies(frame: pd.DataFrame) -> str:
    """Return each embedding's accuracy over the seeds, as a table."""
    rows = [
        [
            name, f"{group['accuracy'].mean():.3f}", f"{group['accuracy'].std():.3f}",
            f"{group['accuracy'].min():.3f} to {group['accuracy'].max():.3f}",
            f"{group['kappa'].mean():.3f}",
        ]
        for name, group in frame.groupby("name", sort=False)
    ]  # fmt: skip
    return table(["embedding", "accuracy", "SD over seeds", "range", "kappa"], rows)


def gaps(frame: pd.DataFrame) -> str:
    """Return how far the autoencoder is before PCA with each seed, in points, as a table."""
    by_seed = 100 * frame.pivot_table(index="seed", columns="name", values="accuracy")
    rows = []
    for name in (PCA, RAW_PCA):
        points = by_seed[AUTOENCODER] - by_seed[name]
        each = [f"{gap:+.1f}".replace("-", "−") for gap in (points.mean(), *points)]
        rows.append([f"autoencoder − {name}", each[0], f"{points.std():.1f}", *each[1:]])
    head = ["points of accuracy", "mean", "SD", *(f"seed {seed}" for seed in by_seed.index)]
    return table(head, rows)


def main() -> None:
    """Run all seeds and write the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--append", action="store_true", help="keep the page and add a section for this JAX"
    )
    options = parser.parse_args()
    frame = pd.DataFrame([row for seed in range(options.seeds) for row in one_seed(seed)])
    command = f"python benchmarks/iris_seeds.py --seeds {options.seeds}"
    run = f"`{command}`; {machine(('keras', 'jax', 'ydf', 'scikit-learn'))}."
    if options.append:
        begin = (RESULTS / NAME).read_text().rstrip() + f"\n\n## With JAX {version('jax')}"
        run = run.replace(command, f"{command} --append")
    else:
        begin = f"# The post's forest over {options.seeds} seeds"
        run += " The post prints 0.870 for PCA and 0.949 for its embedding, from one seed."
    text = "\n\n".join([begin, run, accuracies(frame), gaps(frame)])
    write(NAME, text, wanted=not options.no_write)


if __name__ == "__main__":
    main()
