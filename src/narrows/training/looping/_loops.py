"""Whole epochs as compiled loops around the step.

Every trip count is a scalar that all lanes share: under `vmap`, a loop whose condition differs by
lane would copy every weight at every step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from narrows.objectives import PerRow
from narrows.training.looping._settings import Settings
from narrows.training.looping._step import (
    Frame,
    Moment,
    Parts,
    Rows,
    State,
    Tally,
    empty_tally,
    evaluate,
    measure_names,
    results,
    train_step,
)
from narrows.training.looping._stopping import Stopper, new_stopper, watch


class Carry(NamedTuple):
    """One lane's whole memory between two segments."""

    state: State
    tally: Tally
    stopper: Stopper | None


class Span(NamedTuple):
    """Which part of a training a segment does: int32 scalars, shared by all lanes.

    Whole epochs run from step 0 to the last; a segment inside one epoch has ``epochs == 1``.
    """

    epochs: jax.Array
    first_epoch: jax.Array
    first_step: jax.Array
    end_step: jax.Array
    rows: jax.Array
    validation_rows: jax.Array
    patience: jax.Array
    all_epochs: jax.Array


class Data(NamedTuple):
    """The rows of all lanes, shared by them.

    Attributes
    ----------
    x : array of shape (data_rows, ...)
    targets : array of shape (data_rows, ...) or None
        What outputs should equal, if not `x`.
    given : PerRow
        Of all rows, those to validate on too.
    """

    x: jax.Array
    targets: jax.Array | None
    given: PerRow

    def take(self, rows: jax.Array, counted: jax.Array, frame: Frame | None) -> Rows:
        """Return a batch by its row numbers; shapes (batch,), but for the lane's frame."""
        targets = None if self.targets is None else self.targets[rows]
        given = jax.tree.map(lambda values: values[rows], self.given)
        return Rows(self.x[rows], targets, counted, given, frame)


class Own(NamedTuple):
    """What one lane has for itself in a segment.

    Attributes
    ----------
    orders : int32 array of shape (shape.epochs, shape.rows)
        For each of a block of epochs the row numbers in batch order, padded with any valid
        number; blocks begin at multiples of ``shape.epochs``.
    validation : int32 array of shape (shape.validation_rows,)
        Row numbers of the validation rows, padded likewise.
    frame : Frame or None
        See `Rows`.
    settings : Settings
    """

    orders: jax.Array
    validation: jax.Array
    frame: Frame | None
    settings: Settings


@dataclass(frozen=True)
class Shape:
    """The static shape of a program.

    Attributes
    ----------
    batch_size : int
    epochs : int
        Capacity of a segment, and how many epochs' orders are drawn at once.
    rows, validation_rows : int
        Buckets for the rows of one lane; 0 validation rows for none.
    validation_batch : int
        How many rows are validated at once.
    exact_rows : tuple of (int, int) or None
        The true row counts, for a network that must not see padding.
    early_stopping : bool
    """

    batch_size: int
    epochs: int
    rows: int
    validation_rows: int
    validation_batch: int
    exact_rows: tuple[int, int] | None
    early_stopping: bool


def new_carry(parts: Parts, shape: Shape, state: State) -> Carry:
    """Return the memory of a lane that starts at `state`."""
    return Carry(state, empty_tally(parts), new_stopper(state) if shape.early_stopping else None)


def history_width(parts: Parts, shape: Shape) -> int:
    """How many numbers an epoch leaves: the training measures, then the validation ones."""
    return len(measure_names(parts)) * (2 if shape.validation_rows else 1)


