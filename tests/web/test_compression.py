"""Content codings over HTTP: who gets which, that each is a representation of its own, and that all say the same."""

import pytest

from jvgate.gateway import answers
from tests.raceday import archive, race_day, record
from tests.waiting import wait_until
from tests.web.test_bad_input import is_problem
from tests.web.wire import UNPACK, ask

SE = "/api/v1/data/RACE?from_time=20261101&record=SE"
FORMS = ("json", "ndjson", "csv", "msgpack", "arrow", "raw", "pickle")
UNPACKED = (f"{SE}&limit=0", f"{SE}&fields=Umaban&format=ndjson", f"{SE}&format=parquet")
MOVING = {"date", "age", "server-timing", "x-request-id", "cache-status"}


@pytest.fixture(scope="module")
def everything(serve, folder):
    """A server that gives every form."""
    return serve(f"archive:{folder}?date=2026-11-18", allow_pickle=True)


def standing(response):
    """The headers that belong to the representation."""
    return {name: value for name, value in response.headers.items() if name not in MOVING}


@pytest.mark.parametrize("coding", UNPACK)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_every_coding_unpacks_to_what_it_is_without(everything, form, coding):
    url = f"{SE}&format={form}"
    plain, whole = ask(everything, url)
    for _ in range(2):  # from the route and from the lane
        response, packed = ask(everything, url, accept_encoding=coding)
        assert response.headers["content-encoding"] == coding
        assert UNPACK[coding](packed) == whole
        assert int(response.headers["content-length"]) == len(packed) < len(whole)
        assert response.headers["vary"] == plain.headers["vary"] == "Accept, Accept-Encoding"
        assert response.headers["content-type"] == plain.headers["content-type"]


def test_each_form_and_coding_has_a_strong_tag_of_its_own(everything):
    tags = {
        (form, coding): ask(everything, f"{SE}&format={form}", accept_encoding=coding)[0].headers["etag"]
        for form in FORMS
        for coding in ("identity", *UNPACK)
    }
    assert len(set(tags.values())) == len(tags)
    assert all(tag.startswith('"') for tag in tags.values())


@pytest.mark.parametrize("coding", ["identity", *UNPACK])
def test_the_same_bytes_under_another_name_are_another_representation(everything, coding):
    names = ("application/x-ndjson", "application/jsonl")
    (one, content), (other, same) = (ask(everything, SE, accept=name, accept_encoding=coding) for name in names)
    assert content == same
    assert (one.headers["content-type"], other.headers["content-type"]) == names
    assert one.headers["etag"] != other.headers["etag"]


@pytest.mark.parametrize("coding", ["identity", *UNPACK])
def test_only_the_tag_of_the_representation_that_would_be_sent_is_known(everything, coding):
    tags = {name: ask(everything, SE, accept_encoding=name)[0].headers["etag"] for name in ("identity", *UNPACK)}
    for name, tag in tags.items():
        response, content = ask(everything, SE, accept_encoding=coding, if_none_match=tag)
        assert response.status_code == (304 if name == coding else 200)
        assert response.headers["etag"] == tags[coding]
        assert bool(content) == (name != coding)
        assert response.headers["vary"] == "Accept, Accept-Encoding"


def test_of_many_known_tags_the_answer_tells_which_is_meant(everything):
    """So a shared cache asks when all that it has is old."""
    tags = [ask(everything, SE, accept_encoding=coding)[0].headers["etag"] for coding in UNPACK]
    for coding, tag in zip(UNPACK, tags, strict=True):
        response, _ = ask(everything, SE, accept_encoding=coding, if_none_match=", ".join(tags))
        assert (response.status_code, response.headers["etag"]) == (304, tag)


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", None), ("identity", None), ("compress, x", None), ("gzip;q=0", None), ("identity, br;q=0.5", None),
        ("gzip, deflate, br, zstd", "zstd"), ("gzip, deflate, br", "br"), ("gzip, deflate", "gzip"), ("x-gzip", "gzip"),
        ("GZip;Q=0.2, br;q=0.1", "gzip"), ("br;q=0.9, gzip;q=1.0", "gzip"), ("*", "zstd"), ("*;q=0.1, lz4", "lz4"),
        ("zstd;q=0, *", "br"), ("identity;q=0, lz4;q=0.001", "lz4"), ("identity;q=0, *", "zstd"), ("*;q=0, br", "br"),
        ("*;q=0, identity", None), ("gzip;q=x, br;q=0.1", "br"), (";;;=, ,q=1", None), ("gzip;q=-1", None),
        ("gzip" * 2000, None), ("br," * 2000, "br"), ("＊", None),
    ],
)  # fmt: skip
def test_the_client_says_which_coding_it_likes_best(everything, accept, coding):
    _, whole = ask(everything, SE)
    for _ in range(2):  # from the route and from the lane
        response, content = ask(everything, SE, accept_encoding=accept.encode())
        assert (response.status_code, response.headers.get("content-encoding")) == (200, coding)
        assert (UNPACK[coding](content) if coding else content) == whole


