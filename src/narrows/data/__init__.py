"""From a table to a matrix: small data sets and splits."""

from narrows.data._iris import iris
from narrows.data._matrix import Matrix, check_columns, to_matrix
from narrows.data._partition import partition
from narrows.data.preprocessing._preprocessor import TablePreprocessor
from narrows.data.reading._read import read_table

__all__ = [
    "Matrix",
    "TablePreprocessor",
    "check_columns",
    "iris",
    "partition",
    "read_table",
    "to_matrix",
]
