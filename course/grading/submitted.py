"""What was handed in: submitted/STUDENT/SHEET/ → a job for each, whatever lies there."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from course.errors import CourseError
from course.grading import assemble, seeds
from course.grading.cage.limits import Limits
from course.grading.job import Job


def sheets(root: Path, wanted: list[str]) -> list[str]:
    """Return the sheets to grade: those that source/ and release/ hold, or the wanted ones.

    Raises:
        CourseError: no source/, or an unknown sheet.
    """
    known = sorted(p.parent.name for p in root.glob("source/*/*.ipynb") if p.stem == p.parent.name)
    if not known:
        raise CourseError(f"{root} holds no source/SHEET/SHEET.ipynb; name a course with --root.")
    for name in wanted:
        if name not in known:
            raise CourseError(f"There is no sheet {name!r} in {root / 'source'}; there are "
                              f"{', '.join(known)}.")  # fmt: skip
    for name in wanted or known:
        if not (root / "release" / name / f"{name}.ipynb").exists():
            raise CourseError(f"{root / 'release' / name} holds no {name}.ipynb; build the sheet.")
    return wanted or known


def jobs(
    root: Path,
    names: list[str],
    students: list[str],
    caged: bool,
    say: Callable[[str], None],
    limits: Limits | None = None,
    warm: bool = True,
) -> list[Job]:
    """Return a job for every folder submitted/STUDENT/SHEET; what is none of these is named.

    Raises:
        CourseError: no submitted/, or a student who handed in nothing.
    """
    folder = root / "submitted"
    if not folder.is_dir():
        raise CourseError(
            f"{folder} does not exist; put submissions into submitted/STUDENT/SHEET/."
        )
    key = seeds.secret(root)
    present = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    for student in students:
        if student not in present:
            raise CourseError(f"There is no folder {folder / student}; check the student's name.")
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            say(f"{_shown(path, root)}: not a student's folder, left alone")
    texts = {
        name: [(root / part / name / f"{name}.ipynb").read_text(encoding="utf-8")
               for part in ("source", "release")]
        for name in names
    }  # fmt: skip
    found: list[Job] = []
    for student in students or present:
        for path in sorted((folder / student).iterdir()):
            if path.name not in names:
                if not (root / "source" / path.name).is_dir():
                    say(f"{_shown(path, root)}: not a sheet's folder, left alone")
                continue
            submission, why_none = _submission(path)
            source, release = texts[path.name]
            seed = seeds.data_seed(key, student, path.name)
            job = Job(student, path.name, submission, source, release, seed, caged, warm)
            found.append(replace(job, limits=limits or Limits(), why_none=why_none))
    return found


def _shown(path: Path, root: Path) -> str:
    """Return a path as text that can be printed and written, whatever bytes its names are."""
    return ascii(str(path.relative_to(root)))[1:-1]


def _submission(folder: Path) -> tuple[bytes | None, str]:
    path = folder / f"{folder.name}.ipynb"
    if folder.is_symlink() or folder.parent.is_symlink() or not folder.is_dir():
        return None, f"{folder.name} is a link or a file; hand in a folder with the notebook in it."
    if path.is_file() and not path.is_symlink():
        try:
            if path.stat().st_size > assemble.LARGEST:
                return None, f"{path.name} is larger than {assemble.LARGEST:,} bytes."
            return path.read_bytes(), ""
        except OSError as error:
            return None, f"{path.name} cannot be read ({error.strerror}); hand it in again."
    others = sorted(_shown(p, folder) for p in folder.glob("*.ipynb"))
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    found = f"; found {', '.join(others[:3])}{more}" if others else ""
    return None, f"There is no file {path.name} in the folder{found}; hand in the released name."
