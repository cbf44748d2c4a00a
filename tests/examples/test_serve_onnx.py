"""The serving example runs where narrows cannot be imported, on numbers and on a mixed table."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

import narrows
from narrows.data import read_table

SCRIPT = Path(__file__).parents[2] / "examples" / "serve_onnx.py"
ABSENT = ("narrows", "keras", "jax", "pandas", "sklearn", "onnx")
CODE = f"""
import runpy, sys
for name in {ABSENT!r}:
    sys.modules[name] = None  # importing it raises ImportError
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""


def serve(folder, model, table):
    """Run the example as a program; return the table it writes."""
    out = folder / "z.csv"
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(model), str(table), str(out)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return pd.read_csv(out)


def check(folder, fitted, columns=None):
    """Compare what is served with what narrows makes of the same file."""
    narrows.export_onnx(fitted, folder / "m.onnx")
    got = serve(folder, folder / "m.onnx", folder / "t.csv")
    rows = read_table(folder / "t.csv")
    wanted = fitted.transform(rows if columns is None else rows[columns])
    assert list(got.columns) == list(fitted.get_feature_names_out())
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_the_example_does_without_narrows():
    text = SCRIPT.read_text(encoding="utf-8")
    imported = {
        line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))
    }
    assert imported == {"csv", "json", "sys", "numpy", "onnxruntime"}


def test_numbers(tmp_path):
    rows = narrows.datasets.iris().drop(columns="Species")
    narrows.datasets.iris().to_csv(tmp_path / "t.csv", index=False)  # with a column too many
    fitted = narrows.Autoencoder(encoder=(4,), epochs=1, random_state=0).fit(rows)
    check(tmp_path, fitted, list(rows.columns))


def test_a_mixed_table_with_gaps_and_new_values(tmp_path):
    table = narrows.datasets.iris()
    table.loc[::9, "Sepal.Width"] = np.nan
    table.loc[::8, "Species"] = None
    table["seen"] = pd.date_range("1965-02-03", periods=150, freq="31h")
    table.loc[::7, "seen"] = pd.NaT
    table["wild"] = np.arange(150) % 3 == 0
    table["plot"] = pd.Categorical(np.arange(150) % 4)
    embedder = narrows.Autoencoder(encoder=(4,), epochs=1, random_state=0)
    fitted = make_pipeline(narrows.TablePreprocessor(), embedder).fit(table)
    table["Species"] = table["Species"].astype(object)
    table.loc[1, "Species"] = "Iris lutescens"
    table.to_csv(tmp_path / "t.csv", index=False)
    check(tmp_path, fitted)
