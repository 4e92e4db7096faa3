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
    assert next(r for r in found.rows if r.student == "ada").remark == (
        f"taken from {SHEET}-1.ipynb; the last of 2"
    )


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


# --- when -----------------------------------------------------------------------------------------

WORKSHEET = """Identifier,Full name,Status,Grade,Maximum grade,Last modified (submission)
Participant 5001,Ada Lovelace,Submitted for grading,,14.00,"Thursday, 1 October 2026, 6:00 PM"
Participant 5002,Jörg Müller-Groß,Submitted for grading,,14.00,"Saturday, 3 October 2026, 9:05 AM"
Participant 5003,Zoë Ångström,No submission,,14.00,-
"""


def stamps(root: Path) -> dict:
    return {name.split("/")[0]: text.strip() for name, text in submitted(root).items()
            if name.endswith("timestamp.txt") and text.strip()}  # fmt: skip


def telling(found: collect.Collected) -> list[str]:
    return [s for s in found.to_be_seen() if collect.UNKNOWN not in s]


def test_is_the_time_at_which_an_archive_was_made_taken_for_anybodys(root, tmp_path):
    """Moodle and Canvas stream archives: all files have the time of the download."""
    moodle = collect.collect(root, SHEET, zipped(tmp_path / "moodle.zip", MOODLE))
    assert stamps(root) == {}
    (said,) = telling(moodle)
    assert "ada, joerg, zoe handed in; without a time nobody is late" in said
    assert "--exported" in said
    canvas = {f"leeann_LATE_105_902_{SHEET}.ipynb": notebook(),
              f"lentsy_106_903_{SHEET}.ipynb": notebook()}  # fmt: skip
    found = collect.collect(root, SHEET, zipped(tmp_path / "canvas.zip", canvas))
    assert stamps(root) == {}
    there = submitted(root)
    assert there[f"silent/{SHEET}/timestamp.txt"] == collect.ON_TIME
    assert f"ann2/{SHEET}/timestamp.txt" not in there
    (said,) = telling(found)
    assert "canvas's mark" in said
    assert "by how much: ann2; write the time into timestamp.txt" in said
    # Until the time is there it is said each time; then it is kept.
    assert len(telling(collect.collect(root, SHEET, tmp_path / "canvas.zip"))) == 1
    stamp = root / "submitted" / "ann2" / SHEET / "timestamp.txt"
    stamp.write_text("2026-10-01 20:00:00 UTC\n")
    again = collect.collect(
        root, SHEET, zipped(tmp_path / "c2.zip", canvas, (2026, 12, 1, 0, 0, 0))
    )
    assert telling(again) == []
    assert words(again)["ann2"] == words(again)["silent"] == collect.SAME
    assert stamp.read_text() == "2026-10-01 20:00:00 UTC\n"


def test_is_a_time_kept_that_older_archives_tell(root, tmp_path):
    """Of a class whose files are days apart: those times are when students handed in."""
    path = zipped(tmp_path / "moodle.zip", MOODLE)
    with zipfile.ZipFile(path, "a") as made:
        other = zipfile.ZipInfo(f"Sy Lent_5006_assignsubmission_file_/{SHEET}.ipynb",
                                (2026, 10, 3, 9, 0, 0))  # fmt: skip
        made.writestr(other, notebook())
    found = collect.collect(root, SHEET, path)
    assert stamps(root)["ada"] == f"{THEN:%Y-%m-%d %H:%M:%S} UTC"
    assert next(r for r in found.rows if r.student == "ada").time == THEN
    assert telling(found) == []


def test_does_moodles_worksheet_tell_the_times(root, tmp_path):
    path, sheet = zipped(tmp_path / "moodle.zip", MOODLE), tmp_path / "worksheet.csv"
    sheet.write_text(WORKSHEET, encoding="utf-8-sig")
    found = collect.collect(root, SHEET, path, exported=sheet)
    second = datetime(2026, 10, 3, 9, 5).astimezone(UTC)
    assert stamps(root) == {"ada": f"{THEN:%Y-%m-%d %H:%M:%S} UTC",
                            "joerg": f"{second:%Y-%m-%d %H:%M:%S} UTC"}  # fmt: skip
    (said,) = telling(found)
    assert "not when zoe handed in" in said


