"""Has a warm server imported what kernels need? What it leaves out, each submission pays for."""

import time

import nbformat
import pytest
from support.project import PROJECT

from course.authoring import needed, sheet
from course.grading.cage import command
from course.grading.cage.kernels import Kernels
from course.grading.cage.limits import Limits
from course.grading.session import Session

pytestmark = pytest.mark.skipif(bool(command.works()), reason="a warm server runs in a cage")
FEW = 30  # modules: such as a library's own plug-ins, in a millisecond


@pytest.fixture(scope="module")
def warm():
    kernels = Kernels()
    for _ in range(2):  # what only some need is imported for the third
        kernels.start({}).kill()
    yield kernels
    kernels.close()


@pytest.mark.parametrize("name", ["04-normals", "09-map"])  # both learn by torch.optim
def test_does_a_kernel_import_next_to_nothing_by_itself(warm, name):
    notebook = nbformat.read(PROJECT / "source" / name / f"{name}.ipynb", as_version=4)
    asked = {e.answer_index for e in sheet.exercises(notebook)}
    cells = [notebook.cells[i].source for i in sorted(asked | set(needed.for_answers(notebook)))]
    # The server's own modules, whatever they bring with them, are imported in both.
    from_the_start = "import sys; known = set(sys.modules)"
    limits = Limits()
    with Session(warm.start({}, limits), limits, time.monotonic() + 60) as session:
        assert warm.server is not None, warm.why_cold
        session.run(from_the_start)
        for cell in cells:
            assert session.run(cell).state == "ok", cell
        session.run("import torch, scipy.optimize, scipy.stats")
        session.run("torch.optim.Adam([torch.zeros(1, requires_grad=True)])")
        session.run("later = sorted(set(sys.modules) - known)")
        later = session.values(("later",))["later"]
    assert len(later) < FEW, later
