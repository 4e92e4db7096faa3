"""Can written answers be read in a spreadsheet, and does what is given there arrive?"""

import csv
import io

import pytest
from support.by_hand import NAME, grade_by_hand, graded_course, hand_in, notebook
from support.ledgers import book

from course.errors import CourseError
from course.term import written

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def root(tmp_path):
    return graded_course(tmp_path / "course")


def printed(root):
    return {row["id"]: row for row in csv.DictReader(io.StringIO(written.table(root, NAME)))}


def entered(root, text, encoding="utf-8"):
    path, said = root.parent / "read.csv", []
    path.write_text(text, encoding=encoding)
    written.enter(root, NAME, path, said.append)
    return said


def held(root):
    """Return points, extra credit, whether a person should look, and the comment, by student."""
    with book(root) as opened:
        grades = {s: opened.find_grade("why", NAME, NAME, s) for s in ("ada", "ben")}
        words = {s: opened.find_comment("why", NAME, NAME, s).manual_comment for s in grades}
        return {s: (g.manual_score, g.extra_credit, g.needs_manual_grade, words[s])
                for s, g in grades.items()}  # fmt: skip


OPEN = (None, None, True, None)


def test_is_every_answer_a_row_with_its_text(root):
    # Graded by hand, a notebook is the source's copy.
    (root / "autograded" / "ada" / NAME / f"{NAME}.ipynb").write_text(notebook(why="Since."))
    rows = printed(root)
    assert sorted(rows) == ["ada", "ben"]
    assert list(rows["ada"]) == list(written.COLUMNS)
    assert rows["ada"]["answer"] == "Since."
    assert (rows["ada"]["question"], rows["ada"]["points"], rows["ada"]["before"]) == (
        "why",
        "",
        "",
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_does_what_was_given_arrive(root, separator):
    """With the decimal comma and the mark at the beginning that spreadsheets write."""
    lines = [["id", "question", "points", "extra", "comment"], ["ada", "why", "1,5", "0.5", "Gut"],
             ["ben", "why", "", "", ""]]  # fmt: skip
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(lines)
    (said,) = entered(root, text.getvalue(), "utf-8-sig")
    assert said == f"{NAME}: 1 answers entered; course feedback makes the pages"
    assert held(root) == {"ada": (1.5, 0.5, False, "Gut"), "ben": OPEN}
    assert printed(root)["ada"]["points"] == "1.5"
    assert "1 as they were" in entered(root, text.getvalue())[0]


def test_does_a_printed_table_change_nothing_when_it_comes_back(root):
    entered(root, "id,question,points,comment\nada,why,1,=1+1\n")
    before = held(root)
    assert before["ada"][3] == "=1+1"
    assert printed(root)["ada"]["comment"] == "'=1+1", "no live formula"
    entered(root, written.table(root, NAME))
    assert held(root) == before


def test_is_an_answer_that_was_graded_again_read_again(root):
    entered(root, "id,question,points\nada,why,1\n")
    hand_in(root, "ada", notebook(why="Because."))
    grade_by_hand(root)
    row = printed(root)["ada"]
    assert (row["before"], row["points"]) == ("1", "")
    entered(root, written.table(root, NAME))
    assert held(root)["ada"][2], "an empty cell is nobody's reading"
    entered(root, "id,question,points\nada,why,1\n")
    assert held(root)["ada"] == (1, None, False, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,points\nada,1\n", "has no column question"),
        ("id,question,points\nada,why,viel\n", "line 2: 'viel' is no number of points"),
        ("id,question,points\nada,why,-1\n", "line 2: '-1' is no number of points"),
        ("id,question,points\nada,why,1\nben,why,9\n", "line 3: 9 points of 2; what is above"),
        ("id,question,points\nada,why,1\nzoe,why,1\n", "line 3: 'zoe' has handed in no"),
        ("id,question,points\nada,why,1\nben,test_slope,1\n", "'test_slope' is no written"),
        ("id;question;points\n", "no table with headings and rows"),
    ],
)
def test_is_a_table_that_cannot_be_meant_one_sentence_and_nothing_entered(root, text, says):
    with pytest.raises(CourseError, match=says):
        entered(root, text)
    assert held(root) == {"ada": OPEN, "ben": OPEN}
