"""`course grade --dry-run`: whose grades would change, and how; nothing is written.

What was graded before and has changed is graded, by the same workers and in the same cages, and
compared with the result that is kept. What is new is only named: it has nothing to change.
"""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from course import stock_nbgrader
from course.errors import CourseError
from course.files import shown
from course.grading import canary, plan, seeds, submitted
from course.grading.grade import (
    by,
    configured_limits,
    named,
    refuse_without_cage,
    warn_of_old_sources,
)
from course.grading.job import Graded, Ungraded
from course.grading.ledger import cells, gradebook, keys, late, records, standing
from course.grading.ledger.records import Place
from course.grading.result import Result, TestResult


def dry_run(
    root: Path,
    names: list[str],
    students: list[str],
    workers: int | None,
    force: bool,
    no_cage: bool,
    say: Callable[[str], None],
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
    must_see: Callable[[str], None] | None = None,
    under_way: Callable[[str], None] = lambda name: None,
) -> None:
    """Say what :func:`course.grading.grade.grade_class` would change, with the same arguments.

    Raises:
        CourseError: what would stop the class.
    """
    must_see = must_see or say
    names = submitted.sheets(root, names)
    refuse_without_cage(root, no_cage)
    warn_of_old_sources(root, names, must_see)
    work = submitted.jobs(
        root, names, students, not no_cage, say, configured_limits(root), True, must_see,
        seeds.secret(root, make=False),
    )  # fmt: skip
    made_from = {(job.student, job.sheet): keys.of(job) for job in work}
    planned = plan.of(root, work, made_from, force)
    plan.say(planned, work, say)
    for one in planned:
        if one.what == plan.NEW:
            say(f"{shown(one.job.student)}, {one.job.sheet}: new")
    jobs = [one.job for one in planned if one.what != plan.NEW]
    birds = [b for b in canary.of(root, jobs)
             if not canary.has_passed(root, b, type(executor).__name__)]  # fmt: skip
    why = {(one.job.student, one.job.sheet): one.why for one in planned}
    unsure: dict[str, list[str]] = {bird.sheet: [] for bird in birds}  # lines that wait for it
    done = changed = 0
    run = [*birds, *jobs]
    with contextlib.closing(named(by(executor, workers, run), run, under_way)) as found:
        for graded in found:
            if graded.student == canary.NOBODY:
                if cause := canary.why_not(graded):
                    raise CourseError(f"{graded.sheet}: {cause}; nobody would be graded.")
                for line in unsure.pop(graded.sheet):
                    say(line)
                continue
            done += 1
            difference = _difference(root, graded)
            changed += bool(difference)
            because = why[graded.student, graded.sheet]
            said = f"{shown(graded.student)}, {graded.sheet}{f' ({because})' if because else ''}"
            line = f"{said}: {difference or 'nothing would change'}"
            if graded.sheet in unsure:
                unsure[graded.sheet].append(line)
            else:
                say(line)
            progress(done, len(jobs))
    in_line, penalties = _in_the_gradebook(root, names, {(j.student, j.sheet) for j in jobs})
    for line in (*in_line, *penalties):
        say(line)
    new, late_ones = len(planned) - len(jobs), ""
    if penalties:
        late_ones = f", late penalties of {len(penalties)} others too"
    say(f"dry run: {new} new, {changed} of {len(jobs)} graded anew would change{late_ones}; "
        "nothing was written")  # fmt: skip


def _difference(root: Path, graded: Graded | Ungraded) -> str:
    """Return in words how a submission's result would change; nothing where it would not."""
    if isinstance(graded, Ungraded):
        return f"could not be graded ({graded.why}), and would keep what it has"
    before = records.kept(root, Place(graded.student, graded.sheet))
    if before is None:
        return f"its result is damaged and would be made anew, {graded.result.score:g} points"
    parts = list(_tests(before, graded.result))
    if before.score != graded.result.score:
        parts.insert(0, f"points of tests {before.score:g} → {graded.result.score:g}")
    return "; ".join(parts)


def _tests(before: Result, after: Result) -> Iterator[str]:
    for name in sorted(before.tests.keys() | after.tests.keys()):
        old, new = before.tests.get(name), after.tests.get(name)
        if old is None or new is None:
            yield f"{name} is {'new' if old is None else 'gone'}"
        elif _said(old) != _said(new):
            yield f"{name} {_said(old)} → {_said(new)}"
        elif old.max_points != new.max_points:
            yield f"{name} worth {old.max_points:g} → {new.max_points:g}"


def _said(test: TestResult) -> str:
    return f"{test.state} ({test.wrong_turn})" if test.wrong_turn else test.state


def _in_the_gradebook(
    root: Path, names: list[str], anew: set[tuple[str, str]]
) -> tuple[list[str], list[str]]:
    """Return lines on what would change without any grading.

    Returns:
        The sheets whose cells the gradebook would follow, and what being late would cost or no
        longer cost of what is not graded anew; nothing where there is no gradebook yet.
    """
    config = stock_nbgrader.settings(root)
    path = stock_nbgrader.sqlite_file(str(config.CourseDirectory.db_url))
    if path is not None and not path.is_file():
        return [], []
    policy = late.Policy(root, config)
    with gradebook.reading(root) as book:
        in_line = [f"{name}: the gradebook would follow the sheet's cells"
                   for name in names if not cells.is_in_line(book, root, config, name)]  # fmt: skip
        penalties = []
        for (student, sheet), now in sorted(standing.read(book, names).items()):
            if (student, sheet) in anew:
                continue  # its points may change, and the penalty with them
            time = gradebook.handed_in(records.stamp(root, Place(student, sheet)))
            then = policy.penalty(replace(now, timestamp=time or now.timestamp))
            if then != now.penalty:
                penalties.append(late.changed(now, now.penalty, then))
    return in_line, penalties
