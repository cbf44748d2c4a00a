"""Whatever stands in a table is shown as text, and runs nowhere."""

import csv
import io

import pytest

HACKED = "window.hacked"


def labels(page):
    return [text.strip() for text in page.locator("button.level bdi").all_text_contents()]


@pytest.mark.long
def test_labels_are_text_in_the_legend_the_tip_and_the_list(visit, hostile_page):
    page = visit(hostile_page)
    assert page.seen.errors == page.seen.console == []
    assert page.locator("figure.chart.is-live").count() == 3
    named = labels(page)
    assert len(named) == 6
    assert "<script>window.hacked = 1</script>" in named
    assert "שלום עולם, مرحبا" in named
    for place, name in enumerate(named):
        number = next(i for i in range(36) if row_name(page, i).split(" ", 1)[1].strip() == name)
        page.get_by_role("searchbox").fill(row_name(page, number))
        page.keyboard.press("Enter")
        assert page.locator(".chosen tbody th").inner_text().strip().startswith(str(number)), place
        cell = page.locator(".chosen tbody td").first.text_content()
        assert cell.strip() == name
    assert page.evaluate(HACKED) is None
    assert page.locator("main b, main img:not(.still img)").count() == 0


def row_name(page, number):
    return page.evaluate(
        """(number) => JSON.parse(document.querySelector(
          "figure[data-kind=embeddings] script").textContent).names[number]""",
        number,
    )


def test_pointing_at_such_a_row_shows_text(visit, hostile_page):
    page = visit(hostile_page)
    for level in range(6):
        x, y = page.evaluate(
            """async (level) => {
              const host = document.querySelector("figure[data-kind=embeddings] .plot");
              host.scrollIntoView({block: "center"});
              await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
              const chart = echarts.getInstanceByDom(host), box = host.getBoundingClientRect();
              const data = chart.getOption().series.find((s) => s.id === `level-${level}`).data;
              const [x, y] = chart.convertToPixel({seriesIndex: 0}, data[0]);
              return [x + box.left, y + box.top];
            }""",
            level,
        )
        page.mouse.move(x, y)
        page.wait_for_selector(".tip:visible")
        assert page.locator(".tip *:not(div, span, bdi, strong)").count() == 0
        assert labels(page)[level] in page.locator(".tip").text_content()
    assert page.evaluate(HACKED) is None


def test_nothing_of_it_becomes_an_element(visit, hostile_page):
    page = visit(hostile_page, scripts=False)
    assert page.locator("script:not([type])").count() == 2  # the library and the page's own
    assert page.locator("h1").inner_text().startswith("<script>")
    assert page.locator("[onerror]").count() == 0


def test_a_saved_table_holds_no_formula(visit, hostile_page):
    page = visit(hostile_page)
    name = next(row_name(page, i) for i in range(36) if "=1+1" in row_name(page, i))
    page.get_by_role("searchbox").fill(name)
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the chosen rows").click()
    text = download.value.path().read_bytes().decode("utf-8")
    head, row = csv.reader(io.StringIO(text, newline=""))
    assert len(head) == len(row) == 5
    assert row[1].startswith("'=1+1")


def test_on_a_phone_long_labels_do_not_widen_the_page(visit, hostile_page):
    page = visit(hostile_page, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
