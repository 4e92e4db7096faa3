"""What goes wrong while results are written: of one submission a sentence, of the disk the end."""

import contextlib
import errno
from collections.abc import Callable, Iterator
from pathlib import Path

from nbgrader.api import Gradebook
from sqlalchemy.exc import OperationalError

from course.errors import CourseError
from course.files import shown
from course.grading.ledger import records
from course.grading.ledger.records import Of

# What no other submission would be spared either.
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


@contextlib.contextmanager
def of_the_disk(root: Path) -> Iterator[None]:
    """Turn what stops all writing into one sentence.

    Raises:
        CourseError: the disk or the gradebook takes nothing more.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in OF_THE_DISK:
            raise
        raise _stopped(f"{error.filename or root}: {error.strerror}") from error
    except OperationalError as error:
        raise _stopped(f"the gradebook of {root}: {str(error.orig).splitlines()[0]}") from error


def _stopped(why: str) -> CourseError:
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
    except (CourseError, OperationalError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OF_THE_DISK:
            raise
        book.db.rollback()
        with contextlib.suppress(OSError):
            records.forget(root, of)
        why = str(error).strip().splitlines() or [""]
        must_see(
            f"{shown(of.student)}, {of.sheet}: the result cannot be kept "
            f"({type(error).__name__}: {why[0]}); the next run tries again"
        )
