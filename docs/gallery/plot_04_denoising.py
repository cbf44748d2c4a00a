"""
Denoising digits
================

``Autoencoder(noise=...)`` spoils the encoder's input while it trains; the loss is still taken to
the clean rows. The network has to learn what digits look like in order to undo it.
:doc:`/denoising` has more noises, seeds and contestants.
"""

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

import narrows
from narrows import plots

# %%
# 8 × 8 pixels from 0 to 1; three quarters to learn from, all of them clean. The others are spoiled
# with normal noise of standard deviation 0.3.

digits = load_digits()
X, y = digits.data / 16, digits.target
train, test = narrows.partition(y, train=0.75, random_state=0)
clean = X[test]
noisy = clean + np.random.default_rng(0).normal(0, 0.3, clean.shape)

# %%
# Three ways to squeeze noise out, all through a bottleneck of 16 numbers: PCA, an autoencoder that
# never saw noise, and one that was trained with it.

network = {"bottleneck": 16, "encoder": (256, 128), "epochs": 60, "random_state": 0}
pca = narrows.PCA(16).fit(X[train])
plain = narrows.Autoencoder(**network).fit(X[train])
denoising = narrows.Autoencoder(**network, noise=("gaussian", 0.3)).fit(X[train])

cleaned = {
    "PCA": pca.inverse_transform(pca.transform(noisy)),
    "trained without": plain.reconstruct(noisy),
    "trained with": denoising.reconstruct(noisy),
}

# %%
# Mean squared error to the clean digit, which none of them has seen:

errors = {"noisy input": noisy, **cleaned}
pd.Series({name: np.mean((back - clean) ** 2) for name, back in errors.items()}).round(4).to_frame(
    "mean squared error"
)

# %%
# The first held-out digit of each kind, from the clean one at the top to what came back of the
# noisy one:

firsts = [int(np.flatnonzero(y[test] == digit)[0]) for digit in range(10)]
plots.reconstruction_images(
    clean[firsts],
    {name: back[firsts] for name, back in cleaned.items()},
    noisy=noisy[firsts],
    shape=(8, 8),
)
