"""Does a command load what it does not need?"""

import json
import subprocess
import sys

ASK = """
import importlib, json, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
ASKED = ("zmq", "course", "torch")
print(json.dumps([name for name in sys.modules if name.split(".")[0] in ASKED]))
"""


def loaded_by(*modules: str) -> set[str]:
    """Return what of this project, of torch and zmq, a fresh Python holds once it has modules."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *modules], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_does_building_or_proving_load_the_engine_or_talk_to_kernels():
    modules = {"course.authoring.build", "course.proving.bank", "course.proving.margins"}
    loaded = loaded_by(*modules)
    assert modules <= loaded
    assert {name for name in loaded if name.startswith(("zmq", "course.grading"))} == set()


def test_does_the_process_that_hands_out_work_load_what_only_the_workers_need():
    """Torch would take a second of each command, and half of the memory it may have."""
    modules = {"course.grading.grade", "course.term.report"}
    loaded = loaded_by(*modules)
    assert modules <= loaded
    assert "torch" not in loaded


def test_would_the_engine_be_seen():
    assert loaded_by("course.grading.session") >= {"zmq", "torch", "course.grading.session"}
