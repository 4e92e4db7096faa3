"""Does nbgrader's exchange lead from the sheet to the student and back, with the judge's words?"""

import getpass

import nbformat
import pytest
from support.classes import NAME, copied
from support.project import PROJECT
from support.stock import nbgrader

from course.authoring import sheet
from course.grading import grade

pytestmark = [pytest.mark.slow, pytest.mark.night]
EXCHANGE = """
c.Exchange.root = {root!r}
c.CourseDirectory.db_url = "sqlite:///gradebook.db"
"""


def done(folder, *words, **environment):
    ran = nbgrader(folder, *words, **environment)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran


def test_does_a_student_of_the_exchange_read_the_judges_words(tmp_path, caged):
    course, desk, exchange = (tmp_path / name for name in ("course", "desk", "exchange"))
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    desk.mkdir()
    copied(course)
    config = (PROJECT / "nbgrader_config.py").read_text() + EXCHANGE.format(root=str(exchange))
    for folder in (course, desk):
        (folder / "nbgrader_config.py").write_text(config)
    own = {"HOME": str(tmp_path / "home"), "JUPYTER_DATA_DIR": str(tmp_path / "home" / "data")}

    done(course, "generate_assignment", NAME, "--force")
    done(course, "release_assignment", NAME)
    done(desk, "fetch_assignment", NAME, **own)
    path = desk / NAME / f"{NAME}.ipynb"
    fetched = nbformat.read(path, as_version=4)
    first = sheet.exercises(fetched)[0]
    fetched.cells[first.answer_index].source = "def derivative(f, x):\n    return f(x)"
    nbformat.write(fetched, path)
    done(desk, "submit", NAME, **own)
    done(course, "collect", NAME)
    (result,) = grade.grade_class(course, [], [], no_cage=not caged, say=lambda _: None)
    assert result.student == getpass.getuser()
    done(course, "release_feedback", NAME)
    done(desk, "fetch_feedback", NAME, **own)

    (page,) = desk.glob(f"{NAME}/feedback/*/{NAME}.html")
    said = result.tests[first.test]
    assert said.state == "failed"
    assert said.wrong_turn
    assert f"→ {said.wrong_turn}" in page.read_text(encoding="utf-8")
