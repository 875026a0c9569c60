"""The fast lane behaves like the slow way: same answer, same connection, whatever comes in between."""

import socket

import pytest

from tests.raceday import archive, record

URL = b"/api/v1/data/RACE?from_time=20261101"
VARYING = {"date", "age", "server-timing", "x-request-id", "cache-status"}


@pytest.fixture
def known(web):
    """A server that has the answer to URL in memory."""
    assert web.get(URL.decode()).status_code == 200
    return web


@pytest.fixture
def wire(known):
    """A connection to it, kept open."""
    with socket.create_connection((known.base_url.host, known.base_url.port), timeout=30) as connection:
        yield connection, connection.makefile("rb")


def request(*lines, url=URL, method=b"GET", version=b"HTTP/1.1"):
    return b"\r\n".join([b"%b %b %b" % (method, url, version), b"Host: x", *lines, b"", b""])


def read(answer, *, has_content=True):
    """Status, headers and body of the next response on the wire, which begins where the one before ended."""
    version, status, _ = answer.readline().split(b" ", 2)
    assert version == b"HTTP/1.1"
    status, headers = int(status), {}
    while line := answer.readline().strip():
        name, _, value = line.partition(b": ")
        headers[name.decode().lower()] = value.decode()
    length = int(headers.get("content-length", 0)) if has_content and status != 304 else 0
    return status, headers, answer.read(length)


def test_the_lane_answers_as_the_slow_way_does(wire):
    connection, answer = wire
    connection.sendall(request())
    status, headers, body = read(answer)
    connection.sendall(request(b"Cache-Control: max-age=60"))  # no refresh, and nothing for the lane
    slow_status, slow_headers, slow_body = read(answer)
    assert (status, body) == (slow_status, slow_body)
    assert headers.keys() == slow_headers.keys()
    assert {name for name in headers if headers[name] != slow_headers[name]} <= VARYING
    assert headers["cache-status"].startswith("jvgate; hit; ttl=")


def test_a_connection_serves_fast_and_slow_requests_in_turn(wire):
    connection, answer = wire
    for url, expected in [(URL, 200), (b"/healthz", 200), (URL, 200), (b"/nowhere", 404), (URL, 200)]:
        connection.sendall(request(url=url))
        assert read(answer)[0] == expected


def test_pipelined_requests_are_answered_in_order(wire):
    connection, answer = wire
    connection.sendall(request() + request(url=b"/healthz") + request() + request(url=b"/nowhere") + request())
    assert [read(answer)[0] for _ in range(5)] == [200, 200, 200, 404, 200]


def test_a_body_that_comes_with_a_get_does_not_disturb_the_next_request(wire):
    connection, answer = wire
    connection.sendall(request(b"Content-Length: 5") + b"hello" + request(url=b"/healthz"))
    assert [read(answer)[0] for _ in range(2)] == [200, 200]


def test_a_request_in_pieces_is_one_request(wire):
    connection, answer = wire
    whole = request(b"Accept: application/json")
    for piece in (whole[:10], whole[10:60], whole[60:]):
        connection.sendall(piece)
    assert read(answer)[0] == 200


@pytest.mark.parametrize("given", [b"a b", b"x\ty", b"<script>", b"a" * 65, b""])
def test_a_harmful_request_id_is_not_given_back(wire, given):
    connection, answer = wire
    connection.sendall(request(b"X-Request-Id: " + given))
    assert read(answer)[1]["x-request-id"].encode() != given


def test_a_request_id_is_given_back(wire):
    connection, answer = wire
    connection.sendall(request(b"X-Request-Id: race-11.5"))
    assert read(answer)[1]["x-request-id"] == "race-11.5"


def test_accept_counts_in_the_lane_too(wire):
    connection, answer = wire
    connection.sendall(request(b"Accept: text/csv"))
    assert read(answer)[0] == 406


@pytest.mark.parametrize(("lines", "version"), [((b"Connection: close",), b"HTTP/1.1"), ((), b"HTTP/1.0")])
def test_a_connection_that_is_to_end_ends(wire, lines, version):
    connection, answer = wire
    connection.sendall(request(*lines, version=version))
    assert read(answer)[0] == 200
    assert answer.read() == b""


def test_a_conditional_request_has_no_content(wire):
    connection, answer = wire
    connection.sendall(request())
    etag = read(answer)[1]["etag"]
    connection.sendall(request(b"If-None-Match: " + etag.encode()) + request(url=b"/healthz"))
    assert [read(answer)[0] for _ in range(2)] == [304, 200]


def test_head_has_the_headers_of_get_and_no_content(wire):
    connection, answer = wire
    connection.sendall(request() + request(method=b"HEAD") + request(url=b"/healthz"))
    got, head = read(answer), read(answer, has_content=False)
    assert (head[0], head[1]["etag"], head[1]["content-length"]) == (200, got[1]["etag"], str(len(got[2])))
    assert read(answer)[2].startswith(b"{")  # the answer to the last request: no content stood before it


@pytest.mark.parametrize("method", [b"DELETE", b"POST", b"PUT", b"PATCH"])
def test_a_method_that_a_known_url_does_not_take_is_refused(wire, method):
    connection, answer = wire
    connection.sendall(request(b"Content-Length: 0", method=method) + request())
    (status, headers, _), (following, _, _) = read(answer), read(answer)
    assert (status, headers["allow"], following) == (405, "GET, HEAD", 200)


def test_hits_of_the_lane_are_counted(known, wire):
    before = known.figure("jvgate_cache_requests_total", tier="l1", result="hit")
    connection, answer = wire
    for _ in range(3):
        connection.sendall(request())
        read(answer)
    assert known.figure("jvgate_cache_requests_total", tier="l1", result="hit") == before + 3


@pytest.mark.parametrize("directive", [b"x-no-cached", b"max-age=0", b"private"])
def test_only_no_cache_asks_for_a_refresh(wire, directive):
    connection, answer = wire
    connection.sendall(request(b"Cache-Control: " + directive))
    assert read(answer)[1]["cache-status"].startswith("jvgate; hit")


def test_a_request_never_gets_the_head_of_another_answer(serve, folder, monkeypatch):
    """One data spec of a joined question is read anew for another client: the remembered head is stale then."""
    monkeypatch.setattr("jvgate.gateway.answers.REFRESH_AFTER_S", 0.0)
    server = serve(f"archive:{folder}?date=2026-11-18")
    url = "/api/v1/data/RACEDIFN?from_time=20261101&record=RA,UM"
    first = server.get(url)
    archive(folder, record("UM", Bamei="アトカラ"), dataspec="DIFN", name="UM20261118120000.jvd")
    server.get(url, headers={"Accept": "*/*;q=0.9", "Cache-Control": "no-cache"})
    again = server.get(url)
    assert len(again.content) > len(first.content)
    assert int(again.headers["content-length"]) == len(again.content)
    assert again.headers["etag"] != first.headers["etag"]
