"""What a parametric t-SNE refuses, and what it decides where the user left it open."""

import math

import numpy as np

from narrows.embedders._parameters import (
    check_integer,
    check_keep,
    check_learning_rate,
    check_noise,
    check_option,
    check_real,
    check_seed,
    check_widths,
    fail,
    unused,
)

DEGREES = ("one", "dimension", "learned")
EARLY = 2 / 15  # the share of the epochs with exaggeration
_OF_BATCHES = ("perplexity", "degrees_of_freedom")
_OF_THE_MAP = ("neighbours", "map_steps")
_OF_LANDMARKS = ("landmarks", "sharpness")
_EXAGGERATION = {"map": 12.0, "batches": 1.0}
_BATCH = {"map": 500, "batches": 2500}
_EPOCHS = {"map": 5, "batches": 30}  # at least
_STEPS = {"map": 200, "batches": 300}  # at least
_SMALL_BATCH = 500  # without a map, so that few rows make several steps an epoch


def _kind(embedder) -> str:
    return "batches" if embedder.targets is None else "map"


def batch_size_of(embedder, n_rows: int) -> int:
    """Return the rows in one step: as given, or 500 with a map; else a quarter, 500 to 2500."""
    if embedder.batch_size is not None:
        return int(embedder.batch_size)
    kind = _kind(embedder)
    wanted = _BATCH[kind]
    if kind == "batches":
        wanted = min(wanted, max(n_rows // 4, _SMALL_BATCH))
    return min(wanted, n_rows)


def epochs_of(embedder, n_rows: int) -> int:
    """Return the passes over the rows: as given, or enough for a number of steps."""
    if embedder.epochs is not None:
        return int(embedder.epochs)
    kind = _kind(embedder)
    steps = math.ceil(n_rows / batch_size_of(embedder, n_rows))
    return max(_EPOCHS[kind], math.ceil(_STEPS[kind] / steps))


def exaggeration_of(embedder) -> float:
    """Return the factor of the affinities at the start: as given, or 12 with a map, 1 without."""
    given = embedder.exaggeration
    return float(_EXAGGERATION[_kind(embedder)] if given is None else given)


def check_parameters(embedder) -> None:
    """Raise InvalidParameterError for a parameter that is not of its kind or out of its range."""
    for name in ("bottleneck", "neighbours", "map_steps", "landmarks", "restarts"):
        check_integer(embedder, name, least=1)
    for name in ("epochs", "batch_size"):
        check_integer(embedder, name, least=1, optional=True)
    check_integer(embedder, "patience", least=0, optional=True)
    check_real(embedder, "validation_fraction", low=0, high=1)
    check_learning_rate(embedder)
    check_real(embedder, "sharpness", low=0, open_low=True)
    check_real(embedder, "perplexity", low=1)
    check_real(embedder, "reconstruction_weight", low=0)
    if embedder.exaggeration is not None:
        check_real(embedder, "exaggeration", low=1)
    check_option(embedder, "degrees_of_freedom", DEGREES)
    check_noise(embedder, "noise")
    check_seed(embedder, "random_state")
    if not isinstance(embedder.reshuffle, bool | np.bool_):
        fail(embedder, "reshuffle", "a bool", embedder.reshuffle)
    check_widths(embedder, "encoder")
    if embedder.decoder is not None:
        check_widths(embedder, "decoder")
    check_keep(embedder)
    _check_targets(embedder)
    _check_metrics(embedder)


def without_effect(embedder) -> list[str]:
    """Return a sentence for the parameters that the targets make no use of."""
    if embedder.targets is None:
        return unused(embedder, (*_OF_THE_MAP, *_OF_LANDMARKS), "with targets=None")
    if isinstance(embedder.targets, str):
        return unused(embedder, _OF_BATCHES, "with targets='map'")
    names = (*_OF_THE_MAP, "exaggeration", *_OF_BATCHES)
    return unused(embedder, names, "with places as targets")


def _check_targets(embedder) -> None:
    targets = embedder.targets
    wanted = f"'map', None, or an array of shape (n_rows, {embedder.bottleneck})"
    if targets is None or (isinstance(targets, str) and targets == "map"):
        return
    if isinstance(targets, str):
        fail(embedder, "targets", wanted, targets)
    try:
        places = np.asarray(targets, np.float32)
    except (TypeError, ValueError):
        fail(embedder, "targets", wanted, type(targets).__name__)
    if places.ndim != 2 or places.shape[1] != embedder.bottleneck:
        fail(embedder, "targets", wanted, f"an array of shape {places.shape}")
    if not np.isfinite(places).all():
        fail(embedder, "targets", "free of NaN and infinity", "an array with some")


def _check_metrics(embedder) -> None:
    """Metrics are of rows and reconstructions, which only a decoder makes."""
    without = embedder.reconstruction_weight == 0 or embedder.targets is not None
    if without and len(embedder.metrics):
        fail(
            embedder, "metrics", "empty, but for targets=None with a reconstruction_weight",
            embedder.metrics, "They compare rows and reconstructions.",
        )  # fmt: skip


def check_rows(embedder, X: np.ndarray, validation_data) -> None:
    """Raise ValueError for rows that do not go with the parameters."""
    from narrows.objectives import check_perplexity

    owner = type(embedder).__name__
    if embedder.targets is None:
        held = min(batch_size_of(embedder, len(X)), len(X))
        check_perplexity(embedder.perplexity, held, owner)
        return
    if validation_data is not None:
        raise ValueError(
            f"'validation_data' of {owner}.fit must be None with a map, on which only the rows of "
            "X have a place. Got rows instead. Use validation_fraction."
        )
    if not isinstance(embedder.targets, str) and len(embedder.targets) != len(X):
        raise ValueError(
            f"The 'targets' parameter of {owner} must have a place for each of the {len(X):,} rows "
            f"of X. Got {len(embedder.targets):,} instead."
        )


def check_weights(embedder, sample_weight, networks) -> None:
    """Raise ValueError for weights that no term of the objective would see."""
    if sample_weight is not None and embedder.targets is None and networks.decoder is None:
        raise ValueError(
            f"'sample_weight' of {type(embedder).__name__}.fit must be None with targets=None and "
            "no decoder: the divergence is one number for a batch and has no weights of rows. Got "
            "weights instead. Leave them out, or set reconstruction_weight."
        )


def check_epochs(embedder, method: str, epochs) -> None:
    """Raise ValueError for a number of epochs of `fit_decoder` or `fine_tune`."""
    integer = isinstance(epochs, int | np.integer) and not isinstance(epochs, bool)
    if not integer or epochs < 1:
        raise ValueError(
            f"The 'epochs' parameter of {type(embedder).__name__}.{method} must be an int in the "
            f"range [1, inf). Got {epochs!r} instead."
        )
