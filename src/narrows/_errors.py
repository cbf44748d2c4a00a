"""Errors that every part may raise and the command line knows."""


class WrongBackendError(RuntimeError):
    """Keras runs on another backend than JAX in this process."""


class UntrainableError(ValueError):
    """A network, loss or metric that narrows refuses, found while it is traced."""
