"""The second tier on a real Redis: kept, found, leased, awaited and purged, by one process and by two."""

import asyncio
import gc
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import structlog

from jvgate.cache.redis import inspection as redis_inspection
from jvgate.cache.redis import purges as redis_purges
from jvgate.cache.redis.news import RedisNews
from jvgate.cache.redis.packing import pack
from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import ALL, KeptKey, Lease, Miss, Packed, Purged
from tests.cache.redis_server import RedisServer, server_binaries
from tests.cache.scenes import QUERY, entry, kept, play, queries, settled, until

KEY = f"jvgate:2:{QUERY}"
LEASE = f"jvgate:2:lease:{QUERY}"


@pytest.fixture(scope="module", params=server_binaries() or {"none": None})
def running(request):
    with RedisServer(binary=server_binaries().get(request.param)) as server:
        yield server


@pytest.fixture
def server(running):
    running.command("FLUSHALL")
    return running


def test_what_is_kept_is_found_by_another_process(server):
    async def scene(one, other):
        packed = await kept(one, entry())
        return packed, await other.get(QUERY), one.counts["put", "stored"], other.counts["get", "hit"]

    packed, found, stored, hits = play(scene, server.url, server.url)
    assert found == packed
    assert (stored, hits) == (1, 1)


def test_it_is_reached_through_a_socket_too(server):
    async def scene(one):
        return await kept(one, entry()), await one.get(QUERY)

    packed, found = play(scene, server.unix_url)
    assert found == packed


def test_what_is_not_there_is_absent(server):
    async def scene(one):
        return await one.get(QUERY)

    assert play(scene, server.url) == Miss("absent")


def test_redis_drops_an_entry_by_itself_at_the_end_of_its_window(server):
    async def scene(one):
        await kept(one, entry(keep_s=1000))
        return server.command("PTTL", KEY)

    assert 990_000 < play(scene, server.url) <= 1_000_000


