"""Pages of measurements by sheet and exercise: what is measured anew takes the old rows' place."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from course.authoring import sheet

COURSE = Path(__file__).parent.parent
# A row of a page's table, or a line of the list below it: of a sheet, and of an exercise.
ROW = re.compile(r"(?:\| |- )(\d\d-[\w-]+)(?: \||,)? (\w+)")


@dataclass(frozen=True)
class Part:
    """A sheet that is to be measured, or some of its exercises.

    Args:
        sheet: its name.
        exercises: names of exercises; all of the sheet's where empty.
    """

    sheet: str
    exercises: tuple[str, ...] = ()

    def holds(self, exercise: str) -> bool:
        """Return whether an exercise of the sheet is to be measured."""
        return not self.exercises or exercise in self.exercises

    def has_line(self, line: str) -> bool:
        """Return whether a line of a page is about what is to be measured."""
        found = ROW.match(line)
        return found is not None and found[1] == self.sheet and self.holds(found[2])


def parts(words: Sequence[str]) -> list[Part]:
    """Read what is to be measured: `SHEET`, or `SHEET:exercise,exercise`; all sheets where empty.

    Raises:
        SystemExit: there is no such sheet, or it has no such exercise.
    """
    found = []
    for word in words or sorted(path.stem for path in (COURSE / "sheets").glob("*.md")):
        name, _, some = word.partition(":")
        path = COURSE / "sheets" / f"{name}.md"
        if not path.exists():
            raise SystemExit(f"There is no sheet {name}: {path.parent} holds the sheets.")
        exercises = tuple(filter(None, some.split(",")))
        known = [e.name for e in sheet.exercises(sheet.load(path))] if exercises else []
        for exercise in exercises:
            if exercise not in known:
                raise SystemExit(f"{name} has no exercise {exercise}; it has {', '.join(known)}.")
        found.append(Part(name, exercises))
    return found


def rewrite(path: Path, head: str, part: Part, new: Iterable[str], list_head: str) -> None:
    """Write a page again, the lines of what was measured in the place of the old ones.

    Args:
        path: the page.
        head: all that stands above the rows of its table.
        part: what was measured.
        new: its lines; those that begin with a bar are rows, others belong to the list.
        list_head: what stands between the table and the list, where there is a list.
    """
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = [*(line for line in old if ROW.match(line) and not part.has_line(line)), *new]
    table, listed = (sorted(line for line in lines if line.startswith(mark)) for mark in "|-")
    below = list_head + "\n".join(listed) + "\n" if listed else ""
    path.write_text(head + "\n".join(table) + "\n" + below, encoding="utf-8")
