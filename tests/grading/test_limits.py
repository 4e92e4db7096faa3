"""Does what breaks a limit cost only its own points, and honest noise nothing?"""

import nbformat
import pytest
from support.classes import NAME, copied, hand_in, solved, states
from support.project import PROJECT

from course.authoring import sheet
from course.grading import submitted
from course.grading.cage.limits import Limits
from course.grading.submission import grade_submission

pytestmark = [pytest.mark.slow, pytest.mark.alone]

NOISE = """
import logging, sys, threading, warnings
import matplotlib.pyplot as plt
print("noise " * 10_000)
warnings.warn("noise")
logging.basicConfig(level=logging.DEBUG)
logging.error("noise")
print("noise", file=sys.stderr)
for step in range(200):
    print(f"\\r{step / 2:.0f} %", end="", file=sys.stderr)
plt.plot([1, 2]); plt.show()
threading.Thread(target=print, args=("noise",)).start()
"""


def graded_alone(root, caged, **limits):
    (job,) = submitted.jobs(root, [NAME], [], caged, print, Limits(**limits))
    return grade_submission(job).result


@pytest.mark.parametrize(
    "loop",
    ["while True:\n    pass", "def grad_after(*a):\n    while True: pass"],
    ids=["cell", "function"],
)
def test_does_an_endless_loop_cost_only_its_own_points(tmp_path, caged, loop):
    root = copied(tmp_path)
    hand_in(root, "endless", solved({"grad_after": loop}))
    result = graded_alone(root, caged, cell_seconds=3)
    assert states(result)["test_grad_after"] == "timeout"
    assert result.score == 10


@pytest.mark.parametrize("where", ["cell", "function"])
def test_does_code_that_ignores_interrupts_cost_only_its_own_points(tmp_path, caged, where):
    root = copied(tmp_path)
    deaf = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    deaf += "try:\n    time.sleep(1000)\nexcept BaseException:\n    time.sleep(1000)"
    if where == "function":
        deaf = "def grad_after(*a):\n    " + deaf.replace("\n", "\n    ")
    hand_in(root, "deaf", solved({"grad_after": deaf}))
    result = graded_alone(root, caged, cell_seconds=3)
    assert states(result)["test_grad_after"] == "timeout"
    assert result.score == 10


def test_does_a_submission_that_uses_up_its_time_end_with_what_was_judged(tmp_path, caged):
    root = copied(tmp_path)
    hand_in(root, "slow", solved({"grad_after": "import time\ntime.sleep(1000)"}))
    result = graded_alone(root, caged, cell_seconds=100, submission_seconds=15)
    assert states(result)["test_derivative"] == "passed"
    assert states(result)["test_grad_after"] == "timeout"
    assert states(result)["test_nll_gradient"] == "timeout"


def test_does_honest_noise_cost_anything(tmp_path, caged):
    root = copied(tmp_path)
    source = nbformat.read(PROJECT / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    answers = {
        e.name: NOISE + source.cells[e.answer_index].source + NOISE for e in sheet.exercises(source)
    }
    answers["grad_after"] += "\nimport time\ntime.sleep(2)"
    answers["nll_gradient"] = answers["nll_gradient"].replace(
        "    ### BEGIN", "    import time, warnings\n    time.sleep(1)\n"
        "    warnings.warn('slow, but fine')\n    print('noise')\n    ### BEGIN"
    )  # fmt: skip
    hand_in(root, "noisy", solved(answers))
    result = graded_alone(root, caged)
    assert result.score == 12, result.tests
