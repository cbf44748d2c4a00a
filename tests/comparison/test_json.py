"""JSON that is a comparison only in part."""

import json

import pytest

import narrows
from narrows import PCA, compare
from narrows.comparison import Comparison

iris = narrows.datasets.iris()


@pytest.fixture(scope="module")
def content():
    found = compare(
        {"pca": PCA(2)}, iris.drop(columns="Species"), iris["Species"], probes="neighbours",
        resampling="3x1", preprocess="none", controls=(), quality=False, random_state=0,
    )  # fmt: skip
    return json.loads(found.to_json())


def without(content, *names):
    copy = json.loads(json.dumps(content))
    place = copy
    for name in names[:-1]:
        place = place[name]
    del place[names[-1]]
    return copy


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["settings"], "Got one without 'settings'"),
        (["scores"], "Got one without 'scores'"),
        (["labels"], "Got one without 'labels'"),
        (["seconds"], "Got one without 'seconds'"),
        (["settings", "arms"], "Got one without 'settings.arms'"),
        (["scores", "value"], "Got one without 'scores.value'"),
        (["resamples", "pairs"], "Resamples.from_config"),
        (["version"], "must state its format version, a whole number. Got None"),
    ],
)
def test_a_part_that_is_missing_is_named(content, names, message):
    with pytest.raises(ValueError, match=message):
        Comparison.from_json(json.dumps(without(content, *names)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "1"}, "a whole number. Got '1'"),
        ({"version": True}, "a whole number. Got True"),
        ({"version": 9, "narrows": None}, "written by narrows None. Upgrade"),
        ({"settings": []}, "without 'settings', or with something else in its place"),
        ({"resamples": 3, "points": None}, "without 'resamples', 'points'"),
    ],
)
def test_something_else_in_its_place(content, change, message):
    with pytest.raises(ValueError, match=message):
        Comparison.from_json(json.dumps(content | change))


def test_the_whole_is_read(content):
    assert Comparison.from_json(json.dumps(content)).arms == ["pca"]


@pytest.mark.parametrize(
    ("old", "task"), [("classes", "classification"), ("numbers", "regression")]
)
def test_files_that_call_tasks_by_their_old_names_are_read(content, old, task):
    written = content | {"settings": content["settings"] | {"task": old}}
    assert Comparison.from_json(json.dumps(written)).settings["task"] == task
