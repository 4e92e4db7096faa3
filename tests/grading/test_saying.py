"""Does a command say what there is to do, why, what is under way, and what it left?"""

import datetime
import os
import shutil

import pytest
from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in, notebook
from support.ledgers import book
from support.project import TINY
from typer.testing import CliRunner

from course import cli, log, progress
from course.errors import CourseError
from course.grading import dry_run, grade, plan, submitted, workers
from course.grading.ledger import keys


@pytest.fixture
def root(tmp_path):
    return course(tmp_path)


@pytest.fixture(scope="module")
def graded_once(tmp_path_factory):
    made = course(tmp_path_factory.mktemp("graded"))
    grade_by_hand(made)
    return made


@pytest.fixture
def done(graded_once, tmp_path):
    """Return a course of two students whose submissions are graded."""
    return shutil.copytree(graded_once, tmp_path / "copy")


def rehearsed(root, executor=None, **options):
    """Run `course grade --dry-run` by hand; return what it said and what a person has to see."""
    said, seen = [], []
    dry_run.dry_run(
        root, [], [], None, False, True, said.append, executor or ByHand(), must_see=seen.append,
        **options,
    )  # fmt: skip
    return said, seen


def contents(root):
    return {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}


def rewrite_test(root, new, old="assert slope == 2"):
    source = root / "source" / NAME / f"{NAME}.ipynb"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new))


def planned(root):
    """Return what is said of what there is to grade."""
    work, said = submitted.jobs(root, [NAME], [], False, print), []
    made_from = {(job.student, job.sheet): keys.of(job) for job in work}
    plan.say(plan.of(root, work, made_from, False), work, said.append)
    return said


@pytest.fixture
def limits(root, done, monkeypatch):
    monkeypatch.setattr(submitted, "Limits", lambda: grade.configured_limits(done))


def test_is_it_said_why_submissions_are_graded_again(done, limits, monkeypatch):
    assert planned(done) == ["nothing to do: 2 of 2 are graded already"]
    rewrite_test(done, "assert 2 == slope")
    hand_in(done, "dora")
    assert planned(done) == [f"3 to grade: 1 new, 2 changed (tests of {NAME})"]
    rewrite_test(done, "assert slope == 2", "assert 2 == slope")
    hand_in(done, "ada", notebook(slope="slope = 3"))
    here = keys.versions()
    monkeypatch.setattr(keys, "versions", lambda: here | {"torch": "0.0", "numpy": "0.0"})
    (line,) = planned(done)
    assert line.startswith("3 to grade: 1 new, 2 changed (1 ")
    assert "1 handed in again, numpy, torch" in line
    assert "1 numpy, torch" in line


def test_is_a_record_of_an_earlier_version_a_reason(done, limits):
    for path in done.glob(".course/graded/*/*/record.json"):
        path.write_text('{"run": "1", "judging": "2", "data_seed": 3}')
    assert planned(done) == ["2 to grade: 2 changed"]


def test_does_a_dry_run_change_anything(root, done):
    before = contents(root)
    said, _ = rehearsed(root)
    assert f"ada, {NAME}: new" in said
    assert contents(root) == before, "nothing was graded so far"
    root = done
    hand_in(root, "ben", notebook(slope="slope = 3"))
    (root / "submitted" / "ada" / NAME / "timestamp.txt").write_text("2026-11-05 12:00:00 UTC\n")
    before = contents(root)
    rehearsed(root, ByHand(ben=lambda job: graded(job, "failed", "✗ no")))
    assert contents(root) == before
    assert not list(root.glob(".course/canary/*x*"))


def test_does_a_dry_run_without_a_secret_make_one(root):
    (root / ".course-secret").unlink()
    before = contents(root)
    rehearsed(root)
    assert contents(root) == before
    assert not (root / ".course").exists()


