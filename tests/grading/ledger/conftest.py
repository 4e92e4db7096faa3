"""Fixtures of the ledger's tests."""

import pytest
from support import postgres

from course.doctor import postgresql


@pytest.fixture(scope="session")
def database():
    """Return a function that makes an empty PostgreSQL database and gives its URL."""
    if postgresql() is None:
        pytest.skip("PostgreSQL is not installed; `make test` says so in its last lines")
    with postgres.running() as made:
        yield made
