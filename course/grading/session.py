"""A conversation with one kernel: run a cell, fetch values, call a function, within limits.

What the kernel sends is a stranger's word: messages may be forged, malformed, endless or absent.
Each ends here in an outcome, never in an error of this side.
"""

import base64
import contextlib
import hashlib
import io
import json
import queue
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
import numpy as np
import torch
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from nbformat import NotebookNode

import helpers.check
from course import notebooks
from course.grading import outputs
from course.grading.cage.inside import wire
from course.grading.cage.kernels import Kernel
from course.grading.cage.limits import Limits
from course.verdict import NewQuestion, Stopped
from helpers.check.kit.calling import Remote
from helpers.watching import Effects

# Functions that a check hands to an answer travel by value: the cage has no key to find them in.
cloudpickle.register_pickle_by_value(helpers.check)

GRACE = 3.0  # seconds between an interrupt and the end
MOST_NOISE = 50  # malformed messages before a kernel counts as lost
LARGEST_MESSAGE = 48 << 20  # bytes; a larger one ends the connection, which is then made anew
MOST_WAITING = 10  # messages held here before the kernel has to wait or to drop its own
MOST_OUTPUT = 20  # times the output of a cell: what all cells of a session may leave
MOST_LOGGED = 32 << 20  # characters of replies that are kept, to judge them again


@dataclass
class Outcome:
    """What running a cell led to.

    ``state`` is "ok", "error", "timeout", "stuck" (a timeout beyond any interrupt) or "dead".
    """

    state: str = "ok"
    outputs: list[NotebookNode] = field(default_factory=list)
    execution_count: int | None = None
    size: int = 0
    wire: str = ""


