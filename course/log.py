"""What a command said, kept in the course's .course/course.log, the newest million bytes of it.

The staff's folder is not readable for others: names of students stand in it.
"""

import contextlib
import logging
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

from course.errors import CourseError
from course.files import STAFF

NAME = "course.log"
LARGEST = 1_000_000  # bytes; then it becomes course.log.1
OLDER = 3  # how many such files are kept

LOG = logging.getLogger("course.said")
LOG.setLevel(logging.INFO)
LOG.propagate = False
LOG.addHandler(logging.NullHandler())


@contextlib.contextmanager
def kept(root: Path, command: str) -> Iterator[None]:
    """Write what is said inside into a course's log, and how the command ended.

    A folder that is no course, or cannot be written to, gets none: whatever is wrong with it, the
    command itself says so.

    Args:
        root: course folder.
        command: what was asked for.
    """
    handler = _opened(root)
    if handler is None:
        yield
        return
    LOG.addHandler(handler)
    LOG.info("began: %s", command)
    try:
        yield
    except CourseError as error:
        LOG.error("stopped: %s", error)
        raise
    except SystemExit:
        raise
    except BaseException:
        LOG.exception("failed")
        raise
    else:
        LOG.info("ended")
    finally:
        LOG.removeHandler(handler)
        handler.close()


def _opened(root: Path) -> RotatingFileHandler | None:
    if not (root / "source").is_dir():
        return None
    try:
        (root / STAFF).mkdir(mode=0o700, exist_ok=True)
        handler = _Quiet(
            root / STAFF / NAME, maxBytes=LARGEST, backupCount=OLDER, encoding="utf-8",
            errors="backslashreplace",
        )  # fmt: skip
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s [%(process)d] %(levelname)s %(message)s"))
    return handler


class _Quiet(RotatingFileHandler):
    """A log that says nothing where it cannot be written: the disk's trouble is told elsewhere."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave out a line that cannot be written."""
