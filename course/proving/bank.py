"""The answers bank: right and wrong answers to every exercise, and what each must get.

A bank file is Markdown: a heading ``## exercise`` for each answer cell, below it an answer a
heading, ``### right: …`` or ``### wrong: … → the wrong turn it must be told``, each with one block
of Python that stands in for the answer cell. The unsolved stub and the missing name are added to
every exercise here, since they are the same everywhere.
"""

import contextlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.authoring import names, needed, sheet
from course.errors import CourseError
from course.verdict import Verdict, of_test_cell
from helpers import data
from helpers.check.kit import compare, message

HEADING = re.compile(r"^### (right|wrong): (.+?)(?: → (.+))?$")


@dataclass(frozen=True)
class Answer:
    """One answer of the bank.

    Args:
        exercise: grade_id of the answer cell it stands in for.
        kind: "right", "wrong" or "missing".
        title: what is special about it.
        code: the text of the answer cell.
        wrong_turn: the name that the check must give it; empty for a right answer.
    """

    exercise: str
    kind: str
    title: str
    code: str
    wrong_turn: str = ""

    @property
    def state(self) -> str:
        """The state that the answer deserves."""
        return {"right": "passed", "wrong": "failed", "missing": "missing"}[self.kind]


@dataclass(frozen=True)
class Trial:
    """An answer, what the check said, and how far each of its comparisons was from the bound."""

    answer: Answer
    verdict: Verdict
    measured: tuple[compare.Measurement, ...]

    @property
    def as_expected(self) -> bool:
        """Whether the answer got the state and the wrong turn that the bank says it deserves."""
        return (
            self.verdict.state == self.answer.state
            and self.verdict.wrong_turn == self.answer.wrong_turn
        )


def load(path: Path, notebook: Any) -> list[Answer]:
    """Read a bank file, and add the unsolved stub and the missing name for every exercise.

    Raises:
        CourseError: an unknown exercise, a malformed heading, or an answer without its code block.
    """
    exercises = {e.name: e for e in sheet.exercises(notebook)}
    answers = read(path, list(exercises))
    for name, found in exercises.items():
        source = notebook.cells[found.answer_index].source
        stub = sheet.stub(source)
        # A stub that only raises makes no name at all; a function's stub fails when it is called.
        makes = set(found.wants) <= names.made(stub)
        unsolved = message.UNSOLVED if makes else message.MISSING_NAME
        answers.append(Answer(name, "missing", "unsolved", stub, unsolved))
        answers.append(Answer(name, "missing", "missing name", "", message.MISSING_NAME))
    return answers


def read(path: Path, exercises: Sequence[str], named: bool = True) -> list[Answer]:
    """Read the answers of a file in the form of a bank.

    Args:
        path: the file.
        exercises: names of the sheet's answer cells.
        named: whether a wrong answer is written with the wrong turn that it must be told.

    Raises:
        CourseError: an unknown exercise, a malformed heading, or an answer without its code block.
    """
    answers: list[Answer] = []
    exercise = ""
    lines = path.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.startswith("## "):
            exercise = line[3:].strip()
            if exercise not in exercises:
                raise CourseError(
                    f"{path}, line {number}: the sheet has no answer cell {exercise!r}; "
                    f"it has {', '.join(exercises)}."
                )
        elif line.startswith("### "):
            match = HEADING.match(line)
            if not match or not exercise or bool(match[3]) != (named and match[1] == "wrong"):
                raise CourseError(
                    f"{path}, line {number}: write «### right: title» or "
                    "«### wrong: title → wrong turn», below a «## exercise»."
                )
            code, number = _block(path, lines, number)
            answers.append(Answer(exercise, match[1], match[2], code, match[3] or ""))
    return answers


def _block(path: Path, lines: list[str], number: int) -> tuple[str, int]:
    start = number
    while number < len(lines) and not lines[number].strip():
        number += 1
    if number < len(lines) and lines[number].strip() == "```python":
        for end in range(number + 1, len(lines)):
            if lines[end].strip() == "```":
                return "\n".join(lines[number + 1 : end]), end + 1
    raise CourseError(f"{path}, line {start}: a ```python block must follow the heading.")


ENOUGH_RIGHT, ENOUGH_WRONG, ENOUGH_TURNS = 4, 10, 5
# Each bank has one at least of each of these families.
GENERIC = (message.TYPES, message.SHAPES, (message.NOT_A_NUMBER,), (message.RAISED,))


def lacking(notebook: Any, answers: Sequence[Answer]) -> list[str]:
    """Return a sentence for each thing that the bank of a sheet has too little of.

    Args:
        notebook: the sheet.
        answers: its bank.
    """
    found: list[str] = []
    for exercise in sheet.exercises(notebook):
        own = [a for a in answers if a.exercise == exercise.name]
        given = notebook.cells[exercise.answer_index].source
        # A value that raises was never made.
        is_function = all(f"def {name}(" in given for name in exercise.wants)
        found += [f"«{exercise.name}»: {what}" for what in _lacking(own, is_function)]
    return found


