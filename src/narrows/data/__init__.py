"""From a table to a matrix: small data sets and splits."""

from narrows.data._columns import Column, columns_of, pandas_column
from narrows.data._containers import (
    as_frame,
    as_numpy_takes,
    check_size,
    names_of,
    positional,
)
from narrows.data._from_r import is_na
from narrows.data._iris import iris
from narrows.data._labels import (
    CLASSIFICATION,
    PREDICTED,
    REGRESSION,
    TASKS,
    Labels,
    check_shared,
    label_kind,
    labels_of,
    series_of,
    task_of,
)
from narrows.data._matrix import Matrix, check_columns, to_matrix
from narrows.data._partition import partition, thinned
from narrows.data._precision import coarse, coarse_message, shift_of, shifted
from narrows.data._row_names import numbers_that_name_rows, row_names_message, shown
from narrows.data._table import DataTable, table_of
from narrows.data.preprocessing._encodings import (
    DAY,
    OTHER,
    Encoding,
    Flag,
    Levels,
    Number,
    date_limits,
)
from narrows.data.preprocessing._learning import check_usable
from narrows.data.preprocessing._preprocessor import TablePreprocessor
from narrows.data.reading._arrow import ARROW, PARQUET, arrow_names, as_pandas, opened_arrow
from narrows.data.reading._form import GAPS, Form
from narrows.data.reading._read import read_table
from narrows.data.reading._text import header_of, read_cells

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "Matrix",
    "TablePreprocessor",
    "check_columns",
    "iris",
    "partition",
    "read_table",
    "to_matrix",
]
