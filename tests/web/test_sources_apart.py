"""Sources on one Redis: each answers from its own data alone, whatever the others have put there."""

import pytest

from jvgate.sessions.sources.registry import parse_source
from tests.cache.redis_server import RedisServer
from tests.raceday import RACE_KEY, archive, record
from tests.sessions.agents import running_agent
from tests.specs import JRA
from tests.waiting import wait_until

DATE = "2026-11-16"
KEYS = {"YYYYMMDD": RACE_KEY[:8], "YYYYMMDDJJRR": RACE_KEY, "YYYYMMDDJJKKHHRR": f"{RACE_KEY[:10]}0504{RACE_KEY[10:]}"}
EVENT = f"WE{RACE_KEY}20261115120000"


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Two demos, and an archive of masters alone: it has no races."""
    folder = archive(tmp_path_factory.mktemp("archive"), record("UM"), dataspec="DIFN")
    return [f"demo:?date={DATE}", f"archive:{folder}?date={DATE}", f"demo:?date={DATE}&seed=2"]


@pytest.fixture(scope="module")
def apart(serve, sources, redis):
    """A server on each source; all have one Redis, and none has a memory."""
    return [serve(source, redis_url=redis.url, l1_entries=0, prefetch=False) for source in sources]


def answers(client):
    """The bytes that *client* gives for every data spec."""
    return {name: _answer(client, spec) for name, spec in JRA.dataspecs.items()}


def _answer(client, spec):
    if spec.is_realtime:
        asked = {"key": next((KEYS[form] for form in spec.key_forms if form in KEYS), EVENT)}
    else:
        asked = {"from_time": "20261114", "option": spec.options[0]}
    response = client.data(spec.id, format="raw", **asked)
    assert response.status_code == 200, response.text
    return response.content


def hits(client):
    return client.get("/api/v1/cache").json()["l2"]["requests"].get("hit", 0)


def test_no_source_is_given_the_data_of_another_for_any_data_spec(serve, sources, apart, redis):
    alone = [answers(serve(source, prefetch=False)) for source in sources]
    assert [answers(client) for client in apart] == alone
    assert alone[0]["RACE"] != alone[2]["RACE"] != b"" == alone[1]["RACE"]
    assert [hits(client) for client in apart] == [0, 0, 0]
    wait_until(lambda: sum(":jra:RACE:" in name for name in redis.names()) == len(apart))
    assert [answers(client) for client in apart] == alone
    assert min(hits(client) for client in apart) > 0


def test_a_purge_and_a_lease_of_one_source_touch_no_other(apart, redis):
    for client in apart:
        client.data()
    wait_until(lambda: len([name for name in redis.names() if ":jra:RACE:20261101" in name]) == len(apart))
    assert apart[0].delete("/api/v1/cache", params={"all": 1}).json()["l2"] > 0
    held = [client.get("/api/v1/cache").json()["l2"]["entries"] for client in apart]
    assert held[0] == 0 < min(held[1:])
    before = hits(apart[1])
    apart[1].data()
    assert hits(apart[1]) == before + 1


def test_what_the_first_version_wrote_is_not_read(apart, redis):
    before = apart[1].data(format="raw").content
    for key in ("RACE:20261101000000-:1", "lease:RACE:20261101000000-:1", "purges"):
        redis.command("SET", f"jvgate:1:{key}", b"of an earlier version")
    apart[1].delete("/api/v1/cache", params={"all": 1})
    assert apart[1].data(format="raw").content == before
    assert redis.command("GET", "jvgate:1:purges") == b"of an earlier version"


def test_the_identity_is_told_wherever_the_cache_is(apart, sources):
    for client, source in zip(apart, sources, strict=True):
        identity = parse_source(source).identity.text
        assert client.get("/readyz").json()["identity"] == client.get("/api/v1/cache").json()["identity"] == identity


def kept_of(redis, source):
    identity = parse_source(source).identity.text
    return [name for name in redis.names() if name.startswith(f"jvgate:3:{identity}:jra:RACE:20261102")]


def asked(client):
    return client.data(from_time="20261102", format="raw").content


def test_a_server_shares_with_the_source_behind_its_agent_and_forgets_another_one(serve, sources, apart, redis):
    behind = (sources[0], sources[2])
    with running_agent(behind[0]) as url:
        port = int(url.rpartition(":")[2])
        client = serve(url, redis_url=redis.url, prefetch=False)
        wait_until(lambda: client.get("/readyz").json()["redis"]["state"] == "closed")
        first = asked(client)
        wait_until(lambda: len(kept_of(redis, behind[0])) == 1)
        before = hits(apart[0])
        assert (asked(apart[0]), hits(apart[0])) == (first, before + 1)
    with running_agent(behind[1], port=port):
        identity = parse_source(behind[1]).identity.text
        wait_until(lambda: client.get("/readyz").json().get("identity") == identity)
        wait_until(lambda: client.get("/readyz").json()["redis"]["state"] == "closed")
        wait_until(lambda: client.data(from_time="20261102").status_code == 200)
        wait_until(lambda: len(kept_of(redis, behind[1])) == 1)
        assert first != asked(client) == asked(apart[2])
    assert len(kept_of(redis, behind[0])) == 1


def test_a_server_is_there_before_its_agent_and_shares_nothing_until_then(serve, sources, redis):
    with running_agent(sources[0]) as url:
        pass
    client = serve(url, redis_url=redis.url, prefetch=False)
    told = client.get("/api/v1/cache").json()
    assert (told["identity"], told["l2"]["state"], told["l2"]["reason"]) == (None, "off", "unidentified")
    assert client.delete("/api/v1/cache", params={"all": 1}).json()["is_owed"] is True
    assert client.get("/healthz").status_code == 200
    with running_agent(sources[0], port=int(url.rpartition(":")[2])):
        wait_until(lambda: client.data().status_code == 200)
        wait_until(lambda: client.get("/api/v1/cache").json()["l2"]["state"] == "closed")
        assert client.get("/readyz").json()["identity"] == parse_source(sources[0]).identity.text


def test_an_agent_of_an_earlier_version_is_known_by_its_address(serve, sources, redis):
    with running_agent(sources[0], tells_identity=False) as url:
        client = serve(url, redis_url=redis.url, prefetch=False)
        assert client.data().status_code == 200
        assert client.get("/readyz").json()["identity"] == f"jra.agent.{url.removeprefix('agent://')}"
