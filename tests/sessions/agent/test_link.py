"""The way to an agent: its address, and in which words it is said that none is there."""

import socket
from contextlib import contextmanager
from threading import Thread

import pytest

from jvgate.errors import WorkerFailed
from jvgate.jvlink.wire import HEAD, MAGIC, SUM, VERSION, Kind
from jvgate.sessions.agent.hello import HELLO_LIMIT_BYTES, refuse
from jvgate.sessions.agent.link import Address, check, connect, keep_alive
from jvgate.sessions.agent.streams import Connection
from jvgate.values import SourceClock

HELLO_OF_ANOTHER = HEAD.pack(MAGIC, VERSION + 1, Kind.HELLO.value, 0, 0, 2) + SUM.pack(0) + b"{}"


@contextmanager
def answering(serve):
    """Serve one connection with *serve*; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with listener.accept()[0] as accepted:
                serve(accepted)

        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield Address(*listener.getsockname())
        thread.join(30)


@pytest.mark.parametrize(("host", "shown"), [("pc", "pc:8900"), ("127.0.0.1", "127.0.0.1:8900"), ("::1", "[::1]:8900")])
def test_an_address_is_shown_as_it_would_be_written(host, shown):
    assert str(Address(host, 8900)) == shown


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", HELLO_OF_ANOTHER])
@pytest.mark.parametrize(
    "ask", [check, lambda address: connect(address, token="", clock=SourceClock())], ids=["check", "connect"]
)
def test_what_is_no_agent_of_this_version_is_told_with_a_hint(answer, ask):
    with (
        answering(lambda accepted: accepted.sendall(answer)) as address,
        pytest.raises(WorkerFailed, match=r"no agent of this version: .*add \?tls=1"),
    ):
        ask(address)


def test_what_an_agent_refuses_with_is_not_wrapped():
    def refusing(accepted):
        refuse(Connection(accepted).channel(limit_bytes=HELLO_LIMIT_BYTES), WorkerFailed("too many"))

    with answering(refusing) as address, pytest.raises(WorkerFailed, match=r"could be started: too many$"):
        check(address)


def test_nobody_there_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address(*other.getsockname())
    with pytest.raises(WorkerFailed, match=rf"no agent answers at {address} .*start it there with `jvgate agent`"):
        check(address)


@pytest.mark.parametrize(("content", "why"), [(None, "cannot be read"), ("no certificate", "holds no certificate")])
def test_a_certificate_that_cannot_be_used_is_told_before_anything_is_dialled(tmp_path, content, why):
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    with pytest.raises(WorkerFailed, match=rf"ca=.*ca\.pem {why}"):
        check(Address("127.0.0.1", 1, is_tls=True, ca=str(ca)))


def test_a_peer_without_tls_is_asked_about_its_certificate(tmp_path):
    with (
        answering(lambda accepted: accepted.sendall(b"no TLS at all")) as address,
        pytest.raises(WorkerFailed, match=r"no TLS with the agent .*started with --tls-cert\?"),
    ):
        check(Address(address.host, address.port, is_tls=True))


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="not of this system")
def test_what_the_other_side_never_takes_is_not_sent_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        keep_alive(near, untaken_s=1)
        with listener.accept()[0], pytest.raises(TimeoutError):
            near.sendall(bytes(64 << 20))
