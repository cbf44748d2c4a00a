"""Fifty thousand rows: a page that can be mailed, and used."""

import json
import re

import numpy as np
import pytest

from narrows.report._point_data import MOST_DRAWN

pytestmark = pytest.mark.long


def test_it_stays_small_and_says_how_many_rows_are_drawn(large_page):
    text = large_page.read_text("utf-8")
    assert len(text.encode()) < 15_000_000
    drawn, rows = re.search(r"([\d,]+) of ([\d,]+) rows are drawn", text).groups()
    assert rows == "50,000"
    found = re.findall(r'data-kind="embeddings".*?application/json">(.*?)</script>', text, re.S)
    data = json.loads(found[0])
    assert len(data["names"]) == int(drawn.replace(",", "")) <= MOST_DRAWN
    # Each class keeps its share: a tenth of the rows, give or take what chance gave it.
    shares = np.bincount(data["level"]) / len(data["level"])
    np.testing.assert_allclose(shares, 0.1, atol=0.01)


def test_it_becomes_usable(visit, large_page):
    page = visit(large_page)
    assert page.seen.errors == []
    page.get_by_role("button", name="class 3").click()
    page.get_by_role("searchbox").fill("0")
    page.keyboard.press("Enter")
    assert page.get_by_role("status").inner_text()
    assert page.seen.errors == []
