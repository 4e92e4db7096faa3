"""A tiny course whose submissions are graded by hand: the whole command without a kernel."""

import functools
import shutil
import tempfile
from concurrent.futures import Executor, Future
from pathlib import Path

import nbformat
from nbformat import v4

from course.authoring import sheet
from course.files import write_whole
from course.grading import grade
from course.grading.canary import NOBODY
from course.grading.job import Graded
from course.grading.result import Result, TestResult
from course.notebooks import parse

NAME = "01-tiny"
CELLS = (
    ("code", "slope", "slope = 2", {"solution": True, "locked": False}),
    ("code", "test_slope", "assert slope == 2", {"grade": True, "points": 3, "locked": True}),
    ("markdown", "why", "*Write your answer here.*",
     {"grade": True, "solution": True, "points": 2, "locked": False}),
)  # fmt: skip
FLAGS = {"grade": False, "solution": False, "task": False, "schema_version": 3, "points": 0}


def notebook(**answers):
    """Return the tiny sheet; answers by name stand in their cells."""
    made = v4.new_notebook()
    for kind, name, text, flags in CELLS:
        new = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
        flags = FLAGS | flags | {"grade_id": name, "cell_type": kind}
        made.cells.append(new(answers.get(name, text), id=name, metadata={"nbgrader": flags}))
    return nbformat.writes(made)


def course(root, students=("ada", "ben")):
    """Make a course of one sheet that some students handed in."""
    for part, answer in (("source", "slope = 2"), ("release", "raise NotImplementedError")):
        write_whole(root / part / NAME / f"{NAME}.ipynb", notebook(slope=answer))
    write_whole(root / ".course-secret", "the secret of a tiny course")
    for student in students:
        hand_in(root, student)
    return root


def hand_in(root, student, text=None):
    """Let a student hand in the tiny sheet, with the time."""
    folder = root / "submitted" / student / NAME
    write_whole(folder / f"{NAME}.ipynb", notebook(why="Since.") if text is None else text)
    write_whole(folder / "timestamp.txt", "2026-11-01 12:00:00 UTC\n")
    return folder


def graded(job, state="passed", message="✓ passed"):
    """Return what a grading process would return of a submission, every test in the same state."""
    made = parse(job.source)
    tests = {}
    for cell in made.cells:
        most = float(sheet.flags(cell).get("points") or 0)
        if sheet.is_test(cell):
            points = most if state == "passed" else 0.0
            tests[sheet.grade_id(cell)] = TestResult(state, points, most, message)
            cell.outputs = [v4.new_output("stream", name="stdout", text=message + "\n")]
        elif sheet.is_manual(cell):
            tests[sheet.grade_id(cell)] = TestResult("manual", 0.0, most)
    points, most = (sum(getattr(t, n) for t in tests.values()) for n in ("points", "max_points"))
    result = Result(job.student, job.sheet, points, most, "bubblewrap", 0.5, tests)
    return Graded(result, nbformat.writes(made), {"asked": "replied"}, job.data_seed)


class ByHand(Executor):
    """Grades at once, in this process, as it is told.

    Args:
        ways: how each student is graded: a function of the job; by default everything passes.
    """

    def __init__(self, **ways):
        self.ways, self.asked = ways, []

    def submit(self, function, job):
        """Grade one job."""
        self.asked.append(job.student)
        if job.student == NOBODY:
            way = self.ways.get("solution", graded)
        else:
            way = self.ways.get(job.student, self.ways.get("everyone", graded))
        future = Future()
        try:
            future.set_result(way(job))
        except BaseException as error:
            future.set_exception(error)
        return future


def grade_by_hand(root, executor=None, **options):
    """Run a class by hand; return the results by student and what a person has to see."""
    seen, said = [], []
    results = grade.grade_class(
        root, [], [], no_cage=True, say=said.append, must_see=seen.append,
        executor=executor or ByHand(), **options,
    )  # fmt: skip
    return {r.student: r for r in results}, seen, said


@functools.cache
def _graded():
    root = Path(tempfile.mkdtemp(prefix="test-by-hand-"))
    grade_by_hand(course(root))
    return root


def graded_course(root):
    """Make a course that two students handed in and passed, graded; the same one each time."""
    return Path(shutil.copytree(_graded(), root))


def kept(root):
    """Return what a course keeps, by the names of its files; the gradebook by what it holds."""
    from nbgrader.api import Gradebook

    found = {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*") if p.is_file() and not p.name.startswith("gradebook")
    }  # fmt: skip
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(NAME):
            grades = {
                g.name: (g.auto_score, g.manual_score, g.needs_manual_grade)
                for n in submission.notebooks for g in n.grades
            }  # fmt: skip
            late = sum(n.late_submission_penalty or 0 for n in submission.notebooks)
            found[f"gradebook of {submission.student.id}"] = (grades, submission.timestamp, late)
    return found
