"""What a student meets in the browser: released sheets, opened in a real JupyterLab."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from playwright.sync_api import Browser, Page, expect
from support import lab

from course.authoring import sheet
from course.doctor import chromium
from course.proving import bank

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium (course doctor says how)"),
]
WHERE = ("min", "now", "max")
# What is wider than its place, and so brings a scroll bar into the text; code may be.
TOO_WIDE = """notebook => [...notebook.querySelectorAll(
    '.jp-RenderedHTMLCommon mjx-container[display] mjx-math, .jp-RenderedHTMLCommon table, '
    + '.jp-OutputArea-output img, .course-demo, .course-demo .widget-inline-hbox'
)].filter(shown => {
    const place = shown.closest('.jp-RenderedHTMLCommon, .jp-OutputArea-output')
    const right = place.getBoundingClientRect().right + 1
    return shown.getBoundingClientRect().right > right
        || shown.matches('.course-demo') && shown.scrollWidth > shown.clientWidth
}).map(shown => `cell ${shown.closest('.jp-Cell').dataset.windowedListIndex}: `
    + (shown.alt || shown.textContent).slice(0, 60))"""
NARROW = "notebook => document.querySelector(notebook).clientWidth < 900"
REDRAWN = """([demo, before]) => {
    const image = demo.querySelector('img')
    return image.src !== before && image.complete && image.naturalWidth > 0
}"""


@dataclass
class Opened:
    """A released sheet, opened in JupyterLab and run from top to bottom, and what belongs to it."""

    name: str
    page: Page
    url: str
    desk: Path
    released: NotebookNode
    source: NotebookNode
    console: list[str]  # errors of the page's own programs
    after_run_all: list[dict]  # the code cells, as they were seen then

    def exercises(self) -> list[sheet.Exercise]:
        return sheet.exercises(self.released)

    def answers(self, exercise: str, kind: str) -> list[bank.Answer]:
        path = lab.ROOT / "course" / "answers" / f"{self.name}.md"
        known = bank.load(path, self.source)
        return [a for a in known if (a.exercise, a.kind) == (exercise, kind)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("lab")
    with lab.running(folder) as url:
        yield url, folder / "desk"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with lab.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def opened(
    request: pytest.FixtureRequest, desk: tuple[str, Path], browser: Browser
) -> Iterator[Opened]:
    url, folder = desk
    name = request.param
    released, source = (
        nbformat.read(lab.ROOT / kind / name / f"{name}.ipynb", as_version=4)
        for kind in ("release", "source")
    )
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    console: list[str] = []
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on("console", lambda said: console.append(said.text) if said.type == "error" else None)
    with lab.photographed(page, "running all cells"):
        lab.open_sheet(page, url, f"{name}/{name}.ipynb", workspace=name)
        lab.run_all(page, sum(cell.cell_type == "code" for cell in released.cells))
        seen = lab.cells(page)
    yield Opened(name, page, url, folder, released, source, console, seen)
    lab.stop_kernels(page, url)
    page.close()


def test_does_run_all_go_on_past_unsolved_exercises(opened: Opened):
    told = {
        e.test_index: next(
            a.wrong_turn for a in opened.answers(e.name, "missing") if a.title == "unsolved"
        )
        for e in opened.exercises()
    }
    answers = {e.answer_index for e in opened.exercises()}
    with lab.photographed(opened.page, "reading what Run All left"):
        for seen in opened.after_run_all:
            index, complaints = seen["index"], seen["complaints"]
            assert seen["ran"], f"cell {index} did not run"
            if index in told:
                assert len(complaints) == 1, f"cell {index}: {complaints}"
                assert f"→ {told[index]}: " in complaints[0], f"cell {index}"
                assert "Traceback" not in complaints[0], f"cell {index}"
            elif index in answers:  # a stub that is no function stops at once
                assert all("NotImplementedError" in c for c in complaints), f"cell {index}"
            elif "raises-exception" in opened.released.cells[index].metadata.get("tags", []):
                # It asks an answer that is open, or uses what such a cell would have made.
                assert all("is not solved yet" in c or "Error" in c for c in complaints), (
                    f"cell {index}"
                )
            else:
                assert not complaints, f"cell {index}"


def test_does_every_figure_have_words(opened: Opened):
    images = opened.page.locator(f"{lab.NOTEBOOK} .jp-OutputArea-output img")
    with lab.photographed(opened.page, "reading the figures' alt texts"):
        words = images.evaluate_all("images => images.map(image => image.alt.trim())")
        assert words
        # JupyterLab itself writes «Image» where there is no alt text.
        assert not {"", "Image"} & set(words), words


def test_does_text_or_figure_scroll_sideways_on_half_a_screen(opened: Opened):
    page = opened.page
    before = page.viewport_size
    page.set_viewport_size({"width": 900, "height": 900})
    try:
        with lab.photographed(page, "looking for what is too wide"):
            page.wait_for_function(NARROW, arg=lab.NOTEBOOK)
            assert page.locator(lab.NOTEBOOK).evaluate(TOO_WIDE) == []
    finally:
        page.set_viewport_size(before)


def test_does_a_slider_move_the_picture(opened: Opened):
    if not any(".show()" in cell.source for cell in opened.released.cells):
        pytest.skip("this sheet has no demo")
    page = opened.page
    with lab.photographed(page, "moving the first slider"):
        before = [seen["complaints"] for seen in lab.cells(page)]
        demo = page.locator(f"{lab.NOTEBOOK} .course-demo").first
        handle = demo.locator(".noUi-handle").first
        low, now, high = (float(handle.get_attribute(f"aria-value{of}")) for of in WHERE)
        # Twice: an error that came with the first picture has arrived before the second does.
        for _ in range(2):
            picture = demo.locator("img").get_attribute("src")
            handle.press("ArrowRight" if now - low < high - now else "ArrowLeft")
            page.wait_for_function(REDRAWN, arg=[demo.element_handle(), picture], timeout=20_000)
        expect(page.locator(lab.LOG)).to_have_count(0)
        assert [seen["complaints"] for seen in lab.cells(page)] == before
        assert not opened.console


def test_does_validate_name_what_is_unsolved(opened: Opened):
    with lab.photographed(opened.page, "asking Validate about the unsolved sheet"):
        said = lab.validate(opened.page)
        assert said.count("The following cell failed") >= len(opened.exercises()), said


def test_does_a_wrong_answer_get_its_name_and_a_right_one_a_green_line(opened: Opened):
    exercise = opened.exercises()[0]
    at = exercise.answer_index, exercise.test_index
    # Of the wrong answers the first: it must not need hidden tests to be recognised.
    wrong = opened.answers(exercise.name, "wrong")[0]
    right = opened.answers(exercise.name, "right")[0]
    with lab.photographed(opened.page, "answering the first exercise"):
        check = lab.answer(opened.page, *at, right.code)
        expect(check.locator(".ansi-green-fg").first).to_contain_text("✓ passed")
        expect(check.locator(lab.COMPLAINT)).to_have_count(0)
        # The wrong one last: to Validate, the sheet is as unsolved as it was.
        check = lab.answer(opened.page, *at, wrong.code)
        expect(check.locator(lab.COMPLAINT)).to_contain_text(f"→ {wrong.wrong_turn}: ")


def test_does_validate_accept_a_solved_sheet(opened: Opened):
    solved = copy.deepcopy(opened.released)
    for exercise in opened.exercises():
        right = opened.answers(exercise.name, "right")[0]
        solved.cells[exercise.answer_index].source = right.code
    for cell, written in zip(solved.cells, opened.source.cells, strict=True):
        if sheet.is_manual(cell):  # Validate wants an answer here too, and does not read it
            cell.source = written.source
    nbformat.write(solved, opened.desk / opened.name / "solved.ipynb")
    page = opened.page.context.browser.new_page()
    with lab.photographed(page, "asking Validate about the solved sheet"):
        lab.open_sheet(page, opened.url, f"{opened.name}/solved.ipynb", f"{opened.name}-solved")
        assert "passes all the tests" in lab.validate(page)
    page.close()
