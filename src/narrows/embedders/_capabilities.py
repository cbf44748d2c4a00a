"""What an embedder can do, said once: files, ONNX, comparisons and the contract suite read it."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Capabilities:
    """What a class of embedders can do.

    Attributes
    ----------
    network : bool
        Whether it is a network with ``encoder_``, computing in float32, that the engine trains.
    lanes : bool
        Whether fits of many rows and seeds are trained as lanes of one program. Otherwise they
        are made one after another.
    decoder : {"always", "later", "never"}
        Whether it can go back to rows; ``"later"``: once it has been given a decoder.
    posterior : bool
        Whether ``posterior_`` gives a distribution of codes.
    stored, exported : bool
        Whether a ``.narrows`` file and an ONNX file can hold it.
    labels : bool
        Whether `fit` needs labels. A comparison gives it those of the training rows.
    learned : tuple of str
        What a file holds of it beside columns and networks: attributes that are arrays, numbers
        or None.
    objective : tuple of str
        Parameters that make up what a training minimises, for readers of a file's manifest.
    """

    network: bool = False
    lanes: bool = False
    decoder: Literal["always", "later", "never"] = "never"
    posterior: bool = False
    stored: bool = False
    exported: bool = False
    labels: bool = False
    learned: tuple[str, ...] = ()
    objective: tuple[str, ...] = ()


def capabilities_of(embedder: Any) -> Capabilities:
    """Return what an embedder, or a class, can do; of others' transformers nothing is known."""
    kind = embedder if isinstance(embedder, type) else type(embedder)
    return getattr(kind, "_capabilities", Capabilities())
