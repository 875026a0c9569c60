"""The news channel: messages reach the listeners of their kind, purges every process, and no bytes do harm."""

import asyncio

import pytest
import structlog

from jvgate.cache.redis.codec import pack
from jvgate.cache.redis.keys import query_text
from jvgate.cache.redis.news import RedisNews
from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import Miss, Packed, SharedPurge
from jvgate.values import Backoff, Message
from tests.cache.scenes import IDENTITY, KEYS, QUERY, entry, kept, play
from tests.specs import JRA
from tests.waiting import until

pytestmark = pytest.mark.process

KEY = KEYS.value(query_text(QUERY))


def test_a_message_reaches_the_listeners_of_its_kind_in_every_process(server):
    heard, message = [], Message("landing", {"query": "RACE", "records": 3})

    async def scene(one, other):
        await one.tell(message)
        await until(lambda: len(heard) == 4)
        return one.counts["message", "unknown"]

    assert play(scene, server.url, server.url, listeners={"landing": [heard.append, heard.append]}) == 0
    assert {(each.kind, each.text("query"), each.number("records")) for each in heard} == {("landing", "RACE", 3)}


def test_other_packages_hear_of_a_value_that_landed(server):
    heard = []

    async def scene(one, other):
        await kept(one, entry())
        await until(lambda: len(heard) == 2)

    play(scene, server.url, server.url, listeners={"landed": [heard.append]})
    assert {message.text("query") for message in heard} == {query_text(QUERY)}


def test_a_message_of_an_unknown_kind_is_ignored_and_counted(server):
    async def scene(one, other):
        await one.tell(Message("from a later version"))
        await until(lambda: other.counts["message", "unknown"])
        return other.state.is_listening

    assert play(scene, server.url, server.url)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"kind":"purge","tags":["x"]}', b'{"kind":"landed","query":7}'])
def test_a_malformed_message_is_ignored_and_counted(server, data):
    async def scene(one):
        server.command("PUBLISH", KEYS.news, data)
        await until(lambda: one.counts["message", "malformed"])
        return one.state.is_listening

    assert play(scene, server.url)


def test_an_error_of_a_listener_does_not_end_the_subscription(server):
    def fails(message):
        failed.append(message)
        raise RuntimeError(message.kind)

    async def scene(one):
        for count in (1, 2):
            await one.tell(Message("topic"))
            await until(lambda count=count: len(failed) == count)
        return one.state.is_listening

    failed = []
    assert play(scene, server.url, listeners={"topic": [fails]})


def test_a_message_without_redis_is_dropped(server):
    async def scene(one):
        await one.tell(Message("topic"))
        return one.state.reason

    assert play(scene, "unix:///nowhere/redis.sock", is_up=False) == "refused"


def test_a_purge_is_told_to_the_others_and_not_to_oneself(server):
    heard = []

    async def scene(one, other):
        await one.purge("RACE")
        await until(lambda: heard)
        await one.purge("20261115")
        await until(lambda: len(heard) > 1)

    play(scene, server.url, server.url, on_purge=[heard.append])
    assert heard == [("RACE",), ("20261115",)]


def test_who_comes_later_knows_what_was_purged(server):
    async def purge(one):
        await one.purge("RACE")
        return one._fences.newest

    async def scene(late):
        server.command("SET", KEY, pack(entry(stamp=stamp - 1)))
        return late._fences.newest, await late.get(QUERY)

    stamp = play(purge, server.url)
    assert play(scene, server.url) == (stamp, Miss("purged"))


def test_who_was_cut_off_forgets_what_it_kept_and_learns_what_it_missed(server):
    flushed = []

    async def scene(one, other):
        await one.purge("DIFN")
        server.cut_off()
        await one.purge("RACE")
        await until(lambda: len(flushed) == 2 and one.state.is_listening and other.state.is_listening)
        return one._fences.newest == other._fences.newest

    assert play(scene, server.url, server.url, on_reconnect=[lambda _: flushed.append(1)])


def test_nobody_forgets_anything_at_the_start(server):
    flushed = []

    async def scene(one):
        await one.purge("RACE")

    play(scene, server.url, on_reconnect=[lambda _: flushed.append(1)])
    assert flushed == []


