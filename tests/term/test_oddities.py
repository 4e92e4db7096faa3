"""Is what is odd about a class said, and nothing of one that is as it should be?"""

import os

import pytest
from support.by_hand import NAME, graded_course, notebook
from support.ledgers import DUE, book

from course.term import oddities

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def root(tmp_path):
    return graded_course(tmp_path / "course")


def said(root, **how):
    return list(oddities.lines(root, [], **how))


def test_is_a_class_that_is_as_it_should_be_left_in_peace(root):
    assert said(root) == []


def test_is_a_notebook_of_another_name_named(root):
    folder = root / "submitted" / "cleo" / NAME
    folder.mkdir(parents=True)
    (folder / "my sheet.ipynb").write_text(notebook())
    (line,) = said(root)
    assert line.endswith(f"cleo/{NAME} (my sheet.ipynb) in submitted/; rename it")
    assert list(oddities.lines(root, ["another"])) == []
    (folder / f"{NAME}.ipynb").write_text(notebook())
    assert said(root) == []


def test_is_a_sheet_named_that_only_the_gradebook_knows(root):
    with book(root) as opened:
        opened.update_or_create_assignment("01-tinny", duedate=DUE)
    (line,) = said(root)
    assert line.startswith("the gradebook knows 01-tinny, and source/ does not")


def test_is_who_has_no_time_named_where_it_is_asked(root):
    assert said(root, untimed=True) == [], "without a due date nobody is late"
    with book(root) as opened:
        opened.update_or_create_assignment(NAME, duedate=DUE)
    assert said(root, untimed=True) == []
    folder = root / "submitted" / "ada" / NAME
    later = (folder / "timestamp.txt").stat().st_mtime + 3600
    os.utime(folder / f"{NAME}.ipynb", (later, later))
    (line,) = said(root, untimed=True)
    assert line.endswith(f"tells the time that counts: ada ({NAME})")
    assert said(root) == []
