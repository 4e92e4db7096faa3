"""Is the book what it says: the sheets without answers, and pages that ask no other host?"""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from playwright.sync_api import Browser, Page
from support import lab
from support.project import PROJECT, SHEETS, with_hidden_test
from support.sample import every

from course import verdict
from course.authoring import book, sheet
from course.doctor import chromium
from course.errors import CourseError
from course.proving import bank

in_a_browser = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium (course doctor says how)"),
]
LEFT = "net::ERR_ABORTED"  # the next page was asked for before this one was whole
LONG = 20  # characters from which on a line can be no coincidence


def committed(part: str, name: str) -> NotebookNode:
    return nbformat.read(PROJECT / part / name / f"{name}.ipynb", as_version=4)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def kept_back(name: str, source: NotebookNode, given: str) -> dict[str, str]:
    """Return the lines of a sheet's answers and tests that are not given, and where each stands."""
    found = {}
    for cell in source.cells:
        if sheet.is_answer(cell) or sheet.is_test(cell):
            lines = [squeezed(line) for line in cell.source.splitlines()]
            long = [x for x in lines if len(x) >= LONG and x not in given]
            found.update(dict.fromkeys(long, f"{name}, {sheet.grade_id(cell)}"))
    return found


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """Return the lines of answers, hidden tests and model answers, and where each stands."""
    given = squeezed("".join(c.source for name in SHEETS for c in committed("release", name).cells))
    found = {}
    for name in SHEETS:
        found.update(kept_back(name, committed("source", name), given))
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return book.make(PROJECT, tmp_path_factory.mktemp("book")).parent


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    """Return every page of the site by its path without the suffix."""
    return {
        path.relative_to(site).with_suffix("").as_posix(): BeautifulSoup(
            path.read_text(encoding="utf-8"), "html.parser"
        )
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }


def test_is_what_a_page_must_not_hold_known(secrets):
    """Every sheet has answers, and every hidden test that is longer than a word is looked for."""
    assert {where.partition(",")[0] for where in secrets.values()} == set(SHEETS)
    release = committed("release", SHEETS[0])
    source = with_hidden_test(committed("source", SHEETS[0]))
    test = next(c.source for c in source.cells if sheet.BEGIN_HIDDEN in c.source)
    given = squeezed("".join(c.source for c in release.cells))
    assert any(line in squeezed(test) for line in kept_back(SHEETS[0], source, given))


@pytest.mark.parametrize("name", SHEETS)
def test_does_a_page_hold_an_answer_before_it_is_made(name, secrets):
    read = book.page(name, committed("source", name), committed("release", name))
    text = squeezed(nbformat.writes(read).replace("\\n", "\n").replace('\\"', '"'))
    assert {secrets[x] for x in secrets if x in text} == set()
    assert "✓passed" not in text


@pytest.mark.parametrize("leak", ["solution", "hidden test", "model answer"])
def test_is_a_release_that_leaks_refused(leak):
    name = SHEETS[0]
    source, release = with_hidden_test(committed("source", name)), committed("release", name)
    leaks = {
        "solution": lambda c: sheet.BEGIN_SOLUTION in c.source,
        "hidden test": lambda c: sheet.BEGIN_HIDDEN in c.source,
        "model answer": lambda c: c.cell_type == "markdown" and sheet.is_answer(c),
    }
    at = next(i for i, cell in enumerate(source.cells) if leaks[leak](cell))
    release.cells[at].source = source.cells[at].source
    with pytest.raises(CourseError, match=rf"release/{name}/{name}.ipynb, cell {at + 1} "):
        book.page(name, source, release)


@pytest.mark.parametrize("name", SHEETS)
def test_does_a_page_show_what_given_cells_show_and_nothing_of_answers(name):
    source, release = committed("source", name), committed("release", name)
    read = book.page(name, source, release)
    for cell, executed in zip(read.cells, source.cells, strict=True):
        if cell.cell_type == "code":
            mine = sheet.is_answer(cell) or sheet.is_test(cell)
            assert len(cell.outputs) == (0 if mine else len(executed.outputs))
    figures = [
        o for c in read.cells for o in c.get("outputs", []) if "text/html" in o.get("data", {})
    ]
    assert figures
    assert all(' alt="' in figure.data["text/html"] for figure in figures)


def test_is_a_page_that_the_start_page_does_not_name_led_to():
    text = f"a\n{book.SHEETS}\ndocs/grading\n{book.OTHERS}\n"
    said = book.start_page(text, {}, ["docs/grading.md", "docs/new.md"])
    assert said.splitlines() == ["a", "", "docs/grading", "docs/new"]
    with pytest.raises(CourseError, match=r"index\.md: the line «<!-- the sheets -->» is missing"):
        book.start_page(book.OTHERS, {}, [])


