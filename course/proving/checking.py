"""`course check NN-name`: one sheet's bank, cases, margins and needed cells, with true causes."""

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import helpers.check
from course.authoring import build, sheet
from course.errors import CourseError
from course.proving import bank, margins, partial
from course.verdict import own_error
from helpers.check.kit.exercise import Exercise, Together


def check(
    root: Path,
    name: str,
    seeds: Sequence[int],
    say: Callable[[str], None],
    must_see: Callable[[str], None],
) -> None:
    """Try the bank of a sheet, and say of each exercise how it went.

    The sheet itself runs in full and in part: a cell that grading leaves out must change no answer.

    Args:
        root: the project's folder.
        name: the sheet's name.
        seeds: the data seeds to try it on.
        say: takes a line for each exercise.
        must_see: takes what has to be mended, a paragraph each.

    Raises:
        CourseError: there is no such sheet, its text or bank cannot be read, or a rule is broken.
    """
    begun = time.monotonic()
    known = build.names(root)
    if name not in known:
        raise CourseError(f"There is no sheet {name!r}; there are {', '.join(known)}.")
    notebook = build.prepared(root, name)
    path = root / "course" / "answers" / f"{name}.md"
    if not path.exists():
        raise CourseError(f"{path} does not exist; write right and wrong answers there.")
    answers = bank.load(path, notebook)
    say(f"{name}: trying {len(answers)} answers on {len(seeds)} data seed{'s' * (len(seeds) > 1)}")
    for what in bank.lacking(notebook, answers):
        must_see(f"course/answers/{name}.md, {what}")
    try:
        tried = list(bank.trials(notebook, answers, seeds))
        for what in partial.differences(name, notebook, seeds[0]):
            must_see(what)
    except Exception as error:  # a given cell or a solution of the sheet: it is a program
        raise CourseError(
            f"course/sheets/{name}.md: a cell that the answers build on stops here "
            f"({type(error).__name__}: {error}); «course build {name}» says which."
        ) from error
    found = {m.exercise: m for m in margins.margins(trial for _, trial in tried)}
    for exercise in sheet.exercises(notebook):
        own = [t for _, t in tried if t.answer.exercise == exercise.name]
        test = notebook.cells[exercise.test_index].source
        say(_line(exercise, own, found.get(exercise.name), cases(test)))
    for what in margins.complaints(tried):
        must_see(what)
    stopped = {own_error(t.verdict) for _, t in tried} - {""}
    for what in sorted(stopped):
        must_see(f"a check itself stops, whatever the answer: {what}")
    for _, trial in tried:
        if trial.as_expected and bank.mute(trial):
            must_see(
                f"{trial.answer.exercise}, «{trial.answer.title}»: the message lacks what was "
                f"tested, expected or found:\n{trial.verdict.message}"
            )
    for margin in found.values():
        if not margin.wide:
            must_see(
                f"{margin.exercise}: no room at its bound: the worst right answer, "
                f"«{margin.worst_right_title}», at {margin.worst_right:.2g} of it, the nearest "
                f"wrong one, «{margin.nearest_wrong_title}», at {margin.nearest_wrong:.2g}; at "
                f"most {1 / margins.ROOM:g} and at least {margins.ROOM} leave room"
            )
    seconds = time.monotonic() - begun
    say(f"{name}: {len(tried)} trials of {len(answers)} answers in {seconds:.0f} s")


def cases(test_source: str) -> int:
    """Return how many cases the checks of a test cell ask; 0 where a check is not declared."""
    count = 0
    for name in sorted(set(re.findall(r"\bcheck\.(\w+)", test_source))):
        declared = getattr(getattr(helpers.check, name, None), "__self__", None)
        if isinstance(declared, Exercise | Together):
            count += sum(len(one.cases()) for one in declared.exercises)
    return count


def _line(exercise: sheet.Exercise, own: list[bank.Trial], margin: Any, cases_asked: int) -> str:
    parts = []
    for kind, words in (("right", "accepted"), ("wrong", "named"), ("missing", "told")):
        of_kind = [t for t in own if t.answer.kind == kind]
        parts.append(f"{sum(t.as_expected for t in of_kind)} of {len(of_kind)} {kind} {words}")
    turns = {t.answer.wrong_turn for t in own if t.answer.kind == "wrong"}
    parts.append(f"{len(turns)} wrong turns")
    parts.append(f"{cases_asked} cases" if cases_asked else "cases of its own")
    if margin is not None and margin.kinds:
        parts.append(f"right at most {margin.worst_right:.1g} of the bound, wrong at least "
                     f"{margin.nearest_wrong:.1g}")  # fmt: skip
    return f"{exercise.name}: {', '.join(parts)}"
