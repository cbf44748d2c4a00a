"""Every public name stands on a page of docs/api, and numpydoc can read its docstring."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from numpydoc.docscrape import get_doc_object

import narrows

API = Path(__file__).parents[2] / "docs" / "api"
LISTED = re.compile(r"^   (narrows\.[\w.]+)$", re.M)


def listed() -> dict[str, object]:
    """Every name on the pages, and what it stands for."""
    found = {}
    for page in API.glob("*.rst"):
        for name in LISTED.findall(page.read_text(encoding="utf-8")):
            assert name not in found, f"{name} stands on two pages"
            module, _, attribute = name.rpartition(".")
            found[name] = getattr(importlib.import_module(module), attribute)
    return found


def public() -> dict[str, object]:
    """Every function and class in the ``__all__`` of a module without an underscore."""
    found = {f"narrows.{name}": getattr(narrows, name) for name in narrows.__all__}
    for info in pkgutil.walk_packages(narrows.__path__, "narrows."):
        parts = info.name.split(".")
        if any(part.startswith("_") for part in parts) or parts[1] == "cli":
            continue
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", ()):
            found[f"{info.name}.{name}"] = getattr(module, name)
    return {k: v for k, v in found.items() if inspect.isfunction(v) or inspect.isclass(v)}


LISTED_NAMES, PUBLIC = listed(), public()


def test_there_is_something_to_check():
    assert {"narrows.Autoencoder", "narrows.comparison.bootstrap"} <= set(LISTED_NAMES)
    assert {"narrows.Autoencoder", "narrows.storage.LoadReport"} <= set(PUBLIC)


def test_every_public_name_is_on_a_page():
    objects = list(LISTED_NAMES.values())
    missing = [name for name, value in PUBLIC.items() if value not in objects]
    assert not missing, "add them to docs/api"


def test_pages_list_public_names_only():
    assert not [name for name, value in LISTED_NAMES.items() if value not in PUBLIC.values()]


@pytest.mark.parametrize("name", LISTED_NAMES)
def test_numpydoc_reads_the_docstring(name):
    value = LISTED_NAMES[name]
    doc = get_doc_object(value)  # an unknown or repeated section warns, and warnings are errors
    assert "".join(doc["Summary"]).strip()
    if inspect.isfunction(value) and inspect.signature(value).parameters:
        assert doc["Parameters"]
