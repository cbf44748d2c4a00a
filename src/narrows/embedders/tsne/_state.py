"""What a fitted parametric t-SNE keeps beside its networks, and how that goes into a file."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from narrows.embedders.tsne._landmarks import Landmarks

_LEARNED = (
    "decoder_", "autoencoder_", "embedding_", "landmarks_", "degrees_of_freedom_",
    "decoder_history_", "fine_tuning_history_", "_reference", "_radius",
)  # fmt: skip
_HISTORIES = ("decoder_history_", "fine_tuning_history_")
_NUMBERS = ("degrees_of_freedom_", "_radius")
_PARTS = ("mean", "components", "rows")


def forget(embedder) -> None:
    """Drop what an earlier fit left that this one may not."""
    for name in _LEARNED:
        if hasattr(embedder, name):
            delattr(embedder, name)


def keep(embedder, prepared, training) -> None:
    """Keep the map, what refining needs, and what the objective learned.

    Parameters
    ----------
    embedder : ParametricTSNE
    prepared : narrows.embedders.tsne._training.Prepared or None
    training : narrows.training.Training
    """
    term, history = "kl" if prepared is None else "landmarks", embedder.history_
    for prefix in ("val_", ""):
        # A loss of one term stands under the term's own name too.
        if term not in history and f"{prefix}loss" in history:
            place = history.columns.get_loc(f"{prefix}loss") + 1
            history.insert(place, f"{prefix}{term}", history[f"{prefix}loss"])
    learned = training.parameters.get("log_degrees_of_freedom")
    if learned is not None:
        lane = list(training.lanes).index(embedder.restarts_.best)
        embedder.degrees_of_freedom_ = float(np.exp(learned[lane]))
    if prepared is not None:
        embedder.embedding_ = prepared.places
        embedder.landmarks_ = prepared.landmarks.places
        embedder._radius = prepared.landmarks.radius
        embedder._reference = prepared.reference


def kept_map(embedder, X: np.ndarray):
    """Return what was kept of the map.

    Raises
    ------
    ValueError
        If `X` are not the rows that it was made of.
    """
    from narrows.embedders.tsne._training import Prepared

    reference = embedder._reference
    known = reference.rows
    close = 1e-4 * float(np.abs(known).max())
    if len(X) != len(known) or not np.allclose(reference.columns(X), known, atol=close):
        raise ValueError(
            f"With a map, fine_tune takes the {len(known):,} rows that it was made of, in their "
            f"order. Got {len(X):,} other rows instead. Pass what fit got."
        )
    landmarks = Landmarks(embedder.landmarks_, embedder._radius)
    return Prepared(reference, embedder.embedding_, landmarks)


def adopt_weights(model, training) -> pd.DataFrame:
    """Put a training's weights into a model; return its history.

    Raises
    ------
    ValueError
        If the loss stopped being a finite number.
    """
    from narrows.embedders._restarts import history_frame
    from narrows.training import verify

    if not training.usable.all():
        raise ValueError(
            "The loss must stay a finite number. It did not. Lower the 'learning_rate'."
        )
    weights = [values[0] for values in training.weights]
    verify(training.sample(0), weights, {"whole": model})
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    return history_frame(training, np.zeros(len(training.lanes), int))


def to_arrays(embedder) -> dict[str, np.ndarray]:
    """Return what is kept as arrays by name, for a file.

    Parameters
    ----------
    embedder : ParametricTSNE
    """
    arrays = {
        name: np.array([getattr(embedder, name)], np.float64)
        for name in _NUMBERS
        if hasattr(embedder, name)
    }
    if hasattr(embedder, "_reference"):
        arrays |= {"embedding_": embedder.embedding_, "landmarks_": embedder.landmarks_}
        for part in _PARTS:
            value = getattr(embedder._reference, part)
            if value is not None:
                arrays[part] = value
    for name in _HISTORIES:
        if hasattr(embedder, name):
            frame = getattr(embedder, name)
            arrays |= {
                f"{name}.{number}.{column}": frame[column].to_numpy()
                for number, column in enumerate(frame.columns)
            }
    return arrays


def from_arrays(embedder, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep again what `to_arrays` returned.

    Raises
    ------
    ValueError
        If the arrays do not belong together.
    """
    from narrows.embedders.tsne._refine import Reference

    arrays = dict(arrays)
    for name in _HISTORIES:
        keys = sorted(
            (key for key in arrays if key.startswith(f"{name}.")),
            key=lambda key: int(key.split(".")[1]),
        )
        if keys:
            columns = {key.split(".", 2)[2]: arrays.pop(key) for key in keys}
            setattr(embedder, name, pd.DataFrame(columns))
    for name in _NUMBERS:
        if name in arrays:
            setattr(embedder, name, float(arrays.pop(name)[0]))
    if embedder.targets is None:
        if arrays:
            raise ValueError(f"it has the arrays {sorted(arrays)} and no map")
        return
    places, landmarks = arrays.pop("embedding_"), arrays.pop("landmarks_")
    reference = Reference(arrays.pop("mean"), arrays.pop("components", None), arrays.pop("rows"))
    _check_map(embedder, places, landmarks, reference, arrays)
    embedder.embedding_, embedder.landmarks_ = places, landmarks
    embedder._reference = reference
    if callable(embedder.encoder):  # a graph from the file, on whose body a refit puts a head
        from narrows.networks import body_of

        embedder.encoder = body_of(embedder.encoder)
    if embedder.targets != "map":  # an array, which stands in the file as the map
        embedder.targets = places


def _check_map(embedder, places, landmarks, reference, rest) -> None:
    width = embedder._n_features_out
    ends = [part.shape[1:] for part in (places, landmarks)] == [(width,)] * 2
    columns = reference.mean.shape
    if reference.components is not None:
        ends = ends and reference.components.shape[1:] == columns
        columns = reference.components.shape[:1]
    flat = int(np.prod(embedder.encoder_.input.shape[1:]))
    ends = ends and reference.mean.shape == (flat,)
    if rest or not ends or reference.rows.shape != (len(places), *columns):
        raise ValueError("its map does not belong to its rows")
    if not hasattr(embedder, "_radius") or not all(
        np.isfinite(part).all() for part in (places, landmarks, reference.rows)
    ):
        raise ValueError("its map is not one of finite numbers")
