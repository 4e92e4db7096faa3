"""Right answers, changed by one small edit: does the check refuse them all, and name what it can?

    python -m course.proving.mutants [SHEET[:EXERCISE,…]…]      → docs/mutants.md

A mutant that agrees with its parent on ten times the cases, from other data seeds, is equivalent:
it is a right answer too. So is one that on each of them learns the optimum, by another rate or from
another start, or draws by the same law. Every other one must be refused; one that is not is a hole
in the check.
"""

import ast
import contextlib
import functools
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch

import helpers.check
from course.authoring import sheet
from course.proving import bank, measured
from course.proving.measured import COURSE
from course.verdict import Verdict, of_test_cell
from helpers import data
from helpers.check.kit.calling import adapted, own_copy, quietly
from helpers.check.kit.compare import same
from helpers.check.kit.edits import edited
from helpers.check.kit.exercise import Exercise, Together, ask
from helpers.check.kit.law import Law
from helpers.check.kit.learned import Learned
from helpers.check.kit.message import (
    NOT_A_NUMBER,
    RAISED,
    UNDIAGNOSED,
    WRONG_SHAPE,
    WRONG_TYPE,
    CheckFailed,
)
from helpers.watching import watched

SEED = 1
OTHER_SEEDS = range(101, 111)  # ten times the cases
LONGEST = 20  # seconds for a mutant; one that loops for ever is refused
CATCH_ALL = {WRONG_TYPE, WRONG_SHAPE, NOT_A_NUMBER, RAISED, UNDIAGNOSED, "stops early", ""}


@dataclass(frozen=True)
class Mutant:
    """A right answer with one small edit.

    Args:
        exercise: grade_id of the answer cell.
        parent: title of the right answer in the bank.
        edit: what was done, and in which line.
        code: the text of the answer cell.
    """

    exercise: str
    parent: str
    edit: str
    code: str


@dataclass(frozen=True)
class Tried:
    """A mutant, what the check said, and whether the mutant is a right answer too."""

    mutant: Mutant
    verdict: Verdict
    equivalent: bool

    @property
    def survived(self) -> bool:
        """Whether a wrong answer passed."""
        return self.verdict.state == "passed" and not self.equivalent

    @property
    def returned(self) -> bool:
        """Whether a refused mutant returned a value, rather than raising an error."""
        return self.verdict.state == "failed" and self.verdict.wrong_turn != RAISED

    @property
    def named(self) -> bool:
        """Whether a refused mutant was told more than that it is wrong."""
        return self.returned and self.verdict.wrong_turn not in CATCH_ALL


def mutants(answer: bank.Answer) -> list[Mutant]:
    """Return every mutant of a right answer, each with one edit, none of them twice."""
    return [Mutant(answer.exercise, answer.title, e.what, e.code) for e in edited(answer.code)]


# --- trying them -------------------------------------------------------------------------------


class OutOfTime(BaseException):
    """A mutant ran for too long."""


