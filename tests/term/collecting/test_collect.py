"""Does a class arrive in submitted/ as its platform handed it over?"""

import os
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.by_hand import NAME as SHEET
from support.by_hand import course, notebook

from course.errors import CourseError
from course.term.collecting import archive, collect, roster

ROSTER = """id,first_name,last_name,email,lms_user_id,github
ada,Ada,Lovelace,ada@example.org,101,countess
joerg,Jörg,Müller-Groß,jm@example.org,102,
zoe,Zoë,Ångström,zoe@example.org,103,
ann1,Ann,Lee,ann.lee@example.org,104,
ann2,Ann,Lee,annlee@example.org,105,
silent,Sy,Lent,sy@example.org,106,
"""
ENTRY = (2026, 10, 1, 18, 0, 0)
THEN = datetime(*ENTRY).astimezone(UTC)


@pytest.fixture
def root(tmp_path):
    here = course(tmp_path / "course", [])
    (here / "students.csv").write_text(ROSTER, encoding="utf-8")
    return here


def zipped(path: Path, files: dict, time=ENTRY) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name, time), content)
    return path


def words(found: collect.Collected) -> dict:
    return {row.student: row.what for row in found.rows}


def submitted(root: Path) -> dict:
    return {
        str(p.relative_to(root / "submitted")): p.read_text()
        for p in sorted(root.glob("submitted/*/*/*"))
    }


MOODLE = {
    f"Ada Lovelace_5001_assignsubmission_file_/{SHEET}.ipynb": notebook(slope="slope = 1"),
    f"Group A-Jorg Mueller-Gross_5002_assignsubmission_file_/{SHEET}.ipynb": notebook(),
    f"Zoe\u0308 Ångström_5003_assignsubmission_file/{SHEET} (1).ipynb": notebook(slope="slope = 2"),
    f"Ann Lee_5004_assignsubmission_file_/{SHEET}.ipynb": notebook(),
    "Nobody Known_5009_assignsubmission_file_/x.ipynb": notebook(),
    "Ada Lovelace_5001_assignsubmission_onlinetext_/onlinetext.html": "<p>hello</p>",
}


def test_does_a_moodle_archive_arrive(root, tmp_path):
    found = collect.collect(root, SHEET, zipped(tmp_path / "moodle.zip", MOODLE))
    assert found.platform == "moodle"
    assert words(found) == {
        "ada": collect.NEW, "joerg": collect.NEW, "zoe": collect.NEW, "ann1": collect.MISSING,
        "ann2": collect.MISSING, "silent": collect.MISSING, "Ann Lee": collect.UNKNOWN,
        "Nobody Known": collect.UNKNOWN,
    }  # fmt: skip
    there = submitted(root)
    assert there[f"ada/{SHEET}/{SHEET}.ipynb"] == notebook(slope="slope = 1")
    assert there[f"ada/{SHEET}/timestamp.txt"] == f"{THEN:%Y-%m-%d %H:%M:%S} UTC\n"
    assert sorted({name.split("/")[0] for name in there}) == ["ada", "joerg", "zoe"]
    assert "Ann Lee: unknown student (may be ann1, ann2)" in found.to_be_seen()


def test_does_an_archive_without_folders_arrive(root, tmp_path):
    flat = {name.replace("file_/", "file_"): text for name, text in MOODLE.items()}
    found = collect.collect(root, SHEET, zipped(tmp_path / "moodle.zip", flat))
    assert words(found)["ada"] == words(found)["zoe"] == collect.NEW


