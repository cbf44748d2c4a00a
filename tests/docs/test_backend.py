"""A page's code in its order, in a process that has not chosen Keras's backend."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [
    path
    for path in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]
    if not {"_build", "_generated", "decisions"} & set(path.relative_to(DOCS.parent).parts)
]
FENCE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
IMPORT = re.compile(r"^(import keras|from keras)", re.M)
CHOICE = 'os.environ["KERAS_BACKEND"] = "jax"'


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_pages_choose_the_backend_before_they_import_keras(page):
    code = "".join(FENCE.findall(page.read_text(encoding="utf-8")))
    found = IMPORT.search(code)
    assert found is None or CHOICE in code[: found.start()]


def test_some_pages_import_keras():
    assert sum(bool(IMPORT.search(page.read_text(encoding="utf-8"))) for page in PAGES) > 2
