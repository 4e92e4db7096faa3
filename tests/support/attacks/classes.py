"""A class of three honest students, and the attackers beside them, graded here."""

from course.grading import grade
from course.grading.cage.limits import Limits
from support.classes import copied, hand_in, solved

LIMITS = Limits(memory=3 << 29, processes=64, cell_seconds=4, submission_seconds=40, output=50_000)
HALF_RIGHT = {"derivative": "def derivative(f, x):\n    return f(x)", "grad_after": "1 +"}
SECRET = "the secret of a class that was attacked"


def course_of_honest_students(root):
    """Make a course that three honest students handed in."""
    copied(root)
    hand_in(root, "honest-1", solved())
    hand_in(root, "honest-2", solved(HALF_RIGHT))
    hand_in(root, "z-honest-3", solved())
    (root / ".course-secret").write_text(SECRET)
    return root


def graded(root):
    """Grade a class; return the results by student."""
    said = []
    results = grade.grade_class(root, [], [], workers=2, limits=LIMITS, say=said.append)
    return {r.student: r for r in results}
