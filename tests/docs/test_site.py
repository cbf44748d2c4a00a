"""The site builds without a warning, needs no network, and its gallery is not blank."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a page would fetch when it is opened: scripts, styles, images, fonts.
FETCHED = re.compile(r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["'](?:https?:)?//[^"']+""")
STYLED = re.compile(
    r"""<link\b[^>]*\brel=["'](?:stylesheet|preload)["'][^>]*\bhref=["'](?:https?:)?//"""
)
IMPORTED = re.compile(r"""(?:url\(|@import\s+)["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build from a copy, so that a test never finds what an earlier build left."""
    work = tmp_path_factory.mktemp("site")
    tracked = ("docs", "benchmarks/results", "CHANGELOG.md", "CONTRIBUTING.md")
    left_out = {"_build", "_generated", "auto_gallery", "generated"}
    for name in tracked:
        source = ROOT / name
        for file in [source] if source.is_file() else source.rglob("*"):
            parts = file.relative_to(ROOT).parts
            if file.is_file() and not left_out & set(parts):
                target = work.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    out = work / "html"
    command = ("-m", "sphinx", "-W", "--keep-going", "-q", str(work / "docs"), str(out))
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return out


@pytest.mark.long
def test_pages_are_there(site):
    for page in ("index", "post", "guide/objectives", "api/generated/narrows.Autoencoder"):
        assert (site / f"{page}.html").stat().st_size > 5_000


@pytest.mark.long
def test_nothing_is_fetched(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not FETCHED.search(text), page
        assert not STYLED.search(text), page
    for style in site.rglob("*.css"):
        assert not IMPORTED.search(style.read_text(encoding="utf-8")), style


def test_what_would_be_fetched_is_seen():
    assert FETCHED.search('<script async src="https://cdn.example/x.js">')
    assert STYLED.search('<link rel="stylesheet" type="text/css" href="//fonts.example/x.css">')
    assert IMPORTED.search("@font-face { src: url(https://fonts.example/x.woff2) }")
    assert not FETCHED.search('<script src="../_static/x.js"></script>')


@pytest.mark.long
def test_formulas_are_mathml(site):
    text = (site / "guide" / "objectives.html").read_text(encoding="utf-8")
    assert text.count("<math ") > 10
    assert "MathJax.js" not in text
    assert "tex-mml" not in text


@pytest.mark.long
def test_every_example_has_a_figure_with_something_on_it(site):
    from matplotlib.image import imread

    for example in (ROOT / "docs" / "gallery").glob("plot_*.py"):
        figures = list((site / "_images").glob(f"sphx_glr_{example.stem}_[0-9]*.png"))
        assert figures, example
        for figure in figures:
            assert imread(figure)[..., :3].std() > 0.02, figure


@pytest.mark.long
def test_the_command_line_page_has_every_command(site):
    from narrows.cli._main import app

    text = (site / "command-line.html").read_text(encoding="utf-8")
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f'id="narrows-{name}"' in text