@pytest.mark.parametrize("is_read", [False, True])
def test_what_was_found_before_the_first_news_is_forgotten_with_them(server, monkeypatch, is_read):
    flushed = []

    async def scene():
        gate, listen = asyncio.Event(), RedisNews.listen

        async def listen_late(news):
            await gate.wait()
            await listen(news)

        monkeypatch.setattr(RedisNews, "listen", listen_late)
        server.command("SET", KEY, pack(entry()))
        async with RedisTier(
            server.url, JRA.layouts, identity=IDENTITY, deadline_s=5.0, on_reconnect=[lambda _: flushed.append(1)]
        ) as one:
            if is_read:
                assert isinstance(await one.get(QUERY), Packed)
            gate.set()
            await until(lambda: one.state.is_listening)
            await asyncio.sleep(0)

    asyncio.run(scene())
    assert flushed == [1] * is_read


def test_what_the_owner_does_with_the_news_does_not_end_the_listening(server):
    async def scene(one, other):
        await one.purge("RACE")
        await one.purge("DIFN")
        await until(lambda: len(heard) == 2)
        return one.state.is_listening

    def fails(tags):
        heard.append(tags)
        raise ValueError(tags)

    heard = []
    assert play(scene, server.url, server.url, on_purge=[fails])


@pytest.fixture
def deaf_url(server):
    """Of a user who may do anything with our keys, and neither tell nor hear news."""
    server.command("ACL", "SETUSER", "app", "on", ">pw", "~jvgate:*", "+@all", "resetchannels")
    yield f"redis://app:pw@127.0.0.1:{server.port}"
    server.command("ACL", "DELUSER", "app")


def test_who_may_not_listen_looks_for_purges_and_says_so_once(server, deaf_url):
    heard = []

    async def scene(one, other):
        await kept(one, entry())
        await until(lambda: one._news.cuts and other._news.cuts)
        purged = await one.purge("RACE")
        await until(lambda: heard)
        fresh = await kept(one, entry(stamp=one._fences.newest))
        cuts = other._news.cuts + 2
        await until(lambda: other._news.cuts >= cuts)
        return purged, await other.get(QUERY) == fresh, other.state.is_listening, one.counts["put", "stored"]

    with structlog.testing.capture_logs() as logs:
        assert play(scene, deaf_url, deaf_url, is_up=False, on_purge=[heard.append]) == (SharedPurge(1), True, False, 2)
    assert heard == [("RACE",)]
    assert [log["why"] for log in logs if "cannot be heard" in log["event"]] == ["forbidden"] * 2


def test_who_may_not_listen_forgets_what_a_write_of_his_showed_to_be_purged(server, deaf_url, monkeypatch):
    monkeypatch.setattr("jvgate.cache.redis.news._BACKOFF", Backoff(first_s=600.0, most_s=600.0))
    heard = []

    async def scene(one, other):
        await until(lambda: one._news.cuts and other._news.cuts)
        await one.purge("RACE")
        await kept(other, entry())

    play(scene, deaf_url, deaf_url, is_up=False, on_purge=[heard.append])
    assert heard == [("RACE",)]


def test_who_may_listen_again_does(server, deaf_url):
    async def scene(one):
        await until(lambda: one._news.cuts)
        server.command("ACL", "SETUSER", "app", "allchannels")
        await until(lambda: one.state.is_listening)

    play(scene, deaf_url, is_up=False)


@pytest.mark.parametrize("message", [b"", b"{", b"[]", b"null", b'{"kind":"purge"}', b'{"kind":"purge","tags":1}',
                                     b'{"kind":"landed","query":[]}', b'{"kind":[]}', b"\xff",
                                     *(b'{"kind":"purge","tags":["x"],"from":"","stamp":%s}' % stamp for stamp in
                                       (b"1e23", b"-1", b"18446744073709551615", b"true", b'"1"'))])  # fmt: skip
def test_foreign_messages_are_passed_over(server, message):
    heard = []

    async def scene(one, other):
        server.command("PUBLISH", KEYS.news, message)
        await other.purge("RACE")
        await until(lambda: heard)
        await kept(one, entry(stamp=one._fences.newest))
        return one.state.is_listening, await one.purge("RACE")

    assert play(scene, server.url, server.url, on_purge=[heard.append]) == (True, SharedPurge(1))
    assert heard[0] == ("RACE",)
