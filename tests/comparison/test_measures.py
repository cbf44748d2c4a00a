import math

import numpy as np
import pytest

from narrows.comparison import accuracy, kappa


def test_worked_case():
    # Cohen's table by hand: 50 rows, both yes 20, both no 15, 5 and 10 in disagreement.
    y_true = np.repeat(["yes", "yes", "no", "no"], [20, 5, 10, 15])
    y_pred = np.repeat(["yes", "no", "yes", "no"], [20, 5, 10, 15])
    assert accuracy(y_true, y_pred) == pytest.approx(35 / 50)
    by_chance = (25 / 50) * (30 / 50) + (25 / 50) * (20 / 50)
    assert kappa(y_true, y_pred) == pytest.approx((0.7 - by_chance) / (1 - by_chance))


def test_kappa_is_nan_where_chance_agrees_always():
    assert math.isnan(kappa(["a", "a"], ["a", "a"]))


def test_kappa_is_zero_for_a_constant_guess():
    assert kappa(["a", "b", "a"], ["a", "a", "a"]) == pytest.approx(0)
