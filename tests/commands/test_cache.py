"""`jvgate cache`: the cache of a running server, shown and purged."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from jvgate.settings import Settings
from tests.cache.redis_server import RedisServer
from tests.commands.command import SOURCE, USAGE, fails
from tests.web.conftest import running

pytestmark = pytest.mark.process


def test_the_cache_of_a_running_server_is_shown_and_purged(jvgate, source):
    with running(Settings(source=source)) as client:
        url = str(client.base_url)
        client.data()
        assert json.loads(jvgate("cache", "stats", "--url", url, "--json").stdout)["l1"]["entries"] == 2
        assert "RACE" in jvgate("cache", "stats", "--url", url).stdout
        done = jvgate("cache", "purge", "--url", url, "--dataspec", "RACE")
        assert done.stdout == "dropped 2 from memory, 0 from Redis\n"
        fails(jvgate("cache", "purge", "--url", url), USAGE, "all=1")


@pytest.mark.parametrize("answer", [b"[]", b"{}", b"null", b"no JSON"])
@pytest.mark.parametrize("words", [["stats"], ["purge", "--all"]])
def test_what_is_no_jvgate_has_no_cache_to_show_either(jvgate, answer, words):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def do_DELETE(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        fails(jvgate("cache", *words, "--url", f"http://127.0.0.1:{server.server_port}"), SOURCE, "jvgate")
        server.shutdown()


def test_an_empty_option_purges_nothing_more_than_it_says(jvgate, source):
    with running(Settings(source=source)) as client:
        client.data()
        fails(
            jvgate("cache", "purge", "--url", str(client.base_url), "--dataspec", "RACE", "--date", ""), USAGE, "date"
        )
        assert client.get("/api/v1/cache").json()["l1"]["entries"] == 2


def test_what_lies_in_redis_is_shown_with_its_age(jvgate, source):
    with RedisServer() as redis, running(Settings(source=source, redis_url=redis.unix_url, prefetch=False)) as client:
        client.data()
        redis.until(lambda: any(":jra:RACE:" in name for name in redis.names()))
        shown = jvgate("cache", "stats", "--url", str(client.base_url)).stdout
    told = shown.partition("longest in Redis\n")[2].splitlines()
    assert told[0].split() == ["query", "bytes", "age", "expires", "in"]
    assert re.fullmatch(r"jra:RACE:20261101000000-:1 +[\d,]+ +\d+ s +[\d,]+ s", told[1].strip())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "file:///etc", "127.0.0.1:1", "http://[", "http://127.0.0.1:x"])
def test_a_server_that_is_not_there_has_no_cache_to_show(jvgate, url):
    fails(jvgate("cache", "stats", "--url", url), SOURCE, "no jvgate answers")
