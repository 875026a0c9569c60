"""The tier on a real Redis: kept, found and awaited, by one process and by two."""

import asyncio
import gc
import time
from dataclasses import replace
from pathlib import Path
from threading import current_thread

import pytest

from jvgate import values
from jvgate.cache.redis.codec import pack
from jvgate.cache.redis.keys import query_text
from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import Miss, Packed, SharedPurge
from jvgate.records.scan import scan
from tests.cache.scenes import IDENTITY, KEYS, QUERY, entry, kept, play, queries
from tests.specs import JRA
from tests.waiting import until

pytestmark = pytest.mark.process

KEY = KEYS.value(query_text(QUERY))


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


def test_what_is_found_is_opened_and_scanned_in_a_thread(server, monkeypatch):
    seen = []

    def scanned(*args):
        seen.append(current_thread())
        return scan(*args)

    async def scene(one):
        await kept(one, entry())
        monkeypatch.setattr(values, "scan", scanned)
        return (await one.get(QUERY)).dataset.scan, current_thread()

    found, loop_thread = play(scene, server.url)
    assert found.unread == {"RA"}
    assert len(seen) == 1
    assert loop_thread not in seen


def test_what_is_not_there_is_absent(server):
    async def scene(one):
        return await one.get(QUERY)

    assert play(scene, server.url) == Miss("absent")


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


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_the_user_that_the_readme_makes_may_do_all_that_is_done(server, page):
    said = (Path(__file__).parents[3] / page).read_text("utf-8").partition("ACL SETUSER jvgate ")[2].partition("```")[0]
    server.command("ACL", "LOG", "RESET")
    server.command("ACL", "DELUSER", "jvgate")
    server.command("ACL", "SETUSER", "jvgate", *said.split())
    server.command("HSET", KEYS.purges, *[word for number in range(5000) for word in (number, 1)])

    async def scene(one, other):
        with await one.lease(QUERY) as lease:
            waiting = asyncio.create_task(other.wait(QUERY, limit_s=20))
            renewed = server.calls("pexpire") + 1
            await until(lambda: server.calls("pexpire") > renewed)
            await kept(one, entry(stamp=lease.stamp))
        await waiting
        found = [(await one.inspect()).entries, await one.purge("RACE"), (await one.inspect()).entries]
        server.command("DEL", KEYS.purges)
        server.cut_off()
        await until(lambda: KEYS.purges in server.names())
        return found

    assert play(scene, *[f"redis://jvgate:secret@127.0.0.1:{server.port}"] * 2, lease_s=0.3) == [1, SharedPurge(1), 0]
    assert server.command("ACL", "LOG") == []


def test_nothing_is_bound_to_a_loop_before_it_is_entered(server):
    tier = RedisTier(server.url, JRA.layouts, identity=IDENTITY, deadline_s=1.0)

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
