"""Redis in trouble of every kind: nothing fails, nobody waits, and it is found again without a restart."""

import asyncio
import random
import time

import pytest
import structlog

from jvgate.cache.redis.codec import pack
from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import Miss, Packed, SharedPurge
from jvgate.errors import SettingsError
from tests.cache.redis_proxy import Proxy
from tests.cache.redis_server import RedisServer, free_port
from tests.cache.scenes import (
    IDENTITY,
    KEYS,
    QUERY,
    entry,
    freeze,
    is_back,
    is_left_alone,
    kept,
    kill,
    play,
    queries,
    settled,
    timed,
)
from tests.specs import JRA
from tests.waiting import until

DEADLINE_S = 0.2
AT_MOST_S = 2.0  # for what is to take one deadline, on a machine that is busy with something else


@pytest.fixture
def server():
    with RedisServer() as server:
        yield server


def short(scene, *urls, **options):
    return play(scene, *urls, **{"deadline_s": DEADLINE_S} | options)


def restart_in_the_end(server):
    server.freeze()
    return server.restart


@pytest.mark.parametrize("strike", [freeze, kill, restart_in_the_end])
def test_what_does_not_answer_is_left_alone_and_found_again(server, strike):
    async def scene(one):
        await kept(one, entry())
        heal = strike(server)
        answers = await is_left_alone(one)
        assert all(isinstance(found, Miss) for found, _ in answers)
        assert max(took for _, took in answers) < AT_MOST_S
        missed, took = await timed(asyncio.gather(*map(one.get, queries(1000))))
        assert set(missed) == {Miss("open")}
        assert took < AT_MOST_S  # all of them together: nobody waited
        heal()
        await is_back(one)
        return await kept(one, entry()), await one.get(QUERY)

    packed, found = short(scene, server.url)
    assert found == packed


def test_nothing_else_waits_either_while_it_is_left_alone(server):
    async def scene(one):
        server.freeze()
        await is_left_alone(one)

        async def everything():
            lease = await one.lease(QUERY)
            one.put(entry())
            lease.release()
            purged = await one.purge("RACE")
            return lease.is_shared, await one.wait(QUERY, limit_s=20), purged, (await one.inspect()).entries

        answer, took = await timed(everything())
        assert took < AT_MOST_S
        server.thaw()
        return answer, one.counts["put", "open"]

    answer, dropped = short(scene, server.url)
    assert answer == (False, Miss("open"), SharedPurge(is_owed=True), 0)
    assert dropped == 1


def test_the_deadline_is_paid_once_a_window_and_by_no_probe(server):
    """Every request of some seconds, with Redis frozen: hardly any waits, though several windows go by."""

    async def scene(one):
        server.freeze()
        slow = 0
        end = time.perf_counter() + 2
        while time.perf_counter() < end:
            _, took = await timed(one.get(QUERY))
            slow += took > DEADLINE_S / 2
            await asyncio.sleep(0.005)
        server.thaw()
        return slow

    assert short(scene, server.url) <= 3


def test_it_starts_without_redis_and_finds_it_later(server):
    async def scene(one):
        before = one.state.state, one.state.reason, await one.get(QUERY)
        server.start()
        await is_back(one)
        return before, await kept(one, entry()), await one.get(QUERY)

    server.kill()
    before, packed, found = short(scene, server.url, is_up=False)
    assert before == ("open", "refused", Miss("open"))
    assert found == packed


def test_a_socket_that_is_not_there_yet_is_found_later(server):
    async def scene(one):
        assert one.state.reason == "refused"
        server.start()
        await is_back(one)

    server.kill()
    short(scene, server.unix_url, is_up=False)


def test_what_takes_connections_and_says_nothing_is_left_alone(server):
    async def scene():
        async with Proxy(server.port) as proxy:
            proxy.is_swallowing = True
            async with RedisTier(proxy.url, JRA.layouts, identity=IDENTITY, deadline_s=DEADLINE_S) as one:
                assert (one.state.state, one.state.reason) == ("open", "timeout")
                assert await one.get(QUERY) == Miss("open")
                proxy.is_swallowing = False
                await is_back(one)
                proxy.is_swallowing = True
                answers = await is_left_alone(one)
                proxy.is_swallowing = False
                await is_back(one)
                return answers

    answers = asyncio.run(scene())
    assert {found for found, _ in answers} == {Miss("timeout")}


