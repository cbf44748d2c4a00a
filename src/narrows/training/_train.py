"""Train many lanes: the engine's front door."""

import os
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import jax
import jax.numpy as jnp
import joblib
import numpy as np

from narrows.objectives import PerRow
from narrows.training._buckets import (
    VALIDATION_BATCH,
    bucket,
    data_rows,
    pad_rows,
    validation_rows,
)
from narrows.training._checkpoint import Checkpoint, identity_of
from narrows.training._chunk import ChunkResult, Lanes, Plan, train_chunk
from narrows.training._engine import engine
from narrows.training._guard import Sample, samples_of
from narrows.training._interrupts import Interrupts
from narrows.training._result import Training
from narrows.training._seeding import BatchOrder, GivenOrder, restart_seeds
from narrows.training.compiling._dropout import lanes_rates
from narrows.training.compiling._padding import tolerates_padding
from narrows.training.compiling._program import Program, Recipe
from narrows.training.looping._loops import Data, Shape
from narrows.training.looping._settings import Settings, settings_of
from narrows.training.looping._step import Frame, Rows

_MANY_LANES, _FEW_LANES = 10, 5  # lanes in a chunk on a CPU, where a lane is small
_LANE_BYTES = 4_000_000  # beyond this a lane fills the caches alone
_SEGMENT_ROWS = 16_384  # row numbers drawn ahead for one segment of one lane