@pytest.mark.parametrize("size", [(1 << 18) - 1, 1 << 18, 3 << 20])
def test_long_values_come_back_whole(server, size):
    async def scene(one):
        body = bytes(number * 7919 % 251 for number in range(1009)) * (size // 1009 + 1)
        noise = b"".join(hash((size, number)).to_bytes(8, "big", signed=True) for number in range(size // 8))
        packed = await kept(one, entry(body=body + noise))
        assert len(pack(packed)) > size - (size >> 5)
        return packed, await one.get(QUERY)

    packed, found = play(scene, server.url)
    assert found == packed


def test_what_is_over_the_limit_is_not_kept(server):
    async def scene(one):
        await kept(one, entry(body=bytes(1001)))
        return one.counts["put", "large"], await one.get(QUERY)

    assert play(scene, server.url, limit_bytes=1000) == (1, Miss("absent"))
    assert server.names() == set()


def test_what_has_expired_is_not_kept_and_not_served(server):
    async def scene(one):
        packed = await kept(one, entry(now=time.time() - 100, keep_s=50))
        server.command("SET", KEY, pack(packed))
        return one.counts["put", "expired"], await one.get(QUERY)

    assert play(scene, server.url) == (1, Miss("expired"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "absent"),
        (b"\x80\x04\x95 a pickle", "foreign"),
        (b"x" * (1 << 20), "foreign"),
        (pack(entry())[:-1], "length"),
        (pack(entry())[:8] + b"\x01" + pack(entry())[9:], "version"),
        (pack(entry())[:-1] + b"\x00", "checksum"),
        (pack(entry(replace(QUERY, option=2))), "query"),
    ],
)
def test_a_garbled_value_is_a_miss_that_is_counted(server, value, reason):
    async def scene(one):
        server.command("SET", KEY, value)
        return await one.get(QUERY), one.counts["get", reason], one.state.state

    assert play(scene, server.url) == (Miss(reason), 1, "closed")


def test_a_key_of_another_type_is_a_miss(server):
    async def scene(one):
        server.command("SADD", KEY, "x")
        return await one.get(QUERY), one.state.state

    assert play(scene, server.url) == (Miss("foreign"), "closed")


def test_a_backlog_that_is_full_drops_and_counts(server):
    async def scene(one):
        for query in queries(10):
            one.put(entry(query))
        await settled(one)
        return one.counts["put", "backlog"], one.counts["put", "stored"]

    assert play(scene, server.url, queue_entries=4) == (6, 4)


def test_a_backlog_is_bounded_by_bytes(server):
    async def scene(one):
        for query in queries(3):
            one.put(entry(query, body=bytes(40_000)))
        held = len(one._backlog)
        await settled(one)
        return held, one.counts["put", "backlog"], one._backlog.bytes

    assert play(scene, server.url, queue_bytes=100_000) == (2, 1, 0)


def test_what_cannot_be_packed_is_counted_and_the_writer_lives_on(server):
    async def scene(one):
        await kept(one, entry(tags=("\ud800",)))
        await kept(one, entry())
        return one.counts["put", "unpackable"], one.counts["put", "stored"]

    assert play(scene, server.url) == (1, 1)


def test_a_thousand_at_once_are_no_trouble(server):
    async def scene(one):
        asked = queries(1000)
        for query in asked[::100]:
            await kept(one, entry(query))
        found = await asyncio.gather(*map(one.get, asked))
        return [packed.dataset.query for packed in found if isinstance(packed, Packed)], asked[::100], one.state.state

    found, wanted, state = play(scene, server.url)
    assert found == wanted
    assert state == "closed"


# Leases and waiting


def test_one_of_two_gets_the_lease(server):
    async def scene(one, other):
        first, second = await one.lease(QUERY), await other.lease(QUERY)
        return first.is_shared, second

    assert play(scene, server.url, server.url) == (True, None)


def test_of_many_one_gets_the_lease(server):
    async def scene(*tiers):
        return await asyncio.gather(*(tier.lease(QUERY) for tier in tiers for _ in range(20)))

    leases = play(scene, *[server.url] * 3)
    assert sum(lease is not None for lease in leases) == 1


def test_a_lease_that_was_given_back_can_be_taken(server):
    async def scene(one, other):
        with await one.lease(QUERY):
            pass
        await settled(one)
        return (await other.lease(QUERY)).is_shared

    assert play(scene, server.url, server.url)


def test_nobody_gives_back_the_lease_of_another(server):
    async def scene(one, other):
        lease = await one.lease(QUERY)
        server.command("SET", LEASE, "somebody else")
        lease.release()
        await settled(one)
        return await other.lease(QUERY)

    assert play(scene, server.url, server.url) is None
    assert server.command("GET", LEASE) == b"somebody else"


def test_who_leaves_while_he_asks_for_a_lease_leaves_none_behind(server):
    async def scene(one):
        for turns, query in enumerate(queries(20)):
            asking = asyncio.create_task(one.lease(query))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            for lease in await asyncio.gather(asking, return_exceptions=True):
                if isinstance(lease, Lease):
                    lease.release()
        await until(lambda: not one._link._tasks)
        await settled(one)
        return [name for name in server.names() if ":lease:" in name]

    assert play(scene, server.url, lease_s=3600.0) == []


def test_a_lease_is_renewed_while_its_holder_runs(server):
    async def scene(one, other):
        lease = await one.lease(QUERY)
        renewed = server.calls("pexpire") + 3
        await until(lambda: server.calls("pexpire") >= renewed)
        held = await other.lease(QUERY)
        lease.release()
        await settled(one)
        return held, (await other.lease(QUERY)).is_shared

    assert play(scene, server.url, server.url, lease_s=1.5) == (None, True)


def test_the_lease_of_who_dies_expires(server):
    """The holder is cancelled and says nothing: as if its process had been killed."""

    async def scene(one, other):
        async def read():
            nonlocal lease
            lease = await one.lease(QUERY)
            held.set()
            await asyncio.Event().wait()

        lease, held = None, asyncio.Event()
        holder = asyncio.create_task(read())
        await held.wait()
        holder.cancel()
        found = await other.wait(QUERY, limit_s=20)
        return found, (await other.lease(QUERY)).is_shared, lease.is_released

    assert play(scene, server.url, server.url, lease_s=0.3) == (Miss("free"), True, False)


def test_who_waits_gets_the_value_as_it_lands(server):
    async def scene(one, other):
        with await one.lease(QUERY) as lease:
            asked = server.calls("pttl")
            waiting = [asyncio.create_task(other.wait(QUERY, limit_s=20)) for _ in range(10)]
            await until(lambda: server.calls("pttl") == asked + 10)
            assert not any(task.done() for task in waiting)
            packed = entry(stamp=lease.stamp)
            one.put(packed)
        return packed, await asyncio.gather(*waiting)

    packed, found = play(scene, server.url, server.url)
    assert found == [packed] * 10


def test_who_waits_need_not_poll(server, monkeypatch):
    monkeypatch.setattr("jvgate.cache.redis.tier._POLL_S", 1000)
    test_who_waits_gets_the_value_as_it_lands(server)
    server.command("FLUSHALL")
    test_who_waits_is_told_when_nobody_reads_any_more(server)


def test_who_waits_for_something_newer_does_not_fetch_what_lies_there_over_and_over(server, monkeypatch):
    monkeypatch.setattr("jvgate.cache.redis.tier._POLL_S", 0.001)

    async def scene(one, other):
        packed = await kept(one, entry(body=bytes(range(256)) * 1000))
        with await one.lease(QUERY):
            waiting = asyncio.create_task(other.wait(QUERY, limit_s=20, newer_than=packed.dataset.read_at))
            before = server.calls("pttl")
            await until(lambda: server.calls("pttl") > before + 10)
            newer = await kept(one, entry(now=packed.dataset.read_at + 1))
        return await waiting == newer, other.counts["bytes", "read"] <= len(pack(packed)) + len(pack(newer))

    assert play(scene, server.url, server.url) == (True, True)


def test_who_waits_is_told_when_nobody_reads_any_more(server):
    async def scene(one, other):
        lease, asked = await one.lease(QUERY), server.calls("pttl")
        waiting = asyncio.create_task(other.wait(QUERY, limit_s=20))
        await until(lambda: server.calls("pttl") > asked)
        lease.release()
        return await waiting

    assert play(scene, server.url, server.url) == Miss("free")


@pytest.mark.parametrize("command", [("SET", LEASE, "x"), ("HSET", LEASE, "a", "b"), ("SET", LEASE, "x", "EX", 10**6)])
def test_a_lease_that_nobody_of_us_can_have_keeps_nobody_waiting(server, command):
    async def scene(one):
        server.command(*command)
        assert await one.lease(QUERY) is None
        assert await one.wait(QUERY, limit_s=10.0) == Miss("free")
        with await one.lease(QUERY) as lease:
            return lease.is_shared

    assert play(scene, server.url)


def test_who_waits_without_news_looks_by_himself(server):
    async def scene(one, other):
        with await one.lease(QUERY):
            asked = server.calls("pttl")
            waiting = asyncio.create_task(other.wait(QUERY, limit_s=20))
            await until(lambda: server.calls("pttl") > asked)
            server.command("SET", KEY, pack(entry()))
            return await waiting

    assert isinstance(play(scene, server.url, server.url), Packed)


def test_who_waits_waits_no_longer_than_he_would(server):
    async def scene(one, other):
        with await one.lease(QUERY):
            return await other.wait(QUERY, limit_s=0.05)

    assert play(scene, server.url, server.url) == Miss("late")


def test_many_on_two_nodes_read_once(server):
    """The gateway's way: ask, lease or wait, read, put, give back."""
    reads, asked = 0, server.calls("pttl")

    async def fetch(tier):
        nonlocal reads
        while True:
            found = await tier.get(QUERY)
            if isinstance(found, Packed):
                return found
            if (lease := await tier.lease(QUERY)) is not None:
                with lease:
                    if lease.is_shared and isinstance(found := await tier.get(QUERY), Packed):
                        return found
                    reads += 1
                    await until(lambda: server.calls("pttl") > asked)  # somebody waits by now
                    tier.put(entry(stamp=lease.stamp))
                    return entry()
            elif isinstance(found := await tier.wait(QUERY, limit_s=20), Packed):
                return found

    async def scene(*tiers):
        return await asyncio.gather(*(fetch(tier) for tier in tiers for _ in range(100)))

    # However busy the machine is: who misses a deadline would rightly read for himself.
    found = play(scene, server.url, server.url, deadline_s=60.0)
    assert {packed.dataset.body for packed in found} == {entry().dataset.body}
    assert (len(found), reads) == (200, 1)


# Purges


@pytest.mark.parametrize("tags", [("RACE",), ("20261115",), (ALL,), ("x", "RACE")])
def test_a_purge_removes_what_carries_the_tag(server, tags):
    async def scene(one, other):
        await kept(one, entry())
        await kept(one, entry(queries(1)[0], tags=("0B15",)))
        purged = await other.purge(*tags)
        return purged, await one.get(QUERY), await one.get(queries(1)[0])

    purged, found, untouched = play(scene, server.url, server.url)
    assert purged == Purged(2 if tags == (ALL,) else 1)
    assert found == Miss("absent")
    assert isinstance(untouched, Packed) == (tags != (ALL,))


def test_a_purge_is_told_to_the_others_and_not_to_oneself(server):
    heard = []

    async def scene(one, other):
        await one.purge("RACE")
        await until(lambda: heard)
        await one.purge("20261115")
        await until(lambda: len(heard) > 1)

    play(scene, server.url, server.url, on_purge=heard.append)
    assert heard == [("RACE",), ("20261115",)]


def test_a_read_that_began_before_a_purge_is_not_kept_after_it(server):
    async def scene(one, other):
        with await one.lease(QUERY) as lease:
            await other.purge("RACE")
            one.put(entry(stamp=lease.stamp))
        await settled(one)
        return await one.get(QUERY), await other.get(QUERY), one.counts["put", "purged"]

    assert play(scene, server.url, server.url) == (Miss("absent"), Miss("absent"), 1)
    assert KEY not in server.names()


def test_a_writer_that_has_not_heard_of_the_purge_takes_its_value_back(server):
    async def scene(one, other):
        one._news._take = lambda data: None
        lease = await one.lease(QUERY)
        await other.purge("RACE")
        await kept(one, entry(stamp=lease.stamp))
        return one.counts["put", "purged"], KEY in server.names()

    assert play(scene, server.url, server.url) == (1, False)


def test_a_reader_takes_no_value_from_before_a_purge(server):
    """What lies in Redis for the moment between a write and its being taken back."""

    async def scene(one, other):
        await other.purge("RACE")
        await until(lambda: one._fences.newest == other._fences.newest)
        server.command("SET", KEY, pack(entry(stamp=other._fences.newest - 1)))
        return await one.get(QUERY), await other.get(QUERY)

    assert play(scene, server.url, server.url) == (Miss("purged"), Miss("purged"))


def test_a_read_that_began_after_the_purge_is_kept(server):
    async def scene(one, other):
        await other.purge("RACE")
        await until(lambda: one._fences.newest == other._fences.newest)
        return await kept(one, entry(stamp=one._fences.newest)), await other.get(QUERY)

    packed, found = play(scene, server.url, server.url)
    assert found == packed


def test_who_comes_later_knows_what_was_purged(server):
    async def purge(one):
        await one.purge("RACE")
        return one._fences.newest

    async def scene(late):
        server.command("SET", KEY, pack(entry(stamp=stamp - 1)))
        return late._fences.newest, await late.get(QUERY)

    stamp = play(purge, server.url)
    assert play(scene, server.url) == (stamp, Miss("purged"))


def test_stamps_grow_even_when_clocks_do_not(server):
    async def scene(one):
        await one.purge("RACE")
        server.command("HSET", "jvgate:2:purges", "", one._fences.newest + 10**12)
        await one.purge("RACE")
        far = one._fences.newest
        await one.purge("DIFN")
        return far, one._fences.newest

    far, farther = play(scene, server.url)
    assert farther > far > time.time() * 1e6 + 9e11


def test_the_hash_of_fences_is_pruned(server):
    async def scene(one):
        server.command("HSET", "jvgate:2:purges", *[x for n in range(1, 5000) for x in (f"t{n}", n)])
        await one.purge("RACE")
        return server.command("HGETALL", "jvgate:2:purges")

    left = play(scene, server.url)
    assert len(left) == 2048
    assert {b"RACE", b"", b"t4999"} <= set(left)
    assert b"t1" not in left


def test_fences_that_are_given_back_lower_none_and_are_pruned(server):
    async def scene(one, other):
        one._fences.raise_fences(map(str, range(4000)), 1)
        old = [word for number in range(4000, 4200) for word in (number, 2)]
        one._fences.raise_fences(["RACE", "DIFN"], 100)
        server.command("HSET", "jvgate:2:purges", "RACE", 200, "DIFN", 50, "YSCH", "soon", *old)
        server.cut_off()
        await until(lambda: one.state.is_listening and one._fences.newest == 200 and other._fences.newest == 200)
        return server.command("HGETALL", "jvgate:2:purges")

    left = play(scene, server.url, server.url)
    assert (left[b"RACE"], left[b"DIFN"], left[b""]) == (b"200", b"100", b"200")
    assert len(left) <= 4096


def test_who_was_cut_off_forgets_what_it_kept_and_learns_what_it_missed(server):
    flushed = []

    async def scene(one, other):
        await one.purge("DIFN")
        server.cut_off()
        await one.purge("RACE")
        await until(lambda: len(flushed) == 2 and one.state.is_listening and other.state.is_listening)
        return one._fences.newest == other._fences.newest

    assert play(scene, server.url, server.url, on_reconnect=lambda: flushed.append(1))


def test_nobody_forgets_anything_at_the_start(server):
    flushed = []

    async def scene(one):
        await one.purge("RACE")

    play(scene, server.url, on_reconnect=lambda: flushed.append(1))
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
        async with RedisTier(server.url, deadline_s=5.0, on_reconnect=lambda: flushed.append(1)) as one:
            if is_read:
                assert isinstance(await one.get(QUERY), Packed)
            gate.set()
            await until(lambda: one.state.is_listening)
            await asyncio.sleep(0)

    asyncio.run(scene())
    assert flushed == [1] * is_read


def test_what_the_owner_does_with_the_news_does_not_end_the_listening(server):
    async def scene(one, other):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context))
        await one.purge("RACE")
        await one.purge("DIFN")
        await until(lambda: len(heard) == 2)
        return one.state.is_listening

    def fails(tags):
        raise ValueError(tags)

    heard = []
    assert play(scene, server.url, server.url, on_purge=fails)


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
        assert play(scene, deaf_url, deaf_url, is_up=False, on_purge=heard.append) == (Purged(1), True, False, 2)
    assert heard == [("RACE",)]
    assert [log["why"] for log in logs if "cannot be heard" in log["event"]] == ["forbidden"] * 2


