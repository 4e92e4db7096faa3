"""Does a failure at any write of the ledger lose anything that one more run does not make good?

The points to fail at are found, not listed (tests/support/crashes.py): the class is graded once to
count them, and then once a point, in a process of its own that fails there. By day
at every third point, a kill at others than a full disk; by night at every one, and of classes
whose due date or whose sheet has changed since.
"""

import errno
import os
import shutil
from datetime import datetime

import nbformat
import pytest
from nbgrader.api import Gradebook
from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in, kept, notebook
from support.crashes import failing_at, in_a_process, killed

from course.grading.ledger import records
from course.notebooks import parse

pytestmark = pytest.mark.slow


def full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def run(root, fail, at):
    return failing_at(at, fail, root, grade_by_hand)


def answer_changed(root):
    hand_in(root, "ben", notebook(slope="slope = 3"))


def due_date_given(root):
    """A point a day of lateness, known only after the class was graded."""
    (root / "nbgrader_config.py").write_text(POLICY)
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        book.update_or_create_assignment(NAME, duedate=datetime(2026, 10, 31, 12))


def sheet_changed(root):
    """Another number of points, and a cell that was not there when the class was graded."""
    path = root / "source" / NAME / f"{NAME}.ipynb"
    made = parse(path.read_bytes())
    made.cells[1].metadata.nbgrader.points = 5
    more = parse(path.read_bytes()).cells[1]
    more.id = more.metadata.nbgrader.grade_id = "test_again"
    made.cells.append(more)
    path.write_text(nbformat.writes(made))


POLICY = """
from nbgrader.plugins import LateSubmissionPlugin

class ADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 86400

c = get_config()
c.AssignLatePenalties.plugin_class = ADay
"""
AFTER = [
    None, answer_changed,
    *(pytest.param(change, marks=pytest.mark.night) for change in (due_date_given, sheet_changed)),
]  # fmt: skip


@pytest.fixture(scope="module", params=AFTER, ids=lambda c: c.__name__ if c else "from_nothing")
def begun(request, tmp_path_factory):
    """A class that nobody has graded, and graded ones in which something has changed since."""
    root = course(tmp_path_factory.mktemp("begun"), ["ben"])
    if request.param is not None:
        state = "failed" if request.param is answer_changed else "passed"
        grade_by_hand(root, ByHand(ben=lambda job: graded(job, state, "✗ no")))
        request.param(root)
    return root


@pytest.fixture(scope="module")
def calm(begun, tmp_path_factory):
    """The same class after a run that nothing disturbs, and the points of that run."""
    root = tmp_path_factory.mktemp("calm") / "course"
    shutil.copytree(begun, root)
    code, said = in_a_process(lambda: run(root, killed, at=0))
    assert code == 0, said
    seen, around = said.removeprefix("seen:\n").split("around:")
    return kept(root), seen.splitlines(), around.split("\n")[1:]


def test_is_every_write_of_a_class_found_and_made_by_one_module(calm):
    _, seen, around = calm
    for what in ("os.rename", "os.remove", "open", "commit"):
        assert any(point.startswith(what) for point in seen), what
    graded_anew = any("result.json" in point for point in seen)
    for path in ("result.json", "record.json", "answers.gz", ".html", ".ipynb"):
        assert any(path in point for point in seen) or not graded_anew, path
    # The lock is no content: what is in it is gone with its process.
    assert [point for point in around if not point.endswith(".course/lock")] == []


@pytest.mark.parametrize("fail", [killed, full], ids=lambda f: f.__name__)
def test_does_one_more_run_make_good_what_a_failure_at_any_write_left(
    begun, calm, tmp_path, fail, pytestconfig
):
    whole, seen, _ = calm
    assert len(seen) > 9
    if (begun / "gradebook.db").exists():
        assert kept(begun)["gradebook of ben"] != whole["gradebook of ben"]
    every = 1 if pytestconfig.getoption("--all-sheets") else 3
    for at in range(1 + (fail is full and every > 1), len(seen) + 1, every):
        if fail is full and seen[at - 1].startswith("os.remove"):
            continue  # which needs no room
        root = tmp_path / str(at)
        shutil.copytree(begun, root)
        code, said = in_a_process(lambda root=root, at=at: run(root, fail, at))
        point = f"{fail.__name__} before write {at}, {seen[at - 1]}"
        if fail is killed:
            assert code == 9, (point, said)
        else:
            assert code == 2, (point, said)  # one sentence
            assert "No space left on device" in said
            assert "\n" not in said
            assert list(root.rglob(".*.tmp")) == [], point
        _, seen_by, _ = grade_by_hand(root)
        assert seen_by == [], point
        assert kept(root) == whole, point
        shutil.rmtree(root)


def test_does_a_result_count_whose_writing_was_cut_short_and_whose_answer_was_taken_back(
    tmp_path, monkeypatch
):
    root = course(tmp_path, ["ben"])
    grade_by_hand(root)
    whole = kept(root)
    hand_in(root, "ben", notebook(slope="slope = 3"))
    failing = ByHand(ben=lambda job: graded(job, "failed", "✗ no"))
    with monkeypatch.context() as patch:
        patch.setattr(records, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grade_by_hand(root, failing)
    hand_in(root, "ben")
    grade_by_hand(root)
    assert kept(root) == whole


def interrupted(*_):
    raise KeyboardInterrupt
