"""Graphs, an objective and a matrix in; trained weights and histories out.

Importing this package imports Keras and JAX, so the estimators do it when they fit.
"""

from narrows.training._buckets import bucket, pad_rows
from narrows.training._engine import engine
from narrows.training._forward import forward
from narrows.training._guard import answers, differing, verify
from narrows.training._result import Training
from narrows.training._train import train
from narrows.training.compiling._program import Recipe, forget_programs, initial_weights
from narrows.training.looping._noise import Noise
from narrows.training.looping._optimizer import lost_settings
from narrows.training.looping._settings import SCHEDULES
from narrows.training.looping._step import Frame

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "Noise",
    "Recipe",
    "Training",
    "answers",
    "differing",
    "forget_programs",
    "forward",
    "initial_weights",
    "train",
    "verify",
]
