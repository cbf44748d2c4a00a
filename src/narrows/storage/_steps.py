"""What is stored of each kind of step: its parameters, and the arrays it learned.

A step is described by a dictionary for the manifest and arrays by name; `restore` builds it
again. What trains a network has its graphs and history too.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from narrows.data import TablePreprocessor
from narrows.embedders import EMBEDDERS, capabilities_of
from narrows.storage._parameters_json import check_names, describe, from_plain, to_plain

Arrays = dict[str, np.ndarray]

STORED = tuple(kind for kind in EMBEDDERS if capabilities_of(kind).stored)
# Learned attributes beside the columns' names and number: arrays, numbers or None.
_LEARNED: dict[type, tuple[str, ...]] = {
    StandardScaler: ("mean_", "scale_", "var_", "n_samples_seen_"),
    MinMaxScaler: (
        "min_", "scale_", "data_min_", "data_max_", "data_range_", "n_samples_seen_",
    ),
    RobustScaler: ("center_", "scale_"),
    TablePreprocessor: (),
} | {kind: capabilities_of(kind).learned for kind in STORED}  # fmt: skip
KINDS: dict[str, type] = {kind.__name__: kind for kind in _LEARNED}
# Of an older file's ParametricTSNE: what had no effect with a map, and without one.
_OF_BATCHES: tuple[str, ...] = ("perplexity", "degrees_of_freedom", "metrics")
# Embedders that learn labels in newer files.
_MAY_PREDICT = ("Autoencoder", "AutoencoderCV", "LinearAutoencoder")
_OF_THE_MAP: tuple[str, ...] = ("neighbours", "map_steps", "landmarks", "sharpness")


def describe_step(step: Any) -> tuple[dict[str, Any], Arrays]:
    """Describe a fitted step for the manifest, and return its arrays."""
    if type(step) not in _LEARNED:
        raise TypeError(
            f"A .narrows file holds steps of the classes {', '.join(KINDS)}. Got "
            f"{type(step).__name__} instead."
        )
    check_is_fitted(step)
    names = getattr(step, "feature_names_in_", None)
    about: dict[str, Any] = {
        "kind": type(step).__name__,
        "parameters": _parameters(step),
        "n_features_in": int(step.n_features_in_),
        "feature_names_in": None if names is None else [str(name) for name in names],
        "output": getattr(step, "_sklearn_output_config", {}).get("transform"),
    }
    arrays, about["learned"] = _learned(step)
    if isinstance(step, TablePreprocessor):
        about["preprocessing"] = step.to_config()
    if capabilities_of(step).network:
        more, found = _describe_networks(step)
        about |= more
        arrays |= found
    return about, arrays


def restore_step(about: dict[str, Any], arrays: Arrays, custom_objects: Mapping[str, Any]) -> Any:
    """Build a step again from what `describe_step` returned."""
    about = _as_named_now(about)
    if about["kind"] not in KINDS:
        raise ValueError(f"it has a step of the unknown class {about['kind']!r}")
    kind = KINDS[about["kind"]]
    parameters = {
        name: from_plain(value, custom_objects)
        for name, value in about["parameters"].items()
        if not _is_graph(value)
    }
    if capabilities_of(kind).network:
        check_names(parameters, custom_objects)
    if kind is TablePreprocessor:
        step: Any = TablePreprocessor.from_config(about["preprocessing"])
    else:
        step = kind(**parameters)
        step.n_features_in_ = _count(about["n_features_in"])
        if about["feature_names_in"] is not None:
            step.feature_names_in_ = _names(about)
    if capabilities_of(kind).network:
        _restore_networks(step, about, arrays, custom_objects)
        learned = about["learned"]
        if set(learned) != set(_LEARNED[kind]):
            raise ValueError(f"its {about['kind']} must have {sorted(_LEARNED[kind])}")
        step._take_learned({k: from_plain(v, custom_objects) for k, v in learned.items()})
    else:
        _restore_learned(step, about, arrays)
    if about["output"] is not None:
        step.set_output(transform=about["output"])
    return step


def _as_named_now(about: dict[str, Any]) -> dict[str, Any]:
    """Return what an older file means: another form of network, two classes under one name."""
    parameters = dict(about["parameters"])
    if about["kind"] in _MAY_PREDICT and "label_classes_" not in about["learned"]:
        about = {**about, "learned": {**about["learned"], "label_classes_": None}}
    if about["kind"] == "Autoencoder" and "residual" not in parameters:
        return {**about, "parameters": {**parameters, "residual": False}}
    if about["kind"] != "ParametricTSNE" or "targets" not in parameters:
        return about
    targets = parameters.pop("targets")
    kind, without, exaggeration = "ParametricTSNE", _OF_THE_MAP, 1.0
    if targets is not None:
        kind, without, exaggeration = "TSNEMapEncoder", _OF_BATCHES, 12.0
        parameters["n_neighbors"] = parameters.pop("neighbours")
        parameters["places"] = None if targets == "map" else targets
    if parameters["exaggeration"] is None:
        parameters["exaggeration"] = exaggeration
    kept = {name: value for name, value in parameters.items() if name not in without}
    return {**about, "kind": kind, "parameters": kept}


def _parameters(step: Any) -> dict[str, Any]:
    """A step's parameters; a network that is no list of widths is stored as a graph instead."""
    values = step.get_params(deep=False)
    plain = {name: to_plain(value) for name, value in values.items()}
    if capabilities_of(step).network:
        for part in {"encoder", "decoder"} & set(values):
            if callable(values[part]):
                plain[part] = {"graph": describe(values[part])}
    return plain


