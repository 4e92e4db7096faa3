"""Is what is handed in graded as it comes, told to the student at once, and never lost?"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from support import watched
from support.by_hand import NAME, course, graded, hand_in, kept, notebook
from support.crashes import failing_at, in_a_process, killed
from support.watched import NEVER, HandPool, once, page, submit

from course.errors import CourseError
from course.grading import stream
from course.grading.job import Ungraded
from course.grading.ledger import lock
from course.term import exchange, watch


def fails(job):
    return graded(job, "failed", "✗ no")


@pytest.fixture
def root(tmp_path):
    return watched.watched(tmp_path / "course")


def result(root, student):
    path = root / "autograded" / student / NAME / "result.json"
    return json.loads(path.read_text()) if path.exists() else None


def test_does_a_student_of_the_exchange_get_the_judges_words(root):
    secret = submit(root, "ada")
    said, seen = once(root, HandPool(ada=fails))
    assert result(root, "ada")["score"] == 0
    assert "✗ no" in page(root, secret)
    assert "Attempt 1 of 5" in page(root, secret)
    assert any("ada, 01-tiny: 0 of 3 points" in line for line in said)
    assert seen == []


def test_is_what_lies_in_submitted_graded_and_nothing_done_twice(root):
    hand_in(root, "ben")
    once(root)
    assert result(root, "ben")["score"] == 3
    pool = HandPool()
    once(root, pool)
    assert pool.asked == []


def test_does_the_newest_submission_count_and_each_have_its_own_page(root):
    first = submit(root, "ada")
    once(root, HandPool(ada=fails))
    before = page(root, first)
    submit(root, "ada", notebook(slope="slope = 1 + 0"))
    last = submit(root, "ada", notebook(slope="slope = 1 + 1"))
    pool = HandPool()
    once(root, pool)
    assert pool.asked == ["ada"]
    assert "slope = 1 + 1" in (root / "submitted" / "ada" / NAME / f"{NAME}.ipynb").read_text()
    assert page(root, first) == before
    assert "Attempt 2 of 5" in page(root, last)


@pytest.fixture
def tomorrow(monkeypatch):
    def dawn():
        class Tomorrow(date):
            @classmethod
            def today(cls):
                return date.today() + timedelta(days=1)

        monkeypatch.setattr(watch, "date", Tomorrow)

    return dawn


def test_does_an_attempt_too_many_wait_for_the_next_day_and_say_so(tmp_path, tomorrow):
    root = watched.watched(tmp_path / "course", attempts=2)
    for number in range(2):
        submit(root, "ada", notebook(slope=f"slope = {number}"))
        once(root, HandPool(ada=fails))
    waits = submit(root, "ada", notebook(slope="slope = 2"))
    other = submit(root, "ben")
    pool = HandPool()
    said, _ = once(root, pool)
    assert pool.asked == ["ben"]
    assert "Your 2 attempts at this sheet" in page(root, waits)
    assert "passed" in page(root, other)
    assert any("ada, 01-tiny: waits until tomorrow" in line for line in said)
    # What the staff has is what was judged last.
    assert "slope = 1" in (root / "submitted" / "ada" / NAME / f"{NAME}.ipynb").read_text()
    tomorrow()
    pool = HandPool()
    once(root, pool)
    assert pool.asked == ["ada"]
    assert "passed 3 of 3" in page(root, waits)
    assert "Attempt 1 of 2" in page(root, waits)


def test_does_an_attempt_too_many_in_submitted_wait_as_well(tmp_path, tomorrow):
    root = watched.watched(tmp_path / "course", attempts=1)
    hand_in(root, "ada", notebook(slope="slope = 3"))
    once(root, HandPool(ada=fails))
    hand_in(root, "ada", notebook(slope="slope = 2"))
    pool = HandPool()
    once(root, pool)
    assert pool.asked == []
    html = root / "feedback" / "ada" / NAME / f"{NAME}.html"
    assert "What you handed in since is judged on a later day" in html.read_text()
    tomorrow()
    once(root)
    assert result(root, "ada")["score"] == 3
    assert "Attempt 1 of 1" in html.read_text()
    assert "since" not in html.read_text()


def test_do_the_same_answers_run_anew_cost_an_attempt(tmp_path):
    root = watched.watched(tmp_path / "course", attempts=1)
    submit(root, "ada")
    once(root)
    again = json.loads(notebook(why="Since."))
    again["cells"][0]["execution_count"] = 7
    secret = submit(root, "ada", json.dumps(again))
    once(root)
    assert "Attempt 1 of 1" in page(root, secret)


def test_does_a_correction_of_the_sheet_cost_an_attempt(tmp_path):
    root = watched.watched(tmp_path / "course", attempts=1)
    submit(root, "ada")
    once(root)
    path = root / "source" / NAME / f"{NAME}.ipynb"
    path.write_text(path.read_text().replace('"points": 3', '"points": 4'))
    pool = HandPool()
    once(root, pool)
    assert "ada" in pool.asked
    assert result(root, "ada")["max_score"] == 6


def test_is_a_submission_read_before_it_is_whole(root):
    submit(root, "ada", whole=False)
    pool = HandPool()
    _, seen = once(root, pool)
    assert (pool.asked, seen) == ([], [])


def test_is_a_submit_that_never_ended_named(root, monkeypatch):
    monkeypatch.setattr(exchange, "PATIENCE", -1)
    submit(root, "ada", whole=False)
    _, seen = once(root)
    assert len(seen) == 1
    assert "is not whole" in seen[0]


def test_does_a_link_in_the_exchange_lead_to_the_staffs_files(root):
    for how in ("link", "pipe", "folder link"):
        secret = submit(root, "ada")
        (folder,) = (root.parent / "exchange" / "tiny" / "inbound").iterdir()
        path = folder / f"{NAME}.ipynb"
        if how == "folder link":
            folder.rename(root.parent / "elsewhere")
            folder.symlink_to(root.parent / "elsewhere")
        else:
            path.unlink()
        if how == "link":
            path.symlink_to(root / "source" / NAME / f"{NAME}.ipynb")
        if how == "pipe":
            os.mkfifo(path)
        _, seen = once(root)
        assert result(root, "ada") is None, how
        if how != "folder link":
            assert len(seen) == 1, how
            assert "cannot be taken" in page(root, secret), how
        folder.unlink() if folder.is_symlink() else shutil.rmtree(folder)


def test_can_a_student_hand_in_for_another(root, monkeypatch):
    monkeypatch.setattr(exchange, "_belongs", lambda owner, student: student == "ada")
    submit(root, "ada")
    submit(root, "ben")
    _, seen = once(root)
    assert result(root, "ada")
    assert result(root, "ben") is None
    assert len(seen) == 1
    assert "check_owner" in seen[0]


def test_does_a_folder_that_cannot_be_written_to_stop_anybody(root, monkeypatch):
    take_in = exchange.Exchange.take_in

    def denied(self, arrival, content):
        if arrival.place.student == "ada":
            raise PermissionError(errno.EACCES, "Permission denied")
        take_in(self, arrival, content)

    monkeypatch.setattr(exchange.Exchange, "take_in", denied)
    submit(root, "ada")
    submit(root, "ben")
    _, seen = once(root)
    assert result(root, "ben")["score"] == 3
    assert len(seen) == 1
    assert "submitted/ada/01-tiny cannot be written to (Permission denied)" in seen[0]


@pytest.mark.parametrize("name", ["..+01-tiny+{}+x", "ada+01-tiny+when", ".ada+01-tiny+{}", "x"])
def test_does_a_strange_name_in_the_exchange_stop_anybody(root, name):
    stamp = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    folder = root.parent / "exchange" / "tiny" / "inbound" / name.format(stamp)
    folder.mkdir()
    secret = submit(root, "ada+b")
    _, seen = once(root)
    assert "passed" in page(root, secret)
    assert len(seen) == 1
    assert "left alone" in seen[0]


def test_does_a_submission_without_end_keep_others_waiting(root):
    pool = HandPool(ada=NEVER)
    said = []
    watching = watch.Watch(root, [], pool, True, said.append, said.append)
    submit(root, "ada")
    turn(watching)
    for who in ("ben", "cleo"):
        submit(root, who)
    turn(watching, 4)
    assert result(root, "ben")
    assert result(root, "cleo")
    assert ("ada", NAME) in pool.under_way


def turn(watching, times=3):
    for _ in range(times):
        watching._look()
        watching.stream.step(0)


def test_does_a_student_who_waits_come_before_a_class_that_was_there(root):
    for number in range(8):
        hand_in(root, f"early-{number}")
    pool = HandPool(workers=1, **{f"early-{number}": NEVER for number in range(8)})
    watching = watch.Watch(root, [], pool, True, print, print)
    watching.folder.unquiet, watch.QUIET, quiet = False, -1, watch.QUIET
    try:
        turn(watching)
        submit(root, "ada")
        turn(watching, 1)
    finally:
        watch.QUIET = quiet
    pool.ways = {}
    turn(watching, 3)
    assert [who for who in pool.asked if who][1] == "ada"


def test_does_one_student_ever_have_two_workers(root):
    for part in ("source", "release"):
        shutil.copytree(root / part / NAME, root / part / "02-tiny")
        (root / part / "02-tiny" / f"{NAME}.ipynb").rename(root / part / "02-tiny/02-tiny.ipynb")
    pool = HandPool(ada=NEVER)
    watching = watch.Watch(root, [], pool, True, print, print)
    submit(root, "ada")
    submit(root, "ada", name="02-tiny")
    turn(watching)
    assert [student for student, _ in pool.under_way].count("ada") == 1


@pytest.mark.parametrize("way", [fails, graded], ids=["nobody passes", "somebody does"])
def test_is_anything_recorded_of_a_sheet_whose_solution_fails(root, way):
    submit(root, "ada")
    broken = HandPool(everyone=way, solution=fails)
    _, seen = once(root, broken)
    assert result(root, "ada") is None
    assert len(seen) == 1
    assert "no student's doing" in seen[0]
    once(root)
    assert result(root, "ada")["score"] == 3


def test_is_a_submission_in_which_nothing_passes_believed_without_a_second_look(root):
    submit(root, "ada")
    once(root)
    submit(root, "ben", notebook(slope="slope = 3"))
    pool = HandPool(ben=fails, solution=fails)  # the machine has broken since
    _, seen = once(root, pool)
    assert pool.asked == ["ben", ""]
    assert result(root, "ben") is None
    assert seen


def test_is_what_could_not_be_graded_tried_again(root, monkeypatch):
    submit(root, "ada")
    way = [lambda job: Ungraded(job.student, job.sheet, "no kernel")]
    pool = HandPool(ada=lambda job: way.pop()(job) if way else graded(job))
    seen = []
    watching = watch.Watch(root, [], pool, True, lambda _: None, seen.append)
    turn(watching)
    assert result(root, "ada") is None
    assert "tried again" in seen[0]
    monkeypatch.setattr(stream.time, "monotonic", lambda now=stream.time.monotonic: now() + 61)
    turn(watching)
    assert result(root, "ada")["score"] == 3


def test_is_a_second_watch_of_a_course_told_of_the_first(root):
    with (
        lock.held(root, "course watch", "watch"),
        pytest.raises(CourseError, match="«course watch» is at work here, process"),
    ):
        once(root)


def test_does_a_watch_wait_for_another_command(root):
    submit(root, "ada")
    watching = watch.Watch(root, [], HandPool(), True, print, print)
    with lock.held(root, "course feedback"), pytest.raises(CourseError, match="course feedback"):
        turn(watching)
    turn(watching)
    assert result(root, "ada")["score"] == 3


@pytest.mark.slow
def test_is_a_kill_at_any_write_made_good_by_the_next_watch(tmp_path, pytestconfig):
    begun = watched.watched(tmp_path / "begun" / "course")
    secrets = [submit(begun, "ada", at=datetime(2026, 11, 1, 12, tzinfo=UTC))]
    once(begun)
    text = notebook(slope="slope = 3 - 1")
    secrets.append(submit(begun, "ada", text, at=datetime(2026, 11, 1, 13, tzinfo=UTC)))

    def after(name, fail, at):
        whole = tmp_path / name
        shutil.copytree(begun.parent, whole)
        config = whole / "course" / "nbgrader_config.py"
        config.write_text(config.read_text().replace(str(begun.parent), str(whole)))
        ended = in_a_process(lambda: failing_at(at, fail, whole, lambda _: once(whole / "course")))
        return whole / "course", ended

    def left(root):
        found = {k: v for k, v in kept(root).items() if k != "nbgrader_config.py"}
        return found, [page(root, secret) for secret in secrets]

    calm, (code, said) = after("calm", killed, 0)
    assert code == 0, said
    seen = said.removeprefix("seen:\n").split("around:")[0].splitlines()
    assert len(seen) > 20
    every = 1 if pytestconfig.getoption("--all-sheets") else 15
    for at in range(1, len(seen) + 1, every):
        root, (code, said) = after(f"at{at}", killed, at)
        assert code == 9, said
        once(root)
        assert left(root) == left(calm), seen[at - 1]


STOPPED = """
import sys
from pathlib import Path
from support.watched import NEVER, HandPool
from course.term.watch import watch
say = lambda line: print(line, flush=True)
watch(Path(sys.argv[1]), [], no_cage=True, say=say, pool=HandPool(ada=NEVER))
"""


@pytest.mark.parametrize(
    "how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.night)]
)
def test_does_a_watch_stop_when_it_is_told_to(root, how):
    submit(root, "ada")
    submit(root, "ben")
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(root)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        for line in process.stdout:
            if line.startswith("ben, 01-tiny: 3 of 3"):
                break
        process.send_signal(how)
        rest = process.stdout.read()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "stopped" in rest
    assert not list((root / ".course").glob("*lock*"))
    assert not (root / ".course" / "watch").exists()
    once(root)
    assert result(root, "ada")["score"] == 3


def test_is_a_course_without_an_exchange_watched(tmp_path):
    root = course(tmp_path, ["ben"])
    said, seen = once(root)
    assert result(root, "ben")["score"] == 3
    assert "only submitted/ is looked at" in said[0]
    assert seen == []


@pytest.mark.parametrize(
    ("line", "says"),
    [("c.CourseWatch.attempts = 0", "a whole number above 0"),
     ("c.CourseWatch.attempt = 3", "has no attempt; it has attempts")],
)  # fmt: skip
def test_is_a_limit_that_is_none_refused_in_a_sentence(root, line, says):
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{line}\n")
    with pytest.raises(CourseError, match=says):
        once(root)
