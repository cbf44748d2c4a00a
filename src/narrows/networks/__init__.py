"""Widths or functions in; encoder and decoder graphs out. Importing this imports Keras."""

from narrows.networks._build import (
    Networks,
    build_linear,
    build_networks,
    build_variational,
    join_networks,
)
from narrows.networks._convolutional import convolutional
from narrows.networks._post import post_decoder, post_encoder
from narrows.networks._summary import (
    layer_table,
    parameter_counts,
    summary_text,
    weight_table,
)
from narrows.networks._transposed import Transposed
from narrows.networks._variational import joined_posterior

__all__ = [
    "Networks",
    "Transposed",
    "build_linear",
    "build_networks",
    "build_variational",
    "convolutional",
    "join_networks",
    "joined_posterior",
    "layer_table",
    "parameter_counts",
    "post_decoder",
    "post_encoder",
    "summary_text",
    "weight_table",
]
