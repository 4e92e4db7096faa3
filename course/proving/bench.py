"""Measures speed, side by side in one run, and writes docs/benchmarks.md: `make bench`.

Nothing here is asserted: a table to read, made on one machine, said which.
"""

import contextlib
import copy
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import psutil

from course.authoring import needed, sheet
from course.grading import assemble, submitted
from course.grading.cage import command
from course.proving import bank, simulate
from course.verdict import of_test_cell
from helpers import data

PROJECT = Path(__file__).parent.parent.parent
SHEETS = ["01-autodiff", "02-likelihood", "03-sgd"]
SMALL = 24  # submissions


def mixed_class(folder: Path, submissions: int) -> Path:
    """Make a simulated class."""
    students = submissions // len(SHEETS)
    simulate.simulate(PROJECT, folder, students, 1, SHEETS, lambda _: None)
    return folder


def stock_autograde(root: Path) -> list[float]:
    """Return the seconds that plain nbgrader takes for a quarter of the submissions."""
    taken = []
    for path in sorted(root.glob("submitted/*/*"))[::4]:
        # Without --force nbgrader leaves alone what the engine has graded, in no time.
        words = [sys.executable, "-m", "nbgrader", "autograde", path.name, "--force", "--student",
                 path.parent.name]  # fmt: skip
        begun = time.monotonic()
        subprocess.run(words, cwd=root, capture_output=True, check=False)
        taken.append(time.monotonic() - begun)
    return taken


