"""Does the judge's own time count against the submission's?"""

import json
import subprocess
import sys
import threading
import time

import pytest

from course.grading import time_limit
from course.grading.judge import judge
from course.grading.session import Replay, hashed
from course.verdict import Verdict


def spin():
    while True:
        sum(range(5))


def swallowing():
    for _ in range(2):
        try:
            spin()
        except BaseException:
            continue
    spin()


@pytest.mark.parametrize("work", [spin, swallowing])
def test_does_judging_end_at_the_deadline(work):
    with pytest.raises(time_limit.OutOfTime):
        time_limit.within(time.monotonic() + 0.05, work)


def test_is_it_raised_where_the_work_is_done_and_nowhere_later():
    before = threading.active_count()
    for number in range(300):
        begun = time.monotonic()
        try:
            time_limit.within(begun + 0.0003, lambda n=number: sum(range(40 * n)))
        except time_limit.OutOfTime:
            continue
    for _ in range(1000):
        sum(range(10))
    assert threading.active_count() == before


def test_does_it_work_in_a_thread():
    raised = []

    def work():
        try:
            time_limit.within(time.monotonic() + 0.05, spin)
        except time_limit.OutOfTime as error:
            raised.append(error.state)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert raised == ["timeout"]


def test_have_replayed_answers_a_deadline_too():
    names = ("x",)
    reply = json.dumps(
        {"values": {"x": {"k": "float", "v": "0x1p0"}}, "raised": None, "tensors": ""}
    )
    log = {hashed(f"names {names!r}"): reply}
    endless = "while x:\n    sum(range(5))"
    verdict = judge(Replay(log, time.monotonic() + 0.05), endless, names)
    assert verdict.state == "timeout"
    assert judge(Replay(log, time.monotonic() + 20), "assert x == 1", names) == Verdict("passed")


TRACED = """
import sys, time
from course.grading import time_limit

sys.settrace(lambda *about: None)
for seconds in (60, 0.0001):
    try:
        time_limit.within(time.monotonic() + seconds, lambda: sum(range(20_000)))
    except time_limit.OutOfTime:
        pass


def called():
    return "still here"


print(called())
"""


def test_does_python_go_on_where_calls_are_traced():
    """Coverage traces them; an exception taken back would leave the next call begin for ever."""
    done = subprocess.run(
        [sys.executable, "-c", TRACED], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "still here\n", done.stderr
