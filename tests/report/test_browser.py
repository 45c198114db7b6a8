"""Pages in a real browser: nothing on the console, payloads inert, filters work, nothing sticks out, at every size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import SIZES, needs_browser, open_browser
from card_support import write_dataset
from diff_example import example
from payloads import PAYLOADS
from PIL import Image

from curate.cli.main import invoke
from curate.diff.page import PageOptions, render, write

pytestmark = needs_browser
LOOKS = [(size, dark) for size in SIZES for dark in (False, True)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests."""
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diff report, a run report and an evaluation, of data that try to break out."""
    folder = tmp_path_factory.mktemp("site")
    Image.new("RGB", (200, 100), "white").save(folder / "page.png")
    evil = " ".join(PAYLOADS)
    (folder / "diff.html").write_text(render(example(evil, folder / "page.png", samples=30)), "utf-8")
    (folder / "plain.html").write_text(render(example("source", folder / "page.png", samples=30), "zh"), "utf-8")
    write(example("x", folder / "page.png", samples=3), folder / "beside.html", PageOptions(where="files"))
    chats = [
        {"id": f"{number} {text}", "messages": [{"role": "user", "content": text}]}
        for number, text in enumerate(PAYLOADS)
    ]
    lines = [json.dumps(chat) for chat in chats] + [
        '{"id": "bad", "messages": "<img src=x onerror=window.pwned=1>"}'
    ] * 3
    (folder / "chats.jsonl").write_text("\n".join(lines))
    assert invoke(["ingest", str(folder / "chats.jsonl"), str(folder / "run"), "-q", "--set", "max_failed=10"]) == 0
    assert invoke(["report", str(folder / "run"), "-o", str(folder / "run.html"), "-q"]) == 0
    write_dataset(folder / "shop")
    (folder / "answers.csv").write_text(
        "id,predict\n" + "".join(f'"{row}","{text}"\n' for row, text in _answers(folder))
    )
    command = [
        "evaluate",
        str(folder / "shop"),
        str(folder / "answers.csv"),
        "--html",
        str(folder / "evaluation.html"),
        "-q",
    ]
    assert invoke(command) == 0
    return folder


def _answers(folder: Path) -> Iterator[tuple[str, str]]:
    from curate import Dataset

    for number, record in enumerate(Dataset.open(folder / "shop")):
        bad = PAYLOADS[number % len(PAYLOADS)].replace('"', '""')
        yield record.source_id, (record.label or "") if number % 2 else bad if number else "物流"


PAGES = ("diff", "plain", "beside", "run", "evaluation")


CHART_WORDS = """Array.from(document.querySelectorAll('svg.chart text')).flatMap(text => {
  const box = text.getBoundingClientRect(), chart = text.closest('svg').getBoundingClientRect();
  const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
  const hit = other => { const o = other.getBoundingClientRect();
    return other !== text && o.left < box.right - 1 && box.left + 1 < o.right && o.top < box.bottom - 4 && box.top + 4 < o.bottom; };
  const others = Array.from(text.closest('svg').querySelectorAll('rect, text'));
  const fits = box.left >= chart.left - 1 && box.right <= chart.right + 1;
  return size >= 10.5 && fits && !others.some(hit) ? [] : [[text.textContent, size, fits]];
})"""
"""Words of charts that are too small, stick out, or lie on a bar or on other words."""


@pytest.mark.parametrize("size", list(SIZES))
def test_words_in_charts_are_large_enough_and_lie_on_no_bar(size: str, browser: Any, site: Path) -> None:
    """Charts shrink with the screen, and their words with them: on a phone they had seven pixels."""
    for page in ("diff", "plain", "run"):
        browser.visit(site / f"{page}.html", size)
        bad = browser.evaluate(CHART_WORDS)

        assert bad == [], page


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_a_page_says_nothing_on_the_console_and_fits_the_screen(
    page: str, size: str, dark: bool, browser: Any, site: Path
) -> None:
    """An error on the console is a filter that does not work; what sticks out cannot be read on a phone."""
    browser.visit(site / f"{page}.html", size, dark)

    assert browser.evaluate("document.documentElement.dataset.ready") == "1"
    assert browser.said == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    browser.shoot(site / f"{page}-{size}-{'dark' if dark else 'light'}.png")
    with Image.open(site / f"{page}-{size}-{'dark' if dark else 'light'}.png") as screen:
        assert screen.size == SIZES[size]
        assert len(screen.convert("RGB").getcolors(1 << 24) or ()) > 50
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is not dark


@pytest.mark.parametrize("page", PAGES)
def test_nothing_that_a_dataset_says_runs(page: str, browser: Any, site: Path) -> None:
    """A chat message must not become a program."""
    browser.visit(site / f"{page}.html")

    assert browser.evaluate("window.pwned") is None
    assert browser.evaluate("document.scripts.length") == 1
    strange = "Array.from(document.images).filter(i => !/^(data:image.webp|file:)/.test(i.src)).length"
    assert browser.evaluate(strange) == 0
    browser.evaluate("document.querySelectorAll('a, summary, label').forEach(one => one.click())")
    assert browser.evaluate("window.pwned") is None


def test_the_policy_alone_stops_what_slips_through(browser: Any, site: Path, tmp_path: Path) -> None:
    """Escaping is one wall; if somebody forgets it once, the policy still stands."""
    html = (site / "plain.html").read_text("utf-8")
    slipped = '<script>window.pwned=1</script><img src=x onerror="window.pwned=1"><p style="position:fixed">x</p>'
    (tmp_path / "slipped.html").write_text(html.replace("<main", f"{slipped}<main", 1), "utf-8")
    browser.visit(tmp_path / "slipped.html")

    assert browser.evaluate("window.pwned") is None
    assert len(browser.said) >= 3


def test_filters_show_what_they_say(browser: Any, site: Path) -> None:
    """Whoever looks for gone rows must see all of them, and no others."""
    browser.visit(site / "plain.html")
    everything = browser.shown_rows()
    assert everything == 32
    choose = "(n, v) => {{ const f = document.querySelector(`#filters [name='${{n}}']`); f.value = v; f.dispatchEvent(new Event('input', {{bubbles: true}})); }}"
    browser.evaluate(f"({choose.format()})('status', 'removed')")
    assert browser.shown_rows() == 1
    assert browser.evaluate("location.hash") == "#status=removed"
    assert browser.evaluate("document.getElementById('count').textContent") == "1 / 32"
    browser.evaluate("document.querySelector('#filters [type=reset]').click()")
    browser.evaluate("new Promise(done => setTimeout(done, 50))")
    browser.evaluate(f"({choose.format()})('~', 'u_007')")
    assert browser.shown_rows() == 1


def test_mistakes_of_an_evaluation_are_filtered(browser: Any, site: Path) -> None:
    """A confusion matrix says how many; which rows they are, and what they say, is what a person mends."""
    browser.visit(site / "evaluation.html")
    everything = browser.shown_rows()
    assert everything == 6
    first = "const f = document.querySelector('#filters [name=answer]'); f.value = '物流';"
    browser.evaluate(f"(() => {{ {first} f.dispatchEvent(new Event('input', {{bubbles: true}})); }})()")

    assert browser.shown_rows() == 1
    assert browser.evaluate("document.getElementById('count').textContent") == "1 / 6"
    assert browser.said == []


def test_a_link_with_filters_opens_filtered(browser: Any, site: Path) -> None:
    """Somebody sends the address of what they see."""
    browser.visit(site / "plain.html", at="#status=added")
    assert browser.shown_rows() == 1
    browser.visit(site / "plain.html", at="#status=nothing-like-that")
    assert browser.shown_rows() == 32


def test_a_finding_leads_to_its_rows(browser: Any, site: Path) -> None:
    """From "3 rows changed digits" to the rows is one click."""
    browser.visit(site / "plain.html")
    browser.evaluate("document.querySelector('.findings a[data-filter]').click()")

    assert 0 < browser.shown_rows() < 32


def test_keys_move_flip_and_the_theme_switches(browser: Any, site: Path) -> None:
    """Looking through a hundred rows is done without a mouse."""
    browser.visit(site / "plain.html")
    press = "k => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: k, bubbles: true, cancelable: true}))"
    for key in ("j", "j", "k", " "):
        browser.evaluate(f"({press})('{key}')")
    assert browser.evaluate("document.activeElement.matches('article.row.flipped')") is True
    assert browser.evaluate("Array.from(document.querySelectorAll('article.row')).indexOf(document.activeElement)") == 0
    browser.evaluate("document.getElementById('boxes').click()")
    assert browser.evaluate("getComputedStyle(document.querySelector('.box')).display") == "none"
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_a_line_and_its_box_find_each_other(browser: Any, site: Path) -> None:
    """Which of forty lines on a screenshot was misread? A click on the box must show the line, and the reverse."""
    browser.visit(site / "beside.html")
    browser.evaluate(
        "document.querySelector('polygon[data-box]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    picked = "Array.from(document.querySelectorAll('.picked')).map(one => one.tagName + one.dataset.box)"
    found = browser.evaluate(picked)
    assert {"LI0", "polygon0"} == set(found)
    assert (
        browser.evaluate("document.activeElement.closest('details').open && document.activeElement.dataset.box") == "0"
    )
    browser.evaluate("document.querySelectorAll('li[data-box]')[0].click()")
    assert set(browser.evaluate(picked)) == {"LI0", "polygon0"}


def test_the_space_bar_flips_in_place(browser: Any, site: Path) -> None:
    """Whether denoising moved a line is seen only where the second picture stands where the first one stood."""
    browser.visit(site / "plain.html")
    place = (
        "(s => {{ const found = document.querySelector('article.row .pictures ' + s), one = found.getBoundingClientRect(),"
        " row = found.closest('article').getBoundingClientRect();"
        " return [one.left - row.left, one.top - row.top, one.width]; }})('{}')"
    )
    before = browser.evaluate(place.format("figure.before img"))
    press = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}))"
    for key in ("j", " "):
        browser.evaluate(press % key)
    assert browser.evaluate(place.format("figure.after img")) == before
    browser.evaluate(press % " ")
    assert browser.evaluate(place.format("figure.before img")) == before


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_without_javascript(page: str, browser: Any, site: Path) -> None:
    """Mail programs and careful people switch it off."""
    browser.visit(site / f"{page}.html", script=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)

    assert browser.evaluate("document.querySelector('#filters')?.checkVisibility() ?? false") is False
    rows = browser.evaluate("Array.from(document.querySelectorAll('article.row')).every(row => row.checkVisibility())")
    assert rows is True
    assert len(browser.evaluate("document.body.innerText")) > 500


def test_pictures_beside_a_page_are_shown(browser: Any, site: Path) -> None:
    """A folder that was mailed as one file must at least work where it was written."""
    browser.visit(site / "beside.html")
    browser.evaluate("document.querySelectorAll('img').forEach(one => one.loading = 'eager')")
    loaded = (
        "new Promise(done => setTimeout(() => done(Array.from(document.images).every(i => i.naturalWidth > 0)), 300))"
    )

    assert browser.call("Runtime.evaluate", expression=loaded, awaitPromise=True)["result"]["value"] is True


@pytest.mark.parametrize("page", ["plain", "run", "evaluation"])
@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(page: str, dark: bool, browser: Any, site: Path) -> None:
    """Grey on grey cannot be read in the sun: every text has a contrast of 4.5 to 1 or more (WCAG 2.2, AA)."""
    browser.visit(site / f"{page}.html", dark=dark)
    program = (Path(__file__).parent / "contrast.js").read_text("utf-8")

    assert browser.evaluate(program) == []