def test_who_may_not_listen_forgets_what_a_write_of_his_showed_to_be_purged(server, deaf_url, monkeypatch):
    monkeypatch.setattr("jvgate.cache.redis.news._FIRST_PAUSE_S", 600.0)
    heard = []

    async def scene(one, other):
        await until(lambda: one._news.cuts and other._news.cuts)
        await one.purge("RACE")
        await kept(other, entry())

    play(scene, deaf_url, deaf_url, is_up=False, on_purge=heard.append)
    assert heard == [("RACE",)]


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_the_user_that_the_readme_makes_may_do_all_that_is_done(server, page):
    said = (Path(__file__).parents[3] / page).read_text("utf-8").partition("ACL SETUSER jvgate ")[2].partition("```")[0]
    server.command("ACL", "LOG", "RESET")
    server.command("ACL", "DELUSER", "jvgate")
    server.command("ACL", "SETUSER", "jvgate", *said.split())
    server.command("HSET", "jvgate:2:purges", *[word for number in range(5000) for word in (number, 1)])

    async def scene(one, other):
        with await one.lease(QUERY) as lease:
            waiting = asyncio.create_task(other.wait(QUERY, limit_s=20))
            renewed = server.calls("pexpire") + 1
            await until(lambda: server.calls("pexpire") > renewed)
            await kept(one, entry(stamp=lease.stamp))
        await waiting
        found = [(await one.inspect()).entries, await one.purge("RACE"), (await one.inspect()).entries]
        server.command("DEL", "jvgate:2:purges")
        server.cut_off()
        await until(lambda: "jvgate:2:purges" in server.names())
        return found

    assert play(scene, *[f"redis://jvgate:secret@127.0.0.1:{server.port}"] * 2, lease_s=0.3) == [1, Purged(1), 0]
    assert server.command("ACL", "LOG") == []


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
        server.command("PUBLISH", "jvgate:2:news", message)
        await other.purge("RACE")
        await until(lambda: heard)
        await kept(one, entry(stamp=one._fences.newest))
        return one.state.is_listening, await one.purge("RACE")

    assert play(scene, server.url, server.url, on_purge=heard.append) == (True, Purged(1))
    assert heard[0] == ("RACE",)


