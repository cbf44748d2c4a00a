"""Parametric t-SNE: the estimator, the map and what it is learned from."""
