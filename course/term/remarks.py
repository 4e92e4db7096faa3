"""What a person should know of grades before they go out: what waits, what cannot be meant."""

from collections.abc import Sequence

from course.files import listed
from course.grading.ledger.ledger import Standings
from course.grading.ledger.standing import Mark

MOST_NAMES = 3


def read_again(mark: Mark) -> bool:
    """Return whether a person gave points before the answer was graded again."""
    return mark.waits and mark.manual is not None


def waiting(standings: Standings) -> str:
    """Return a line on the answers that wait for a person; nothing where none does.

    Args:
        standings: how the submissions stand, by student and sheet.
    """
    marks = [(s, m) for (s, _), one in sorted(standings.items()) for m in one.marks.values()]
    unread = [student for student, mark in marks if mark.open]
    again = [student for student, mark in marks if read_again(mark)]
    parts = []
    if unread:
        parts.append(f"{len(unread)} to read, of {_names(unread)}, without a final score till then")
    if again:
        parts.append(f"{len(again)} to read again, of {_names(again)}, with points that were given "
                     "before the answer was graded again, and count till then")  # fmt: skip
    if not parts:
        return ""
    return f"answers wait for a person (JupyterLab: Nbgrader, Formgrader): {'; '.join(parts)}"


def above(standings: Standings) -> str:
    """Return a line on points of a person that are more than there are; nothing where none is."""
    found = [
        f"{student}, {sheet}: {name} has {mark.manual:g} of {mark.most:g}"
        for (student, sheet), one in sorted(standings.items())
        for name, mark in one.marks.items()
        if mark.manual is not None and mark.manual > mark.most
    ]
    return (
        f"more points than there are, given by a person: {listed(found, MOST_NAMES)}"
        if found
        else ""
    )


def _names(students: Sequence[str]) -> str:
    return listed(sorted(set(students)), MOST_NAMES)
