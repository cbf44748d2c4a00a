"""Was the embedding worth it: arms × resamples × seeds → scores → intervals → verdicts."""

from narrows.comparison._caret import CaretForest, caret_forest
from narrows.comparison._compare import compare
from narrows.comparison._comparison import Comparison
from narrows.comparison._forest import Forest
from narrows.comparison._forest_regressor import ForestRegressor
from narrows.comparison._intervals import Interval, corrected_interval, corrected_t_test
from narrows.comparison._labels import label_kind
from narrows.comparison._measures import Measure, accuracy, kappa, log_loss, r2, rmse
from narrows.comparison._progress import progress_bar
from narrows.comparison._resamples import Resamples, bootstrap
from narrows.comparison._resampling import (
    holdout,
    own_resamples,
    parse_resampling,
    repeated_kfold,
)
from narrows.comparison._verdicts import Posterior, holm, posterior, verdict

__all__ = [
    "CaretForest",
    "Comparison",
    "Forest",
    "ForestRegressor",
    "Interval",
    "Measure",
    "Posterior",
    "Resamples",
    "accuracy",
    "bootstrap",
    "caret_forest",
    "compare",
    "corrected_interval",
    "corrected_t_test",
    "holdout",
    "holm",
    "kappa",
    "label_kind",
    "log_loss",
    "own_resamples",
    "parse_resampling",
    "posterior",
    "progress_bar",
    "r2",
    "repeated_kfold",
    "rmse",
    "verdict",
]
