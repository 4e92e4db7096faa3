"""Measures speed, side by side in one run, and writes docs/benchmarks.md: `make bench`.

Nothing here is asserted: a table to read, made on one machine, said which.
"""

import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil

from course import stock_nbgrader
from course.authoring import needed, sheet
from course.grading import assemble, grade, submitted
from course.grading.cage import command
from course.grading.session import Session
from course.grading.submission import kernels
from course.proving import simulate

PROJECT = Path(__file__).parent.parent.parent
SHEETS = ["01-autodiff", "02-likelihood", "03-sgd"]
STUDENTS = 8
CLASSES = (4, 20, 100)  # students; times three submissions


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def a_class(folder: Path, students: int = STUDENTS) -> Path:
    """Make a simulated class."""
    simulate.simulate(PROJECT, folder, students, 1, SHEETS, lambda _: None)
    return folder


def stock_autograde(root: Path) -> list[float]:
    """Return the seconds that plain nbgrader takes for each submission."""
    taken = []
    for path in sorted(root.glob("submitted/*/*")):
        # Without --force nbgrader leaves alone what the engine has graded, in no time.
        words = [sys.executable, "-m", "nbgrader", "autograde", path.name, "--force", "--student",
                 path.parent.name]  # fmt: skip
        begun = time.monotonic()
        subprocess.run(words, cwd=root, capture_output=True, check=False)
        taken.append(time.monotonic() - begun)
    return taken


def stock_in_one_process(root: Path) -> tuple[int, float]:
    """Return what nbgrader's own API grades in one process, and the seconds that it takes.

    It grades a sheet's submissions until the first that it cannot; how many these are is counted by
    the notebooks that are new in autograded/.
    """
    before = time.time()

    def all_of_it() -> None:
        for name in SHEETS:
            with contextlib.suppress(Exception):
                stock_nbgrader.api(root).autograde(name, "*", force=True)

    taken = seconds(all_of_it)
    return sum(p.stat().st_mtime > before for p in root.glob("autograded/*/*/*.ipynb")), taken


def floor(root: Path, all_cells: bool = True) -> list[float]:
    """Return the seconds of each submission's own cells alone, everything imported.

    Args:
        root: course folder.
        all_cells: run the pictures and demonstrations too, which no answer needs.
    """
    taken = []
    for job in submitted.jobs(root, SHEETS, [], True, lambda _: None):
        assert job.submission is not None
        with contextlib.suppress(assemble.Refused):
            source, release = (nbformat.reads(t, as_version=4) for t in (job.source, job.release))
            notebook = assemble.assemble(job.submission, source, release)
            kernel = kernels(True, True).start({"COURSE_DATA_SEED": str(job.data_seed)})
            session = Session(kernel, job.limits, time.monotonic() + 300)
            begun = time.monotonic()
            kept = needed.for_answers(notebook)
            for index, cell in enumerate(notebook.cells):
                wanted = cell.cell_type == "code" and not sheet.is_test(cell)
                if wanted and session.usable and (all_cells or index in kept):
                    session.run(cell.source)
            taken.append(time.monotonic() - begun)
            session.close()
    return taken


def graded(root: Path, workers: int) -> float:
    """Return the seconds that `course grade` takes for the class, start to end."""
    return seconds(lambda: subprocess.run(_grade(root, workers), capture_output=True, check=True))


def _grade(root: Path, workers: int) -> list[str]:
    return [sys.executable, "-m", "course.cli", "grade", "--root", str(root), "--workers",
            str(workers), "--force"]  # fmt: skip


