"""Fashion-MNIST in two dimensions: PCA, autoencoder, parametric t-SNE, openTSNE and UMAP.

Run: ``python benchmarks/embeddings.py``, a small one with ``--rows 2000 --no-write``. The images
(60,000 to learn from, 10,000 to test) come from Debian's package dataset-fashion-mnist, or from any
folder with its four files (``--data``). Contestants run in turn in one process; openTSNE and
umap-learn are left out if they are not installed. Seconds are of first calls: what is compiled is
within them, and nothing comes from a disk cache. Classes are used to judge only.
"""

import os

os.environ["NARROWS_CACHE"] = "off"

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from _common import arguments, installed, machine, table, write

import narrows
from narrows import quality

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
NOTEBOOK = (500, 500, 2000)
NEIGHBOURS = 12
MEASURES = ("fit_seconds", "new_seconds", "one", "five", "trust")

# Test accuracy of the 1 and the 5 nearest neighbours among Fashion-MNIST's training images in two
# dimensions, as the authors of parametric UMAP measured it: Sainburg, McInnes and Gentner (2021),
# Parametric UMAP embeddings for representation and semisupervised learning, Neural Computation 33,
# doi:10.1162/neco_a_01434. Both tables stand in their notebook, row FMNIST, 2 dimensions.
NOTEBOOK_OF_TABLES = (
    "https://github.com/timsainb/ParametricUMAP_paper/blob/master/notebooks/dataset-projections/"
    "knn-classifier/table-knn-results.ipynb"
)
PUBLISHED = {
    "PCA": (0.4467, 0.5055),
    "variational autoencoder": (0.6646, 0.7161),
    "autoencoder": (0.6816, 0.7339),
    "parametric t-SNE": (0.6834, 0.7361),
    "parametric UMAP": (0.6941, 0.7407),
    "UMAP/AE: parametric UMAP and autoencoder": (0.7083, 0.7561),
    "UMAP": (0.7144, 0.7608),
    "t-SNE": (0.7825, 0.8039),
}


@dataclass(frozen=True)
class Images:
    """Rows of 784 pixels from 0 to 1, float32, and their classes."""

    train: np.ndarray
    y_train: np.ndarray
    test: np.ndarray
    y_test: np.ndarray


@dataclass(frozen=True)
class Places:
    """One embedding: places of both parts, and the seconds to learn it and to place the test."""

    name: str
    train: np.ndarray
    test: np.ndarray
    fit_seconds: float
    new_seconds: float


