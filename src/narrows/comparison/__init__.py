"""Was the embedding worth it: arms × resamples × seeds → scores → intervals → verdicts."""

from narrows.comparison._caret import CaretForest, caret_forest
from narrows.comparison._compare import compare
from narrows.comparison._comparison import Comparison
from narrows.comparison._portraits import Portrait, Portraits, check_same_rows, portraits
from narrows.comparison.probes._forest import Forest, ForestRegressor
from narrows.comparison.probes._measures import (
    Measure,
    accuracy,
    kappa,
    log_loss,
    measure_named,
    r2,
    rmse,
)
from narrows.comparison.resampling._draw import (
    holdout,
    own_resamples,
    parse_resampling,
    repeated_kfold,
)
from narrows.comparison.resampling._resamples import Resamples, bootstrap
from narrows.comparison.results._text import heading, score_table, signed
from narrows.comparison.running._preprocessing import table_of
from narrows.comparison.running._schedule import progress_bar
from narrows.comparison.statistics._decisions import Posterior, holm, posterior, verdict
from narrows.comparison.statistics._intervals import Interval, corrected_interval, corrected_t_test
from narrows.data import label_kind

# The public names; what else is imported above is for the house's other packages.
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
