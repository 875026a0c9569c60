"""`/api/v1/cache`: its figures move with what is asked, and a purge drops what it names and nothing else."""

import pytest

from tests.cache.redis_server import RedisServer
from tests.raceday import DAY, RACE_KEY

LONG_KEY = f"{RACE_KEY[:10]}0504{RACE_KEY[10:]}"
OTHER_RACE = f"{RACE_KEY[:10]}12"


@pytest.fixture(scope="module")
def web(serve, folder):
    with RedisServer() as redis:
        yield serve(f"archive:{folder}?date=2026-11-18", redis_url=redis.url, prefetch=False)


@pytest.fixture(autouse=True)
def _empty(web):
    purge(web, all=1)


def figures(web):
    return web.get("/api/v1/cache").json()


def figures_of(web):
    return web.get("/metrics").text.splitlines()


def purge(web, **what):
    return web.delete("/api/v1/cache", params=what)


def kept(web):
    """The data specs of which memory holds a dataset or an answer."""
    asked = {"RACE": {}, "DIFN": {}, "0B12": {"key": RACE_KEY}}
    return {spec for spec, wanted in asked.items() if "hit" in web.data(spec, **wanted).headers["cache-status"]}


def fill(web):
    for spec, wanted in (("RACE", {}), ("DIFN", {}), ("0B12", {"key": RACE_KEY})):
        assert web.data(spec, **wanted).status_code == 200


def test_the_figures_move_with_what_is_asked(web):
    before = figures(web)
    for _ in range(3):
        web.data(limit=1)
    after = figures(web)
    assert before["l1"]["entries"] == before["l1"]["bytes"] == 0
    assert (after["l1"]["entries"], after["l1"]["stale"]) == (2, 0)  # the dataset and the answer
    assert after["l1"]["bytes"] > 5000
    moved = {how: after["l1"]["requests"].get(how, 0) - before["l1"]["requests"].get(how, 0) for how in ("hit", "miss")}
    assert moved == {"hit": 2, "miss": 1}
    assert 0 < after["l1"]["dataspecs"]["RACE"]["hit_ratio"] < 1
    hottest = after["l1"]["hottest"][0]
    assert hottest["key"].startswith("RACE|jra:RACE:20261101000000-:1|json")
    assert hottest["hits_per_s"] > 0
    assert 0 <= hottest["age_s"] <= after["l1"]["oldest_s"]
    assert after["prefetch"] is None


def test_the_figures_of_redis_are_beside_those_of_memory(web):
    web.data(limit=2)
    l2 = figures(web)["l2"]
    assert (l2["state"], l2["reason"], l2["writes"]) == ("closed", "", "")
    assert l2["requests"]["absent"] > 0
    assert l2["bytes"] == sum(key["bytes"] for key in l2["longest_lived"])
    assert 0 <= l2["hit_ratio"] <= 1
    assert l2["dataspecs"]["RACE"]["absent"] > 0
    assert l2["dataspecs"]["RACE"]["hit_ratio"] <= 1
    assert web.figure("jvgate_cache_requests_total", tier="l2", result="absent") == l2["requests"]["absent"]


def test_how_redis_is_is_a_metric(web):
    assert web.figure("jvgate_redis_state") == web.figure("jvgate_redis_state", state="closed", reason="") == 1


def test_how_redis_is_when_there_is_none_or_it_is_away_is_a_metric_too(serve, folder):
    without = serve(f"archive:{folder}", prefetch=False)
    away = serve(f"archive:{folder}", prefetch=False, redis_url="unix:///nowhere/redis.sock")
    assert without.figure("jvgate_redis_state", state="off", reason="") == 1
    assert not any(line.startswith(("jvgate_redis_w", "jvgate_redis_l")) for line in figures_of(without))
    assert "jvgate_redis_listening 0.0" in figures_of(away)
    assert away.figure("jvgate_redis_state", reason="refused") == away.figure("jvgate_redis_state") == 1


