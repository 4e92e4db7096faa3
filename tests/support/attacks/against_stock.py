"""Hand the bank to plain `nbgrader autograde`, student by student, and write the table.

    make hostile                             → docs/hostile.md, its table made anew (long)
    make hostile ATTACKS="values forging"    the rows of these groups, or of these attacks, alone

Each submission is graded by nbgrader as it comes, in a course folder of its own, as an unprivileged
user inside a cage of bubblewrap that holds the whole of nbgrader: for this machine to live through
it, not because nbgrader does so. What would harm the machine all the same is skipped. What happened
here comes from a class of the same attackers and three honest students.
"""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent.parent
sys.path[:0] = [str(HERE.parent.parent), str(PROJECT)]

from course import stock_nbgrader  # noqa: E402
from course.grading.cage import command  # noqa: E402
from support.attacks import bank, classes  # noqa: E402
from support.classes import NAME, copied, hand_in, solved  # noqa: E402

HOME = str(Path.home())
SECONDS = 60
NOBODY = 65534
REACHED = "REA" + "CHED"
MARK = "<!-- table -->"
# What uses up memory, processes or disks: nbgrader sets no limit, and others use this machine.
SKIPPED = {
    "fork bomb", "threads", "processor hogs", "memory", "memory at once", "shared memory",
    "memory of children", "memory without an address", "memory of segments", "disk",
    "one large file", "files without content", "archive of nothing", "flood of large messages",
    "output", "output below Python", "exception of a hundred megabytes",
    "reply of a hundred megabytes", "tensor of a gigabyte", "large timestamp",
    "endless recursion", "first process attacked", "shared pages given back",
    "shared pages of a device", "children without a first thread", "tables of pages",
    "full sockets", "sockets on their way", "huge pages in pipes", "guard stopped",
    "memory of the first process limited", "message of endless parts",
}  # fmt: skip


def prepared(folder: Path) -> Path:
    """Return a course folder whose gradebook knows the sheet, to be copied for each student."""
    root = copied(folder / "template")
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    hand_in(root, "honest-1", solved())
    stock_nbgrader.generate(root, NAME, "release")
    return root


def walled_in(root: Path, student: str) -> list[str]:
    """Return the words that run nbgrader as nobody, walled in."""
    bwrap = command.bubblewrap()
    assert bwrap is not None
    words = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent"]
    words += ["--new-session", "--ro-bind", "/", "/", "--perms", "0755", "--tmpfs", HOME]
    for path in sorted(command.python_folders()):  # this Python may live in the home that is hidden
        for parent in sorted(str(p) for p in Path(path).parents if str(p).startswith(f"{HOME}/")):
            words += ["--perms", "0755", "--dir", parent]
        words += ["--ro-bind", path, path]
    words += ["--dev", "/dev", "--proc", "/proc", "--size", str(64 << 20), "--tmpfs", "/dev/shm"]
    words += ["--bind", str(root), str(root), "--chdir", str(root)]
    words += ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    words += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    limits = ["prlimit", f"--data={3 << 30}", f"--fsize={64 << 20}", "--nproc=200", "--core=0"]
    grade = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--student", student]
    return [*words, *limits, *grade]


