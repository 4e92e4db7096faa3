"""Does a student on a hub press Submit and read the judge's words, whatever others hand in?"""

import re
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Browser, expect
from support import hub as hubs
from support import lab
from support.classes import NAME
from support.project import PROJECT

from course.doctor import chromium
from course.proving import bank

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(chromium() is None, reason="no Chromium (course doctor says how)"),
    pytest.mark.skipif(not hubs.installed(), reason="no JupyterHub («make hub» installs it)"),
]
ENDLESS = "def {name}(*arguments, **named):\n    while True:\n        pass"


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Iterator[hubs.Hub]:
    with hubs.running(tmp_path_factory.mktemp("hub"), [NAME]) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with lab.chromium() as browser:
        yield browser


def test_does_a_student_read_the_wrong_turn_mend_it_and_read_passed(hub, browser):
    source = nbformat.read(PROJECT / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    known = bank.load(PROJECT / "course" / "answers" / f"{NAME}.md", source)
    first, second = hubs.exercises(NAME)[:2]
    right = {a.exercise: a.code for a in reversed(known) if a.kind == "right"}
    wrong = next(a for a in known if (a.exercise, a.kind) == (first.name, "wrong"))
    page = hubs.log_in(browser, hub, "ada")
    with lab.photographed(page, "handing in one wrong and one right answer"):
        hubs.fetch(page, NAME)
        hubs.open_sheet(page, NAME)
        hubs.answer(page, NAME, first.answer_index, wrong.code)
        hubs.answer(page, NAME, second.answer_index, right[second.name])
        hubs.submit(page, NAME)
        hubs.fetch_feedback(hub, page, NAME)
        said = hubs.part(hubs.read_feedback(page, NAME), first.name)
        assert "not yet" in said
        assert f"→ {wrong.wrong_turn}: " in said
        assert "passed" in hubs.part(hubs.read_feedback(page, NAME), second.name)
    # Ben's answers never end, and take a worker for as long as one submission may.
    endless = {e.name: ENDLESS.format(name=e.name) for e in hubs.exercises(NAME)}
    hubs.submit_from_terminal(hub, "ben", NAME, endless)
    with lab.photographed(page, "handing in what was mended"):
        hubs.answer(page, NAME, first.answer_index, right[first.name])
        hubs.submit(page, NAME)
        hubs.fetch_feedback(hub, page, NAME)
        assert "passed" in hubs.part(hubs.read_feedback(page, NAME), first.name)
    assert "ben" not in hub.said(), "ada waited for ben"
    page.context.close()


def test_does_an_instructor_see_in_the_formgrader_what_the_watch_has_graded(hub, browser):
    page = hubs.log_in(browser, hub, "teacher")
    with lab.photographed(page, "looking at the formgrader"):
        hubs.choose(page, "Formgrader")
        frame = page.frame_locator("iframe")
        row = frame.get_by_role("row").filter(has_text=NAME)
        row.get_by_role("link", name=re.compile(r"^\d$")).click()  # how many have handed in
        submission = frame.get_by_role("row").filter(has_text="ada")
        expect(submission).to_contain_text("4 / 14", timeout=hubs.PATIENCE)
    page.context.close()
