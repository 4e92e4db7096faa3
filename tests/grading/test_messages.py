"""Is what an answer makes the judge say short enough to be kept and read?"""

from support.classes import NAME, copied, hand_in, solved

from course.grading import submission, submitted
from course.verdict import Verdict


def test_does_a_long_message_make_a_large_result(tmp_path):
    root = copied(tmp_path)
    hand_in(root, "long", solved())
    (job,) = submitted.jobs(root, [NAME], [], True, print)
    graded = submission._unrun(job, Verdict("failed", "✗ " + "x\ud800" * 5_000_000))
    for name, test in graded.result.tests.items():
        assert len(test.message) <= submission.LONGEST + 1, name
        test.message.encode()
    assert len(graded.notebook) < 200_000
    assert graded.result.tests["test_derivative"].message.startswith("✗ x")
