"""How good an embedding is, without a downstream model."""

from narrows.quality._accuracy import neighbour_accuracy
from narrows.quality._preservation import continuity, neighbour_agreement, trustworthiness
from narrows.quality._quality import Quality, embedding_quality

__all__ = [
    "Quality",
    "continuity",
    "embedding_quality",
    "neighbour_accuracy",
    "neighbour_agreement",
    "trustworthiness",
]