def idx(path: Path) -> np.ndarray:
    """Read a gzipped file of unsigned bytes in the idx format.

    Two zero bytes, the type (8 for unsigned bytes), the number of dimensions, each dimension's
    length as a big-endian int32, then the values.
    """
    raw = gzip.decompress(path.read_bytes())
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise SystemExit(f"{path} is not an idx file of unsigned bytes.")
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def images(folder: Path, rows: int) -> Images:
    """Return the first so many training images, and a sixth as many test images."""

    def part(name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
        X = idx(folder / f"{name}-images-idx3-ubyte.gz")[:count]
        y = idx(folder / f"{name}-labels-idx1-ubyte.gz")[:count]
        return X.reshape(len(X), -1).astype(np.float32) / 255, y

    if not (folder / "train-images-idx3-ubyte.gz").exists():
        raise SystemExit(
            f"No Fashion-MNIST in {folder}. Install Debian's dataset-fashion-mnist, or give --data "
            "a folder with train-images-idx3-ubyte.gz and the other three files."
        )
    return Images(*part("train", rows), *part("t10k", -(-rows // 6)))


def timed(run: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Return what a call returns, and its seconds."""
    began = time.perf_counter()
    found = run()
    return found, time.perf_counter() - began


def by_network(name: str, embedder, data: Images) -> Places:
    """Fit one of narrows' embedders; all places are its `transform`'s."""
    _, fit = timed(lambda: embedder.fit(data.train))
    test, new = timed(lambda: embedder.transform(data.test))
    return Places(name, embedder.transform(data.train), test, fit, new)


def pca(data: Images, options, seed: int) -> Iterator[Places]:
    """Embed by the first two principal components."""
    yield by_network("PCA", narrows.PCA(2), data)


def autoencoder(data: Images, options, seed: int) -> Iterator[Places]:
    """Embed by the notebook's network and its mirror."""
    embedder = narrows.Autoencoder(
        encoder=NOTEBOOK, epochs=options.epochs, batch_size=256, random_state=seed
    )
    yield by_network(f"autoencoder, {options.epochs} epochs", embedder, data)


def parametric(data: Images, options, seed: int) -> Iterator[Places]:
    """Embed by the encoder of a t-SNE map; then refine the test rows' places."""
    embedder = narrows.TSNEMapEncoder(random_state=seed)
    plain = by_network("TSNEMapEncoder", embedder, data)
    yield plain
    test, new = timed(lambda: embedder.transform(data.test, refine=True))
    name = "TSNEMapEncoder, refine=True"
    yield Places(name, embedder.embedding_, test, plain.fit_seconds, new)


def batches(data: Images, options, seed: int) -> Iterator[Places]:
    """Embed by a parametric t-SNE with affinities within batches, and the notebook's network."""
    embedder = narrows.ParametricTSNE(encoder=NOTEBOOK, random_state=seed)
    yield by_network("ParametricTSNE", embedder, data)


def opentsne(data: Images, options, seed: int) -> Iterator[Places]:
    """Embed by openTSNE, from 50 principal components; nothing but the seed is set."""
    from openTSNE import TSNE
    from sklearn.decomposition import PCA

    reduce = PCA(50, random_state=seed)
    learn = TSNE(n_jobs=joblib.cpu_count(), random_state=seed).fit
    embedding, fit = timed(lambda: learn(reduce.fit_transform(data.train)))
    test, new = timed(lambda: embedding.transform(reduce.transform(data.test)))
    # Only now: its `transform` moves the embedding of the training rows.
    yield Places("openTSNE, PCA to 50 first", np.array(embedding), np.array(test), fit, new)


def umap(data: Images, options, seed: int) -> Iterator[Places]:
    """Embed by umap-learn's defaults; unseeded, as a seed would leave it one core."""
    from umap import UMAP

    embedder = UMAP(n_jobs=joblib.cpu_count())
    train, fit = timed(lambda: embedder.fit_transform(data.train))
    test, new = timed(lambda: embedder.transform(data.test))
    yield Places("umap-learn", train, test, fit, new)


CONTESTANTS = {
    "pca": pca,
    "autoencoder": autoencoder,
    "parametric": parametric,
    "batches": batches,
    "opentsne": opentsne,
    "umap": umap,
}
PACKAGES = {"opentsne": "openTSNE", "umap": "umap-learn"}


def left_out(chosen: list[str]) -> list[str]:
    """Return those of the contestants whose package is not installed."""
    return [name for name in chosen if name in PACKAGES and not installed(PACKAGES[name])]


def judged(places: Places, data: Images, trust_rows: int) -> dict:
    """Return an embedding's measures."""
    one, five = (
        quality.neighbour_accuracy(places.train, data.y_train, places.test, data.y_test, k)
        for k in (1, 5)
    )
    some = slice(trust_rows)
    trust = quality.trustworthiness(data.test[some], places.test[some], NEIGHBOURS)
    seconds = (places.fit_seconds, places.new_seconds)
    return {"name": places.name, **dict(zip(MEASURES, (*seconds, one, five, trust), strict=True))}


def one_round(chosen: list[str], data: Images, options, seed: int) -> Iterator[dict]:
    """Run every contestant once."""
    for name in chosen:
        for places in CONTESTANTS[name](data, options, seed):
            found = judged(places, data, options.trust_rows)
            numbers = ", ".join(f"{measure} {found[measure]:.4g}" for measure in MEASURES)
            print(f"  seed {seed}, {places.name}: {numbers}", flush=True)
            yield found


def main() -> None:
    """Run the contestants and write the tables."""
    parser = arguments(__doc__)
    parser.set_defaults(repeats=1)
    parser.add_argument("--rows", type=int, default=60_000, help="training images")
    parser.add_argument("--data", type=Path, default=DEBIAN, help="folder of the four files")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--epochs", type=int, default=20, help="of the autoencoder")
    parser.add_argument(
        "--trust-rows", type=int, default=10_000, help="test rows for trustworthiness, the first"
    )
    options = parser.parse_args()
    data = images(options.data, options.rows)
    gone = left_out(options.only)
    if gone:
        print(f"Left out, as not installed: {', '.join(PACKAGES[name] for name in gone)}.")
    chosen = [name for name in options.only if name not in gone]
    found = [
        row for seed in range(options.repeats) for row in one_round(chosen, data, options, seed)
    ]
    write("embeddings.md", report(found, data, options), wanted=not options.no_write)


def report(found: list[dict], data: Images, options) -> str:
    """Return what is written: what was run, what it gave, and what was published."""
    n_train, n_test = len(data.train), len(data.test)
    rounds = pd.DataFrame(found).groupby("name", sort=False)[list(MEASURES)].median()
    rows = [
        [name, f"{fit:.1f}", f"{new:.2f}", f"{one:.4f}", f"{five:.4f}", f"{trust:.4f}"]
        for name, fit, new, one, five, trust in rounds.itertuples()
    ]
    head = [
        "embedding", "fit, s", f"{n_test:,} new rows, s", "1-NN", "5-NN", f"trust {NEIGHBOURS}",
    ]  # fmt: skip
    packages = ("keras", "jax", "scikit-learn", "openTSNE", "umap-learn")
    command = f"--rows {options.rows} --repeats {options.repeats} --epochs {options.epochs}"
    if options.only != list(CONTESTANTS):
        command += f" --only {' '.join(options.only)}"
    seeds = "seed 0" if options.repeats == 1 else f"medians over {options.repeats} seeds"
    run = (
        f"`python benchmarks/embeddings.py {command}`; {machine(packages)}. {n_train:,} images to "
        f"learn from, {n_test:,} to test; {seeds}."
    )
    meaning = (
        "1-NN and 5-NN: accuracy on the test images of their nearest training images in the plane. "
        "Those stand where the network puts them, with refine=True on the map. Trustworthiness at "
        f"{NEIGHBOURS} neighbours is among the first {min(options.trust_rows, n_test):,} test "
        "images. Seconds include compiling (with the first seed) and, for openTSNE, its PCA."
    )
    title = "# Fashion-MNIST in two dimensions"
    return "\n\n".join([title, run, meaning, table(head, rows), *published()])


def published() -> tuple[str, str]:
    """Return what others measured: where it is from, and the table."""
    source = (
        "Published test accuracy in two dimensions (Sainburg, McInnes and Gentner 2021, "
        "doi:10.1162/neco_a_01434), from the authors' networks and settings; both columns as "
        f"[their notebook]({NOTEBOOK_OF_TABLES}) prints them. They learned from 50,000 of the "
        "60,000 images and kept 10,000 for validation."
    )
    rows = [[name, f"{one:.4f}", f"{five:.4f}"] for name, (one, five) in PUBLISHED.items()]
    return source, table(["embedding", "1-NN", "5-NN"], rows)


if __name__ == "__main__":
    main()
