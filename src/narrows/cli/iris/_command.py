"""The command: options, order of the steps, and where each result goes."""

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from narrows._checks import LARGEST_SEED
from narrows._progress import progress_bar
from narrows.cli._errors import interruption, output_folder
from narrows.cli._options import AsJson, Quiet, shows_progress
from narrows.cli._results import print_json, printing
from narrows.cli._stdout import PatientStdout, printable_name

DEFAULT_FOLDER = Path("narrows-iris")


def iris(
    out: Annotated[
        Path, typer.Option(help="Folder for the report and its files.")
    ] = DEFAULT_FOLDER,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Decides split, training and resamples.")
    ] = 1,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training rows.")] = 100,
    seeds: Annotated[
        int, typer.Option(min=1, help="Trainings in each resample of the comparison.")
    ] = 10,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run the post "Let's play with autoencoders" on iris, and then compare honestly.

    Prints what the post prints, in its order; writes report.html, the figures (PNG and SVG), the
    weights by layer name (HDF5), the embedding and the scores (CSV), the comparison (JSON) and the
    models (.keras).

    Example: narrows iris

    Example: narrows iris --out iris-report --seed 2 --json
    """
    folder = output_folder(out)
    output_folder(folder / "figures")
    with interruption(lambda: f"what {str(folder)!r} has so far stays."):
        _run(folder, out, seed, epochs, seeds, quiet, as_json)


def _run(
    folder: Path, out: Path, seed: int, epochs: int, seeds: int, quiet: bool, as_json: bool
) -> None:
    # Imported here, so that a mistyped option or folder is answered at once.
    from narrows.cli.iris import _compute, _files, _page, _show

    stdout = PatientStdout()
    console = _show.console(stdout, silent=as_json)
    say = console.print
    data = _compute.load(seed)
    _show.data(say, data)
    model = _compute.train(data, seed, epochs, int(shows_progress(quiet)))
    _show.network(say, model)
    _show.history(say, model)
    _show.reconstruction(say, data, model)
    _show.weights(say, model)
    loaded = _files.weights_round_trip(folder, data, model)
    _show.round_trip(say, loaded)
    embeddings = _compute.embeddings(data, loaded.embedding)
    _show.embeddings(say, embeddings)
    forests = _compute.post_forests(data, embeddings, seed)
    _show.forests(say, forests)
    with _progress(quiet) as on_progress:
        comparison = _compute.compared(data, seed, epochs, seeds, on_progress)
    _show.comparison(console, comparison)
    figures = _files.figures(folder, data, model, embeddings, comparison)
    results = _page.Results(data, model, loaded, embeddings, forests, comparison, figures)
    written = _files.tables_and_models(folder, results)
    written.append(
        _page.write(folder, results, _command_line(out, seed, epochs, seeds), seed, epochs)
    )
    files = [*figures.paths(), *written]
    _show.files(say, folder, files)
    with printing():
        stdout.finish()
    if as_json:
        print_json(_show.result(folder, results, files))


def _progress(quiet: bool) -> Any:
    """Yield what moves a bar, or None where none is wanted."""
    return (
        progress_bar("comparing, refitted in every resample")
        if shows_progress(quiet)
        else contextlib.nullcontext()
    )


def _command_line(out: Path, seed: int, epochs: int, seeds: int) -> str:
    """The exact command, with defaults filled in, that makes the same numbers again."""
    name = Path(sys.argv[0]).name if sys.argv and "narrows" in sys.argv[0] else "narrows"
    settings = f"--seed {seed} --epochs {epochs} --seeds {seeds}"
    return printable_name(f"{name} iris --out {shlex.quote(str(out))} {settings}")
