"""Arms: an embedder under a name, and the controls that stand beside the ones asked for."""

import numbers
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.random_projection import GaussianRandomProjection

from narrows._checks import check_option, did_you_mean, fail, listed, refusal
from narrows.comparison._fit_arguments import (
    FitArguments,
    group_parameters,
    labels_for,
    uses_labels,
)
from narrows.embedders import Autoencoder, capabilities_of

CONTROLS = ("raw", "random", "untrained", "linear")
_LABELS = {
    "raw": "raw columns",
    "random": "random projection",
    "untrained": "untrained encoder",
    "linear": "linear autoencoder",
}


@dataclass(frozen=True)
class Arm:
    """One embedder of a comparison.

    Attributes
    ----------
    estimator : object
        A scikit-learn transformer, not fitted.
    control : bool
        Whether it stands there for comparison only.
    untrained : str or None
        The arm whose initial networks this control is.
    labelled : bool
        Whether it gets labels although it does not say that it uses them.
    """

    name: str
    estimator: Any
    control: bool = False
    untrained: str | None = None
    labelled: bool = False

    @property
    def lanes(self) -> bool:
        """Whether all its fits are handed to the engine at once."""
        return capabilities_of(self.network).network and not seed_parameters(self.before)

    @property
    def network(self) -> Any:
        """The embedder itself: in a pipeline, the last step."""
        return self.estimator[-1] if isinstance(self.estimator, Pipeline) else self.estimator

    @property
    def before(self) -> Any:
        """The steps before the embedder in a pipeline; None if there are none."""
        several = isinstance(self.estimator, Pipeline) and len(self.estimator) > 1
        return self.estimator[:-1] if several else None

    @property
    def seeded(self) -> bool:
        """Whether its fits depend on a seed."""
        return bool(seed_parameters(self.estimator))

    @property
    def uses_labels(self) -> bool:
        """Whether it is fitted with the training rows' labels."""
        if self.untrained is not None:  # of networks that are not trained, the steps before
            return self.before is not None and (self.labelled or uses_labels(self.before))
        return self.labelled or uses_labels(self.estimator)

    def fit_arguments(
        self, labels: np.ndarray, groups: np.ndarray | None, *, classes: bool
    ) -> FitArguments:
        """Return what goes into a fit beside its rows, of the labels and groups of those rows.

        Shapes: `labels` (n_fit_rows,), `groups` (n_fit_rows,).
        """
        own = labels_for(self.estimator, labels, classes=classes) if self.uses_labels else None
        takes = groups is not None and bool(group_parameters(self.estimator))
        return FitArguments(own, groups if takes else None)


class RawColumns(TransformerMixin, BaseEstimator):
    """The columns themselves: what an embedding has to preserve to be worth it."""

    def fit(self, X: np.ndarray, y: Any = None) -> "RawColumns":
        """Learn nothing."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the rows as they are."""
        return X


def seed_parameters(estimator: Any) -> list[str]:
    """Return the names of an estimator's seeds; those of a pipeline's steps are nested."""
    names = estimator.get_params() if hasattr(estimator, "get_params") else {}
    return [name for name in names if name == "random_state" or name.endswith("__random_state")]


def own_networks(estimator: Any) -> bool:
    """Whether a network's embedder in an estimator has functions or Keras objects of the user's.

    They are called where the network is built and compiled.
    """
    nested = estimator.get_params().values() if hasattr(estimator, "get_params") else ()
    return any(
        capabilities_of(one).network
        and not all(map(_is_plain, one.get_params(deep=False).values()))
        for one in (estimator, *nested)
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | numbers.Number | np.ndarray | np.generic)


def seeded(estimator: Any, seed: int) -> Any:
    """Return a copy of an estimator that is not fitted, with `seed` for each of its seeds."""
    copy = clone(estimator)
    return copy.set_params(**dict.fromkeys(seed_parameters(copy), seed))


