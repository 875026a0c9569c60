"""The second tier over a cluster, behind a sentinel and over TLS: the same as over one server of its own."""

import asyncio
import ssl
import subprocess

import pytest

from jvgate.cache.redis.tier import RedisTier
from jvgate.cache.shared import Miss, Packed, SharedPurge
from tests.cache.redis_proxy import Proxy
from tests.cache.redis_server import RedisCluster, RedisSentinel, RedisServer, server_binaries
from tests.cache.scenes import IDENTITY, KEYS, QUERY, entry, kept, play, queries, settled
from tests.specs import JRA
from tests.waiting import until

pytestmark = pytest.mark.process


@pytest.fixture(scope="module", params=server_binaries() or {"none": None})
def cluster(request):
    with RedisCluster(3, binary=server_binaries().get(request.param)) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _empty(request):
    if "cluster" in request.fixturenames:
        for server in request.getfixturevalue("cluster").servers:
            server.command("FLUSHALL")


def test_values_lie_on_all_nodes_of_a_cluster(cluster):
    async def scene(one, other):
        asked = queries(60)
        for query in asked:
            one.put(entry(query))
        await settled(one)
        found = await asyncio.gather(*map(other.get, asked))
        return sum(isinstance(packed, Packed) for packed in found), one.counts["put", "stored"]

    assert play(scene, cluster.url, cluster.url) == (60, 60)
    assert all(any(name.startswith(KEYS.value("jra:0B15")) for name in server.names()) for server in cluster.servers)


def test_a_purge_goes_to_all_nodes_of_a_cluster_and_is_heard(cluster):
    heard = []

    async def scene(one, other):
        for query in queries(60):
            await kept(one, entry(query))
        purged = await one.purge("RACE")
        await until(lambda: heard)
        return purged, one._fences.newest == other._fences.newest

    assert play(scene, cluster.url, cluster.url, on_purge=[heard.append]) == (SharedPurge(60), True)
    assert not any(name.startswith(KEYS.value("jra:0B15")) for name in cluster.names())


def test_leases_and_waiting_work_on_a_cluster(cluster):
    async def scene(one, other):
        found = []
        for query in queries(20):
            with await one.lease(query) as lease:
                assert await other.lease(query) is None
                waiting = asyncio.create_task(other.wait(query, limit_s=20))
                await until(lambda: other._news._watching)
                one.put(entry(query, stamp=lease.stamp))
            found.append(isinstance(await waiting, Packed))
        await settled(one)
        return all(found), (await one.inspect()).entries, (await one.lease(query)).is_shared

    assert play(scene, cluster.url, cluster.url) == (True, 20, True)


def test_what_was_read_before_a_purge_stays_away_on_a_cluster(cluster):
    async def scene(one, other):
        for query in queries(20):
            lease = await one.lease(query)
            await other.purge("RACE")
            await kept(one, entry(query, stamp=lease.stamp))
        return one.counts["put", "purged"]

    assert play(scene, cluster.url, cluster.url) == 20


def test_a_node_that_hangs_is_found_out_and_comes_back(cluster):
    """The client's circuit is one for the whole cluster: what hangs on one node hangs some of the requests."""

    async def scene(one):
        for query in queries(30):
            await kept(one, entry(query))
        cluster.servers[1].freeze()
        while one.state.state == "closed":
            await asyncio.gather(*map(one.get, queries(30)))
        cluster.servers[1].thaw()
        await until(lambda: one.state.state == "closed")
        found = await asyncio.gather(*map(one.get, queries(30)))
        return sum(isinstance(packed, Packed) for packed in found)

    assert play(scene, cluster.url, deadline_s=0.1) == 30


def test_a_cluster_that_is_away_at_the_start_is_found_later():
    async def scene(one):
        assert one.state.state == "open"
        with cluster:
            await until(lambda: one.state.state == "closed")
            await kept(one, entry())
            return isinstance(await one.get(QUERY), Packed)

    cluster = RedisCluster(1)
    assert play(scene, cluster.url, is_up=False)


def test_a_sentinel_knows_the_leader_and_the_next_one():
    """The leader dies, the sentinel makes the replica leader, and the tier finds it by itself."""
    later = queries(1)[0]

    async def scene(one):
        await kept(one, entry())
        assert isinstance(await one.get(QUERY), Packed)
        await asyncio.to_thread(sentinel.until, lambda: sentinel.command("SENTINEL", "REPLICAS", "main"))
        leader.kill()
        while not isinstance(await one.get(later), Packed):
            await kept(one, entry(later))
            await asyncio.sleep(0.01)

    with RedisServer() as leader, RedisServer() as replica:
        replica.follow(leader)
        with RedisSentinel(leader) as sentinel:
            play(scene, sentinel.url)
        assert KEYS.value(str(later)) in replica.names()


def test_a_sentinel_that_knows_no_such_leader_is_left_alone():
    async def scene(one):
        return one.state.reason, await one.get(QUERY)

    with RedisServer() as leader, RedisSentinel(leader) as sentinel:
        assert play(scene, sentinel.url.replace("/main", "/other"), is_up=False) == ("no-master", Miss("open"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, which signs itself: (certificate, key)."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=redis",
               "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out",
               folder / "cert.pem"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


def test_over_tls_it_keeps_and_listens_and_talks_to_nobody_who_is_not_vouched_for(certificate):
    """The server stands behind a proxy that speaks TLS, since not every build of it does."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    async def scene():
        with RedisServer() as server:
            async with Proxy(server.port, tls=context) as proxy:
                known = f"{proxy.url}?ssl_ca_certs={certificate[0]}"
                async with (
                    RedisTier(known, JRA.layouts, identity=IDENTITY, deadline_s=5.0) as one,
                    RedisTier(proxy.url, JRA.layouts, identity=IDENTITY, deadline_s=5.0) as stranger,
                ):
                    await until(lambda: one.state.is_listening)
                    packed = await kept(one, entry())
                    return await one.get(QUERY) == packed, one.state.state, stranger.state.state

    assert asyncio.run(scene()) == (True, "closed", "open")
