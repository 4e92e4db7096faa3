"""Are results the same with one and two workers, here and on a Dask cluster that loses a worker?"""

import dataclasses
import os
import signal
import time

import pytest
from support import cluster
from support.classes import copied, graded_files, hand_in, solved

from course.errors import CourseError
from course.grading import grade, submitted
from course.grading.ledger import keys

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    root = copied(tmp_path_factory.mktemp("class"))
    hand_in(root, "right", solved())
    for answer in ("def grad_after(f, x, k, zero):\n    return 0.0", "import os\nos._exit(3)"):
        hand_in(root, f"wrong{len(answer)}", solved({"grad_after": answer}))
    hand_in(root, "unreadable", b"x")
    (root / ".course-secret").write_text("one secret for every way of grading")
    return root


def graded(root, tmp_path, caged, **how):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    grade.grade_class(copy, [], [], no_cage=not caged, say=lambda _: None, **how)
    return graded_files(copy)


@pytest.fixture(scope="module")
def reference(submissions, tmp_path_factory, caged):
    return graded(submissions, tmp_path_factory.mktemp("reference"), caged, workers=1)


@pytest.mark.parametrize("how", [{"workers": 2}, {"workers": 2, "warm": False}], ids=str)
def test_are_results_the_same_with_two_workers_and_cold(
    submissions, reference, tmp_path, caged, how
):
    assert graded(submissions, tmp_path, caged, **how) == reference
    assert len(reference) == 4


@pytest.mark.night
def test_are_results_the_same_on_a_dask_cluster_that_loses_a_worker(
    submissions, reference, tmp_path, caged
):
    with cluster.running(tmp_path) as (address, (first, _second)):
        lost = []

        def progress(done, of):
            if not lost:
                lost.append(first.pid)
                os.killpg(first.pid, signal.SIGKILL)

        with grade.cluster(address) as executor:
            got = graded(submissions, tmp_path, caged, executor=executor, progress=progress)
    assert lost
    assert got == reference


def test_is_a_scheduler_that_is_not_there_one_sentence():
    begun = time.monotonic()
    with (
        pytest.raises(CourseError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"),
        grade.cluster("tcp://127.0.0.1:9"),
    ):
        pass
    assert time.monotonic() - begun < 60


def test_is_a_job_all_that_grading_depends_on(submissions, caged):
    jobs = submitted.jobs(submissions, submitted.sheets(submissions, []), ["right"], caged, print)
    assert len({keys.of(j).run for j in jobs}) == len(jobs) == 1
    (job,) = jobs
    changes = {"submission": b"x", "data_seed": 1, "release": job.release + " ", "caged": not caged}
    for name, value in changes.items():
        assert keys.of(dataclasses.replace(job, **{name: value})).run != keys.of(job).run, name
    test = "assert check.derivative(derivative)"
    changed = job.source.replace(test, f"{test} is True")
    assert changed != job.source
    again = dataclasses.replace(job, source=changed)
    assert keys.of(again).run == keys.of(job).run
    assert keys.of(again).judging != keys.of(job).judging
