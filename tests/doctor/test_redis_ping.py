"""Redis, played by a socket that answers; its password is in nothing that is told."""

import socket
from threading import Thread

import pytest

from jvgate.doctor.redis_ping import check_redis
from jvgate.settings import Settings

SECRET = "hunter%3A2"


class WithRedis(Settings):
    """Settings as they will be once there is a Redis."""

    redis_url: str = ""


def answering(answer, heard):
    """A server that answers once; returns its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with server, server.accept()[0] as connection:
            heard.append(connection.recv(1024))
            connection.sendall(answer)

    Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


def check(url):
    found = check_redis(WithRedis(redis_url=url))
    assert "hunter" not in str(found)
    return found


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"+OK\r\n+PONG\r\n", "ok"),
        (b"-WRONGPASS invalid username-password pair\r\n-NOAUTH no\r\n", "fail"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "fail"),
        (b"", "fail"),
    ],
)
def test_redis_is_asked_with_its_password(answer, state):
    heard = []
    assert check(f"redis://:{SECRET}@127.0.0.1:{answering(answer, heard)}/0").state == state
    assert heard == [b"*2\r\n$4\r\nAUTH\r\n$8\r\nhunter:2\r\n*1\r\n$4\r\nPING\r\n"]


def test_without_credentials_it_is_only_pinged():
    heard = []
    assert check(f"redis://127.0.0.1:{answering(b'+PONG' + bytes((13, 10)), heard)}").state == "ok"
    assert heard == [b"*1\r\n$4\r\nPING\r\n"]


@pytest.mark.parametrize("url", ["redis://user:hunter2", "redis://", "http://:hunter2@here", "hunter2", "redis://[h"])
def test_what_is_no_url_of_a_redis_is_told_without_being_shown(url):
    assert check(url).state == "fail"


def test_a_redis_that_is_not_there_is_told_with_its_place():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert f"127.0.0.1:{port}" in check(f"redis://:{SECRET}@127.0.0.1:{port}").ja


def test_without_redis_there_is_nothing_to_check():
    assert check_redis(Settings()).state == "skip"
