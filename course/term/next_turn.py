"""`course turn`: the next wrong turn, begun in the answers bank with the class's own code."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from course.authoring import sheet as sheets
from course.errors import CourseError
from course.files import write_whole
from course.grading.ledger import records
from course.notebooks import parse
from course.term import answers, behaviour
from course.term.answers import Written
from course.term.behaviour import Group
from course.term.collecting import roster


def mark(group: Group, written: Written) -> str:
    """Return the word by which a group is known: of its exercise and its first answer."""
    own = answers.plain(written.code.get(group.test, ""))
    text = f"{group.sheet}\n{group.test}\n{group.by}\n{own or group.students[0]}"
    return "g" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:5]


def begin(
    project: Path,
    root: Path,
    sheet: str,
    group: str,
    name: str,
    say: Callable[[str], None],
    must_see: Callable[[str], None],
) -> None:
    """Put an answer of a group into the answers bank, as a wrong one that waits for its name.

    Args:
        project: where the answers bank is.
        root: course folder, graded.
        sheet: the sheet's name.
        group: the group's word, as the report shows it.
        name: what the wrong turn is to be called.
        say: takes the line on what to do next.
        must_see: takes what a person has to look at.

    Raises:
        CourseError: no such group, no bank, or a name that is none.
    """
    name = " ".join(name.split())
    if not name or "→" in name or len(name) > 60:
        raise CourseError(f"{name!r} is no name of a wrong turn; write up to four words.")
    bank = project / "course" / "answers" / f"{sheet}.md"
    if not bank.is_file():
        raise CourseError(f"{bank} does not exist; a sheet's answers bank lies there.")
    results = records.graded(root, [sheet], must_see)
    of = {result.student: answers.of(root, result) for result in results}
    found = behaviour.groups(root, results, must_see)
    by_mark = {mark(one, of[one.students[0]]): one for one in found}
    if group not in by_mark:
        known = ", ".join(sorted(by_mark)[:8]) or "none"
        raise CourseError(f"{sheet} has no group {group!r}; there are {known}.")
    one = by_mark[group]
    source = parse((root / "source" / sheet / f"{sheet}.ipynb").read_text(encoding="utf-8"))
    exercise = next(e.name for e in sheets.exercises(source) if e.test == one.test)
    students = {s.id: s for s in roster.students(root)}
    texts = [
        answers.unnamed(of[s].code.get(one.test, ""), students.get(s), s) for s in one.students
    ]
    ((code, _), *_) = answers.typical(texts, 1) or [("", 0)]
    if not code or "```" in code:
        raise CourseError(f"{group}: the answer's text cannot stand in the bank; look at it there.")
    n = len(one.students)
    title = f"### wrong: group {group}, as {n} of a class wrote it → {name}"
    text = bank.read_text(encoding="utf-8")
    if f"group {group}," in text:
        raise CourseError(f"{bank} holds group {group} already; go on from there.")
    write_whole(bank, with_answer(text, exercise, f"{title}\n\n```python\n{code}\n```\n"))
    say(
        f"{bank}: an answer to {exercise} waits for «{name}». Next: read it, give it a title of "
        f"its own, declare the turn in helpers/check/{sheet.partition('-')[2]}/, and let the bank "
        "try it (tests/proving/test_bank.py)."
    )


def with_answer(bank: str, exercise: str, answer: str) -> str:
    """Return a bank with one more answer, the last of its exercise; a section is made if need be.

    Args:
        bank: text of the bank.
        exercise: name of the answer cell.
        answer: heading and code.
    """
    lines = bank.rstrip("\n").split("\n")
    inside = fenced = False
    at = len(lines)
    for number, line in enumerate(lines):
        fenced ^= line.startswith("```")
        if fenced or not line.startswith("## "):
            continue
        if inside:
            at = number
            break
        inside = line[3:].strip() == exercise
    head = [] if inside else ["", f"## {exercise}"]
    before = "\n".join([*lines[:at], *head]).rstrip("\n")
    after = "\n".join(lines[at:])
    return f"{before}\n\n{answer}" + (f"\n{after}\n" if after else "")
