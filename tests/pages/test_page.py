"""A comparison's page as a reader uses it."""

import gzip
import re
from base64 import b64decode

import pytest
from axe_playwright_python.sync_playwright import Axe

from narrows.comparison import Comparison

PLOTS = "figure[data-kind=embeddings] .plot"
# Where a row's point is, seen from the window's corner.
PIXEL = """async ([selector, number, level, place]) => {
  const host = document.querySelectorAll(selector)[number];
  host.scrollIntoView({block: "center"});
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
  const chart = echarts.getInstanceByDom(host), box = host.getBoundingClientRect();
  const data = chart.getOption().series.find((one) => one.id === `level-${level}`).data;
  const [x, y] = chart.convertToPixel({seriesIndex: 0}, data[place]);
  return [x + box.left, y + box.top];
}"""
COUNTS = """([selector, number]) => {
  const chart = echarts.getInstanceByDom(document.querySelectorAll(selector)[number]);
  return Object.fromEntries(chart.getOption().series.map((one) => [one.id, one.data.length]));
}"""


def pixel(page, number=0, level=0, place=0):
    return page.evaluate(PIXEL, [PLOTS, number, level, place])


def counts(page, number, selector=PLOTS):
    return page.evaluate(COUNTS, [selector, number])


def lasso_everything_left(page, number, share):
    """Draw around the left part of a panel."""
    box = page.locator(PLOTS).nth(number).bounding_box()
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = box["x"] + share * box["width"], box["y"] + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(x, y, steps=3)
    page.mouse.up()


def test_nothing_is_asked_for_and_nothing_complained_about(visit, full_page):
    page = visit(full_page)
    assert page.seen.requests[0] == full_page.as_uri()
    assert all(url.startswith("data:") for url in page.seen.requests[1:])
    assert page.seen.console == page.seen.errors == []
    assert page.locator("figure.chart.is-live").count() == 4
    assert page.locator("figure.chart .still:visible").count() == 0


def test_no_other_script_runs(visit, full_page):
    page = visit(full_page)
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.hacked = 1";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked = 2'>");
    }""")
    page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None
    refused = page.evaluate("fetch('https://example.org').then(() => 'came', () => 'refused')")
    assert refused == "refused"


def test_the_verdict_comes_first(visit, full_page):
    lead = visit(full_page).locator(".lead").inner_text()
    assert re.match(r"(Yes|No|No gain|Undecided|It depends): .*autoencoder.*pca", lead)


LONELY = """(selector) => {
  const host = document.querySelector(selector);
  const {panels: [panel], names} = JSON.parse(host.querySelector("script").textContent);
  const chart = echarts.getInstanceByDom(host.querySelector(".plot"));
  const at = panel.x.map((x, i) => chart.convertToPixel({seriesIndex: 0}, [x, panel.y[i]]));
  const near = at.map((one, i) => Math.min(...at.map((other, j) =>
    i === j ? Infinity : Math.hypot(one[0] - other[0], one[1] - other[1]))));
  const i = near.indexOf(Math.max(...near));
  return [names[i], i];
}"""


def test_pointing_at_a_row_shows_its_values_and_marks_it_everywhere(visit, full_page, iris):
    page = visit(full_page)
    # No other row's point is on top of this one.
    named, number = page.evaluate(LONELY, "figure[data-kind=embeddings]")
    row = iris.loc[named]
    species = list(iris["Species"].cat.categories).index(row["Species"])
    place = int((iris["Species"].iloc[:number] == row["Species"]).sum())
    page.mouse.move(*pixel(page, level=species, place=place))
    page.wait_for_selector(".tip:visible")
    tip = page.locator(".tip").inner_text()
    assert re.sub(r"\s+", " ", tip) == " ".join(
        [f"row {named} Species {row['Species']}"]
        + [f"{name} {row[name]:.5g}" for name in iris.columns[:4]]
    )
    rings = page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].map((host) =>
      echarts.getInstanceByDom(host).getZr().storage.getDisplayList()
        .filter((one) => one.type === "circle" && one.zlevel === 5 && !one.ignore).length)""",
        PLOTS,
    )
    assert rings == [1] * page.locator(PLOTS).count()


def test_the_legend_hides_a_class_everywhere(visit, full_page):
    page = visit(full_page)
    before = counts(page, 0)
    assert before == {"rest": 0, "level-0": 50, "level-1": 50, "level-2": 50}
    button = page.get_by_role("button", name="versicolor")
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    for number in range(page.locator(PLOTS).count()):
        assert counts(page, number) == before | {"level-1": 0}
    rebuilt = "figure[data-kind=reconstruction] .plot"
    assert counts(page, 0, rebuilt)["level-1"] == 0
    button.press("Enter")
    assert counts(page, 0) == before


def test_the_lasso_chooses_the_same_rows_in_every_figure(visit, full_page, iris):
    page = visit(full_page)
    page.get_by_role("button", name="Lasso").click()
    lasso_everything_left(page, 0, 0.4)
    status = page.get_by_role("status").inner_text()
    number = int(re.match(r"(\d+) of 150 rows chosen", status)[1])
    assert 0 < number < 150
    chosen = [counts(page, place) for place in range(page.locator(PLOTS).count())]
    assert all(one == chosen[0] for one in chosen)
    assert chosen[0]["rest"] == 150 - number
    parts = {name: int(count) for count, name in re.findall(r"(\d+) (\w+)[,.]", status)}
    assert sum(parts.values()) == number
    listed = page.locator(".chosen tbody tr")
    assert listed.count() == min(number, 20)
    name, species = listed.first.locator("th, td").all_inner_texts()[:2]
    assert iris.loc[name, "Species"] == species
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the chosen rows").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert len(lines) == number + 1
    assert lines[0] == "row,Species," + ",".join(iris.columns[:4])
    page.get_by_role("button", name="Choose none").click()
    assert counts(page, 0)["rest"] == 0


