"""Was the embedding worth it: arms × resamples × seeds → scores → intervals → verdicts."""

from narrows.comparison._caret import CaretForest, caret_forest
from narrows.comparison._compare import compare
from narrows.comparison._comparison import Comparison
from narrows.comparison._out_of_fold import out_of_fold
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
    signed,
)
from narrows.comparison.resampling._draw import (
    holdout,
    own_resamples,
    parse_resampling,
    repeated_kfold,
)
from narrows.comparison.resampling._resamples import Resamples, bootstrap
from narrows.comparison.results._arm_records import ArmRecord
from narrows.comparison.results._presentation import Answer, answers
from narrows.comparison.results._text import (
    failure_counts,
    failure_lines,
    heading,
    headline,
    score_cells,
    score_tables,
)
from narrows.comparison.statistics._decisions import Posterior, holm, posterior, verdict
from narrows.comparison.statistics._intervals import Interval, corrected_interval, corrected_t_test
from narrows.data import label_kind

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "Answer",
    "ArmRecord",
    "CaretForest",
    "Comparison",
    "Forest",
    "ForestRegressor",
    "Interval",
    "Measure",
    "Posterior",
    "Resamples",
    "accuracy",
    "answers",
    "bootstrap",
    "caret_forest",
    "compare",
    "corrected_interval",
    "corrected_t_test",
    "headline",
    "holdout",
    "holm",
    "kappa",
    "label_kind",
    "log_loss",
    "out_of_fold",
    "own_resamples",
    "parse_resampling",
    "posterior",
    "r2",
    "repeated_kfold",
    "rmse",
    "verdict",
]
