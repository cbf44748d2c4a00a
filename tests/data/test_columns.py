"""Columns of kinds that NumPy or pandas do not have."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import narrows
from narrows.comparison import label_kind
from narrows.data import TablePreprocessor


@pytest.mark.parametrize("kind", ["Int128", "UInt128"])
def test_whole_numbers_of_128_bits(kind):
    pl = pytest.importorskip("polars")
    kind = getattr(pl, kind, None) or pytest.skip("an older polars")
    given = {"a": [3, 1, 4, 1], "b": [2, None, 7, 1], "c": [2**70, 0, 1, 2]}
    wide = pl.DataFrame(given, schema=dict.fromkeys(given, kind), strict=False)
    fitted = TablePreprocessor(scale="none").fit(wide)
    assert [one.dtype for one in fitted.encodings_] == ["int64", "Int64", "float64"]
    values = fitted.transform(wide)
    np.testing.assert_array_equal(values[:, 0], given["a"])
    np.testing.assert_array_equal(values[:, -1], [2.0**70, 0, 1, 2])
    back = fitted.inverse_transform(values)
    assert back["a"].tolist() == given["a"]
    plain = narrows.PCA(1).fit_transform(np.array(given["a"] * 2).reshape(4, 2))
    np.testing.assert_array_equal(
        plain, narrows.PCA(1).fit_transform(pl.DataFrame({"a": given["a"][::2] * 2, "b":
        given["a"][1::2] * 2}, schema={"a": kind, "b": kind}))
    )  # fmt: skip


def test_labels_and_groups_of_128_bits():
    pl = pytest.importorskip("polars")
    rows = np.random.default_rng(0).integers(0, 50, (24, 2))
    X = pl.DataFrame({"a": rows[:, 0], "b": rows[:, 1]}, schema={"a": pl.Int128, "b": pl.Int128})
    y, groups = [n % 2 for n in range(24)], [n // 2 for n in range(24)]
    wide = pl.Series(y, dtype=pl.Int128)
    assert label_kind(wide) == "classification"
    options = {"probes": ("neighbours",), "resampling": "3x1", "seeds": 1, "controls": (),
               "preprocess": ("none",), "quality": False, "random_state": 0}  # fmt: skip
    arms = {"pca": narrows.PCA(1)}
    found = narrows.compare(
        arms, X, wide, groups=pl.Series(groups, dtype=pl.Int128), **options
    ).frame()
    expected = narrows.compare(arms, X.cast(pl.Int64), y, groups=groups, **options).frame()
    pd.testing.assert_frame_equal(found, expected)
    for one, other in zip(
        narrows.partition(wide, random_state=0), narrows.partition(y, random_state=0), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("zones", "named"),
    [
        (["Europe/Berlin", "America/New_York"], "'America/New_York', 'Europe/Berlin'"),
        (["Europe/Berlin", None], "'Europe/Berlin', 'none'"),
    ],
)
def test_datetimes_in_several_zones_name_the_column(zones, named):
    moments = [datetime.datetime(2024, 1, 1, tzinfo=z and ZoneInfo(z)) for z in zones]
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "when": pd.Series([*moments, None], dtype=object)})
    with pytest.raises(ValueError, match=rf"Column 'when' must hold .* one .*{named} .*utc=True"):
        TablePreprocessor().fit(frame)


def test_times_of_arrow_with_nanoseconds_name_the_column():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"x": [1.0, 2.0], "t": pa.array([1, 2], pa.time64("ns"))})
    with pytest.raises(TypeError, match="Got Time in column 't' instead"):
        TablePreprocessor().fit(table)
