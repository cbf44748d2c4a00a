"""Embed the rows of a CSV file with an ONNX file of narrows: onnxruntime and NumPy, no narrows.

Run: ``python examples/serve_onnx.py model.onnx table.csv embedding.csv``. Make the first with
``narrows export model.narrows --onnx model.onnx``. Columns are found by name, and the file itself
says what each of them is: numbers, booleans, text or dates, with empty cells where values are
missing. A row that the model cannot take comes out as NaN.
"""

import csv
import json
import sys

import numpy as np
import onnxruntime

WORDS = {"": "nan", "NA": "nan", "True": "1", "False": "0"}


def column(rows: list[dict[str, str]], name: str, kind: str, missing: str = "") -> np.ndarray:
    """Return one column as the model takes it; see the notes of ``narrows.export_onnx``."""
    cells = [row[name] for row in rows]
    if kind == "text":
        return np.array([missing if cell in {"", "NA"} else cell for cell in cells], dtype=object)
    if kind == "date":
        return np.array([cell or "NaT" for cell in cells], "datetime64[us]").astype("int64")
    return np.array([WORDS.get(cell, cell) for cell in cells], dtype=np.float64)


def main(model: str, table: str, out: str) -> None:
    """Read the model and the table, write the embedding."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    feeds = {}
    for port in json.loads(facts["inputs"]):
        if port["columns"]:  # one array of numbers
            numbers = [column(rows, name, "number") for name in port["columns"]]
            feeds[port["name"]] = np.stack(numbers, axis=1).astype(
                {"float": np.float32, "double": np.float64}[port["type"]]
            )
        else:  # a mixed table: one array a column
            missing = port.get("missing", "")
            feeds[port["name"]] = column(rows, port["name"], port["kind"], missing)
    embedding = session.run(None, feeds)[0]
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(json.loads(facts["outputs"])[0]["columns"])
        writer.writerows(embedding.tolist())


if __name__ == "__main__":
    main(*sys.argv[1:])
