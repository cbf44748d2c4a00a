"""The hashed random numbers look random: in themselves, and beside their neighbours."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from narrows.training.looping import _random

SHAPE = (400, 150)
KEYS = [jnp.array(key, jnp.uint32) for key in ((7, 11), (0, 0), (2**32 - 1, 5))]
LEAST_P = 1e-4  # all draws are fixed, so a test that passes once passes always


def words(key=KEYS[0], step=3, site=1, shape=SHAPE):
    return np.asarray(_random.bits(key, jnp.uint32(step), site, shape))


def uniform(**where):
    return words(**where).ravel() / 2**32


def assert_unrelated(one, two):
    assert stats.pearsonr(one, two).pvalue > LEAST_P


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_masks_drop_at_the_rate(key, rate):
    dropped = jnp.uint32(_random.threshold(rate))
    kept = np.asarray(_random.keep_mask(key, jnp.uint32(1), 2, SHAPE, dropped))
    assert kept.dtype == bool
    assert stats.binomtest(int((~kept).sum()), kept.size, rate).pvalue > LEAST_P
    # No row or column of the mask is treated better than another.
    for axis in (0, 1):
        expected = kept.shape[axis] * rate
        statistic = (((~kept).sum(axis) - expected) ** 2 / (expected * (1 - rate))).sum()
        assert stats.chi2(kept.shape[1 - axis]).sf(statistic) > LEAST_P


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("byte", range(4))
def test_every_byte_is_uniform(key, byte):
    counts = np.bincount((words(key) >> (8 * byte) & 255).ravel(), minlength=256)
    assert stats.chisquare(counts).pvalue > LEAST_P


@pytest.mark.parametrize("bit", range(0, 32, 3))
def test_bits_of_a_word_are_unrelated(bit):
    one, two = ((words() >> place & 1).ravel() for place in (bit, (bit + 1) % 32))
    assert_unrelated(one, two)


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 8, 150, 151, 256, 300, 4096])
def test_positions_are_unrelated(lag):
    drawn = uniform()
    assert_unrelated(drawn[:-lag], drawn[lag:])


def test_steps_sites_and_keys_are_unrelated():
    places = [
        {"step": step, "site": site, "key": jnp.array(key, jnp.uint32)}
        for step in (0, 1, 2)
        for site in (0, 1, 2)
        for key in ((7, 11), (8, 11), (7, 12), (11, 7))
    ]
    drawn = [uniform(**place, shape=(2000,)) for place in places]
    pairs = list(itertools.combinations(range(len(drawn)), 2))
    p = np.array([stats.pearsonr(drawn[a], drawn[b]).pvalue for a, b in pairs])
    assert p.min() > LEAST_P / len(pairs)
    assert stats.kstest(p, "uniform").pvalue > LEAST_P


def test_no_draw_is_another_one_shifted():
    """With a mere offset for every step, some steps would draw the same words, moved along."""
    steps, length = 20_000, 64
    drawn = jax.vmap(lambda step: _random.bits(KEYS[0], step, 1, (length,)))
    words = np.asarray(drawn(jnp.arange(steps, dtype=jnp.uint32))).ravel()
    order = np.argsort(words, kind="stable")
    equal = np.flatnonzero(np.diff(words[order]) == 0)
    pairs = np.stack([order[equal] // length, order[equal + 1] // length], axis=1)
    # By chance words do meet, as birthdays do; two meetings of the same two steps are no chance.
    chance = (steps * length) ** 2 / 2 / 2**32
    assert abs(len(pairs) - chance) < 5 * np.sqrt(chance)
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_the_same_place_gives_the_same_words():
    np.testing.assert_array_equal(words(), words())
    np.testing.assert_array_equal(words(shape=(6,)), words(shape=(2, 3)).ravel())
    assert (words() != words(step=4)).mean() > 0.999


def test_the_hash_is_one_to_one():
    first = jnp.arange(200_000, dtype=jnp.uint32)
    assert len(np.unique(np.asarray(_random.mix(first)))) == 200_000


def test_a_flipped_bit_flips_half():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2**32, 2000, dtype=np.uint32)
    plain = np.asarray(_random.mix(jnp.asarray(x)))
    for bit in range(32):
        flipped = plain ^ np.asarray(_random.mix(jnp.asarray(x ^ np.uint32(1 << bit))))
        share = np.unpackbits(flipped.view(np.uint8)).mean()
        assert share == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_normal_numbers(key):
    drawn = np.asarray(_random.normal(key, jnp.uint32(3), 0, SHAPE))
    assert drawn.dtype == np.float32
    assert np.isfinite(drawn).all()
    assert stats.kstest(drawn.ravel(), "norm").pvalue > LEAST_P
    flat = drawn.ravel()
    assert_unrelated(flat[:-1], flat[1:])


@pytest.mark.parametrize("word", [0, 2**32 - 1, 2**31, 2**31 - 1])
def test_normal_numbers_at_the_ends_are_finite(word, monkeypatch):
    monkeypatch.setattr(_random, "bits", lambda *_: jnp.full(3, word, jnp.uint32))
    drawn = np.asarray(_random.normal(KEYS[0], jnp.uint32(0), 0, (3,)))
    assert np.isfinite(drawn).all()
    assert abs(drawn[0]) < 6
    assert (drawn[0] > 0) == (word >= 2**31)
