from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import narrows
from narrows.comparison._arms import Arm
from narrows.comparison.running import _fit
from narrows.comparison.running._design import _parts
from narrows.comparison.running._fit import PreparedRows


def sizes(shape, n_seeds, resamples=25, *, lanes=True, refit=True):
    rows = np.broadcast_to(np.float64(0), shape)
    block = [PreparedRows(number, rows, rows, rows) for number in range(resamples)]
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


# Lanes whose weights are held at once


def test_a_large_network_is_trained_a_few_lanes_after_the_others(monkeypatch):
    calls, seen = [], []

    class Counted(narrows.Autoencoder):
        def _fit_lanes(self, Xs, seeds, on_progress=None):
            calls.append(len(seeds))
            return super()._fit_lanes(Xs, seeds, on_progress)

    def compared():
        iris = narrows.datasets.iris()
        return narrows.compare(
            {"own": Counted(encoder=(8,), epochs=3)}, iris.drop(columns="Species"),
            iris["Species"], resampling="5x1", seeds=2, probes="neighbours", preprocess="none",
            controls=("untrained",), random_state=0,
            progress=lambda done, wanted: seen.append(done / wanted),
        ).frame()  # fmt: skip

    together = compared()
    assert calls == [10]
    monkeypatch.setattr(_fit, "FEWEST_LANES", 4)
    monkeypatch.setattr(_fit, "_WEIGHTS_AT_ONCE", 1)
    calls.clear(), seen.clear()
    divided = compared()
    assert calls == [4, 4, 2]
    assert (np.diff(seen) >= -1e-9).all()
    assert seen[-1] == 1
    labels = ["arm", "resample", "seed", "measure"]
    assert together[labels].equals(divided[labels])
    errors = [frame.query("measure == 'reconstruction_error'") for frame in (together, divided)]
    assert len(errors[0]) == 20
    np.testing.assert_allclose(errors[0]["value"], errors[1]["value"], rtol=1e-3)


def test_progress_does_not_fall_back_where_resamples_differ_in_width():
    seen = []
    steps = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    arm = Arm("own", make_pipeline(steps, narrows.Autoencoder(encoder=(8,), epochs=2)))
    block = []
    for number, levels in enumerate((3, 5, 3)):
        rows = np.arange(40.0).reshape(-1, 1) % levels
        block.append(PreparedRows(number, rows, rows, rows))
    found = list(_fit.lanes_of(arm, block, [[1, 2]] * 3, lambda *pair: seen.append(pair)))
    places = [(one.resample, one.seed) for one in found]
    assert sorted(places) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert {wanted for _, wanted in seen} == {6}
    done = [done for done, _ in seen]
    assert (np.diff(done) >= 0).all()
    assert 4 in done  # the resamples with three levels are through
    assert done[-1] == 6


@pytest.mark.parametrize(
    ("columns", "wanted", "lanes"),
    [
        (4, 500, 684_931),  # 146 weights: 4·10 + 10, 10·2 + 2, 2·10 + 10, 10·4 + 4
        (10_000, 500, 476),  # 210,062
        (100_000, 500, 100),  # 2,100,062 weights would be 47 lanes
        (100_000, 70, 70),
    ],
)
def test_lanes_at_once_go_by_the_weights(columns, wanted, lanes):
    network = narrows.Autoencoder(encoder=(10,), residual=False)
    assert _fit._lanes_at_once(network, columns, wanted) == lanes


def test_lanes_at_once_go_by_the_weights_of_all_restarts():
    network = narrows.Autoencoder(encoder=(10,), residual=False, restarts=3)
    assert _fit._lanes_at_once(network, 10_000, 500) == 158  # 630,186 weights


@pytest.mark.parametrize("lanes", [10, 150])
def test_a_bad_parameter_is_named_however_many_lanes_there_are(lanes):
    rows = np.arange(40.0).reshape(20, 2)
    arm = Arm("own", narrows.Autoencoder(encoder=(-5,)))
    with pytest.raises(ValueError, match=r"The 'encoder' parameter of Autoencoder must be"):
        list(_fit.lanes_of(arm, [PreparedRows(0, rows, rows, rows)], [list(range(lanes))]))


def test_a_preprocessing_that_fails_on_all_rows_is_not_tried_in_every_resample():
    tried = []

    class Refuses(StandardScaler):
        def fit(self, X, y=None, sample_weight=None):
            tried.append(len(X))
            raise ValueError("no")

    rng = np.random.default_rng(0)
    found = narrows.compare(
        {"pca": narrows.PCA(2)}, rng.normal(size=(40, 3)), rng.integers(0, 2, 40),
        resampling="5x1", seeds=1, probes="neighbours", controls=(), random_state=0,
        preprocess={"own": Refuses(), "scaled": StandardScaler()}, refit=False,
    )  # fmt: skip
    assert tried == [40, 40]  # when the table is surveyed, and once in the run
    assert found.failures["resample"].tolist() == [0, 1, 2, 3, 4]
    assert set(found.failures["message"]) == {"the preprocessing failed: no"}
    assert set(found.frame()["preprocess"]) == {"scaled"}
