"""One chunk of lanes, trained from start to end in segments."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from narrows.training._checkpoint import Place, Slot
from narrows.training._engine import engine
from narrows.training._result import finite_lanes
from narrows.training.compiling._program import Compiled, Program
from narrows.training.looping._loops import Carry, Data, Own, Shape, Span
from narrows.training.looping._settings import Settings
from narrows.training.looping._step import Frame

_SEGMENT_SECONDS = 0.4  # how long progress and Ctrl-C may have to wait


@dataclass(frozen=True)
class Lanes:
    """What each lane of a chunk starts with; every array has the lane axis first.

    Where there are fewer numbers than lanes, the rest fill up the chunk and are dropped.
    """

    numbers: list[int]
    weights_keys: np.ndarray
    masks_keys: np.ndarray
    rates: np.ndarray
    initial: dict[int, np.ndarray]
    orders: list
    validation: np.ndarray
    frames: Frame | None
    settings: Settings
    parameters: list[np.ndarray]


@dataclass(frozen=True)
class Plan:
    """What all chunks of a training share.

    An epoch has `rows` rows; the schedule of learning rates is for `all_epochs`. `kept` is what
    variables start from in every lane, by their place; `identity` tells the training from others.
    """

    program: Program
    compiled: Compiled
    shape: Shape
    data: Data
    epochs: int
    all_epochs: int
    rows: int
    validation_rows: int
    patience: int
    kept: dict[int, np.ndarray]
    identity: str | None

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-self.rows // self.shape.batch_size)


@dataclass(frozen=True)
class ChunkResult:
    """Arrays with the lane axis first; see `Training`."""

    numbers: list[int]
    history: np.ndarray
    weights: list[np.ndarray]
    parameters: dict[str, np.ndarray]
    epochs_run: np.ndarray
    best_epoch: np.ndarray
    diverged: np.ndarray


class Pace:
    """Chooses how much of the training the next segment does, from how long the last ones took."""

    def __init__(self, steps: int):
        self._steps = steps
        self._per_step: float | None = None

    def next(self, epochs_left: int, step: int) -> tuple[int, int]:
        """Return the next segment's (epochs, end step), given the step inside the epoch."""
        if self._per_step is None:
            wanted = self._steps if self._steps <= 8 else 4
        else:
            wanted = max(int(_SEGMENT_SECONDS / self._per_step), 1)
        if step == 0 and wanted >= self._steps:
            return min(wanted // self._steps, epochs_left), self._steps
        return 1, min(step + wanted, self._steps)

    def record(self, seconds: float, steps: int) -> None:
        """Remember how long a segment of `steps` steps took."""
        self._per_step = max(seconds / steps, 1e-9)


@engine()  # a thread has settings of its own
def train_chunk(
    plan: Plan,
    lanes: Lanes,
    should_stop: Callable[[], bool],
    report: Callable[[float], None],
    slot: Slot | None = None,
) -> ChunkResult | None:
    """Train the lanes together."""
    shape, compiled = plan.shape, plan.compiled
    carry = compiled.start(
        lanes.weights_keys, lanes.masks_keys, lanes.rates, plan.kept, lanes.initial,
        lanes.parameters,
    )  # fmt: skip
    pace = Pace(plan.steps)
    ahead = _Ahead(lanes.orders, plan.epochs, shape)
    history: list[np.ndarray] = []
    done, step, ended = 0, 0, False
    found = slot.load(carry) if slot is not None else None
    if found is not None:
        carry, before, place = found
        done, step, ended = place.epochs, place.step, place.ended
        history = [before] if done else []
        report(len(lanes.numbers) * (done + step / plan.steps))
    while done < plan.epochs and not ended and not should_stop():
        began = time.perf_counter()
        epochs, end = pace.next(min(plan.epochs - done, ahead.left(done)), step)
        span = _span(plan, epochs, done, step, end)
        own = Own(ahead.orders(done), lanes.validation, lanes.frames, lanes.settings)
        carry, numbers = compiled.segment(carry, plan.data, own, span)
        numbers.block_until_ready()
        pace.record(time.perf_counter() - began, epochs * (end - step))
        report(len(lanes.numbers) * epochs * (end - step) / plan.steps)
        step = end % plan.steps
        if step == 0:
            done += epochs
            history.append(np.asarray(numbers)[:, :epochs])
            ended = _all_ended(carry, history[-1])
        if slot is not None and slot.due():
            slot.save(carry, history, Place(done, step, ended))
    if slot is not None:
        slot.save(carry, history, Place(done, step, ended))
    if not history:
        return None
    return _collect(plan, lanes, carry, np.concatenate(history, axis=1))


def _span(plan: Plan, epochs: int, done: int, step: int, end: int) -> Span:
    numbers = (
        epochs, done, step, end, plan.rows, plan.validation_rows, plan.patience, plan.all_epochs
    )  # fmt: skip
    return Span(*(np.int32(number) for number in numbers))


class _Ahead:
    """The orders of the epochs to come, drawn and sent to the device many epochs at a time.

    A segment is short where lanes are many, and their orders are large then: they are not sent
    with every segment.
    """

    def __init__(self, orders: list, epochs: int, shape: Shape):
        self._orders = orders
        self._epochs = epochs
        self._shape = shape
        self._drawn = 0
        self._block: jax.Array | None = None

    def left(self, epoch: int) -> int:
        """For how many epochs from this one on one block holds the orders."""
        return self._shape.epochs - epoch % self._shape.epochs

    def orders(self, epoch: int) -> jax.Array:
        """Return the block with an epoch's orders, int32 of shape (lanes, shape.epochs, rows).

        After an interruption earlier blocks are drawn again first: a lane's draws are one stream.
        """
        drawn = None
        while self._drawn <= epoch:
            drawn = self._draw(min(self._shape.epochs, self._epochs - self._drawn))
            self._drawn += self._shape.epochs
        if drawn is not None:
            self._block = jax.device_put(drawn)
        return self._block

    def _draw(self, epochs: int) -> np.ndarray:
        drawn = np.zeros((len(self._orders), self._shape.epochs, self._shape.rows), np.int32)
        for lane, order in enumerate(self._orders):
            rows = order.draw(epochs)
            drawn[lane, :epochs, : rows.shape[1]] = rows
        return drawn


def _all_ended(carry: Carry, history: np.ndarray) -> bool:
    """Whether every lane has stopped early or lost its way."""
    ended = ~np.isfinite(history[:, -1, 0])
    if carry.stopper is not None:
        ended |= np.asarray(carry.stopper.stopped)
    return bool(ended.all())


def _collect(plan: Plan, lanes: Lanes, carry: Carry, history: np.ndarray) -> ChunkResult:
    finite = np.isfinite(history[:, :, 0])
    diverged = ~finite.all(axis=1)
    total = history.shape[1]
    epochs_run = np.where(diverged, np.argmin(finite, axis=1) + 1, total)
    best_epoch = epochs_run - 1
    state = carry.state
    trainable, other = state.trainable, state.other
    if carry.stopper is not None:
        stopper = carry.stopper
        trainable, other = stopper.trainable, stopper.other
        best_epoch = np.asarray(stopper.best_epoch)
        stopped = np.asarray(stopper.stopped)
        # A stopped lane went on beside the others; what it did then is not part of its history.
        # Whichever comes first, its stop or a loss that is no number, ended it.
        stop = np.where(stopped, best_epoch + np.maximum(plan.patience, 1) + 1, total)
        diverged &= epochs_run <= stop
        epochs_run = np.minimum(epochs_run, stop)
    history = history.copy()
    history[np.arange(total)[None, :] >= epochs_run[:, None]] = np.nan
    weights, parameters = plan.program.join(trainable, other)
    # A loss is taken before the step that follows it, and the last step may be the one too many.
    diverged |= ~finite_lanes([*weights, *parameters.values()])
    real = slice(len(lanes.numbers))
    return ChunkResult(
        numbers=lanes.numbers,
        history=history[real],
        weights=[values[real] for values in weights],
        parameters={name: values[real] for name, values in parameters.items()},
        epochs_run=epochs_run[real],
        best_epoch=best_epoch[real],
        diverged=diverged[real],
    )
