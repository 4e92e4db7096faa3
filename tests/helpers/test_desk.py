"""Does a student get their own copies, and keep what they wrote?"""

from support.project import PROJECT, SHEETS

from helpers import desk


def test_does_a_new_desk_hold_every_sheet(tmp_path):
    said = desk.lay_out(PROJECT / "release", tmp_path)
    assert len(said) == len(SHEETS)
    for name in SHEETS:
        given = PROJECT / "release" / name / f"{name}.ipynb"
        assert (tmp_path / name / f"{name}.ipynb").read_bytes() == given.read_bytes()


def test_is_a_students_work_left_alone(tmp_path):
    desk.lay_out(PROJECT / "release", tmp_path)
    mine = tmp_path / SHEETS[0] / f"{SHEETS[0]}.ipynb"
    mine.write_text("my work")
    said = desk.lay_out(PROJECT / "release", tmp_path)
    assert mine.read_text() == "my work"
    assert "left as it is" in said[0]