def _is_graph(value: Any) -> bool:
    return isinstance(value, dict) and "graph" in value


def _learned(step: Any) -> tuple[Arrays, dict[str, Any]]:
    """Return learned arrays, and learned numbers (or None) as JSON."""
    values = {name: getattr(step, name) for name in _LEARNED[type(step)]}
    arrays = {name: v for name, v in values.items() if isinstance(v, np.ndarray)}
    return arrays, {name: to_plain(v) for name, v in values.items() if name not in arrays}


def _restore_learned(step: Any, about: dict[str, Any], arrays: Arrays) -> None:
    found = {**about["learned"], **arrays}
    wanted = set(_LEARNED[type(step)])
    if set(found) != wanted:
        raise ValueError(
            f"its {about['kind']} must have {sorted(wanted)}, and has {sorted(found)} instead"
        )
    for name, value in found.items():
        columns = np.shape(value)[-1] if np.ndim(value) else step.n_features_in_
        along_columns = name not in {"singular_values_", "explained_variance_"}
        if along_columns and not name.endswith("ratio_") and columns != step.n_features_in_:
            raise ValueError(f"its {about['kind']}'s {name} is not one number a column")
        setattr(step, name, value)


def _describe_networks(step: Any) -> tuple[dict[str, Any], Arrays]:
    from narrows.networks import Networks
    from narrows.storage._graphs import check_rebuilt, config_of, weights_of
    from narrows.training import answers

    networks: dict[str, Any] = {}
    custom: set[str] = set()
    # What the others are put together of: a posterior gives the encoder, both the autoencoder.
    for part in ("posterior" if hasattr(step, "posterior_") else "encoder", "decoder"):
        if hasattr(step, f"{part}_"):
            networks[part], names = config_of(getattr(step, f"{part}_"))
            custom |= set(names)
    restarts = step.restarts_
    weights = weights_of(step._whole)
    built = Networks(
        step.encoder_, getattr(step, "decoder_", None), getattr(step, "autoencoder_", None),
        getattr(step, "posterior_", None),
    )  # fmt: skip
    stated = answers(built)
    if custom:
        check_rebuilt(built, networks, weights, stated)
    about = {
        "networks": networks,
        "weights": list(weights),
        "answers": stated,
        "custom_objects": sorted(custom),
        "row_shape": list(step.encoder_.input.shape[1:]),
        "bottleneck": int(step.encoder_.output.shape[-1]),
        "objective": {
            name: to_plain(getattr(step, name)) for name in capabilities_of(step).objective
        },
        "seed": to_plain(step.random_state),
        "restarts": {
            "count": len(restarts), "in_use": int(restarts.best), "monitored": restarts.monitored,
        },
        "history": list(restarts.history.columns),
        "restart_table": list(restarts.table.columns),
    }  # fmt: skip
    arrays = {f"weights/{name}": value for name, value in weights.items()}
    for prefix, frame in (("history", restarts.history), ("restarts", restarts.table)):
        arrays |= {f"{prefix}/{name}": frame[name].to_numpy() for name in frame.columns}
    arrays |= {f"map/{name}": value for name, value in step._stored_arrays().items()}
    return about, arrays


