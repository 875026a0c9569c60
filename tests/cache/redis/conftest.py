"""Real servers, one of each kind, for the tests of the Redis tier."""

import pytest

from tests.cache.redis_server import RedisServer, server_binaries


@pytest.fixture(scope="module", params=server_binaries() or {"none": None})
def running(request):
    with RedisServer(binary=server_binaries().get(request.param)) as server:
        yield server


@pytest.fixture
def server(running):
    running.command("FLUSHALL")
    return running
