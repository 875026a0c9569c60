"""What a worker tells of itself."""

import os
from contextlib import nullcontext
from threading import Thread

import pytest
from tests.jvlink.memory_shelf import NOW, RULES, MemoryShelf

from jvgate.jvlink.holding import Holding
from jvgate.jvlink.simulator import Simulator
from jvgate.jvlink.wire import Channel, Kind
from jvgate.jvlink.worker import serve


@pytest.fixture
def server():
    """The server's end of a worker that runs on a thread."""
    (from_server, to_worker), (from_worker, to_server) = os.pipe(), os.pipe()
    far = Channel(os.fdopen(from_server, "rb"), os.fdopen(to_server, "wb"))
    near = Channel(os.fdopen(from_worker, "rb"), os.fdopen(to_worker, "wb"))
    holding = Holding(make=lambda channel: nullcontext(Simulator(MemoryShelf(), RULES, now=lambda: NOW)))
    worker = Thread(target=serve, args=(holding, far), kwargs={"abandon": lambda: None})
    worker.start()
    yield near
    near.send(Kind.QUIT)
    worker.join(10)
    near.close()
    far.close()


def test_a_worker_that_has_not_been_asked_for_anything_is_idle(server):
    """Else its first job would look as if JVInit had hung since the worker began."""
    assert server.receive().kind is Kind.READY
    heartbeat = server.receive()
    assert (heartbeat.kind, heartbeat.fields()["doing"]) == (Kind.HEARTBEAT, "idle")
