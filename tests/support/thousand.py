"""Grade a thousand submissions on each kind of gradebook and of workers; write the table.

PYTHONPATH=.:tests python -m support.thousand [SUBMISSIONS]; `make bench` does it

The same solved class, from nothing each time: two workers of the command's own with SQLite, then
two Dask workers with PostgreSQL. Each is run once more with nothing to do.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from course.proving import bench
from support import cluster, postgres

HEADING = "## A thousand submissions"


def row(root: Path, named: str, submissions: int, *more: str, others: tuple[int, ...] = ()) -> str:
    """Grade a class, then once more with nothing to do; return the table's row.

    Args:
        root: the course folder.
        named: what the row is called.
        submissions: how many there are.
        more: words of the command.
        others: numbers of worker processes that the command does not start itself.
    """
    workers = [psutil.Process(number) for number in others]
    took = bench.watched(root, 2, more, workers)
    begun = time.monotonic()
    subprocess.run([*bench.grading(root, 2), *more], stdout=subprocess.DEVNULL, check=True)
    again = time.monotonic() - begun
    graded = len(list(root.glob("autograded/*/*/result.json")))
    assert graded == submissions, f"{graded} of {submissions} were graded"
    figures = [
        submissions, f"{took.seconds:.0f}", f"{took.seconds / submissions:.2f}",
        f"{took.coordinator:.0f}", f"{took.forking:.0f}", f"{took.worker:.0f}", f"{again:.1f}",
    ]  # fmt: skip
    return " ".join(["|", named, *[f"| {figure}" for figure in figures], "|"])


def main(submissions: int = 1000) -> None:
    """Measure, and write the section of docs/benchmarks.md."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        root = bench.solved_class(Path(scratch) / "class", submissions)
        submissions = len(list(root.glob("submitted/*/*")))
        rows.append(row(root, "two workers, SQLite", submissions))
        bench.forget(root)
        database = stack.enter_context(postgres.running())
        with (root / "nbgrader_config.py").open("a", encoding="utf-8") as file:
            file.write(f"\nc.CourseDirectory.db_url = {database('thousand')!r}\n")
        address, workers = stack.enter_context(cluster.running(Path(scratch)))
        more = ("--scheduler", address)
        numbers = tuple(process.pid for process in workers)
        rows.append(row(root, "two Dask workers, PostgreSQL", submissions, *more, others=numbers))
    lines = [
        HEADING,
        "",
        f"`make bench` on {bench.machine()}: solved submissions of "
        f"{', '.join(bench.SHEETS)}, from nothing; the last column is a second run with nothing to "
        "do. Memory as above; with Dask a worker is the cluster's.",
        "",
        "| workers and gradebook | submissions | seconds | each | coordinator, MiB "
        "| forking, MiB | a worker at most, MiB | again, s |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    bench.put(HEADING, lines)
    print("\n".join(rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
