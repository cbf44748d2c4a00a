"""How good an embedding is, without a downstream model, and how many components data needs."""

from narrows.quality._accuracy import neighbour_accuracy
from narrows.quality._dimension import IntrinsicDimension, intrinsic_dimension
from narrows.quality._preservation import continuity, neighbour_agreement, trustworthiness
from narrows.quality._quality import Quality, embedding_quality

__all__ = [
    "IntrinsicDimension",
    "Quality",
    "continuity",
    "embedding_quality",
    "intrinsic_dimension",
    "neighbour_accuracy",
    "neighbour_agreement",
    "trustworthiness",
]
