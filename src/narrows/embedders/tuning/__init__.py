"""Settings chosen by cross-validation: folds, candidates, held-out curves, the choice."""
