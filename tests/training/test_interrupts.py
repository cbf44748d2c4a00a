"""Ctrl-C ends a training with what was trained; progress is reported on the way."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest


def test_progress_reaches_what_is_wanted_and_never_falls(fit):
    seen = []
    fit([(1, k) for k in range(7)], epochs=30, on_progress=lambda *at: seen.append(at))
    done, wanted = zip(*seen, strict=True)
    assert set(wanted) == {30.0 * 7}
    assert list(done) == sorted(done)
    assert done[-1] == pytest.approx(wanted[-1])


def test_an_interrupt_returns_the_epochs_that_were_finished(fit, monkeypatch):
    from narrows.training import _chunk

    monkeypatch.setattr(_chunk, "_SEGMENT_SECONDS", 1e-9)  # one step a segment

    def interrupt(done, wanted):
        if done > 2:
            raise KeyboardInterrupt

    stopped = fit([(1, 0)], epochs=100_000, on_progress=interrupt)
    assert stopped.interrupted
    epochs = int(stopped.epochs_run[0])
    assert 1 <= epochs < 100_000
    assert stopped.history.shape[1] == epochs
    assert np.isfinite(stopped.history).all()


def test_an_interrupt_before_the_first_epoch_is_only_an_interrupt(fit, monkeypatch):
    from narrows.training import _train

    def never(plan, lanes, should_stop, report, slot):
        return None

    monkeypatch.setattr(_train, "train_chunk", never)
    with pytest.raises(KeyboardInterrupt):
        fit([(1, 0)])


def test_a_signal_raises_nothing_where_threads_are_watched(fit, monkeypatch, ctrl_c):
    """Between two statements, or under a lock, an exception would leave threads to go on."""
    from narrows.training import _chunk

    monkeypatch.setattr(_chunk, "_SEGMENT_SECONDS", 1e-9)
    outcomes, before = [], signal.getsignal(signal.SIGINT)

    def interrupt(done, wanted):
        if done > 2 and len(outcomes) < 2:
            try:
                signal.raise_signal(signal.SIGINT)
                outcomes.append("heard")
            except KeyboardInterrupt:  # the second is as ever
                outcomes.append("raised")

    assert fit([(1, 0)], epochs=100_000, on_progress=interrupt).interrupted
    assert outcomes[:1] == ["heard"]
    assert outcomes[1:] in ([], ["raised"])
    assert signal.getsignal(signal.SIGINT) is before


def test_a_handler_of_the_program_stays(fit, monkeypatch):
    from narrows.training import _chunk

    monkeypatch.setattr(_chunk, "_SEGMENT_SECONDS", 1e-9)
    calls = []

    def own(number, frame):
        calls.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, own)
    try:

        def interrupt(done, wanted):
            if done > 2 and not calls:
                signal.raise_signal(signal.SIGINT)

        assert fit([(1, 0)], epochs=100_000, on_progress=interrupt).interrupted
        assert calls == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_train_without_signals(fit):
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(fit, [(1, 0)], epochs=3).result()
    assert found.history.shape[1] == 3
    assert not found.interrupted


CODE = """
import numpy as np, narrows
from narrows.training import _train
x = np.random.default_rng(0).normal(size=(60, 4))
embedder = narrows.Autoencoder(encoder=(6,), epochs=50_000_000, random_state=0)
embedder.set_params(epochs=2).fit(x)
embedder.set_params(epochs=50_000_000)
real = _train.train_chunk

def train_chunk(plan, lanes, should_stop, report, slot):
    steps = []

    def told(*progress):
        steps.append(progress)
        if len(steps) == 3:
            print("training", flush=True)
        return report(*progress)

    return real(plan, lanes, should_stop, told, slot)

_train.train_chunk = train_chunk
try:
    embedder.fit(x)
except KeyboardInterrupt:
    print("stopped", len(embedder.history_), embedder.transform(x).shape, flush=True)
"""


@pytest.mark.long
def test_a_real_signal_leaves_a_fitted_embedder(ctrl_c):
    running = subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout.readline() == "training\n"
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=600)[0]
    finally:
        running.kill()
    word, epochs, *shape = said.split()
    assert word == "stopped"
    assert int(epochs) > 2
    assert "".join(shape) == "(60,2)"


def test_an_error_in_a_chunk_is_raised_not_swallowed(fit, monkeypatch):
    from narrows.training import _train

    def broken(plan, lanes, should_stop, report, slot):
        raise MemoryError("no room")

    monkeypatch.setattr(_train, "train_chunk", broken)
    with pytest.raises(MemoryError, match="no room"):
        fit([(1, k) for k in range(30)])
