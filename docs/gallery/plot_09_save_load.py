"""
Save, load, inspect
===================

A fitted pipeline becomes one ``.narrows`` file: its preprocessing, networks, weights and history,
without a line of code inside. :doc:`/files` describes the format, :doc:`/deployment` the other ways
out (ONNX, ``.keras``, HDF5).
"""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

import narrows
from narrows import plots
from narrows.storage import read_manifest, save_keras

# %%
folder = Path(tempfile.mkdtemp())
iris = narrows.datasets.iris()
X = iris.drop(columns="Species")
pipeline = make_pipeline(
    narrows.TablePreprocessor(),
    narrows.Autoencoder(bottleneck=2, epochs=60, restarts=3, random_state=0),
).fit(X)

narrows.save(pipeline, folder / "iris.narrows", provenance={"table": "iris", "rows": len(X)})
print(f"{(folder / 'iris.narrows').stat().st_size / 1024:.0f} KB")

# %%
# What the file says of itself can be read without building a network; on the command line,
# ``narrows inspect iris.narrows`` prints it.

manifest = read_manifest(folder / "iris.narrows")
print(*manifest, sep=", ")
print("provenance:", manifest["provenance"])
print("columns:", ", ".join(column["name"] for column in manifest["columns"]))
print("steps:", ", ".join(step["kind"] for step in manifest["steps"]))

# %%
# Loaded, the pipeline gives the same numbers:

again = narrows.load(folder / "iris.narrows")
difference = np.abs(again.transform(X) - pipeline.transform(X)).max()
print("largest difference:", difference)

# %%
# The history of every restart comes along:

plots.history(again[-1].history_)

# %%
# Weights alone, by layer name, in the HDF5 layout that R's keras and Keras 2 read:

narrows.save_weights_hdf5(pipeline[-1], folder / "weights.hdf5")
print(narrows.load_weights_hdf5(pipeline[-1].encoder_, folder / "weights.hdf5"))

# %%
# The networks as Keras knows them, for whoever has Keras and not narrows:

print(*(path.name for path in save_keras(pipeline[-1], folder)), sep=", ")
