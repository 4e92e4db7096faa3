"""How often a student's answers to a sheet were judged today, where `course watch` limits that.

What counts is the answers, not the file: to hand in the same ones again costs nothing, nor does a
correction on the staff's side after which they are judged anew. The day is the staff's clock's.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from course.authoring import sheet
from course.files import STAFF, write_whole
from course.grading.ledger.records import Of
from course.notebooks import parse


@dataclass(frozen=True)
class Attempts:
    """What was judged of one student's sheet.

    Args:
        day: the last day on which something new was judged.
        judged: digests of the answers that were new on that day, in the order they came.
        most: how many a day may have.
        waits: whether something was handed in since that waits for another day.
    """

    day: str
    judged: tuple[str, ...]
    most: int
    waits: bool = False


def digest(content: bytes | None) -> str:
    """Return a hash of what a submission's cells say, or of the bytes where they are no notebook.

    Outputs, numbers of executions and metadata change with every run; none of them is judged.
    """
    try:
        said = [
            (cell.cell_type, sheet.grade_id(cell), cell.source)
            for cell in parse((content or b"").decode("utf-8")).cells
        ]
    except Exception:  # nbformat raises many kinds
        return hashlib.sha256(content or b"").hexdigest()
    return hashlib.sha256(json.dumps(said).encode("utf-8", "surrogatepass")).hexdigest()


def left(root: Path, of: Of, answers: str, today: date, most: int) -> bool:
    """Return whether answers may be judged today.

    Args:
        root: course folder.
        of: the submission.
        answers: their digest.
        today: the day.
        most: how many a day may have.
    """
    kept = _kept(root, of)
    if kept is None or answers in kept.judged:
        return True
    return kept.day != today.isoformat() or len(kept.judged) < most


def count(root: Path, of: Of, answers: str, today: date, most: int) -> None:
    """Keep that answers are judged today; the same ones again count once."""
    kept, day = _kept(root, of), today.isoformat()
    judged = kept.judged if kept is not None else ()
    if answers not in judged:
        judged = (*(judged if kept is not None and kept.day == day else ()), answers)
    elif kept is not None:
        day = kept.day
    _keep(root, of, Attempts(day, judged, most))


def wait(root: Path, of: Of, most: int) -> None:
    """Keep that something was handed in that is not judged on this day any more."""
    kept = _kept(root, of)
    if kept is not None:
        _keep(root, of, Attempts(kept.day, kept.judged, most, True))


def sentence(root: Path, of: Of) -> str:
    """Return what a student is told of the limit; nothing where no attempts are counted."""
    kept = _kept(root, of)
    if kept is None:
        return ""
    said = f"Attempt {len(kept.judged)} of {kept.most} on {kept.day}."
    return said + " What you handed in since is judged on a later day." * kept.waits


def _kept(root: Path, of: Of) -> Attempts | None:
    try:
        kept = json.loads(_path(root, of).read_text(encoding="utf-8"))
        judged = tuple(str(one) for one in kept["judged"])
        return Attempts(str(kept["day"]), judged, int(kept["most"]), bool(kept["waits"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _keep(root: Path, of: Of, now: Attempts) -> None:
    if now != _kept(root, of):
        write_whole(_path(root, of), json.dumps(asdict(now), indent=1) + "\n")


def _path(root: Path, of: Of) -> Path:
    return root / STAFF / "attempts" / of.student / f"{of.sheet}.json"
