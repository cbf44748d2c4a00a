"""An autoencoder that starts at PCA and stops where folds say so: the prototype, in plain JAX.

Encoder and decoder are PCA's axes plus a network whose last layer starts at zero, so the untrained
network is PCA. Five folds of the training rows choose among learning rates, decays and epochs: the
candidate of the least mean held-out error, and of its epochs the first whose error is within one
standard error, over folds, of the least. Epoch 0, PCA itself, is among them. Then all training rows
train for that long.
"""

from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.model_selection import KFold

FOLDS, FOLD_SEEDS, EPOCHS, BATCH = 5, 2, 200, 32
HIDDEN = (64, 32)
RATES, DECAYS = (3e-4, 1e-3), (0.0, 0.3)
DECAYED = ("in1", "in2", "in3", "out1", "out2", "out3")  # weights, not axes and biases

Network = dict[str, jax.Array]


def axes(X: np.ndarray, bottleneck: int) -> np.ndarray:
    """Return the first principal axes, shape (columns, bottleneck)."""
    return np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:bottleneck].T


def start(seed: int, principal: np.ndarray) -> Network:
    """Return the network that is PCA, its hidden layers drawn as He et al. do (1502.01852)."""
    columns, bottleneck = principal.shape
    wide, narrow = HIDDEN
    keys = jax.random.split(jax.random.key(seed), 4)

    def drawn(key: jax.Array, before: int, after: int) -> jax.Array:
        return jax.random.normal(key, (before, after)) * np.sqrt(2 / before).astype("f")

    return {
        "axes": jnp.asarray(principal, jnp.float32),
        "in1": drawn(keys[0], columns, wide), "in1_bias": jnp.zeros(wide),
        "in2": drawn(keys[1], wide, narrow), "in2_bias": jnp.zeros(narrow),
        "in3": jnp.zeros((narrow, bottleneck)), "in3_bias": jnp.zeros(bottleneck),
        "back": jnp.asarray(principal.T, jnp.float32),
        "out1": drawn(keys[2], bottleneck, narrow), "out1_bias": jnp.zeros(narrow),
        "out2": drawn(keys[3], narrow, wide), "out2_bias": jnp.zeros(wide),
        "out3": jnp.zeros((wide, columns)), "out3_bias": jnp.zeros(columns),
    }  # fmt: skip


def _curved(network: Network, X: jax.Array, side: str) -> jax.Array:
    """Return what a side's hidden layers add to its linear map."""
    for layer in ("1", "2"):
        X = jax.nn.silu(X @ network[side + layer] + network[f"{side}{layer}_bias"])
    return X @ network[f"{side}3"] + network[f"{side}3_bias"]


def reconstructed(network: Network, X: jax.Array) -> jax.Array:
    """Embed rows and return them, shape (rows, columns)."""
    Z = X @ network["axes"] + _curved(network, X, "in")
    return Z @ network["back"] + _curved(network, Z, "out")


def _loss(network: Network, X: jax.Array, weights: jax.Array) -> jax.Array:
    """Return the mean squared error of the rows whose weight is 1."""
    errors = ((reconstructed(network, X) - X) ** 2).mean(axis=1)
    return (errors * weights).sum() / jnp.maximum(weights.sum(), 1)


def _epoch(state, X, weights, rate, decay, key):
    """Train on every row once, by Adam with decoupled decay (Loshchilov and Hutter, 1711.05101)."""
    order = jax.random.permutation(key, len(X)).reshape(-1, BATCH)

    def step(state, rows):
        network, mean, square, count = state
        gradient = jax.grad(_loss)(network, X[rows], weights[rows])
        count += 1
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, square, gradient)

        def moved(name: str) -> jax.Array:
            by = mean[name] / (1 - 0.9**count)
            by /= jnp.sqrt(square[name] / (1 - 0.999**count)) + 1e-7
            after = network[name] - rate * by
            return after * (1 - rate * decay) if name in DECAYED else after

        return ({name: moved(name) for name in network}, mean, square, count), None

    return jax.lax.scan(step, state, order)[0]