def test_a_row_is_found_by_its_name(visit, full_page):
    page = visit(full_page)
    page.get_by_role("searchbox").fill("flower 77")
    page.keyboard.press("Enter")
    assert page.get_by_role("status").inner_text() == "1 of 150 rows chosen: 1 versicolor."
    assert page.locator(".chosen tbody th").all_inner_texts() == ["flower 77"]
    page.get_by_role("searchbox").fill("flower 999")
    page.keyboard.press("Enter")
    assert "No row" in page.get_by_role("status").inner_text()


def test_a_table_is_sorted_by_keyboard(visit, full_page):
    page = visit(full_page)
    table = page.locator("table").first
    heads = table.locator("thead th")
    place = heads.all_inner_texts().index("difference")

    def column():
        cells = table.locator(f"tbody td:nth-child({place + 1})").all_inner_texts()
        return [float(cell.replace("−", "-")) for cell in cells if cell != "–"]

    before = column()
    heads.nth(place).get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heads.nth(place).get_attribute("aria-sort") == "ascending"
    assert column() == sorted(before)
    page.keyboard.press("Space")
    assert heads.nth(place).get_attribute("aria-sort") == "descending"
    assert column() == sorted(before, reverse=True)
    heads.first.get_by_role("button").click()
    assert heads.nth(place).get_attribute("aria-sort") is None


def test_every_number_can_be_taken_away(visit, full_page, comparison):
    page = visit(full_page)
    with page.expect_download() as download:
        page.get_by_role("link", name="comparison.json").click()
    assert download.value.suggested_filename == "comparison.json"
    text = download.value.path().read_text("utf-8")
    assert text == comparison.to_json()
    assert Comparison.from_json(text).settings == comparison.settings


@pytest.mark.long
def test_light_and_dark(visit, full_page):
    page = visit(full_page, scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(22, 24, 26)"
    page.get_by_role("button", name="Light page").click()
    assert page.evaluate(ground) == "rgb(253, 253, 252)"
    assert page.get_by_role("button", name="Dark page").is_visible()
    page.get_by_role("button", name="Dark page").click()
    colour = """() => echarts.getInstanceByDom(document.querySelector(".plot"))
      .getOption().textStyle.color"""
    assert page.evaluate(colour) == "#e7e8e8"


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, full_page, scheme):
    page = visit(full_page, scheme=scheme)
    page.get_by_role("searchbox").fill("flower 77")
    page.keyboard.press("Enter")  # with the table of chosen rows
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_on_a_phone_only_tables_scroll_sideways(visit, full_page):
    page = visit(full_page, width=360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    names = page.locator("td:first-child").evaluate_all("cells => cells.map(c => c.offsetWidth)")
    assert min(names) >= 100  # not a letter a line
    widths = page.evaluate(
        "[...document.querySelectorAll('.plot')].map((p) => p.getBoundingClientRect().right)"
    )
    assert max(widths) <= 360
    page.mouse.move(*pixel(page, place=3))
    page.wait_for_selector(".tip:visible")
    box = page.locator(".tip").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


def test_without_scripts_there_are_drawings(visit, full_page, comparison):
    page = visit(full_page, scripts=False)
    stills = page.locator("figure.chart .still img")
    assert stills.count() == 4
    for place in range(4):
        assert stills.nth(place).is_visible()
        assert stills.nth(place).get_attribute("alt")
        size = stills.nth(place).bounding_box()
        assert size["width"] > 300
        assert size["height"] > 100
    assert page.locator("#theme").is_hidden()
    address = page.get_by_role("link", name="comparison.json.gz").get_attribute("href")
    packed = b64decode(address.removeprefix("data:application/gzip;base64,"))
    assert gzip.decompress(packed).decode() == comparison.to_json()


def test_it_prints_the_drawings_on_white(visit, full_page):
    page = visit(full_page, scheme="dark")
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 14
    page.emulate_media(media="print")
    assert page.locator("figure.chart .still:visible").count() == 4
    assert page.locator(".live:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_skip_link_leads_past_the_contents(visit, full_page):
    page = visit(full_page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    landmarks = page.evaluate(
        "['header', 'nav', 'main', 'footer'].map((tag) => document.querySelectorAll(tag).length)"
    )
    assert landmarks == [1, 1, 1, 1]


@pytest.mark.long
def test_a_comparison_alone_says_what_is_missing(visit, comparison, folder):
    path = folder / "alone.html"
    comparison.to_html(path)
    page = visit(path)
    assert page.seen.errors == []
    assert "with the table and the arms" in page.locator("main").inner_text()
    assert page.locator("figure.chart.is-live").count() == 2


def test_a_notebook_shows_it_without_a_script(visit, comparison, folder):
    text = comparison._repr_html_()
    assert "<script" not in text
    path = folder / "notebook.html"
    for scheme, ground in (("light", "#fff"), ("dark", "#111")):
        path.write_text(
            f'<!doctype html><html lang="en"><title>n</title><meta charset="utf-8"><style>:root '
            f"{{color-scheme:{scheme}}} body {{background:{ground}}}</style><main><h1>n</h1>{text}"
            "</main>",
            "utf-8",
        )
        page = visit(path, scripts=False)
        # Without the reader's scripts, axe cannot run: the look is checked by contrast alone.
        colour = page.locator("td").first.evaluate("(cell) => getComputedStyle(cell).color")
        assert colour == {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}[scheme]
