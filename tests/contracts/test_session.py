"""What a session may have set or done before narrows is used, and what comes of it."""

import json
import os
import subprocess
import sys
import threading

import jax
import numpy as np
import pytest
from sklearn import decomposition
from sklearn.pipeline import make_pipeline
from sklearn.random_projection import GaussianRandomProjection

import narrows

COMPARED = {"resampling": "holdout:0.8x2", "seeds": 1, "random_state": 0, "quality": False}


def run(code, *options):
    """Run code in a fresh process; return what it printed as JSON."""
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


FORKED = """
import json, multiprocessing, pickle, sys, tempfile, warnings
import joblib
import narrows
from narrows._keras import keras

warnings.simplefilter("ignore")  # JAX warns of every fork
X = narrows.datasets.iris().drop(columns="Species")
embedder = narrows.Autoencoder(2, encoder=(4,), epochs=1, random_state=0)
tsne = narrows.TSNEMapEncoder(2, encoder=(4,), epochs=1, map_steps=5, random_state=0)
processes = multiprocessing.get_context("fork")

def answers(doors):
    pipe, end = processes.Pipe()
    child = processes.Process(target=lambda: end.send({n: answer(d) for n, d in doors.items()}))
    child.start()
    found = pipe.recv() if pipe.poll(120) else "no answer"
    child.kill()
    return found

def answer(door):
    try:
        return list(door().shape)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

before = answers({"fit": lambda: embedder.fit(X).transform(X)})
embedder.fit(X)
folder = tempfile.mkdtemp()
narrows.save(embedder, f"{folder}/network.narrows")
narrows.save(narrows.PCA(2).fit(X), f"{folder}/pca.narrows")
pickled = pickle.dumps(embedder)
after = answers({
    "transform": lambda: embedder.transform(X),
    "inverse_transform": lambda: embedder.inverse_transform([[0.0, 0.0]]),
    "fit": lambda: narrows.Autoencoder(2, encoder=(4,), epochs=1).fit(X),
    "fit_resamples": lambda: embedder.fit_resamples([X], [0]),
    "tsne": lambda: tsne.fit(X),
    "load": lambda: narrows.load(f"{folder}/network.narrows"),
    "pickle": lambda: pickle.loads(pickled).transform(X),
    "onnx": lambda: narrows.export_onnx(embedder, f"{folder}/m.onnx"),
    "pca": lambda: narrows.PCA(2).fit_transform(X),
    "load pca": lambda: narrows.load(f"{folder}/pca.narrows").transform(X),
    "preprocessor": lambda: narrows.TablePreprocessor().fit_transform(X),
})
workers = {}
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
with joblib.parallel_config("multiprocessing", n_jobs=2):
    for name, call in {
        "transform": embedder.transform,
        "fit": narrows.Autoencoder(2, encoder=(4,), epochs=1).fit,
        "fit a model": narrows.Autoencoder(2, encoder=model, decoder=(4,), epochs=1).fit,
        "pca": narrows.PCA(2).fit_transform,
    }.items():
        workers[name] = answer(
            lambda: joblib.Parallel(timeout=60)(joblib.delayed(call)(X) for _ in range(2))[0]
        )
print(json.dumps([before, after, workers]))
"""


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_works_or_says_what_to_do():
    before, after, workers = run(FORKED)
    assert before == {"fit": [150, 2]}  # nothing of JAX had started
    names = ("pca", "load pca", "preprocessor")
    assert [after.pop(name) for name in names] == [[150, 2], [150, 2], [150, 4]]
    assert workers.pop("pca") == [150, 2]
    for answer in [*after.values(), *workers.values()]:
        assert answer.startswith("ForkedProcessError: Networks need a process of their own")
        assert "joblib.parallel_config('loky')" in answer


STRICT = """
import json, pickle, tempfile
import narrows
from narrows._keras import keras
from narrows.networks import post_decoder, post_encoder

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
folder = tempfile.mkdtemp()
embedder = narrows.Autoencoder(
    2, encoder=post_encoder, decoder=post_decoder, epochs=1, random_state=0, metrics=("accuracy",),
    optimizer=keras.optimizers.Adam(), loss=keras.losses.Huber(),
).fit(X)
narrows.save(embedder, f"{folder}/m.narrows")
narrows.load(f"{folder}/m.narrows").transform(X)
narrows.save_weights_hdf5(embedder, f"{folder}/m.h5")
narrows.load_weights_hdf5(embedder, f"{folder}/m.h5")
narrows.storage.save_keras(embedder, folder)
narrows.export_onnx(embedder, f"{folder}/m.onnx")
pickle.loads(pickle.dumps(embedder)).reconstruct(X)
arms = {"pca": narrows.PCA(2), "network": narrows.Autoencoder(2, encoder=(4,), epochs=1)}
found = narrows.compare(
    arms, X, y, resampling="holdout:0.8x2", seeds=1, probes="neighbours", random_state=0
)
found.to_html(f"{folder}/page.html", X=X, arms=arms)
print(json.dumps(len(found.failures)))
"""


@pytest.mark.long
def test_nothing_warns_where_warnings_are_errors():
    assert run(STRICT, "-W", "error") == 0


@pytest.fixture
def strict():
    """A session that debugs its own formulas."""
    with np.errstate(all="raise"), jax.disable_jit(), jax.debug_nans(True):
        yield