def test_does_a_canvas_archive_arrive(root, tmp_path):
    files = {
        f"lovelaceada_LATE_101_900_{SHEET}.ipynb": notebook(slope="slope = 1"),
        f"lovelaceada_101_901_{SHEET}-1.ipynb": notebook(slope="slope = 2"),
        f"leeann_105_902_{SHEET}.ipynb": notebook(),
        f"mullergrossjorg_999_903_{SHEET}.ipynb": notebook(),
    }
    found = collect.collect(root, SHEET, zipped(tmp_path / "canvas.zip", files))
    assert found.platform == "canvas"
    assert words(found) == {
        "ada": collect.NEW, "ann2": collect.NEW, "joerg": collect.NEW, "ann1": collect.MISSING,
        "zoe": collect.MISSING, "silent": collect.MISSING,
    }  # fmt: skip
    assert submitted(root)[f"ada/{SHEET}/{SHEET}.ipynb"] == notebook(slope="slope = 2")
    assert next(r for r in found.rows if r.student == "ada").remark == "the last of 2"


def test_does_a_folder_of_clones_arrive_with_the_time_of_the_last_commit(root, tmp_path):
    clone = tmp_path / "clones" / "sheet-one-countess"
    clone.mkdir(parents=True)
    (clone / f"{SHEET}.ipynb").write_text(notebook())
    when = {"GIT_COMMITTER_DATE": "2026-10-02T10:00:00+02:00"}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(clone)]
    for rest in (["init", "-q"], ["add", "."], ["commit", "-qm", "done"]):
        subprocess.run([*git, *rest], check=True, env={**os.environ, **when})
    found = collect.collect(root, SHEET, tmp_path / "clones")
    assert (found.platform, words(found)["ada"]) == ("github", collect.NEW)
    assert submitted(root)[f"ada/{SHEET}/timestamp.txt"] == "2026-10-02 08:00:00 UTC\n"


def test_does_a_plain_folder_arrive(root, tmp_path):
    there = tmp_path / "handed in"
    (there / "zoe").mkdir(parents=True)
    (there / "zoe" / "my solution.ipynb").write_text(notebook())
    (there / "ada.ipynb").write_text(notebook())
    (there / "joerg").mkdir()
    (there / "joerg" / "essay.txt").write_text("words")
    found = collect.collect(root, SHEET, there, "folder")
    assert words(found)["zoe"] == words(found)["ada"] == collect.NEW
    assert words(found)["joerg"] == collect.NO_NOTEBOOK
    remarks = {row.student: row.remark for row in found.rows}
    assert remarks["zoe"] == "taken from my solution.ipynb"
    assert remarks["joerg"] == "there is essay.txt"


def test_does_a_trial_run_write_anything(root, tmp_path):
    found = collect.collect(root, SHEET, zipped(tmp_path / "m.zip", MOODLE), dry_run=True)
    assert words(found)["ada"] == collect.NEW
    assert submitted(root) == {}


def test_is_what_is_there_taken_again_only_where_it_is_later(root, tmp_path):
    path = zipped(tmp_path / "m.zip", MOODLE)
    collect.collect(root, SHEET, path)
    stamps = {p: p.stat().st_mtime_ns for p in root.glob("submitted/*/*/*")}
    again = collect.collect(root, SHEET, path)
    assert words(again)["ada"] == collect.SAME
    assert {p: p.stat().st_mtime_ns for p in root.glob("submitted/*/*/*")} == stamps
    changed = {name: notebook(slope="slope = 9") for name in MOODLE}
    later = zipped(tmp_path / "later.zip", changed, (2026, 10, 3, 9, 0, 0))
    assert words(collect.collect(root, SHEET, later))["ada"] == collect.LATER
    assert "slope = 9" in submitted(root)[f"ada/{SHEET}/{SHEET}.ipynb"]
    older = collect.collect(root, SHEET, path)
    assert words(older)["ada"] == collect.OLDER
    assert "slope = 9" in submitted(root)[f"ada/{SHEET}/{SHEET}.ipynb"]


