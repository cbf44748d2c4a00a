"""Tables larger than memory: Parquet and Arrow, some rows at a time."""

from narrows.scale._batches import TableBatches
from narrows.scale._writing import TableWriter

__all__ = ["TableBatches", "TableWriter"]
