"""Colours and shapes belong to levels, not to the rows that happen to be drawn."""

import itertools

import pandas as pd

from narrows.plots._levels import (
    CLASS_COLOURS,
    MISSING,
    SHAPES,
    as_levels,
    colours_for,
    levels_of,
    shapes_for,
)
from narrows.plots._theme import legend_columns


def test_a_category_keeps_its_colour_when_another_has_no_rows():
    species = pd.Series(pd.Categorical(["setosa", "versicolor", "virginica"]))
    rest = species[1:]
    whole, part = levels_of(species), levels_of(rest)
    assert colours_for(whole, CLASS_COLOURS) == colours_for(part, CLASS_COLOURS)
    assert len(set(colours_for(whole, CLASS_COLOURS).values())) == 3


def test_ninety_levels_differ_in_colour_or_shape():
    levels = [f"level {place:02d}" for place in range(90)]
    colours, shapes = colours_for(levels, CLASS_COLOURS), shapes_for(levels)
    assert len({(colours[level], shapes[level]) for level in levels}) == 90
    assert len(set(SHAPES)) == len(SHAPES)


def test_ten_classes_have_ten_colours_apart_from_each_other():
    def distance(a, b):
        parts = [(int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5)]
        return sum((x - y) ** 2 for x, y in parts) ** 0.5

    pairs = itertools.combinations(CLASS_COLOURS[:10], 2)
    assert min(distance(a, b) for a, b in pairs) > 50


def test_numbers_sort_as_numbers_and_missing_comes_last():
    values = pd.Series([10, 9, None, 2], dtype="Int64")
    assert levels_of(values) == ["2", "9", "10", MISSING]
    assert list(as_levels(values, levels_of(values))) == ["10", "9", MISSING, "2"]


def test_mixed_types_have_an_order():
    assert levels_of(pd.Series(["b", 1, "a"], dtype=object)) == ["1", "a", "b"]


def test_order_of_appearance():
    assert levels_of(pd.Series(["pca", "embedding", "pca"]), by_appearance=True) == [
        "pca",
        "embedding",
    ]


def test_long_labels_stand_below_each_other():
    assert legend_columns(["a", "b", "c"], "Species") == 3
    assert legend_columns(["a" * 50, "b" * 50], "Species") == 1
