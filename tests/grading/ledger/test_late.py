"""Are late penalties at all times what nbgrader would give now?"""

import datetime
import logging

import nbformat
import pytest
from nbgrader.preprocessors import AssignLatePenalties
from support.classes import NAME
from support.ledgers import DUE, a_course, again, book, files, grade, hand_in_at, standings

from course import stock_nbgrader
from course.errors import CourseError
from course.grading.ledger import gradebook, ledger

ZERO = 'c.LateSubmissionPlugin.penalty_method = "zero"\n'
POLICY = """
from nbgrader.plugins import LateSubmissionPlugin

class ADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {RATE} * total_seconds_late / 86400

c.AssignLatePenalties.plugin_class = ADay
"""

# nbgrader adds submissions in an order that SQLAlchemy remarks upon, with no effect.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def root(tmp_path):
    """Two students, a day late, where a day costs two points."""
    return a_course(tmp_path, "ada", "karl", config=POLICY.replace("{RATE}", "2"))


def stocks(root):
    """Return the penalties after nbgrader's own step has gone over every submission."""
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    config = stock_nbgrader.settings(root)
    for student in standings(root):
        AssignLatePenalties(config=config).preprocess(
            nbformat.v4.new_notebook(),
            {"nbgrader": {"notebook": NAME, "assignment": NAME, "student": student,
                          "db_url": stock_nbgrader.db_url(root)}},
        )  # fmt: skip
    return penalties(root)


def penalties(root):
    return {student: one.penalty for student, one in standings(root).items()}


def test_does_a_day_cost_what_the_policy_says(root):
    assert penalties(root) == {"ada": 2, "karl": 2}
    assert stocks(root) == penalties(root)


@pytest.mark.parametrize(
    ("days", "left"), [(1, None), (2, None), (0.5, 1)], ids=["just", "more", "half"]
)
def test_does_an_extension_lift_a_penalty(root, days, left):
    with book(root) as opened:
        opened.grant_extension(NAME, "ada", days=days)
    again(root)
    assert penalties(root) == {"ada": left, "karl": 2}
    assert stocks(root) == penalties(root)
    with book(root) as opened:
        opened.grant_extension(NAME, "ada")
    again(root)
    assert penalties(root) == {"ada": 2, "karl": 2}, "an extension taken back"


@pytest.mark.parametrize(
    ("due", "left"),
    [(DUE + datetime.timedelta(days=1), None), (DUE - datetime.timedelta(days=1), 4), (None, None)],
    ids=["later", "earlier", "none"],
)
def test_is_a_changed_due_date_noticed(root, due, left):
    with book(root) as opened:
        opened.update_or_create_assignment(NAME, duedate=due)
    again(root)
    assert penalties(root) == {"ada": left, "karl": left}
    assert stocks(root) == penalties(root)


def test_is_a_changed_timestamp_noticed(root):
    hand_in_at(root, "ada", "2026-10-04 12:00:00 UTC")
    again(root)
    assert penalties(root) == {"ada": 6, "karl": 2}
    assert stocks(root) == penalties(root)
    copy = root / "autograded" / "ada" / NAME / "timestamp.txt"
    assert copy.read_text() == "2026-10-04 12:00:00 UTC"
    hand_in_at(root, "ada", "yesterday or so")
    again(root)
    assert penalties(root) == {"ada": 6, "karl": 2}, "what is no time changes nothing"


@pytest.mark.parametrize(
    ("text", "time", "says"),
    [
        ("2026-11-05 20:00:00 UTC", datetime.datetime(2026, 11, 5, 20), ""),
        ("2026-11-05T20:00:00+02:00", datetime.datetime(2026, 11, 5, 18), ""),
        ("05.11.2026 20:00", None, "tells no time such as 2026-11-03 09:00:00 UTC"),  # May?
        ("11/5/2026", None, "tells no time such as"),
        ("yesterday or so", None, "tells no time such as"),
        ("\n", None, ""),  # on time, and nobody knows when
        ("", None, "cannot be read"),
    ],
)
def test_is_a_time_that_can_be_read_in_two_ways_none(text, time, says):
    assert gradebook.handed_in(text) == time
    assert says in gradebook.untimed(text)
    assert bool(says) == bool(gradebook.untimed(text))


def test_is_a_changed_policy_noticed(root):
    path = root / "nbgrader_config.py"
    path.write_text(path.read_text().replace("return 2", "return 3"))
    again(root)
    assert penalties(root) == {"ada": 3, "karl": 3}
    path.write_text(path.read_text().replace("c.AssignLatePenalties", ZERO + "# "))
    again(root)
    assert {s.score for s in standings(root).values()} == {0}
    assert stocks(root) == penalties(root)


def test_is_a_policy_found_in_a_module_beside_the_settings(tmp_path):
    (tmp_path / "late_policy_of_ours.py").write_text(
        POLICY.replace("{RATE}", "5").replace("c.AssignLatePenalties.plugin_class = ADay", "")
    )
    config = 'c.AssignLatePenalties.plugin_class = "late_policy_of_ours.ADay"\n'
    root = a_course(tmp_path, "ada", config=config)
    assert penalties(root) == {"ada": 5}


def test_is_a_penalty_more_than_the_score_or_less_than_nothing(tmp_path):
    root = a_course(tmp_path, "ada", config=POLICY.replace("{RATE}", "100"))
    assert penalties(root) == {"ada": 12} == stocks(root)
    path = root / "nbgrader_config.py"
    path.write_text(path.read_text().replace("return 100", "return -1"))
    again(root)
    assert penalties(root) == {"ada": 0} == stocks(root)


def test_does_a_penalty_follow_the_points_of_a_person(tmp_path):
    root = a_course(tmp_path, "ada", config=ZERO)
    with book(root) as opened:
        opened.find_grade("test_derivative", NAME, NAME, "ada").manual_score = 1
    again(root)
    assert standings(root)["ada"].score == 0
    assert stocks(root) == penalties(root)


def test_does_a_second_run_write_anything(root):
    grade(root, "ada", "karl")
    before = files(root)
    again(root)
    assert files(root) == before


def test_is_a_policy_that_fails_one_sentence(root):
    path = root / "nbgrader_config.py"
    path.write_text(path.read_text().replace("return 2", "return 2 / 0"))
    with pytest.raises(CourseError, match=r"ADay stopped at 01.*'ada'.*ZeroDivisionError"):
        again(root)
    path.write_text(path.read_text() + 'c.AssignLatePenalties.plugin_class = "no.such"\n')
    with pytest.raises(CourseError, match=r"nbgrader_config.py: the late policy"):
        again(root)


def test_does_reading_the_grades_settle_penalties_too(root):
    with book(root) as opened:
        opened.grant_extension(NAME, "ada", days=3)
    with book(root) as opened:
        settled = ledger.settle(root, opened)
    assert settled["ada", NAME].score == 12
    assert settled["karl", NAME].score == 10
