"""The arms that ``narrows compare`` knows by name."""

from collections.abc import Callable, Sequence
from typing import Any

from narrows._checks import did_you_mean, listed
from narrows.cli._errors import BadInputError

AUTOENCODER = "autoencoder"
DEFAULT = ("pca", AUTOENCODER)
_OF_CLASSES = ("lda", "nca")  # that cannot learn from numbers


def _pca(width: int, seed: int) -> Any:
    from narrows import PCA

    return PCA(width)


def _lda(width: int, seed: int) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    return LinearDiscriminantAnalysis(n_components=width)


def _nca(width: int, seed: int) -> Any:
    from sklearn.neighbors import NeighborhoodComponentsAnalysis

    return NeighborhoodComponentsAnalysis(n_components=width, random_state=seed)


def _pls(width: int, seed: int) -> Any:
    from sklearn.cross_decomposition import PLSRegression

    return PLSRegression(n_components=width)


_MAKERS: dict[str, Callable[[int, int], Any]] = {
    "pca": _pca, "lda": _lda, "nca": _nca, "pls": _pls,
}  # fmt: skip
ARMS = (*DEFAULT, "lda", "nca", "pls")


def check_arms(names: Sequence[str], autoencoder_options: Sequence[str]) -> None:
    """Raise BadInputError unless all are arms, each once, and each option is for one of them."""
    unknown = [name for name in names if name not in ARMS]
    if unknown or not names or len(set(names)) < len(names):
        got = repr(unknown[0]) if unknown else repr(",".join(names))
        hint = did_you_mean(unknown[0], ARMS) if unknown else "Name each once."
        raise BadInputError(f"--arms must be some of {listed(ARMS)}. Got {got} instead. {hint}")
    if AUTOENCODER not in names and autoencoder_options:
        raise BadInputError(
            f"{autoencoder_options[0]} is for the autoencoder. Got --arms {','.join(names)}, "
            "without it. Name it too, or leave the option out."
        )


def arms_named(
    names: Sequence[str], autoencoder: Any, width: int, n_classes: int | None, seed: int
) -> tuple[dict[str, Any], list[str]]:
    """Return the arms, and sentences on what is not as it was asked for.

    `n_classes` is None where the label has numbers.
    """
    if n_classes is None and (of_classes := [name for name in names if name in _OF_CLASSES]):
        raise BadInputError(
            f"--arms {of_classes[0]} must have a label of classes to tell apart. Got numbers. "
            "Leave it out, take pls, or say --task classification."
        )
    arms, said = {}, []
    for name in names:
        most = max(n_classes - 1, 1) if name == "lda" and n_classes is not None else width
        if most < width:
            said.append(
                f"lda has {most} dimension{'s' * (most > 1)} instead of {width}: of {n_classes} "
                f"classes there are no more"
            )
        own = min(width, most)
        arms[name] = autoencoder if name == AUTOENCODER else _MAKERS[name](own, seed)
    return arms, said