def _untrained(network: Network):
    """Return the state before the first step."""
    zeros = jax.tree.map(jnp.zeros_like, network)
    return network, zeros, zeros, 0.0


@jax.jit
@partial(jax.vmap, in_axes=(0, 0, 0, 0, None, None, 0))
def _curves(network, X, weights, held_out, rate, decay, key):
    """Train each lane; return the error on its held-out rows after each epoch."""

    def epoch(state, key):
        state = _epoch(state, X, weights, rate, decay, key)
        return state, _loss(state[0], held_out, jnp.ones(len(held_out)))

    return jax.lax.scan(epoch, _untrained(network), jax.random.split(key, EPOCHS))[1]


@jax.jit
@partial(jax.vmap, in_axes=(0, None, None, None, None, None, 0))
def _trained(network, X, weights, rate, decay, epochs, key):
    """Train each lane for so many epochs; return the networks."""
    keys = jax.random.split(key, EPOCHS)

    def epoch(number, state):
        return _epoch(state, X, weights, rate, decay, keys[number])

    return jax.lax.fori_loop(0, epochs, epoch, _untrained(network))[0]


def _padded(X: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Add rows of weight 0, so that there are that many in whole batches."""
    rows = -(-rows // BATCH) * BATCH
    weights = np.arange(rows) < len(X)
    return np.pad(X, ((0, rows - len(X)), (0, 0))), weights.astype("f")


def _stacked(networks: list[Network]) -> Network:
    """Return networks as lanes of one."""
    return jax.tree.map(lambda *each: jnp.stack(each), *networks)


def chosen(X: np.ndarray, bottleneck: int) -> tuple[float, float, int]:
    """Return the learning rate, the decay and the epochs that the folds choose."""
    folds = list(KFold(FOLDS, shuffle=True, random_state=1).split(X))
    most, fewest = len(X) - len(X) // FOLDS, len(X) // FOLDS
    lanes, untrained = [], []
    for train, test in folds:
        principal, held_out = axes(X[train], bottleneck), X[test][:fewest]
        linear = ((held_out - held_out @ principal @ principal.T) ** 2).mean()
        for seed in range(FOLD_SEEDS):
            lanes.append((start(seed, principal), *_padded(X[train], most), held_out))
            untrained.append(linear)
    networks, *arrays = zip(*lanes, strict=True)
    data = (_stacked(list(networks)), *map(np.stack, arrays))
    keys = jax.random.split(jax.random.key(100), len(lanes))
    best, found = np.inf, (0.0, 0.0, 0)
    for rate, decay in product(RATES, DECAYS):
        errors = np.column_stack([untrained, _curves(*data, rate, decay, keys)])
        errors = errors.reshape(FOLDS, FOLD_SEEDS, -1).mean(axis=1)
        if errors.mean(axis=0).min() < best:
            best, found = errors.mean(axis=0).min(), (rate, decay, _simplest(errors))
    return found


def _simplest(errors: np.ndarray) -> int:
    """Return the first epoch within one standard error of the least, of shape (folds, epochs)."""
    excess = errors - errors[:, [errors.mean(axis=0).argmin()]]
    allowed = excess.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return int(np.argmax(excess.mean(axis=0) <= allowed))


def reconstructions(
    train: np.ndarray, test: np.ndarray, bottleneck: int, seeds: int
) -> list[np.ndarray]:
    """Return the test rows' reconstructions, one of each seed; all seeds share what folds chose."""
    train, test = train.astype("f"), test.astype("f")
    rate, decay, epochs = chosen(train, bottleneck)
    principal = axes(train, bottleneck)
    networks = _stacked([start(seed, principal) for seed in range(seeds)])
    keys = jax.random.split(jax.random.key(200), seeds)
    networks = _trained(networks, *_padded(train, len(train)), rate, decay, epochs, keys)
    return list(np.asarray(jax.vmap(reconstructed, in_axes=(0, None))(networks, test)))
