"""Compile once: read in JAX's own log."""

import logging
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

import narrows


@pytest.fixture
def compiled(caplog):
    """The names of the programs that JAX compiles from here on."""
    jax.config.update("jax_log_compiles", True)
    caplog.set_level(logging.WARNING)

    def names():
        return [
            record.getMessage()
            for record in caplog.records
            if "Finished XLA compilation" in record.getMessage()
        ]

    yield names
    jax.config.update("jax_log_compiles", False)


SEEDS = [(1, k) for k in range(3)]


@pytest.mark.parametrize(
    "changed",
    [
        {"epochs": 9},
        {"rate": 1e-2},
        {"seeds": [(2, k) for k in range(3)]},
        {"seeds": [(1, k) for k in range(27)]},
        {"lane_rows": [np.arange(3, 44)] * 3},
        {"validation": [np.arange(44, 70)] * 3},
        {"x": np.random.default_rng(1).normal(size=(201, 4)).astype("float32")},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_second_fit_compiles_nothing(fit, compiled, changed):
    fit(SEEDS, epochs=4)
    before = len(compiled())
    changed = dict(changed)
    seeds = changed.pop("seeds", SEEDS)
    fit(seeds, **changed)
    assert compiled()[before:] == []


def test_the_log_does_show_a_compilation(fit, compiled):
    """Otherwise the test above could not fail."""
    fit(SEEDS, batch_size=17)
    assert any("segment" in name or "run" in name for name in compiled())


def test_an_embedder_fitted_again_compiles_nothing(compiled, rows):
    def fit(**changed):
        more = {"encoder": (6,), "epochs": 2, "random_state": 0, **changed}
        narrows.Autoencoder(**more).fit(rows).transform(rows)

    fit()
    before = len(compiled())
    fit(random_state=1, epochs=3, learning_rate=1e-2)
    assert compiled()[before:] == []


def test_schedules_and_draws_compile_nothing_anew(compiled, rows):
    def fit(embedder, **changed):
        embedder.set_params(random_state=0, **changed).fit(rows).transform(rows)

    varied = narrows.VariationalAutoencoder(encoder=(6,), epochs=2, kl_warmup=4)
    linear = narrows.LinearAutoencoder(epochs=2, noise=("swap", 0.1))
    fit(varied)
    fit(linear)
    before = len(compiled())
    for embedder in (varied, linear):
        fit(embedder, epochs=7, learning_rate=1e-2)
        embedder.set_params(random_state=1).fit(rows + 5)
    assert compiled()[before:] == []


CODE = """
import logging, sys
import jax
jax.config.update("jax_log_compiles", True)
logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
import numpy as np, narrows
x = np.random.default_rng(0).normal(size=(60, 4))
print(narrows.Autoencoder(encoder=(6,), epochs=2, random_state=0).fit(x).transform(x)[0].tolist())
"""


@pytest.mark.long
def test_products_are_as_exact_as_the_session_wants_in_training(fit, compiled):
    fit(SEEDS)
    before = len(compiled())
    with jax.default_matmul_precision("float32"):
        fit(SEEDS)
    assert any("segment" in name for name in compiled()[before:])
    before = len(compiled())
    fit(SEEDS)
    assert compiled()[before:] == []


def test_rows_are_encoded_in_full_precision_whatever_the_session_wants(rows):
    from narrows.training import _forward

    with jax.default_matmul_precision("bfloat16"):
        embedder = narrows.Autoencoder(encoder=(7,), epochs=1, random_state=0).fit(rows)
        embedder.transform(rows)
    program = next(reversed(_forward._compiled.values())).as_text()
    assert "dot(" in program
    assert program.count("dot(") == program.count("operand_precision={highest,highest}")


@pytest.mark.long
def test_another_process_reads_the_program_from_disk(tmp_path):
    def run(cache):
        environment = {**os.environ, "NARROWS_CACHE": str(cache)}
        done = subprocess.run(
            [sys.executable, "-c", CODE + "print(jax.config.jax_compilation_cache_dir)"],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = done.stdout.splitlines()
        return lines[-2], "Persistent compilation cache hit" in done.stdout, lines[-1]

    first, hit, folder = run(tmp_path / "cache")
    assert not hit
    assert folder == "None", "the session's own setting is put back"
    kept = sorted((tmp_path / "cache").iterdir())
    assert kept
    again, hit, _ = run(tmp_path / "cache")
    assert hit
    assert again == first
    run("off")
    assert sorted((tmp_path / "cache").iterdir()) == kept


OWN = """
import os, jax, numpy as np, narrows
x = np.random.default_rng(0).normal(size=(60, 4))
narrows.Autoencoder(encoder=(6,), epochs=2, random_state=0).fit(x)
kept = sorted(os.listdir(os.environ["NARROWS_CACHE"]))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: x @ x.T + 12345.0)(x).block_until_ready()
assert kept and sorted(os.listdir(os.environ["NARROWS_CACHE"])) == kept
"""


@pytest.mark.long
def test_programs_of_the_session_itself_are_not_kept(tmp_path):
    environment = {**os.environ, "NARROWS_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", OWN], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
