"""Keys: hashes of all that a result depends on, so that only what changed is graded again."""

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import helpers
from course.authoring import sheet
from course.grading.job import Job
from course.notebooks import parse

GRADING = Path(__file__).parent.parent


@dataclass(frozen=True)
class Keys:
    """What a result was made from.

    Args:
        run: a hash of what the student's run depends on: all but tests and answer key.
        judging: a hash of what the verdict depends on beyond the run: tests and answer key.
    """

    run: str
    judging: str


def of(job: Job) -> Keys:
    """Return the keys of a job's result."""
    cells = parse(job.source).cells
    spine = [c.source for c in cells if not sheet.is_test(c)]
    tests = [c.source for c in cells if sheet.is_test(c)]
    parts = [job.student, job.sheet, spine, job.release, job.data_seed, job.caged,
             str(job.limits), job.why_none]  # fmt: skip
    run = hashlib.sha256(json.dumps(parts).encode())
    run.update(job.submission or b"")
    run.update(_code(judging=False))
    judging = hashlib.sha256(json.dumps(tests).encode() + _code(judging=True))
    return Keys(run.hexdigest(), judging.hexdigest())


@functools.cache
def _code(judging: bool) -> bytes:
    """Return a hash of the answer key and the judge, or of everything else that grades."""
    digest = hashlib.sha256()
    for folder in (Path(helpers.__file__).parent, GRADING):
        for path in sorted(folder.rglob("*.py")):
            inner = path.relative_to(folder)
            if (inner.parts[0] == "check" or path.name == "judge.py") == judging:
                digest.update(f"{inner}\n".encode() + path.read_bytes())
    return digest.digest()
