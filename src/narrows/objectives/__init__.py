"""What a training minimises: pure functions of arrays, with their formulas and sources."""

from narrows.objectives._reconstruction import Reconstruction

__all__ = ["Reconstruction"]
