"""What a training minimises: functions of arrays, with their formulas and sources.

An objective sees a batch and returns named terms; `Sum` adds several up. The other functions are
what t-SNE is made of. Importing this imports Keras and JAX.
"""

from narrows.objectives._affinities import (
    check_perplexity,
    conditional_affinities,
    joint_affinities,
    largest_perplexity,
    squared_differences,
)
from narrows.objectives._code import Contraction, Sparsity, TargetSparsity
from narrows.objectives._label import BIAS, KERNEL, Labelled, LabelLoss, LabelPrediction
from narrows.objectives._objective import Batch, Losses, Objective, PerRow
from narrows.objectives._parametric import BatchDivergence, LandmarkEntropy, TargetReconstruction
from narrows.objectives._reconstruction import Reconstruction
from narrows.objectives._sum import Sum, Weighted
from narrows.objectives._tsne import degrees_of_freedom, kl_divergence
from narrows.objectives._variational import GaussianDivergence, LogLikelihood

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "Batch",
    "BatchDivergence",
    "Contraction",
    "GaussianDivergence",
    "LabelPrediction",
    "Labelled",
    "LandmarkEntropy",
    "LogLikelihood",
    "Losses",
    "Objective",
    "PerRow",
    "Reconstruction",
    "Sparsity",
    "Sum",
    "TargetSparsity",
    "Weighted",
    "conditional_affinities",
    "degrees_of_freedom",
    "joint_affinities",
    "kl_divergence",
    "largest_perplexity",
]
