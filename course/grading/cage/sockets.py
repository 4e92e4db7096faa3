"""The half of ZeroMQ's protocol that a judge needs, with a bound on everything that arrives.

libzmq bounds the size of each part of a message and the number of whole messages that wait, but not
the parts of a message that never ends: those it keeps, all of them. Here what is too large or too
many is read and thrown away, what arrives is read only while somebody asks for it, and a kernel
that sends faster has to wait. The protocol is ZMTP 3.0 without security (rfc.zeromq.org/spec/23),
over a socket of the file system.
"""

import contextlib
import socket
import time

LARGEST_MESSAGE = 48 << 20  # bytes of all parts of a message; a larger one is not taken
MOST_PARTS = 64  # of a message: seven, and a widget's buffers
CHUNK = 1 << 18  # bytes read at a time
SENDING = 3.0  # seconds that the other end may take to accept what is sent
MORE, LONG, COMMAND = 1, 2, 4  # flags of a frame
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


class Closed(Exception):
    """The other end is gone, or speaks something else."""


class Connection:
    """A connection to one socket of a kernel.

    Args:
        path: where the kernel's socket is.
        kind: "DEALER", to send, or "SUB", to receive all that is published.
    """

    def __init__(self, path: str, kind: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SENDING)
        self.waiting = bytearray()
        self.parts: list[bytes] = []
        self.size = 0  # bytes of the message that is being read
        self.left = 0  # bytes of a part that is being thrown away
        self.last = False  # whether that part is its message's last
        self.spoilt = False  # whether the message being read is not taken
        with contextlib.suppress(OSError):  # told by whoever sends or receives next
            self.socket.connect(path)
            self._greet(kind.encode())

    def _greet(self, kind: bytes) -> None:
        """Say what this is, hear what the other end is, and ask for all that it publishes."""
        ready = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
        self.socket.sendall(GREETING + bytes([COMMAND, len(ready)]) + ready)
        while len(self.waiting) < len(GREETING) + 2:
            self.waiting += self._chunk()
        if self.waiting[0] != 0xFF or self.waiting[10] < 3:
            raise OSError("the other end does not speak ZMTP 3")
        del self.waiting[: len(GREETING)]  # what follows is a command: it is read as any other
        if kind == b"SUB":
            while len(self.waiting) < 2 + self.waiting[1]:
                self.waiting += self._chunk()
            self.socket.sendall(b"\x00\x01\x01")

    def _chunk(self) -> bytes:
        chunk = self.socket.recv(CHUNK)
        if not chunk:
            raise ConnectionError("the other end has closed")
        return chunk

    def send(self, parts: list[bytes]) -> None:
        """Send a message.

        Raises:
            Closed: it was not accepted in time, or at all.
        """
        words = bytearray()
        for number, part in enumerate(parts, 1):
            flags = LONG | (MORE if number < len(parts) else 0)
            words += bytes([flags]) + len(part).to_bytes(8, "big") + part
        try:
            self.socket.settimeout(SENDING)
            self.socket.sendall(words)
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self, until: float) -> list[bytes] | None:
        """Return the next message, or None where none was complete in time.

        A message that is too large or has too many parts comes as no parts at all.

        Args:
            until: the time of ``time.monotonic`` until which to wait.

        Raises:
            Closed: nothing will come any more.
        """
        while True:
            message = self._next()
            if message is not None:
                return message
            left = until - time.monotonic()
            if left <= 0:
                return None
            try:
                self.socket.settimeout(left)
                self.waiting += self._chunk()
            except TimeoutError:
                return None
            except OSError as error:
                raise Closed(str(error)) from None

    def _next(self) -> list[bytes] | None:
        """Read what is there; return a message where one is complete."""
        at = 0  # what was read is taken away once: a chunk may hold a hundred thousand parts
        try:
            while True:
                if self.left:
                    gone = min(self.left, len(self.waiting) - at)
                    at, self.left = at + gone, self.left - gone
                    if self.left:
                        return None
                    if self.last:
                        return self._taken()
                head = 9 if len(self.waiting) > at and self.waiting[at] & LONG else 2
                if len(self.waiting) < at + head:
                    return None
                flags = self.waiting[at]
                length = int.from_bytes(self.waiting[at + 1 : at + head], "big")
                last = not flags & (MORE | COMMAND)
                full = len(self.parts) == MOST_PARTS or self.size + length > LARGEST_MESSAGE
                if full and not flags & COMMAND:
                    self.spoilt, self.parts = True, []
                if self.spoilt or flags & COMMAND:
                    self.left, self.last = length, last
                    at += head
                    if not length and last:
                        return self._taken()
                    continue
                if len(self.waiting) < at + head + length:
                    return None
                at += head
                self.parts.append(bytes(self.waiting[at : at + length]))
                at, self.size = at + length, self.size + length
                if last:
                    return self._taken()
        finally:
            del self.waiting[:at]

    def _taken(self) -> list[bytes]:
        message, self.parts = self.parts, []
        self.size, self.last, self.spoilt = 0, False, False
        return message

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()
