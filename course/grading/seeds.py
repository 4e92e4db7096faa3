"""The course's secret, and the data seeds derived from it, one for each student and sheet."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def secret(root: Path) -> bytes:
    """Return the course's secret, made on first use; data seeds are derived from it."""
    path = root / ".course-secret"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_bytes()


def data_seed(key: bytes, student: str, name: str) -> int:
    """Return the data seed of a student's sheet, which nobody can guess without the secret."""
    digest = hmac.new(key, f"{student}/{name}".encode(), hashlib.sha256).digest()
    return 1 + int.from_bytes(digest[:4], "big") % (2**31 - 2)