class Session:
    """A client of one kernel."""

    def __init__(self, kernel: Kernel, limits: Limits, deadline: float) -> None:
        self.kernel, self.limits, self.deadline = kernel, limits, deadline
        self.context = zmq.Context()
        self.context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        self.context.setsockopt(zmq.RCVHWM, MOST_WAITING)
        self.context.setsockopt(zmq.LINGER, 0)
        # A kernel that has closed its sockets takes no message: sending would wait for ever.
        self.context.setsockopt(zmq.SNDTIMEO, round(GRACE * 1000))
        self.client = BlockingKernelClient(context=self.context)
        self.client.load_connection_info(kernel.info)  # type: ignore[arg-type]
        self.client.session.unpack = unpacked
        self.client.start_channels(stdin=False, hb=False)
        self.log: dict[str, str] = {}
        self.logged = self.shown = 0
        self.usable = True
        self._await_ready()

    def _await_ready(self) -> None:
        """Wait until the kernel answers and its broadcasts arrive."""
        until = min(self.deadline, time.monotonic() + 30)
        while time.monotonic() < until and self.kernel.alive():
            with contextlib.suppress(zmq.Again):
                asked = self.client.kernel_info()
                if self._collect(asked, Outcome(), min(until, time.monotonic() + 0.5)):
                    return

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the kernel and the connection."""
        self.kernel.kill()
        self.client.stop_channels()
        self.context.destroy(linger=0)

    def remaining(self, seconds: float) -> float:
        """Return the time until which something that may take so long must be done."""
        return min(self.deadline, time.monotonic() + seconds)

    def run(self, source: str, silent: bool = False, seconds: float | None = None) -> Outcome:
        """Run a cell."""
        outcome = Outcome()
        until = self.remaining(self.limits.cell_seconds if seconds is None else seconds)
        try:
            asked = self.client.execute(
                source, silent=silent, allow_stdin=False, stop_on_error=False
            )
        except zmq.Again:
            outcome.state, self.usable = "dead", False
            return outcome
        if self._collect(asked, outcome, until):
            return outcome
        if not self.kernel.alive():
            outcome.state, self.usable = "dead", False
            return outcome
        outcome.state = "timeout"
        with contextlib.suppress(zmq.Again):
            self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))
        ignored = Outcome()
        if not self._collect(asked, ignored, time.monotonic() + GRACE):
            outcome.state, self.usable = "stuck" if self.kernel.alive() else "dead", False
        return outcome

    def _collect(self, asked: str, outcome: Outcome, until: float) -> bool:
        """Take messages until the kernel is idle; return False when time or the kernel ends."""
        noise = 0
        while True:
            left = until - time.monotonic()
            if left <= 0 or noise > MOST_NOISE:
                return False
            try:
                message = self.client.get_iopub_msg(timeout=min(left, 0.2))
            except queue.Empty:
                if not self.kernel.alive():
                    return False
                continue
            except Exception:  # a message that is none
                noise += 1
                continue
            try:
                if message["parent_header"].get("msg_id") != asked:
                    continue
                if self._take(message["msg_type"], message["content"], outcome):
                    return True
            except Exception:  # a message of another shape than the protocol's
                noise += 1

    def _take(self, kind: str, content: dict[str, Any], outcome: Outcome) -> bool:
        if kind == "status":
            return bool(content["execution_state"] == "idle")
        if kind == "execute_input":
            outcome.execution_count = min(abs(int(content["execution_count"])), 10**6)
        elif kind in ("stream", "display_data", "execute_result", "error"):
            data = content.get("data")
            if kind == "display_data" and isinstance(data, dict) and wire.MIME in data:
                outcome.wire = str(data[wire.MIME])
                return False
            if kind == "error":
                outcome.state = "error"
            self._keep(kind, content, outcome)
        return False

    def _keep(self, kind: str, content: dict[str, Any], outcome: Outcome) -> None:
        """Add an output to a cell's, up to its limit and to that of all cells."""
        output = outputs.shown(kind, content)
        full = outcome.size > self.limits.output or self.shown > MOST_OUTPUT * self.limits.output
        if output is None or full:
            return
        size = len(str(output))
        outcome.size += size
        if outcome.size > self.limits.output:
            output = outputs.cut(output)
        self.shown += min(size, self.limits.output)
        notebooks.append(outcome.outputs, output)

    # --- answers -------------------------------------------------------------------------------

    def values(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the values of those names that exist.

        Raises:
            Stopped: the kernel ended, was too slow, or sent no honest reply.
        """
        values, raised = self.ask(f"names={list(names)!r}", f"names {names!r}")
        if raised is not None:
            raise Stopped("refused", f"the answer cannot be handed over: {raised}")
        return {name: values[name] for name in names if name in values}

    def call(
        self, handle: int, args: tuple[Any, ...], kwargs: dict[str, Any], question: str = ""
    ) -> Any:
        """Call a function in the cage; return its value or raise its exception.

        Args:
            handle: number of the function, as it came with an answer.
            args: its arguments, or a question's.
            kwargs: its arguments by name.
            question: a function of `helpers.watching` that is to call it; empty for a plain call.
        """
        payload = base64.b64encode(pickled((args, kwargs))).decode()
        values, raised = self.ask(
            f"handle={handle}, arguments={payload!r}, question={question!r}",
            f"call {handle} {question} {payload}",
        )
        if raised is not None:
            raise raised
        if "returned" not in values:
            raise Stopped("refused", "the answer sent no value back")
        return values["returned"]

    def ask(self, request: str, remembered_as: str) -> tuple[dict[str, Any], Exception | None]:
        """Send a request over the wire, and keep the reply under a digest of the request."""
        outcome = self.run(f"__import__('_course_wire').reply({request})", silent=True)
        if outcome.state in ("timeout", "stuck"):
            raise Stopped("timeout", "the answer took too long")
        if outcome.state == "dead":
            raise Stopped("crashed", "the kernel died")
        if outcome.state == "error" and not outcome.wire:
            raise Stopped("refused", "the answer sent no reply")
        self._log(hashlib.sha256(remembered_as.encode()).hexdigest(), outcome.wire)
        return self.decoded(outcome.wire)

    def _log(self, digest: str, reply: str) -> None:
        """Keep a reply; where they grow too large, keep none: the code will run again instead."""
        self.logged += len(reply)
        if self.logged > MOST_LOGGED:
            self.log.clear()
        else:
            self.log[digest] = reply

    def decoded(self, text: str) -> tuple[dict[str, Any], Exception | None]:
        """Decode a reply; functions in it become proxies of this session."""
        try:
            return wire.decode(text, lambda handle, shown: Proxy(self, handle, shown))
        except wire.Malformed as error:
            raise Stopped("refused", f"the answer cannot be handed over: {error}") from None


def unpacked(raw: bytes) -> Any:
    """Read a part of a message, in place of jupyter_client's reader, which takes any size."""
    text = raw.decode("utf-8", "replace")
    wire.bounded(text)
    return json.loads(text)


class Replay(Session):
    """A session without a kernel: it knows the replies of an earlier one.

    Raises NewQuestion when something else is asked than was asked then.
    """

    def __init__(self, log: dict[str, str]) -> None:
        self.log = log

    def ask(self, request: str, remembered_as: str) -> tuple[dict[str, Any], Exception | None]:
        """Look a reply up."""
        digest = hashlib.sha256(remembered_as.encode()).hexdigest()
        if digest not in self.log:
            raise NewQuestion
        return self.decoded(self.log[digest])


class Proxy(Remote):
    """A function in the cage, callable from here, and asked there what it does besides."""

    def __init__(self, session: Session, handle: int, shown: str) -> None:
        self._session, self._handle, self._shown = session, handle, shown

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function where it lives."""
        return self._session.call(self._handle, args, kwargs)

    def watched(self, args: Sequence[Any], seed: int | None) -> tuple[Any, Effects]:
        """Call the function, and see what it does besides; see :func:`helpers.watching.watched`."""
        value, effects = self._asked("watched", tuple(args), seed)
        return value, Effects(*effects)

    def repeated(self, args: Sequence[Any], times: int) -> list[Any]:
        """Call the function many times; see :func:`helpers.watching.repeated`."""
        return list(self._asked("repeated", tuple(args), times))

    def slopes(self, args: Sequence[Any], places: Sequence[int]) -> list[Any]:
        """Return slopes through some arguments; see :func:`helpers.watching.slopes`."""
        return list(self._asked("slopes", tuple(args), list(places)))

    def _asked(self, question: str, *given: Any) -> Any:
        return self._session.call(self._handle, given, {}, question)

    def __repr__(self) -> str:
        return self._shown or "<function>"


class _Pickler(cloudpickle.Pickler):
    """Pickles tensors as plain arrays: smaller, and the same bytes for the same numbers."""

    def reducer_override(self, thing: Any) -> Any:
        if type(thing) is torch.Tensor and thing.dtype not in (torch.bfloat16,):
            return torch.from_numpy, (np.array(thing.detach().contiguous().numpy()),)
        return super().reducer_override(thing)


def pickled(thing: Any) -> bytes:
    """Return arguments as bytes for the cage."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump(thing)
    return buffer.getvalue()
