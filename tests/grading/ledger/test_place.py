"""Is the gradebook the file that the settings name, for every command, and no other?"""

import pytest
from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in

from course import stock_nbgrader
from course.errors import CourseError
from course.grading.ledger import gradebook, ledger, standing
from course.term import export

ELSEWHERE = "grades/of_ours.db"


@pytest.fixture
def root(tmp_path):
    """A course whose settings name another file than gradebook.db."""
    root = course(tmp_path / "course")
    (root / "grades").mkdir()
    name_it(root, f"sqlite:///{ELSEWHERE}")
    return root


def name_it(root, url):
    text = f"c = get_config()\nc.CourseDirectory.db_url = {url!r}\n"
    (root / "nbgrader_config.py").write_text(text)


def databases(root):
    return [str(p.relative_to(root)) for p in root.rglob("*.db*")]


def scores(root):
    with gradebook.reading(root) as book:
        return {who: one.raw for (who, _), one in standing.read(book).items()}


def test_is_a_gradebook_made_and_read_where_the_settings_say_and_nowhere_else(root):
    grade_by_hand(root)
    hand_in(root, "cleo")
    grade_by_hand(root, ByHand(cleo=lambda job: graded(job, "failed", "✗ no")))
    assert databases(root) == [ELSEWHERE]
    assert scores(root) == {"ada": 3, "ben": 3, "cleo": 0}
    assert "cleo" in export.export(root, "csv", lambda _: None)
    ledger.give_feedback(root, [], force=True, say=lambda _: None)
    assert databases(root) == [ELSEWHERE]


def test_does_a_second_file_hold_what_the_first_held_once_the_settings_name_it(root):
    grade_by_hand(root)
    first = (root / ELSEWHERE).read_bytes()
    name_it(root, f"sqlite:///{root}/second.db")  # an absolute path as well
    with pytest.raises(CourseError, match=r"second.db does not exist; run «course grade» first"):
        scores(root)
    _, seen, _ = grade_by_hand(root, ByHand(ada=None, ben=None))  # no code runs for it
    assert seen == []
    assert scores(root) == {"ada": 3, "ben": 3}
    assert sorted(databases(root)) == [ELSEWHERE, "second.db"]
    assert (root / ELSEWHERE).read_bytes() == first
    assert stock_nbgrader.shown(stock_nbgrader.db_url(root)) == f"{root}/second.db"


def test_is_the_copy_before_a_migration_one_of_that_file(root):
    grade_by_hand(root)
    before = (root / ELSEWHERE).stat().st_size
    source = root / "source" / NAME / f"{NAME}.ipynb"
    source.write_text(source.read_text().replace('"points": 3', '"points": 6'))
    grade_by_hand(root)
    (copied,) = (root / ".course").glob("gradebook-*.db")
    assert copied.stat().st_size == before
    assert sorted(databases(root)) == sorted([ELSEWHERE, str(copied.relative_to(root))])
