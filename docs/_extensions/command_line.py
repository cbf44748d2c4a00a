"""The reference of the command line, written from the commands' own help when the site is built."""

import re
import subprocess
import sys
from pathlib import Path

TARGET = Path("_generated", "commands.md")
TYPER = ("-m", "typer", "narrows.cli._main", "utils", "docs", "--name", "narrows")
# Typer leaves "Example: narrows fit …" in a paragraph; a page shows it as a command.
EXAMPLE = re.compile(r"^Example: (narrows .+)$", re.M)


def reference() -> str:
    """Return the help of every command as Markdown, one heading each."""
    done = subprocess.run(
        [sys.executable, *TYPER], capture_output=True, encoding="utf-8", check=True
    )
    commands = done.stdout.split("\n## ", 1)[1]
    return EXAMPLE.sub(r"```console\n$ \1\n```", "## " + commands)


def _write(app) -> None:
    target = Path(app.srcdir) / TARGET
    target.parent.mkdir(exist_ok=True)
    text = reference()
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


def setup(app) -> dict:
    """Write the page's text before any page is read."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
