"""Can a student's name be a formula, or a late penalty be out of date, in what is given back?"""

import csv
import io

import pytest
from support import gradebooks
from support.classes import NAME
from support.ledgers import a_course, book

from course.term import export, grades

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
FORMULAS = [
    '=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", " =1+1", "\t=1+1", "\r=1", "\n@x",
    "＝1+1", "－1",
]  # fmt: skip


@pytest.mark.parametrize("form", export.FORMS)
def test_is_any_cell_of_the_table_a_live_formula(tmp_path, form):
    with gradebooks.opened(tmp_path) as opened:
        opened.add_assignment("01-one")
        opened.add_notebook("01-one", "01-one")
        opened.add_grade_cell("q", "01-one", "01-one", max_score=3, cell_type="code")
        for number, text in enumerate(FORMULAS):
            opened.add_student(f"{text}{number}", first_name=text, last_name=text, email=text)
            opened.add_submission("01-one", f"{text}{number}")
    rows = list(csv.reader(io.StringIO(export.export(tmp_path, form, lambda _: None))))
    assert len(rows) > len(FORMULAS)
    for row in rows:
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "－")), row
    assert any("HYPERLINK" in cell for row in rows for cell in row), "the name is still there"


def test_is_an_ordinary_name_left_as_it_is():
    for name in ("Ada", "O'Neill", "Jean-Luc", "née Byron", "", "1st", "a=b"):
        assert grades.safe(name) == name


def test_does_an_extension_count_in_what_is_given_back(tmp_path):
    root = a_course(tmp_path, "ada", config='c.LateSubmissionPlugin.penalty_method = "zero"\n')

    def given():
        rows = list(csv.DictReader(io.StringIO(export.export(root, "csv", lambda _: None))))
        return [(float(r["raw_score"]), float(r["late_submission_penalty"])) for r in rows]

    assert given() == [(12, 12)]
    with book(root) as opened:
        opened.grant_extension(NAME, "ada", days=5)
    assert given() == [(12, 0)]
