"""Does a class with every kind of bad submission end with a result for each, and lose nothing?"""

import dataclasses
import json
import shutil

import pytest
from support import gradebooks
from support.classes import NAME, copied, hand_in, solved, states

from course.errors import CourseError
from course.grading import grade, submission, submitted
from course.grading.cage import command
from course.grading.ledger import keys, records
from course.grading.submission import grade_submission
from course.term import report

PROBE = """
import os, pathlib, socket
def tried(action):
    try:
        action()
    except OSError:
        return "no"
    return "yes"
found = [
    tried(lambda: socket.create_connection(("127.0.0.1", 22), timeout=1)),
    tried(lambda: pathlib.Path("/x").write_text("x")),
    tried(lambda: pathlib.Path(PROJECT, "escaped").write_text("x")),
    tried(lambda: pathlib.Path(PROJECT, "gradebook.db").read_bytes()),
    tried(lambda: os.listdir(pathlib.Path(PROJECT, "submitted"))),
]
raise RuntimeError(" ".join(found) + f" {len(os.listdir('/proc'))} {os.listdir('.')}")
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory, caged):
    """Grade one class in which every student does something else."""
    root = copied(tmp_path_factory.mktemp("course"))
    hand_in(root, "right", solved())
    hand_in(root, "unsolved", (root / "release" / NAME / f"{NAME}.ipynb").read_bytes())
    hand_in(root, "unreadable", b"not a notebook")
    hand_in(root, "nothing")
    hand_in(root, "renamed", solved(), name="my homework")
    hand_in(root, "deadly", solved({"beta_slope": "import os\nos._exit(1)"}))
    probe = PROBE.replace("PROJECT", repr(str(root)))
    hand_in(root, "curious", solved({"derivative": probe}))
    hand_in(root, "value", solved({"nll_gradient": "1 +"}))
    (root / "submitted" / "stray.txt").write_text("x")
    (root / "submitted" / "right" / "notes").mkdir()
    folder = root / "submitted" / "linked" / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").symlink_to(root / "source" / NAME / f"{NAME}.ipynb")
    said = []
    results = grade.grade_class(root, [], [], no_cage=not caged, workers=1, say=said.append)
    return root, {r.student: r for r in results}, said


pytestmark = pytest.mark.slow


def test_does_everyone_get_a_result_with_states_and_sentences(graded):
    root, results, _ = graded
    handed_in = {p.name for p in (root / "submitted").iterdir() if p.is_dir()}
    assert set(results) == handed_in
    for student, result in results.items():
        content = json.loads((root / "autograded" / student / NAME / "result.json").read_text())
        assert set(content) == {
            "student", "sheet", "score", "max_score", "cage", "seconds", "tests",
        }  # fmt: skip
        for test in content["tests"].values():
            assert set(test) == {"state", "points", "max_points", "message", "wrong_turn"}
            assert test["message"] or test["state"] in ("manual", "missing", "refused")
        assert result.score == sum(t.points for t in result.tests.values())
        assert result.max_score == 14
        assert (root / "feedback" / student / NAME / f"{NAME}.html").exists()


def test_what_do_right_and_unsolved_submissions_score(graded):
    _, results, _ = graded
    assert results["right"].score == 12
    assert set(states(results["right"]).values()) == {"passed", "manual"}
    assert results["unsolved"].score == 0
    assert set(states(results["unsolved"]).values()) == {"missing"}


@pytest.mark.parametrize(
    ("student", "says"),
    [
        ("unreadable", "not a notebook"),
        ("nothing", f"no file {NAME}.ipynb"),
        ("renamed", "found my homework.ipynb"),
        ("linked", f"no file {NAME}.ipynb"),
    ],
)
def test_is_a_submission_that_is_no_notebook_refused_with_a_sentence(graded, student, says):
    result = graded[1][student]
    assert set(states(result).values()) == {"refused"}
    assert result.score == 0
    assert says in result.tests["test_derivative"].message


def test_does_a_cell_that_kills_the_kernel_cost_only_its_own_points(graded):
    result = graded[1]["deadly"]
    assert states(result)["test_beta_slope"] == "crashed"
    assert result.score == 10


def test_is_a_syntax_error_in_an_answer_named(graded):
    result = graded[1]["value"]
    assert states(result)["test_nll_gradient"] == "missing"
    assert "SyntaxError" in result.tests["test_nll_gradient"].message
    assert result.score == 10


def test_what_can_code_in_the_cage_reach(graded, caged):
    if not caged:
        pytest.skip("there is no cage on this machine")
    root, results, _ = graded
    message = results["curious"].tests["test_derivative"].message
    assert "RuntimeError: no no no no no" in message
    assert "[]" in message, "the working folder is not empty"
    assert not (root / "escaped").exists()


def test_is_each_students_data_seed_their_own(graded):
    seeds = [records.data_seed(graded[0], r) for r in graded[1].values()]
    assert None not in seeds
    assert len(set(seeds)) == len(seeds)
    assert 0 not in seeds


def test_are_stray_files_named_and_left_alone(graded):
    root, _, said = graded
    assert any("submitted/stray.txt" in line for line in said)
    assert any("submitted/right/notes" in line for line in said)
    assert (root / "submitted" / "stray.txt").exists()


def test_does_the_gradebook_agree_with_the_results(graded):
    root, results, _ = graded
    with gradebooks.opened(root) as book:
        for student, result in results.items():
            entered = book.find_submission(NAME, student)
            assert entered.score == result.score, student
            assert entered.max_score == result.max_score
        waiting = book.find_submission("01-autodiff", "right").needs_manual_grade
        assert waiting


def test_is_a_hidden_test_in_any_feedback(graded):
    root, results, _ = graded
    for student in results:
        html = (root / "feedback" / student / NAME / f"{NAME}.html").read_text()
        assert "derivative" in html
        assert "BEGIN HIDDEN" not in html
        assert "assert check." not in html


def contents(root):
    return {
        str(p.relative_to(root)): (p.stat().st_mtime_ns, p.read_bytes())
        for p in root.rglob("*") if p.is_file() and not p.is_symlink()
    }  # fmt: skip


def test_does_a_second_run_change_any_file(graded, caged):
    root, results, _ = graded
    before = contents(root)
    done = []
    again = grade.grade_class(
        root, [], [], no_cage=not caged, say=lambda _: None, progress=lambda *a: done.append(a)
    )
    assert done == []
    assert {r.student: r for r in again} == results
    assert contents(root) == before


def test_is_a_lost_gradebook_made_anew_from_the_results(graded, caged, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(graded[0], root, symlinks=True)
    (root / "gradebook.db").unlink()  # and so this run starts from none, and registers the sheet
    done = []
    grade.grade_class(
        root, [], [], no_cage=not caged, say=lambda _: None, progress=lambda *a: done.append(a)
    )
    assert done == [], "no student's code had to run again"
    with gradebooks.opened(root) as book:
        assert {s.student.id: s.score for s in book.assignment_submissions(NAME)} == {
            student: result.score for student, result in graded[1].items()
        }


def test_is_only_a_changed_submission_graded_again(graded, caged, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(graded[0], root, symlinks=True)
    path = root / "submitted" / "unreadable" / NAME / f"{NAME}.ipynb"
    path.write_bytes(b'{"cells": []}')
    done = []
    results = grade.grade_class(
        root, [], ["unreadable", "right"], no_cage=not caged, say=lambda _: None,
        progress=lambda *a: done.append(a),
    )  # fmt: skip
    assert done == [(1, 1)]
    changed = next(r for r in results if r.student == "unreadable")
    assert set(states(changed).values()) == {"missing"}


def test_does_the_report_show_everyone(graded, capsys):
    report.show(graded[0], report.graded(graded[0], []))
    shown = capsys.readouterr().out
    for student in graded[1]:
        assert student in shown
    assert "test_derivative" in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((["09-nothing"], []), "no sheet '09-nothing'"),
        (([], ["nobody"]), "no folder"),
    ],
)
def test_is_wrong_usage_one_sentence(graded, arguments, says):
    with pytest.raises(CourseError) as caught:
        grade.grade_class(graded[0], *arguments, no_cage=True, say=lambda _: None)
    assert says in str(caught.value)


def test_is_a_folder_that_is_no_course_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="holds no source/SHEET"):
        grade.grade_class(tmp_path, [], [], no_cage=True)
    copied(tmp_path)
    with pytest.raises(CourseError, match="does not exist; put submissions"):
        grade.grade_class(tmp_path, [], [], no_cage=True)


def test_does_grading_refuse_to_start_without_a_cage(graded, monkeypatch):
    monkeypatch.setattr(command, "works", lambda: "bubblewrap is not installed")
    with pytest.raises(CourseError, match=r"bubblewrap is not installed.*--no-cage"):
        grade.grade_class(graded[0], [], [])


def test_is_a_changed_test_judged_anew_without_running_the_code(
    graded, caged, tmp_path, monkeypatch
):
    root = tmp_path / "copy"
    shutil.copytree(graded[0], root, symlinks=True)
    path = root / "source" / NAME / f"{NAME}.ipynb"
    text = path.read_text()
    test = "assert check.derivative(derivative)"
    assert test in text
    path.write_text(text.replace(test, f"{test} is True"))
    (job,) = submitted.jobs(root, [NAME], ["right"], caged, print)
    job = dataclasses.replace(
        job, earlier=records.earlier_run(root, job, keys.of(job)), caged=False
    )
    monkeypatch.setattr(submission, "kernels", None)  # were the code to run, it would need one
    again = grade_submission(job).result
    assert states(again) == states(graded[1]["right"])
    assert again.score == 12


@pytest.mark.parametrize(
    ("in_cage", "warm"), [(True, True), (True, False), (False, False)], ids=["warm", "cold", "bare"]
)
def test_is_the_result_the_same_warm_cold_and_without_a_cage(graded, in_cage, warm):
    if in_cage and command.works():
        pytest.skip("there is no cage on this machine")
    for student in ("right", "unsolved", "value"):
        (job,) = submitted.jobs(graded[0], [NAME], [student], in_cage, print, warm=warm)
        got, before = grade_submission(job).result, graded[1][student]
        timeless = {"seconds": 0.0, "cage": ""}
        assert dataclasses.replace(got, **timeless) == dataclasses.replace(before, **timeless)
