"""Try attacks of the bank without a class, each in a kernel of its own, as whoever runs this.

    python tests/support/attacks/alone.py warm|cold STUDENT…

Prints a line of JSON for each: the state in which the attack's own cell ended, and what it printed.
Control groups are not used, so that what counts where there are none is tried everywhere.
"""

import json
import os
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent.parent
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT)]

from course.grading.cage import command, groups  # noqa: E402
from course.grading.cage.kernels import Kernels  # noqa: E402
from course.grading.cage.limits import Limits  # noqa: E402
from course.grading.session import Session  # noqa: E402
from support.attacks import bank  # noqa: E402

LIMITS = Limits(memory=3 << 29, processes=64, cell_seconds=6, submission_seconds=40)
ORDINARY = 54321  # a user that owns nothing


def as_ordinary_user() -> list[str]:
    """Return the words that run a program as an ordinary user; none where this is one.

    The home of root cannot be read by others, and a Python or a project may live in it: so all but
    these is hidden from it, in a mount namespace of its own.
    """
    if os.geteuid() != 0:
        return []
    binary, home = command.bubblewrap(), str(Path.home())
    assert binary is not None
    words = [binary, "--die-with-parent", "--bind", "/", "/", "--dev-bind", "/dev", "/dev"]
    words += ["--perms", "0755", "--tmpfs", home]
    for path in sorted({*command.python_folders(), str(PROJECT)}):
        if path.startswith(f"{home}/"):  # whole, since a Python may be found by a link beside it
            kept = str(Path(home, Path(path).relative_to(home).parts[0]))
            words += ["--ro-bind", kept, kept]
    return [*words, "setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]


def main(warm: bool, students: list[str]) -> None:
    """Run each attack and print what became of it."""
    groups.parent = lambda: None  # type: ignore[assignment]
    found = {attack.student: attack for attack in bank.attacks()}
    kernels = Kernels(warm=warm, limits=LIMITS)
    try:
        for student in students:
            (code,) = found[student].cells.values()
            with Session(kernels.start({}), LIMITS, time.monotonic() + 40) as session:
                outcome = session.run(code)
            said = {"student": student, "state": outcome.state, "said": str(outcome.outputs),
                    "why cold": kernels.why_cold, "user": os.geteuid()}  # fmt: skip
            print(json.dumps(said), flush=True)
    finally:
        kernels.close()


if __name__ == "__main__":
    main(sys.argv[1] == "warm", sys.argv[2:])
