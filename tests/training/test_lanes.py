"""Lanes: together equals alone, and nothing depends on what it should not depend on."""

import numpy as np
import pytest

SEEDS = [(7, k) for k in range(23)]  # three chunks, the last not full
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(scope="module")
def together(fit):
    return fit(SEEDS)


def same_bits(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))


@pytest.mark.parametrize("lane", [0, 9, 10, 22])
def test_a_lane_alone_ends_where_it_ends_in_a_group(fit, together, lane):
    alone = fit([SEEDS[lane]])
    np.testing.assert_allclose(alone.history[0], together.history[lane], **TOLERANCE)
    for mine, group in zip(alone.weights, together.weights, strict=True):
        np.testing.assert_allclose(mine[0], group[lane], **TOLERANCE)


def test_lanes_differ_from_each_other(together):
    kernels = together.weights[0].reshape(len(SEEDS), -1)
    assert len(np.unique(kernels.round(6), axis=0)) == len(SEEDS)
    assert len(np.unique(together.history[:, -1, 0])) == len(SEEDS)


def test_the_same_seeds_give_the_same_bits(fit, together):
    assert same_bits(fit(SEEDS), together)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_nothing(fit, together, threads):
    assert same_bits(fit(SEEDS, threads=threads), together)


@pytest.mark.parametrize("cores", [1, 2])
def test_there_are_as_many_threads_as_cores_that_may_be_used(fit, monkeypatch, cores):
    """In a container that is fewer than the machine has."""
    from concurrent.futures import ThreadPoolExecutor

    from narrows.training import _train

    made = []

    def counted(workers, **options):
        made.append(workers)
        return ThreadPoolExecutor(workers, **options)

    monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    monkeypatch.setattr(_train, "ThreadPoolExecutor", counted)
    fit(SEEDS, epochs=1)
    assert made == [cores]


def test_short_segments_change_nothing(fit, together, monkeypatch):
    from narrows.training import _chunk

    class Crawl(_chunk.Pace):
        def next(self, epochs_left, step):
            return 1, min(step + 1, self._steps)

    monkeypatch.setattr(_chunk, "Pace", Crawl)
    assert same_bits(fit(SEEDS), together)


def test_orders_are_sent_for_many_epochs_at_once(fit, monkeypatch):
    """Of thousands of lanes they are large, and their segments short."""
    from narrows.training import _chunk

    drawn = []

    class Counted(_chunk._Ahead):
        def _draw(self, epochs):
            drawn.append(epochs)
            return super()._draw(epochs)

    monkeypatch.setattr(_chunk, "_Ahead", Counted)
    monkeypatch.setattr(_chunk, "_SEGMENT_SECONDS", 1e-9)
    fit(SEEDS[:1], epochs=70)
    assert drawn == [64, 6]


def test_a_lane_trains_on_its_own_rows_only(fit, rows):
    """Two lanes on two halves, in one program: each as if the other half did not exist."""
    halves = [np.arange(25), np.arange(25, 50)]
    seeds = [(1, 0)] * 2
    both = fit(seeds, lane_rows=halves)
    spoiled = rows.copy()
    spoiled[:25] = 1e6
    other = fit(seeds, lane_rows=halves, x=spoiled)
    assert np.array_equal(both.weights[0][1], other.weights[0][1])
    assert not np.array_equal(both.weights[0][0], other.weights[0][0])


def test_bootstrap_rows_count_as_often_as_they_are_drawn(fit, rows):
    """A lane on repeated rows equals a lane on data in which those rows stand repeated."""
    drawn = np.random.default_rng(0).integers(0, 50, 50)
    unrolled = np.concatenate([rows[drawn], rows[50:]])
    one = fit([(3, 0)], lane_rows=[drawn])
    other = fit([(3, 0)], x=unrolled)
    np.testing.assert_allclose(one.history, other.history, **TOLERANCE)


def test_learning_rates_belong_to_lanes(fit, recipe, rows):
    from narrows.training import train

    rates = [1e-3, 1e-2]
    both = train(
        recipe, rows, [np.arange(50)] * 2, [np.arange(50, 70)] * 2, epochs=4, batch_size=16,
        seeds=[(5, 0)] * 2, learning_rates=rates,
    )  # fmt: skip
    for lane, rate in enumerate(rates):
        alone = fit([(5, 0)], rate=rate)
        np.testing.assert_allclose(alone.history[0], both.history[lane], **TOLERANCE)


def test_a_lane_that_diverges_is_named_and_harms_no_other(fit, recipe, rows):
    from narrows.training import train

    both = train(
        recipe, rows, [np.arange(50)] * 3, [np.arange(50, 70)] * 3, epochs=4, batch_size=16,
        seeds=[(5, 0), (5, 1), (5, 2)], learning_rates=[1e-3, 1e30, 1e-3],
    )  # fmt: skip
    assert list(both.diverged) == [False, True, False]
    assert both.epochs_run[1] < 4
    assert np.isnan(both.history[1, both.epochs_run[1] :]).all()
    alone = fit([(5, 2)])
    np.testing.assert_allclose(alone.history[0], both.history[2], **TOLERANCE)


@pytest.mark.long
def test_sample_weights_weigh_losses_as_in_keras(rows):
    """Keras divides the weighted sum by the number of rows; a weight of 0 still counts as a row."""
    from narrows._keras import keras
    from narrows.objectives import Reconstruction
    from narrows.training import Recipe, train

    keras.utils.set_random_seed(2)
    inputs = keras.Input((4,))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(5, use_bias=False)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(4)(x))
    weights = np.random.default_rng(0).integers(0, 3, 70).astype("float32")
    order, held = np.arange(50), np.arange(50, 70)
    recipe = Recipe(model, Reconstruction("mse"), keras.optimizers.Adam(), ())
    ours = train(
        recipe, rows, [order], [held], epochs=3, batch_size=16, seeds=[(0, 0)],
        learning_rates=[1e-2], sample_weights=weights,
        initial=[np.asarray(v.value)[None] for v in model.variables],
        orders=[np.tile(order, (3, 1))],
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(1e-2), loss="mse")
    theirs = model.fit(
        rows[:50], rows[:50], sample_weight=weights[:50], batch_size=16, epochs=3, shuffle=False,
        validation_data=(rows[50:70], rows[50:70], weights[50:]),
        validation_batch_size=20, verbose=0,
    ).history  # fmt: skip
    np.testing.assert_allclose(ours.history[0, :, 0], theirs["loss"], rtol=1e-4)
    np.testing.assert_allclose(ours.history[0, :, 1], theirs["val_loss"], rtol=1e-4)
    for variable, mine in zip(model.variables, ours.weights, strict=True):
        np.testing.assert_allclose(mine[0], np.asarray(variable.value), rtol=1e-4, atol=1e-5)
