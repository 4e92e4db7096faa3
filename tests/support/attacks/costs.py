"""What a class with every attack of the bank in it costs the others: seconds, and memory over time.

PYTHONPATH=.:tests python -m support.attacks.costs [HONEST]; `make hostile-costs` does it

A class of honest students is graded alone; the same class together with every attack; and as many
honest students as these are together. Five times a second each cage is looked at from outside: what
its control group is charged with, and what its processes hold, whichever is more. Then the attacks
on memory are run once more without control groups, where the cage has to count by itself.
"""

import contextlib
import dataclasses
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from course.grading import grade
from course.grading.cage import groups
from course.proving import bench
from support.attacks import bank, classes
from support.classes import copied, graded_files, hand_in, solved
from support.project import PROJECT

HEADING = "## A class with every attack in it"
LIMITS = dataclasses.replace(classes.LIMITS, memory=1 << 30)
MIB = 1 << 20
MOST = 1.2 * 1024  # MiB that a submission may hold for longer than a second
LOOKS = 0.2  # seconds between two looks
LINUX_WORDS = ("memory", "pages", "sockets", "pipes", "reply", "message", "disk", "bomb", "output")


@dataclasses.dataclass
class Held:
    """What cages held: the most at one look, and the longest time above what is allowed."""

    most: float = 0.0
    longest: float = 0.0
    looks: int = 0

    def __post_init__(self) -> None:
        self._above: dict[str, float] = {}

    def look(self, now: float) -> None:
        """Look at every cage once."""
        self.looks += 1
        held = held_by_cages()
        self.most = max([self.most, *held.values()])
        above = {cage for cage, much in held.items() if much > MOST}
        self._above = {cage: self._above.get(cage, now) for cage in above}
        self.longest = max([self.longest, *(now - since for since in self._above.values())])


def held_by_cages() -> dict[str, float]:
    """Return MiB by cage: by process namespace, and by control group."""
    own = str(Path("/proc/self/ns/pid").readlink())
    found: defaultdict[str, float] = defaultdict(float)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError, psutil.Error):
            space = str(Path(f"/proc/{process.pid}/ns/pid_for_children").readlink())
            if space != own:
                found[space] += process.memory_full_info().pss / MIB
    where = groups.parent()
    for kind in ("memory.usage_in_bytes", "memory.current"):
        for path in where.glob(f"*/*/{kind}") if where else ():
            with contextlib.suppress(OSError):
                found[str(path)] = int(path.read_text()) / MIB
    return dict(found)


@contextlib.contextmanager
def looked_at() -> Iterator[Held]:
    """Look at all cages while something runs."""
    held, done = Held(), threading.Event()

    def watch() -> None:
        while not done.wait(LOOKS):
            held.look(time.monotonic())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield held
    finally:
        done.set()
        thread.join()


def a_class(root: Path, honest: int, attacks: Sequence[bank.Attack]) -> Path:
    """Make a course that honest students and attackers handed in."""
    copied(root)
    (root / ".course-secret").write_text(classes.SECRET)
    for number in range(honest):
        changes = classes.HALF_RIGHT if number % 3 == 1 else None
        hand_in(root, f"honest-{number:03}", solved(changes))
    for attack in attacks:
        attack.hand_in(root, PROJECT)
    return root


def graded(root: Path) -> tuple[float, Held]:
    """Grade a class from nothing; return the seconds, and what its cages held."""
    with looked_at() as held:
        begun = time.monotonic()
        grade.grade_class(root, [], [], workers=2, limits=LIMITS, say=lambda _: None)
        return time.monotonic() - begun, held


def row(named: str, submissions: int, seconds: float, held: Held) -> str:
    """Return a row of the table."""
    figures = [submissions, f"{seconds:.0f}", f"{seconds / submissions:.2f}",
               f"{held.most:.0f}", f"{held.longest:.1f}"]  # fmt: skip
    return " ".join(["|", named, *[f"| {figure}" for figure in figures], "|"])


def without_groups(attacks: Sequence[bank.Attack]) -> str:
    """Run attacks one by one where no control group counts; return the row."""
    program = (
        "import dataclasses, sys; from support.attacks import alone; "
        "alone.LIMITS = dataclasses.replace(alone.LIMITS, memory=1 << 30); "
        "alone.main(True, sys.argv[1:])"
    )
    words = [sys.executable, "-c", program, *(attack.student for attack in attacks)]
    with looked_at() as held:
        begun = time.monotonic()
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    took = time.monotonic() - begun
    return row("attacks on memory, no control group", len(attacks), took, held)


def main(honest: int = 60) -> None:
    """Measure, and write the section of docs/benchmarks.md."""
    attacks = bank.attacks()
    with tempfile.TemporaryDirectory(prefix="h") as scratch:
        calm = a_class(Path(scratch) / "calm", honest, [])
        together = a_class(Path(scratch) / "together", honest, attacks)
        as_many = a_class(Path(scratch) / "as_many", honest + len(attacks), [])
        alone = graded(calm)
        others = graded(as_many)
        mixed = graded(together)
        wanted, got = graded_files(calm), graded_files(together)
        harmed = [path for path, result in wanted.items() if got[path] != result]
    on_memory = [a for a in attacks if len(a.cells) == 1
                 and any(word in a.name for word in LINUX_WORDS)]  # fmt: skip
    lines = [
        HEADING,
        "",
        f"`make hostile-costs` on {bench.machine()}: sheet 01, two workers, {LIMITS.memory >> 20} "
        f"MiB and {LIMITS.cell_seconds:g} s a cell for a submission. The time of the class with "
        f"every attack in it is {mixed[0] / others[0]:.1f} times that of as many honest "
        f"submissions. Honest results that differ from those of the honest alone: {len(harmed)}. "
        f"Memory is that of one cage, looked at every {LOOKS:g} s from outside; «too long» is the "
        f"longest time that one held more than {MOST:.0f} MiB.",
        "",
        "| class | submissions | seconds | each | a cage at most, MiB | too long, s |",
        "|---|---|---|---|---|---|",
        row("honest", honest, *alone),
        row("honest, as many as below", honest + len(attacks), *others),
        row("honest, and every attack", honest + len(attacks), *mixed),
        without_groups(on_memory),
        "",
    ]
    bench.put(HEADING, lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
