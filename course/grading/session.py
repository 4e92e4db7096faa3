"""A conversation with one kernel: run a cell, fetch values, call a function, within limits.

What the kernel sends is a stranger's word: messages may be forged, malformed, endless or absent.
Each ends here in an outcome, never in an error of this side.
"""

import base64
import contextlib
import hashlib
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
import numpy as np
import torch
from jupyter_client.session import DELIM
from jupyter_client.session import Session as Messages
from nbformat import NotebookNode

import helpers.check
from course import notebooks
from course.grading import outputs
from course.grading.cage.inside import wire
from course.grading.cage.kernels import Kernel
from course.grading.cage.limits import Limits
from course.grading.cage.sockets import Closed, Connection
from course.verdict import NewQuestion, Stopped
from helpers import watching
from helpers.check.kit.calling import Remote
from helpers.watching import Effects

# Functions that a check hands to an answer travel by value: the cage has no key to find them in.
cloudpickle.register_pickle_by_value(helpers.check)

GRACE = 3.0  # seconds between an interrupt and the end
MOST_NOISE = 50  # malformed messages before a kernel counts as lost
LARGEST_HEADER = 100_000  # bytes of the two headers of a message
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
        # What a kernel says is not verified: it knows the key, and nobody else reaches the sockets.
        self.messages = Messages(key=kernel.info["key"])
        ends = {"shell": "DEALER", "control": "DEALER", "iopub": "SUB"}
        self.ends = {
            name: Connection(f"{kernel.info['ip']}-{kernel.info[f'{name}_port']}", kind)
            for name, kind in ends.items()
        }
        self.log: dict[str, str] = {}
        self.logged = self.shown = 0
        self.usable = True
        self._await_ready()

    def _await_ready(self) -> None:
        """Wait until the kernel answers and its broadcasts arrive."""
        until = min(self.deadline, time.monotonic() + 30)
        while time.monotonic() < until and self.kernel.alive():
            try:
                asked = self._send("shell", "kernel_info_request", {})
            except Closed:
                return
            if self._collect(asked, Outcome(), min(until, time.monotonic() + 0.5)):
                return

    def _send(self, end: str, kind: str, content: dict[str, Any]) -> str:
        """Send a request; return its number."""
        message = self.messages.msg(kind, content)
        self.ends[end].send(self.messages.serialize(message))
        return str(message["header"]["msg_id"])

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the kernel and the connection."""
        self.kernel.kill()
        for end in self.ends.values():
            end.close()

    def remaining(self, seconds: float) -> float:
        """Return the time until which something that may take so long must be done."""
        return min(self.deadline, time.monotonic() + seconds)

    def run(self, source: str, silent: bool = False, seconds: float | None = None) -> Outcome:
        """Run a cell."""
        request = {
            "code": source, "silent": silent, "store_history": not silent, "user_expressions": {},
            "allow_stdin": False, "stop_on_error": False,
        }  # fmt: skip
        return self._exchange("execute_request", request, seconds)

    def _exchange(
        self, kind: str, request: dict[str, Any], seconds: float | None = None
    ) -> Outcome:
        """Send a request, and wait until the kernel has done what it asks."""
        outcome = Outcome()
        until = self.remaining(self.limits.cell_seconds if seconds is None else seconds)
        try:
            asked = self._send("shell", kind, request)
        except Closed:
            outcome.state, self.usable = "dead", False
            return outcome
        if self._collect(asked, outcome, until):
            return outcome
        if not self.kernel.alive():
            outcome.state, self.usable = "dead", False
            return outcome
        outcome.state = "timeout"
        with contextlib.suppress(Closed):
            self._send("control", "interrupt_request", {})
        ignored = Outcome()
        if not self._collect(asked, ignored, time.monotonic() + GRACE):
            outcome.state, self.usable = "stuck" if self.kernel.alive() else "dead", False
        return outcome

    def _collect(self, asked: str, outcome: Outcome, until: float) -> bool:
        """Take messages until the kernel is idle; return False when time or the kernel ends."""
        noise = 0
        while (now := time.monotonic()) < until and noise <= MOST_NOISE:
            try:
                message = self.ends["iopub"].receive(min(until, now + 0.2))
            except Closed:  # where the kernel ends, this is told before that is
                while self.kernel.alive() and time.monotonic() < min(until, now + GRACE):
                    time.sleep(0.01)
                return False
            if message is None:
                if not self.kernel.alive():
                    return False
                continue
            try:
                kind, content = read(message, asked)
                if kind and self._take(kind, content, outcome):
                    return True
            except Exception:  # a message that is none, or has another shape than the protocol's
                noise += 1
        return False

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
        values, raised = self.ask({"names": list(names)}, f"names {names!r}")
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
            {"handle": handle, "arguments": payload, "question": question},
            f"call {handle} {question} {payload}",
        )
        if raised is not None:
            raise raised
        if "returned" not in values:
            raise Stopped("refused", "the answer sent no value back")
        return values["returned"]

    def ask(
        self, request: dict[str, Any], remembered_as: str
    ) -> tuple[dict[str, Any], Exception | None]:
        """Send a request over the wire, and keep the reply under a digest of the request.

        Args:
            request: arguments of :func:`course.grading.cage.inside.wire.reply`.
            remembered_as: what tells it from every other request.
        """
        outcome = self._exchange("course_request", request)
        if outcome.state in ("timeout", "stuck"):
            raise Stopped("timeout", "the answer took too long")
        if outcome.state == "dead":
            raise Stopped("crashed", "the kernel died")
        if not outcome.wire:
            raise Stopped("refused", "the answer sent no reply")
        self._log(hashed(remembered_as), outcome.wire)
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


def hashed(request: str) -> str:
    """Return the digest under which the reply to a request is kept."""
    return hashlib.sha256(request.encode()).hexdigest()


def read(message: list[bytes], asked: str) -> tuple[str, dict[str, Any]]:
    """Read a kernel's message, its content only where it answers what was asked.

    Args:
        message: its parts, as they came.
        asked: the number of the request.

    Returns:
        What kind it is and its content; no kind where it belongs to another request.

    Raises:
        ValueError: it is no message.
    """
    at = message.index(DELIM)
    header, parent, _, content = message[at + 2 : at + 6]
    if len(header) + len(parent) > LARGEST_HEADER:
        raise ValueError("the headers are too large")
    if unpacked(parent).get("msg_id") != asked:
        return "", {}
    return str(unpacked(header)["msg_type"]), unpacked(content)


def unpacked(raw: bytes) -> Any:
    """Read a part of a message."""
    text = raw.decode("utf-8", "replace")
    wire.bounded(text)
    return json.loads(text)


class Replay(Session):
    """A session without a kernel: it knows the replies of an earlier one.

    Raises NewQuestion when something else is asked than was asked then.
    """

    def __init__(self, log: dict[str, str], deadline: float) -> None:
        self.log, self.deadline = log, deadline

    def ask(
        self, request: dict[str, Any], remembered_as: str
    ) -> tuple[dict[str, Any], Exception | None]:
        """Look a reply up."""
        digest = hashed(remembered_as)
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

    def adapted(self, adapter: str) -> Any:
        """Return what a function of :mod:`helpers.watching` makes of this one, in the cage too."""
        return self._asked(adapter)

    def _asked(self, question: str, *given: Any) -> Any:
        return self._session.call(self._handle, given, {}, question)

    def __repr__(self) -> str:
        return self._shown or "<function>"


class _Pickler(cloudpickle.Pickler):
    """Pickles tensors as plain arrays: smaller, and the same bytes for the same numbers.

    A network's parameters keep their gradients, which torch would leave behind.
    """

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, torch.nn.Parameter):
            gradient = None if thing.grad is None else thing.grad.detach()
            return watching.parameter, (thing.detach(), thing.requires_grad, gradient)
        if type(thing) is torch.Tensor and thing.dtype not in (torch.bfloat16,):
            return torch.from_numpy, (np.array(thing.detach().contiguous().numpy()),)
        return super().reducer_override(thing)


def pickled(thing: Any) -> bytes:
    """Return arguments as bytes for the cage."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump(thing)
    return buffer.getvalue()
