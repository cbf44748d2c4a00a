"""Embedding parts of a table on Dask's workers, as docs/deployment.md shows it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import narrows
from narrows.data import TablePreprocessor

dataframe = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")


@pytest.mark.long
def test_parts_on_workers_are_the_whole(tmp_path):
    table = narrows.datasets.iris()
    embedder = narrows.Autoencoder(encoder=(5,), epochs=1, random_state=0)
    pipeline = make_pipeline(TablePreprocessor(), embedder).fit(table)

    def embedded(part):
        Z = pipeline.transform(part[list(pipeline.feature_names_in_)])
        return pd.DataFrame(Z, columns=["z0", "z1"], index=part.index)

    for number in range(3):
        rows = table.iloc[50 * number : 50 * number + 50]
        rows.assign(more=1).to_parquet(tmp_path / f"{number}.parquet")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as here,
        distributed.Client(here),
    ):
        rows = dataframe.read_parquet(tmp_path / "*.parquet")
        meta = {"z0": "float32", "z1": "float32"}
        found = rows.map_partitions(embedded, meta=meta).compute()
    assert list(found.dtypes) == [np.float32, np.float32]
    np.testing.assert_allclose(found, pipeline.transform(table), rtol=1e-5, atol=1e-6)
