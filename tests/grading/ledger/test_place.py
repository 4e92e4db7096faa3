"""Is the gradebook the file that the settings name, for every command, and no other?"""

import sqlite3
from contextlib import closing

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


@pytest.fixture
def earlier(root):
    """The same course with the tables of the nbgrader that knew no courses and no LMS."""
    grade_by_hand(root)
    with closing(sqlite3.connect(root / ELSEWHERE)) as book:
        book.execute("PRAGMA legacy_alter_table = ON")
        book.execute("ALTER TABLE student DROP COLUMN lms_user_id")
        columns = [row[1] for row in book.execute("PRAGMA table_info(assignment)")]
        kept = ", ".join(name for name in columns if name != "course_id")
        book.execute(f"CREATE TABLE plain AS SELECT {kept} FROM assignment")
        book.execute("DROP TABLE assignment")
        book.execute("ALTER TABLE plain RENAME TO assignment")
        book.execute("DROP TABLE course")
        book.execute("UPDATE alembic_version SET version_num = '167914646830'")
        book.commit()
    return root


def test_is_a_gradebook_of_an_earlier_nbgrader_copied_once_and_brought_up_to_date(earlier):
    before = (earlier / ELSEWHERE).read_bytes()
    _, seen, said = grade_by_hand(earlier)
    assert seen == []
    (copied,) = (earlier / ".course").glob("gradebook-*.db")
    assert f".course/{copied.name} is what it was" in " ".join(said)
    with closing(sqlite3.connect(copied)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ("167914646830",)
        ]
    assert not stock_nbgrader.is_earlier(stock_nbgrader.db_url(earlier))
    assert scores(earlier) == {"ada": 3, "ben": 3}
    now = (earlier / ELSEWHERE).read_bytes()
    assert now != before
    _, _, said = grade_by_hand(earlier)
    assert (earlier / ELSEWHERE).read_bytes() == now
    assert len(list((earlier / ".course").glob("gradebook-*.db"))) == 1
    assert "earlier" not in " ".join(said)


def test_is_a_migration_that_fails_half_way_taken_up_without_a_second_copy(earlier, monkeypatch):
    before = (earlier / ELSEWHERE).read_bytes()
    plain = stock_nbgrader.upgrade

    def cut_short(url):
        plain(url)
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(stock_nbgrader, "upgrade", cut_short)
        with pytest.raises(CourseError, match="database or disk is full"):
            grade_by_hand(earlier)
    assert (earlier / ELSEWHERE).read_bytes() == before
    assert len([p for p in databases(earlier) if p.startswith("grades")]) == 1
    grade_by_hand(earlier)
    assert len(list((earlier / ".course").glob("gradebook-*.db"))) == 1
    assert scores(earlier) == {"ada": 3, "ben": 3}
