"""Does a gradebook on a PostgreSQL server hold what one in a file holds, and what stock's holds?"""

import contextlib
import io
import shutil

import pytest
from nbgrader.api import Gradebook
from support.classes import NAME, copied, hand_in, solved
from support.ledgers import DUE
from support.project import PROJECT
from support.stock import nbgrader

from course import stock_nbgrader
from course.grading import grade
from course.grading.ledger import gradebook, ledger, standing
from course.term import export, report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Object of type <Submitted"),
]
POLICY = """
from nbgrader.plugins import LateSubmissionPlugin

class ADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 86400

c.AssignLatePenalties.plugin_class = ADay
"""
KINDS = ("late", "extended", "wrong", "unsolved", "unreadable", "nothing")
HONEST = {"late", "extended", "wrong"}


@pytest.fixture(scope="module")
def students(pytestconfig):
    """One student of each kind; ten by night."""
    times = range(10 if pytestconfig.getoption("--all-sheets") else 1)
    return {f"{kind}-{number}" if number else kind: kind for number in times for kind in KINDS}


WRITTEN = "piling_up"


def configured(root, url):
    text = (PROJECT / "nbgrader_config.py").read_text() + POLICY
    (root / "nbgrader_config.py").write_text(f"{text}\nc.CourseDirectory.db_url = {url!r}\n")
    return root


@contextlib.contextmanager
def book(root):
    config = stock_nbgrader.settings(root)
    with gradebook.opened(root, [NAME], config, lambda _: None) as opened:
        yield opened


def a_person_reads(root, students):
    """Give a due date, extensions, points, extra credit and words, in some the second time."""
    points = {"late": 1.5, "wrong": 0, "extended": 2}
    with book(root) as opened:
        opened.update_or_create_assignment(NAME, duedate=DUE)
        for student, kind in students.items():
            if kind not in points:
                continue
            given = opened.find_grade(WRITTEN, NAME, NAME, student)
            given.manual_score, given.needs_manual_grade = points[kind], False
            words = opened.find_comment(WRITTEN, NAME, NAME, student)
            words.manual_comment = f"{points[kind]} für «das»."
            test = opened.find_grade("test_derivative", NAME, NAME, student)
            if kind == "extended":
                opened.grant_extension(NAME, student, days=1, hours=12)
                test.extra_credit = 0.5
            if kind == "wrong":
                test.manual_score = 1
        opened.db.commit()


def held(root):
    with book(root) as opened:
        return standing.read(opened)


def given_back(root):
    """Return the pages, the exports and the report of a class."""
    pages = {str(p.relative_to(root)): p.read_text() for p in root.glob("feedback/*/*/*.html")}
    exports = {form: export.export(root, form, lambda _: None) for form in export.FORMS}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        report.show(root, report.graded(root, []))
    return pages, exports, said.getvalue()


@pytest.fixture(scope="module")
def classes(tmp_path_factory, database, caged, students):
    """One class, its gradebook on a server, and the same class with its gradebook in a file."""
    server = copied(tmp_path_factory.mktemp("server"))
    (server / "gradebook.db").unlink(missing_ok=True)  # it has to be made on the server
    wrong = {"derivative": "def derivative(f, x):\n    return f(x)"}
    answers = {
        "late": solved(), "extended": solved(), "wrong": solved(wrong),
        "unsolved": (PROJECT / "release" / NAME / f"{NAME}.ipynb").read_bytes(),
        "unreadable": b"not a notebook", "nothing": None,
    }  # fmt: skip
    for student, kind in students.items():
        folder = hand_in(server, student, answers[kind])
        days = {"late": 2, "extended": 3, "unsolved": 2}.get(kind, 1)
        (folder / "timestamp.txt").write_text(f"2026-10-0{days} 18:00:00 UTC")
    configured(server, database("ours"))

    def run(root):
        return grade.grade_class(root, [], [], no_cage=not caged, workers=1, say=lambda _: None)

    run(server)
    file = tmp_path_factory.mktemp("file") / "course"
    shutil.copytree(server, file)
    configured(file, "sqlite:///grades/of_ours.db")
    (file / "grades").mkdir()
    for root in (server, file):
        run(root)
        a_person_reads(root, students)
        run(root)
    return server, file


