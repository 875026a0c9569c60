"""nginx with proxy_cache in front of the server: each client gets its own representation, from the cache too."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from tests.raceday import archive, record
from tests.waiting import wait_until
from tests.web.nginx import nginx
from tests.web.test_shared_cache import CLIENTS, MEDIA, SE, unpacked, wanted
from tests.web.wire import UNPACK, ask


@pytest.fixture
def proxy(web):
    with nginx(web.base_url) as client:
        yield client


def got(proxy, client, url=SE, **headers):
    """What nginx answered: how it came about, the headers and the content."""
    response, content = ask(proxy, url, **client, **headers)
    return response.headers.get("x-cache"), response.headers, content


def test_each_gets_its_own_representation_and_from_the_cache_the_second_time(web, proxy):
    plain = {media: ask(web, SE, accept=media)[1] for media in MEDIA}
    for round_ in range(2):
        for client in CLIENTS:
            how, headers, content = got(proxy, client)
            assert headers.get("content-encoding") == wanted(client)
            assert headers["content-type"].replace(" ", "").startswith(client["accept"])
            assert unpacked(headers, content) == plain[client["accept"]]
            assert how == ("HIT" if round_ else "MISS")


def test_many_at_once_get_each_their_own(web, proxy):
    plain = {media: ask(web, SE, accept=media)[1] for media in MEDIA}
    asked = CLIENTS * 4
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda client: got(proxy, client), asked))
    for client, (_, headers, content) in zip(asked, answers, strict=True):
        assert headers.get("content-encoding") == wanted(client)
        assert unpacked(headers, content) == plain[client["accept"]]


def test_only_the_tag_of_ones_own_representation_is_known(proxy):
    tags = [got(proxy, client)[1]["etag"] for client in CLIENTS]
    for client, tag in zip(CLIENTS, tags, strict=True):
        response, content = ask(proxy, SE, **client, if_none_match=tag)
        assert (response.status_code, content, response.headers["x-cache"]) == (304, b"", "HIT")
        others = ", ".join(set(tags) - {tag})
        assert ask(proxy, SE, **client, if_none_match=others)[0].status_code == 200


def test_what_is_packed_anew_reaches_nobody_under_the_old_tag(serve, tmp_path):
    folder = archive(
        tmp_path, *(record("SE", Umaban=1 + n % 18, KettoNum=str(2019100000 + 7919 * n)) for n in range(200))
    )
    server = serve(f"archive:{folder}?date=2026-11-18")
    whole = ask(server, SE)[1]
    seen = {}

    def look(client, coding):
        response, content = ask(client, SE, accept_encoding=coding)
        assert UNPACK[coding](content) == whole
        assert seen.setdefault(response.headers["etag"], content) == content

    def has_all():
        for client, coding in product((proxy, server), UNPACK):
            look(client, coding)
        return len(seen) == len(UNPACK) + 2  # zstd and br have come in two ways

    with nginx(server.base_url) as proxy:
        wait_until(has_all)


@pytest.mark.parametrize(
    ("url", "client"),
    [
        (SE.replace("data", "stream"), {"accept_encoding": "br"}),
        (SE, {"accept": "image/png"}),
        (f"{SE}&format=xml", {}),
    ],
)
def test_streams_and_problems_are_not_stored(proxy, url, client):
    assert [got(proxy, client, url)[0] for _ in range(2)] == ["MISS"] * 2
