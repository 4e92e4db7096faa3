"""How long work shows itself: a bar with the time left on a terminal, plain lines elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from course.files import shown


@dataclass
class Bar:
    """What is told of work that is under way.

    Args:
        show: takes how many pieces of how many are done, None before that is known, and the name
            of the piece under way.
        count: the last number of pieces done, and of all.
        name: the last name.
    """

    show: Callable[[tuple[int, int] | None, str], None]
    count: tuple[int, int] | None = field(default=None)
    name: str = ""

    def done(self, done: int, of: int) -> None:
        """Tell how many pieces of how many are done."""
        self.count = done, of
        self.show(self.count, self.name)

    def under_way(self, name: str) -> None:
        """Tell which piece is under way; plain lines say so with the next one that is done."""
        before, self.name = self.name, name
        if not before or sys.stdout.isatty():
            self.show(self.count, name)


@contextlib.contextmanager
def bar(label: str) -> Iterator[Bar]:
    """Show progress while the work inside runs.

    Args:
        label: what is being done.

    Yields:
        What is to be told how far the work is.
    """
    if not sys.stdout.isatty():
        yield Bar(lambda count, name: print(_line(label, count, name), flush=True))
        return
    columns = (TextColumn("{task.fields[words]}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(label, total=None, words=label)

        def show(count: tuple[int, int] | None, name: str) -> None:
            done, of = count or (0, None)
            words = Text(f"{label} {shown(name)}").markup  # a name is text, never markup
            progress.update(task, completed=done, total=of, words=words)

        yield Bar(show)


def _line(label: str, count: tuple[int, int] | None, name: str) -> str:
    parts = [f"{count[0]} of {count[1]}"] if count else []
    if name and (count is None or count[0] < count[1]):
        parts.append(f"now {shown(name)}")
    return f"{label}: {', '.join(parts)}"
