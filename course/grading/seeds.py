"""The course's secret, and the data seeds derived from it, one for each student and sheet."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from course import files
from course.errors import CourseError

SHORTEST = 16  # characters of a secret that nobody can guess


def secret(root: Path, make: bool = True) -> bytes:
    """Return the course's secret, made on first use; data seeds are derived from it.

    It lies in .course/secret; a course that began with .course-secret keeps that one.

    Args:
        root: course folder.
        make: write one where there is none; else one is returned that is kept nowhere.

    Raises:
        CourseError: the secret cannot be read, or is so short that anyone could compute the seeds.
    """
    path = root / ".course-secret"
    if not os.path.lexists(path):
        path = root / files.STAFF / "secret"
    if not os.path.lexists(path):
        new = secrets.token_hex(32).encode()
        if not make:
            return new
        files.staff(root)
        files.create_whole(path, new, 0o600)
    remedy = (
        "put the file back from a backup; if there is none, remove it: grading makes a new one "
        "and grades all submissions again on new data"
    )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}); {remedy}.") from None
    if len(content.strip()) < SHORTEST:
        raise CourseError(
            f"{path} holds {len(content.strip())} characters, a secret has {SHORTEST} or more; "
            f"{remedy}."
        )
    return content


def data_seed(key: bytes, student: str, name: str) -> int:
    """Return the data seed of a student's sheet, which nobody can guess without the secret."""
    digest = hmac.new(key, f"{student}/{name}".encode(), hashlib.sha256).digest()
    return 1 + int.from_bytes(digest[:4], "big") % (2**31 - 2)
