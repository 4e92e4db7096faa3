"""`course bundle --out DIR`: the folder that a class gets, made whole or not at all.

release/, the wheel of helpers, the packages it needs in the versions that were tested, a page to
begin, and files for make, conda, a container and Binder. A second bundle in the same place takes
away what it no longer holds, and nothing that is not its own: a desk in it stays.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course import stock_nbgrader
from course.authoring import build, stamps
from course.bundling import leaks, wheel
from course.errors import CourseError
from course.files import write_whole

LIST = "bundle.json"  # what a bundle consists of, so that the next one can take its place
TEMPLATE = wheel.TEMPLATE
CONDA_NAMES = {"torch": "pytorch"}
RUNS = ("binder/postBuild", "binder/start")  # programs
STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
padding: 0 1rem; color: #222; background: #fff } code { background: #f3f3f3; padding: 0 .2rem }
code { overflow-wrap: anywhere }
table { border-collapse: collapse; display: block; overflow-x: auto }
td, th { padding: .3rem .6rem; text-align: left; vertical-align: top;
border-bottom: 1px solid #ccc }
@media (prefers-color-scheme: dark) {
body { color: #ddd; background: #1b1b1b } code { background: #333 } }"""


def bundle(
    root: Path,
    out: Path,
    say: Callable[[str], None],
    must_see: Callable[[str], None],
    now: datetime | None = None,
    only: Sequence[str] = (),
    course: Path | None = None,
) -> None:
    """Make what a class gets.

    Args:
        root: the project's folder.
        out: the folder to make, or a bundle to renew.
        say: takes a line on what is in it.
        must_see: is told of sheets whose text is newer than what was built from it.
        now: the time that release dates are compared with; by default the present.
        only: names of the sheets that the class gets, now or from their dates on; all where empty.
        course: the folder of the class's own course, whose release dates count as the project's do.

    Raises:
        CourseError: there is no such sheet, the folder holds something else, a release date is
            none, a sheet is not built, or something in the bundle would give an answer away.
    """
    old, before = _own_files(out)
    every = build.names(root)
    if unknown := sorted(set(only) - set(every)):
        raise CourseError(f"There is no sheet {unknown[0]!r}; there are {', '.join(every)}.")
    names, coming = list(every), dict[str, str]()
    for place in dict.fromkeys([root, course or root]):
        out_now, later = released(place, every, now or datetime.now())
        names = [name for name in names if name in out_now]
        coming |= {name: max(date, coming.get(name, date)) for name, date in later.items()}
    coming = dict(sorted(coming.items()))
    if only:
        names = [name for name in names if name in only]
        coming = {name: date for name, date in coming.items() if name in only}
    for name in names:
        if stamps.is_older_than_text(root, name):
            must_see(f"the text of {name} is newer than release/: course build {name}")
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "bundle"
        for name in names:
            path = root / "release" / name / f"{name}.ipynb"
            if not path.exists():
                raise CourseError(f"{path} does not exist; run «course build {name}» first.")
            (made / "release" / name).mkdir(parents=True)
            shutil.copyfile(path, made / "release" / name / path.name)
        (Path(scratch) / "wheel").mkdir()
        own = wheel.build(root, Path(scratch) / "wheel", made / "wheels")
        _write_the_rest(root, made, own.name, names, coming)
        leaks.hold(root, made, names)
        files = sorted(p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file())
        listed: dict[str, Any] = {
            "course": wheel.project(root)["name"], "files": [*files, LIST], "coming": coming,
            "sheets": {n: _digest(made / "release" / n / f"{n}.ipynb") for n in names},
        }  # fmt: skip
        for file in files:
            write_whole(out / file, (made / file).read_bytes())
            (out / file).chmod(0o755 if file in RUNS else 0o644)
        write_whole(out / LIST, json.dumps(listed, indent=1, ensure_ascii=False) + "\n")
    for file in sorted(set(old) - {*files, LIST}):
        (out / file).unlink(missing_ok=True)
        for folder in (out / file).parents:
            if folder == out or any(folder.iterdir()):
                break
            folder.rmdir()
    say(f"{out}: {len(names)} sheets ({', '.join(names)}), helpers as {own.name}, begin with "
        "START.html")  # fmt: skip
    for name, is_now in listed["sheets"].items():
        if old and before.get(name) != is_now:
            say(f"{name}: {'corrected' if name in before else 'new'} since the bundle before")
    for name in sorted(before.keys() - listed["sheets"].keys()):
        say(f"{name}: was in the bundle before, and is left out now")
    for name, date in coming.items():
        say(f"{name}: not before {date}")


