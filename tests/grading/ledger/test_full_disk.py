"""Is a disk that is full while the gradebook is written one sentence, and made good by one run?

SQLite does not say of a full disk what Python says of one. Here a gradebook may grow no larger,
which it answers in the same words.
"""

import contextlib
import errno
import shutil
import sqlite3

import nbformat
import pytest
import sqlalchemy
from nbgrader.api import InvalidEntry
from sqlalchemy import exc
from support.by_hand import NAME, ByHand, course, grade_by_hand, hand_in, kept

from course.errors import CourseError
from course.grading import grade
from course.grading.ledger import gradebook, records, trouble

FULL = "database or disk is full"


@pytest.fixture
def root(tmp_path):
    return course(tmp_path / "course")


@contextlib.contextmanager
def full(pages=1):
    """Let no gradebook grow above some pages; one that is larger already stays as large."""

    def limited(connection, _):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", limited)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "connect", limited)


def stopped(root, caplog):
    """Grade a class that stops; return its one sentence, and hold that nothing else is said."""
    seen = []
    with pytest.raises(CourseError) as error:
        grade.grade_class(
            root, [], [], no_cage=True, say=lambda _: None, must_see=seen.append, executor=ByHand()
        )
    assert seen == []
    assert [record for record in caplog.records if record.exc_info] == [], "a traceback is printed"
    assert "\n" not in str(error.value)
    return str(error.value)


def change(root, points=6, more=""):
    path = root / "source" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (cell,) = [c for c in notebook.cells if c.id == "test_slope"]
    cell.metadata.nbgrader.points, cell.source = points, cell.source + more
    nbformat.write(notebook, path)


def copies(root):
    return sorted((root / ".course").glob("*gradebook*"))


def test_does_a_full_disk_stop_the_class_with_one_sentence(root, tmp_path, caplog):
    grade_by_hand(root)
    for number in range(40):  # more than what the last page of the gradebook has room for
        hand_in(root, f"student{number:02}")
    calm = shutil.copytree(root, tmp_path / "calm")
    grade_by_hand(calm)
    with full():
        said = stopped(root, caplog)
    assert said.startswith(f"the gradebook of {root}: {FULL}; ")
    _, seen, _ = grade_by_hand(root)
    assert seen == []
    assert kept(root) == kept(calm)


def test_does_a_copy_that_fails_leave_anything(root, tmp_path, caplog, monkeypatch):
    grade_by_hand(root)
    change(root)
    calm = shutil.copytree(root, tmp_path / "calm")
    grade_by_hand(calm)
    plain = sqlite3.connect

    def limited(path, *args, **kwargs):
        connection = plain(path, *args, **kwargs)
        if str(path).endswith(".gradebook.tmp"):
            connection.execute("PRAGMA max_page_count = 20")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", limited)
        assert FULL in stopped(root, caplog)
    assert copies(root) == []
    _, seen, _ = grade_by_hand(root)
    assert seen == []
    assert len(copies(root)) == 1
    assert kept(root) == kept(calm)


def test_is_a_gradebook_copied_twice_where_the_disk_is_full_after_the_copy(root, caplog):
    grade_by_hand(root)
    change(root, more="\n#" + "x" * 200_000)
    with full():
        assert FULL in stopped(root, caplog)
    (first,) = copies(root)
    grade_by_hand(root)
    assert copies(root) == [first]
    change(root, points=7)
    grade_by_hand(root)
    assert len(copies(root)) == 2, "another change is another copy"


@pytest.mark.parametrize("pages", [1, 15, 30])
def test_is_a_gradebook_half_made_where_the_disk_is_full(root, caplog, pages):
    with full(pages):
        said = stopped(root, caplog)
    assert said.startswith(f"The gradebook {root / 'gradebook.db'} cannot be made (")
    assert FULL in said
    assert "keep it" not in said, "there is none"
    assert [p.name for p in root.rglob("*gradebook*")] == []
    results, seen, _ = grade_by_hand(root)
    assert set(results) == {"ada", "ben"}
    assert seen == []


def test_does_reading_grades_on_a_full_disk_end_in_a_traceback(root):
    grade_by_hand(root)
    with pytest.raises(CourseError, match=FULL), gradebook.reading(root):
        raised(sqlite3.OperationalError(FULL), InvalidEntry(FULL))


def raised(cause, wrapped=None):
    """Raise an error, in the place of another one where that is given."""
    if wrapped is None:
        raise cause
    try:
        raise cause
    except Exception:
        raise wrapped  # noqa: B904 (as nbgrader does)


ALL = [
    (sqlite3.OperationalError("database or disk is full"), None),
    (sqlite3.DatabaseError("database disk image is malformed"), None),
    (exc.OperationalError("insert", {}, sqlite3.OperationalError("disk I/O error")), None),
    (exc.InternalError("insert", {}, Exception("the server goes down")), InvalidEntry("…")),
    (sqlite3.OperationalError("disk I/O error"), InvalidEntry("…")),
    (OSError(errno.EFBIG, "File too large"), None),
    (OSError(errno.ENOSPC, "No space left on device"), ValueError("…")),
]
ONE = [
    (sqlite3.IntegrityError("UNIQUE"), None),
    (exc.IntegrityError("insert", {}, sqlite3.IntegrityError("UNIQUE")), InvalidEntry("…")),
    (exc.StatementError("insert", "insert", {}, UnicodeError("surrogates")), None),
    (exc.NoResultFound("no row"), KeyError("…")),
    (PermissionError(errno.EACCES, "Permission denied"), None),
    (ValueError("anything"), None),
]


@pytest.mark.parametrize(("cause", "wrapped"), [*ALL, *ONE], ids=str)
def test_is_told_apart_what_stops_all_and_what_one_submission(root, cause, wrapped):
    seen = []
    of = records.Place("ada", NAME)

    def tried():
        with (
            trouble.of_the_disk(root),
            gradebook.reading(root) as book,
            trouble.of_one(root, book, of, seen.append),
        ):
            raised(cause, wrapped)

    grade_by_hand(root)
    if (cause, wrapped) in ALL:
        with pytest.raises(CourseError):
            tried()
        assert seen == []
    else:
        tried()
        assert len(seen) == 1
        assert seen[0].startswith(f"ada, {NAME}: the result cannot be kept")
