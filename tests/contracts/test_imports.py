"""``import narrows`` is light and leaves the session alone; Keras must be on JAX at first use."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import narrows

PAGES = (Path(__file__).parents[2] / "docs" / "api").glob("*.rst")
MODULES = re.compile(r"^\s+narrows\.([a-z]+)\.\w+$", re.MULTILINE)
DOCUMENTED = sorted({name for page in PAGES for name in MODULES.findall(page.read_text("utf-8"))})
HEAVY = ["keras", "jax", "sklearn", "pandas", "matplotlib", "plotnine", "numpy", "h5py", "typer"]


def run(code, **environment):
    """Run code in a fresh process; return what it printed."""
    variables = {**os.environ, **environment}
    if "KERAS_BACKEND" not in environment:
        variables.pop("KERAS_BACKEND", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_loads_nothing_heavy():
    loaded = json.loads(run("import json, sys, narrows; print(json.dumps(list(sys.modules)))"))
    assert "narrows" in loaded
    assert not set(HEAVY) & set(loaded)


STATE = """
import logging, os, sys, warnings
import matplotlib
import numpy as np

def state():
    words = np.random.get_state()
    return {
        "numpy": (words[0], words[1].tolist(), *words[2:]),
        "errors": np.geterr(),
        "handlers": list(map(repr, logging.getLogger().handlers)),
        "level": logging.getLogger().level,
        "filters": list(map(repr, warnings.filters)),
        "rc": dict(matplotlib.rcParams),
        "backend": matplotlib.get_backend(auto_select=False),
        "environment": dict(os.environ),
        "print": repr(np.get_printoptions()),
    }

before = state()
"""


def test_import_changes_nothing_in_the_session():
    code = "import narrows\nafter = state()\nprint([k for k in before if before[k] != after[k]])"
    assert run(STATE + code).strip() == "[]"


def test_the_state_check_sees_changes():
    code = """
np.random.rand(); logging.basicConfig(level=10); warnings.simplefilter("ignore")
matplotlib.rcParams["lines.linewidth"] = 9
after = state()
print([k for k in before if before[k] != after[k]])
"""
    changed = "['numpy', 'handlers', 'level', 'filters', 'rc']"
    assert run(STATE + code).strip() == changed


@pytest.mark.long
def test_use_leaves_random_numbers_and_figures_alone():
    """Once Keras is there: importing JAX itself draws from NumPy's global generator."""
    code = """
import narrows
narrows.networks
before = state()
X = narrows.datasets.iris().drop(columns="Species")
narrows.Autoencoder(encoder=(2,), epochs=1, random_state=0).fit(X)
narrows.PCA().fit(X)
narrows.plots
after = state()
print([k for k in ("numpy", "errors", "rc", "handlers", "print") if before[k] != after[k]])
"""
    assert run(STATE + code).strip() == "[]"


def test_every_public_name_loads_and_others_do_not():
    code = """
import narrows
for name in narrows.__all__:
    getattr(narrows, name)
assert set(narrows.__all__) <= set(dir(narrows))
try:
    narrows.autoencoder
except AttributeError as error:
    print(error)
"""
    assert run(code).strip() == "module 'narrows' has no attribute 'autoencoder'"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_module_is_there_without_an_import_of_its_own(name):
    assert narrows._HOMES.get(name, "missing") is None


USE = """
import narrows
try:
    narrows.Autoencoder().fit([[1.0, 2.0], [3.0, 4.0]])
except RuntimeError as error:
    print(error)
"""
STUB = """
import sys, types
keras = types.ModuleType("keras")
keras.config = types.SimpleNamespace(backend=lambda: "torch")
sys.modules["keras"] = keras
"""


def assert_one_clear_sentence(text, backend):
    assert f"Keras on '{backend}'" in text
    assert "'jax' backend" in text
    assert "KERAS_BACKEND=jax" in text
    assert len(text.strip().splitlines()) == 1


@pytest.mark.long
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_another_backend_in_the_environment(backend):
    assert_one_clear_sentence(run(USE, KERAS_BACKEND=backend), backend)


def test_another_backend_already_imported():
    assert_one_clear_sentence(run(STUB + USE), "torch")


def test_every_later_use_says_so_too():
    text = run(STUB + USE + "narrows.__dict__.pop('networks', None)\n" + USE)
    assert len(text.strip().splitlines()) == 2


def test_jax_chosen_by_the_user(monkeypatch):
    from narrows._keras import check_backend

    monkeypatch.setenv("KERAS_BACKEND", "jax")
    check_backend()


def test_an_empty_choice_is_none():
    code = "import narrows, os; narrows.networks; print(os.environ['KERAS_BACKEND'])"
    assert run(code, KERAS_BACKEND="").strip() == "jax"


KERAS = """
import os, sys
before = dict(os.environ)
import narrows
assert dict(os.environ) == before
from keras.layers import Dense
import keras
print(keras.config.backend())
"""


@pytest.mark.long
@pytest.mark.parametrize("settings", [None, "tensorflow", "jax"])
def test_keras_imported_after_narrows_starts_on_jax(settings, tmp_path):
    """Keras itself writes "tensorflow" into its settings file, whoever imports it first."""
    if settings is not None:
        (tmp_path / "keras.json").write_text(json.dumps({"backend": settings}))
    assert run(KERAS, KERAS_HOME=str(tmp_path)).strip() == "jax"


FOUND = """
import os, sys, types
if os.environ.get("WITH_TENSORFLOW"):
    sys.modules["tensorflow"] = types.ModuleType("tensorflow")
import importlib.util
import narrows
importlib.util.find_spec("keras")
print(os.environ.get("KERAS_BACKEND"))
print([type(finder).__name__ for finder in sys.meta_path].count("JaxByDefault"))
"""


@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_a_backend_chosen_by_variable_is_left(backend):
    assert run(FOUND, KERAS_BACKEND=backend).split() == [backend, "0"]


def test_a_backend_chosen_in_keras_settings_is_left(tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "torch"}))
    assert run(FOUND, KERAS_HOME=str(tmp_path)).split() == ["None", "0"]


def test_who_has_imported_tensorflow_gets_it():
    assert run(FOUND, WITH_TENSORFLOW="1").split() == ["None", "0"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"floatx": "float32"}'])
def test_settings_without_a_backend_are_no_choice(content, tmp_path):
    (tmp_path / "keras.json").write_text(content)
    assert run(FOUND, KERAS_HOME=str(tmp_path)).split() == ["jax", "0"]