def test_a_purge_that_removes_slowly_is_done_and_what_is_left_goes_behind_it(server, monkeypatch):
    monkeypatch.setattr(redis_purges, "_PURGE_S", 0.0)  # nothing is removed in that time
    monkeypatch.setattr(redis_purges, "_BATCH", 2)

    async def scene(one, other):
        for query in queries(5):
            await kept(one, entry(query))
        with monkeypatch.context() as patch:
            patch.setattr(one._link, "run", partial(_in_time, one._link.run))
            purged = await one.purge("RACE")
        await until(lambda: not one._purges.left)
        return purged, await other.get(queries(1)[0]), [name for name in server.names() if ":0B15:" in name]

    purged, found, names = play(scene, server.url, server.url)
    assert (purged.is_owed, names) == (False, [])
    assert isinstance(found, Miss)


async def _in_time(run, talk, *, limit_s=None):
    return await run(talk, limit_s=limit_s or 5.0)


def test_what_cannot_be_removed_keeps_redis_from_nobody(server, monkeypatch):
    """It is tried at its own pace, beside the recovery."""

    async def fails(texts, client):
        tried.append(1)
        raise ConnectionError

    tried = []
    monkeypatch.setattr(redis_purges, "_remove", fails)
    monkeypatch.setattr(redis_purges, "_FIRST_PAUSE_S", 600.0)

    async def scene(one):
        await kept(one, entry())
        await one.purge("RACE")
        await until(lambda: len(tried) == 2 and one.state.state == "closed")
        fresh = await kept(one, entry(stamp=one._fences.newest))
        return await one.get(QUERY) == fresh, one._purges.owed, one._purges.left

    assert play(scene, server.url) == (True, set(), {"RACE"})


