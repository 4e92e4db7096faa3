"""Why an answer got what it got: the answer, what the judge said, what a person said."""

from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode

from course.authoring import sheet
from course.errors import CourseError
from course.grading.ledger import gradebook, ledger, records
from course.grading.ledger.standing import Mark, Standing
from course.grading.result import Result
from course.notebooks import parse
from course.term import remarks


def why(root: Path, student: str, exercise: str, must_see: Callable[[str], None] = print) -> str:
    """Return what there is to know of one answer, as text.

    Args:
        root: an nbgrader course folder, graded.
        student: the student's id.
        exercise: grade_id of the answer or of its test; of a written answer its own.
        must_see: told what else a person should know of the records.

    Raises:
        CourseError: nothing of this student or exercise was graded.
    """
    every = records.graded(root, [], must_see)
    theirs = [result for result in every if result.student == student]
    if not theirs:
        known = ", ".join(sorted({r.student for r in every})[:8]) or "nobody"
        raise CourseError(f"Nothing of {student!r} was graded in {root}; graded are {known} …")
    for result in theirs:
        notebook = _graded(root, result)
        for cell in _cells(notebook, exercise):
            with gradebook.reading(root) as book:
                standing = ledger.settle(root, book).get((student, result.sheet))
            return "\n".join(_said(result, standing, notebook, cell, root))
    known = ", ".join(sorted({t for r in theirs for t in r.tests}))
    raise CourseError(f"{student} handed in no exercise {exercise!r}; there are {known}.")


def _graded(root: Path, result: Result) -> NotebookNode:
    path = records.folder(root, result) / f"{result.sheet}.ipynb"
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(
            f"{path} cannot be read ({error.strerror}); «course grade» makes it again."
        ) from None


def _cells(notebook: NotebookNode, exercise: str) -> list[tuple[str, str, str]]:
    """Return grade_ids of answer and test, and the answer's text, of what is asked for."""
    found = [
        (e.name, e.test, notebook.cells[e.answer_index].source)
        for e in sheet.exercises(notebook) if exercise in (e.name, e.test)
    ]  # fmt: skip
    found += [
        (exercise, exercise, cell.source) for cell in notebook.cells
        if sheet.is_manual(cell) and sheet.grade_id(cell) == exercise
    ]  # fmt: skip
    return found


def _said(
    result: Result, standing: Standing | None, notebook: NotebookNode,
    cell: tuple[str, str, str], root: Path,
) -> list[str]:  # fmt: skip
    name, test, answer = cell
    lines = [f"{result.student}, {result.sheet}, {name}"]
    if standing is not None and standing.timestamp is not None:
        lines[0] += f", handed in {standing.timestamp:%Y-%m-%d %H:%M} UTC"
    lines += ["", "the answer:", *_indented(answer)]
    if test in result.tests:
        verdict = result.tests[test]
        named = f", {verdict.wrong_turn}" if verdict.wrong_turn else ""
        lines += ["", f"the judge: {verdict.state}{named}"]
        lines += _indented(verdict.message) if verdict.message else []
    mark = standing.marks.get(test) if standing is not None else None
    lines += ["", f"points: {_points(mark)}"]
    words = standing.words if standing is not None else {}
    if comment := words.get(name) or words.get(test):
        lines += ["", "a person's words:", *_indented(comment)]
    if standing is not None and standing.penalty:
        lines += ["", f"late: {standing.penalty:g} points are taken off the sheet"]
    is_code = name != test  # a written answer is asked nothing
    if is_code and (seed := records.data_seed(root, result)) is not None:
        lines += ["", f"asked again at a desk by COURSE_DATA_SEED={seed}"]
    return lines


def _points(mark: Mark | None) -> str:
    if mark is None:
        return "not in the gradebook"
    if mark.auto is None and mark.manual is None:
        return f"none yet of {mark.most:g}; waits for a person"
    parts = [f"{mark.points:g} of {mark.most:g}"]
    if mark.manual is not None:
        was = "" if mark.auto is None else f", in place of {mark.auto:g}"
        parts.append(f"{mark.manual:g} given by a person{was}")
    if remarks.read_again(mark):
        parts.append("before the answer was graded again, to be read again by a person")
    if mark.extra:
        parts.append(f"{mark.extra:g} extra")
    return "; ".join(parts)


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.split("\n")]
