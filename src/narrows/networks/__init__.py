"""Widths or functions in; encoder and decoder graphs out. Importing this imports Keras."""

from narrows.networks._build import Networks, build_networks, join_networks
from narrows.networks._post import post_decoder, post_encoder
from narrows.networks._summary import (
    layer_table,
    parameter_counts,
    summary_text,
    weight_table,
)

__all__ = [
    "Networks",
    "build_networks",
    "join_networks",
    "layer_table",
    "parameter_counts",
    "post_decoder",
    "post_encoder",
    "summary_text",
    "weight_table",
]
