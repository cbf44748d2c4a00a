"""Progress bars on stderr."""

import contextlib
from collections.abc import Callable, Iterator

Progress = Callable[[float, float], None]


@contextlib.contextmanager
def progress_bar(text: str, unit: str = "", total: float | None = None) -> Iterator[Progress]:
    """Show a bar while the block runs; yield what to call with (done, total)."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Counted(ProgressColumn):
        def render(self, task: Task) -> Text:
            of = "" if task.total is None else f"/{task.total:,.0f}"
            return Text(f"{task.completed:,.0f}{of} {unit}", style="progress.percentage")

    counted = Counted() if unit else TaskProgressColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counted, TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(text, total=total)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
