"""What was handed in: submitted/STUDENT/SHEET/ → a job for each, whatever lies there."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from course.errors import CourseError
from course.files import listed, shown
from course.grading import assemble, seeds
from course.grading.cage.limits import Limits
from course.grading.job import Job
from course.notebooks import parse


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
    must_see: Callable[[str], None] | None = None,
    key: bytes | None = None,
) -> list[Job]:
    """Return a job for every folder submitted/STUDENT/SHEET; what is none of these is named.

    Args:
        root: course folder.
        names: sheets.
        students: students; all where empty.
        caged: whether the jobs run in a cage.
        say: takes lines that a person may read.
        limits: what a submission may use.
        warm: whether kernels are forked from a warm server.
        must_see: takes lines that a person has to read; by default as ``say``.
        key: what the data seeds are drawn from; by default the course's secret.

    Raises:
        CourseError: no submitted/, or a student who handed in nothing.
    """
    must_see = must_see or say
    folder = root / "submitted"
    if not folder.is_dir():
        raise CourseError(
            f"{folder} does not exist; put submissions into submitted/STUDENT/SHEET/."
        )
    of_sheets = {name: texts(root, name) for name in names}
    key = key or seeds.secret(root)
    present: list[str] = []
    for path in _listed(folder):
        if path.name.startswith("."):
            continue
        if not path.is_dir():
            say(f"{_shown(path, root)}: not a student's folder, left alone")
        elif not _is_text(path.name):
            must_see(f"{_shown(path, root)}: the name is not UTF-8 text, so no gradebook can hold "
                     "it; rename the folder")  # fmt: skip
        else:
            present.append(path.name)
    for student in students:
        if student not in present:
            raise CourseError(f"There is no folder {folder / student}; check the student's name.")
    found: list[Job] = []
    for student in students or present:
        try:
            inside = _listed(folder / student)
        except CourseError as error:
            must_see(str(error))
            continue
        for path in inside:
            if path.name not in names:
                _name_stray(path, root, say, must_see)
                continue
            submission, why_none, unreadable = _submission(path)
            if unreadable:
                must_see(f"{_shown(path, root)}: {why_none}")
            source, release = of_sheets[path.name]
            seed = seeds.data_seed(key, student, path.name)
            job = Job(student, path.name, submission, source, release, seed, caged, warm)
            job = replace(job, limits=limits or Limits(), why_none=why_none, unreadable=unreadable)
            found.append(job)
    return found


def texts(root: Path, name: str) -> tuple[str, str]:
    """Return the texts of a sheet's notebooks in source/ and release/.

    Raises:
        CourseError: one of them cannot be read, or is no notebook.
    """
    return _sheet(root, "source", name), _sheet(root, "release", name)


def _sheet(root: Path, part: str, name: str) -> str:
    """Return the text of a sheet's notebook in source/ or release/."""
    path = root / part / name / f"{name}.ipynb"
    try:
        text = path.read_text(encoding="utf-8")
        parse(text)
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}).") from None
    except Exception as error:  # nbformat raises many kinds
        raise CourseError(
            f"{path} is no notebook ({type(error).__name__}); build the sheet, or put the file "
            "back from a backup."
        ) from error
    return text


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        name = shown(str(Path(folder.parent.name) / folder.name))
        raise CourseError(
            f"{name} cannot be read ({error.strerror}); make the folder readable for you"
        ) from None


def _name_stray(
    path: Path, root: Path, say: Callable[[str], None], must_see: Callable[[str], None]
) -> None:
    """Name what lies in a student's folder and is no submission; a folder may be meant as one."""
    if path.name.startswith(".") or (root / "source" / shown(path.name)).is_dir():
        return
    try:
        tell = must_see if path.is_dir() else say
    except OSError:
        tell = must_see
    tell(f"{_shown(path, root)}: not a sheet's folder, left alone")


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: Path, root: Path) -> str:
    """Return a path as text that can be printed and written, whatever bytes its names are."""
    return shown(str(path.relative_to(root)))


def _submission(folder: Path) -> tuple[bytes | None, str, bool]:
    """Return the notebook in a folder; where there is none, why, and whether we may not look."""
    path = folder / f"{folder.name}.ipynb"
    try:
        return *_found(folder, path), False
    except OSError as error:
        why = f"{path.name} cannot be read ({error.strerror}); make it readable, then grade again."
        return None, why, True


def _found(folder: Path, path: Path) -> tuple[bytes | None, str]:
    if folder.is_symlink() or folder.parent.is_symlink() or not folder.is_dir():
        return None, f"{folder.name} is a link or a file; hand in a folder with the notebook in it."
    if path.is_file() and not path.is_symlink():
        if path.stat().st_size > assemble.LARGEST:
            return None, f"{path.name} is larger than {assemble.LARGEST:,} bytes."
        return path.read_bytes(), ""
    others = sorted(_shown(p, folder) for p in folder.iterdir() if p.suffix == ".ipynb")
    found = f"; found {listed(others, 3)}" if others else ""
    return None, f"There is no file {path.name} in the folder{found}; hand in the released name."