def test_do_both_hold_the_same(classes, students):
    server, file = map(held, classes)
    assert server == file
    assert len(server) == len(students)
    for student, kind in students.items():
        one = server[student, NAME]
        if kind == "late":
            assert (one.raw, one.penalty, one.score) == (13.5, 1.25, 12.25)
            assert one.words == {WRITTEN: "1.5 für «das»."}
        if kind == "extended":
            assert (one.raw, one.penalty, one.score) == (14.5, 0.75, 13.75)
        if kind == "wrong":
            assert one.score == 10 + 1 - 0.25


def test_do_both_give_back_the_same(classes, students):
    server, file = map(given_back, classes)
    assert server == file
    assert len(server[0]) == len(students)
    assert "12.25 of 14" in server[0][f"feedback/late/{NAME}/{NAME}.html"]


def test_is_the_gradebook_where_the_settings_say_and_nowhere_else(classes):
    server, file = classes
    assert not [p for p in server.rglob("*.db*")]
    assert [str(p.relative_to(file)) for p in file.rglob("*.db*")] == ["grades/of_ours.db"]
    assert "secret" not in stock_nbgrader.shown(stock_nbgrader.db_url(server))


def test_does_a_second_run_write_anything_to_the_server(classes, caged):
    server, _ = classes
    with book(server) as opened:
        before = opened.engine.connect().exec_driver_sql(WRITES).scalar()
    with ledger.opened(server, [NAME], print) as books:
        books.bring_into_line(report.graded(server, []))
    with book(server) as opened:
        assert opened.engine.connect().exec_driver_sql(WRITES).scalar() == before


WRITES = "select string_agg(xmin::text || ctid::text, ' ' order by ctid) from grade"


@pytest.mark.night
def test_is_it_what_stock_nbgrader_gives_on_a_server_of_its_own(
    classes, students, database, tmp_path_factory, pytestconfig
):
    server, _ = classes
    # By day the two whose marks a person, an extension and the penalty meet in.
    kinds = HONEST if pytestconfig.getoption("--all-sheets") else {"extended", "wrong"}
    honest = {student: kind for student, kind in students.items() if kind in kinds}
    root = tmp_path_factory.mktemp("stock")
    for part in ("source", "release"):
        shutil.copytree(server / part, root / part)
    for student in honest:
        shutil.copytree(server / "submitted" / student, root / "submitted" / student)
    configured(root, database("theirs"))
    done = nbgrader(root, "generate_assignment", NAME, "--force")
    assert done.returncode == 0, done.stderr[-2000:]
    first = nbgrader(root, "autograde", NAME, "--no-execute")  # makes the rows a person reads
    assert first.returncode == 0, first.stderr[-2000:]
    a_person_reads(root, honest)
    again = nbgrader(root, "autograde", NAME, "--force")
    assert again.returncode == 0, again.stderr[-2000:]
    ours, theirs = held(server), held(root)
    assert {student for student, _ in theirs} == set(honest)
    for place, one in theirs.items():
        assert (one.raw, one.penalty, one.score, one.max_score) == (
            ours[place].raw, ours[place].penalty, ours[place].score, ours[place].max_score
        ), place  # fmt: skip
        assert (one.words, one.timestamp, one.extension) == (
            ours[place].words, ours[place].timestamp, ours[place].extension
        )  # fmt: skip
        for name, mark in one.marks.items():
            mine = ours[place].marks[name]
            assert (mark.auto, mark.manual, mark.extra) == (mine.auto, mine.manual, mine.extra)
    with contextlib.closing(Gradebook(stock_nbgrader.db_url(root), "likelihood-course")) as opened:
        for one in opened.assignment_submissions(NAME):
            assert one.score - one.late_submission_penalty == ours[one.student_id, NAME].score
