"""What is kept of a submission, where, and what becomes of what an earlier version kept?"""

import json

import pytest
from support.classes import NAME
from support.ledgers import KEY, a_course, grade, kept, result

from course.grading.job import Job
from course.grading.ledger import records

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
ADA = records.Place("ada", NAME)


@pytest.fixture
def root(tmp_path):
    return a_course(tmp_path, "ada")


def test_does_the_result_hold_what_a_student_may_see_and_no_more(root):
    assert set(kept(root, "ada")) == {
        "student", "sheet", "score", "max_score", "cage", "seconds", "tests",
    }  # fmt: skip
    names = {p.name for p in records.folder(root, ADA).iterdir()}
    assert names == {"result.json", f"{NAME}.ipynb", "timestamp.txt"}


def test_do_keys_seed_and_replies_stay_with_the_staff(root):
    names = {p.name for p in records.staff_folder(root, ADA).iterdir()}
    assert names == {"record.json", "answers.gz", "page"}
    assert records.keys(root, ADA) == KEY
    assert records.data_seed(root, ADA) == 4711
    job = Job("ada", NAME, b"", "", "", 1)
    earlier = records.earlier_run(root, job, KEY)
    assert earlier is not None
    assert earlier.replies == {"a": "b"}


def test_is_what_an_earlier_version_kept_beside_the_result_taken_away(root):
    place = records.folder(root, ADA)
    (place / ".graded-from").write_text("run\njudging\n")
    (place / ".answers.gz").write_bytes(b"x")
    content = kept(root, "ada") | {"data_seed": 4711}
    (place / "result.json").write_text(json.dumps(content))
    (records.staff_folder(root, ADA) / "record.json").unlink()
    assert records.result(root, ADA) == result(root, "ada"), "it can be read"
    assert records.keys(root, ADA) is None, "it counts as ungraded"
    grade(root, "ada")
    assert {p.name for p in place.iterdir()} == {"result.json", f"{NAME}.ipynb", "timestamp.txt"}
    assert "data_seed" not in kept(root, "ada")


@pytest.mark.parametrize("damage", ["", "{}", "[]", "null", '{"run": 1', "\x00"])
def test_does_a_damaged_record_count_as_none(root, damage):
    (records.staff_folder(root, ADA) / "record.json").write_text(damage)
    assert records.keys(root, ADA) is None
    assert records.data_seed(root, ADA) is None


def test_is_a_stamp_that_cannot_be_written_over_replaced(root):
    stamp = records.folder(root, ADA) / "timestamp.txt"
    stamp.chmod(0o444)
    (root / "submitted" / "ada" / NAME / "timestamp.txt").write_text("2026-10-01 00:00:00 UTC")
    assert records.renew_stamp(root, ADA) == "2026-10-01 00:00:00 UTC" == stamp.read_text()
    (root / "submitted" / "ada" / NAME / "timestamp.txt").unlink()
    assert records.renew_stamp(root, ADA) == stamp.read_text(), "what is known stays"
