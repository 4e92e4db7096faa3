"""What there is to grade, and why: submissions whose keys are not those of their results."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from course.files import listed
from course.grading.job import Job
from course.grading.ledger import records
from course.grading.ledger.keys import Keys

NEW, CHANGED, AGAIN = "new", "changed", "again"
MOST_REASONS = 3  # that are told of one submission


@dataclass(frozen=True)
class Planned:
    """A submission to be graded.

    Args:
        job: the submission, with what an earlier run of the same code left.
        what: whether it is new, changed, or asked for again.
        why: what has changed, in words; empty where that is not known.
    """

    job: Job
    what: str
    why: str = ""


def of(
    root: Path, work: list[Job], made_from: Mapping[tuple[str, str], Keys], force: bool
) -> list[Planned]:
    """Return what is new or changed, or all of it.

    Args:
        root: course folder.
        work: all submissions asked for.
        made_from: what each one's result would be made from now.
        force: grade also what did not change.
    """
    found: list[Planned] = []
    for job in work:
        before, now = records.keys(root, job), made_from[job.student, job.sheet]
        if job.unreadable and before is not None:
            continue  # what was read once counts until there is something else to read
        if before == now and not force:
            continue
        what = NEW if before is None else CHANGED if before != now else AGAIN
        again = job if force else replace(job, earlier=records.earlier_run(root, job, now))
        found.append(Planned(again, what, _why(before, now) if before else ""))
    return found


def say(planned: list[Planned], work: list[Job], tell: Callable[[str], None]) -> None:
    """Say how many are what: «58 to grade: 55 new, 3 changed (tests of 01-autodiff)»."""
    if planned:
        counts = Counter(one.what for one in planned)
        parts = [f"{counts[w]} {w}{_reasons(planned, w)}" for w in (NEW, CHANGED, AGAIN)
                 if counts[w]]  # fmt: skip
        tell(f"{len(planned)} to grade: {', '.join(parts)}")
    elif work:
        tell(f"nothing to do: {len(work)} of {len(work)} are graded already")


def _reasons(planned: list[Planned], what: str) -> str:
    """Return the reasons in brackets, the most frequent first, each with how many it has."""
    reasons = Counter(one.why for one in planned if one.what == what and one.why)
    if not reasons:
        return ""
    if len(reasons) == 1:
        return f" ({next(iter(reasons))})"
    return f" ({', '.join(f'{n} {why}' for why, n in reasons.most_common())})"


def _why(before: Keys, now: Keys) -> str:
    """Return what of all that a result depends on is not what it was."""
    if not before.parts:  # of an earlier version, which kept none
        return ""
    changed = [name for name, part in now.parts.items() if before.parts.get(name) != part]
    return listed(changed, MOST_REASONS)