def in_stock(attack: bank.Attack, template: Path, folder: Path) -> str:
    """Return in a few words what stock nbgrader makes of an attack."""
    if attack.name in SKIPPED:
        return "not run: it would harm the machine"
    root = folder / attack.student[:60]
    shutil.copytree(template, root)
    attack.hand_in(root, PROJECT)
    (root / "home").mkdir()
    subprocess.run(["chown", "-hR", f"{NOBODY}:{NOBODY}", str(root)], check=True)
    env = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(root / "home"),
        "LANG": "C.UTF-8", "TMPDIR": str(root / "home"), "OMP_NUM_THREADS": "1",
        "JUPYTER_RUNTIME_DIR": str(root / "home" / "r"),
    }  # fmt: skip
    try:
        process = subprocess.Popen(
            walled_in(root, attack.student), env=env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            said = process.communicate(timeout=SECONDS)[0].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"no result within {SECONDS} s"
        return verdict(attack, root, process.returncode, said)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def verdict(attack: bank.Attack, root: Path, code: int, said: str) -> str:
    """Read the gradebook and the graded notebook."""
    found = []
    path = root / "autograded" / attack.student / NAME / f"{NAME}.ipynb"
    if path.exists() and f'"{REACHED}' in path.read_text(errors="replace"):
        found.append("reaches what it wants")
    with sqlite3.connect(root / "gradebook.db") as book:
        rows = book.execute(
            "select b.name, g.auto_score, c.max_score from grade g "
            "join base_cell b on b.id = g.cell_id join grade_cells c on c.id = g.cell_id "
            "join submitted_notebook n on n.id = g.notebook_id "
            "join submitted_assignment a on a.id = n.assignment_id where a.student_id = ?",
            (attack.student,),
        ).fetchall()
    scores = {name: (score, most) for name, score, most in rows if name.startswith("test_")}
    if code or not scores or any(score is None for score, _ in scores.values()):
        raised = re.findall(r"^[\w.]*(?:Error|Exception|Died)\b.*$", said, flags=re.MULTILINE)
        why = raised[-1][:80] if raised else f"exit {code}"
        found.append(f"aborts, no grade ({why})")
    total = sum(score or 0 for score, _ in scores.values())
    gained = [
        name for name, (score, _) in scores.items()
        if score and "passed" not in attack.expected.get(
            name.removeprefix("test_"), attack.expected.get("rest", ["passed"]))
    ]  # fmt: skip
    if gained:
        found.append(f"gains points: {total:g} of 12")
    elif scores:
        found.append(f"{total:g} of 12")
    return "; ".join(found)


def here(attack: bank.Attack, graded: Path) -> str:
    """Return in a few words what this project made of it."""
    path = graded / "autograded" / attack.student / NAME / "result.json"
    content = json.loads(path.read_text())
    states: dict[str, list[str]] = {}
    for name, test in content["tests"].items():
        if name.startswith("test_"):
            states.setdefault(test["state"], []).append(name)
    shown = ", ".join(f"{len(names)} {state}" for state, names in states.items())
    return f"{content['score']:g} of 12: {shown}"


def main(wanted: list[str]) -> None:
    """Run attacks, two at a time in stock, then as a class here, and write their rows.

    Args:
        wanted: beginnings of the names of attacks, with or without their group; all where empty.
    """
    path = PROJECT / "docs" / "hostile.md"
    head, table = path.read_text(encoding="utf-8").split(MARK)
    attacks = bank.attacks()
    chosen = [a for a in attacks if not wanted or named(a).startswith(tuple(wanted))
              or a.name.startswith(tuple(wanted))]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="s") as scratch:
        Path(scratch).chmod(0o755)
        template = prepared(Path(scratch))
        os.umask(0o022)  # nbgrader has set another
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda a: in_stock(a, template, Path(scratch)), chosen))
    with tempfile.TemporaryDirectory(prefix="h") as scratch:
        root = classes.course_of_honest_students(Path(scratch) / "course")
        for attack in chosen:
            attack.hand_in(root, PROJECT)
        classes.graded(root)
        made = {
            named(a): row(a, said, here(a, root)) for a, said in zip(chosen, found, strict=True)
        }
    path.write_text(head + MARK + "\n\n" + "\n".join(rows(table, made)) + "\n", encoding="utf-8")


def named(attack: bank.Attack) -> str:
    """Return what an attack is called in the table."""
    return f"{attack.group}: {attack.name}".replace("|", "/")


def row(attack: bank.Attack, stock: str, ours: str) -> str:
    """Return the row of an attack."""
    cells = (named(attack), attack.idea, stock, ours)
    return "| " + " | ".join(c.replace("|", "/").replace("\n", " ") for c in cells) + " |"


def rows(table: str, made: dict[str, str]) -> list[str]:
    """Return the lines of the table: rows made anew, and those of before that were not.

    Raises:
        SystemExit: an attack has no row of before either.
    """
    known = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines()}
    known |= made
    names = [named(attack) for attack in bank.attacks()]
    if lacking := [name for name in names if name not in known]:
        sys.exit(f"no row for {', '.join(lacking)}: make hostile, of these as well")
    heads = ["| attack | idea | stock nbgrader 0.9.6 | here |", "|---|---|---|---|"]
    return heads + [known[name] for name in names]


if __name__ == "__main__":
    main(sys.argv[1:])
