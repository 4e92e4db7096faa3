"""Is the page for Monday whole, right, and silent about who wrote what?"""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in, notebook
from support.ledgers import book
from typer.testing import CliRunner

from course import cli
from course.errors import CourseError
from course.grading.ledger import records
from course.grading.result import Result
from course.grading.result import TestResult as Said
from course.term import report_page

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
STUDENTS = [f"student{i}" for i in range(8)]
# Three wrote the same wrong answer, one signed it, two have no name, one failed otherwise.
WROTE = {
    "student1": ("slope = 3  # by student1", "doubled"),
    "student2": ("slope = 3", "doubled"),
    "student3": ('author = "student3"\nslope = 4', "doubled"),
    "student4": ("slope = 0 / 1", ""),
    "student5": ("slope = 0.0", ""),
    "student6": ("slope = '<b>6</b>'", "<script>alert(1)</script>"),
}


def wrote(job):
    one = graded(
        job, "failed" if job.student in WROTE else "passed", "✗ slope, asked with 3\ngot <b>"
    )
    test = one.result.tests["test_slope"]
    turn = WROTE.get(job.student, ("", ""))[1]
    tests = one.result.tests | {
        "test_slope": Said(test.state, test.points, test.max_points, test.message, turn)
    }
    made = nbformat.reads(one.notebook, as_version=4)
    for cell in made.cells:
        if cell.id == "slope" and job.student in WROTE:
            cell.source = WROTE[job.student][0]
    r = one.result
    result = Result(r.student, r.sheet, r.score, r.max_score, r.cage, r.seconds, tests)
    return type(one)(result, nbformat.writes(made), {}, job.data_seed)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    here = course(tmp_path_factory.mktemp("class"), STUDENTS)
    for student, (code, _) in WROTE.items():
        hand_in(here, student, notebook(slope=code, why="Because."))
    grade_by_hand(here, ByHand(everyone=wrote))
    with book(here) as opened:
        read = opened.find_grade("why", NAME, NAME, "student0")
        read.manual_score, read.needs_manual_grade = 2, False
        opened.update_or_create_student("student7", first_name="<img src=x>", last_name="Seven")
        opened.update_or_create_student("absent")
    return here


@pytest.fixture(scope="module")
def made(root):
    found = report_page.gathered(root, records.graded(root, []), print)
    return report_page.page(found)


@pytest.fixture(scope="module")
def soup(made):
    return BeautifulSoup(made, "html.parser")


def test_does_the_page_ask_another_host_or_run_anything(made, soup):
    assert not soup.find_all(["script", "link", "img", "iframe", "object"])
    rest = re.sub(r'xmlns(:\w+)?="[^"]*"', "", made)
    assert not re.search(r"https?://|@import|url\((?!#)", rest)
    assert not re.search(r"\son\w+=", re.sub(r"(?s)<pre>.*?</pre>", "", made))


def test_are_names_and_answers_text(made):
    for markup in ("<img", "<script>", "<b>6</b>", "got <b>"):
        assert markup not in made
    assert "&lt;img src=x&gt; Seven (student7)" in made


def test_does_every_plot_say_what_it_shows(soup):
    plots = soup.find_all("svg")
    assert len(plots) == 2
    for plot in plots:
        assert plot["role"] == "img"
        assert plot["aria-label"] == plot.find_parent("figure").figcaption.text
        assert not plot.has_attr("width"), "it is as wide as there is room"
    assert "7 submissions" not in soup.text
    assert "points of 8 submissions" in plots[0]["aria-label"]


def test_does_a_plot_follow_the_pages_theme(soup):
    for plot in soup.find_all("svg"):
        colours = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", str(plot)))
        assert {c for c in colours if c.startswith("#")} == set(), "each colour is the page's"
        assert "var(--ink)" in colours


def test_are_the_numbers_those_of_the_gradebook(soup):
    rows = {
        row[0].text: [cell.text for cell in row[1:]]
        for table in soup.find_all("table")
        for tr in table.find_all("tr") if (row := tr.find_all(["td", "th"]))
    }  # fmt: skip
    assert rows["student0"] == ["5", "5"]
    assert rows["<img src=x> Seven (student7)"] == ["3 +", "3"]
    assert rows["slope"][:2] == ["8", "25%"]
    assert rows["slope"][2] == "0.75"
    assert rows[NAME] == ["why", "7", "0", "1", "2 of 2"]
    stuck = soup.find(id="stuck")
    assert stuck.text == "Who is stuck (7)"
    assert "nothing to read" in soup.text
    assert "2 of 8 passed, 6 failed" in soup.text


def test_are_wrong_turns_shown_by_share_with_real_answers(soup):
    (turn,) = [d for d in soup.find_all("details") if d.summary.b.text == "doubled"]
    assert "3 answers, 38%" in turn.summary.text
    assert [code.text for code in turn.find_all("code")] == [
        "slope = 3", "author = 'somebody'\nslope = 4",
    ]  # fmt: skip
    assert turn.find(class_="often").text == "written by 2"


def test_does_an_example_say_who_wrote_it(soup):
    for code in soup.find_all("pre"):
        assert not re.search(r"student\d", code.text)


def test_do_answers_without_a_name_stand_with_the_command_that_names_them(soup):
    groups = soup.find_all("section", class_="group")
    assert sum(len(g.find_all("code")) - 1 for g in groups) == 2
    assert f"course turn {NAME} {groups[0]['id']} " in groups[0].text


def test_is_the_second_page_the_same(root, made):
    found = report_page.gathered(root, records.graded(root, []), print)
    assert report_page.page(found) == made


def test_does_the_command_write_the_page_whole(root, tmp_path):
    path = tmp_path / "deep" / "page.html"
    words = ["report", "--html", str(path), "--root", str(root)]
    ran = CliRunner().invoke(cli.app, words)
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    assert "9 students, 1 sheet" in ran.stdout
    with pytest.raises(CourseError, match="is a folder"):
        report_page.make(root, records.graded(root, []), tmp_path, print, print)


def penalties(root):
    with book(root) as opened:
        return {s.late_submission_penalty or 0 for s in opened.assignment_submissions(NAME)}


def test_is_it_told_that_grades_may_change_while_another_command_is_at_work(root):
    from course.grading.ledger import lock
    from course.term import export, report

    with book(root) as opened:
        opened.update_or_create_assignment(NAME, duedate="2026-10-01 12:00:00 UTC")
    policy = root / "nbgrader_config.py"
    policy.write_text('c = get_config()\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    try:
        for look in (
            lambda say: report.show(root, report.graded(root, []), must_see=say),
            lambda say: export.export(root, "csv", say),
            lambda say: report_page.gathered(root, report.graded(root, []), say),
        ):
            seen = []
            with lock.held(root, "course grade"):
                look(seen.append)
            assert any("«course grade» is at work here" in line for line in seen)
            assert penalties(root) == {0}
        report.show(root, report.graded(root, []))
        assert penalties(root) == {0, 3, 5}, "the lock is free: what being late costs is entered"
    finally:
        policy.unlink()
        with book(root) as opened:
            opened.find_assignment(NAME).duedate = None
