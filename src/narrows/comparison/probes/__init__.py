"""Probes: the downstream models that judge an embedding."""
