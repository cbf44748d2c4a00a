from types import SimpleNamespace

import numpy as np
import pytest

from narrows.comparison._refit import Prepared
from narrows.comparison._tasks import _parts


def sizes(shape, n_seeds, resamples=25, *, lanes=True, refit=True):
    rows = np.broadcast_to(np.float64(0), shape)
    block = [Prepared(number, rows, rows, rows) for number in range(resamples)]
    plan = SimpleNamespace(refit=refit, n_seeds={"arm": n_seeds})
    parts = _parts(plan, SimpleNamespace(name="arm", lanes=lanes), block)
    assert [one.number for part in parts for one in part] == list(range(resamples))
    return [len(part) for part in parts]


@pytest.mark.parametrize(
    ("shape", "n_seeds", "wanted"),
    [
        ((120, 4), 3, [25]),
        ((120, 4), 20, [25]),
        ((120, 4), 40, [12, 13]),  # never more than about 500 lanes
        ((2_000, 100), 20, [12, 13]),  # fifty million numbers are 250 lanes
        ((1_000_000, 100), 20, [5] * 5),  # nor less than about a hundred
        ((1_000_000, 100), 3, [25]),
        ((1_000_000, 100), 300, [1] * 25),
        ((0, 0), 20, [25]),
    ],
)
def test_an_arm_of_the_engine_is_trained_in_parts(shape, n_seeds, wanted):
    assert sizes(shape, n_seeds) == wanted


def test_other_arms_and_those_fitted_once_are_not_divided():
    assert sizes((120, 4), 100, lanes=False) == [25]
    assert sizes((120, 4), 100, refit=False) == [25]
