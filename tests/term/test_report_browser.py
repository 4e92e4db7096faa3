"""The page for Monday in a browser: narrow and wide, light and dark, and on paper."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from support import lab
from support.by_hand import ByHand, course, grade_by_hand, graded

from course.doctor import chromium
from course.grading.ledger import records
from course.term import report_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium (course doctor says how)"),
    pytest.mark.filterwarnings("ignore:Object of type <Submitted"),
]
# Contrast of letters against what lies behind them, by WCAG 2; of every text that is seen.
FAINTEST = """() => {
    const parts = c => (c.match(/[\\d.]+/g) || []).map(Number)
    const light = c => {
        const [r, g, b] = parts(c).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = e => {
        for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor
            if (parts(c)[3] !== 0) return c
        }
    }
    const faint = []
    for (const e of document.querySelectorAll('main *')) {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
        if (!own || !e.getClientRects().length) continue
        const style = getComputedStyle(e)
        const [a, b] = [light(e.closest('svg') ? style.fill : style.color), light(behind(e))]
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
        if (ratio < 4.5) faint.push([e.tagName, e.textContent.slice(0, 30), ratio])
    }
    return faint
}"""
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
LETTERS = "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = course(tmp_path_factory.mktemp("class"), [f"s{i}" for i in range(8)])

    def way(job):
        state = "failed" if int(job.student[1:]) < 5 else "passed"
        return graded(job, state, "✗ slope, asked with " + "x=[1, 2, 3], " * 12)

    grade_by_hand(root, ByHand(everyone=way, solution=graded))
    path = root / "page.html"
    report_page.make(root, records.graded(root, []), path, print, lambda _: None)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with lab.chromium() as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_can_the_page_be_read(browser, address, width, scheme):
    size = {"width": width, "height": 900}
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(address)
        assert asked == [address]
        assert said == []
        assert not page.evaluate(TOO_WIDE)
        assert page.evaluate(FAINTEST) == []
        assert min(page.evaluate(LETTERS)) >= 10
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(27, 27, 27)"
        assert dark == (scheme == "dark")


def test_is_paper_white_and_a4(browser, address):
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto(address)
        page.emulate_media(media="print")
        assert (
            page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )
        assert page.evaluate(FAINTEST) == []
        paper = page.pdf(prefer_css_page_size=True, print_background=True)
        assert b"/MediaBox [0 0 594.95996 841.91998]" in paper or b"/MediaBox [0 0 595" in paper
