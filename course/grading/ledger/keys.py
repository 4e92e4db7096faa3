"""Keys: hashes of all that a result depends on, so that only what changed is graded again.

All code of the project counts but what is known not to decide: a file that is forgotten here costs
a run, never a grade. Files are named from their package, so that a moved folder changes nothing.
"""

import functools
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from course.authoring import sheet
from course.grading.job import Job
from course.installed import package
from course.notebooks import parse

PACKAGES = {name: package(name) for name in ("course", "helpers")}

# What decides no grade: before a submission is there, after its result is, or beside the two.
ELSEWHERE = (
    "course/log.py", "course/bundling/", "course/authoring/new.py", "course/authoring/stamps.py",
    "course/grading/plan.py", "course/grading/dry_run.py",
    "course/cli.py", "course/doctor.py", "course/progress.py", "course/files.py",
    "course/stock_nbgrader.py",
    "course/sheets/", "course/answers/", "course/proving/", "course/term/",
    "course/authoring/build.py", "course/authoring/execute.py", "course/authoring/pictures.py",
    "course/authoring/rules.py",
    "course/grading/grade.py", "course/grading/stream.py", "course/grading/submitted.py",
    "course/grading/canary.py",
    "course/grading/ledger/",
    "helpers/desk.py", "helpers/jupyter/",
)  # fmt: skip

# What decides on answers that are there already: they are judged anew without running any code.
JUDGING = ("course/grading/judge.py", "course/verdict.py", "helpers/check/")

# What a student's code, the wall and the judge stand on, besides Python itself.
LIBRARIES = (
    "cloudpickle", "ipykernel", "ipython", "ipywidgets", "jupyter_client", "matplotlib", "nbformat",
    "numpy", "pandas", "pyzmq", "safetensors", "scipy", "seaborn", "torch", "traitlets",
)  # fmt: skip


@dataclass(frozen=True)
class Keys:
    """What a result was made from.

    Args:
        run: a hash of what the student's run depends on: all but tests, points and answer key.
        judging: a hash of what the verdict depends on beyond the run: tests, points, answer key.
        parts: what the two are made of, by the words for it, so that a person can be told why a
            submission is graded again.
    """

    run: str
    judging: str
    parts: Mapping[str, str] = field(default_factory=dict, compare=False)


def of(job: Job) -> Keys:
    """Return the keys of a job's result."""
    spine, tests = _of_sheet(job.source)
    handed_in = [job.why_none, _digest(job.submission or b""), job.submission is None]
    of_run = {
        "handed in again": _short(handed_in),
        f"text of {job.sheet}": _short([spine, _digest(job.release.encode())]),
        "secret": _short(job.data_seed),
        "cage": str(job.caged),
        "limits": _short(str(job.limits)),
        "code that runs answers": _short(_code().run),
        **versions(),
    }
    of_judging = {f"tests of {job.sheet}": _short(tests), "checks": _short(_code().judging)}
    run = _digest(_json([job.student, job.sheet, of_run]))
    return Keys(run, _digest(_json(of_judging)), of_run | of_judging)


@functools.lru_cache(maxsize=64)
def _of_sheet(source: str) -> tuple[str, str]:
    """Return hashes of a source without its tests, and of its tests and what they are worth."""
    spine: list[Any] = []
    tests: list[Any] = []
    for cell in parse(source).cells:
        flags = sheet.flags(cell)
        points = flags.pop("points", None)
        flags.pop("checksum", None)  # nbgrader's, of text and points, which are taken themselves
        is_test = sheet.is_test(cell)
        spine.append([cell.cell_type, flags, None if is_test else cell.source])
        tests.append([cell.source if is_test else None, points])
    return _digest(_json(spine)), _digest(_json(tests))


def code(packages: dict[str, Path]) -> Keys:
    """Return hashes of the code that runs a submission, and of the code that judges it.

    Args:
        packages: the folders of the project's packages by name.
    """
    hashes: dict[bool, Any] = {False: hashlib.sha256(), True: hashlib.sha256()}
    for name, path in deciding(packages).items():
        content = _digest(path.read_bytes())
        hashes[name.startswith(JUDGING)].update(f"{name} {content}\n".encode())
    return Keys(hashes[False].hexdigest(), hashes[True].hexdigest())


def deciding(packages: dict[str, Path]) -> dict[str, Path]:
    """Return the files that decide on a result, by their names from their packages.

    All code, and of helpers the data too: answers are judged on what stands in them.
    """
    found = {
        f"{package}/{path.relative_to(folder).as_posix()}": path
        for package, folder in packages.items()
        for path in folder.rglob("*")
        if path.suffix == ".py" or (package == "helpers" and path.is_file())
        if path.suffix != ".pyc"
    }
    return {name: found[name] for name in sorted(found) if not name.startswith(ELSEWHERE)}


@functools.cache
def _code() -> Keys:
    return code(PACKAGES)


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that decide on a result."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _short(parts: object) -> str:
    return _digest(_json(parts))[:32]


def _json(parts: object) -> bytes:
    return json.dumps(parts, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
