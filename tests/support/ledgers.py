"""Courses whose results are made by hand: the ledger's work without any kernel's."""

import contextlib
import dataclasses
import datetime
import json

import nbformat

from course.authoring import sheet
from course.grading.job import Graded
from course.grading.ledger import keys, ledger, records, standing
from course.grading.result import Result, TestResult
from support import gradebooks
from support.classes import NAME, copied

DUE = datetime.datetime(2026, 10, 1, 12)
KEY = keys.Keys("run", "judging")


def source(root):
    return nbformat.read(root / "source" / NAME / f"{NAME}.ipynb", as_version=4)


def rewrite(root, change):
    """Change the source notebook of a course: ``change`` takes its cells by grade_id, and it."""
    path = root / "source" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change({sheet.grade_id(c): c for c in notebook.cells if sheet.grade_id(c)}, notebook)
    nbformat.write(notebook, path)


def result(root, student, **states):
    """Return a result by hand: written answers wait, the tests passed but for those named."""
    tests = {}
    for cell in source(root).cells:
        name = sheet.grade_id(cell)
        if sheet.is_manual(cell) or sheet.is_test(cell):
            state = states.get(name, "manual" if sheet.is_manual(cell) else "passed")
            most = float(sheet.flags(cell)["points"])
            points = most if state == "passed" else 0.0
            said = f"✗ what came of {name}" if state == "failed" else ""
            tests[name] = TestResult(state, points, most, said, "halved" if said else "")
    return Result(
        student, NAME, sum(t.points for t in tests.values()),
        sum(t.max_points for t in tests.values()), "none", 0.1, tests,
    )  # fmt: skip


def hand_in_at(root, student, time):
    """Hand in, with a time as text or none."""
    folder = root / "submitted" / student / NAME
    folder.mkdir(parents=True, exist_ok=True)
    if time is not None:
        (folder / "timestamp.txt").write_text(time)


def grade(root, *students, say=lambda _: None, **states):
    """Write a result of each student through the ledger, as a graded class does."""
    with ledger.opened(root, [NAME], say) as books:
        for student in students:
            made = result(root, student, **states)
            text = nbformat.writes(source(root)) + "\n"
            books.write(Graded(made, text, {"a": "b"}, 4711), KEY)


def again(root, say=lambda _: None):
    """Do what the ledger does in a run in which nothing is graded."""
    with ledger.opened(root, [NAME], say) as books:
        books.bring_into_line(records.graded(root, []))


@contextlib.contextmanager
def book(root):
    opened = gradebooks.opened(root)
    try:
        yield opened
        opened.db.commit()
    finally:
        opened.close()
        opened.engine.dispose()


def standings(root):
    with book(root) as opened:
        return {who: one for (who, _), one in standing.read(opened).items()}


def a_course(root, *students, config="", due=DUE):
    """Make a course with sheet 01 graded for some students, each handed in one day late."""
    copied(root)
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        'c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}\n'
        'c.ClearSolutions.text_stub = "*Write your answer here.*"\n' + config
    )
    gradebooks.opened(root).close()
    for student in students:
        hand_in_at(root, student, "2026-10-02 12:00:00 UTC")
    with ledger.opened(root, [NAME], print) as books:
        books.book.update_or_create_assignment(NAME, duedate=due)
    grade(root, *students)
    return root


def files(root):
    """Return every file of a course: when it was written and what it holds."""
    return {
        str(p.relative_to(root)): (p.stat().st_mtime_ns, p.read_bytes())
        for p in root.rglob("*") if p.is_file()
    }  # fmt: skip


def without(result, *names):
    return dataclasses.replace(
        result, tests={n: t for n, t in result.tests.items() if n not in names}
    )


def kept(root, student):
    return json.loads((root / "autograded" / student / NAME / "result.json").read_text())
