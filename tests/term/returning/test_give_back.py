"""What is given back, whatever the platform: whole or not at all, and up to date."""

import zipfile

import pytest
from support.by_hand import NAME, graded_course
from support.ledgers import book
from typer.testing import CliRunner

from course import cli
from course.errors import CourseError
from course.term.returning.give_back import give_back

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def root(tmp_path):
    return graded_course(tmp_path / "course")


def test_does_each_student_get_a_zip_of_the_page_as_it_is_now(root, tmp_path):
    with book(root) as opened:
        opened.find_grade("why", NAME, NAME, "ada").manual_score = 1.25
        opened.find_comment("why", NAME, NAME, "ada").manual_comment = "Say of what."
    words = ["return", NAME, "--to", "zip", "--out", str(tmp_path / "out"), "--root", str(root)]
    ran = CliRunner().invoke(cli.app, words)
    assert ran.exit_code == 1, "a written answer waits, which a person must see"
    assert "wait for a person" in ran.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["ada.zip", "ben.zip"]
    with zipfile.ZipFile(tmp_path / "out" / "ada.zip") as packed:
        assert packed.namelist() == [f"{NAME}/{NAME}.html"]
        page = packed.read(f"{NAME}/{NAME}.html").decode()
    assert "Say of what." in page
    assert "4.25" in page


@pytest.mark.parametrize(
    ("sheet", "platform", "options", "says"),
    [
        (NAME, "ilias", {}, "choose one of moodle, canvas, zip"),
        ("99-none", "zip", {}, "There is no sheet '99-none'"),
        (NAME, "canvas", {"exported": "nothing.csv"}, "cannot be read"),
        (NAME, "zip", {"exported": "nothing.csv"}, "needs nothing exported"),
        (NAME, "moodle", {"column": "x"}, "--column names a heading of Canvas"),
    ],
)
def test_is_what_cannot_be_done_one_sentence(root, tmp_path, sheet, platform, options, says):
    if "exported" in options:
        options = {"exported": tmp_path / options["exported"]}
    with pytest.raises(CourseError, match=says):
        give_back(root, sheet, platform, tmp_path / "out", say=lambda _: None, **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00binary", b"", b"one\ntwo\n", b'"open,\n1,2\n'])
def test_is_a_file_that_is_no_table_one_sentence(root, tmp_path, content):
    path = tmp_path / "export.csv"
    path.write_bytes(content)
    for platform in ("canvas", "moodle"):
        with pytest.raises(CourseError, match=r"export\.csv"):
            give_back(root, NAME, platform, tmp_path / "out", path, say=lambda _: None)


def test_is_a_file_in_the_way_one_sentence(root, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(CourseError, match="is a file; name a folder"):
        give_back(root, NAME, "zip", tmp_path / "out")
