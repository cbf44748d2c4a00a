"""Resamples: which rows train and which test."""