def test_is_who_handed_in_elsewhere_called_missing(root, tmp_path):
    """Half of a class on Moodle, half on Canvas: each archive lacks the other half."""
    collect.collect(root, SHEET, zipped(tmp_path / "m.zip", MOODLE))
    canvas = {f"leeann_105_902_{SHEET}.ipynb": notebook()}
    found = words(collect.collect(root, SHEET, zipped(tmp_path / "c.zip", canvas)))
    assert found == {
        "ada": collect.ELSEWHERE, "joerg": collect.ELSEWHERE, "zoe": collect.ELSEWHERE,
        "ann1": collect.MISSING, "ann2": collect.NEW, "silent": collect.MISSING,
    }  # fmt: skip


def test_do_names_become_folders_where_there_is_no_list(root, tmp_path):
    (root / "students.csv").unlink()
    found = collect.collect(root, SHEET, zipped(tmp_path / "m.zip", MOODLE))
    assert words(found)["ada-lovelace"] == words(found)["zoe-angstrom"] == collect.NEW


def test_is_a_name_whose_bytes_are_utf_8_read_though_the_archive_does_not_say_so(root, tmp_path):
    path = zipped(tmp_path / "m.zip", {f"Zoë Ångström_1_assignsubmission_file_{SHEET}.ipynb": "{}"})
    content = bytearray(path.read_bytes())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):  # the flag that says UTF-8
        at = content.index(mark) + (7 if mark == b"PK\x03\x04" else 9)
        content[at] &= ~0x08
    path.write_bytes(content)
    assert words(collect.collect(root, SHEET, path))["zoe"] == collect.NEW


BAD = {
    "no zip": (b"hello", "cannot be read as a zip file"),
    "nobody's": ({"a.txt": "x"}, "no file named as moodle or canvas names"),
    "climbs": ({"../x_1_assignsubmission_file_/a.ipynb": "x"}, "leads out of the archive"),
    "absolute": ({"/x_1_assignsubmission_file_/a.ipynb": "x"}, "leads out of the archive"),
}


@pytest.mark.parametrize("kind", BAD)
def test_is_a_bad_archive_one_sentence_and_nothing_written(root, tmp_path, kind):
    content, says = BAD[kind]
    path = tmp_path / "bad.zip"
    path.write_bytes(content) if isinstance(content, bytes) else zipped(path, content)
    with pytest.raises(CourseError, match=says) as caught:
        collect.collect(root, SHEET, path)
    assert "\n" not in str(caught.value)
    assert submitted(root) == {}


def test_does_a_bomb_fill_anything(root, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 10_000)
    path = tmp_path / "m.zip"
    name = f"Ada Lovelace_1_assignsubmission_file_/{SHEET}.ipynb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, b"\0" * 5_000_000)
    found = collect.collect(root, SHEET, path)
    assert words(found)["ada"] == collect.NO_NOTEBOOK
    assert "larger than any notebook" in found.to_be_seen()[0]
    assert submitted(root) == {}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("99-none", "x.zip"), "no sheet '99-none'"),
        ((SHEET, "x.zip"), "does not exist"),
        ((SHEET, "x.zip", "blackboard"), "no platform 'blackboard'"),
    ],
)
def test_is_a_wrong_word_one_sentence(root, tmp_path, args, says):
    with pytest.raises(CourseError, match=says):
        collect.collect(root, args[0], tmp_path / args[1], *args[2:])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\nx\n", "needs a first line"),
        ("id\na\na\n", "line 3: the id 'a' stands there twice"),
        ("id\n../a\n", "cannot name a folder"),
        ("id\n.a\n", "cannot name a folder"),
    ],
)
def test_is_a_bad_list_of_students_one_sentence(root, text, says):
    (root / "students.csv").write_text(text)
    with pytest.raises(CourseError, match=says):
        roster.students(root)


def test_is_a_list_that_a_spreadsheet_wrote_read(root):
    (root / "students.csv").write_bytes("id;first_name\nzoë;Zoë\n".encode("utf-8-sig"))
    assert roster.students(root) == [roster.Student("zoë", "Zoë")]
