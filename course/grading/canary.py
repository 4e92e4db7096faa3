"""Each sheet's own solution, graded before a class: what fails on the staff's side costs nobody.

A cage that cannot start, a package that is not there, a broken check: each would fail every honest
student. The solution goes the way of a submission, through the same workers and cages. Less than
full marks stops the class before anything is written. That it passed is kept in .course/, under a
key of all that it depends on.
"""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from pathlib import Path

from course.errors import CourseError
from course.files import STAFF, write_whole
from course.grading import seeds
from course.grading.cage import command
from course.grading.job import Graded, Job, Ungraded
from course.grading.ledger import keys
from course.grading.result import Result

NOBODY = ""  # whose submission it is: no folder has this name
MOST_HELD = 32  # results without one that passed, before the solutions are looked at again


def job(root: Path, like: Job) -> Job:
    """Return a sheet's own solution as a job.

    Args:
        root: course folder.
        like: any job of the sheet.
    """
    seed = seeds.data_seed(seeds.secret(root), NOBODY, like.sheet)
    return Job(
        NOBODY, like.sheet, like.source.encode(), like.source, like.release, seed,
        like.caged, like.warm, like.limits,
    )  # fmt: skip


def of(root: Path, work: Iterable[Job]) -> list[Job]:
    """Return the solutions of all sheets that some jobs belong to."""
    return [job(root, like) for like in {one.sheet: one for one in work}.values()]


def has_passed(root: Path, bird: Job, by: str) -> bool:
    """Return whether a solution has passed here before, all being as it is now.

    Args:
        root: course folder.
        bird: the solution.
        by: what grades, processes of this machine or another executor.
    """
    try:
        return _path(root, bird.sheet).read_text(encoding="utf-8") == _key(bird, by)
    except (OSError, ValueError):
        return False


def judge(root: Path, bird: Job, graded: "Graded | Ungraded", by: str) -> None:
    """Keep that a solution has passed.

    Raises:
        CourseError: it has not; with the cause.
    """
    why = why_not(graded)
    if why:
        raise CourseError(
            f"{bird.sheet}: {why}. That is no student's doing, so no submission of this sheet was "
            "recorded; «course doctor» looks at this machine, «course build» at the sheet."
        )
    write_whole(_path(root, bird.sheet), _key(bird, by))


def why_not(graded: "Graded | Ungraded") -> str:
    """Return why a solution has not passed; nothing where it has."""
    if isinstance(graded, Ungraded):
        return f"the sheet's own solution cannot be run here: {graded.why}"
    result = graded.result
    for name, test in result.tests.items():
        if test.state not in ("passed", "manual"):
            said = " ".join(test.message.removeprefix("✗ ").split())[:300].rstrip(".")
            return (
                f"the sheet's own solution gets {result.score:g} of {_automatic(result):g} points "
                f"here; {name}, {test.state}: {said}"
            )
    return ""


def _automatic(result: Result) -> float:
    return sum(t.max_points for t in result.tests.values() if t.state != "manual")


def trusted(
    found: Iterable["Graded | Ungraded"], root: Path, birds: list[Job], by: str
) -> Iterator["Graded | Ungraded"]:
    """Yield what is graded of a class, of each sheet once its own solution has passed.

    Args:
        found: what is graded, the solutions among it.
        root: course folder.
        birds: the solutions whose verdict is to be waited for.
        by: what grades.

    Raises:
        CourseError: a solution has not passed.
    """
    waiting = {bird.sheet: bird for bird in birds}
    held: list[Graded | Ungraded] = []
    for graded in found:
        if graded.student == NOBODY:
            judge(root, waiting.pop(graded.sheet), graded, by)
            free = [one for one in held if one.sheet not in waiting]
            held = [one for one in held if one.sheet in waiting]
            yield from free
        elif graded.sheet in waiting:
            held.append(graded)
        else:
            yield graded


def doubted(
    found: Iterable["Graded | Ungraded"], look_again: Callable[[set[str]], None]
) -> Iterator["Graded | Ungraded"]:
    """Yield what is graded; while nobody has passed anything, only after a second look.

    Args:
        found: what is graded.
        look_again: looks at the solutions of these sheets again, and raises where one fails.
    """
    held: list[Graded | Ungraded] = []
    sure = False
    for graded in found:
        held.append(graded)
        sure = sure or (isinstance(graded, Graded) and has("passed", graded.result))
        if not sure and len(held) >= MOST_HELD:
            sure = _looked(held, look_again)
        if sure:
            yield from held
            held = []
    _looked(held, look_again)
    yield from held


def _looked(held: "list[Graded | Ungraded]", look_again: Callable[[set[str]], None]) -> bool:
    ran = {
        g.sheet for g in held
        if isinstance(g, Graded) and not has("refused", g.result)
    }  # fmt: skip
    if ran:
        look_again(ran)
    return bool(ran)


def has(state: str, result: Result) -> bool:
    """Return whether some test of a result has a state."""
    return any(test.state == state for test in result.tests.values())


def _path(root: Path, sheet: str) -> Path:
    return root / STAFF / "canary" / sheet


def _key(bird: Job, by: str) -> str:
    """Return a hash of what decides on a solution's verdict, this machine and user included."""
    here = [platform.node(), platform.release(), sys.executable, sys.path, command.bubblewrap(),
            os.geteuid() if hasattr(os, "geteuid") else None, bird.warm, by]  # fmt: skip
    return hashlib.sha256(json.dumps([astuple(keys.of(bird)), here]).encode()).hexdigest()
