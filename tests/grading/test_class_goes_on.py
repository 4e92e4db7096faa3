"""Does anything that lies in a course folder stop the class, or cost another student anything?"""

import errno
import gzip
import os
from pathlib import Path

import pytest
from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in, kept, notebook
from typer.testing import CliRunner

from course import cli
from course.errors import CourseError
from course.grading import grade, submission, workers
from course.grading.cage import command
from course.grading.cage.kernels import NoKernel
from course.grading.job import Job, Ungraded
from course.grading.ledger import records


@pytest.fixture
def root(tmp_path):
    return course(tmp_path)


@pytest.fixture
def unreadable(monkeypatch):
    """Return a list of paths that cannot be read, not by root either."""
    closed = []

    def guarded(name):
        plain = getattr(Path, name)

        def checked(path, *args, **kwargs):
            for one in closed:
                if (path == one and name in ("iterdir", "read_bytes")) or one in path.parents:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return plain(path, *args, **kwargs)

        monkeypatch.setattr(Path, name, checked)

    for name in ("iterdir", "read_bytes", "is_file", "is_symlink", "stat"):
        guarded(name)
    return closed


def test_does_a_students_folder_that_cannot_be_read_stop_the_others(root, unreadable):
    unreadable.append(root / "submitted" / "ada")
    results, seen, _ = grade_by_hand(root)
    assert set(results) == {"ben"}
    assert seen == ["submitted/ada cannot be read (Permission denied); "
                    "make the folder readable for you"]  # fmt: skip


@pytest.mark.parametrize("what", ["", f"{NAME}.ipynb"], ids=["folder", "file"])
def test_is_a_submission_that_cannot_be_read_told_and_not_put_over_an_earlier_grade(
    root, unreadable, what
):
    grade_by_hand(root)
    before = kept(root)
    hand_in(root, "cleo")
    for student in ("ada", "cleo"):
        unreadable.append(root / "submitted" / student / NAME / what)
    tried = ByHand(cleo=lambda job: graded(job, "refused", f"✗ {job.why_none}"))
    results, seen, _ = grade_by_hand(root, tried)
    assert tried.asked == ["cleo"]
    assert results["ada"].score == 3
    assert "cannot be read (Permission denied)" in results["cleo"].tests["test_slope"].message
    assert [line.split(":")[0] for line in seen[:2]] == [
        f"submitted/{s}/{NAME}" for s in ("ada", "cleo")
    ]
    unreadable.clear()
    assert {k: v for k, v in kept(root).items() if "ada" in k} == {
        k: v for k, v in before.items() if "ada" in k
    }


def test_is_a_stamp_copied_with_its_mode(root):
    stamp = root / "submitted" / "ada" / NAME / "timestamp.txt"
    stamp.chmod(0o444)
    grade_by_hand(root)
    assert os.access(root / "autograded" / "ada" / NAME / "timestamp.txt", os.W_OK)
    assert (root / "autograded" / "ada" / NAME / "timestamp.txt").stat().st_mode & 0o200
    stamp.chmod(0o644)
    stamp.write_text("2026-11-02 12:00:00 UTC\n")
    stamp.chmod(0o444)
    _, seen, _ = grade_by_hand(root)
    assert seen == []
    assert "11-02" in (root / "autograded" / "ada" / NAME / "timestamp.txt").read_text()


@pytest.mark.parametrize("content", [b"yesterday", b"", b"x" * 5000])
def test_is_a_stamp_that_tells_no_time_told(root, content):
    (root / "submitted" / "ada" / NAME / "timestamp.txt").write_bytes(content)
    results, seen, _ = grade_by_hand(root)
    assert set(results) == {"ada", "ben"}
    assert len(seen) == 1
    assert seen[0].startswith(f"ada, {NAME}: timestamp.txt ")


def test_does_a_folder_name_that_is_no_text_stop_the_class(root):
    (root / "submitted" / os.fsdecode(b"zo\xeb")).mkdir()
    results, seen, _ = grade_by_hand(root)
    assert set(results) == {"ada", "ben"}
    assert len(seen) == 1
    assert "zo\\udceb: the name is not UTF-8 text" in seen[0]
    seen[0].encode()


DAMAGED = [b"", b"{", b"[]", b"{}", b'{"tests": []}', b'{"tests": {}}', b"\xff", b"[" * 100_000]


