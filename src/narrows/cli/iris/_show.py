"""What ``narrows iris`` prints, step by step, in the post's order."""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd
from rich.console import Console

import narrows
from narrows.cli._comparison_view import show_comparison
from narrows.cli._stdout import PatientStdout
from narrows.cli.iris._compute import Data, Embeddings
from narrows.cli.iris._files import RoundTrip
from narrows.comparison import CaretForest, Comparison

Say = Callable[..., None]


def console(stdout: PatientStdout, *, silent: bool) -> Console:
    """Return where everything is printed: stdout, or nowhere."""
    return Console(file=cast(IO[str], stdout), highlight=False, soft_wrap=True, quiet=silent)


def _text(frame: pd.DataFrame, decimals: int = 4) -> str:
    return frame.to_string(index=False, float_format=f"{{:.{decimals}f}}".format)


def data(say: Say, found: Data) -> None:
    """Print the split."""
    say("Step 1 - load and prepare the data\n")
    say(found.table.head().to_string())
    counts = pd.DataFrame(
        {"train": found.species.value_counts(), "test": found.test_species.value_counts()}
    )
    say(f"\n{len(found.train)} training rows, {len(found.test)} test rows, split by species:")
    say(counts.sort_index().to_string())


def network(say: Say, model: narrows.Autoencoder) -> None:
    """Print the layer table."""
    say("\nSteps 2 and 3 - define, compile and train the autoencoder\n")
    say(model.summary())


def history(say: Say, model: narrows.Autoencoder) -> None:
    """Print the losses of a few epochs."""
    frame = model.history_.drop(columns="restart")
    last = len(frame)
    shown = sorted({0, *(round(last * part) - 1 for part in (0.25, 0.5, 0.75, 1.0))} - {-1})
    say("\nTraining onto itself, validated on the test rows:")
    say(_text(frame.iloc[shown]))


def reconstruction(say: Say, found: Data, model: narrows.Autoencoder) -> None:
    """Print the first rows beside their reconstruction, and the error of both sets."""
    rebuilt = pd.DataFrame(model.reconstruct(found.train), columns=found.train.columns)
    say("\nReconstruction of the first training rows, and the rows themselves:")
    say(_text(rebuilt.head(3), 2))
    say(_text(found.train.head(3), 2))
    say(
        f"Mean squared error: {-model.score(found.train):.4f} on training rows, "
        f"{-model.score(found.test):.4f} on test rows"
    )


def weights(say: Say, model: narrows.Autoencoder) -> None:
    """Print the weight arrays, with what R calls each."""
    table = model.weights()
    say(f"\nStep 4 - extract the weights: {len(table)} arrays\n")
    kinds = table["rank"].map({1: "array", 2: "matrix"})
    say(table.drop(columns="trainable").assign(R=kinds).to_string(index=False))


def round_trip(say: Say, loaded: RoundTrip) -> None:
    """Print what was loaded by name and how far the two embeddings are apart."""
    say(f"\nStep 5 - load {loaded.path} by layer name into an encoder-only model\n")
    say(str(loaded.report))
    say(
        "Largest difference between its embedding and the autoencoder's own bottleneck: "
        f"{loaded.difference:.2g}"
    )


def embeddings(say: Say, found: Embeddings) -> None:
    """Print the first rows of both embeddings."""
    say("\nThe encoder's embedding of the first training rows:")
    say(_text(pd.DataFrame(found.autoencoder, columns=["[,1]", "[,2]"]).head(6), 6))
    say("\nPCA of the standardized columns, as caret's preProcess:")
    say(_text(pd.DataFrame(found.pca, columns=["PC1", "PC2"]).head(6), 6))


def forests(say: Say, found: dict[str, CaretForest]) -> None:
    """Print the two forests as caret prints them."""
    say("\nMeasure prediction accuracy, the post's way: fitted once, judged on training rows\n")
    for name, forest in found.items():
        say(f'"{name}"')
        say(f"{forest}\n")


def comparison(where: Console, found: Comparison) -> None:
    """Print the verdicts and the table."""
    where.print("The same, refitted in every fold: both embeddings under both preprocessings\n")
    show_comparison(found, where)


def result(folder: Path, results: Any, paths: list[Path]) -> dict[str, Any]:
    """Return what ``--json`` prints: the numbers that the text ends in, and the files."""
    last = results.model.history_.iloc[-1].to_dict()
    forests = {
        name: {"accuracy": forest.accuracy_mean, "kappa": forest.kappa_mean}
        for name, forest in results.forests.items()
    }
    return {
        "out": str(folder),
        "rows": {"train": len(results.data.train), "test": len(results.data.test)},
        "history": {name: value for name, value in last.items() if name != "restart"},
        "largest_difference_after_loading": results.loaded.difference,
        "forests": forests,
        "sentences": results.comparison.sentences(),
        "verdicts": results.comparison.verdicts().to_dict("records"),
        "files": sorted(str(path.relative_to(folder)) for path in paths),
    }


def files(say: Say, folder: Path, paths: list[Path]) -> None:
    """Print what was written."""
    say(f"\nWritten to {folder}:")
    say("  " + "\n  ".join(str(path.relative_to(folder)) for path in sorted(paths)))
