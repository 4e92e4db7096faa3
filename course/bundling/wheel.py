"""The package helpers as a wheel for desks: its data inside, its checks and demos packed.

The checks know the answers, and a desk runs them; a demo may compute what an exercise asks for. In
the wheel their text is packed, so that no line of a solution can be read by opening or searching
what a class gets; it is not locked, and nothing in grading counts on it (docs/decisions/0013).
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zlib
from pathlib import Path
from typing import Any

from course.errors import CourseError

NAME = "likelihood-course-helpers"
PACKED = ("check", "demos")  # what knows answers, or shows them
TEMPLATE = Path(__file__).parent / "template"
EPOCH = "1577836800"  # the time of every file in a wheel: the same content gives the same bytes


def project(root: Path) -> dict[str, Any]:
    """Return what pyproject.toml says of the project."""
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def build(root: Path, scratch: Path, to: Path) -> Path:
    """Build the wheel; its version ends in a hash of its content, so that a new one is installed.

    Args:
        root: the project's folder.
        scratch: an empty folder to work in.
        to: the folder that takes the wheel.

    Raises:
        CourseError: setuptools refuses.
    """
    package = scratch / "helpers"
    shutil.copytree(root / "helpers", package, ignore=shutil.ignore_patterns("__pycache__"))
    for part in PACKED:
        pack(package / part)
    about = project(root)
    version = f"{about['version']}+{_digest(package)}"
    data = [p for p in package.rglob("*") if p.is_file() and p.suffix != ".py"]
    named = sorted(p.relative_to(package).as_posix() for p in data)
    (scratch / "pyproject.toml").write_text(_settings(about, version, named), encoding="utf-8")
    for file in about.get("license-files", []):
        shutil.copy(root / file, scratch)
    to.mkdir(parents=True, exist_ok=True)
    words = "import sys, setuptools.build_meta as b; b.build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", words, str(to)], cwd=scratch, capture_output=True, text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
    )  # fmt: skip
    made = sorted(to.glob("*.whl"))
    if done.returncode or not made:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CourseError(f"The wheel of helpers cannot be built here: {last}")
    return made[0]


def pack(package: Path) -> None:
    """Put the text of all modules of a part of helpers into one file, and a loader beside it."""
    texts: dict[str, str] = {}
    for path in sorted(package.rglob("*.py")):
        parts = ["helpers", package.name, *path.relative_to(package).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        texts[name] = path.read_text(encoding="utf-8")
    shutil.rmtree(package)
    package.mkdir()
    packed = zlib.compress(json.dumps(texts, sort_keys=True).encode(), 9)
    (package / "modules.packed").write_bytes(base64.b64encode(packed))
    shutil.copyfile(TEMPLATE / "packed.py.txt", package / "__init__.py")


def _digest(package: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in package.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:10]


def _settings(about: dict[str, Any], version: str, data: list[str]) -> str:
    fields = {
        "name": NAME, "version": version, "requires-python": about["requires-python"],
        "description": "What the sheets of a course on likelihood import at a student's desk",
        "license": about["license"], "license-files": about.get("license-files", []),
        "dependencies": about["dependencies"],
        # No index takes it: «helpers» is a name for this course's own environment only.
        "classifiers": ["Private :: Do Not Upload"],
    }  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
    return "\n".join([
        "[build-system]", 'requires = ["setuptools>=75"]',
        'build-backend = "setuptools.build_meta"',
        "[project]", *lines,
        "[tool.setuptools.packages.find]", 'include = ["helpers*"]',
        "[tool.setuptools.package-data]",
        f"helpers = {json.dumps(data)}", "",
    ])  # fmt: skip
