"""Decides, outside the cage: runs a test cell on the answers that a session holds."""

from course.grading import time_limit
from course.grading.session import Session
from course.verdict import Stopped, Verdict, of_test_cell


def judge(session: Session, test_source: str, wants: tuple[str, ...]) -> Verdict:
    """Judge the answers that a session holds, within the time that its submission has left.

    Args:
        session: the kernel that ran the student's code, or the replies of one.
        test_source: the test cell, hidden tests included.
        wants: the names that the test cell takes from the answer.
    """
    try:
        return time_limit.within(
            session.deadline, lambda: of_test_cell(test_source, session.values(wants))
        )
    except Stopped as stopped:
        return Verdict(stopped.state, f"✗ {stopped}")