@pytest.mark.parametrize(
    ("page", "link", "inside"),
    [
        ("docs/grading", "../source/01-autodiff/01-autodiff.ipynb", "sheets/01-autodiff"),
        ("CONTRIBUTING", "course/sheets/02-likelihood.md", "sheets/02-likelihood"),
        ("docs/grading", "../README.md#five-minutes", "index"),
        ("docs/grading", "../course/cli.py#L3", ""),
        ("docs/grading", "../course/", ""),
        ("docs/grading", "../course/gone.py", None),
        ("docs/grading", "../../elsewhere", None),
    ],
)
def test_where_does_a_link_out_of_the_book_lead(page, link, inside):
    assert book.target(PROJECT, page, link) == inside


def test_is_the_start_page_s_wrong_answer_told_this():
    text = (PROJECT / "docs" / "book" / "index.md").read_text(encoding="utf-8")
    shown = re.search(r"```text\n(.*?)\n```", text, re.DOTALL)[1]
    source = committed("source", "01-autodiff")
    (exercise,) = (e for e in sheet.exercises(source) if e.name == "derivative")
    (answer,) = (
        a for a in bank.load(PROJECT / "course" / "answers" / "01-autodiff.md", source)
        if (a.exercise, a.wrong_turn) == ("derivative", "gradient summed")
    )  # fmt: skip
    scope: dict = {}
    exec("import torch\n" + answer.code, scope)
    test = source.cells[exercise.test_index].source
    assert verdict.of_test_cell(test, {"derivative": scope["derivative"]}).message == shown


@pytest.mark.slow
def test_has_every_sheet_and_every_page_of_docs_a_page(pages):
    made = set(pages)
    assert {f"sheets/{name}" for name in SHEETS} <= made
    docs = {p.relative_to(PROJECT).with_suffix("").as_posix() for p in PROJECT.glob("docs/**/*.md")}
    docs = {page for page in docs if not page.startswith("docs/book/")}
    assert docs
    assert docs | {"index", "CONTRIBUTING", "search"} <= made


@pytest.mark.slow
def test_does_the_site_hold_an_answer_or_a_hidden_test(site, pages, secrets):
    texts = {path: soup.get_text() for path, soup in pages.items()}
    for path in site.rglob("*"):
        if path.suffix in {".js", ".txt", ".json", ".ipynb", ".md", ".rst"}:
            texts[str(path)] = path.read_text(encoding="utf-8")
    assert len(texts) > len(pages)
    for path, text in texts.items():
        held = squeezed(text)
        assert {secrets[x] for x in secrets if x in held} == set(), path


@pytest.mark.slow
def test_has_every_picture_words(pages):
    pictures = [(path, picture) for path, soup in pages.items() for picture in soup.find_all("img")]
    assert len(pictures) > 5 * len(SHEETS)
    assert [(path, p) for path, p in pictures if not p.get("alt", "").strip()] == []


def is_foreign(address: str) -> bool:
    return bool(re.match(r"\s*([a-z][a-z+.-]*:)?//", address, re.IGNORECASE))


@pytest.mark.slow
def test_does_any_page_name_another_host_for_what_it_loads(pages):
    loading = {"src", "srcset", "href", "data", "poster", "action", "style"}
    for path, soup in pages.items():
        for tag in soup.find_all(True):
            for attribute in loading & set(tag.attrs):
                if (tag.name, attribute) != ("a", "href"):
                    value = str(tag[attribute])
                    assert not is_foreign(value), f"{path}: {tag.name} {value[:80]}"
                    assert not re.search(r"url\(\s*['\"]?(https?:)?//", value), path
        for script in soup.find_all(["script", "style"]):
            assert not re.search(r"https?://", script.get_text()), path


@pytest.mark.slow
def test_does_any_style_or_program_of_the_site_name_another_host(site):
    """Comments aside, the hosts in them are in the names of XML vocabularies and in advice."""
    names = {"www.w3.org", "pydata-sphinx-theme.readthedocs.io", "github.com"}
    paths = [p for p in site.rglob("*") if p.suffix in {".css", ".js"}]
    assert any("mathjax" in p.parts for p in paths)
    for path in paths:
        text = re.sub(r"/\*.*?\*/|^\s*//.*?$", "", path.read_text("utf-8"), flags=re.DOTALL | re.M)
        assert set(re.findall(r"https?://([\w.-]+)", text)) <= names, path
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", text), path


