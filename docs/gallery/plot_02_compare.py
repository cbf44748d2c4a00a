"""
Was it worth it? A comparison with PCA
======================================

A picture in which classes lie apart proves little: it shows one split, one seed, and rows that were
trained on. :func:`narrows.compare` refits everything on the training rows of every resample, and
says what a simple model can do with the embedding of the others.
"""

import narrows

# %%
# Two arms under two preprocessings. The resamples are twice five folds and every network is trained
# from three seeds, which is little; the defaults are five times five folds and ten seeds.

iris = narrows.datasets.iris()
found = narrows.compare(
    {"pca": narrows.PCA(2), "autoencoder": narrows.Autoencoder(2)},
    iris.drop(columns="Species"),
    iris["Species"],
    preprocess=("none", "standardize"),
    probes=("forest",),
    resampling="5x2",
    seeds=3,
    random_state=1,
)
print(found)

# %%
# The verdict as a figure: the difference from PCA under the same preprocessing, with its corrected
# 95 % interval. The grey band is what counts as no difference in practice, one point of accuracy.
# Raw columns, a random projection and the untrained network stand beside the arms without being
# asked for. An embedding that does not beat these has not earned its training.

found.plot()

# %%
# The scores that these are made of, a point a resample:

found.plot("scores")

# %%
# Luck with the seed and luck with the split are told apart. Seeds are averaged before any test;
# they are not extra test sets.

found.seed_spread().query("measure == 'accuracy'").round(3)

# %%
# Beside the probe's scores are measures of the embedding itself, on the same test rows:

summary = found.summary()
summary[summary["probe"] == "embedding"].pivot_table(
    index=["preprocess", "arm"], columns="measure", values="mean"
).round(3)

# %%
# :doc:`/comparison` has the formulas, and how often such verdicts are false.