@pytest.mark.parametrize("accept", ["identity;q=0", "*;q=0", "identity;q=0, compress", "gzip;q=0, *;q=0"])
@pytest.mark.parametrize("url", [SE, SE.replace("data", "stream"), *UNPACKED])
def test_when_nothing_at_all_is_accepted_the_problem_says_what_there_is(everything, url, accept):
    for _ in range(2):
        response = everything.get(url, headers={"accept-encoding": accept})
        document = is_problem(response, 406, "not-acceptable")
        assert document["allowed"] == "zstd, br, gzip, deflate, lz4, identity"
        assert "content-encoding" not in response.headers
    assert ask(everything, SE, accept_encoding="gzip")[0].status_code == 200


def test_a_header_in_two_lines_is_one_header(everything):
    request = f"GET {SE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: {{}}\r\n\r\n"
    for lines in ("gzip;q=0.1\r\nAccept-Encoding: br", "gzip;q=0.1, br"):
        assert b"content-encoding: br\r\n" in everything.send_bytes(request.format(lines).encode())[1] + b"\r\n"


@pytest.mark.parametrize("url", UNPACKED)
def test_what_is_tiny_or_packed_already_goes_as_it_is(everything, url):
    plain, whole = ask(everything, url)
    for _ in range(2):
        response, content = ask(everything, url, accept_encoding="br, gzip, *")
        assert content == whole
        assert standing(response) == standing(plain)


@pytest.mark.parametrize("coding", UNPACK)
@pytest.mark.parametrize("url", [*UNPACKED, f"{SE}&limit=0&format=raw"])
def test_whoever_refuses_what_is_not_packed_gets_that_packed_too(everything, url, coding):
    """RFC 9110, section 12.5.3.  The last one has nothing to pack at all."""
    plain, whole = ask(everything, url, accept_encoding=coding)
    first, packed = ask(everything, url, accept_encoding=f"identity;q=0, {coding}")
    again, same = ask(everything, url, accept_encoding=f"identity;q=0, {coding}")
    assert again.headers["server-timing"].startswith("edge;dur=")
    assert (standing(again), same) == (standing(first), packed)
    assert (first.headers["content-encoding"], UNPACK[coding](packed)) == (coding, whole)
    assert first.headers["etag"] != plain.headers["etag"]
    assert ask(everything, url, accept_encoding=coding)[1] == whole


@pytest.mark.parametrize("coding", UNPACK)
def test_the_lane_sends_what_the_route_sends(everything, coding):
    url = f"{SE}&raw=1"  # which nobody has asked before
    first, content = ask(everything, url, accept_encoding=coding)
    again, same = ask(everything, url, accept_encoding=coding)
    assert "l1;dur=" in first.headers["server-timing"]
    assert again.headers["server-timing"].startswith("edge;dur=")
    assert (standing(again), same) == (standing(first), content)
    head, nothing = ask(everything, url, method="HEAD", accept_encoding=coding)
    assert (standing(head), nothing) == (standing(first), b"")


def test_head_comes_from_the_route_as_get_does(serve, folder):
    cold = serve(f"archive:{folder}?date=2026-11-18")
    head, nothing = ask(cold, SE, method="HEAD", accept_encoding="br")
    got, packed = ask(cold, SE, accept_encoding="br")
    assert (standing(head), nothing) == (standing(got), b"")
    assert int(head.headers["content-length"]) == len(packed)


