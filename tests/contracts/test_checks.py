"""One exception for parameters: its fields, its sentence, and what it is beside a ValueError."""

import pickle

import pytest
from sklearn.utils._param_validation import InvalidParameterError

from narrows import PCA
from narrows._checks import (
    ParameterError,
    check_integer,
    check_option,
    check_real,
    did_you_mean,
    refusal,
)


def refused(check, *arguments, **settings):
    with pytest.raises(ParameterError) as error:
        check(*arguments, **settings)
    return error.value


def test_fields_and_sentence():
    error = refused(check_integer, "compare", "seeds", 0, least=1)
    fields = (error.owner, error.name, error.wanted, error.got)
    assert fields == ("compare", "seeds", "be an int in the range [1, inf)", "0")
    assert str(error) == (
        "The 'seeds' parameter of compare must be an int in the range [1, inf). Got 0 instead."
    )
    assert error.sentence({"seeds": "--seeds"}).startswith("--seeds must be an int")


def test_settings_in_the_advice_are_called_as_options_too():
    error = refusal("compare", "y", "have rows", "none", "Take {folds}.", folds="2x5")
    assert str(error).endswith("Take folds='2x5'.")
    assert error.sentence({"folds": "--resampling"}).endswith("Take --resampling 2x5.")


@pytest.mark.parametrize("owner", ["compare", PCA()])
def test_an_error_of_an_estimator_is_scikit_learns_too(owner):
    error = refusal(owner, "x", "be 1", "2", "Take 1.")
    assert isinstance(error, ValueError)
    assert isinstance(error, InvalidParameterError) == (owner != "compare")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


@pytest.mark.parametrize("value", [True, 1.5, "1", None, 11])
def test_integers(value):
    assert "[1, 10], the rows" in str(
        refused(check_integer, None, "k", value, least=1, most=10, why="the rows")
    )


@pytest.mark.parametrize("value", [0, 1, float("nan"), "0.5", True])
def test_numbers(value):
    assert "(0, 1)" in str(refused(check_real, "f", "x", value, low=0, high=1, open_low=True))


def test_options_have_near_matches():
    error = refused(check_option, "f", "task", ["classification", "regression"], "Classif")
    assert str(error) == (
        "The 'task' parameter of f must be one of 'classification', 'regression'. "
        "Got 'Classif' instead. Did you mean 'classification'?"
    )
    assert did_you_mean("zzz", ["a"]) == ""
