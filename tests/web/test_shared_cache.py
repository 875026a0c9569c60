"""A shared cache in front of the server: nobody gets what another client asked for."""

from itertools import product

import pytest

from tests.raceday import archive, race_day, record
from tests.web.shared_cache import SharedCache
from tests.web.wire import UNPACK, ask

SE = "/api/v1/data/RACE?from_time=20261101&record=SE"
MEDIA = ("application/json", "application/x-ndjson", "application/jsonl", "text/csv", "text/csv;charset=shift_jis",
         "application/msgpack", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet",
         "application/octet-stream")  # fmt: skip
CLIENTS = [
    {"accept": media, "accept_encoding": coding} for media, coding in product(MEDIA, ("identity", *UNPACK, "br, gzip"))
]


@pytest.fixture
def later():
    """Seconds on the cache's clock."""
    return [0.0]


@pytest.fixture
def cache(web, later):
    """A cache that nobody has used."""
    return SharedCache(web, now=lambda: later[0])


def unpacked(headers, content):
    coding = headers.get("content-encoding")
    return UNPACK[coding](content) if coding else content


def wanted(client):
    """The coding that *client* must get: its first; none for a form that is packed in itself."""
    coding = client["accept_encoding"].split(",")[0]
    return None if coding == "identity" or "parquet" in client["accept"] else coding


def test_many_clients_of_one_cache_each_get_their_own_representation(cache):
    plain = {media: ask(cache.origin, SE, accept=media)[1] for media in MEDIA}
    assert len(set(plain.values())) == len(MEDIA) - 1  # NDJSON goes by two names
    for _ in range(2):
        for client in CLIENTS:
            headers, content = cache.get(SE, **client)
            assert headers.get("content-encoding") == wanted(client)
            assert headers["content-type"].replace(" ", "").startswith(client["accept"])
            assert unpacked(headers, content) == plain[client["accept"]]
    assert set(cache.told[: len(CLIENTS)]) == {"forwarded", "revalidated"}  # the latter where another has asked alike
    assert cache.told[len(CLIENTS) :] == ["hit"] * len(CLIENTS)


def test_what_got_old_is_found_unchanged_by_the_tags_of_all(cache, later):
    before = [cache.get(SE, **client) for client in CLIENTS]
    later[0] += 10 * 86_400.0
    again = [cache.get(SE, **client) for client in CLIENTS]
    assert cache.told[len(CLIENTS) :] == ["revalidated"] * len(CLIENTS)
    for (headers, content), (old_headers, old_content) in zip(again, before, strict=True):
        assert content == old_content
        assert all(headers.get(name) == old_headers.get(name) for name in ("etag", "content-encoding", "content-type"))


def test_what_has_changed_replaces_what_got_old(serve, tmp_path, later):
    server = serve(f"archive:{archive(tmp_path, *race_day())}?date=2026-11-18")
    cache = SharedCache(server, now=lambda: later[0])
    before = [cache.get(SE, **client) for client in CLIENTS]
    archive(tmp_path, record("SE", Umaban=9), name="SEVM2026111520261117090000.jvd")
    server.delete("/api/v1/cache?all=1")
    later[0] += 10 * 86_400.0
    for client, (old_headers, _) in zip(CLIENTS, before, strict=True):
        headers, content = cache.get(SE, **client)
        assert unpacked(headers, content) == ask(server, SE, accept=client["accept"])[1]
        assert headers["etag"] != old_headers["etag"]


@pytest.mark.parametrize(
    ("url", "client"),
    [
        (SE.replace("data", "stream"), {"accept_encoding": "br"}),
        (SE, {"accept": "image/png"}),
        (SE, {"accept_encoding": "*;q=0"}),
        (f"{SE}&format=xml", {}),
    ],
)
def test_streams_and_problems_are_not_stored(cache, url, client):
    for _ in range(2):
        cache.get(url, **client)
    assert cache.told == ["forwarded"] * 2
    assert not cache.stored[url]
