"""Is what a kernel may send bounded, however it sends it?"""

import socket
import threading
import time

import pytest
import zmq

from course.grading.cage import sockets
from course.grading.cage.sockets import Closed, Connection

READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x04XPUB"
HELLO = sockets.GREETING + bytes([4, len(READY)]) + READY


@pytest.fixture
def ends(tmp_path):
    """A connection, and the socket of whoever it is connected to."""
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "k-1"))
        there.listen(1)
        found = []

        def answer():
            found.append(there.accept()[0])
            found[0].sendall(HELLO)

        answering = threading.Thread(target=answer)
        answering.start()
        here = Connection(str(tmp_path / "k-1"), "SUB")
        answering.join()
        yield here, found[0]
        here.close()
        found[0].close()


def soon(seconds=2.0):
    return time.monotonic() + seconds


def test_do_messages_of_libzmq_arrive_as_they_are(tmp_path):
    with zmq.Context() as context, context.socket(zmq.XPUB) as there:
        there.bind(f"ipc://{tmp_path}/k-1")
        here = Connection(f"{tmp_path}/k-1", "SUB")
        assert there.recv() == b"\x01"
        for message in ([b"topic", b"x" * 1000, b""], [b"y" * 1_000_000], [b"", b""]):
            there.send_multipart(message)
            assert here.receive(soon()) == message
        assert here.receive(soon(0.05)) is None
        here.close()


def test_do_requests_arrive_at_libzmq(tmp_path):
    with zmq.Context() as context, context.socket(zmq.ROUTER) as there:
        there.bind(f"ipc://{tmp_path}/k-1")
        here = Connection(f"{tmp_path}/k-1", "DEALER")
        here.send([b"a", b"b" * 100_000, b""])
        assert there.recv_multipart()[1:] == [b"a", b"b" * 100_000, b""]
        here.close()


@pytest.mark.parametrize("part", [b"\x01\x00", b"\x01\x03abc", b"\x01\xff" + b"x" * 255,
                                  b"\x03" + (1 << 17).to_bytes(8, "big") + b"x" * (1 << 17)],
                         ids=len)  # fmt: skip
def test_does_a_message_of_endless_parts_take_memory(ends, part):
    here, there = ends
    block = part * (1 + (1 << 17) // len(part))
    sending = threading.Event()

    def send():
        there.settimeout(0.2)
        try:
            while not sending.is_set():
                there.sendall(block)
        except OSError:
            pass

    sender = threading.Thread(target=send)
    sender.start()
    assert here.receive(soon(0.5)) is None
    sending.set()
    sender.join()
    assert len(here.parts) < 1000
    assert sum(map(len, here.parts)) < 100_000_000
    assert len(here.waiting) < 2_000_000


def test_does_a_message_after_one_that_is_too_large_arrive(ends):
    here, there = ends

    def send():
        there.sendall((b"\x01\x01x" * 100) + b"\x00\x01x")  # too many parts
        there.sendall(b"\x02" + (sockets.LARGEST_MESSAGE + 1).to_bytes(8, "big"))
        for _ in range(sockets.LARGEST_MESSAGE >> 20):
            there.sendall(bytes(1 << 20))
        there.sendall(b"x" + b"\x01\x01a\x00\x01b")

    sender = threading.Thread(target=send)
    sender.start()
    assert here.receive(soon()) == []
    assert here.receive(soon(20)) == []
    assert here.receive(soon()) == [b"a", b"b"]
    sender.join()


@pytest.mark.parametrize("size", [1 << 40, (1 << 64) - 1])
def test_is_a_part_that_claims_a_disk_waited_for(ends, size):
    here, there = ends
    there.sendall(b"\x02" + size.to_bytes(8, "big") + b"x" * 1000)
    assert here.receive(soon(0.1)) is None
    assert len(here.waiting) == 0


def test_is_an_end_noticed(ends, tmp_path):
    here, there = ends
    there.close()
    with pytest.raises(Closed):
        here.receive(soon())
    nobody = Connection(str(tmp_path / "nobody"), "DEALER")
    with pytest.raises(Closed):
        nobody.send([b"x"])
    nobody.close()
