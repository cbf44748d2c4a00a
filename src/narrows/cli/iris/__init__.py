"""``narrows iris``: the blog post, end to end, and what it left out."""

from narrows.cli.iris._command import iris

__all__ = ["iris"]