@engine()
def train(
    recipe: Recipe,
    x: np.ndarray,
    rows: Sequence[np.ndarray],
    validation: Sequence[np.ndarray] | None = None,
    *,
    epochs: int,
    batch_size: int,
    seeds: Sequence[tuple[Any, int]],
    patience: int | None = None,
    learning_rates: Sequence[float],
    weight_decays: Sequence[float] | None = None,
    schedules: Sequence[str] | None = None,
    noises: Sequence[float] | None = None,
    loss_scales: Sequence[float] | None = None,
    dropouts: Sequence[Sequence[float]] | None = None,
    epoch_rows: int | None = None,
    all_epochs: int | None = None,
    sample_weights: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    labelled: np.ndarray | None = None,
    label_weights: Sequence[float] | None = None,
    parameters: Mapping[str, np.ndarray] | None = None,
    targets: np.ndarray | None = None,
    frames: Frame | None = None,
    initial: Sequence[np.ndarray | None] | None = None,
    orders: Sequence[np.ndarray] | None = None,
    threads: int | None = None,
    on_progress: Callable[[float, float], object] | None = None,
    checkpoint: str | os.PathLike | None = None,
) -> Training:
    """Train one network many times: the same graph, other seeds, other rows.

    Parameters
    ----------
    recipe : Recipe
    x : float32 ndarray of shape (data_rows, ...)
        All rows that any lane uses.
    rows : sequence of int ndarrays, one a lane
        Numbers of the rows each lane trains on; repeats are allowed. All of one length, unless
        `epoch_rows` is given.
    validation : sequence of int ndarrays, one a lane, or None
        Numbers of the rows each lane is validated on. Where padding is tolerated, lanes may have
        different numbers of them.
    epochs, batch_size : int
    seeds : sequence of (int, int), one a lane
        Entropy and restart number, see `restart_seeds`.
    patience : int or None
        Epochs without a better loss after which a lane stops; None for no early stopping.
    learning_rates : sequence of float, one a lane
    weight_decays : sequence of float, one a lane, optional
        What a step takes off the weights that the recipe's `decayed` names, over the learning
        rate; by default 0.
    schedules : sequence of {"constant", "cosine", "one-cycle"}, one a lane, optional
        How the learning rate goes; by default as the recipe says.
    noises : sequence of float, one a lane, optional
        Amounts of the recipe's kind of noise; by default the recipe's.
    loss_scales : sequence of float, one a lane, optional
        What the loss is multiplied by before it is minimised; histories do not see it.
    dropouts : sequence of sequences of float, one a lane, optional
        Rates of the network's layers of exactly the class `keras.layers.Dropout` with a rate
        between 0 and 1, in the order of the graph; by default the layers' own.
    epoch_rows : int, optional
        How many rows an epoch has: so many of an endless row of shuffled passes over a lane's
        rows. By default an epoch is one pass.
    all_epochs : int, optional
        How many epochs the schedule of the learning rate is for; by default `epochs`.
    sample_weights : float ndarray of shape (data_rows,), optional
        Factors of the rows' losses; as in Keras, the sum is divided by the number of rows.
    labels, labelled : float32 ndarrays of shape (data_rows,), optional
        The rows' labels, and factors of their losses: 0 where a row has none, see `PerRow`.
    label_weights : sequence of float, one a lane, optional
        What the loss of the labels is multiplied by; by default 1.
    parameters : mapping of str to ndarray of shape (lanes, ...), optional
        What the objective's own numbers start from, if not from what the objective says.
    targets : float32 ndarray of shape (data_rows, ...), optional
        What the output should equal for each row, if not the row itself.
    frames : Frame, optional
        Coordinates of each lane's network, arrays of shape (lanes, ...). The weights are those of
        the network in these coordinates.
    initial : sequence of ndarrays of shape (lanes, ...) or None, optional
        What each variable starts from, in the model's order; None for one that is drawn, or kept
        as the recipe's `Start` says.
    orders : sequence of int ndarrays of shape (epochs, n_rows), one a lane, optional
        Batch orders to replay instead of drawn ones.
    threads : int, optional
        Chunks trained at once; by default the number of cores, or 1 on an accelerator. It has no
        influence on any number.
    on_progress : callable, optional
        Called in this thread with (epochs done, epochs wanted), summed over lanes.
    checkpoint : path-like, optional
        File that the training's memory is written to every ten seconds or so, and at its end,
        Ctrl-C included. If it is there, the training goes on from it, and ends with the bits of
        one that was never interrupted.

    Returns
    -------
    Training
        With ``interrupted`` set, and what was trained, if Ctrl-C came.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C came before any lane finished an epoch.
    ValueError
        If the checkpoint is damaged or belongs to another training.
    OSError
        If the checkpoint cannot be written.
    """
    if sample_weights is None:
        sample_weights = np.ones(len(x), np.float32)
    data = Data(x, targets, PerRow(np.asarray(sample_weights, np.float32), labels, labelled))
    values = [] if initial is None else initial
    own = {place: value for place, value in enumerate(values) if value is not None}
    plan, lanes_at_once = _plan(
        recipe, data, rows, validation, epochs, batch_size, patience, own, frames,
        epoch_rows, all_epochs,
    )  # fmt: skip
    lanes = len(rows)
    settings = settings_of(
        list(weight_decays or [0.0] * lanes),
        list(schedules or [recipe.schedule] * lanes),
        list(noises or [recipe.noise.amount if recipe.noise else 0.0] * lanes),
        list(loss_scales or [1.0] * lanes),
        [len(one) for one in validation] if validation is not None else [0] * lanes,
        list(label_weights or [1.0] * lanes),
        lanes_rates(plan.program.dropouts, lanes, dropouts),
    )
    starts = plan.program.parameters(lanes) | dict(parameters or {})
    if len(rows) > 1 and not own and plan.program.unseeded:
        warnings.warn(
            f"The initial values of {', '.join(plan.program.unseeded)} come from an initializer "
            "that is not Keras's own and cannot be seeded: every restart starts from the same.",
            stacklevel=3,
        )
    everyone = list(range(len(rows)))
    chunks = [
        _lanes(
            plan, everyone[first : first + lanes_at_once], lanes_at_once,
            rows, validation, seeds, learning_rates, own, orders, frames, settings, starts,
        )
        for first in range(0, len(rows), lanes_at_once)
    ]  # fmt: skip
    kept = None
    if checkpoint is not None:
        identity = identity_of(
            plan.identity,
            {
                "x": x, "rows": rows, "validation": validation, "weights": sample_weights,
                "targets": targets, "orders": orders,
                **({} if labels is None else {"labels": labels, "labelled": labelled}),
                **{f"start of {name}": values for name, values in (parameters or {}).items()},
                **({} if frames is None else frames._asdict()),
            },
            {
                **{f"initial {place}": value for place, value in own.items()},
                **{f"kept {place}": value for place, value in plan.kept.items()},
            },
            {
                "epochs": epochs, "batch": batch_size, "seeds": [list(seed) for seed in seeds],
                "patience": patience, "rates": list(learning_rates), "lanes": lanes_at_once,
                "epoch rows": epoch_rows, "all epochs": all_epochs,
                "settings": {k: v.tolist() for k, v in settings._asdict().items()},
            },
        )  # fmt: skip
        kept = Checkpoint(checkpoint, identity)
    try:
        results, interrupted = _run(plan, chunks, threads, on_progress, kept)
    finally:
        if kept is not None:
            kept.write()
    if not results:
        raise KeyboardInterrupt
    return _gather(plan, results, interrupted, samples_of(data, rows, frames))


