"""Errors that every part may raise and the command line knows."""


class WrongBackendError(RuntimeError):
    """Keras runs on another backend than JAX in this process."""


class UntrainableError(ValueError):
    """A network, loss or metric that narrows refuses, found while it is traced."""


class TableTypeError(TypeError):
    """A table, or one of its columns, is of a type that cannot be learned from."""


class ForkedProcessError(RuntimeError):
    """Networks cannot run here: the process was forked after JAX had started its threads."""