@pytest.mark.slow
def test_does_a_second_run_leave_the_site_alone(site):
    def when() -> dict[Path, int]:
        return {p: p.stat().st_mtime_ns for p in site.rglob("*")}

    before = when()
    assert book.make(PROJECT, site.parent) == site / "index.html"
    assert when() == before


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a project without sheets; its one page leads nowhere and leaves out a heading."""
    settings = tmp_path / "docs" / "book"
    settings.mkdir(parents=True)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "docs" / "page.md").write_text("# A page\n\n### Deep\n\n[Nowhere](nowhere.md)\n")
    (settings / "conf.py").write_text('extensions = ["myst_parser"]\n')
    toctree = f"```{{toctree}}\n{book.OTHERS}\n```\n"
    (settings / "index.md").write_text(f"# Start\n\n{book.SHEETS}\n\n{toctree}")
    return tmp_path


@pytest.mark.slow
def test_are_a_page_s_faults_told_every_time(small):
    for _ in range(2):
        with pytest.raises(CourseError, match=r"page\.md") as told:
            book.make(small, small / "out")
        assert "Non-consecutive header level" in str(told.value)
        assert "target not found: 'nowhere.md'" in str(told.value)
    (small / "docs" / "page.md").unlink()
    (small / "docs" / "other.md").write_text("# Another page\n")
    assert book.make(small, small / "out").exists()
    assert not (small / "out" / "html" / "docs" / "page.html").exists()


# --- in a browser ------------------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with lab.chromium() as browser:
        yield browser


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """Yield a phone on a dark theme with every other host refused, and what went wrong there."""
    page = browser.new_page(viewport={"width": 390, "height": 900}, color_scheme="dark")
    wrong: list[str] = []

    def refuse(route) -> None:
        wrong.append(f"asks {route.request.url}")
        route.abort()

    page.route(lambda url: not url.startswith((address, "data:")), refuse)
    page.on("requestfailed", lambda r: r.failure == LEFT or wrong.append(f"did not get {r.url}"))
    page.on("response", lambda r: r.ok or r.status == 304 or wrong.append(f"{r.status} {r.url}"))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    yield page, wrong
    page.close()


# A program of MathJax that is missing makes it wait for ever: then the formulas are not there.
SETTLED = """() => Promise.race([
    window.MathJax?.startup?.promise, new Promise(done => setTimeout(done, 20000)),
]).then(() => new Promise(requestAnimationFrame)).then(() => true)"""
FORMULAS = """() => ({
    written: document.querySelectorAll('article .math').length,
    set: document.querySelectorAll('article .math mjx-container').length,
    wrong: document.querySelectorAll('mjx-merror').length,
})"""
# What is wider than the page and stands in nothing that scrolls.
TOO_WIDE = """() => [...document.querySelectorAll('article *')].filter(element => {
    const {width, right} = element.getBoundingClientRect()
    if (!width || right <= innerWidth + 1 || element.closest('mjx-assistive-mml')) return false
    for (let around = element; around.tagName !== 'MAIN'; around = around.parentElement)
        if (['auto', 'scroll'].includes(getComputedStyle(around).overflowX)) return false
    return true
}).map(element => element.outerHTML.slice(0, 120))"""
# Contrast of words with what is behind them, as WCAG 2 counts it.
PALE = """selector => {
    const rgb = colour => colour.match(/[\\d.]+/g).map(Number)
    const light = colour => rgb(colour).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
    const behind = element => {
        for (; element; element = element.parentElement) {
            const colour = getComputedStyle(element).backgroundColor
            if ((rgb(colour)[3] ?? 1) > 0.5) return colour
        }
        return 'rgb(255, 255, 255)'
    }
    return [...document.querySelectorAll(selector)].filter(element => {
        const [a, b] = [getComputedStyle(element).color, behind(element)].map(light)
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5
    }).map(element => element.outerHTML.slice(0, 120))
}"""


class TestInABrowser:
    pytestmark = in_a_browser

    def test_does_every_page_come_whole_without_another_host(
        self, pages, address, reader, pytestconfig
    ):
        page, wrong = reader
        formulas = 0
        for path in every(sorted(pages), 8, pytestconfig):
            page.goto(f"{address}/{path}.html")
            page.evaluate(SETTLED)
            seen = page.evaluate(FORMULAS)
            assert (seen["set"], seen["wrong"]) == (seen["written"], 0), path
            assert page.evaluate(TOO_WIDE) == [], path
            assert page.evaluate(PALE, "article :is(p, li, td, summary, figcaption)") == [], path
            assert wrong == [], path
            formulas += seen["set"]
        assert formulas > 0

    def test_does_the_search_find_a_sheet(self, address, reader):
        page, wrong = reader
        page.goto(f"{address}/search.html?q=seedlings")
        page.locator("#search-results li a", has_text="Maximum likelihood by hand").first.wait_for()
        assert wrong == []
