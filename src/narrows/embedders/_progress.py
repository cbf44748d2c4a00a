"""A progress bar on stderr for a fit."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(trainings: int, epochs: int) -> Iterator[Callable[[float, float], None]]:
    """Show a bar while the block runs; yield the function that moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    what = "training" if trainings == 1 else f"training {trainings} times"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} epochs"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=trainings * epochs)
        yield lambda done, wanted: progress.update(task, completed=done, total=wanted)