def released(root: Path, names: list[str], now: datetime) -> tuple[list[str], dict[str, str]]:
    """Return the sheets whose release date has come, or which have none, and the dates of others.

    The dates stand in nbgrader_config.py, in this machine's time:
    ``c.CourseSheets.release_dates = {"03-sgd": "2026-11-16 08:00"}``.

    Raises:
        CourseError: a date is none, or is of a sheet that there is not.
    """
    given = stock_nbgrader.settings(root).get("CourseSheets", {}).get("release_dates", {})
    here = f"{root / 'nbgrader_config.py'}: CourseSheets.release_dates"
    if not isinstance(given, dict):
        raise CourseError(f'{here} is {given!r}; write {{"03-sgd": "2026-11-16 08:00"}}.')
    coming: dict[str, str] = {}
    for name, date in given.items():
        if name not in names:
            raise CourseError(f"{here} names {name!r}; there are {', '.join(names)}.")
        try:
            day = datetime.fromisoformat(str(date))
        except ValueError:
            raise CourseError(
                f"{here}: {date!r} of {name} is no date; write it as 2026-11-16 08:00."
            ) from None
        if day > (now.astimezone() if day.tzinfo else now):
            coming[name] = str(date)
    return [name for name in names if name not in coming], dict(sorted(coming.items()))


def requirements(root: Path) -> list[str]:
    """Return what a desk needs, all that its packages need included, in the locked versions."""
    lock: dict[str, str] = {
        canonicalize_name(re.split("[= ;]", line)[0]): line
        for line in (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    needed: set[tuple[str, str]] = set()  # with an extra that was asked for, or none
    waiting = [Requirement(r) for r in wheel.project(root)["dependencies"]]
    while waiting:
        one = waiting.pop()
        for extra in {"", *one.extras}:
            if (asked := (canonicalize_name(one.name), extra)) not in needed:
                needed.add(asked)
                waiting += _needs(*asked)
    return [lock[name] for name in sorted({name for name, _ in needed}) if name in lock]


def _needs(name: str, extra: str) -> list[Requirement]:
    """Return what a package that is installed here needs, with one of its extras or without."""
    try:
        found = [Requirement(text) for text in metadata.requires(name) or []]
    except metadata.PackageNotFoundError:
        return []
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]


def _write_the_rest(
    root: Path, made: Path, own: str, names: list[str], coming: dict[str, str]
) -> None:
    """Write all but sheets and wheel."""
    for path in sorted(p for p in TEMPLATE.rglob("*") if p.is_file() and p.suffix != ".txt"):
        write_whole(made / path.relative_to(TEMPLATE), path.read_bytes())
    for file in ("requirements.txt", "runtime.txt"):
        write_whole(made / "binder" / file, (TEMPLATE / "binder" / file).read_bytes())
    for file in wheel.project(root).get("license-files", []):
        shutil.copyfile(root / file, made / file)
    about = wheel.project(root)
    head = "# What a desk needs, in the versions that the sheets were tested with.\n"
    lines = [*requirements(root), f"./wheels/{own}"]
    write_whole(made / "requirements.txt", head + "\n".join(lines) + "\n")
    conda = [_of_conda(Requirement(r)) for r in about["dependencies"]]
    write_whole(
        made / "environment.yml",
        "name: likelihood-course-desk\nchannels:\n  - conda-forge\ndependencies:\n"
        f"  - python {about['requires-python']}\n  - pip\n"
        + "".join(f"  - {one}\n" for one in conda)
        + f"  - pip:\n      - ./wheels/{own}\n",
    )
    listed = [f"- `release/{name}/`: {_title(made, name)}" for name in names]
    listed += [f"- {name}: comes on {date}" for name, date in coming.items()]
    page = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    page = page.replace("{{sheets}}", "\n".join(listed))
    write_whole(made / "README.md", page)
    body = MarkdownIt().enable("table").render(page)
    write_whole(
        made / "START.html",
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><title>Begin here</title>'
        f"<style>{STYLE}</style></head><body>\n{body}</body></html>\n",
    )


def _of_conda(one: Requirement) -> str:
    version = str(one.specifier).replace("==", "=")
    return f"{CONDA_NAMES.get(one.name, one.name)} {version}".strip()


def _title(made: Path, name: str) -> str:
    text = (made / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and source.startswith("# "):
            return source.splitlines()[0].removeprefix("# ")
    return name


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _own_files(out: Path) -> tuple[list[str], dict[str, str]]:
    """Return the files of the bundle that is there, and hashes of its sheets.

    Raises:
        CourseError: the folder holds something else.
    """
    if not out.exists() or not any(out.iterdir()):
        return [], {}
    try:
        listed = json.loads((out / LIST).read_text(encoding="utf-8"))
        files, sheets = [str(f) for f in listed["files"]], dict(listed["sheets"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CourseError(
            f"{out} is not empty and no bundle; choose a new folder, or the one of an earlier "
            "bundle, which is then renewed."
        ) from None
    inside = [f for f in files if ".." not in Path(f).parts and not Path(f).is_absolute()]
    return inside, sheets
