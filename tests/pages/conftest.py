"""Pages in a real browser: Debian's Chromium, driven by Playwright."""

import dataclasses
import os
import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.report import Report, View, comparison_report, comparison_sections, render

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOSTILE = [
    "<script>window.hacked = 1</script>", "\"quoted\" 'n' & </script><!-- <b>bold</b>",
    "😀🧬 <img src=x onerror='window.hacked=2'>", "long " * 40, "שלום עולם, مرحبا", "=1+1\u2028{b}",
]  # fmt: skip
MANY = 50_000


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "pages are tested in Debian's chromium, which is not installed (apt-get install)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Launched so, it has a new profile, which goes with it.
        opened = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Open a file; the page comes with all that it said on the console and asked for."""
    contexts = []

    def opened(path, *, width=1280, scheme="light", scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme,
            java_script_enabled=scripts, accept_downloads=True,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        seen = SimpleNamespace(console=[], requests=[], errors=[])
        page.on("console", lambda message: seen.console.append(message.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", lambda request: seen.requests.append(request.url))
        page.goto(path.as_uri())
        if scripts:
            page.wait_for_selector("html[data-ready]", state="attached")
        page.seen = seen
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def iris():
    """Rows with names, to see that these and not the numbers are shown."""
    table = narrows.datasets.iris()
    return table.set_index(pd.Index([f"flower {n}" for n in range(len(table))]))


@pytest.fixture(scope="session")
def arms():
    return {"pca": PCA(2), "autoencoder": Autoencoder(encoder=(8,), epochs=4)}


@pytest.fixture(scope="session")
def comparison(iris, arms):
    return compare(
        arms, iris.drop(columns="Species"), iris["Species"], probes="neighbours",
        resampling="5x1", seeds=2, random_state=0,
    )  # fmt: skip


@pytest.fixture(scope="session")
def full_page(comparison, iris, arms, folder):
    """A page with everything."""
    path = folder / "full.html"
    comparison.to_html(path, X=iris.drop(columns="Species"), arms=arms, label="Species")
    return path


@pytest.fixture(scope="session")
def hostile_page(folder):
    rng = np.random.default_rng(0)
    labels = HOSTILE * 6
    names = [f"{place} {label}" for place, label in enumerate(labels)]
    X = pd.DataFrame(rng.normal(size=(len(labels), 3)), columns=HOSTILE[:3], index=names)
    arms = {"pca": PCA(2), HOSTILE[0]: PCA(2, standardize=True)}
    found = compare(
        arms, X, labels, probes="neighbours", preprocess={HOSTILE[1]: "none"}, resampling="5x1",
        controls=(), random_state=0, quality=False,
    )  # fmt: skip
    report = comparison_report(
        found, X=X, arms=arms, preprocess={HOSTILE[1]: "none"}, label=HOSTILE[1], title=HOSTILE[0],
        command=HOSTILE[1],
    )  # fmt: skip
    path = folder / "hostile.html"
    path.write_text(render(report), "utf-8")
    return path


@pytest.fixture(scope="session")
def large_page(comparison, folder):
    """Fifty thousand rows in four embeddings, ten classes, ten columns."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, MANY)
    kept = comparison.points[["arm", "preprocess"]].drop_duplicates()
    kept = kept[kept["arm"].isin(["pca", "autoencoder"])]
    points = [
        pd.DataFrame(
            rng.normal(labels[:, None], 1.0, (MANY, 2)), columns=["dim_1", "dim_2"]
        ).assign(arm=arm, preprocess=choice, row=np.arange(MANY), part="train")
        for arm, choice in kept.itertuples(index=False)
    ]
    many = dataclasses.replace(
        comparison, points=pd.concat(points), labels=[f"class {label}" for label in labels],
        settings=comparison.settings | {"n_rows": MANY, "classes": []},
    )  # fmt: skip
    X = pd.DataFrame(rng.normal(size=(MANY, 10))).add_prefix("column ")
    sections = comparison_sections(many, View("class", X))
    report = Report("Many rows", "", datetime.now(UTC), {}, sections)
    path = folder / "large.html"
    path.write_text(render(report), "utf-8")
    return path