def watched(root: Path, workers: int) -> tuple[float, float, float]:
    """Grade a class; return the seconds, and the most MiB of the coordinator and of any worker.

    A worker is counted with its warm server and its kernels; pages that processes share are shared
    out among them (proportional set size).
    """
    coordinator = most = 0.0
    begun = time.monotonic()
    process = psutil.Popen(_grade(root, workers), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            here = [process, *process.children()]
            coordinator = max(coordinator, sum(_used(p) for p in here))
            # The workers are forked from one process that has imported what they need.
            for worker in (w for child in process.children() for w in child.children()):
                tree = [worker, *worker.children(recursive=True)]
                most = max(most, sum(_used(p) for p in tree))
        time.sleep(1)
    return time.monotonic() - begun, coordinator, most


def _used(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.Error:  # ended in between
        return 0.0


def main(repeats: int = 5) -> None:
    """Measure, and write the table."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        root = a_class(folder / "class")
        count = STUDENTS * len(SHEETS)
        grade.grade_class(root, SHEETS, [], workers=2, say=lambda _: None)  # warms caches
        own = [sum(floor(root)) for _ in range(repeats)]
        needed = [sum(floor(root, all_cells=False)) for _ in range(repeats)]
        ours = {w: [graded(root, w) for _ in range(repeats)] for w in (1, 2)}
        flat = {}
        for students in CLASSES:
            larger = a_class(folder / f"class{students}", students)
            flat[students * len(SHEETS)] = watched(larger, 2)
            shutil.rmtree(larger)
        theirs = stock_autograde(root)
        one = stock_in_one_process(root)
    write(count, theirs, one, own, needed, ours, flat, repeats)


def write(
    count: int,
    theirs: list[float],
    one: tuple[int, float],
    own: list[float],
    needed: list[float],
    ours: dict[int, list[float]],
    flat: dict[int, tuple[float, float, float]],
    repeats: int,
) -> None:
    """Write the grading section of docs/benchmarks.md."""
    floor_total, two = statistics.median(own), statistics.median(ours[2])
    stock_total = statistics.median(theirs) * count
    graded_by_one, taken_by_one = one
    rows = [
        ("plain `nbgrader autograde`, one command a submission", stock_total),
        (
            f"nbgrader's Python API, one process, at its rate for the {graded_by_one} it graded",
            taken_by_one / max(graded_by_one, 1) * count,
        ),
        ("`course grade --workers 1`", statistics.median(ours[1])),
        ("`course grade --workers 2`", two),
        ("floor: the students' cells alone, everything imported, by 2", floor_total / 2),
        ("of these, the cells that answers need", statistics.median(needed) / 2),
    ]
    lines = [
        "## Grading a class",
        "",
        f"`make bench` on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; {count} submissions of {len(SHEETS)} sheets, everything "
        f"from start to end, gradebook and feedback included; medians of {repeats} "
        f"(of {len(theirs)} submissions for plain nbgrader).",
        "",
        "| what | seconds for the class | a submission | of `--workers 2` |",
        "|---|---|---|---|",
        *(f"| {name} | {s:.1f} | {s / count:.2f} | {s / two:.1f} × |" for name, s in rows),
        "",
        f"Two workers are {stock_total / two:.1f} × as fast as plain nbgrader and take "
        f"{two / (floor_total / 2):.1f} × the floor: most cells of a sheet show something that no "
        "answer needs, and these do not run while grading. What remains is the start, and the "
        "answers' work for the checks, which ask more of them than their cells do. In one process "
        "nbgrader stops at the first submission of a sheet that it cannot grade.",
        "",
        "Classes of other sizes, two workers, each counted with its warm server and kernels; the "
        "coordinator with the process that forks the workers. Shared pages are shared out.",
        "",
        "| submissions | seconds a submission | coordinator, MiB | a worker at most, MiB |",
        "|---|---|---|---|",
        *(f"| {n} | {s / n:.2f} | {own:.0f} | {most:.0f} |" for n, (s, own, most) in flat.items()),
        "",
    ]
    path = PROJECT / "docs" / "benchmarks.md"
    before = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n\n"
    kept = before.split("## Grading a class")[0].rstrip() + "\n\n"
    rest = before.split("## Grading a class")[1] if "## Grading a class" in before else ""
    after = rest[rest.index("\n## ") + 1 :] if "\n## " in rest else ""
    path.write_text(kept + "\n".join(lines) + ("\n" + after if after else ""), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    if command.works():
        raise SystemExit(f"No cage here: {command.works()}")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