def _plan(
    recipe: Recipe,
    data: Data,
    rows: Sequence[np.ndarray],
    validation: Sequence[np.ndarray] | None,
    epochs: int,
    batch_size: int,
    patience: int | None,
    given: dict[int, np.ndarray],
    frames: Frame | None,
    epoch_rows: int | None = None,
    all_epochs: int | None = None,
) -> tuple[Plan, int]:
    """Compile what is needed; return the plan and how many lanes a chunk has."""
    program = Program(recipe)
    n_rows = epoch_rows or len(rows[0])
    n_validation = max(map(len, validation)) if validation is not None else 0
    shape = _shape(recipe, n_rows, n_validation, batch_size, patience is not None)
    size = data_rows(data.x)
    data = jax.tree.map(lambda values: jax.device_put(pad_rows(values, size)), data)
    lanes = _chunk_size(program, shape, len(rows))
    frame = jax.tree.map(
        lambda values: jax.ShapeDtypeStruct(np.shape(values)[1:], jnp.float32), frames
    )
    compiled, identity = program.compiled(shape, lanes, data, given=given, frame=frame)
    kept = {} if len(given) == len(recipe.model.variables) else program.kept
    plan = Plan(
        program, compiled, shape, data, epochs, all_epochs or epochs, n_rows, n_validation,
        patience or 0,
        {place: value for place, value in kept.items() if place not in given}, identity,
    )  # fmt: skip
    return plan, lanes


