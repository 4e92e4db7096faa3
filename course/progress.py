"""How long work shows itself: a bar with the time left on a terminal, plain lines elsewhere."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextlib.contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress while the work inside runs.

    Args:
        label: what is being done.

    Yields:
        A function to call with how many pieces of how many are done.
    """
    if not sys.stdout.isatty():
        yield lambda done, of: print(f"{label}: {done} of {of}", flush=True)
        return
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
