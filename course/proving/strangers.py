"""Answers of readers who had nothing but a released sheet: are the wrong ones refused and named?

    python -m course.proving.strangers [SHEET[:EXERCISE,…]…]      → docs/strangers.md

They were written without a look at any check (`course/strangers/`), so they say what the bank,
written beside the checks, cannot. They were sorted into right and wrong by reading, not by running:
an accepted one is looked at before the check is.
"""

import sys
from collections.abc import Sequence
from typing import Any

from course.authoring import sheet
from course.errors import CourseError
from course.proving import bank, measured
from course.proving.measured import COURSE, Part
from course.proving.mutants import CATCH_ALL, OutOfTime, in_time

SEED = 1
RIGHT_SEEDS = range(SEED, SEED + 5)  # a right answer passes whatever the data
LONGEST = 60  # seconds for all of an exercise's answers on one data seed
HEAD = """# Answers of strangers

Made by `python -m course.proving.strangers`: answers written by readers who had one released sheet
and nothing else, never a check. «Named» counts the refused ones that are told a wrong turn or a
place, not only that the type, the shape or a number is wrong or an error came; whether the name
fits, only a reader can say. They sorted their answers by reading, without running them: some that
they call wrong are right, and the other way round. Right ones are asked on five data seeds, and
count as refused where one of them refuses.

The table shows what became of the last batch. As it came, at commit 53067a1 and before anything was
mended for it, 37 of its 1880 wrong answers passed, about a quarter of them for numbers in 32 bits;
89 % of those refused were told a name, and none of its 470 right ones was refused.

| sheet | exercise | wrong | accepted | named | right | refused |
|---|---|---|---|---|---|---|
"""


TO_LOOK_AT = "\n## To look at\n\n"


def load(name: str, notebook: Any) -> list[bank.Answer]:
    """Read the strangers' answers to a sheet, which tell no wrong turn."""
    exercises = [e.name for e in sheet.exercises(notebook)]
    return bank.read(COURSE / "strangers" / f"{name}.md", exercises, named=False)


def tried(part: Part) -> list[bank.Trial]:
    """Try the strangers' answers to a sheet, the right ones on several data seeds.

    A right one stands there once: as it was refused, where a seed refuses it.

    Raises:
        CourseError: an answer does not end.
    """
    notebook = sheet.load(COURSE / "sheets" / f"{part.sheet}.md")
    answers = [a for a in load(part.sheet, notebook) if part.holds(a.exercise)]
    right = [a for a in answers if a.kind == "right"]
    try:
        with in_time(LONGEST * len({a.exercise for a in answers}) * len(RIGHT_SEEDS)):
            found = [trial for _, trial in bank.trials(notebook, answers, [SEED])]
            again = [trial for _, trial in bank.trials(notebook, right, RIGHT_SEEDS[1:])]
    except OutOfTime:
        raise CourseError(f"{part.sheet}: an answer of a stranger does not end.") from None
    refused = {t.answer: t for t in reversed(again) if t.verdict.state != "passed"}
    return [refused.get(trial.answer, trial) for trial in found]


def rows(name: str, found: Sequence[bank.Trial]) -> list[str]:
    """Return a sheet's rows of the table."""
    lines = []
    for exercise in dict.fromkeys(t.answer.exercise for t in found):
        wrong, right = (
            [t for t in found if (t.answer.exercise, t.answer.kind) == (exercise, kind)]
            for kind in ("wrong", "right")
        )
        refused = [t for t in wrong if t.verdict.state != "passed"]
        named = sum(t.verdict.wrong_turn not in CATCH_ALL for t in refused)
        share = f" ({named / len(refused):.0%})" if refused else ""
        lines.append(
            f"| {name} | {exercise} | {len(wrong)} | {len(wrong) - len(refused)} | {named}{share} "
            f"| {len(right)} | {sum(t.verdict.state != 'passed' for t in right)} |"
        )
    return lines


def to_look_at(name: str, found: Sequence[bank.Trial]) -> list[str]:
    """Return a line for each wrong answer that passed, and each right one that did not."""
    return [
        f"- {name}, {t.answer.exercise}: {t.answer.title}, "
        + ("**accepted**" if t.verdict.state == "passed" else
           f"right, refused: {t.verdict.wrong_turn or t.verdict.state}")
        for t in found if (t.verdict.state == "passed") == (t.answer.kind == "wrong")
    ]  # fmt: skip


def main(words: Sequence[str]) -> int:
    """Try strangers' answers to sheets, all by default, and write docs/strangers.md."""
    for part in measured.parts(words):
        found = tried(part)
        new = [*rows(part.sheet, found), *to_look_at(part.sheet, found)]
        print("\n".join(new), flush=True)
        measured.rewrite(COURSE.parent / "docs" / "strangers.md", HEAD, part, new, TO_LOOK_AT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
