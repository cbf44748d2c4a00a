import pandas as pd

import narrows.datasets
from narrows.datasets import iris


def test_columns_rows_and_levels():
    table = iris()
    assert table.shape == (150, 5)
    assert list(table.columns) == [
        "Sepal.Length",
        "Sepal.Width",
        "Petal.Length",
        "Petal.Width",
        "Species",
    ]
    assert isinstance(table["Species"].dtype, pd.CategoricalDtype)
    assert list(table["Species"].cat.categories) == ["setosa", "versicolor", "virginica"]
    assert table["Species"].value_counts().tolist() == [50, 50, 50]


def test_rows_that_differ_in_the_uci_copy_are_as_in_r():
    numbers = iris().iloc[:, :4]
    # R counts from 1: rows 35 and 38.
    assert numbers.iloc[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert numbers.iloc[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_means_are_as_r_prints_them():
    # summary(iris): the means, and colMeans(iris[, 1:4]) to all digits.
    means = iris().iloc[:, :4].mean().round(6).tolist()
    assert means == [5.843333, 3.057333, 3.758, 1.199333]


def test_every_call_gives_a_new_frame():
    first = narrows.datasets.iris()
    first.iloc[0, 0] = 99.0
    assert narrows.datasets.iris().iloc[0, 0] == 5.1
