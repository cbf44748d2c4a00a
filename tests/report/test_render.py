"""The page: self-contained, escaped, in order, accessible."""

import hashlib
import json
import os
import re
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files

import pandas as pd
import pytest

from narrows.report import (
    Chart,
    Download,
    Drawing,
    Figure,
    Listing,
    Preformatted,
    Report,
    Section,
    Table,
    render,
    write_report,
)
from narrows.report._assets import library, script_json, vendored
from narrows.report._svg import compact

HOSTILE = "<script>alert(1)</script>\"'&"
# Two figures with the same ids, and one address that must not leak into the page's markup.
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><g id="axes_1"><script>evil()</script></g></svg>'

CHART = Section("Chart", [Chart("history", {"panels": []}, Figure(SVG, "Loss falls"))])


def report(**changes):
    frame = pd.DataFrame({"arm": ["pca", HOSTILE], "accuracy": [0.9, 0.95]})
    sections = [
        Section("Training", ["A paragraph.", Figure(SVG, "Loss falls", "Loss by epoch")]),
        Section(HOSTILE, [HOSTILE, Figure(SVG, HOSTILE, HOSTILE), Table(frame, HOSTILE)]),
        Section("Network", [Preformatted(f"dense_1   750\n{HOSTILE}", "Layers")]),
    ]
    values = {
        "title": "Iris",
        "command": "narrows iris --out 'a b' --seed 0",
        "created": datetime(2025, 5, 1, 12, 30, tzinfo=UTC),
        "versions": {"narrows": "0.1", "keras": "3.15.1"},
        "sections": sections,
        "seed": 0,
    }
    return Report(**(values | changes))


class Page(HTMLParser):
    """What a test wants to know of a page."""

    VOID = frozenset({"meta", "img", "br", "link", "hr", "input"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, attribute):
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


@pytest.fixture
def page():
    return Page(render(report()))


def test_every_tag_is_closed(page):
    assert page.open == []


def test_nothing_comes_from_outside(page):
    addresses = page.all("src") + page.all("href")
    assert len(page.all("src")) == 2
    assert all(address.startswith(("data:", "#")) for address in addresses)
    text = render(report())
    assert not re.search(r"@import|url\(", text)
    # The one address is the name of SVG's elements, not a place.
    assert set(re.findall(r"https?://[^\"]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_the_policy_names_every_script_and_no_other():
    text = render(report(sections=[CHART]))
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    hashes = [b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    assert len(scripts) == 2
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    assert re.findall(r"'sha256-([^']*)'", policy) == hashes
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert "unsafe" not in rules["script-src"]
    assert rules["default-src"] == "'none'"


def test_a_page_without_a_chart_leaves_the_library_out():
    assert library() in render(report(sections=[CHART]))
    assert len(render(report())) < 60_000


def test_the_library_is_the_published_one():
    facts = vendored()
    digest = hashlib.sha256(library().encode("utf-8")).hexdigest()
    assert digest == facts["sha256"]
    folder = files("narrows.report").joinpath("assets", "echarts")
    assert "Apache License" in folder.joinpath("LICENSE").read_text("utf-8")
    assert "Apache ECharts" in folder.joinpath("NOTICE").read_text("utf-8")
    assert f'"{facts["version"]}"' in library()


@pytest.mark.parametrize(
    "text", ["</script>", "<!--", "]]>", "&amp;", "\u2028\u2029", "שלום", "\\", '"', "😀"]
)
def test_json_in_a_script_element_is_the_same_value(text):
    written = script_json({text: [text, 1.5, None]})
    assert json.loads(written) == {text: [text, 1.5, None]}
    assert not set(written) & set("<>&\u2028\u2029")


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="JSON"):
        script_json(float("nan"))


def test_other_blocks():
    blocks = [
        Listing([HOSTILE, "two"]),
        Drawing('<svg role="img" aria-label="layers"></svg>', HOSTILE),
        Download("numbers.json", "{}", HOSTILE),
        Table(pd.DataFrame({"share": [0.25, 2.0, -1.0, None]}), bars=["share"]),
    ]
    page = Page(render(report(sections=[Section("x", blocks)])))
    assert page.open == []
    assert sum(HOSTILE in text for text in page.text) == 3
    assert [attrs.get("aria-label") for tag, attrs in page.tags if tag == "svg"] == ["layers"]
    assert page.all("style") == ["--share:25.0%", "--share:100.0%", "--share:0.0%"]
    assert page.all("download") == ["numbers.json.gz"]


def test_a_drawing_is_smaller_and_looks_the_same():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 1.23456 -0.98765 L 10 2.5"/>'
        + '<use x="1.239999" style="fill: #0072b2"/>' * 5
        + '<g transform="scale(0.015625)" style="opacity: 1"/></svg>'
    )
    found = compact(svg)
    assert '<path d="M 1.23 -0.98 L 10 2.5"/>' in found
    assert found.count('<use x="1.23" class="s0"/>') == 5
    assert ".s0{fill: #0072b2}" in found
    assert 'scale(0.015625)" style="opacity: 1"' in found


def test_contents_link_to_headings_and_ids_are_unique(page):
    ids = page.all("id")
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    links = [href.removeprefix("#") for href in page.all("href")]
    assert links[0] == "main"
    assert len(links) == 5
    assert set(links) <= set(ids)
    assert set(page.all("aria-labelledby")) <= set(ids)


def test_text_is_escaped_everywhere(page):
    tags = Counter(tag for tag, _ in page.tags)
    assert tags["script"] == 1  # the page's own
    # title of section twice (contents, heading), paragraph, two captions, one cell, one layer
    assert sum(HOSTILE in text for text in page.text) == 7
    assert HOSTILE in page.all("alt")


def test_headings_are_in_order(page):
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings == [1, 2, 2, 2, 2]


def test_figures_have_words(page):
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert [image["alt"] for image in images] == ["Loss falls", HOSTILE]


def test_how_it_was_made():
    words = " ".join(Page(render(report())).text)
    for word in ("narrows iris --out 'a b' --seed 0", "keras", "3.15.1", "2025-05-01 12:30 UTC"):
        assert word in words
    assert "none fixed" not in words
    assert "none fixed" in " ".join(Page(render(report(seed=None))).text)


def test_a_block_of_another_kind_is_an_error():
    with pytest.raises(TypeError, match=r"blocks must be str, Figure.*Got int"):
        render(report(sections=[Section("x", [3])]))


def test_write_replaces_the_file_and_gives_the_page(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    assert write_report(report(), path) == path
    assert path.read_text("utf-8") == render(report())
    assert os.listdir(tmp_path) == ["report.html"]


def test_old_page_survives_a_failing_write(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def refuse(*_):
        raise PermissionError("not allowed")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        write_report(report(), path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_missing_folder_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_report(report(), tmp_path / "nowhere" / "report.html")


def contrast(one, other):
    """WCAG 2's ratio of two colours."""

    def luminance(colour):
        full = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
        parts = [int(full[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_has_contrast_in_light_dark_and_print():
    themes = re.findall(r":root[^{]*\{\s*(color-scheme.*?)\}", render(report()), flags=re.DOTALL)
    assert len(themes) == 4
    assert re.sub(r"\s", "", themes[1]) == re.sub(r"\s", "", themes[2])  # dark, by either way
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#\w+)", theme))
        for ink in ("ink", "quiet", "link"):
            for ground in ("paper", "inset"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
