"""Does any hostile submission gain points, harm a neighbour, stop the class or leave anything?"""

import ctypes
import dataclasses
import json
import os
import tempfile
import time
from pathlib import Path

import pytest
from support.attacks import bank
from support.attacks.classes import SECRET, course_of_honest_students, graded
from support.classes import NAME, copied, graded_files, hand_in
from support.project import PROJECT
from support.sample import every

from course.grading import submitted, workers
from course.grading.cage import command
from course.verdict import STATES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(bool(command.works()), reason="hostile code runs in a cage only"),
]

ATTACKS = bank.attacks()
PR_SET_CHILD_SUBREAPER = 36
REACHED = "REA" + "CHED"  # what an attack says when it has got somewhere


def tried(config):
    """Return the attacks to try: all by night, by day in each run another eighth of each group."""
    return every(ATTACKS, 8, config)


def pytest_generate_tests(metafunc):
    """Give a test of one attack each of those that are tried."""
    if "attack" in metafunc.fixturenames:
        metafunc.parametrize("attack", tried(metafunc.config), ids=lambda a: a.student)


def descendants():
    """Return the processes that this one has started, and that these have started, and so on.

    Those that have ended are not among them, where only this process has not been told yet.
    """
    parents, words = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rsplit(")")[-1].split()[:2]
            if state == "Z":
                continue
            parents[int(folder.name)] = int(parent)
            words[int(folder.name)] = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            )
        except OSError:
            continue
    found, more = set(), {os.getpid()}
    while more:
        found |= more
        more = {pid for pid, parent in parents.items() if parent in more}
    kept = found - {os.getpid()}
    return {pid: words[pid] for pid in kept if "resource_tracker" not in words[pid]}


def after_a_moment(look, seconds=5):
    """Return what is still there when those that are about to end have had time to."""
    until = time.monotonic() + seconds
    while look() and time.monotonic() < until:
        time.sleep(0.1)
    return look()


def names(folder):
    return {path.name for path in Path(folder).iterdir()}


def sockets(folder):
    """Return the addresses in a folder that a socket of this machine is bound to."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return [line for line in lines if str(folder) in line]


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The honest students alone."""
    root = course_of_honest_students(tmp_path_factory.mktemp("calm"))
    graded(root)
    return graded_files(root)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory, calm, pytestconfig):
    """Grade the same students together with every attacker; whatever is left comes to us."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    root = course_of_honest_students(tmp_path_factory.mktemp("attacked"))
    for attack in tried(pytestconfig):
        attack.hand_in(root, PROJECT)
    before = files(PROJECT)
    others = set(descendants())  # a test that graded in this very process keeps its warm server
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="h") as scratch:
        patch.setenv("TMPDIR", scratch)
        patch.setattr(tempfile, "tempdir", None)
        results = graded(root)
        left = {
            "processes": after_a_moment(
                lambda: {k: v for k, v in descendants().items() if k not in others}
            ),
            "sockets": sockets(scratch),
            "temporary": names(scratch),
            "project": files(PROJECT) ^ before,
        }
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    return root, results, left


def files(folder):
    """Return what is in the project's own folders, compiled Python and tools' caches aside."""
    parts = ("course", "helpers", "source", "release", "tests")
    return {
        path for part in parts for path in (folder / part).rglob("*")
        if "__pycache__" not in path.parts and ".hypothesis" not in path.parts
    }  # fmt: skip


def test_does_the_batch_end_with_a_result_for_everyone(attacked):
    root, results, _ = attacked
    assert set(results) == {p.name for p in (root / "submitted").iterdir()}
    assert len(ATTACKS) >= 40
    assert len({a.student for a in ATTACKS}) == len(ATTACKS)


def test_is_every_honest_result_what_it_is_without_the_attackers(attacked, calm):
    together = graded_files(attacked[0])
    assert len(calm) == 3
    for path, result in calm.items():
        assert together[path] == result, path


def test_what_does_an_attack_gain(attacked, attack):
    root, results, _ = attacked
    place = root / "autograded" / attack.student / NAME
    content = json.loads((place / "result.json").read_text())
    result = results[attack.student]
    assert content["score"] == result.score == sum(t.points for t in result.tests.values())
    honest = 0.0
    for name, test in result.tests.items():
        assert test.state in STATES
        assert test.message or test.state in ("manual", "missing", "refused"), (name, test)
        assert len(test.message) < 5_000
        if name.startswith("test_"):
            exercise = name.removeprefix("test_")
            allowed = attack.expected.get(exercise, attack.expected.get("rest", STATES))
            assert test.state in allowed, (exercise, test.state, test.message)
            by_attack = exercise in attack.expected and "passed" not in allowed
            honest += 0.0 if by_attack else test.max_points
            assert test.points == (test.max_points if test.state == "passed" else 0.0)
    assert result.score <= honest
    assert names(place) <= {"result.json", f"{NAME}.ipynb", "timestamp.txt"}
    assert sum(p.stat().st_size for p in place.iterdir()) < 30_000_000
    notebook = (place / f"{NAME}.ipynb").read_text(encoding="utf-8")
    feedback = (root / "feedback" / attack.student / NAME / f"{NAME}.html").read_text("utf-8")
    assert f'"{REACHED}' not in notebook, notebook[notebook.find(f'"{REACHED}') :][:500]
    assert REACHED not in json.dumps(content)
    assert "BEGIN HIDDEN" not in feedback
    assert f"fetch('/{REACHED}')</script>" not in feedback
    assert 'onerror="fetch(' not in feedback


@pytest.mark.parametrize("what", ["processes", "sockets", "temporary", "project"])
def test_is_anything_left_on_the_machine(attacked, what):
    assert not attacked[2][what]


def test_is_anything_left_in_the_course(attacked):
    root, _, _ = attacked
    assert names(root) == {
        "source", "release", "submitted", "autograded", "feedback", "gradebook.db",
        ".course", ".course-secret",
    }  # fmt: skip
    students = names(root / "submitted")
    for part in ("autograded", "feedback"):
        assert names(root / part) == students
        for student in students:
            assert names(root / part / student) == {NAME}
            if part == "feedback":
                assert names(root / part / student / NAME) == {f"{NAME}.html"}
    assert not list(root.rglob("hostile-was-here*"))
    assert (root / ".course-secret").read_text() == SECRET


class Deadly(bytes):
    """A submission that ends any process which unpickles it: it stands for a crash of the judge."""

    def __reduce__(self):
        return os._exit, (3,)


def test_does_a_submission_that_kills_its_grader_stop_the_others(tmp_path):
    root = copied(tmp_path)
    for number in range(4):
        hand_in(root, f"student-{number}", b"not a notebook")
    jobs = submitted.jobs(root, [NAME], [], True, print)
    jobs[1] = dataclasses.replace(jobs[1], submission=Deadly())
    results = {g.result.student: g.result for g in workers.surviving(2, jobs)}
    assert len(results) == 4
    for student, result in results.items():
        state = "crashed" if student == "student-1" else "refused"
        assert result.tests["test_derivative"].state == state
        assert result.score == 0