def _shape(
    recipe: Recipe, n_rows: int, n_validation: int, batch_size: int, early_stopping: bool
) -> Shape:
    """Choose the buckets, with padding where nobody could see it."""
    padding = tolerates_padding(recipe.model, recipe.objective, recipe.metrics)
    batch_size = min(batch_size, bucket(n_rows) if padding else n_rows)
    row_bucket = bucket(n_rows, batch_size)
    validation_bucket = validation_rows(n_validation)
    # What depends on the batch must see batches as in training, and as in Keras's ``evaluate``.
    validation_batch = batch_size
    if padding and recipe.objective.row_by_row:
        # All rows at once, up to what memory should bear.
        validation_batch = min(validation_bucket, VALIDATION_BATCH)
    else:
        validation_bucket = -(-n_validation // batch_size) * batch_size
    return Shape(
        batch_size=batch_size,
        epochs=int(np.clip(_SEGMENT_ROWS // row_bucket, 1, 64)),
        rows=row_bucket,
        validation_rows=validation_bucket,
        validation_batch=validation_batch,
        exact_rows=None if padding else (n_rows, n_validation),
        early_stopping=early_stopping,
    )


def _chunk_size(program: Program, shape: Shape, lanes: int) -> int:
    """How many lanes one call trains: never dependent on the number of threads."""
    weights = sum(int(np.prod(v.shape)) for v in program.recipe.model.variables)
    if jax.default_backend() != "cpu":
        return _share_of_memory(program, shape, weights, lanes)
    if lanes <= 2 or weights * 16 > _LANE_BYTES:
        return 1
    # Ten lanes at a time run best; fewer leave no core idle where there are few.
    return _FEW_LANES if lanes <= 4 * _MANY_LANES else _MANY_LANES


def _share_of_memory(program: Program, shape: Shape, weights: int, lanes: int) -> int:
    """Divide lanes evenly into as few chunks as half of an accelerator's memory allows."""
    memory = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    if memory is None:
        return lanes
    widths = sum(
        int(np.prod(operation.output.shape[1:]))
        for operation in program.recipe.model.operations
        if hasattr(operation.output, "shape")
    )
    batch = max(shape.batch_size, shape.validation_batch)
    # Weights, gradients, an optimizer's two moments, the best weights so far and copies; layers'
    # outputs, their gradients and what is kept between; the order of rows.
    numbers = 8 * weights + 4 * batch * widths + shape.epochs * shape.rows
    most = max(memory // 2 // (4 * numbers), 1)
    return -(-lanes // -(-lanes // most))


def _lanes(
    plan: Plan,
    own: list[int],
    size: int,
    rows: Sequence[np.ndarray],
    validation: Sequence[np.ndarray] | None,
    seeds: Sequence[tuple[Any, int]],
    rates: Sequence[float],
    initial: dict[int, np.ndarray],
    orders: Sequence[np.ndarray] | None,
    frames: Frame | None,
    settings: Settings,
    parameters: Mapping[str, np.ndarray],
) -> Lanes:
    """Put together what a chunk of `size` lanes starts with; the last lane fills up a short one."""
    numbers = own + [own[-1]] * (size - len(own))
    streams = [restart_seeds(*seeds[number]) for number in numbers]
    drawn: list[GivenOrder | BatchOrder]
    if orders is not None:
        drawn = [GivenOrder(orders[number]) for number in numbers]
    else:
        drawn = [
            BatchOrder(np.asarray(rows[number], np.int32), stream.order, plan.rows)
            for number, stream in zip(numbers, streams, strict=True)
        ]
    held_out = np.zeros((len(numbers), plan.shape.validation_rows), np.int32)
    if validation is not None:
        for lane, number in enumerate(numbers):
            held_out[lane, : len(validation[number])] = validation[number]
    return Lanes(
        numbers=own,
        weights_keys=np.stack([stream.weights for stream in streams]),
        masks_keys=np.stack([stream.masks for stream in streams]),
        rates=np.array([rates[number] for number in numbers], np.float32),
        initial={place: values[numbers] for place, values in initial.items()},
        orders=drawn,
        validation=held_out,
        frames=jax.tree.map(lambda values: np.asarray(values, np.float32)[numbers], frames),
        settings=jax.tree.map(lambda values: values[numbers], settings),
        parameters=[np.asarray(values, np.float32)[numbers] for values in parameters.values()],
    )


class _Board:
    """Where chunks on threads report, and learn that they should stop."""

    def __init__(self, wanted: float):
        self.wanted = wanted
        self.done = 0.0
        self.stop = threading.Event()
        self._lock = threading.Lock()

    def report(self, epochs: float) -> None:
        with self._lock:
            self.done += epochs


def _run(
    plan: Plan,
    chunks: list[Lanes],
    threads: int | None,
    on_progress: Callable[[float, float], object] | None,
    kept: Checkpoint | None,
) -> tuple[list[ChunkResult], bool]:
    """Train the chunks on threads; the calling thread watches, so that Ctrl-C is heard at once."""
    if threads is None:
        threads = joblib.cpu_count() if jax.default_backend() == "cpu" else 1
    board = _Board(float(plan.epochs * sum(len(lanes.numbers) for lanes in chunks)))
    workers = min(threads, len(chunks))
    with (
        Interrupts() as interrupts,
        ThreadPoolExecutor(workers, thread_name_prefix="narrows") as pool,
    ):

        def should_stop() -> bool:
            return interrupts.heard or board.stop.is_set()

        futures = [
            pool.submit(
                train_chunk, plan, lanes, should_stop, board.report,
                kept.slot(number) if kept is not None else None,
            )
            for number, lanes in enumerate(chunks)
        ]  # fmt: skip
        pending = set(futures)
        while pending:
            try:
                finished, pending = wait(pending, timeout=0.1, return_when=FIRST_EXCEPTION)
                if on_progress is not None:
                    on_progress(board.done, board.wanted)
                if any(future.exception() for future in finished):
                    board.stop.set()
            except KeyboardInterrupt:  # from on_progress, a handler of the program, or the second
                interrupts.heard = True
            except BaseException:  # from on_progress: nobody will want the rest
                board.stop.set()
                raise
    results = [result for future in futures if (result := future.result()) is not None]
    return results, interrupts.heard


def _gather(
    plan: Plan, results: list[ChunkResult], interrupted: bool, some: list[Rows]
) -> Training:
    names = plan.program.measures
    if plan.validation_rows:
        names = names + [f"val_{name}" for name in names]
    epochs = max(result.history.shape[1] for result in results)
    history = np.concatenate(
        [
            np.pad(
                result.history,
                ((0, 0), (0, epochs - result.history.shape[1]), (0, 0)),
                constant_values=np.nan,
            )
            for result in results
        ]
    )
    weights = [np.concatenate(parts) for parts in zip(*(r.weights for r in results), strict=True)]
    parameters = {
        name: np.concatenate([result.parameters[name] for result in results])
        for name in results[0].parameters
    }
    numbers = np.concatenate([result.numbers for result in results]).astype(int)
    check, recipe = plan.compiled.check, plan.program.recipe

    @engine()
    def sample(lane: int) -> Sample:
        """Ask the engine what it makes of a few of a lane's rows with the lane's weights."""
        rows = some[numbers[lane]]
        own = [np.asarray(values[lane], np.float32) for values in parameters.values()]
        outputs, loss = check([values[lane] for values in weights], own, rows)
        outputs = {name: np.asarray(value) for name, value in outputs.items()}
        return Sample(rows, own, outputs, float(loss), recipe)

    return Training(
        measures=names,
        history=history,
        weights=weights,
        parameters=parameters,
        epochs_run=np.concatenate([result.epochs_run for result in results]),
        best_epoch=np.concatenate([result.best_epoch for result in results]),
        diverged=np.concatenate([result.diverged for result in results]),
        lanes=numbers,
        interrupted=interrupted,
        sample=sample,
    )
