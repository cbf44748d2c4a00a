"""Widths or functions in; encoder and decoder graphs out. Importing this imports Keras."""

from narrows.networks._agreement import TOLERANCE, apart, close, computes_as, made_up_rows, size
from narrows.networks._build import (
    Networks,
    build_linear,
    build_networks,
    build_variational,
    join_networks,
)
from narrows.networks._convolutional import convolutional
from narrows.networks._copying import (
    arguments_of,
    carry_attributes,
    clone_model,
    foreign_pieces,
    is_adapted,
    is_described,
    is_own,
    is_told,
    set_arguments,
    settings,
)
from narrows.networks._digest import digest
from narrows.networks._initializers import (
    Start,
    deferred_initializers,
    initializers_of,
    uncompiled_zeros,
)
from narrows.networks._landmarks import HEAD, PLACES, as_landmarks, body_of, build_landmarks
from narrows.networks._post import post_decoder, post_encoder
from narrows.networks._residual import CURVED, LINEAR, build_residual
from narrows.networks._summary import (
    layer_table,
    parameter_counts,
    summary_text,
    weight_table,
)
from narrows.networks._transposed import Transposed, ties_follow
from narrows.networks._variational import Sampling, joined_posterior

# The public names; what else is imported above is for the house's other packages.
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
