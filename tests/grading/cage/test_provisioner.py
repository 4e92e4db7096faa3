"""Do nbclient and stock nbgrader run their kernels in a cage, by the one line of the settings?"""

import tempfile

import nbformat
import pytest
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient
from support import gradebooks
from support.classes import NAME, copied, hand_in, solved
from support.project import PROJECT
from support.stock import nbgrader
from traitlets.config import Config

from course.errors import CourseError
from course.grading.cage import command
from course.grading.cage.provisioner import CageProvisioner

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(command.works()), reason="there is no cage on this machine"),
]
LOOKS = """
import os, pathlib, socket
def tried(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "yes"
import helpers.data
print(tried(lambda: socket.create_connection(("127.0.0.1", 22), timeout=1)))
print(tried(lambda: os.listdir(PROJECT)))
print(pathlib.Path.cwd(), len([p for p in os.listdir("/proc") if p.isdigit()]) < 9)
"""


def test_is_a_kernel_of_nbclient_in_a_cage(monkeypatch):
    factory = KernelProvisionerFactory.instance(parent=None)
    monkeypatch.setattr(factory, "default_provisioner_name", "course-cage")
    code = LOOKS.replace("PROJECT", repr(str(PROJECT / "course")))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    said = "".join(o.get("text", str(o)) for o in notebook.cells[0].outputs).splitlines()
    assert said[0] != "yes"
    assert said[1] == "FileNotFoundError"
    assert said[2] == "/cage/work True"


def test_do_the_settings_of_the_course_limit_a_kernel(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    factory = KernelProvisionerFactory.instance(parent=None)
    monkeypatch.setattr(factory, "default_provisioner_name", "course-cage")
    look = "import resource; print(resource.getrlimit(resource.RLIMIT_DATA)[0])"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(look)])
    settings = Config(CourseLimits={"memory": 1 << 30})
    NotebookClient(notebook, timeout=60, kernel_name="python3", config=settings).execute()
    assert notebook.cells[0].outputs[0].text == f"{1 << 30}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "memory", [-1, 0, True, 1.5, "3GB", float("nan"), 2**63], ids=lambda value: repr(value)
)
def test_does_a_limit_that_is_none_start_a_kernel(memory):
    provisioner = CageProvisioner(config=Config(CourseLimits={"memory": memory}))
    with pytest.raises(CourseError, match=r"CourseLimits.memory is .* above 0, such as"):
        provisioner._limits()


def test_is_a_limit_that_nobody_knows_taken():
    provisioner = CageProvisioner(config=Config(CourseLimits={"memroy": 1 << 30}))
    with pytest.raises(CourseError, match=r"CourseLimits has no memroy; it has memory, file_size"):
        provisioner._limits()


def test_does_stock_nbgrader_grade_in_a_cage(tmp_path):
    root = copied(tmp_path)
    peeks = "\nimport os\nassert not os.path.exists('/cage/start.py'), 'in a cage'"
    hand_in(root, "right", solved())
    hand_in(root, "caged", solved({"grad_after": peeks}))
    settings = (PROJECT / "nbgrader_config.py").read_text()
    line = '# import os; os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "course-cage"'
    assert line in settings
    (root / "nbgrader_config.py").write_text(settings.replace(line, line.removeprefix("# ")))
    done = nbgrader(root, "autograde", NAME, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    with gradebooks.opened(root) as book:
        scores = {s.student_id: s.score for s in book.assignment_submissions(NAME)}
    assert scores == {"right": 12, "caged": 10}
    graded = (root / "autograded" / "caged" / NAME / f"{NAME}.ipynb").read_text()
    assert '"evalue": "in a cage"' in graded
