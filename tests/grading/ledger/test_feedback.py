"""Does a student read what the gradebook holds, and at once when that changes?"""

import re

import pytest
from support.classes import NAME
from support.ledgers import a_course, again, book, files, grade, standings
from support.stock import nbgrader
from typer.testing import CliRunner

from course import cli
from course.grading.ledger import ledger, records

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
LATE = 'c.LateSubmissionPlugin.penalty_method = "zero"\n'


@pytest.fixture
def root(tmp_path):
    return a_course(tmp_path, "ada", "karl", due=None)


def page(root, student="ada"):
    return records.page_path(root, records.Place(student, NAME)).read_text()


def text(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def written(root, student="ada"):
    return next(n for n, m in standings(root)[student].marks.items() if m.auto is None)


def read_by_a_person(root, points=1.5, extra=0.5, words="Nearly <b>there</b>."):
    cell = written(root)
    with book(root) as opened:
        grade_ = opened.find_grade(cell, NAME, NAME, "ada")
        grade_.manual_score, grade_.extra_credit, grade_.needs_manual_grade = points, extra, False
        opened.find_comment(cell, NAME, NAME, "ada").manual_comment = words
        opened.find_comment("derivative", NAME, NAME, "ada").manual_comment = "See page 3."


def test_does_the_page_say_what_waits(root):
    assert "12 of 14 points , and written answers still to be read" in text(page(root))


def test_does_the_page_hold_points_and_words_of_a_person(root):
    read_by_a_person(root)
    ledger.give_feedback(root, [], say=lambda _: None)
    html = page(root)
    assert "14 of 14 points ." in text(html), "12 and 1.5 and 0.5 extra"
    assert "read by a person: 1.5 of 2, +0.5 extra" in html
    assert "Nearly &lt;b&gt;there&lt;/b&gt;." in html
    assert "See page 3." in html
    assert "still to be read" not in html
    assert "See page 3." not in page(root, "karl")


def test_does_the_page_say_what_being_late_cost(tmp_path):
    root = a_course(tmp_path, "ada", config=LATE)
    assert "0 of 14 points" in text(page(root))
    assert "12 points, less 12 for handing in 1 d late." in page(root)
    with book(root) as opened:
        opened.grant_extension(NAME, "ada", days=2)
    ledger.give_feedback(root, [], say=lambda _: None)
    assert "12 of 14 points" in text(page(root))
    assert "late" not in text(page(root))


def test_is_a_test_that_a_person_overrode_said_to_be_so(root):
    grade(root, "ada", test_derivative="failed")
    with book(root) as opened:
        opened.find_grade("test_derivative", NAME, NAME, "ada").manual_score = 1
    again(root)
    assert "not yet, set by a person: 1 of 2" in page(root)
    assert "✗ what came of test_derivative" in page(root)


def test_is_the_page_made_again_by_a_regrade_with_everything_in_it(root):
    read_by_a_person(root)
    grade(root, "ada", "karl")
    assert "Nearly &lt;b&gt;there" in page(root)
    assert "read by a person: 1.5 of 2" in page(root)


def test_is_only_what_changed_made_again(root):
    before = files(root)
    said = []
    ledger.give_feedback(root, [], say=said.append)
    assert files(root) == before
    assert said == ["feedback: 0 pages made, 2 were up to date"]
    read_by_a_person(root)
    ledger.give_feedback(root, [NAME], say=said.append)
    assert said[1:] == ["feedback: 1 pages made, 1 were up to date"]
    ledger.give_feedback(root, [], force=True, say=said.append)
    assert said[2:] == ["feedback: 2 pages made, 0 were up to date"]
    records.page_path(root, records.Place("karl", NAME)).unlink()
    ledger.give_feedback(root, [], say=said.append)
    assert said[3:] == ["feedback: 1 pages made, 1 were up to date"]


def test_does_a_page_that_nbgrader_made_stay_until_something_changes(root):
    path = records.page_path(root, records.Place("ada", NAME))
    path.write_text("nbgrader's own")
    again(root)
    ledger.give_feedback(root, [], say=lambda _: None)
    assert path.read_text() == "nbgrader's own"
    read_by_a_person(root)
    again(root)
    assert "Nearly" in path.read_text()


def test_does_the_page_hold_a_tests_text_or_name_another_host(root):
    read_by_a_person(root)
    ledger.give_feedback(root, [], say=lambda _: None)
    html = page(root)
    assert "assert check." not in html
    assert "HIDDEN" not in html
    assert "http" not in html
    assert "src=" not in html


def test_are_the_parts_in_the_sheets_order_in_every_run(root):
    first = page(root)
    ledger.give_feedback(root, [], force=True, say=lambda _: None)
    assert page(root) == first
    titles = re.findall(r"<h2>(\S+)", first)
    assert titles.index("derivative") < titles.index("nll_gradient")


def test_does_the_command_make_pages_and_name_a_sheet_that_nobody_has(root):
    read_by_a_person(root)
    run = CliRunner().invoke(cli.app, ["feedback", "--root", str(root)])
    assert run.exit_code == 0, run.output
    assert "1 pages made, 1 were up to date" in run.output
    assert "See page 3." in page(root)
    refused = CliRunner().invoke(cli.app, ["feedback", "99-none", "--root", str(root)])
    assert "99-none" in str(refused.exception)
    (root / "gradebook.db").unlink()
    lost = CliRunner().invoke(cli.app, ["feedback", "--root", str(root)])
    assert "does not exist; run «course grade» first" in str(lost.exception)
    assert "See page 3." in page(root), "a page is not overwritten with less"


def test_is_a_submission_that_the_gradebook_does_not_know_told(root):
    with book(root) as opened:
        opened.remove_submission(NAME, "ada")
    before = page(root)
    said = []
    ledger.give_feedback(root, [], force=True, say=said.append)
    assert any("'ada' is not in the gradebook" in line for line in said)
    assert page(root) == before


@pytest.mark.slow
def test_does_nbgraders_own_command_copy_anything_that_stays_with_the_staff(root):
    done = nbgrader(root, "generate_feedback", NAME, "--force")
    assert done.returncode == 0, done.stderr
    place = root / "feedback" / "ada" / NAME
    assert {p.name for p in place.iterdir()} == {f"{NAME}.html", "result.json", "timestamp.txt"}
    assert "4711" not in (place / "result.json").read_text()
