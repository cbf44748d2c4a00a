"""Statistics of a comparison: intervals, decisions, tables."""
