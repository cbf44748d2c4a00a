"""From a table to a matrix: small data sets and splits."""

from narrows.data._iris import iris
from narrows.data._partition import partition

__all__ = ["iris", "partition"]