def test_a_redis_that_takes_no_writes_or_tells_no_news_is_a_metric(serve, folder):
    def is_listening():
        return web.figure("jvgate_redis_listening") == 1

    with RedisServer() as redis:
        redis.command("ACL", "SETUSER", "app", "on", ">pw", "~jvgate:*", "+@all", "resetchannels")
        web = serve(f"archive:{folder}", prefetch=False, redis_url=f"redis://app:pw@127.0.0.1:{redis.port}")
        assert (web.figure("jvgate_redis_writes_refused", reason=""), is_listening()) == (0, False)
        redis.command("ACL", "SETUSER", "app", "allchannels")
        redis.until(is_listening)
        redis.fill()
        web.data()
        redis.until(lambda: web.figure("jvgate_redis_writes_refused", reason="full") == 1)


def test_nobody_may_keep_the_figures(web):
    answer = web.get("/api/v1/cache")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("what", "left"),
    [
        ({"dataspec": "RACE"}, {"DIFN", "0B12"}),
        ({"dataspec": "0B12"}, {"RACE", "DIFN"}),
        ({"dataspec": "0B15"}, {"RACE", "DIFN", "0B12"}),
        ({"race": RACE_KEY}, {"DIFN"}),
        ({"race": LONG_KEY}, {"DIFN"}),
        ({"race": OTHER_RACE}, {"RACE", "DIFN", "0B12"}),
        ({"date": DAY}, {"DIFN"}),
        ({"date": "20261114"}, {"RACE", "DIFN", "0B12"}),
        ({"record": "UM"}, {"RACE", "0B12"}),
        ({"record": "O1"}, {"DIFN", "0B12"}),
        ({"record": "RA", "dataspec": "0B12"}, {"RACE", "DIFN"}),
        ({"dataspec": "DIFN", "race": RACE_KEY}, {"RACE", "DIFN", "0B12"}),
        ({"all": "1"}, set()),
    ],
    ids=lambda given: str(sorted(given)),  # a set is shown in another order by every process
)
def test_a_purge_drops_what_it_names_and_nothing_else(web, what, left):
    fill(web)
    answer = purge(web, **what)
    assert answer.status_code == 200
    assert (answer.json()["l1"] > 0) == (len(left) < 3)
    assert answer.json()["is_owed"] is False
    assert kept(web) == left


def test_a_purge_of_nothing_that_is_kept_drops_nothing(web):
    assert purge(web, dataspec="YSCH").json() == {"l1": 0, "l2": 0, "is_owed": False}


@pytest.mark.parametrize(
    ("what", "slug", "parameter"),
    [
        ({}, "invalid-purge", "all"),
        ({"all": "0"}, "invalid-purge", "all"),
        ({"all": "yes"}, "invalid-purge", "all"),
        ({"all": "1", "dataspec": "RACE"}, "invalid-purge", "all"),
        ({"dataspec": "NONE"}, "unknown-dataspec", "dataspec"),
        ({"dataspec": "RACE:1"}, "unknown-dataspec", "dataspec"),
        ({"dataspec": ""}, "empty-parameter", "dataspec"),
        ({"race": ""}, "empty-parameter", "race"),
        ({"race": "2026"}, "invalid-key", "race"),
        ({"race": "202611150511 OR 1"}, "invalid-key", "race"),
        ({"date": "20261399"}, "invalid-key", "date"),
        ({"date": "*", "race": RACE_KEY}, "invalid-key", "date"),
        ({"record": "XX"}, "unknown-record", "record"),
        ({"record": "*"}, "unknown-record", "record"),
        ({"key": RACE_KEY}, "unknown-parameter", "key"),
        ({"dataspec": ["RACE", "DIFN"]}, "repeated-parameter", "dataspec"),
    ],
    ids=str,
)
def test_nonsense_is_refused_in_clear_words_and_drops_nothing(web, what, slug, parameter):
    web.data()
    answer = purge(web, **what)
    problem = answer.json()
    status = 404 if slug == "unknown-dataspec" else 400
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{slug}")
    assert problem["parameter"] == parameter
    assert problem["allowed"]
    assert figures(web)["l1"]["entries"] == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_nothing_else_can_be_done_to_it(web, method):
    answer = web.request(method, "/api/v1/cache")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