# The rest


def test_an_inspection_tells_what_is_there(server):
    async def scene(one):
        long, short = queries(2)
        await kept(one, entry(long, keep_s=1000))
        await kept(one, entry(short, keep_s=500))
        return await one.inspect(), await one.inspect(limit=1)

    whole, part = play(scene, server.url)
    assert whole.entries == part.entries == 2
    assert [key.query for key in whole.keys] == ["jra:0B15:00000000", "jra:0B15:00000001"]
    assert part.keys[0].query == "jra:0B15:00000000"
    assert isinstance(whole.keys[0], KeptKey)
    assert whole.keys[0].bytes > 32
    assert 900 < whole.keys[0].expires_in_s <= 1000
    assert 0 <= whole.keys[0].age_s < 100
    assert whole.bytes == part.bytes == sum(key.bytes for key in whole.keys)


@pytest.mark.parametrize("remove", [lambda one, server: one.purge("gone"), lambda one, server: _evict(server)])
def test_an_inspection_counts_what_is_there_and_not_what_was(server, remove):
    async def scene(one):
        stays, *go = queries(4)
        await kept(one, entry(stays))
        for query in go:
            await kept(one, entry(query, tags=("gone",)))
        await remove(one, server)
        found = await one.inspect()
        return found.entries, [key.query for key in found.keys], server.command("ZCARD", "jvgate:2:tag:all")

    assert play(scene, server.url) == (1, ["jra:0B15:00000000"], 1)


