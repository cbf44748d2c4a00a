"""The page on the architecture names what there is: folders, files, their order."""

import importlib.util
import re
from pathlib import Path

import pytest

import narrows

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
HOUSE = Path(narrows.__file__).parent
ROWS = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)


def layers():
    path = ROOT / "tests/contracts/test_layers.py"
    spec = importlib.util.spec_from_file_location("layers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_folder_has_its_row_in_the_order_of_the_layers():
    known = layers()
    assert [*known.STAGES, *known.EDGES] == ROWS
    folders = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert folders == set(ROWS)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:src|tests|docs)/[\w./]+)`", PAGE))))
def test_what_it_names_is_there(name):
    assert (ROOT / name).exists()


def test_files_named_without_a_folder_are_there():
    names = {path.name for path in HOUSE.rglob("*.py")}
    assert set(re.findall(r"`(_\w+\.py)`", PAGE)) <= names


@pytest.mark.parametrize("folder", [path.parent for path in HOUSE.rglob("__init__.py")])
def test_a_folder_opens_to_a_dozen_doors_or_so(folder):
    assert len(list(folder.glob("*.py"))) <= 17
