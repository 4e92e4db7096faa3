"""What is kept of a graded submission, in autograded/STUDENT/SHEET/: files, whole or not there."""

import gzip
import json
import shutil
from pathlib import Path

from course.files import write_whole
from course.grading import result as results
from course.grading.job import EarlierRun, Graded, Job
from course.grading.ledger.keys import Keys
from course.grading.result import Result

KEYS = ".graded-from"  # beside the result: hashes of everything it depends on
REPLIES = ".answers.gz"  # beside it too: what the answers replied, to judge them anew
LONGEST_STAMP = 1000  # bytes of a timestamp.txt


def folder(root: Path, of: Job | Result) -> Path:
    """Return where a submission's result is kept."""
    return root / "autograded" / of.student / of.sheet


def keys(root: Path, of: Job | Result) -> Keys | None:
    """Return the keys that the result at hand was made from, or None where there is no result."""
    place = folder(root, of)
    try:
        (place / "result.json").stat()
        run, judging = (place / KEYS).read_text().split()
    except (OSError, ValueError):
        return None
    return Keys(run, judging)


def result(root: Path, of: Job | Result) -> Result:
    """Return the result that is kept of a submission."""
    return results.load(folder(root, of) / "result.json")


def earlier_run(root: Path, job: Job, key: Keys) -> EarlierRun | None:
    """Return what an earlier run of the same code left, if only the judging has changed."""
    at_hand = keys(root, job)
    if at_hand is None or at_hand.run != key.run:
        return None
    place = folder(root, job)
    try:
        replies = json.loads(gzip.decompress((place / REPLIES).read_bytes()))
        notebook = (place / f"{job.sheet}.ipynb").read_text(encoding="utf-8")
        return EarlierRun(result(root, job), notebook, replies)
    except (OSError, ValueError, EOFError):
        return None


def begin(root: Path, graded: Graded) -> None:
    """Write what a graded submission left, all but its keys: without them it counts as ungraded."""
    of = graded.result
    place = folder(root, of)
    (place / KEYS).unlink(missing_ok=True)
    write_whole(place / f"{of.sheet}.ipynb", graded.notebook)
    stamp = root / "submitted" / of.student / of.sheet / "timestamp.txt"
    if stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < LONGEST_STAMP:
        shutil.copy(stamp, place)
    replies = json.dumps(graded.replies).encode()
    (place / REPLIES).write_bytes(gzip.compress(replies, 1, mtime=0))
    write_whole(place / "result.json", of.text())


def finish(root: Path, of: Result, key: Keys) -> None:
    """Write the keys of a result: from now on it counts as graded."""
    write_whole(folder(root, of) / KEYS, f"{key.run}\n{key.judging}\n")