def test_an_inspection_tells_no_age_of_what_is_foreign(server):
    async def scene(one):
        await kept(one, entry())
        server.command("SET", KEY, "somebody else's")
        return [key.age_s for key in (await one.inspect()).keys]

    assert play(scene, server.url) == [None]


async def _evict(server):
    server.command("UNLINK", *(f"jvgate:2:{query}" for query in queries(4)[1:]))


def test_what_is_written_anew_stays_in_the_index_while_it_is_inspected(server):
    async def scene(one):
        await kept(one, entry())
        server.command("ZADD", "jvgate:2:tag:all", 1e15, str(QUERY))
        server.command("EVAL", redis_inspection._FORGET_SCRIPT, 1, "jvgate:2:tag:all", str(QUERY), 12345)
        return server.command("ZCARD", "jvgate:2:tag:all")

    assert play(scene, server.url) == 1


def test_the_index_forgets_what_has_expired(server):
    async def scene(one):
        server.command("ZADD", "jvgate:2:tag:all", 1, "long gone")
        await kept(one, entry())
        return server.command("ZRANGE", "jvgate:2:tag:all", 0, -1), server.command("PTTL", "jvgate:2:tag:all")

    texts, expires_ms = play(scene, server.url)
    assert texts == [str(QUERY).encode()]
    assert 60_000 < expires_ms <= 120_000


