"""What goes wrong while results are written: of one submission a sentence, of the disk the end."""

import contextlib
import errno
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from nbgrader.api import Gradebook
from sqlalchemy import exc

from course.errors import CourseError
from course.files import shown
from course.grading.ledger import records
from course.grading.ledger.records import Of

# What no other submission would be spared either.
OF_THE_DISK = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ESTALE, errno.EMFILE,
    errno.ENFILE,
}  # fmt: skip
# What a database says of one statement; all else that it says is of itself (PEP 249).
OF_A_STATEMENT = (
    *(sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError),
    *(sqlite3.ProgrammingError, sqlite3.NotSupportedError),
    *(exc.IntegrityError, exc.DataError, exc.InterfaceError),
    *(exc.ProgrammingError, exc.NotSupportedError),
)


@contextlib.contextmanager
def of_the_disk(root: Path) -> Iterator[None]:
    """Turn what stops all writing into one sentence.

    Raises:
        CourseError: the disk or the gradebook takes nothing more.
    """
    try:
        yield
    except CourseError:
        raise
    except Exception as error:
        cause = stopping(error)
        if cause is None and isinstance(error, OSError | sqlite3.Error | exc.SQLAlchemyError):
            cause = error
        if cause is None:
            raise
        raise stopped(root, cause) from error


def stopping(error: BaseException) -> BaseException | None:
    """Return what stops all writing, of an error and those that it was made from; None if nothing.

    nbgrader makes an `InvalidEntry` of whatever its database says, a full disk included.
    """
    waiting: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while waiting:
        one = waiting.pop()
        if one is None or any(one is other for other in seen):
            continue
        seen.append(one)
        of_the_database = isinstance(one, sqlite3.Error | exc.DBAPIError)
        if of_the_database and not isinstance(one, OF_A_STATEMENT):
            return one
        if isinstance(one, OSError) and one.errno in OF_THE_DISK:
            return one
        waiting += [one.__context__, one.__cause__]
    return None


def stopped(root: Path, cause: BaseException) -> CourseError:
    """Return the sentence of what stops all writing."""
    if isinstance(cause, OSError):
        why = f"{cause.filename or root}: {cause.strerror or cause}"
    else:
        said = str(getattr(cause, "orig", None) or cause).strip().splitlines()
        why = f"the gradebook of {root}: {(said or [type(cause).__name__])[0]}"
    return CourseError(
        f"{why}; what was written is whole, and the same command goes on from there once it can "
        "write again."
    )


@contextlib.contextmanager
def of_one(root: Path, book: Gradebook, of: Of, must_see: Callable[[str], None]) -> Iterator[None]:
    """Let what goes wrong with one submission's result cost no other: it is graded again next time.

    Args:
        root: course folder.
        book: its open gradebook.
        of: the submission.
        must_see: takes the sentence.
    """
    try:
        yield
    except CourseError:
        raise
    except Exception as error:
        if stopping(error):
            raise
        book.db.rollback()
        with contextlib.suppress(OSError):
            records.forget(root, of)
        why = str(error).strip().splitlines() or [""]
        must_see(
            f"{shown(of.student)}, {of.sheet}: the result cannot be kept "
            f"({type(error).__name__}: {why[0]}); the next run tries again"
        )
