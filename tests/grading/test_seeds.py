"""Is the course's secret made whole, and refused where anyone could guess it?"""

import os

import pytest

from course import files
from course.errors import CourseError
from course.grading import seeds


def test_is_a_secret_made_once_for_its_owner_alone(tmp_path):
    made = seeds.secret(tmp_path)
    assert len(made) == 64
    assert seeds.secret(tmp_path) == made
    assert (tmp_path / ".course" / "secret").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in (tmp_path / ".course").iterdir()] == ["secret"]


@pytest.mark.parametrize("name", [".course-secret", ".course/secret"])
@pytest.mark.parametrize("content", [b"", b" \n", b"short", b"0" * 15])
def test_is_an_empty_or_short_secret_refused_with_the_remedy(tmp_path, name, content):
    (tmp_path / ".course").mkdir()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CourseError, match=rf"{name} holds .* put the file back from a backup"):
        seeds.secret(tmp_path)
    assert (tmp_path / name).read_bytes() == content


def test_does_a_course_that_has_a_secret_keep_it(tmp_path):
    (tmp_path / ".course-secret").write_text("the secret of last year")
    assert seeds.secret(tmp_path) == b"the secret of last year"
    assert not (tmp_path / ".course").exists()


def test_is_a_secret_that_cannot_be_read_one_sentence(tmp_path):
    (tmp_path / ".course-secret").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CourseError, match=r"\.course-secret cannot be read"):
        seeds.secret(tmp_path)


def test_is_there_a_moment_with_half_a_secret(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    for step in ("fsync", "fdopen", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(files.os, step, full)
            if step == "link":  # and no other way of giving it its name
                patch.setattr(files.Path, "replace", full)
            with pytest.raises(OSError, match="No space"):
                seeds.secret(tmp_path)
        assert list((tmp_path / ".course").iterdir()) == []


def test_does_the_second_of_two_that_make_a_secret_take_the_first(tmp_path, monkeypatch):
    link = os.link

    def late(made, path):
        path.write_text("of the one who was first")
        link(made, path)

    monkeypatch.setattr(files.os, "link", late)
    assert seeds.secret(tmp_path) == b"of the one who was first"
