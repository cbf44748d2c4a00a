"""Docstrings are there, name every parameter, agree with the signatures, and run."""

import ast
import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import narrows


def modules():
    """Every module of the package."""
    found = pkgutil.walk_packages(narrows.__path__, "narrows.")
    return [narrows, *(importlib.import_module(info.name) for info in found)]


PACKAGES = [module for module in modules() if hasattr(module, "__all__")]
PACKAGES = [m for m in PACKAGES if not m.__name__.rpartition(".")[2].startswith("_")]
# A command's parameters are explained in its own help.
PACKAGES = [m for m in PACKAGES if not m.__name__.startswith("narrows.cli")]


def public_objects():
    """Every public function and class once, under the shortest name it has."""
    found = {}
    for package in PACKAGES:
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isfunction(value) or inspect.isclass(value):
                found.setdefault(value, f"{package.__name__}.{name}")
    return {name: value for value, name in found.items()}


def callables():
    """What has parameters: functions, classes, and the classes' public methods from here."""
    for name, value in public_objects().items():
        yield name, value
        for owner in value.__mro__ if inspect.isclass(value) else ():
            if owner.__module__.split(".")[0] != "narrows":
                continue
            for method, function in vars(owner).items():
                if inspect.isfunction(function) and not method.startswith("_"):
                    yield f"{name}.{method}", function


CALLABLES = dict(callables())


def parameters(value):
    """The parameters a caller can give, by name."""
    if inspect.isclass(value) and value.__init__ is object.__init__:
        return {}
    if inspect.isclass(value) and issubclass(value, BaseException):
        return {}
    named = inspect.signature(value).parameters.values()
    return {p.name: p for p in named if p.name not in {"self", "cls"}}


def section(doc, *titles):
    """Map each name in a numpydoc section to what stands after its colon."""
    found = {}
    for title in titles:
        match = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", doc, re.M | re.S)
        for line in match[1].splitlines() if match else []:
            if not line or line[0].isspace():
                continue
            names, _, kind = line.partition(" : ")
            found |= {name.strip().lstrip("*"): kind for name in names.split(",")}
    return found


def documented(value):
    doc = inspect.getdoc(value) or ""
    fields = dataclasses.is_dataclass(value)
    return section(doc, "Parameters", *(["Attributes"] if fields else []))


def isort_order(name):
    """The order of ruff's RUF022: constants, classes, the rest; each by number-aware name."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)]


def test_there_is_something_to_check():
    assert {"narrows", "narrows.data", "narrows.networks", "narrows.embedders"} <= {
        package.__name__ for package in PACKAGES
    }
    assert {"narrows.Autoencoder", "narrows.PCA.fit", "narrows.partition"} <= set(CALLABLES)
    assert documented(narrows.Autoencoder)["loss"].endswith('default="mse"')
    known = ["X", "y", "sample_weight", "validation_data"]
    assert list(documented(narrows.Autoencoder.fit))[:4] == known


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_is_sorted_and_true(package):
    assert package.__doc__
    if package is not narrows:  # which has those of its embedders too
        assert package.__all__ == sorted(package.__all__, key=isort_order)
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert hasattr(package, name)


@pytest.mark.parametrize("name", CALLABLES)
def test_docstring_is_there(name):
    doc = CALLABLES[name].__doc__
    assert doc, "no docstring"
    assert not doc.startswith(f"{name.rpartition('.')[2]}("), "a dataclass's automatic one"
    assert doc.strip().splitlines()[0].endswith("."), "the first line is a sentence"


@pytest.mark.parametrize("name", CALLABLES)
def test_every_parameter_is_documented_and_no_other(name):
    value = CALLABLES[name]
    wanted, found = set(parameters(value)), set(documented(value))
    assert wanted - found == set()
    if not dataclasses.is_dataclass(value):
        assert found - wanted == set()


@pytest.mark.parametrize("name", CALLABLES)
def test_stated_defaults_are_the_signatures(name):
    for parameter, kind in documented(CALLABLES[name]).items():
        stated = re.search(r"default=(.+)$", kind)
        if stated is None:
            continue
        actual = parameters(CALLABLES[name])[parameter].default
        assert ast.literal_eval(stated[1]) == actual, parameter
        assert type(ast.literal_eval(stated[1])) is type(actual), parameter


DOCTESTS = [
    test
    for module in modules()
    for test in doctest.DocTestFinder(exclude_empty=True).find(module)
    if test.examples
]


def test_there_are_examples():
    assert {"Autoencoder", "PCA", "partition"} <= {t.name.rpartition(".")[2] for t in DOCTESTS}


@pytest.mark.long
@pytest.mark.parametrize("test", DOCTESTS, ids=lambda test: test.name)
def test_examples_run(test):
    lines = []
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.DocTestRunner(optionflags=options).run(test, out=lines.append)
    assert result.failed == 0, "".join(lines)