@contextlib.contextmanager
def in_time(seconds: int) -> Iterator[None]:
    """End what runs inside after some seconds of this process's own time.

    A busy machine takes nothing from it.

    Raises:
        OutOfTime: it had not ended by then.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def declared(test_source: str) -> tuple[Exercise, ...]:
    """Return the declared exercises that a test cell checks, in the order of its answers."""
    for node in ast.walk(ast.parse(test_source)):
        if isinstance(node, ast.Attribute) and hasattr(helpers.check, node.attr):
            found = getattr(getattr(helpers.check, node.attr), "__self__", None)
            if isinstance(found, Exercise | Together):
                return found.exercises
    return ()


def tried(
    notebook: Any, answers: Sequence[bank.Answer], every: int = 1, only: Sequence[str] = ()
) -> list[Tried]:
    """Try the mutants of all right answers to the declared exercises of a sheet.

    Args:
        notebook: the sheet.
        answers: its bank.
        every: try only every so many-th mutant.
        only: names of exercises; all declared ones where empty.
    """
    found: list[Tried] = []
    given: dict[str, Any] = {"__name__": "__main__"}
    exercises = {e.answer_index: e for e in sheet.exercises(notebook)}
    leads_to = bank.leading_to(notebook, list(answers))
    with data.seeded(SEED):
        for index, cell in enumerate(notebook.cells):
            if index in exercises and (not only or exercises[index].name in only):
                exercise = exercises[index]
                test = notebook.cells[exercise.test_index].source
                functions = declared(test)
                right = [a for a in answers if a.exercise == exercise.name and a.kind == "right"]
                for parent in right if functions else []:
                    own = _made(parent.code, given, exercise.wants)
                    values = functools.cache(functools.partial(_values, own, functions))
                    for mutant in mutants(parent)[::every]:
                        found.append(_try(mutant, exercise, test, given, functions, values))
            if index in leads_to:
                with bank.hushed():
                    exec(compile(cell.source, f"<cell {index}>", "exec"), given)
    return found


def _try(
    mutant: Mutant, exercise: sheet.Exercise, test: str, given: dict[str, Any],
    functions: Sequence[Exercise], parent: Callable[[], list[Any]],
) -> Tried:  # fmt: skip
    try:
        with in_time(LONGEST):
            own = _made(mutant.code, given, exercise.wants)
            said = of_test_cell(test, own)
    except OutOfTime:
        return Tried(mutant, Verdict("timeout", "the mutant ran for too long"), False)
    equivalent = False
    if said.state == "passed":
        of_parent = parent()  # once, and not on the mutant's time
        with contextlib.suppress(OutOfTime), in_time(LONGEST * len(OTHER_SEEDS)):
            equivalent = _alike(_values(own, functions), of_parent) or _as_good(own, functions)
    return Tried(mutant, said, equivalent)


def _made(code: str, given: dict[str, Any], wants: Sequence[str]) -> dict[str, Any]:
    """Return the names that an answer makes, on a copy of those that are there."""
    own = {k: own_copy(v) if isinstance(v, torch.Tensor) else v for k, v in given.items()
           if k not in wants}  # fmt: skip
    with bank.hushed(), contextlib.suppress(Exception):
        exec(compile(code, "<mutant>", "exec"), own)
    return {name: own[name] for name in wants if name in own}


def _values(own: dict[str, Any], functions: Sequence[Exercise]) -> list[Any]:
    """Return what answers give on ten times the cases, from other seeds.

    Each call begins in one random state, so that two answers that draw alike agree.
    """
    found: list[Any] = []
    for function in functions:
        answer = adapted(own.get(function.name), function.adapter)
        for seed in OTHER_SEEDS:
            with data.seeded(seed):
                for case in function.cases():
                    try:
                        assert answer is not None
                        with quietly():
                            args = [own_copy(a) for a in case.args]
                            found.append(watched(answer, args, seed)[0])
                    except Exception as error:
                        found.append(type(error))
    return found


def _as_good(own: dict[str, Any], functions: Sequence[Exercise]) -> bool:
    """Return whether answers that learn, or draw, pass on ten times the cases."""
    for function in functions:
        if not isinstance(function.agree, Learned | Law):
            return False
        for seed in OTHER_SEEDS:
            with data.seeded(seed):
                try:
                    ask(function, own.get(function.name))
                except CheckFailed:
                    return False
    return True


def _alike(values: Sequence[Any], parent: Sequence[Any]) -> bool:
    return len(values) == len(parent) and all(
        a is b or same(a, b) for a, b in zip(values, parent, strict=True)
    )


# --- the table ---------------------------------------------------------------------------------

HEAD = """# Mutants of right answers

Made by `make mutants`: every right answer of the bank to a declared exercise, changed by one small
edit (an operator, a constant, a name such as `sum` for `mean`, a keyword or a statement dropped, an
argument exchanged, in place for out of place). A mutant that agrees with its parent on ten times
the cases, from other data seeds, is equivalent; so is one that on all of them learns the optimum by
another way, or draws by the same law. Every other one must be refused; «named» counts
those that return a value and are told a wrong turn or a place, not only that they are wrong.

| sheet | exercise | mutants | equivalent | refused | of these with a value | named | survive |
|---|---|---|---|---|---|---|---|
"""


def rows(name: str, found: Sequence[Tried]) -> list[str]:
    """Return a sheet's rows of the table."""
    lines = []
    for exercise in dict.fromkeys(t.mutant.exercise for t in found):
        of_it = [t for t in found if t.mutant.exercise == exercise]
        count = Counter({
            "equivalent": sum(t.equivalent for t in of_it),
            "refused": sum(t.verdict.state != "passed" for t in of_it),
            "returned": sum(t.returned for t in of_it),
            "named": sum(t.named for t in of_it),
            "survive": sum(t.survived for t in of_it),
        })  # fmt: skip
        share = f"{count['named'] / max(1, count['returned']):.0%}"
        lines.append(
            f"| {name} | {exercise} | {len(of_it)} | {count['equivalent']} | {count['refused']} "
            f"| {count['returned']} | {count['named']} ({share}) | {count['survive']} |"
        )
    return lines


def main(words: Sequence[str]) -> int:
    """Try all mutants of sheets, all by default; print survivors, write docs/mutants.md."""
    survivors = 0
    for part in measured.parts(words):
        notebook = sheet.load(COURSE / "sheets" / f"{part.sheet}.md")
        answers = bank.load(COURSE / "answers" / f"{part.sheet}.md", notebook)
        found = tried(notebook, answers, only=part.exercises)
        for one in found:
            if one.survived:
                survivors += 1
                print(f"{part.sheet}: {one.mutant.exercise}, «{one.mutant.parent}», "
                      f"{one.mutant.edit}:\n{one.mutant.code}\n")  # fmt: skip
        new = rows(part.sheet, found)
        print("\n".join(new), flush=True)
        measured.rewrite(COURSE.parent / "docs" / "mutants.md", HEAD, part, new, "")
    return min(1, survivors)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