def run_segment(
    parts: Parts, shape: Shape, carry: Carry, data: Data, own: Own, span: Span
) -> tuple[Carry, jax.Array]:
    """Train one lane for a segment.

    Shapes: (shape.epochs, n_measures) returned.
    """
    history = jnp.zeros((shape.epochs, history_width(parts, shape)), jnp.float32)
    steps = -(-span.rows // shape.batch_size)
    train_rows, validation_rows = shape.exact_rows or (None, None)

    def epoch(index: jax.Array, loop: tuple[Carry, jax.Array]) -> tuple[Carry, jax.Array]:
        carry, history = loop

        def train(
            start: jax.Array, size: int, counted: jax.Array, inner: tuple[State, Tally]
        ) -> tuple[State, Tally]:
            drawn = (span.first_epoch + index) % shape.epochs
            rows = lax.dynamic_slice(own.orders, (drawn, start), (1, size))[0]
            state, tally = inner
            moment = _moment(span, index, start // shape.batch_size, steps)
            batch = data.take(rows, counted, own.frame)
            return train_step(
                parts, state, tally, batch, moment, own.settings, padded=train_rows is None
            )

        state, tally = _batches(
            train, (carry.state, carry.tally), shape.batch_size, span.rows, train_rows,
            span.first_step, span.end_step,
        )  # fmt: skip

        def finish(args: tuple[Any, ...]) -> tuple[Any, ...]:
            state, tally, stopper, history = args
            numbers = results(parts, tally)
            loss = numbers[0]
            if shape.validation_rows:
                found = validate(state)
                numbers, loss = jnp.concatenate([numbers, found]), found[0]
            if stopper is not None:
                number = span.first_epoch + index
                stopper = watch(stopper, state, loss, number, span.patience)
            return state, empty_tally(parts), stopper, history.at[index].set(numbers)

        def validate(state: State) -> jax.Array:
            def add(start: jax.Array, size: int, counted: jax.Array, tally: Tally) -> Tally:
                rows = lax.dynamic_slice(own.validation, (start,), (size,))
                padded = validation_rows is None
                if padded:  # lanes may have different numbers of them
                    position = start + lax.iota(jnp.int32, size)
                    counted = (position < own.settings.validation_rows).astype(jnp.float32)
                batch = data.take(rows, counted, own.frame)
                return evaluate(parts, state, tally, batch, start, own.settings, padded=padded)

            size = shape.validation_batch
            end = -(-span.validation_rows // size)
            tally = _batches(
                add, empty_tally(parts), size, span.validation_rows, validation_rows, 0, end
            )
            return results(parts, tally)

        state, tally, stopper, history = lax.cond(
            span.end_step >= steps, finish, lambda args: args,
            (state, tally, carry.stopper, history),
        )  # fmt: skip
        return Carry(state, tally, stopper), history

    return lax.fori_loop(0, span.epochs, epoch, (carry, history))


def _moment(span: Span, index: jax.Array, step: jax.Array, steps: jax.Array) -> Moment:
    """Return where in the training a step of the segment's epoch number `index` is."""
    epoch = (span.first_epoch + index).astype(jnp.float32)
    within = jnp.asarray(step, jnp.float32) / steps.astype(jnp.float32)
    return Moment(epoch, (epoch + within) / span.all_epochs.astype(jnp.float32))


def _batches(
    body: Callable,
    carry: Any,
    size: int,
    rows: jax.Array,
    exact: int | None,
    first: jax.Array | int,
    end: jax.Array,
) -> Any:
    """Loop ``body(start, size, counted, carry)`` over batches `first` to `end`.

    With `exact` rows known, full batches are looped over and the short last one is traced with
    its own length; otherwise the last is padded with rows that do not count.
    """
    if exact is None:

        def padded(step: jax.Array, carry: Any) -> Any:
            position = step * size + lax.iota(jnp.int32, size)
            return body(step * size, size, (position < rows).astype(jnp.float32), carry)

        return lax.fori_loop(first, end, padded, carry)

    full, rest = divmod(exact, size)

    def whole(step: jax.Array, carry: Any) -> Any:
        return body(step * size, size, jnp.ones(size, jnp.float32), carry)

    carry = lax.fori_loop(first, jnp.minimum(end, full), whole, carry)
    if rest == 0:
        return carry
    return lax.cond(
        end > full,
        lambda carry: body(full * size, rest, jnp.ones(rest, jnp.float32), carry),
        lambda carry: carry,
        carry,
    )
