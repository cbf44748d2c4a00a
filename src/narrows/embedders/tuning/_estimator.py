"""The autoencoder that chooses its settings and its length by cross-validation."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from narrows._checks import check_integer, check_option, fail, refusal
from narrows._forks import check_process
from narrows.embedders._autoencoder import Autoencoder
from narrows.embedders._capabilities import Capabilities
from narrows.embedders.tuning._candidates import AUTO
from narrows.embedders.tuning._choice import SCORINGS, Choice, choice_among
from narrows.embedders.tuning._widths import (
    Width,
    cell_errors,
    check_encoder,
    check_widths_asked,
    choose_width,
    dimension_of,
    from_arrays,
    spanned,
    to_arrays,
    widths_for,
    widths_frame,
    widths_of,
)

if TYPE_CHECKING:
    from narrows.embedders.fitting._fit import Job, Length
    from narrows.embedders.tuning._curves import Trial
    from narrows.embedders.tuning._folds import Folds
    from narrows.networks import Networks
    from narrows.quality import IntrinsicDimension
    from narrows.training import Training


_CURVE = ("step", "error", "standard_error", "chosen")


class AutoencoderCV(Autoencoder):
    """An autoencoder that starts at PCA, its settings and length chosen by cross-validation.

    Every candidate is trained on every fold, all of them side by side, for a quarter of the
    length; the best third of them are trained for all of it too. The training with the least
    mean error on the held-out rows is repeated on all rows, for as many passes. Where PCA, which
    is where it starts, lies within a standard error of that, no step is made and the embedding is
    PCA's; where a smaller network does, that one is taken.

    With several widths as `bottleneck` this is done for each, on the same folds, and the smallest
    width is taken that is as good as any, see Notes.

    Parameters
    ----------
    bottleneck : int or sequence of int, default=2
        Width of the embedding, or the widths to choose from, such as ``range(1, 9)``. Those that
        compress nothing are left out, with a warning: widths of as many dimensions as the columns
        span, constant columns and those that follow from others in a straight line not counted.
    param_distributions : mapping of str to list or distribution, default=None
        What is tried, as for `sklearn.model_selection.RandomizedSearchCV`: values, or a SciPy
        distribution, of ``learning_rate``, ``weight_decay``, ``noise``, ``schedule``,
        ``encoder``, ``decoder``, ``activation``, ``bottleneck`` (if one width is given above),
        ``sparsity`` and ``contraction``. All combinations of lists, or `n_iter` at random where
        there are more. The first four cost no compiling. None tries learning rates of 3e-3
        and 1e-2, weight decay of 0, 0.3 and 2, and noise of 0, 0.1 and 0.3 deviations.
    n_iter : int, default=18
        Candidates at most.
    cv : int, splitter or sequence of pairs, default=5
        Folds. With a number, the rows are shuffled; rows that repeat others, and those of one
        group, stay in one fold.
    encoder : sequence of int, default=(64, 32)
        Widths of the hidden layers, see `Autoencoder`; functions and models are taken too.
    decoder : sequence of int, default=None
        The same; None mirrors the encoder's.
    residual, activation, loss, noise, sparsity, contraction, learning_rate, weight_decay, schedule
        As those of `Autoencoder`, where no candidate has another.
    label_weight : float or "auto", default=0.0
        How much it counts to predict the labels, see `Autoencoder`. ``"auto"`` tries several, 0
        among them, see `scoring`.
    label_loss, class_weight
        As those of `Autoencoder`.
    scoring : {"reconstruction", "label", "both"}, default=None
        What chooses among candidates: the held-out error of the rows; what the probe scores on
        held-out embeddings; or both: the best score that costs at most 1.2 times the least error.
        Where labels that weigh less score within a standard error of the best, the least weight is
        taken, so that 0 wins where labels help nobody. None is ``"both"`` where labels are used,
        else ``"reconstruction"``.
    probe : scikit-learn estimator, default=None
        What predicts labels from embeddings for `scoring`, scored by its own ``score``. None
        takes the 15 nearest neighbours in the standardized embedding, and the share of what there
        is to explain: R² of numbers, 1 − log loss / log loss of guessing of classes.
    epochs : int, default=None
        Passes over the training rows of a fold at most. None takes a number of steps that
        depends little on the number of rows, see `Autoencoder`.
    batch_size : int, default=None
        Rows in one optimiser step, see `Autoencoder`.
    optimizer : str or keras.optimizers.Optimizer, default="adam"
        A Keras optimizer by name.
    metrics : sequence of str, callable or keras.metrics.Metric, default=()
        Keras metrics to record beside the loss.
    random_state : int, RandomState instance or None, default=None
        Determines folds, candidates drawn, initial weights, batch order and noise.
    verbose : int, default=0
        1 shows a progress bar on stderr.

    Attributes
    ----------
    bottleneck_ : int
        The width in use.
    widths_ : pandas.DataFrame
        A row for each width: ``bottleneck``; ``error``, the mean over folds of the held-out error
        of what is chosen for this width, PCA where nothing beats it; ``low`` and ``high``, a 95 %
        interval of it; ``pca_error``, ``pca_low`` and ``pca_high``, the same of PCA of that width;
        ``ratio``, `error` over `pca_error`; ``cell_error``, what the width is chosen by;
        ``steps`` on a fold's training rows, 0 where PCA is kept; ``chosen``. With one width,
        ``cell_error`` is NaN, and so is what is PCA's where training does not start there.
    intrinsic_dimension_ : narrows.quality.IntrinsicDimension or None
        Where several widths were asked for, how many dimensions the rows fill, by
        `narrows.quality.intrinsic_dimension` of 10,000 of them at most; else, or where that
        refuses the rows, None.
    best_params_ : dict
        The candidate that was chosen; with several widths its ``bottleneck`` too.
    best_steps_ : int
        How many steps the network was trained for on all rows; 0 is PCA.
    curve_ : pandas.DataFrame
        The held-out error of the chosen training: ``step`` (on a fold's training rows),
        ``error``, the mean over folds, ``standard_error`` of its mean difference from the start,
        and ``chosen``. At step 0 the error is PCA's or, where labels count, that of the linear
        embedding that the training starts at.
    cv_results_ : dict of str to ndarray
        As of scikit-learn's searches, for `pandas.DataFrame`: ``params``, ``param_…``,
        ``mean_test_score``, ``std_test_score``, ``rank_test_score`` and ``split0_test_score`` and
        so on. A score is the negative held-out error after the better of the candidate's lengths,
        ``steps``. Where labels were scored, ``mean_test_label`` and so on are the probe's scores.
    label_classes_ : list or None
        The classes that were taught, as Python values; None without any.
    label_coef_, label_intercept_ : float64 ndarrays
        Where labels were used, the linear model on the embedding that `predict` goes by, of shapes
        (n_outputs, bottleneck) and (n_outputs,).
    n_splits_ : int
        Folds.
    encoder_, decoder_, autoencoder_ : keras.Model
        The networks that were trained on all rows; they share their layers.
    history_ : pandas.DataFrame
        Of that training; empty if no step was made.
    restarts_ : Restarts
        Of that training.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        The columns' names, if `X` had any.

    See Also
    --------
    Autoencoder : One training with given settings.
    PCA : Where it starts.

    Notes
    -----
    The encoder sees the rows that it codes, held-out ones too. So a width of w takes w of the d
    dimensions that the columns span along, noise included, and the held-out error falls with
    every width, whatever there is to find. Widths are chosen by what the error would be of a cell
    that the encoder has not seen, as generalised cross-validation estimates it (Golub and others
    1979; for PCA Josse and Husson 2012)::

        cell_error = error / (1 − w / d)²

    Of the best width by that, and those whose mean over folds lies within a standard error of its
    (of the differences, paired by fold), the smallest is taken. The formula is for squared error,
    and noise of one size in all columns; with another loss it is rough. Noise that is larger in
    some columns looks like dimensions of their own, as it does to PCA.

    Intervals are Student's t, of the folds' errors. Folds share training rows, so that their
    errors depend on each other: intervals are rough, and usually too narrow (Bengio and
    Grandvalet 2004). Differences between widths are surer than the intervals, as folds that are
    hard for one width are hard for all.

    References
    ----------
    Bengio, Y., and Grandvalet, Y. (2004). No unbiased estimator of the variance of k-fold
    cross-validation. Journal of Machine Learning Research 5, 1089-1105.

    Golub, G. H., Heath, M., and Wahba, G. (1979). Generalized cross-validation as a method for
    choosing a good ridge parameter. Technometrics 21, 215-223.
    doi:10.1080/00401706.1979.10489751

    Hastie, T., Tibshirani, R., and Friedman, J. (2009). The Elements of Statistical Learning,
    2nd edition, section 7.10. Springer. doi:10.1007/978-0-387-84858-7

    Josse, J., and Husson, F. (2012). Selecting the number of components in principal component
    analysis using cross-validation approximations. Computational Statistics & Data Analysis 56,
    1869-1879. doi:10.1016/j.csda.2011.11.012

    Examples
    --------
    >>> import narrows
    >>> X = narrows.datasets.iris().drop(columns="Species")
    >>> tuned = narrows.AutoencoderCV(
    ...     param_distributions={"learning_rate": [1e-3]}, epochs=5, random_state=0
    ... ).fit(X)
    >>> tuned.transform(X).shape
    (150, 2)
    """

    _capabilities = Capabilities(
        network=True,
        decoder="always",
        stored=True,
        exported=True,
        learned=("best_params_", "best_steps_", "n_splits_", "cv_results_", "label_classes_"),
        objective=(
            "loss", "noise", "sparsity", "contraction", "label_weight", "label_loss", "class_weight"
        ),
    )  # fmt: skip
    # Parameters of the other estimator that this one has not.
    keep = ()
    validation_fraction = 0.0
    patience = None
    restarts = 1

    bottleneck: Any
    widths_: pd.DataFrame
    intrinsic_dimension_: "IntrinsicDimension | None"

    def __init__(
        self,
        bottleneck: int | Sequence[int] = 2,
        param_distributions: Mapping[str, Any] | None = None,
        n_iter: int = 18,
        cv: Any = 5,
        encoder: Any = (64, 32),
        decoder: Any = None,
        residual: bool | None = None,
        activation: str | None = None,
        loss: Any = "mse",
        noise: Any = 0.0,
        sparsity: Any = 0.0,
        contraction: float = 0.0,
        label_weight: float | str = 0.0,
        label_loss: str | None = None,
        class_weight: str | None = None,
        scoring: str | None = None,
        probe: Any = None,
        learning_rate: float = 1e-3,
        weight_decay: float | None = None,
        schedule: str | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        optimizer: Any = "adam",
        metrics: Sequence[Any] = (),
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.bottleneck = bottleneck
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.cv = cv
        self.encoder = encoder
        self.decoder = decoder
        self.residual = residual
        self.activation = activation
        self.loss = loss
        self.noise = noise
        self.sparsity = sparsity
        self.contraction = contraction
        self.label_weight = label_weight
        self.label_loss = label_loss
        self.class_weight = class_weight
        self.scoring = scoring
        self.probe = probe
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.metrics = metrics
        self.random_state = random_state
        self.verbose = verbose

    @property
    def bottleneck_(self) -> int:
        """The width in use."""
        return self._n_features_out

    def fit(  # type: ignore[override]
        self, X: Any, y: Any = None, *, groups: Any = None, sample_weight: Any = None
    ) -> Self:
        """Choose settings and length by cross-validation, then train on all rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            The rows.
        y : array-like of shape (n_rows,), default=None
            Labels, see `Autoencoder.fit`; used where `label_weight` is not 0 or `scoring` asks
            for them.
        groups : array-like of shape (n_rows,), default=None
            Rows of one group stay in one fold.
        sample_weight : array-like of shape (n_rows,), default=None
            Factors of the rows' losses, held-out ones too, at least 0.

        Returns
        -------
        self
            This object.

        Raises
        ------
        InvalidParameterError
            If a parameter is not of its kind or out of its range.
        ValueError
            If `X` is not numeric, has fewer rows than folds, none of several widths compresses
            it, or every candidate diverged.
        KeyboardInterrupt
            If Ctrl-C came.

        Warns
        -----
        UserWarning
            If widths are left out as they compress nothing; else as `Autoencoder`.
        """
        self._groups = groups
        try:
            return self._learn(X, sample_weight, y=y)
        finally:
            del self._groups

    def plot(self, kind: str = "curve") -> Any:
        """Draw what cross-validation found.

        Parameters
        ----------
        kind : {"curve", "candidates", "widths", "front"}, default="curve"
            The held-out error of the chosen training by step, beside PCA's; that of every
            candidate of the width in use; every width's, beside PCA's and the rows' intrinsic
            dimension; or, where labels were scored, candidates' errors against their scores.

        Returns
        -------
        plotnine.ggplot

        Raises
        ------
        ValueError
            If there is no such kind, or no label was scored for ``"front"``.
        """
        from narrows.plots import candidates, front, held_out_curve, widths

        check_is_fitted(self)
        check_option(self, "kind", ("curve", "candidates", "widths", "front"), kind)
        loss = self.loss if isinstance(self.loss, str) else ""
        if kind in ("candidates", "front"):
            table = pd.DataFrame(self.cv_results_)
            if "bottleneck" in self.best_params_:  # errors of other widths are no rivals
                table = table[table["param_bottleneck"] == self.bottleneck_]
            if kind == "front" and "mean_test_label" not in table:
                raise refusal(
                    self, "kind", "be another than 'front' where no label was scored", repr(kind),
                    "Fit with labels and a label_weight, such as 'auto'.",
                )  # fmt: skip
            draw = candidates if kind == "candidates" else front
            return draw(table, self.best_params_, loss)
        if kind == "widths":
            return widths(self.widths_, self.intrinsic_dimension_, loss)
        chosen = self._plain(self.best_params_)
        start = "PCA" if chosen._is_residual() and chosen.label_weight == 0 else "the start"
        return held_out_curve(self.curve_, start, loss)

    def _train(
        self, networks: "Networks", job: "Job", entropy: int, checkpoint: Any, X: np.ndarray
    ) -> "Training":
        """Choose, then train the choice on all rows."""
        from narrows.embedders.fitting import _fit
        from narrows.embedders.tuning._candidates import candidates_of, space_of
        from narrows.embedders.tuning._curves import trials_of
        from narrows.embedders.tuning._folds import folds_of
        from narrows.embedders.tuning._front import by_front, front_choice
        from narrows.embedders.tuning._probe import Probe

        check_process()
        folds = folds_of(self, X, self.cv, getattr(self, "_groups", None), entropy % 2**32)
        tried = candidates_of(self, space_of(self), self.n_iter, entropy)
        widths, dimensions = self._widths(X)
        candidates = tried
        if widths is not None:
            candidates = [{**one, "bottleneck": width} for width in widths for one in tried]
        numbers = np.arange(len(candidates)).reshape(len(widths or [0]), -1).tolist()
        embedders = [self._plain(candidate) for candidate in candidates]
        for one in embedders:
            one._check_parameters()
            if widths is not None:
                check_encoder(self, one.encoder)
        held_out = np.array([len(test) for _, test in folds])
        shares = held_out / held_out.sum()
        scoring = self._scoring
        probe = None
        if scoring != "reconstruction" and job.labels is not None:
            probe = Probe(self.probe, job.labels, folds)
        trials = trials_of(
            embedders, X, job.weights, folds, entropy, candidates, shares, numbers,
            verbose=bool(self.verbose), labels=job.labels, probe=probe,
            promote=None if probe is None else by_front(shares, scoring),
        )  # fmt: skip
        choices = [
            choice_among(trials, set(one), shares)
            if probe is None
            else front_choice(trials, set(one), shares, scoring)
            for one in numbers
        ]
        found = [
            self._width(trials, one, embedders, X, job.weights, folds, entropy) for one in choices
        ]
        place = 0
        if widths is not None:
            cells = [cell_errors(one.errors, one.bottleneck, dimensions) for one in found]
            place = choose_width(np.stack(cells), shares)
        choice = choices[place]
        self.widths_ = widths_frame(found, place, shares, dimensions)
        self.intrinsic_dimension_ = None if widths is None else dimension_of(X, entropy)
        self._note(candidates, trials, choice, shares)
        trial = trials[choice.trial]
        length = _on_all_rows(trial.length, choice.trained, folds, len(X))
        self.best_steps_ = _steps(length, len(X)) if choice.trained else 0
        chosen = embedders[trial.candidate]
        networks = chosen._build(X.shape[1:])
        taught = job if trial.label_weight > 0 else dataclasses.replace(job, labels=None)
        training = _fit.run(chosen, networks, [taught], [entropy], length=length)
        _fit.adopt(self, networks, training, taught.labels)
        if job.labels is not taught.labels:
            _fit.give_head(self, job)
        return training

    @property
    def _uses_labels(self) -> bool:
        space = self.param_distributions
        tried = isinstance(space, Mapping) and "label_weight" in space
        asked = self.scoring in ("label", "both")
        return tried or asked or super()._uses_labels

    @property
    def _scoring(self) -> str:
        return self.scoring or ("both" if self._uses_labels else "reconstruction")

    def _widths(self, X: np.ndarray) -> tuple[list[int] | None, int]:
        """Return the widths to choose from, None of one, and the dimensions that columns span."""
        if widths_of(self) is None:
            return None, 0
        dimensions = spanned(X)
        return widths_for(self, dimensions, int(np.prod(X.shape[1:])))[0], dimensions

    def _width(
        self, trials: list["Trial"], choice: Choice, embedders: list[Autoencoder],
        X: np.ndarray, weights: np.ndarray, folds: "Folds", entropy: int,
    ) -> Width:  # fmt: skip
        """Return what was found of the width that a choice is for."""
        from narrows.embedders.tuning._curves import start_errors

        trial = trials[choice.trial]
        embedder = embedders[trial.candidate]
        errors = trial.errors[:, -1 if choice.trained else 0]
        residual = embedder._is_residual()
        if residual and trial.label_weight == 0:
            pca = trial.errors[:, 0]
        elif not residual and widths_of(self) is None:
            pca = np.full_like(errors, np.nan)
        else:
            alone: dict[str, Any] = {"bottleneck": embedder.bottleneck, "encoder": ()}
            alone |= {"decoder": None, "label_weight": 0.0}
            pca = start_errors(self._plain({**alone, "residual": True}), X, weights, folds, entropy)
        steps = int(trial.steps[-1]) if choice.trained else 0
        return Width(int(embedder.bottleneck), errors, pca, steps)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_integer(self, "n_iter", least=1)

    def _check_bottleneck(self) -> None:
        check_widths_asked(self)

    def _check_labels(self) -> None:
        if not isinstance(self.label_weight, str):
            super()._check_labels()
        elif self.label_weight != AUTO:
            fail(self, "label_weight", f"a number of at least 0 or {AUTO!r}", self.label_weight)
        check_option(self, "scoring", SCORINGS, optional=True)
        if self.probe is not None and not (
            hasattr(self.probe, "fit") and hasattr(self.probe, "score")
        ):
            fail(self, "probe", "a scikit-learn estimator or None", self.probe)

    def _without_effect_on(self, X: np.ndarray) -> list[str]:
        if widths_of(self) is None:
            return super()._without_effect_on(X)
        message = widths_for(self, spanned(X), int(np.prod(X.shape[1:])))[1]
        return [message] if message else []

    def _build(self, row_shape: tuple[int, ...]) -> "Networks":
        """Return the networks; of several widths those of the widest."""
        widths = widths_of(self)
        if widths is None:
            return super()._build(row_shape)
        return self._plain({"bottleneck": widths[-1]})._build(row_shape)

    def _plain(self, candidate: Mapping[str, Any]) -> Autoencoder:
        """Return the embedder of a candidate."""
        names = set(Autoencoder._get_param_names()) & set(self._get_param_names())
        values = {name: getattr(self, name) for name in names} | dict(candidate)
        if values["label_weight"] == AUTO:  # of what stands for no candidate
            values["label_weight"] = 0.0
        return Autoencoder(**{**values, "verbose": 0})

    def _note(
        self, candidates: list[dict[str, Any]], trials: list["Trial"], choice: Choice,
        shares: np.ndarray,
    ) -> None:  # fmt: skip
        """Keep what was tried and what was chosen."""
        best: dict[int, Trial] = {}
        for trial in trials:
            before = best.get(trial.candidate)
            if before is None or not trial.end(shares) >= before.end(shares):
                best[trial.candidate] = trial
        own = np.stack([best[number].errors[:, -1] for number in range(len(candidates))])
        scores, names = -(own @ shares), list(candidates[0])
        self.n_splits_ = len(shares)
        self.best_params_ = dict(candidates[trials[choice.trial].candidate])
        self.cv_results_ = {
            "params": _objects(candidates),
            **{f"param_{name}": _objects([one[name] for one in candidates]) for name in names},
            **{f"split{fold}_test_score": -own[:, fold] for fold in range(self.n_splits_)},
            "mean_test_score": scores,
            "std_test_score": own.std(axis=1),
            "rank_test_score": 1 + (scores[None, :] > scores[:, None]).sum(axis=1),
            "steps": np.array([best[n].steps[-1] for n in range(len(candidates))]),
            "n_weights": np.array([best[n].size for n in range(len(candidates))]),
        }
        if best[0].scores is not None:
            labels = np.array([best[n].scores for n in range(len(candidates))], dtype=float)
            self.cv_results_ |= {
                **{f"split{fold}_test_label": labels[:, fold] for fold in range(self.n_splits_)},
                "mean_test_label": labels @ shares,
                "std_test_label": labels.std(axis=1),
            }
        chosen = trials[choice.trial]
        apart = chosen.errors - chosen.errors[:, :1]
        steps = chosen.steps
        self.curve_ = pd.DataFrame(
            {
                "step": steps,
                "error": shares @ chosen.errors,
                "standard_error": apart.std(axis=0, ddof=1) / np.sqrt(self.n_splits_),
                "chosen": steps == (steps[-1] if choice.trained else 0),
            }
        )

    def _stored_arrays(self) -> dict[str, np.ndarray]:
        curve = {name: self.curve_[name].to_numpy() for name in _CURVE}
        widths = to_arrays(self.widths_, self.intrinsic_dimension_)
        return curve | widths | super()._stored_arrays()

    def _restore_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        curve = {name: arrays[name] for name in _CURVE if name in arrays}
        if set(curve) != set(_CURVE) or len({len(values) for values in curve.values()}) != 1:
            raise ValueError(f"its held-out curve must have {list(_CURVE)}")
        rest = {name: values for name, values in arrays.items() if name not in curve}
        rest = self._restore_head(rest, self._n_features_out)
        self.widths_, self.intrinsic_dimension_ = from_arrays(rest)
        self.curve_ = pd.DataFrame(curve)

    def _take_learned(self, values: Mapping[str, Any]) -> None:
        super()._take_learned(values)
        # Files have lists: a column of settings is one of objects, others are of numbers.
        results = dict(self.cv_results_)
        for name, column in results.items():
            if name == "params" or name.startswith("param_"):
                results[name] = _objects(column)
            else:
                results[name] = np.array(column)
        self.cv_results_ = results


def _objects(values: Sequence[Any]) -> np.ndarray:
    """Return values of any kind as one column, as scikit-learn's searches do."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _on_all_rows(length: "Length", trained: bool, folds: Any, n_rows: int) -> "Length":
    """Return the length that makes as many passes over all rows as a fold made over its own."""
    stop = None if trained else 0
    if length.epoch_rows is None:
        return dataclasses.replace(length, stop=stop)
    rows = np.mean([len(train) for train, _ in folds])
    steps = max(round(length.epoch_rows / length.batch_size * n_rows / rows), 1)
    return dataclasses.replace(length, epoch_rows=steps * length.batch_size, stop=stop)


def _steps(length: "Length", n_rows: int) -> int:
    return length.epochs * -(-(length.epoch_rows or n_rows) // length.batch_size)