def _lacking(own: list[Answer], is_function: bool) -> Iterator[str]:
    """Yield what the answers to one exercise lack."""
    turns = {a.wrong_turn for a in own if a.kind == "wrong"}
    titles = [a.title for a in own]
    counted = (
        (ENOUGH_RIGHT, "right answers", sum(a.kind == "right" for a in own)),
        (ENOUGH_WRONG, "wrong answers", sum(a.kind == "wrong" for a in own)),
        (ENOUGH_TURNS, "wrong turns of its own", len(turns.difference(*GENERIC))),
    )
    for enough, what, count in counted:
        if count < enough:
            there = f"there {'is' if count == 1 else 'are'} {count or 'none'}"
            yield f"{enough} {what} are needed, {there}"
    if not any("noisy" in title for title in titles):
        yield "a right answer is needed that prints and warns, «noisy» in its title"
    asked = GENERIC if is_function else GENERIC[:-1]
    absent = sorted(family[0] for family in asked if not turns.intersection(family))
    if len(absent) > 1:  # one may go by another name, where a turn gives NaN, say
        yield f"wrong answers are needed that are told {', '.join(absent)}"
    for title in sorted({title for title in titles if titles.count(title) > 1}):
        yield f"two answers share the title {title!r}"


def mute(trial: "Trial") -> bool:
    """Return whether a message lacks what was tested, expected or found, or the wrong turn."""
    lines = trial.verdict.message.splitlines()
    heads = [line.split()[0] for line in lines if line.split() and not line.startswith("  again ")]
    if trial.answer.kind == "wrong":
        return heads != ["✗", "expected", "got", "→"]
    if trial.answer.kind == "missing":
        return heads[:1] != ["✗"] or heads[-1] != "→"
    return not lines or not all(line.startswith("✓") for line in lines)


def trials(
    notebook: Any, answers: list[Answer], seeds: Iterable[int]
) -> Iterator[tuple[int, Trial]]:
    """Try every answer of a sheet on data seeds.

    The sheet's cells run from the top with their reference answers; at each answer cell, every
    answer of the bank is put in its place, on a copy of the names, and the test cell judges it.

    Args:
        notebook: the sheet, solutions and hidden tests inside.
        answers: answers to its exercises.
        seeds: the data seeds.

    Yields:
        For each data seed, and each answer: the seed and the trial.
    """
    exercises = {e.answer_index: e for e in sheet.exercises(notebook)}
    leads_to = leading_to(notebook, answers)
    for seed in seeds:
        given: dict[str, Any] = {"__name__": "__main__"}
        for index, cell in enumerate(notebook.cells):
            if index in exercises:
                exercise = exercises[index]
                test = notebook.cells[exercise.test_index].source
                for answer in answers:
                    if answer.exercise == exercise.name:
                        with data.seeded(seed):
                            tried = _try(answer, exercise, test, given)
                        yield seed, tried
            if index in leads_to:
                with hushed(), data.seeded(seed):
                    exec(compile(cell.source, f"<cell {index}>", "exec"), given)


def leading_to(notebook: Any, answers: list[Answer]) -> set[int]:
    """Return the cells that some answer builds on: margins are measured over 200 data seeds."""
    code = {i for i, c in enumerate(notebook.cells) if c.cell_type == "code"}
    roots = {i for i in code if sheet.is_answer(notebook.cells[i])}
    tests = {i for i in code if sheet.is_test(notebook.cells[i])}
    found: set[int] = set()
    for part in _in_parts([a.code for a in answers if names.readable(a.code)]):
        found |= needed.leading_to(part, notebook.cells, roots, code - roots - tests)
    return found


def _in_parts(codes: list[str]) -> Iterator[list[str]]:
    """Yield all texts, no more at a time than are read at once; one part at least."""
    part: list[str] = []
    for code in codes:
        if part and sum(map(len, part)) + len(code) > names.LONGEST // 2:
            yield part
            part = []
        part.append(code)
    yield part


def _try(answer: Answer, exercise: sheet.Exercise, test: str, given: dict[str, Any]) -> Trial:
    own = {k: v for k, v in given.items() if k not in exercise.wants}
    with hushed(), contextlib.suppress(Exception):  # as the judge: the names may be there or not
        exec(compile(answer.code, f"<{answer.title}>", "exec"), own)
    with compare.measuring() as measured:
        said = of_test_cell(test, {name: own[name] for name in exercise.wants if name in own})
    return Trial(answer, said, tuple(measured))


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep what runs inside from printing."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield
