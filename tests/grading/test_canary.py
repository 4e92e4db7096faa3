"""Does what fails on the staff's side ever become a student's zero?"""

import pytest
from support.by_hand import ByHand, course, grade_by_hand, graded, hand_in

from course.errors import CourseError
from course.grading import canary
from course.grading.job import Ungraded


def crashes(job):
    return graded(job, "crashed", "✗ the kernel died")


def fails(job):
    return graded(job, "failed", "✗ no")


def no_kernel(job):
    return Ungraded(job.student, job.sheet, "no warm server: it did not start in time")


@pytest.fixture
def root(tmp_path):
    return course(tmp_path)


@pytest.mark.parametrize(
    ("way", "says"),
    [(crashes, "0 of 3 points here; test_slope, crashed: the kernel died"),
     (no_kernel, "cannot be run here: no warm server")],
)  # fmt: skip
def test_does_a_sheet_whose_own_solution_fails_stop_the_class_before_anything_is_written(
    root, way, says
):
    with pytest.raises(CourseError, match=says):
        grade_by_hand(root, ByHand(solution=way, everyone=crashes))
    assert not (root / "autograded").exists()
    results, seen, _ = grade_by_hand(root)
    assert [r.score for r in results.values()] == [3, 3]
    assert seen == []


def test_is_a_solution_that_has_passed_graded_a_second_time(root):
    first, second, third = ByHand(), ByHand(), ByHand()
    grade_by_hand(root, first)
    assert first.asked.count(canary.NOBODY) == 1
    hand_in(root, "cleo")
    grade_by_hand(root, second)
    assert second.asked == ["cleo"]
    grade_by_hand(root, third, force=True)
    assert third.asked.count(canary.NOBODY) == 1


def test_is_a_solution_looked_at_again_when_the_machine_has_changed(root, monkeypatch):
    grade_by_hand(root)
    monkeypatch.setattr(canary.platform, "node", lambda: "another machine")
    hand_in(root, "cleo")
    by_hand = ByHand()
    grade_by_hand(root, by_hand)
    assert by_hand.asked.count(canary.NOBODY) == 1


def test_is_a_class_in_which_nobody_passes_recorded_only_after_a_second_look(root):
    grade_by_hand(root)
    hand_in(root, "cleo")
    broken = ByHand(cleo=crashes, solution=crashes)
    with pytest.raises(CourseError, match="That is no student's doing"):
        grade_by_hand(root, broken)
    assert not (root / "autograded" / "cleo").exists()
    results, _, said = grade_by_hand(root, ByHand(cleo=fails))
    assert results["cleo"].score == 0
    assert any("nobody has passed anything" in line for line in said)


def test_is_a_large_class_in_which_nobody_passes_held_in_memory(tmp_path):
    root = course(tmp_path, [f"student-{n}" for n in range(canary.MOST_HELD + 5)])
    by_hand, done = ByHand(everyone=fails), []

    def written(*_):
        done.append(len(list(root.glob("autograded/*"))))

    grade_by_hand(root, by_hand, progress=written)
    assert by_hand.asked.count(canary.NOBODY) == 2
    assert done[0] == 1
    assert done[-1] == canary.MOST_HELD + 5


def test_does_a_kernel_that_does_not_start_cost_the_student_anything(root):
    grade_by_hand(root)
    hand_in(root, "cleo")
    results, seen, _ = grade_by_hand(root, ByHand(cleo=no_kernel, ada=no_kernel), force=True)
    assert results["ada"].score == 3, "what was graded before stays"
    assert "cleo" not in results
    assert not (root / "autograded" / "cleo").exists()
    assert len(seen) == 2
    assert all("could not be graded (no warm server" in line for line in seen)
    results, seen, _ = grade_by_hand(root)
    assert results["cleo"].score == 3
    assert seen == []
