"""A limit on the judge's own time: what an answer sends may be slow to judge as well."""

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from course.verdict import Stopped

AGAIN = 0.2  # seconds after which the word is given again, where a library has swallowed it
Result = TypeVar("Result")


class OutOfTime(Stopped):
    """Judging has taken longer than the submission may take."""

    def __init__(self) -> None:
        super().__init__("timeout", "the submission ran out of time while this test was judged")


def within(deadline: float, work: Callable[[], Result]) -> Result:
    """Do some work of Python's, and raise OutOfTime in it when a deadline has passed.

    It is raised between two steps of Python, in whatever thread this is: a single call of a library
    is finished first, and those are short for all that fits into a reply.

    Args:
        deadline: a time of ``time.monotonic``.
        work: what is done.
    """
    this = ctypes.c_ulong(threading.get_ident())
    begun, over = threading.Event(), threading.Event()
    give = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        begun.wait()
        pause = max(0.0, deadline - time.monotonic())
        while not over.wait(pause):
            give(this, ctypes.py_object(OutOfTime))
            pause = AGAIN

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        begun.set()  # from here on it may be raised, and is caught
        return work()
    finally:
        while True:
            try:
                over.set()
                watcher.join()
                # What was given and not yet raised comes now. To take it back instead (by giving
                # NULL) would leave Python's flag for it set: every call is slow from then on, and
                # where calls are traced, as for coverage, the next one never begins.
                for _ in range(10):
                    pass
                break
            except OutOfTime:  # raised here, when the work was done
                continue
