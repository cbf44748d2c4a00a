"""The Python on the pages and in the README runs, in one namespace a page, in its order."""

import doctest
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import narrows
from narrows.embedders.fitting import _fit
from narrows.embedders.tsne import _training

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^(?P<marks>`{3,})python\n(?P<code>.*?)^(?P=marks)$", re.M | re.S)
# Before a fence: the reason why it is not run.
SKIP = re.compile(r"<!-- not run: .+? -->\n\Z")
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
LEFT_OUT = {"_build", "_generated", "auto_gallery", "gallery", "generated"}
EPOCHS = 3


@dataclass(frozen=True)
class Snippet:
    """A block of Python: where it is, and what it says."""

    line: int
    code: str


def snippets(page: Path) -> list[Snippet]:
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(text.count("\n", 0, found.start("code")) + 1, found["code"])
        for found in FENCE.finditer(text)
        if not SKIP.search(text[: found.start()])
    ]


def pages() -> dict[str, Path]:
    found = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    kept = [page for page in found if not LEFT_OUT & set(page.relative_to(ROOT).parts)]
    return {str(page.relative_to(ROOT)): page for page in kept if snippets(page)}


PAGES = pages()


@pytest.fixture
def brief(monkeypatch):
    """Trainings of a few epochs and comparisons of two resamples: pages show how, not how well."""
    train, compare = _fit.train, narrows.compare

    def short_train(*args, **kwargs):
        return train(*args, **kwargs | {"epochs": min(kwargs["epochs"], EPOCHS)})

    def short_compare(*args, **kwargs):
        return compare(*args, **kwargs | {"seeds": 1, "resampling": "holdout:0.8x2"})

    for module in (_fit, _training):
        monkeypatch.setattr(module, "train", short_train)
    monkeypatch.setattr(narrows, "compare", short_compare)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder to work in, with the table that pages read, also as France writes it."""
    from plotnine.data import penguins

    penguins.to_csv(tmp_path / "penguins.csv", index=False)
    french = {"sep": ";", "decimal": ",", "encoding": "latin-1"}
    penguins.to_csv(tmp_path / "pingouins.csv", index=False, **french)
    penguins.assign(id=range(len(penguins))).to_parquet(tmp_path / "big.parquet", index=False)
    monkeypatch.chdir(tmp_path)


def run(snippet: Snippet, page: str, namespace: dict) -> None:
    if not snippet.code.startswith(">>> "):
        lines_before = "\n" * (snippet.line - 1)  # so that a traceback names the page's line
        exec(compile(lines_before + snippet.code, page, "exec"), namespace)
        return
    test = doctest.DocTestParser().get_doctest(
        snippet.code, namespace, page, page, snippet.line - 1
    )
    lines: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=lines.append, clear_globs=False)
    assert result.failed == 0, "".join(lines)
    namespace.update(test.globs)


def test_the_pages_that_matter_have_snippets():
    assert {"README.md", "docs/quickstart.md", "docs/post.md", "docs/guide/data.md"} <= set(PAGES)


@pytest.mark.long
@pytest.mark.usefixtures("brief", "files")
@pytest.mark.parametrize("page", PAGES)
def test_python_on_the_page_runs(page):
    namespace: dict = {"__name__": "page", "narrows": narrows}
    for snippet in snippets(PAGES[page]):
        run(snippet, page, namespace)


def test_a_wrong_output_and_an_error_are_seen():
    with pytest.raises(AssertionError, match="Expected"):
        run(Snippet(1, ">>> 1 + 1\n3\n"), "page", {})
    with pytest.raises(ZeroDivisionError):
        run(Snippet(1, "1 / 0\n"), "page", {})
