"""Can Moodle take in what is given back, by the rules of its own importers?

The worksheet's columns are those of Moodle's grading table when it is downloaded: recordid,
fullname and identity fields, status, grade, grademax, gradecanbechanged, timesubmitted, timemarked,
feedback.
"""

import csv
import io
import re
import zipfile

import pytest
from support.by_hand import NAME, graded_course
from support.ledgers import book

from course.errors import CourseError
from course.term.collecting import collect
from course.term.collecting.platforms import HandedIn
from course.term.returning.give_back import give_back

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
HEAD = ("Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments")  # fmt: skip
ROWS = (
    'Participant 5001,"Ada Lovelace",ada@x.org,"Submitted for grading - ",,5.00,Yes,'
    '"Sunday, 1 November 2026, 12:00 PM",-,"kept, as it is"',
    'Participant 5002,"Ben_Unter Strich",,"Submitted for grading - ",3.00,5.00,Yes,-,-,-',
    "Participant 5003,=EVIL(),,No submission,,5.00,Yes,-,-,",
)


@pytest.fixture
def root(tmp_path):
    here = graded_course(tmp_path / "course")
    with book(here) as opened:
        ada, ben = opened.find_student("ada"), opened.find_student("ben")
        ada.first_name, ada.last_name, ada.email = "Ada", "Lovelace", "ada@x.org"
        ben.first_name, ben.last_name = "Ben_Unter", "Strich"
        opened.find_grade("why", NAME, NAME, "ada").manual_score = 1.5
    return here


def worksheet(folder, rows=ROWS, head=HEAD):
    path = folder / "Grades-Course-Sheet 1-77.csv"
    path.write_text("\ufeff" + "\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def given(root, **options):
    said, seen = [], []
    out = root.parent / "out"
    give_back(root, NAME, "moodle", out, say=said.append, must_see=seen.append, **options)
    text = (out / f"{NAME}-grades.csv").read_text(encoding="utf-8")
    return list(csv.reader(io.StringIO(text))), out / f"{NAME}-feedback.zip", seen


def participant(path):
    """Return whose file Moodle takes this for: its importer's rule, in a line."""
    first, unique, plugin, kind, rest = path.split("/")[0].split("_", 4)
    assert first
    assert first[0] not in ".~"
    assert (plugin, kind) == ("assignsubmission", "file")
    return int(unique), rest


def test_is_the_worksheet_filled_in_and_all_else_left(root):
    rows, _, _ = given(root, exported=worksheet(root.parent))
    assert rows[0] == HEAD.split(",")
    assert rows[1][4] == "4.5"
    assert rows[2][4] == "3.00", "a written answer waits: Moodle's own stays, and no zero comes"
    assert rows[3][4] == ""
    assert [r[0] for r in rows[1:]] == ["Participant 5001", "Participant 5002", "Participant 5003"]
    assert [r[9] for r in rows[1:]] == ["kept, as it is", "-", ""]
    assert rows[3][1] == "'=EVIL()"


def test_does_each_page_find_its_participant(root):
    _, path, _ = given(root, exported=worksheet(root.parent))
    with zipfile.ZipFile(path) as packed:
        found = {participant(n): packed.read(n).decode() for n in packed.namelist()}
    assert set(found) == {(5001, f"{NAME}.html"), (5002, f"{NAME}.html")}
    for (unique, _), student in (((5001, ""), "ada"), ((5002, ""), "ben")):
        page = root / "feedback" / student / NAME / f"{NAME}.html"
        assert found[unique, f"{NAME}.html"] == page.read_text()


def test_are_names_by_which_nobody_can_be_told_found_by_number(root):
    """Blind marking: the worksheet has no name; the archive that was collected had the number."""
    kept = root / ".course" / "collected" / "moodle" / f"{NAME}.json"
    kept.parent.mkdir(parents=True)
    kept.write_text('{"ada": "5001"}')
    head = "Identifier,Status,Grade,Maximum grade,Last modified (grade)"
    sheet = worksheet(root.parent, ["Participant 5001,x,,5,-", "Participant 5002,x,,5,-"], head)
    rows, _, seen = given(root, exported=sheet)
    assert [row[2] for row in rows] == ["Grade", "4.5", ""]
    assert any("ben: not in" in line for line in seen)


def test_do_the_archives_numbers_do_without_a_worksheet(root, tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as packed:
        own = (root / "submitted" / "ada" / NAME / f"{NAME}.ipynb").read_bytes()
        packed.writestr(f"Ada Lovelace_5001_assignsubmission_file_/{NAME}.ipynb", own)
    collect.collect(root, NAME, path, dry_run=True)
    assert collect.numbers(root, "moodle", NAME) == {}
    collect.collect(root, NAME, path)
    assert collect.numbers(root, "moodle", NAME) == {"ada": "5001"}
    rows, packed, seen = given(root)
    assert rows[0] == ["Identifier", "Full name", "Email address", "Grade", "Maximum grade",
                       "Last modified (grade)"]  # fmt: skip
    assert rows[1:] == [["Participant 5001", "Ada Lovelace", "ada@x.org", "4.5", "5", "-"]]
    with zipfile.ZipFile(packed) as files:
        assert [participant(n)[0] for n in files.namelist()] == [5001]
    assert any("ben: Moodle's number is not known" in line for line in seen)


def test_are_the_bytes_the_same_each_time(root):
    sheet = worksheet(root.parent)
    _, path, _ = given(root, exported=sheet)
    once = path.read_bytes()
    given(root, exported=sheet)
    assert path.read_bytes() == once


@pytest.mark.parametrize(
    ("head", "rows", "says"),
    [
        (HEAD.replace("Identifier", "Teilnehmer"), ROWS, "no column Identifier; take the file"),
        (
            HEAD,
            [ROWS[0].replace("5.00", "100.00")],
            "Moodle counts 100.00 points, 01-tiny is worth 5",
        ),
        (HEAD, [], "holds no table"),
    ],
)
def test_is_a_worksheet_that_is_of_no_use_one_sentence(root, head, rows, says):
    with pytest.raises(CourseError, match=re.escape(says)):
        given(root, exported=worksheet(root.parent, rows, head))
    assert not (root.parent / "out").exists(), "nothing is half-written"


def test_is_a_grade_that_moodle_will_not_take_named(root):
    with book(root) as opened:
        opened.find_grade("why", NAME, NAME, "ada").extra_credit = 2
        opened.find_grade("why", NAME, NAME, "ben").manual_score = 0
    rows = [ROWS[0], ROWS[1].replace("Yes", "No")]
    _, _, seen = given(root, exported=worksheet(root.parent, rows))
    assert any("ada (6.5, above the maximum), ben (locked" in line for line in seen)


def test_is_it_named_without_a_worksheet_too(root):
    with book(root) as opened:
        opened.find_grade("why", NAME, NAME, "ada").extra_credit = 2
    collect._remember(root, "moodle", NAME, {"ada": [HandedIn("Ada", "5001", "", None, "")]})
    rows, _, seen = given(root)
    assert rows[1][3:5] == ["6.5", "5"]
    assert any("ada (6.5, above the maximum); enter them there by hand" in line for line in seen)


def test_without_worksheet_or_archive_is_the_remedy_said(root):
    with pytest.raises(CourseError, match="give its grading worksheet with --exported"):
        given(root)