def _restore_networks(
    step: Any, about: dict[str, Any], arrays: Arrays, custom_objects: Mapping[str, Any]
) -> None:
    from narrows.embedders import Restarts
    from narrows.storage._graphs import assign_weights, build, check_answers

    weights = _part(arrays, "weights/")
    graphs = about["networks"]
    networks = build(
        graphs["posterior" if "posterior" in graphs else "encoder"],
        graphs.get("decoder"),
        tuple(_count(length) for length in about["row_shape"]),
        _count(about["bottleneck"]),
        stored=sum(value.size for value in weights.values()),
        custom_objects=custom_objects,
    )
    can = capabilities_of(step)
    if networks.decoder is None and can.decoder == "always":
        raise ValueError(f"its {about['kind']} has no decoder")
    if (networks.posterior is not None) is not can.posterior:
        raise ValueError(f"its networks are not those of a {about['kind']}")
    assign_weights(networks.trained, weights)
    if "answers" in about:  # older files lack them
        check_answers(networks, about["answers"])
    history = _frame(_part(arrays, "history/"), about["history"])
    table = _frame(_part(arrays, "restarts/"), about["restart_table"])
    mapped = _part(arrays, "map/")
    extra = len(arrays) - len(weights) - len(mapped) - history.shape[1] - table.shape[1]
    best, monitored = int(about["restarts"]["in_use"]), str(about["restarts"]["monitored"])
    if extra or len(table) != about["restarts"]["count"] or monitored not in history:
        raise ValueError("its history does not belong to its restarts")
    for part in ("encoder", "decoder"):
        if _is_graph(about["parameters"].get(part)):
            setattr(step, part, _as_parameter(networks, part))
    step._adopt(networks)
    in_use = {best: [np.asarray(weight.value) for weight in networks.trained.weights]}
    step.restarts_ = Restarts(best, monitored, history, table, in_use)
    step.history_ = history
    step._restore_arrays(mapped)


def _as_parameter(networks: Any, part: str) -> Any:
    """Return a part's graph as the constructor takes it: of a posterior, both halves in one."""
    if part == "encoder" and networks.posterior is not None:
        from narrows.networks import joined_posterior

        return joined_posterior(networks.posterior)
    return getattr(networks, part)


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _frame(columns: Arrays, order: list[str]) -> pd.DataFrame:
    if set(columns) != set(order):
        raise ValueError(f"its history must have {order}, and has {sorted(columns)} instead")
    return pd.DataFrame({name: columns[name] for name in order})


def _names(about: dict[str, Any]) -> np.ndarray:
    names = about["feature_names_in"]
    if not all(isinstance(name, str) for name in names) or len(names) != about["n_features_in"]:
        raise ValueError(f"its {about['kind']} does not name its columns")
    return np.array(names, dtype=object)


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"it has a count of {value!r}")
    return value