@pytest.mark.parametrize("content", DAMAGED, ids=lambda c: repr(c[:12]))
@pytest.mark.parametrize("which", ["result.json", "record.json", "answers.gz", "page"])
def test_is_what_is_damaged_made_anew(root, which, content):
    grade_by_hand(root)
    before = kept(root)
    (path,) = [p for p in root.rglob(which) if "ada" in p.parts]
    path.write_bytes(content)
    _, seen, _ = grade_by_hand(root, ByHand(ben=None))
    assert seen == []
    if which != "answers.gz":  # looked at only where a test has changed
        assert kept(root) == before


def test_are_damaged_numbers_in_a_result_taken(root):
    grade_by_hand(root)
    before = kept(root)
    path = root / "autograded" / "ada" / NAME / "result.json"
    for old, new in (('"score": 3.0', '"score": "3"'), ('"score": 3.0', '"score": NaN'),
                     ('"student": "ada"', '"student": "ben"'), ('"points": 3.0', '"points": true'),
                     ('"state": "passed"', '"state": null')):  # fmt: skip
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        grade_by_hand(root, ByHand(ben=None))
        assert kept(root) == before, new


@pytest.mark.parametrize(
    "content",
    [gzip.compress(b"[]"), gzip.compress(b'{"asked": 5}'), gzip.compress(b"{}")[:-9] + b"damaged!!",
     b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff"],
    ids=["list", "number", "end", "deflate"],
)  # fmt: skip
def test_are_damaged_replies_taken_for_an_earlier_run(root, content):
    grade_by_hand(root)
    (path,) = [p for p in root.rglob("answers.gz") if "ada" in p.parts]
    path.write_bytes(content)
    source = root / "source" / NAME / f"{NAME}.ipynb"
    source.write_text(source.read_text().replace("slope == 2", "2 == slope"))
    earlier = {}

    def way(job):
        earlier[job.student] = job.earlier
        return graded(job)

    grade_by_hand(root, ByHand(everyone=way))
    assert earlier["ada"] is None
    assert earlier["ben"] is not None


def test_does_a_damaged_graded_notebook_stop_the_class(root):
    grade_by_hand(root)
    (root / "autograded" / "ada" / NAME / f"{NAME}.ipynb").write_bytes(b"damaged")
    (root / "feedback" / "ada" / NAME / f"{NAME}.html").unlink()
    results, seen, _ = grade_by_hand(root)
    assert set(results) == {"ada", "ben"}
    assert len(seen) == 1
    assert seen[0].startswith(f"ada, {NAME}: the result cannot be kept")
    _, seen, _ = grade_by_hand(root, ByHand(ben=None))
    assert seen == []
    assert (root / "feedback" / "ada" / NAME / f"{NAME}.html").exists()


def test_does_a_result_that_cannot_be_written_stop_the_class(root):
    (root / "autograded").mkdir()
    (root / "autograded" / "ada").write_text("a file where a folder has to be")
    results, seen, _ = grade_by_hand(root)
    assert set(results) == {"ben"}
    assert len(seen) == 1
    assert seen[0].startswith(f"ada, {NAME}: the result cannot be kept")


def test_is_a_kernel_that_does_not_start_tried_twice(monkeypatch):
    tried = []

    def start(job):
        tried.append(job)
        raise NoKernel("the kernel did not start")

    monkeypatch.setattr(submission, "grade_submission", start)
    job = Job("ada", NAME, b"", "", "", 1)
    assert workers._grade(job) == Ungraded("ada", NAME, "the kernel did not start")
    assert len(tried) == 2


class Ended:
    """A kernel whose cage has ended before anything ran in it."""

    def alive(self):
        return False


def test_is_a_kernel_that_ends_before_anything_runs_the_students_doing(monkeypatch):
    class Opened:
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    class Source:
        def start(self, *_):
            return Ended()

    monkeypatch.setattr(submission, "kernels", lambda *_: Source())
    monkeypatch.setattr(submission, "Session", Opened)
    job = Job("ada", NAME, notebook().encode(), notebook(), notebook(), 1)
    with pytest.raises(NoKernel, match="before it ran anything"):
        submission.grade_submission(job)


@pytest.mark.parametrize(
    "line",
    ['memory = "3GB"', "memory = -1", "memory = 0", "memory = 1.5", "processes = True",
     "cell_seconds = float('nan')", "cell_seconds = float('inf')", "cell_seconds = None",
     "output = [1]", "disk = 10**30"],
)  # fmt: skip
def test_is_a_limit_that_is_none_one_sentence(root, line):
    (root / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseLimits.{line}\n")
    name = line.split(" ")[0]
    with pytest.raises(CourseError, match=rf"nbgrader_config.py: CourseLimits.{name} is "):
        grade_by_hand(root)


def test_are_limits_taken_as_they_are_given(root):
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseLimits.memory = 2e9\nc.CourseLimits.cell_seconds = 60\n"
    )
    limits = grade.configured_limits(root)
    assert (limits.memory, limits.cell_seconds) == (2_000_000_000, 60.0)
    assert isinstance(limits.memory, int)


@pytest.mark.parametrize("text", ["c = get_config(", "import nowhere_to_be_found", "1 / 0"])
def test_is_a_broken_configuration_one_sentence(root, text):
    (root / "nbgrader_config.py").write_text(text)
    with pytest.raises(CourseError, match=r"nbgrader_config.py cannot be read"):
        grade_by_hand(root)


def test_is_a_source_that_is_no_notebook_one_sentence(root):
    (root / "source" / NAME / f"{NAME}.ipynb").write_text("{")
    with pytest.raises(CourseError, match=r"ipynb is no notebook"):
        grade_by_hand(root)


def test_is_what_happens_said(root):
    assert "2 to grade: 2 new" in grade_by_hand(root)[2]
    hand_in(root, "ben", notebook(slope="slope = 3"))
    hand_in(root, "cleo")
    assert "2 to grade: 1 new, 1 changed (handed in again)" in grade_by_hand(root)[2]
    assert "nothing to do: 3 of 3 are graded already" in grade_by_hand(root)[2]
    assert "3 to grade: 3 again" in grade_by_hand(root, force=True)[2]


def test_is_a_folder_without_submissions_an_empty_table(root):
    for path in sorted((root / "submitted").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    _, seen, _ = grade_by_hand(root)
    assert len(seen) == 1
    assert "holds no folder STUDENT/SHEET" in seen[0]


def test_does_a_submission_whose_grading_stopped_need_a_persons_eye(root):
    results, seen, _ = grade_by_hand(root, ByHand(ada=lambda job: submission.lost(job, "a bug")))
    assert results["ada"].score == 0
    assert seen == [f"ada, {NAME}: grading it stopped (a bug); it has no points"]


NASTY = "\x1b[31mred\x1b[0m [bold red]x \u202e\r\n"


def test_do_names_of_folders_reach_the_terminal_as_anything_but_text(root, monkeypatch):
    hand_in(root, NASTY)
    hand_in(root, "[link=example.org]x")
    (root / "submitted" / NASTY / "\x1b]0;title\x07").mkdir()
    (root / "submitted" / "\x1b[2Jstray").write_text("x")
    grading = grade.grade_class
    monkeypatch.setattr(
        grade, "grade_class", lambda *a, **k: grading(*a, **(k | {"executor": ByHand()}))
    )
    monkeypatch.setattr(workers, "begin", lambda: None)
    runs = [
        CliRunner().invoke(cli.app, [verb, "--root", str(root), *more], env={"COLUMNS": "300"})
        for verb, *more in (["grade", "--no-cage"], ["report"], ["feedback", "--force"])
    ]
    shown = "".join(run.output for run in runs)
    assert [run.exit_code for run in runs] == [1, 0, 0], shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "[bold red]x" in shown
    assert "[link=example.org]x" in shown
    assert "\\x1b[31mred" in shown


def test_is_a_class_with_bad_submissions_done(root, monkeypatch):
    hand_in(root, "cleo", "no notebook")
    grading = grade.grade_class
    refused = ByHand(cleo=lambda job: graded(job, "refused", "✗ no notebook"))
    monkeypatch.setattr(
        grade, "grade_class", lambda *a, **k: grading(*a, **(k | {"executor": refused}))
    )
    monkeypatch.setattr(workers, "begin", lambda: None)
    ran = CliRunner().invoke(cli.app, ["grade", "--no-cage", "--root", str(root)])
    assert ran.exit_code == 0, ran.output
    assert ran.output.splitlines()[0].endswith("looking at what was handed in")
    assert "3 to grade: 3 new" in ran.output


def test_does_a_damaged_result_stop_the_report(root):
    grade_by_hand(root)
    (root / "autograded" / "ada" / NAME / "result.json").write_text("{")
    seen = []
    assert [r.student for r in records.graded(root, [], seen.append)] == ["ben"]
    assert seen == [f"autograded/ada/{NAME}/result.json is damaged; «course grade» makes it anew"]


def test_is_a_course_that_a_cage_would_show_refused(tmp_path, monkeypatch):
    course(tmp_path)
    monkeypatch.setattr(command, "works", lambda: "")
    monkeypatch.setattr(command, "SYSTEM", (str(tmp_path.parent),))
    with pytest.raises(CourseError, match="every cage shows"):
        grade.grade_class(tmp_path, [], [])
