"""Does each answer of the bank get across the wall what it deserves, sheet by sheet?

By day a sixteenth of them, of half of the sheets, others in every run; tests/proving/test_bank.py
asks more of them, without a wall.
"""

import time

import pytest
from support.project import PROJECT, SHEETS
from support.sample import every

from course.authoring import sheet
from course.grading.cage.kernels import Kernels
from course.grading.cage.limits import Limits
from course.grading.judge import judge
from course.grading.session import Session
from course.proving import bank
from helpers import data

pytestmark = pytest.mark.slow
SEED = 12345


@pytest.fixture(scope="module")
def kernels(caged):
    source = Kernels(caged)
    yield source
    source.close()


@pytest.mark.part(2)
@pytest.mark.parametrize("name", SHEETS)
def test_does_each_answer_get_the_same_verdict_outside_the_cage(kernels, name, pytestconfig):
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    whole = bank.load(PROJECT / "course" / "answers" / f"{name}.md", notebook)
    answers = every(whole, 16, pytestconfig)
    exercises = {e.answer_index: e for e in sheet.exercises(notebook)}
    # What only shows something runs in no grading; that it leads to no answer, test_needed asks.
    leads_to = bank.leading_to(notebook, answers)
    kernel = kernels.start({"COURSE_DATA_SEED": str(SEED)})
    session = Session(kernel, Limits(), time.monotonic() + 600)
    wrong = []
    try:
        with data.seeded(SEED):
            for index, cell in enumerate(notebook.cells):
                if index in exercises:
                    exercise = exercises[index]
                    test = notebook.cells[exercise.test_index].source
                    for answer in [a for a in answers if a.exercise == exercise.name]:
                        gone = "\n".join(f"globals().pop({n!r}, None)" for n in exercise.wants)
                        session.run(gone, silent=True)
                        session.run(answer.code)
                        said = judge(session, test, exercise.wants)
                        if (said.state, said.wrong_turn) != (answer.state, answer.wrong_turn):
                            wrong.append((exercise.name, answer.title, said))
                if index in leads_to:
                    assert session.run(cell.source).state == "ok", cell.source
    finally:
        session.close()
    assert wrong == []