def solved_class(folder: Path, submissions: int) -> Path:
    """Make a class that solved everything, each from other right answers of the bank.

    Solved submissions are the dearest: every check asks them every case.
    """
    folder.mkdir()
    simulate.configure(PROJECT, folder)
    for name in SHEETS:
        for part in ("source", "release"):
            shutil.copytree(PROJECT / part / name, folder / part / name)
        text = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
        right = [a for a in bank.load(PROJECT / "course" / "answers" / f"{name}.md", text)
                 if a.kind == "right"]  # fmt: skip
        release = nbformat.read(folder / "release" / name / f"{name}.ipynb", as_version=4)
        for number in range(submissions // len(SHEETS)):
            choose = random.Random(number)
            notebook = copy.deepcopy(release)
            for exercise in sheet.exercises(text):
                answer = choose.choice([a for a in right if a.exercise == exercise.name])
                notebook.cells[exercise.answer_index].source = answer.code
            path = folder / "submitted" / simulate.student(number) / name / f"{name}.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(notebook, path)
    return folder


def true_floor(root: Path) -> float:
    """Return the seconds that the needed cells and all calls of the checks take.

    In this process, everything imported, no cage, nothing written: what no engine can avoid.
    """
    taken = 0.0
    for job in submitted.jobs(root, SHEETS, [], True, lambda _: None):
        assert job.submission is not None
        source, release = (nbformat.reads(t, as_version=4) for t in (job.source, job.release))
        notebook = assemble.assemble(job.submission, source, release)
        tests = {e.test_index: e for e in sheet.exercises(notebook)}
        kept = needed.for_answers(notebook)
        scope: dict[str, Any] = {"__name__": "__main__"}
        begun = time.monotonic()
        with data.seeded(job.data_seed), bank.hushed():
            for index, cell in enumerate(notebook.cells):
                if index in kept:
                    exec(compile(cell.source, f"<cell {index}>", "exec"), scope)
                elif index in tests:
                    wants = tests[index].wants
                    of_test_cell(cell.source, {n: scope[n] for n in wants if n in scope})
        taken += time.monotonic() - begun
    return taken


@dataclass(frozen=True)
class Graded:
    """What grading a class took, in seconds from the command.

    Args:
        first_line: until there was something to read.
        first_verdict: until the first submission was graded.
        whole: until the end.
    """

    first_line: float
    first_verdict: float
    whole: float


def graded(root: Path, workers: int = 2, force: bool = True) -> Graded:
    """Grade a class by the command and watch its lines."""
    begun = time.monotonic()
    first_line = first_verdict = 0.0
    words = grading(root, workers) + (["--force"] if force else [])
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            first_line = first_line or time.monotonic() - begun
            if line.startswith("grading: "):
                first_verdict = first_verdict or time.monotonic() - begun
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return Graded(first_line, first_verdict, time.monotonic() - begun)


def from_nothing(root: Path) -> Graded:
    """Grade a class of which nothing is known yet: no gradebook, no records, no pages."""
    forget(root)
    return graded(root, force=False)


def forget(root: Path) -> None:
    """Remove all that grading has left."""
    for part in ("autograded", "feedback", ".course"):
        shutil.rmtree(root / part, ignore_errors=True)
    (root / "gradebook.db").unlink(missing_ok=True)


def grading(root: Path, workers: int) -> list[str]:
    """Return the words of the command that grades a class."""
    return [sys.executable, "-m", "course.cli", "grade", "--root", str(root), "--workers",
            str(workers)]  # fmt: skip


class Watched(NamedTuple):
    """What grading a class took, seen from outside.

    Args:
        seconds: from the command to its end.
        coordinator: the most MiB of the command's own process.
        forking: the most MiB of the process that the workers are forked from.
        worker: the most MiB of any worker, its warm server and its kernels.
    """

    seconds: float
    coordinator: float
    forking: float
    worker: float


def watched(
    root: Path, workers: int, more: Sequence[str] = (), others: Sequence[psutil.Process] = ()
) -> Watched:
    """Grade a class; return the seconds and who used how much memory.

    Pages that processes share are shared out among them (proportional set size).

    Args:
        root: the course folder.
        workers: how many the command starts.
        more: further words of the command.
        others: workers that the command does not start.
    """
    coordinator = forking = most = 0.0
    begun = time.monotonic()
    process = psutil.Popen([*grading(root, workers), *more], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            coordinator = max(coordinator, _used(process))
            forking = max(forking, sum(_used(p) for p in process.children()))
            # The workers are forked from one process that has imported what they need.
            own = [w for child in process.children() for w in child.children()]
            for worker in [*own, *others]:
                tree = [worker, *worker.children(recursive=True)]
                most = max(most, sum(_used(p) for p in tree))
        time.sleep(1)
    return Watched(time.monotonic() - begun, coordinator, forking, most)


def _used(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.Error:  # ended in between
        return 0.0


CLASSES = [(solved_class, "solved", 60), (solved_class, "solved", 300), (mixed_class, "mixed", 60)]


def main(repeats: int = 5) -> None:
    """Measure, and write the table."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        small = solved_class(folder / "solved", SMALL)
        ours, again, floors = [], [], []
        for _ in range(repeats):  # side by side: what disturbs one disturbs the others
            ours.append(from_nothing(small))
            again.append(graded(small))
            floors.append(true_floor(small) / 2)
        stock = stock_autograde(small)
        sizes = {}
        for make, kind, count in CLASSES:
            root = make(folder / f"{kind}{count}", count)
            sizes[kind, count] = watched(root, 2), graded(root, force=False).whole
            shutil.rmtree(root)
    write(stock, ours, again, floors, sizes, repeats)


def put(heading: str, lines: Sequence[str]) -> None:
    """Put a section into docs/benchmarks.md, in the place of the one that begins alike."""
    path = PROJECT / "docs" / "benchmarks.md"
    before = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n\n"
    kept, _, rest = before.partition(heading)
    after = rest[rest.index("\n## ") + 1 :] if "\n## " in rest else ""
    text = kept.rstrip() + "\n\n" + "\n".join(lines) + ("\n" + after if after else "")
    path.write_text(text, encoding="utf-8")


def machine() -> str:
    """Return what was measured: the machine, Python and the commit."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True).stdout.strip()
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"commit {commit}"
    )


def write(
    stock: Sequence[float],
    ours: Sequence[Graded],
    again: Sequence[Graded],
    floors: Sequence[float],
    sizes: Mapping[tuple[str, int], tuple[Watched, float]],
    repeats: int,
) -> None:
    """Write the grading section of docs/benchmarks.md."""

    def middle(found: Sequence[Graded], name: str) -> float:
        return statistics.median(getattr(g, name) for g in found)

    one, floor = statistics.median(stock), statistics.median(floors) / SMALL
    rows = [
        ("plain `nbgrader autograde`, one command a submission", one),
        ("`course grade`, from nothing", middle(ours, "whole") / SMALL),
        ("`course grade --force`, all of it again", middle(again, "whole") / SMALL),
        ("true floor", floor),
    ]
    lines = [
        "## Grading a class",
        "",
        f"`make bench` on {machine()}: {SMALL} solved submissions of "
        f"{', '.join(SHEETS)}, two workers, from the command to its end with gradebook and "
        f"feedback; medians of {repeats} side by side ({len(stock)} submissions for plain "
        "nbgrader). The true floor is the cells that answers need and every call of the checks, in "
        "one process, everything imported, no cage, divided by two.",
        "",
        "| what | seconds a submission | stock / it | it / floor |",
        "|---|---|---|---|",
        *(f"| {name} | {s:.2f} | {one / s:.1f} × | {s / floor:.2f} × |" for name, s in rows),
        "",
        f"From nothing, something to read comes after {middle(ours, 'first_line'):.1f} s and the "
        f"first verdict after {middle(ours, 'first_verdict'):.1f} s.",
        "",
        "Classes of other sizes, two workers; mixed ones are simulated (right, wrong, unsolved, "
        "broken). The coordinator is the command's own process; another one imports what grading "
        "needs, and the workers are forked from it; a worker is counted with its warm server and "
        "kernels. Shared pages are shared out. The last column is a second run with nothing to do.",
        "",
        "| class | submissions | seconds a submission | stock / it | it / floor | coordinator, MiB "
        "| forking, MiB | a worker at most, MiB | again, s |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {kind} | {n} | {w.seconds / n:.2f} | {one / (w.seconds / n):.1f} × "
            f"| {w.seconds / n / floor:.2f} × | {w.coordinator:.0f} | {w.forking:.0f} "
            f"| {w.worker:.0f} | {nothing:.1f} |"
            for (kind, n), (w, nothing) in sizes.items()
        ),
        "",
    ]
    put("## Grading a class", lines)
    print("\n".join(lines))


if __name__ == "__main__":
    if command.works():
        raise SystemExit(f"No cage here: {command.works()}")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