def test_does_a_time_that_comes_later_reach_what_is_there(root, tmp_path):
    path, sheet = zipped(tmp_path / "moodle.zip", MOODLE), tmp_path / "worksheet.csv"
    sheet.write_text(WORKSHEET, encoding="utf-8")
    collect.collect(root, SHEET, path)
    found = collect.collect(root, SHEET, path, exported=sheet)
    assert words(found)["ada"] == collect.TIMED
    assert sorted(stamps(root)) == ["ada", "joerg"]
    assert words(collect.collect(root, SHEET, path, exported=sheet))["ada"] == collect.SAME
    (root / "submitted" / "ada" / SHEET / "timestamp.txt").write_text("2026-09-30 18:00:00 UTC\n")
    collect.collect(root, SHEET, path, exported=sheet)
    assert stamps(root)["ada"] == "2026-09-30 18:00:00 UTC", "what a person wrote stays"


def test_is_a_later_archive_told_from_an_earlier_one_without_times(root, tmp_path):
    name = f"leeann_105_902_{SHEET}.ipynb"
    early = zipped(tmp_path / "early.zip", {name: notebook()}, (2026, 10, 1, 18, 0, 0))
    late = zipped(
        tmp_path / "late.zip", {name: notebook(slope="slope = 9")}, (2026, 10, 5, 9, 0, 0)
    )
    collect.collect(root, SHEET, early)
    assert words(collect.collect(root, SHEET, late))["ann2"] == collect.LATER
    assert words(collect.collect(root, SHEET, early))["ann2"] == collect.OLDER
    assert "slope = 9" in submitted(root)[f"ann2/{SHEET}/{SHEET}.ipynb"]
    # A time that was written for an earlier hand-in is not the later one's.
    stamp = root / "submitted" / "ann2" / SHEET / "timestamp.txt"
    stamp.write_text("2026-10-05 08:00:00 UTC\n")
    assert words(collect.collect(root, SHEET, early))["ann2"] == collect.OLDER
    last = zipped(
        tmp_path / "last.zip", {name: notebook(slope="slope = 7")}, (2026, 10, 9, 9, 0, 0)
    )
    assert words(collect.collect(root, SHEET, last))["ann2"] == collect.LATER
    assert stamps(root) == {}


def test_is_the_file_with_the_sheets_own_name_taken_before_its_copy(root, tmp_path):
    who = "Ada Lovelace_5001_assignsubmission_file_"
    files = {f"{who}/{SHEET} (1).ipynb": notebook(slope="slope = 2"),
             f"{who}/{SHEET}.ipynb": notebook(slope="slope = 1")}  # fmt: skip
    found = collect.collect(root, SHEET, zipped(tmp_path / "m.zip", files))
    assert "slope = 1" in submitted(root)[f"ada/{SHEET}/{SHEET}.ipynb"]
    seen = next(s for s in found.to_be_seen() if s.startswith("ada"))
    assert seen == f"ada: new (the last of 2; left: {SHEET} (1).ipynb)"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Identifier,Grade\nParticipant 1,3\n", "has no column Last modified"),
        (WORKSHEET.replace("Thursday, 1 October 2026, 6:00 PM", "Donnerstag, 1. Oktober 2026"),
         "line 2: 'Donnerstag, 1. Oktober 2026' is no time as Moodle writes it in English"),
        (WORKSHEET.replace("Thursday, 1 October 2026, 6:00 PM", "1/10/2026 18:00"), "no time as"),
    ],
)  # fmt: skip
def test_is_a_worksheet_of_no_use_one_sentence_and_nothing_written(root, tmp_path, text, says):
    path, sheet = zipped(tmp_path / "moodle.zip", MOODLE), tmp_path / "worksheet.csv"
    sheet.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match=says):
        collect.collect(root, SHEET, path, exported=sheet)
    assert submitted(root) == {}


def test_is_a_worksheet_for_another_platform_refused(root, tmp_path):
    path = zipped(tmp_path / "canvas.zip", {f"leeann_105_902_{SHEET}.ipynb": notebook()})
    with pytest.raises(CourseError, match="grading worksheet of Moodle; this is canvas"):
        collect.collect(root, SHEET, path, exported=tmp_path / "worksheet.csv")


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
