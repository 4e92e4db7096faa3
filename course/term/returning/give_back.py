"""`course return`: a sheet's grades and feedback in the form that a platform takes in.

Everything is made before anything is written; what is written is the same bytes each time.
"""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from course.errors import CourseError
from course.files import listed, write_whole
from course.grading import submitted
from course.grading.ledger import ledger, records, trouble
from course.grading.ledger.records import Place
from course.term import grades
from course.term.collecting import collect
from course.term.grades import Grades, as_text
from course.term.returning import canvas, moodle


def give_back(
    root: Path, sheet: str, platform: str, out: Path, exported: Path | None = None,
    column: str = "", say: Callable[[str], None] = print,
    must_see: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Write a sheet's grades and feedback for a platform.

    Args:
        root: an nbgrader course folder, graded.
        sheet: name of the sheet.
        platform: moodle, canvas or zip.
        out: the folder to write to, made where there is none.
        exported: what the platform exported, to be filled in: Moodle's worksheet, Canvas's
            gradebook.
        column: heading of the assignment in Canvas's gradebook, where the sheet's name is no help.
        say: takes a line on what was done.
        must_see: takes what a person has to look at.

    Raises:
        CourseError: an unknown platform or sheet, nothing graded, or a file that is not of use.
    """
    if platform not in PLATFORMS:
        raise CourseError(
            f"There is no platform {platform!r}; choose one of {', '.join(PLATFORMS)}."
        )
    if exported is not None and platform == "zip":
        raise CourseError("A zip for each student needs nothing exported; leave --exported out.")
    if column and (platform != "canvas" or exported is None):
        raise CourseError("--column names a heading of Canvas's gradebook; give it as --exported.")
    if out.exists() and not out.is_dir():
        raise CourseError(f"{out} is a file; name a folder.")
    submitted.sheets(root, [sheet])
    ledger.give_feedback(root, [sheet], say=say)
    found = grades.read(root, must_see, sheet)
    made = PLATFORMS[platform](root, sheet, found, exported, column, must_see)
    with trouble.of_the_disk(out):
        for name, content in made.items():
            write_whole(out / name, content)
    waiting = sum(s.final is None for s in found.standings.values())
    names = listed([str(out / name) for name in made], 3)
    say(f"{names}: {len(found.standings) - waiting} scores" + f", {waiting} open" * bool(waiting))


def _moodle(
    root: Path, sheet: str, found: Grades, exported: Path | None, column: str,
    must_see: Callable[[str], None],
) -> dict[str, bytes]:  # fmt: skip
    numbers = collect.numbers(root, "moodle", sheet)
    if exported is None:
        if not numbers:
            raise CourseError(
                f"Moodle's numbers of the participants of {sheet} are not known: give its grading "
                "worksheet with --exported (in the assignment, «Download grading worksheet»), or "
                "collect from Moodle's zip file."
            )
        text = as_text(moodle.worksheet(found, sheet, numbers, must_see))
        lacking = sorted({s for s, _ in found.standings} - numbers.keys())
        if lacking:
            must_see(f"{listed(lacking)}: Moodle's number is not known; give its worksheet "
                     "with --exported")  # fmt: skip
    else:
        worksheet, numbers = moodle.filled(found, sheet, exported, numbers, must_see)
        text = worksheet.text()
    pages = _pages(root, sheet, found)
    students = {s.id: s for s in found.students}
    packed = zipped({
        moodle.feedback_name(students[student], unique, f"{sheet}.html"): pages[student]
        for student, unique in sorted(numbers.items()) if student in pages and unique
    })  # fmt: skip
    return {f"{sheet}-grades.csv": text.encode(), f"{sheet}-feedback.zip": packed}


def _canvas(
    root: Path, sheet: str, found: Grades, exported: Path | None, column: str,
    must_see: Callable[[str], None],
) -> dict[str, bytes]:  # fmt: skip
    if exported is not None:
        rows = canvas.filled(found, exported, must_see, column)
    else:
        rows = canvas.table(found)
        without = sorted(s.id for s in found.students if not s.lms_user_id.isdecimal())
        if without:
            must_see(
                f"{listed(without)}: without Canvas's number (lms_user_id); Canvas finds them "
                "by login or name, if at all"
            )
    return {f"{sheet}-canvas.csv": as_text(rows).encode()}


def _zips(
    root: Path, sheet: str, found: Grades, exported: Path | None, column: str,
    must_see: Callable[[str], None],
) -> dict[str, bytes]:  # fmt: skip
    return {
        f"{student}.zip": zipped({f"{sheet}/{sheet}.html": page})
        for student, page in _pages(root, sheet, found).items()
    }


def _pages(root: Path, sheet: str, found: Grades) -> Mapping[str, bytes]:
    """Return the feedback pages of a sheet by student."""
    pages: dict[str, bytes] = {}
    for student in sorted({s for s, _ in found.standings}):
        path = records.page_path(root, Place(student, sheet))
        if path.is_file():
            pages[student] = path.read_bytes()
    return pages


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip file, the same bytes each time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


PLATFORMS: dict[str, Callable[..., dict[str, bytes]]] = {
    "moodle": _moodle, "canvas": _canvas, "zip": _zips,
}  # fmt: skip
