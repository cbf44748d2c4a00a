"""``narrows inspect``: what a model file says of itself, without building the model."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from narrows.cli._errors import BadInputError, bad_input
from narrows.cli._models import check_there
from narrows.cli._results import show

TAIL = 5  # epochs of the history
_COLUMNS_SHOWN = 20


def inspect(
    model: Annotated[Path, typer.Argument(help="What narrows fit or narrows.save wrote.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a model's steps, columns, weights, last epochs, and where it comes from.

    No network is built, so that this also works where Keras is another version.

    Example: narrows inspect iris.narrows
    """
    check_there(model)
    from narrows.storage import printable, read_arrays

    with bad_input():
        manifest, arrays = read_arrays(model)
    try:
        result = _result(model, manifest, arrays)
        text = "\n".join(map(printable, _lines(result)))  # names come from the file
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{str(model)!r} must describe a model as narrows.save does. It does not: {error!r}."
        ) from error
    show(result, text, as_json=as_json)


def _result(path: Path, manifest: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    last = manifest["steps"][-1]
    weights = _weights(last, arrays)
    return {
        "model": str(path),
        "bytes": path.stat().st_size,
        **{key: manifest[key] for key in ("format_version", "created", "versions", "provenance")},
        "columns": manifest["columns"],
        "steps": [
            {key: step[key] for key in ("name", "kind", "parameters")} for step in manifest["steps"]
        ],
        "bottleneck": last.get("bottleneck"),
        "restarts": last.get("restarts"),
        "custom_objects": manifest["custom_objects"],
        "weights": weights,
        "parameters": sum(math.prod(weight["shape"]) for weight in weights),
        "history": _tail(last, arrays),
        "sha256": manifest["members"]["weights.safetensors"]["sha256"],
    }


def _weights(step: dict[str, Any], arrays: dict[str, Any]) -> list[dict[str, Any]]:
    """A network's weights in its layers' order; of another embedder, the arrays it learned."""
    prefix = f"{step['name']}/"
    keys = [f"weights/{name}" for name in step.get("weights", [])]
    keys = keys or sorted(key.removeprefix(prefix) for key in arrays if key.startswith(prefix))
    found = []
    for key in keys:
        layer, _, name = key.removeprefix("weights/").rpartition("/")
        value = arrays[prefix + key]
        found.append(
            {
                "layer": layer or None,
                "weight": name.partition(".")[2] if layer else name,
                "shape": list(value.shape),
                "dtype": str(value.dtype),
            }
        )
    return found


def _tail(step: dict[str, Any], arrays: dict[str, Any]) -> list[dict[str, Any]]:
    """The last epochs of the restart in use."""
    if not step.get("history"):
        return []
    columns = {name: arrays[f"{step['name']}/history/{name}"] for name in step["history"]}
    rows = (columns["restart"] == step["restarts"]["in_use"]).nonzero()[0][-TAIL:]
    return [{name: values[row].item() for name, values in columns.items()} for row in rows]


def _lines(result: dict[str, Any]) -> list[str]:
    kinds = " -> ".join(step["kind"] for step in result["steps"])
    lines = [f"{result['model']}: {kinds}, {result['bytes']:,} bytes"]
    lines.append(f"created {result['created']} with " + _pairs(result["versions"]))
    if result["provenance"]:
        lines.append("from " + _pairs(result["provenance"]))
    if result["columns"]:
        shown = [f"{one['name']} ({one['dtype']})" for one in result["columns"][:_COLUMNS_SHOWN]]
        more = ["..."] * (len(result["columns"]) > _COLUMNS_SHOWN)
        lines.append(f"{len(result['columns'])} columns: " + ", ".join(shown + more))
    for step in result["steps"]:
        lines += ["", step["kind"]]
        lines += [f"  {name}: {_value(value)}" for name, value in step["parameters"].items()]
    lines += ["", f"{len(result['weights'])} arrays, {result['parameters']:,} numbers"]
    for entry in result["weights"]:
        name = "/".join(filter(None, (entry["layer"], entry["weight"])))
        lines.append(f"  {name:<40} {tuple(entry['shape'])!s:<14} {entry['dtype']}")
    if result["history"]:
        restarts = result["restarts"]
        lines += ["", f"restart {restarts['in_use']} of {restarts['count']} (counted from 0)"]
        lines.append("  " + "".join(f"{name:>14}" for name in result["history"][0]))
        for row in result["history"]:
            lines.append("  " + "".join(f"{value:>14.6g}" for value in row.values()))
    return lines


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {_value(value)}" for name, value in values.items() if value not in (None, [])
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        if "graph" in value:
            return f"{value['graph']} (its graph is stored)"
        if "keras" in value:
            return str(value["keras"]["class_name"])
        return f"{value.get('not_stored', value)} (not stored)"
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return str(value)
