"""What is said of others: with a source each, and as the scripts have it."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/comparison-with-others.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \*\*(.+?)\*\* \|(.*)\|$", re.M)
ROWS = [(name, cells.strip()) for name, cells in ROW.findall(PAGE) if "narrows" not in name]
OTHERS = {
    "AUTOENCODIX", "NUMAP", "ParamRepulsor", "TorchDR", "baycomp", "caret's `diff`", "correctR",
    "encdr", "mlr3inferr", "openTSNE", "pythae", "scikit-learn", "tidyposterior",
}  # fmt: skip


@pytest.fixture
def embeddings(monkeypatch):
    """The script that makes the table of Fashion-MNIST."""
    monkeypatch.setenv("NARROWS_CACHE", "off")  # the script sets it for its own process
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("embeddings", ROOT / "benchmarks/embeddings.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "embeddings", module)  # where its dataclasses look
    spec.loader.exec_module(module)
    return module


def test_packages_that_do_the_same_are_named():
    assert {name for name, _ in ROWS} >= OTHERS
    assert "[mixed tables into numbers and back][rdt]" in PAGE


@pytest.mark.parametrize(("name", "cells"), ROWS)
def test_a_row_on_another_package_has_a_source(name, cells):
    assert "](" in cells or "][" in cells


def test_every_source_is_used_and_every_one_used_is_there():
    there = set(re.findall(r"^\[(.+?)\]: https://", PAGE, re.M))
    assert set(re.findall(r"\]\[(.+?)\]", PAGE.replace("\n", " "))) == there


def test_the_published_table_is_whole_and_as_the_script_has_it(embeddings):
    page = (ROOT / "benchmarks/results/embeddings.md").read_text(encoding="utf-8")
    assert page.endswith("\n\n".join(embeddings.published()) + "\n")
    # As the authors' notebook prints them: one and five neighbours.
    assert embeddings.PUBLISHED["UMAP/AE: parametric UMAP and autoencoder"] == (0.7083, 0.7561)
