"""Redis, asked by the doctor as the server asks it; its password is in nothing that is told."""

import socket

import pytest

from jvgate.doctor.redis_ping import check_redis
from jvgate.settings import Settings
from tests.cache.redis_server import RedisServer
from tests.specs import JRA

pytestmark = pytest.mark.process

SECRET = "hunter:2"


def check(url):
    found = check_redis(Settings(redis_url=url), JRA)
    assert "hunter" not in str(found)
    return found


@pytest.fixture(scope="module")
def server():
    with RedisServer(password=SECRET) as running:
        yield running


def test_a_redis_that_answers_is_well(server):
    found = check(f"redis://:hunter%3A2@127.0.0.1:{server.port}/0")
    assert (found.state, f"127.0.0.1:{server.port}" in found.ja) == ("ok", True)


@pytest.mark.parametrize("given", ["", ":hunter3@"])
def test_a_wrong_password_is_told_as_one(server, given):
    found = check(f"redis://{given}127.0.0.1:{server.port}")
    assert (found.state, "password" in found.en) == ("fail", True)


@pytest.mark.parametrize("url", ["redis://user:hunter2", "redis://", "http://:hunter2@here", "hunter2", "redis://[h"])
def test_what_is_no_url_of_a_redis_is_told_without_being_shown(url):
    assert check(url).state == "fail"


def test_a_redis_that_is_not_there_is_told_with_its_place():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = check(f"redis://:hunter2@127.0.0.1:{port}")
    assert (found.state, f"127.0.0.1:{port}" in found.ja) == ("fail", True)


def test_without_redis_there_is_nothing_to_check():
    assert check_redis(Settings(), JRA).state == "skip"