def test_nothing_is_bound_to_a_loop_before_it_is_entered(server):
    tier = RedisTier(server.url, deadline_s=1.0)

    async def scene():
        async with tier:
            return await tier.get(QUERY)

    assert asyncio.run(scene()) == Miss("absent")


def test_nothing_is_left_open(server):
    async def scene(one):
        await kept(one, entry())
        await asyncio.gather(*map(one.get, queries(50)))
        await one.lease(QUERY)

    play(scene, server.url)
    gc.collect()  # what was left open would warn
    with server.client() as client:
        server.until(lambda: len(client.client_list()) == 1)


def test_leases_are_given_back_at_the_end(server):
    async def scene(one):
        lease = await one.lease(QUERY)
        one.put(entry())
        lease.release()

    play(scene, server.url)
    assert LEASE not in server.names()
    assert KEY in server.names()


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
def test_time_is_redis_own_whatever_the_clock_of_this_machine_says(server, ahead_s):
    async def scene(one):
        packed = await kept(one, entry(keep_s=60.0))
        return packed, await one.get(QUERY), one.ahead_s, server.command("PTTL", KEY)

    packed, found, off_s, expires_ms = play(scene, server.url, clock=lambda: time.time() + ahead_s)
    assert found == packed
    assert off_s == pytest.approx(-ahead_s, abs=30)
    assert 30_000 < expires_ms <= 61_000


def test_time_is_the_clock_of_the_wall(server):
    """Another machine reads the windows: they are no monotonic seconds of this one."""

    async def scene(one):
        await kept(one, entry(now=time.time() + 30))
        return await one.get(QUERY)

    assert isinstance(play(scene, server.url), Packed)
