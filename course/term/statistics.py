"""What a class's points say of each question: how hard it is, and whether it tells students apart.

For a question with points x and the points y of the same student on the sheet's other questions:

- difficulty = 1 − mean(x) / most: the share of the points that the class did not get;
- discrimination = the correlation of x and y over the submissions (corrected item-total
  correlation), with a 95 % interval by Fisher's z.

Points are the gradebook's, so that what a person gave counts. A submission that could not be read
as a notebook is left out. A written question counts once all of its answers have been read.

Source: Crocker and Algina, Introduction to Classical and Modern Test Theory, chapter 14.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course.grading.ledger.ledger import Standings
from course.grading.ledger.standing import Mark, Standing
from course.grading.result import Result

FEWEST = 5  # submissions from which a correlation is shown


@dataclass(frozen=True)
class Question:
    """What a class made of one question.

    Args:
        sheet: the sheet.
        test: grade_id of the test, or of the written answer.
        most: what it is worth.
        counted: submissions that count.
        states: how many ended in which state.
        turns: how many were told which wrong turn, of those that failed; most frequent first.
        difficulty: between 0, everybody has all points, and 1; None while answers wait.
        discrimination: between −1 and 1; None where it cannot be told.
        interval: of the discrimination.
        waiting: written answers that no person has read.
        again: answers that a person should look at once more.
        read: written answers that a person gave points to.
        mean: points on average; None where nobody has any yet.
    """

    sheet: str
    test: str
    most: float
    counted: int
    states: Mapping[str, int]
    turns: Sequence[tuple[str, int]]
    difficulty: float | None
    discrimination: float | None
    interval: tuple[float, float] | None
    waiting: int
    again: int
    read: int
    mean: float | None

    @property
    def written(self) -> bool:
        """Return whether a person reads it."""
        return bool(self.states.get("manual", 0))

    @property
    def passed(self) -> float:
        """Return the share that passed."""
        return self.states.get("passed", 0) / self.counted if self.counted else 0.0


def counts(result: Result) -> bool:
    """Return whether a submission could be read as a notebook."""
    return any(t.state != "refused" for t in result.tests.values())


def questions(results: Iterable[Result], standings: Standings) -> list[Question]:
    """Return each question of each sheet, in the order of sheets and names."""
    by_sheet: dict[str, list[Result]] = {}
    for result in results:
        if counts(result):
            by_sheet.setdefault(result.sheet, []).append(result)
    return [
        question
        for sheet, found in sorted(by_sheet.items())
        for question in _of_sheet(sheet, found, standings)
    ]


def _of_sheet(sheet: str, found: Sequence[Result], standings: Standings) -> list[Question]:
    names = sorted({test for result in found for test in result.tests})
    marks = [[_mark(result, test, standings) for test in names] for result in found]
    points = np.array(
        [[math.nan if m is None or m.open else m.points for m in row] for row in marks]
    ).reshape(len(found), len(names))
    known = ~np.isnan(points).any(axis=0)
    made = []
    for place, test in enumerate(names):
        column = [row[place] for row in marks]
        present = [m for m in column if m is not None]
        tests = [result.tests[test] for result in found if test in result.tests]
        most = max((m.most for m in present), default=0.0)
        others = known.copy()
        others[place] = False
        correlation = (
            discrimination(points[:, place], points[:, others].sum(axis=1))
            if known[place] and others.any() else None
        )  # fmt: skip
        given = [m.points for m in present if not m.open]
        told = Counter(t.wrong_turn for t in tests if t.state == "failed")
        made.append(Question(
            sheet, test, most, len(tests), Counter(t.state for t in tests),
            sorted(((n, c) for n, c in told.items()), key=lambda one: (-one[1], one[0])),
            difficulty(points[:, place], most) if known[place] else None,
            correlation, interval(correlation, len(found)),
            sum(m.open for m in present), sum(m.waits and not m.open for m in present),
            sum(m.manual is not None for m in present),
            sum(given) / len(given) if given else None,
        ))  # fmt: skip
    return made


def _mark(result: Result, test: str, standings: Standings) -> Mark | None:
    """Return what a question got, by the gradebook; where that does not know it, by the result."""
    standing = standings.get((result.student, result.sheet))
    if standing is not None and test in standing.marks:
        return standing.marks[test]
    if test not in result.tests:
        return None
    own = result.tests[test]
    manual = own.state == "manual"
    return Mark(None if manual else own.points, None, None, manual, own.max_points)


def difficulty(points: np.ndarray, most: float) -> float | None:
    """Return the share of the points that was not got."""
    return None if not most or not len(points) else 1 - float(points.mean()) / most


def discrimination(points: np.ndarray, others: np.ndarray) -> float | None:
    """Return the correlation of a question's points with those of the other questions.

    Args:
        points: of the question, a number a submission.
        others: the sum over the other questions, a number a submission.

    Returns:
        None for fewer than five submissions, and where either is the same for all.
    """
    if len(points) < FEWEST or np.ptp(points) < 1e-9 or np.ptp(others) < 1e-9:
        return None
    return float(np.corrcoef(points, others)[0, 1])


def interval(correlation: float | None, n: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a correlation of n pairs, by Fisher's z."""
    if correlation is None or n < 4 or abs(correlation) > 1 - 1e-12:
        return None
    z, half = math.atanh(correlation), 1.959964 / math.sqrt(n - 3)
    return math.tanh(z - half), math.tanh(z + half)


def share(standing: Standing) -> float | None:
    """Return the share of a submission's points that it has, answers that wait left out.

    Returns:
        None where all of them wait.
    """
    most = sum(mark.most for mark in standing.marks.values() if not mark.open)
    return standing.score / most if most else None


@dataclass(frozen=True)
class Stuck:
    """A student who got little of the latest sheet.

    Args:
        student: the id.
        passed: exercises that passed.
        of: exercises of the sheet.
        missing: of those, not solved.
        before: share of the points on the sheets before; None where there were none.
        handed_in: whether there is a submission that can be read.
    """

    student: str
    passed: int
    of: int
    missing: int
    before: float | None
    handed_in: bool


def stuck(
    results: Sequence[Result], standings: Standings, students: Iterable[str]
) -> tuple[str, list[Stuck]]:
    """Return the latest sheet, and who passed fewer than half of its exercises.

    Args:
        results: the submissions.
        standings: how they stand.
        students: all of the course; one who handed in nothing is among the stuck.
    """
    latest = max((r.sheet for r in results), default="")
    own: dict[str, list[float]] = {}
    for (who, name), standing in sorted(standings.items()):
        if name < latest and (part := share(standing)) is not None:
            own.setdefault(who, []).append(part)
    there = {r.student: r for r in results if r.sheet == latest}
    exercises = {
        name for r in there.values() for name, t in r.tests.items()
        if t.state in ("passed", "failed")
    }  # fmt: skip
    found = []
    for student in sorted({*students, *there}):
        result = there.get(student)
        readable = result is not None and counts(result)
        states = Counter(
            t.state for name, t in result.tests.items() if name in exercises
        ) if result is not None and readable else Counter()  # fmt: skip
        earlier = own.get(student, [])
        before = sum(earlier) / len(earlier) if earlier else None
        if 2 * states["passed"] < len(exercises):
            found.append(Stuck(
                student, states["passed"], len(exercises), states["missing"], before, readable
            ))  # fmt: skip
    return latest, sorted(found, key=lambda s: (s.passed, s.student))