def test_the_answer_is_read_once_and_packed_once_for_all(serve, folder):
    cold = serve(f"archive:{folder}?date=2026-11-18")
    stages = [ask(cold, SE, accept_encoding=coding)[0].headers["server-timing"] for coding in ("br", "br", "gzip", "")]
    assert cold.figure("jvgate_source_opens_total") == 1
    assert [["compress" in told, "render" in told] for told in stages] == [
        [True, True], [False, False], [True, False], [False, False],
    ]  # fmt: skip


@pytest.mark.parametrize("coding", ["zstd", "br"])
def test_what_many_ask_for_is_sent_smaller_before_long(serve, tmp_path, coding):
    folder = archive(
        tmp_path, *(record("SE", Umaban=1 + n % 18, KettoNum=str(2019100000 + 7919 * n)) for n in range(200))
    )
    server = serve(f"archive:{folder}?date=2026-11-18")
    first, content = ask(server, SE, accept_encoding=coding)
    then, smaller = wait_until(lambda: (got := ask(server, SE, accept_encoding=coding))[1] != content and got)
    assert len(smaller) < len(content)
    assert UNPACK[coding](smaller) == UNPACK[coding](content) == ask(server, SE)[1]
    assert then.headers["etag"] != first.headers["etag"]
    assert ask(server, SE, accept_encoding=coding, if_none_match=first.headers["etag"])[0].status_code == 200
    assert ask(server, SE, accept_encoding=coding, if_none_match=then.headers["etag"])[0].status_code == 304
    assert server.figure("jvgate_source_opens_total") == 1


@pytest.fixture
def changing(serve, tmp_path):
    """A server whose archive has got one more runner since it was asked; and what each coding said before."""
    server = serve(f"archive:{archive(tmp_path, *race_day())}?date=2026-11-18")
    before = {coding: ask(server, SE, accept_encoding=coding) for coding in ("identity", *UNPACK)}
    archive(tmp_path, record("SE", Umaban=9), name="SEVM2026111520261117090000.jvd")
    return server, before


def whole_in(server, coding, **headers):
    response, content = ask(server, SE, accept_encoding=coding, **headers)
    return response, content if coding == "identity" else UNPACK[coding](content)


def test_a_refresh_in_any_coding_reads_anew(changing, monkeypatch):
    server, before = changing
    monkeypatch.setattr("jvgate.gateway.answers.REFRESH_AFTER_S", 0.0)
    for coding, (old, _) in before.items():
        response, renewed = whole_in(server, coding, cache_control="no-cache")
        assert response.headers["cache-status"].startswith("jvgate; fwd=request")
        assert response.headers["etag"] != old.headers["etag"]
        again, same = whole_in(server, coding)
        assert (standing(again), same) == (standing(response), renewed)
        assert len(renewed) > len(before["identity"][1])


def test_a_purge_takes_every_coding(changing):
    server, before = changing
    assert server.delete("/api/v1/cache", params={"dataspec": "RACE"}).json()["l1"] >= len(before)
    contents = {whole_in(server, coding)[1] for coding in before}
    assert len(contents) == 1
    assert contents.pop() != before["identity"][1]


def test_a_refresh_in_one_representation_renews_all_of_them(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "REFRESH_AFTER_S", 0.0)
    folder = archive(tmp_path, *race_day() * 4)
    web = serve(f"archive:{folder}?date=2026-11-18")
    forms = [("json", "identity"), ("json", "gzip"), ("csv", "br")]

    def totals():
        plain, packed, table = (
            web.data(record="SE", format=form, headers={"accept-encoding": coding}) for form, coding in forms
        )
        return plain.json()["meta"]["total"], packed.json()["meta"]["total"], len(table.text.splitlines())

    before = totals()
    archive(folder, *race_day() * 5)
    web.data(record="SE", headers={"accept-encoding": "br", "cache-control": "no-cache"})
    after = totals()
    assert (before, after) == ((12, 12, 13), (15, 15, 16))