@pytest.fixture
def tiny(measurements):
    """Iris with a column whose squares are too small to be told from 0, in float32 and 64."""
    return measurements.assign(tiny=measurements.iloc[:, 0] * 1e-200)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*computes in float32:UserWarning")  # of the tiny column
def test_a_session_that_debugs_its_own_code_changes_nothing(strict, tiny, tmp_path):
    y = narrows.datasets.iris()["Species"]
    arms = {"pca": narrows.PCA(2), "network": narrows.Autoencoder(2, encoder=(4,), epochs=1)}
    embedder = narrows.Autoencoder(2, encoder=(4,), epochs=1, random_state=0).fit(tiny)
    with np.errstate(all="warn", under="ignore"), jax.disable_jit(False):
        same = narrows.Autoencoder(2, encoder=(4,), epochs=1, random_state=0).fit(tiny)
        Z = same.transform(tiny)
    np.testing.assert_array_equal(embedder.transform(tiny), Z)
    narrows.save(embedder, tmp_path / "m.narrows")
    np.testing.assert_array_equal(narrows.load(tmp_path / "m.narrows").transform(tiny), Z)
    narrows.export_onnx(embedder, tmp_path / "m.onnx")
    assert np.isfinite(embedder.score(tiny))
    assert np.isfinite(narrows.PCA(2).fit(tiny).score(tiny))
    tsne = narrows.TSNEMapEncoder(2, encoder=(4,), epochs=1, map_steps=5, random_state=0)
    assert tsne.fit(tiny).transform(tiny, refine=True).shape == (150, 2)
    found = narrows.compare(arms, tiny, y, probes="logistic", n_jobs=1, **COMPARED)
    assert len(found.failures) == 0
    assert found.to_html(X=tiny, arms=arms) is not None
    assert np.geterr()["under"] == "raise"


class Here:
    """Functions that can be called from one thread alone, as another language's are."""

    def __init__(self):
        self.thread = threading.get_ident()
        self.calls = set()

    def check(self, name):
        assert threading.get_ident() == self.thread, f"{name} was called from another thread"
        self.calls.add(name)

    def encoder(self, x, width=2):
        from narrows._keras import keras

        self.check("encoder")
        return keras.layers.Dense(width, activation=self.activation)(x)

    def activation(self, x):
        self.check("activation")
        return x

    def decoder(self, z):
        from narrows._keras import keras

        self.check("decoder")
        return keras.layers.Dense(4)(z)

    def loss(self, true, rebuilt):
        from narrows._keras import keras

        self.check("loss")
        return keras.ops.mean((true - rebuilt) ** 2, axis=-1)

    def metric(self, true, rebuilt):
        self.check("metric")
        return abs(true - rebuilt).mean(axis=-1)

    def progress(self, done, total):
        self.check("progress")

    def network(self, **parameters):
        # Plain functions: a clone would copy a method together with its object.
        return narrows.Autoencoder(
            2, encoder=lambda x: self.encoder(x), decoder=lambda z: self.decoder(z),
            loss=lambda true, rebuilt: self.loss(true, rebuilt),
            metrics=[lambda true, rebuilt: self.metric(true, rebuilt)],
            epochs=1, random_state=0, **parameters,
        )  # fmt: skip


BUILT = {"encoder", "activation", "decoder", "loss", "metric"}


def test_fits_call_functions_on_the_calling_thread(measurements):
    here = Here()
    here.network(restarts=3).fit(measurements).transform(measurements)
    here.network().fit_resamples([measurements, measurements], [0, 1])
    assert here.calls == BUILT


@pytest.mark.long
@pytest.mark.parametrize(("cores", "refit"), [(None, True), (None, False), (16, True)])
def test_a_comparison_calls_functions_on_the_calling_thread(
    measurements, monkeypatch, cores, refit
):
    here = Here()
    if cores is not None:  # so that trainings run beside the judging
        monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    arms = {
        "pca": narrows.PCA(2),
        "other": decomposition.PCA(1),
        "network": here.network(),
        "more": here.network(restarts=2),
        "seeded steps": make_pipeline(GaussianRandomProjection(4), here.network()),
        "separate": narrows.TSNEMapEncoder(
            2, encoder=lambda x: here.encoder(x), epochs=1, map_steps=5
        ),
    }
    found = narrows.compare(
        arms, measurements, narrows.datasets.iris()["Species"], n_jobs=2, probes="neighbours",
        controls=("raw", "untrained", "linear"), progress=here.progress, refit=refit, **COMPARED,
    )  # fmt: skip
    assert found.failures["message"].tolist() == []
    assert here.calls == BUILT | {"progress"}


def test_a_probe_with_a_network_runs_on_the_calling_thread(measurements):
    from sklearn.neighbors import KNeighborsClassifier

    here = Here()
    probe = make_pipeline(
        narrows.Autoencoder(1, encoder=lambda x: here.encoder(x, 1), decoder=(4,), epochs=1),
        KNeighborsClassifier(),
    )
    found = narrows.compare(
        {"pca": narrows.PCA(2)}, measurements, narrows.datasets.iris()["Species"], n_jobs=2,
        probes={"network": probe}, controls=(), **COMPARED,
    )  # fmt: skip
    assert found.failures["message"].tolist() == []
    assert here.calls == {"encoder", "activation"}