def test_what_is_no_redis_at_all_is_left_alone():
    async def greet(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def scene():
        async with await asyncio.start_server(greet, "127.0.0.1", 0) as web:
            url = f"redis://127.0.0.1:{web.sockets[0].getsockname()[1]}"
            async with RedisTier(url, JRA.layouts, identity=IDENTITY) as one:
                return one.state.state, one.state.reason, await one.get(QUERY)

    state, reason, found = asyncio.run(scene())
    assert (state, found) == ("open", Miss("open"))
    assert reason in ("no-redis", "lost")


def test_connections_that_break_are_made_anew(server):
    async def scene():
        async with (
            Proxy(server.port) as proxy,
            RedisTier(proxy.url, JRA.layouts, identity=IDENTITY, deadline_s=1.0) as one,
        ):
            for _ in range(5):
                await kept(one, entry())
                assert isinstance(await one.get(QUERY), Packed)
                proxy.cut()
                await until(lambda: not one.state.is_listening)
                await one.get(QUERY)
                await is_back(one)
            return one.state.state

    assert asyncio.run(scene()) == "closed"


def test_a_wrong_password_is_said_and_never_shown(server):
    with structlog.testing.capture_logs() as logs, RedisServer(password="right-one") as guarded:
        url = guarded.url.replace("right-one", "wr0ng-one")

        async def scene(one):
            return one.state, await one.get(QUERY), str(one)

        state, found, shown = short(scene, url, is_up=False)
    assert (state.state, state.reason, found) == ("open", "auth", Miss("open"))
    assert shown == f"redis://127.0.0.1:{guarded.port}"
    assert [log["why"] for log in logs] == ["auth"]
    assert not any(secret in str(logs) + str(state) for secret in ("wr0ng", "right"))


def test_the_right_password_lets_in():
    async def scene(one):
        return await kept(one, entry()), await one.get(QUERY)

    with RedisServer(password="s p:@/é") as guarded:
        guarded.password, url = "s p:@/é", f"redis://:s%20p%3A%40%2F%C3%A9@127.0.0.1:{guarded.port}"
        packed, found = play(scene, url)
    assert found == packed


def test_a_missing_password_is_said():
    async def scene(one):
        return one.state.reason

    with RedisServer(password="right") as guarded:
        assert short(scene, f"redis://127.0.0.1:{guarded.port}", is_up=False) == "auth"


def test_an_url_that_is_none_is_refused_at_once():
    with pytest.raises(SettingsError):
        RedisTier("http://localhost", JRA.layouts, identity=IDENTITY)


# Writes alone


def make_replica(server, other):
    server.follow(other)
    return server.lead


def fill(server, other):
    """Full for jvgate alone: the test itself writes before it is."""
    other.command("SET", KEYS.value(str(queries(2)[0])), pack(entry(queries(2)[0])))
    server.fill()
    return server.drain


@pytest.mark.parametrize(("strike", "why"), [(make_replica, "readonly"), (fill, "full")])
def test_reads_go_on_where_writes_are_refused(server, strike, why):
    read, written = queries(2)

    async def scene(one):
        heal = strike(server, other)
        if strike is make_replica:
            other.command("SET", KEYS.value(str(read)), pack(entry(read)))
        await until(lambda: KEYS.value(str(read)) in server.names())
        await kept(one, entry(written))
        state, found, lease = one.state, await one.get(read), await one.lease(read)
        refused = one.counts["put", why]
        heal()
        await until(lambda: _is_written(one))
        return isinstance(found, Packed), state.state, state.writes, lease.is_shared, refused, one.state.writes

    def _is_written(one):
        one.put(entry(written))
        return one.counts["put", "stored"]

    with RedisServer() as leader:
        other = leader if strike is make_replica else server
        assert short(scene, server.url) == (True, "closed", why, False, 1, "")


def test_a_full_redis_can_be_purged_and_the_fence_is_raised_later(server):
    async def scene(one):
        await kept(one, entry())
        server.fill()
        purged = await one.purge("RACE")
        names, stamp = server.names(), one._fences.newest
        server.drain()
        await kept(one, entry(queries(1)[0], tags=("0B15",), stamp=stamp))
        await until(lambda: KEYS.purges in server.names())
        return purged, KEYS.value(str(QUERY)) in names, KEYS.purges in names

    assert short(scene, server.url) == (SharedPurge(1, is_owed=True), False, False)


# Purges


def test_a_purge_while_redis_is_away_is_done_before_anybody_reads_again(server):
    async def scene(one, other):
        await kept(one, entry())
        server.freeze()
        await is_left_alone(one)
        purged = await one.purge("RACE")
        server.thaw()
        await until(lambda: one.state.state == "closed")
        return purged, await one.get(QUERY), await other.get(QUERY)

    purged, found, seen = short(scene, server.url, server.url)
    assert purged == SharedPurge(is_owed=True)
    assert found in (Miss("purged"), Miss("absent"))  # whether or not it has been removed by now
    assert not isinstance(seen, Packed)


@pytest.mark.parametrize(("is_back_in_time", "said"), [(False, ["20261115, RACE"]), (True, [])])
def test_a_purge_that_is_owed_in_the_end_is_said(server, is_back_in_time, said):
    async def scene(one):
        server.freeze()
        await is_left_alone(one)
        await one.purge("RACE", "20261115")
        if is_back_in_time:
            server.thaw()
            await is_back(one)

    with structlog.testing.capture_logs() as logs:
        short(scene, server.url)
    server.thaw()
    assert [log["tags"] for log in logs if "is lost" in log["event"]] == said


def test_what_was_read_before_a_purge_without_redis_is_not_kept_after_it(server):
    async def scene(one):
        lease = await one.lease(QUERY)
        server.freeze()
        await is_left_alone(one)
        await one.purge("RACE")
        server.thaw()
        await is_back(one)
        await kept(one, entry(stamp=lease.stamp))
        return await one.get(QUERY), one.counts["put", "purged"]

    assert short(scene, server.url) == (Miss("absent"), 1)


def test_a_redis_that_forgot_a_purge_is_told_of_it(server):
    async def scene(one):
        await kept(one, entry())
        snapshot = server.save()
        await one.purge("RACE")
        server.restart(snapshot)
        await until(lambda: not one.state.is_listening)
        await is_back(one)
        async with RedisTier(server.url, JRA.layouts, identity=IDENTITY, deadline_s=5.0) as late:
            await is_back(late)
            return KEYS.value(str(QUERY)) in server.names(), await late.get(QUERY)

    assert short(scene, server.url) == (True, Miss("purged"))


def test_who_found_a_redis_that_forgot_a_purge_hears_of_it_from_who_knows(server):
    heard = []

    async def scene():
        async with (
            Proxy(server.port) as proxy,
            RedisTier(proxy.url, JRA.layouts, identity=IDENTITY, deadline_s=DEADLINE_S) as one,
        ):
            await is_back(one)
            await kept(one, entry())
            snapshot = server.save()
            await one.purge("RACE")
            proxy.is_swallowing = True
            server.restart(snapshot)
            async with RedisTier(
                server.url, JRA.layouts, identity=IDENTITY, deadline_s=5.0, on_purge=[heard.append]
            ) as late:
                await is_back(late)
                found = await late.get(QUERY)
                proxy.is_swallowing = False
                proxy.cut()
                await until(lambda: heard)
                return isinstance(found, Packed), await late.get(QUERY)

    assert asyncio.run(scene()) == (True, Miss("purged"))
    assert heard == [("RACE",)]


def test_who_is_cut_off_from_the_news_forgets_when_they_are_back(server):
    """One behind a proxy that swallows everything hears nothing of the purge, until it passes things on again."""
    flushed = asyncio.Event()

    async def scene():
        async with (
            Proxy(server.port) as proxy,
            RedisTier(server.url, JRA.layouts, identity=IDENTITY, deadline_s=1.0) as other,
            RedisTier(
                proxy.url, JRA.layouts, identity=IDENTITY, deadline_s=DEADLINE_S, on_reconnect=[lambda _: flushed.set()]
            ) as one,
        ):
            await is_back(one)
            await kept(one, entry())
            proxy.cut()
            proxy.is_swallowing = True
            await is_left_alone(one)
            await other.purge("RACE")
            assert not flushed.is_set()
            proxy.is_swallowing = False
            proxy.cut()
            await flushed.wait()
            await is_back(one)
            return await one.get(QUERY), one._fences.newest == other._fences.newest

    assert asyncio.run(scene()) == (Miss("absent"), True)


def test_a_subscription_that_is_open_and_dead_is_found_out(server, monkeypatch):
    monkeypatch.setattr("jvgate.cache.redis.news._QUIET_S", 0.05)

    async def scene(one):
        server.freeze()
        await until(lambda: not one.state.is_listening)
        server.thaw()
        await is_back(one)

    short(scene, server.url)


# Clients that leave


def test_thousands_who_leave_take_nobody_elses_reply(server):
    """Gets are cancelled at any moment of their way, while others ask for something else over the same connections."""
    dice = random.Random(4)
    asked = queries(64)

    async def leaves(one, query):
        task = asyncio.create_task(one.get(query))
        await asyncio.sleep(dice.choice((0, 0.0005, 0.001, 0.002, 0.004)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def stays(one, query):
        return query, await one.get(query)

    async def scene():
        async with (
            Proxy(server.port) as proxy,
            RedisTier(proxy.url, JRA.layouts, identity=IDENTITY, deadline_s=5.0, connections=4) as one,
        ):
            for query in asked:
                await kept(one, entry(query, body=str(query).encode()))
            proxy.delay_s = 0.001
            answers = []
            for _ in range(60):
                some = [leaves(one, dice.choice(asked)) for _ in range(50)]
                some += [stays(one, dice.choice(asked)) for _ in range(10)]
                answers += [answer for answer in await asyncio.gather(*some) if answer]
            return answers, one.state.state, proxy.accepted

    answers, state, accepted = asyncio.run(scene())
    assert len(answers) == 600
    assert [query for query, found in answers if found.dataset.body != str(query).encode()] == []
    assert state == "closed"
    assert accepted <= 8  # and no connection was thrown away for it


def test_who_leaves_while_redis_hangs_leaves_a_clean_connection(server):
    async def scene(one):
        await kept(one, entry())
        for _ in range(20):
            server.freeze()
            tasks = [asyncio.create_task(one.get(query)) for query in queries(20)]
            await asyncio.sleep(0.002)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server.thaw()
            await is_back(one)
            assert (await one.get(QUERY)).dataset.query == QUERY

    play(scene, server.url)


# What is told


def test_each_change_is_logged_once(server):
    async def scene(one):
        for _ in range(2):
            server.kill()
            await is_left_alone(one)
            await asyncio.gather(*map(one.get, queries(100)))
            server.start()
            await is_back(one)

    with structlog.testing.capture_logs() as logs:
        short(scene, server.url)
    told = [log["event"] for log in logs if log["event"].startswith("Redis")]
    assert told[0] == "Redis answers"
    assert told[1:] == ["Redis is left alone", "Redis answers"] * 2 or set(told) == {
        "Redis is left alone",
        "Redis answers",
    }
    assert len(logs) < 20


def test_the_url_may_name_a_port_where_nobody_listens():
    async def scene(one):
        return one.state.reason, await one.get(QUERY)

    assert short(scene, f"redis://127.0.0.1:{free_port()}", is_up=False) == ("refused", Miss("open"))


def test_it_closes_while_redis_hangs(server):
    async def scene(one):
        for query in queries(5):
            one.put(entry(query, body=random.Random(1).randbytes(1 << 20)))
        await asyncio.sleep(0)
        server.freeze()
        await one.get(QUERY)
        await settled(one)

    began = time.perf_counter()
    short(scene, server.url)
    assert time.perf_counter() - began < 20
