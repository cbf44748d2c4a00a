"""Errors that every part may raise and the command line knows."""


class WrongBackendError(RuntimeError):
    """Keras runs on another backend than JAX in this process."""


class ForkedProcessError(RuntimeError):
    """This process was forked from one in which JAX had started, and has none of its threads."""
