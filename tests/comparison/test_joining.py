"""Two comparisons as one: what may differ, and what is kept of both."""

import dataclasses

import pytest

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison import Comparison, Forest

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
FAST = {
    "probes": "neighbours", "resampling": "5x1", "seeds": 2, "controls": (), "random_state": 0,
    "preprocess": "none", "quality": False,
}  # fmt: skip
SMALL, BIG = Autoencoder(epochs=3, encoder=(8,)), Autoencoder(3, epochs=3, encoder=(12,))


def run(arms, **options):
    return compare(arms, X, y, **(FAST | options))


@pytest.fixture(scope="module")
def small():
    return run({"pca": PCA(2), "small": SMALL}, controls=("untrained",))


@pytest.fixture(scope="module")
def big(small):
    options = {"controls": ("untrained",), "random_state": 1, "resampling": small.resamples}
    return run({"big": BIG}, **options)


def test_workers_keep_nothing_apart():
    forest = {"probes": Forest(20, n_jobs=1), "n_jobs": 1}
    one = run({"pca": PCA(2)}, **forest)
    two = run({"one": PCA(1)}, **(forest | {"probes": Forest(20, n_jobs=2)}))
    assert one.beside(two).arms == ["pca", "one"]
    three = run({"one": PCA(1)}, **(forest | {"probes": Forest(21, n_jobs=1)}))
    with pytest.raises(ValueError, match="the same probes"):
        one.beside(three)


def test_the_untrained_encoder_of_another_network_stays(small, big):
    both = small.beside(big)
    new = "untrained encoder of big"
    assert both.controls == ["untrained encoder", new]
    assert both.settings["arms"][new] == big.settings["arms"]["untrained encoder"]
    assert both.settings["seeds"][new] == 2
    frame, kept = both.frame(), big.frame()
    assert (
        frame[frame["arm"] == new]["value"].tolist()
        == kept[kept["arm"] == "untrained encoder"]["value"].tolist()
    )
    assert len(frame[frame["arm"] == "untrained encoder"]) == len(kept) / 2
    assert new in both.points["arm"].tolist()


def test_the_untrained_encoder_of_the_same_network_is_left_out(small):
    other = run({"again": SMALL}, controls=("untrained",), resampling=small.resamples)
    assert small.beside(other).controls == ["untrained encoder"]


def test_both_random_states_are_kept(small, big):
    both = small.beside(big)
    assert both.settings["random_state"] == 0
    expected = {"big": 1, "untrained encoder of big": 1}
    assert both.settings["random_states"] == expected
    third = run({"one": PCA(1)}, random_state=2, resampling=small.resamples)
    assert third.beside(both).settings["random_states"] == {
        "pca": 0, "small": 0, "untrained encoder": 0, **expected,
    }  # fmt: skip
    assert "random_states" not in small.beside(run({"one": PCA(1)})).settings
    assert Comparison.from_json(both.to_json()).settings["random_states"] == expected


def test_random_states_follow_a_name(small, big):
    settings = big.settings | {"random_states": {"untrained encoder": 7}}
    both = small.beside(dataclasses.replace(big, settings=settings))
    assert both.settings["random_states"] == {"big": 1, "untrained encoder of big": 7}
