"""The ``narrows`` command: one file or folder a subcommand."""

from narrows.cli._main import main

__all__ = ["main"]