def all_arms(
    given: Mapping[str, Any],
    controls: Sequence[str],
    n_columns: int,
    labelled: Collection[str] = (),
) -> list[Arm]:
    """Return the arms asked for and their controls, none that has the name of an arm, in order."""
    arms = [Arm(name, estimator, labelled=name in labelled) for name, estimator in given.items()]
    trained = [arm for arm in arms if arm.lanes]
    found: list[Arm] = []
    for control in controls:
        if control == "untrained":
            several = len(trained) > 1
            found += [
                Arm(
                    _LABELS[control] + (f" of {arm.name}" if several else ""),
                    arm.estimator,
                    control=True,
                    untrained=arm.name,
                    labelled=arm.labelled,
                )
                for arm in trained
            ]
        else:
            estimator = _control(control, _width(arms, n_columns), trained)
            found.append(Arm(_LABELS[control], estimator, control=True))
    return arms + [arm for arm in found if arm.name not in given]


def _control(control: str, width: int, trained: list[Arm]) -> Any:
    if control == "raw":
        return RawColumns()
    if control == "random":
        return GaussianRandomProjection(n_components=width)
    # Trained as the first autoencoder is, so that only the nonlinearity differs.
    like = trained[0].network.get_params(deep=False) if trained else {}
    shared = ["epochs", "batch_size", "optimizer", "learning_rate", "patience"]
    if not isinstance(like.get("optimizer"), str):  # an object brings its own rate
        shared.remove("learning_rate")
    # None, of a parametric t-SNE, is for it to choose.
    kept = {name: like[name] for name in shared if like.get(name) is not None}
    return Autoencoder(bottleneck=width, encoder=(), **kept)


def _width(arms: list[Arm], n_columns: int) -> int:
    """Return the width of the first arm that states one, two otherwise."""
    for arm in arms:
        parameters = arm.estimator.get_params() if hasattr(arm.estimator, "get_params") else {}
        for name, value in parameters.items():
            if name.split("__")[-1] in ("bottleneck", "n_components") and isinstance(value, int):
                return min(value, n_columns)
    return min(2, n_columns)


def check_arms(given: Any, controls: Any, caller: str) -> None:
    """Raise unless arms are named transformers and controls are known."""
    if not isinstance(given, Mapping) or not given:
        raise refusal(
            caller,
            "arms",
            "be a mapping of names to embedders, e.g. {'pca': narrows.PCA(2)}",
            repr(given),
        )
    for name, estimator in given.items():
        missing = [method for method in ("fit", "transform") if not hasattr(estimator, method)]
        if not isinstance(name, str) or isinstance(estimator, type) or missing:
            raise ValueError(
                f"Each arm of {caller} must be a scikit-learn transformer under a text as name. "
                f"Got {estimator!r} under {name!r}"
                + (f", without {' and '.join(missing)}," if missing else "")
                + " instead."
            )
    _check_controls(controls, caller)


def check_labelled(
    given: Mapping[str, Any], labelled: Any, caller: str, *, refit: bool
) -> list[str]:
    """Return the names of arms that get labels on request; raise unless all that do may."""
    names = [labelled] if isinstance(labelled, str) else labelled
    if isinstance(labelled, str) or not isinstance(names, Collection):
        advice = f"Write ({labelled!r},)." if isinstance(labelled, str) else "Write () for none."
        fail(caller, "labelled", "a sequence of names of arms, or empty", labelled, advice)
    for name in names:
        check_option(caller, "labelled", given, name)
        if hasattr(given[name], "_capabilities") and not uses_labels(given[name]):
            raise refusal(
                caller,
                "labelled",
                "name arms whose `fit` can use labels",
                f"{name!r}, a {type(given[name]).__name__} that does not with these parameters",
            )
    those = [name for name, one in given.items() if name in names or uses_labels(one)]
    if those and not refit:
        raise refusal(
            caller,
            "refit",
            f"be True beside arms that are fitted with labels, {listed(those)}",
            "False",
            "Fitted once on all rows, they would see the labels of the rows that they are "
            "tested on.",
        )
    return list(names)


def _check_controls(controls: Any, caller: str) -> None:
    """Raise unless these are names of controls, each once."""
    names = [controls] if isinstance(controls, str) else controls
    if not isinstance(names, Collection):
        advice = "Write () for none."
    elif unknown := [name for name in names if name not in CONTROLS]:
        advice = did_you_mean(unknown[0], CONTROLS, 1)
    elif isinstance(controls, str):
        advice = f"Write ({controls!r},)."
    elif len(set(names)) < len(names):
        advice = "Name each once."
    else:
        return
    wanted = f"a sequence of some of {listed(CONTROLS)}, or empty"
    fail(caller, "controls", wanted, controls, advice)
