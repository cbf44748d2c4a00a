"""
A table with text and gaps
==========================

Penguins have a species, an island and a sex beside their measurements, and some values are missing.
:class:`narrows.TablePreprocessor` turns such a table into numbers *and back*, so that a pipeline
with an autoencoder can reconstruct the table itself.
"""

import pandas as pd
from plotnine.data import penguins
from sklearn.pipeline import make_pipeline

import narrows
from narrows import plots

# %%
# The species is set aside: it only colours the figure at the end.

table = penguins.drop(columns="species")
print(table.dtypes.to_string())
print("\nmissing:", table.isna().sum()[lambda n: n > 0].to_dict())

# %%
# Numbers are standardized, text gets a column for each level, and where values were missing an
# extra column says so.

preprocessor = narrows.TablePreprocessor().fit(table)
print(*preprocessor.get_feature_names_out(), sep="\n")

# %%
# Preprocessing and network are one pipeline: what is fitted, embedded, inverted and saved together
# cannot drift apart.

pipeline = make_pipeline(
    narrows.TablePreprocessor(),
    narrows.Autoencoder(bottleneck=3, restarts=5, random_state=0),
)
Z = pipeline.fit_transform(table)

# %%
# Back to a table, with the columns' own types. Three numbers are left of each penguin:

back = pipeline.inverse_transform(Z)
pd.concat({"original": table.head(5), "reconstructed": back.head(5)}).round(1)

# %%
# How much survives, by column: the share of penguins whose island and sex come back right, and the
# mean absolute error of the measurements.

known = table["sex"].notna()
print("island:", f"{(back['island'] == table['island']).mean():.3f}")
print("sex:   ", f"{(back['sex'] == table['sex'])[known].mean():.3f}")
numbers = table.select_dtypes("number").columns
(back[numbers] - table[numbers]).abs().mean().round(2).to_frame("mean absolute error")

# %%
# Two of the three dimensions, coloured by the species that the network was not shown:

points = pd.DataFrame(Z[:, :2], columns=["dim_1", "dim_2"]).assign(
    data_origin="autoencoder", species=penguins["species"].to_numpy()
)
plots.embedding_facets(points, label="species")

# %%
# Which penguins does the embedding describe worst? A large reconstruction error marks rows unlike
# the others, here in the preprocessor's units.

matrix = pipeline[0].transform(table)
error = pipeline[-1].reconstruction_error(matrix)
table.assign(error=error.round(2)).nlargest(4, "error")
