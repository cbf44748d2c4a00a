"""The bar that a verbose comparison shows on stderr."""

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(
    text: str = "comparing, refitted in every resample",
) -> Iterator[Callable[[float, float], object]]:
    """Show a bar while the block runs; yields what to call with (done, total).

    Parameters
    ----------
    text : str
        What stands before the bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
