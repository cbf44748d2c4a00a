"""Small data sets, ready to use: ``narrows.datasets.iris()``."""

from narrows.data import iris

__all__ = ["iris"]
