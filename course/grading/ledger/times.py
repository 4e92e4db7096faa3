"""When submissions were handed in, as far as a due date asks and nobody can be sure of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from course.files import listed, shown
from course.grading.ledger import records
from course.grading.ledger.records import Of
from course.grading.ledger.standing import Standing

SLACK = 60.0  # seconds: a copied folder has its files in any order, and some disks odd seconds only


def doubtful(
    root: Path, places: Sequence[Of], standings: dict[tuple[str, str], Standing]
) -> Iterator[str]:
    """Yield a line on submissions without a time, and one on those put in after theirs was written.

    Only sheets with a due date count: elsewhere nobody is late.

    Args:
        root: course folder.
        places: the submissions.
        standings: how they stand in the gradebook.
    """
    untimed, newer = [], []
    for of in places:
        now = standings.get((of.student, of.sheet))
        if now is None or now.due is None:
            continue
        said = f"{shown(of.student)} ({of.sheet})"
        if now.timestamp is None and records.stamp(root, of) is None:
            untimed.append(said)
        elif _is_newer(root / "submitted" / of.student / of.sheet, of.sheet):
            newer.append(said)
    if untimed:
        yield f"no timestamp.txt, and so never late: {listed(untimed)}"
    if newer:
        yield (f"the notebook is newer than its timestamp.txt, which tells the time that counts: "
               f"{listed(newer)}")  # fmt: skip


def _is_newer(folder: Path, sheet: str) -> bool:
    try:
        written = (folder / f"{sheet}.ipynb").stat().st_mtime
        return written > (folder / records.STAMP).stat().st_mtime + SLACK
    except OSError:
        return False