def test_does_a_dry_run_say_who_would_change_and_how(done):
    rewrite_test(done, "assert slope in (2, 3)")
    hand_in(done, "dora")
    said, seen = rehearsed(done, ByHand(ben=lambda job: graded(job, "failed", "✗ no")))
    assert seen == []
    why = f"(tests of {NAME})"
    assert f"dora, {NAME}: new" in said
    assert f"ada, {NAME} {why}: nothing would change" in said
    assert f"ben, {NAME} {why}: points of tests 3 → 0; test_slope passed → failed" in said
    assert f"{NAME}: the gradebook would follow the sheet's cells" in said
    assert said[-1] == "dry run: 1 new, 1 of 2 graded anew would change; nothing was written"


DUE = datetime.datetime(2026, 10, 30)
ZERO = 'c = get_config()\nc.LateSubmissionPlugin.penalty_method = "zero"\n'


def due(root):
    with book(root) as opened:
        opened.update_or_create_assignment(NAME, duedate=DUE)


def test_is_it_said_when_late_penalties_alone_change_points(done):
    due(done)
    (done / "nbgrader_config.py").write_text(ZERO)
    said, _ = rehearsed(done)
    lines = [f"{student}, {NAME}: late penalty 0 → 3" for student in ("ada", "ben")]
    assert [line for line in said if "late penalty" in line] == lines
    assert "late penalties of 2 others too; nothing was written" in said[-1]
    for expected in (lines, []):
        _, _, said = grade_by_hand(done)
        assert [line for line in said if "late penalty" in line] == expected


def test_are_those_named_who_cannot_be_late_or_whose_time_may_be_old(done):
    for student in ("dora", "eve"):
        (hand_in(done, student) / "timestamp.txt").unlink()
    ben = done / "submitted" / "ben" / NAME
    os.utime(ben / "timestamp.txt", (1e9, 1e9))
    os.utime(ben / f"{NAME}.ipynb", (1e9 + 3600, 1e9 + 3600))
    _, seen, _ = grade_by_hand(done)
    assert seen == [], "nobody is late where there is no due date"
    due(done)
    _, seen, _ = grade_by_hand(done)
    assert seen == [
        f"no timestamp.txt, and so never late: dora ({NAME}), eve ({NAME})",
        "the notebook is newer than its timestamp.txt, which tells the time that counts: "
        f"ben ({NAME})",
    ]


def test_does_a_dry_run_ask_anybody_where_nothing_changed(done):
    by_hand = ByHand()
    said, _ = rehearsed(done, by_hand)
    assert by_hand.asked == []
    assert said[0] == "nothing to do: 2 of 2 are graded already"


def test_does_a_dry_run_say_that_a_penalty_would_change(done):
    from course import stock_nbgrader

    (done / "nbgrader_config.py").write_text(
        "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    book = stock_nbgrader.gradebook(stock_nbgrader.db_url(done))
    book.update_or_create_assignment(NAME, duedate="2026-11-01 11:00:00 UTC")
    book.close()
    before = contents(done)
    said, _ = rehearsed(done)
    assert f"ada, {NAME}: late penalty 0 → 3" in said
    assert contents(done) == before
    grade_by_hand(done)
    assert not [line for line in rehearsed(done)[0] if "penalty" in line]


def test_is_a_dry_run_on_a_machine_that_fails_the_solution_stopped(done):
    rewrite_test(done, "assert 2 == slope")
    broken = ByHand(solution=lambda job: graded(job, "crashed", "✗ no memory"))
    with pytest.raises(CourseError, match="the sheet's own solution gets 0 of 3 points"):
        rehearsed(done, broken)


def test_is_the_name_under_way_told_before_anything_is_done(root):
    told = []
    grade_by_hand(root, progress=lambda *a: told.append(a), under_way=told.append)
    assert told[0] == f"the solution of {NAME}"
    names = {f"the solution of {NAME}", f"ada, {NAME}", f"ben, {NAME}"}
    assert {one for one in told if isinstance(one, str)} <= names
    assert told[-1] == (2, 2)


def test_are_the_lines_of_progress_those_of_the_work(capsys):
    with progress.bar("grading") as bar:
        bar.under_way("the solution of 01")
        bar.under_way("ada, 01\x1b[2J")
        bar.done(0, 2)
        bar.under_way("ben, 01")
        bar.done(1, 2)
        bar.done(2, 2)
    assert capsys.readouterr().out.splitlines() == [
        "grading: now the solution of 01", "grading: 0 of 2, now ada, 01\\x1b[2J",
        "grading: 1 of 2, now ben, 01", "grading: 2 of 2",
    ]  # fmt: skip


def test_is_an_old_source_told(root):
    text = root / "course" / "sheets" / f"{NAME}.md"
    text.parent.mkdir(parents=True)
    text.write_text(TINY)
    seen = []
    grade.warn_of_old_sources(root, [NAME], seen.append)
    assert seen == [f"the text of {NAME} is newer than source/: course build {NAME}"]
    text.unlink()
    grade.warn_of_old_sources(root, [NAME], seen.append)
    assert len(seen) == 1


def interrupted(job):
    raise KeyboardInterrupt


def command(root, monkeypatch, executor, *more):
    for module, name in ((grade, "grade_class"), (dry_run, "dry_run")):
        plain = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *a, plain=plain, **k: plain(*a, **(k | {"executor": executor}))
        )
    monkeypatch.setattr(workers, "begin", lambda: None)
    return CliRunner().invoke(cli.app, ["grade", "--no-cage", "--root", str(root), *more])


