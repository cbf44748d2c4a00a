"""The same numbers in this process, with workers that differ, and on a cluster of Dask's."""

from dataclasses import dataclass
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib.parallel import ThreadingBackend
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import KernelPCA
from threadpoolctl import threadpool_info, threadpool_limits

import narrows
from narrows.comparison.running import _reproducible
from narrows.comparison.running._reproducible import the_same_anywhere

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]


def run(**options):
    arms = {
        "pca": narrows.PCA(2),
        # Its kernel is a matrix product that scikit-learn cuts into as many pieces as it has jobs.
        "kernel": KernelPCA(2, kernel="rbf"),
        "autoencoder": narrows.Autoencoder(encoder=(8,), epochs=2),
    }
    return narrows.compare(
        arms, X, y, probes=("forest", "logistic"), resampling="3x1", seeds=2, random_state=1,
        controls=(), **options,
    )  # fmt: skip


class Cluster(ThreadingBackend):
    """Like joblib's backend of Dask: tasks see it, and it has two workers whatever n_jobs is."""

    supports_sharedmem = False

    def effective_n_jobs(self, n_jobs):
        return 2

    def get_nested_backend(self):
        return Cluster(nesting_level=0), None


joblib.register_parallel_backend("narrows-test-cluster", Cluster)


@pytest.fixture(scope="module")
def alone():
    return run(n_jobs=1).frame()


@pytest.mark.long
def test_a_cluster_cuts_no_task_up(alone):
    with joblib.parallel_config(backend="narrows-test-cluster"):
        pd.testing.assert_frame_equal(run().frame(), alone, check_exact=True)


@pytest.mark.long
def test_dask_gives_the_same(alone):
    """Its arrays begin anywhere in a message; to NumPy these are of another kind."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as here,
        distributed.Client(here),
        joblib.parallel_config(backend="dask"),
    ):
        pd.testing.assert_frame_equal(run().frame(), alone, check_exact=True)


@dataclass(frozen=True)
class Rows:
    values: np.ndarray


def test_arrays_are_where_their_numbers_can_be_read_at_once():
    raw = bytearray(8 * 100 + 1)
    values = np.frombuffer(raw, np.uint8)[1:].view(float)
    values[:] = np.arange(100.0)
    assert not values.flags.aligned
    given = Rows(values)
    seen = the_same_anywhere(lambda rows: rows)(given)
    assert seen.values.flags.aligned
    np.testing.assert_array_equal(seen.values, values)
    assert the_same_anywhere(lambda rows: rows)(seen) is seen


def test_a_task_has_one_thread_and_the_process_its_own_before_and_after():
    def threads():
        return [pool["num_threads"] for pool in threadpool_info()]

    _reproducible._controller.cache_clear()
    with threadpool_limits(2):
        before = threads()
        assert 2 in before
        assert set(the_same_anywhere(threads)()) == {1}
        with _reproducible.one_thread():
            assert set(threads()) == {1}
        assert threads() == before


class Preparing(TransformerMixin, BaseEstimator):
    """Notes how many threads there are where it is fitted in a resample."""

    seen: ClassVar[set[int]] = set()

    def fit(self, X, y=None):
        if len(X) < len(iris):
            self.seen.update(pool["num_threads"] for pool in threadpool_info())
        return self

    def transform(self, X):
        return X


def test_preprocessing_has_one_thread_too():
    with threadpool_limits(2):
        run(preprocess={"noting": Preparing()})
    assert Preparing.seen == {1}


def test_a_comparison_leaves_the_number_of_threads_as_it_was():
    with threadpool_limits(2):
        before = threadpool_info()
        run()
        after = threadpool_info()
    assert after[: len(before)] == before


def test_joblibs_own_workers_keep_their_backend():
    def backend():
        return type(joblib.parallel.get_active_backend()[0]).__name__

    assert the_same_anywhere(backend)() == backend()
    with joblib.parallel_config(backend="narrows-test-cluster"):
        assert backend() == "Cluster"
        assert the_same_anywhere(backend)() == "ThreadingBackend"
