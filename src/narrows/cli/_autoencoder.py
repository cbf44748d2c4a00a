"""The autoencoder that commands train: tuned by cross-validation, or one plain training."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from narrows.cli._errors import BadInputError

LAYERS = "64,32"  # hidden layers where nobody says
Layers = Annotated[
    str, typer.Option(help="Widths of the encoder's hidden layers; the decoder mirrors them.")
]
Fast = Annotated[bool, typer.Option("--fast", help="One plain training, without cross-validation.")]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Passes over the rows of a plain training, at most.")
]
Patience = Annotated[
    int | None,
    typer.Option(min=0, help="Stop a plain training after so many epochs without a better loss."),
]
LearningRate = Annotated[
    float | None, typer.Option(help="The optimizer's; by default cross-validation chooses.")
]
BatchSize = Annotated[
    int | None, typer.Option(min=1, help="Rows in one step; by default by the number of rows.")
]
NoiseAmount = Annotated[
    float | None,
    typer.Option(
        help="Standard deviation of noise on the encoder's input in training; by default "
        "cross-validation chooses."
    ),
]

LabelWeight = Annotated[
    str | None,
    typer.Option(
        help="Learn to predict the --label too: how much that counts beside the reconstruction, "
        "or auto for cross-validation to choose. Rows without a label teach the rest."
    ),
]


def label_weight_of(text: str | None) -> float | str:
    """Return what ``--label-weight`` says; 0 without it."""
    if text is None or text == "auto":
        return text or 0.0
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0 <= weight < float("inf"):
        raise BadInputError(
            f"--label-weight must be a number of at least 0, or auto. Got {text!r} instead."
        )
    return weight


def autoencoder(
    plain: Mapping[str, Any], *, fast: bool, tuned: Mapping[str, Any], **settings: Any
) -> Any:
    """Return the embedder: plain if that is asked for, or if any of the plain settings is given.

    What is given of `tuned` is fixed, the rest is chosen among candidates.
    """
    from narrows import Autoencoder, AutoencoderCV
    from narrows.embedders import DEFAULT_CANDIDATES, LABEL_CANDIDATES

    fixed = {name: value for name, value in tuned.items() if value is not None}
    labelled = settings.get("label_weight") == "auto"
    if fast or plain:
        if labelled:
            raise BadInputError(
                "--label-weight auto must stand without --fast and the options of a plain "
                "training, since cross-validation chooses it. Give a number, such as 1."
            )
        return Autoencoder(**settings, **fixed, **plain)
    known = LABEL_CANDIDATES if labelled else DEFAULT_CANDIDATES
    space = {name: values for name, values in known.items() if name not in fixed}
    return AutoencoderCV(**settings, **fixed, param_distributions=space if fixed else None)


def plain_value(value: Any) -> Any:
    """Return a setting as JSON knows it."""
    return value.item() if hasattr(value, "item") else value