def test_is_it_said_what_an_interruption_left(root, monkeypatch):
    class Slowly(ByHand):
        """Grades nothing before it is asked for the result."""

        def submit(self, function, job):
            future = super().submit(function, job)
            if job.student == "ben":
                future.result = lambda timeout=None: interrupted(job)
            return future

    ran = command(root, monkeypatch, Slowly())
    assert ran.exit_code == 130
    assert "interrupted: " in ran.output
    assert "of 2 are graded and kept" in ran.output
    said = (root / log.STAFF / log.NAME).read_text()
    assert "WARNING interrupted" in said


def test_is_what_was_said_kept_in_the_log(root, monkeypatch):
    (root / "submitted" / "ada" / "nothing").mkdir()
    ran = command(root, monkeypatch, ByHand())
    assert ran.exit_code == 1
    said = (root / log.STAFF / log.NAME).read_text()
    for line in ("INFO began: ", "INFO 2 to grade: 2 new", "WARNING submitted/ada/nothing: not a"):
        assert line in said, line
    assert (root / log.STAFF / log.NAME).parent.stat().st_mode & 0o077 == 0
    open_files = [getattr(handler, "baseFilename", "") for handler in log.LOG.handlers]
    assert not any(str(root) in name for name in open_files)


def test_does_a_dry_run_by_command_write_a_log(root, monkeypatch):
    before = contents(root)
    ran = command(root, monkeypatch, ByHand(), "--dry-run")
    assert ran.exit_code == 0, ran.output
    assert "nothing was written" in ran.output
    assert contents(root) == before


def test_does_the_log_grow_without_end(root, monkeypatch):
    monkeypatch.setattr(log, "LARGEST", 2000)
    for number in range(200):
        with log.kept(root, f"command {number}"):
            log.LOG.info("x" * 50)
    there = sorted(p.name for p in (root / log.STAFF).glob("course.log*"))
    assert there == ["course.log", "course.log.1", "course.log.2", "course.log.3"]
    assert all((root / log.STAFF / name).stat().st_size <= 2000 for name in there)
    newest = "".join((root / log.STAFF / name).read_text() for name in there[1::-1])
    assert "command 199" in newest


def test_does_a_log_that_cannot_be_written_stop_the_command(root):
    (root / log.STAFF).mkdir()
    (root / log.STAFF / log.NAME).mkdir()
    with log.kept(root, "grade"):
        log.LOG.info("said")
    with log.kept(root / "nowhere", "grade"):
        log.LOG.info("said")
    assert not (root / "nowhere").exists()
