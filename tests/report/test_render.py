"""The page: self-contained, escaped, in order, accessible."""

import os
import re
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser

import pandas as pd
import pytest

from narrows.report import Figure, Preformatted, Report, Section, Table, render, write_report

HOSTILE = "<script>alert(1)</script>\"'&"
# Two figures with the same ids, and one address that must not leak into the page's markup.
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><g id="axes_1"><script>evil()</script></g></svg>'


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
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_contents_link_to_headings_and_ids_are_unique(page):
    ids = page.all("id")
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    links = [href.removeprefix("#") for href in page.all("href")]
    assert len(links) == 4
    assert set(links) <= set(ids)
    assert set(page.all("aria-labelledby")) <= set(ids)


def test_text_is_escaped_everywhere(page):
    tags = Counter(tag for tag, _ in page.tags)
    assert tags["script"] == 0
    # title of section twice (contents, heading), paragraph, two captions, one cell, one layer
    assert sum(HOSTILE in text for text in page.text) == 7
    assert HOSTILE in page.all("alt")


def test_headings_are_in_order(page):
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings == [1, 2, 2, 2, 2]


def test_figures_have_words(page):
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert [image["alt"] for image in images] == ["Loss falls", HOSTILE]
    assert all(image["role"] == "img" for image in images)


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
    themes = re.findall(r":root \{(.*?)\}", render(report()), flags=re.DOTALL)
    assert len(themes) == 3
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#\w+)", theme))
        for ink in ("ink", "quiet", "link"):
            for ground in ("paper", "inset"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
