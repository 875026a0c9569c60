"""Whatever is sent, what comes back is an answer or a problem document that says what is allowed."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard

from tests.raceday import FILE_NAME, archive, race_day, record

RACE = "/api/v1/data/RACE?from_time=20261101"
KEY = "/api/v1/data/0B12?key="
TIMES = "YYYYMMDDhhmmss"
SILKS, MOVIES = "/api/v1/silks", "/api/v1/movies"


def is_problem(response, status, slug):
    """Whether *response* is the whole and right problem document; returns it."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-request-id"]
    document = response.json()
    assert (document["type"], document["status"]) == (f"/problems/{slug}", status)
    assert all(document[member] for member in ("title", "title_ja", "detail", "instance"))
    return document


@pytest.mark.parametrize(
    ("url", "headers", "status", "slug", "allowed"),
    [
        ("/api/v1/data/NOPE?from_time=20261101", {}, 404, "unknown-dataspec", "RACE"),
        ("/api/v1/data/race?from_time=20261101", {}, 404, "unknown-dataspec", "RACE"),
        ("/api/v1/data/RACE%00?from_time=20261101", {}, 404, "unknown-dataspec", "RACE"),
        ("/api/v1/data/%E3%83%AC%E3%83%BC%E3%82%B9", {}, 404, "unknown-dataspec", "RACE"),
        ("/api/v1/data/%FF%FE", {}, 404, "unknown-dataspec", "RACE"),
        ("/api/v1/data/RACERACE?from_time=20261101", {}, 400, "invalid-dataspec", "different stored data specs"),
        ("/api/v1/data/RACE0B12?from_time=20261101", {}, 400, "invalid-dataspec", "by itself"),
        ("/api/v1/data/RACE", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=yesterday", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=20260230", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=20261101%00", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=20261101%0D%0A", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=%EF%BC%92026110１", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=%FF%FE", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=%zz", {}, 400, "invalid-from-time", TIMES),
        ("/api/v1/data/RACE?from_time=20261101;to_time=20261102", {}, 400, "invalid-from-time", TIMES),
        (f"{RACE}&to_time=20261001", {}, 400, "invalid-to-time", "later than from_time"),
        (f"{RACE}&to_time=20261101", {}, 400, "invalid-to-time", "later than from_time"),
        ("/api/v1/data/TOKU?from_time=20261101&to_time=20261102", {}, 400, "invalid-to-time", "from_time alone"),
        (f"{RACE}&option=5", {}, 400, "invalid-option", "1, 2, 3, 4"),
        (f"{RACE}&option=", {}, 400, "invalid-option", "1, 2, 3, 4"),
        ("/api/v1/data/DIFN?from_time=20261101&option=2", {}, 400, "dataspec-option-mismatch", "1, 3, 4"),
        (KEY, {}, 400, "invalid-key", "YYYYMMDDJJRR"),
        ("/api/v1/data/0B12", {}, 400, "invalid-key", "YYYYMMDDJJRR"),
        (f"{KEY}20261332", {}, 400, "invalid-key", "YYYYMMDD"),
        (f"{KEY}../../../etc", {}, 400, "invalid-key", "YYYYMMDDJJRR"),
        (f"{KEY}202611150511&from_time=20261101", {}, 400, "parameter-not-allowed", "key, record"),
        (f"{RACE}&key=202611150511", {}, 400, "parameter-not-allowed", "from_time, to_time"),
        (f"{RACE}&record=ZZ", {}, 400, "unknown-record", "RA, SE"),
        (f"{RACE}&record=RA&record=%E5%87%BA", {}, 400, "unknown-record", "RA, SE"),
        (f"{RACE}&fields=Nope", {}, 400, "unknown-field", "Bamei"),
        (f"{RACE}&fields=__class__", {}, 400, "unknown-field", "Bamei"),
        (f"{RACE}&limit=-1", {}, 400, "invalid-limit", "0 to 1000000"),
        (f"{RACE}&limit={'9' * 400}", {}, 400, "invalid-limit", "0 to 1000000"),
        (f"{RACE}&limit=1.5", {}, 400, "invalid-limit", "0 to 1000000"),
        (f"{RACE}&limit=", {}, 400, "invalid-limit", "0 to 1000000"),
        (f"{RACE}&offset=-1", {}, 400, "invalid-offset", "0 to 999999999999"),
        (f"{RACE}&raw=maybe", {}, 400, "invalid-raw", "1, true, 0, false"),
        (f"{RACE}&labels=de", {}, 400, "invalid-labels", "ja or en"),
        (f"{RACE}&labels=ja&raw=1", {}, 400, "invalid-labels", "not both"),
        (f"{RACE}&limit=1&limit=1", {}, 400, "repeated-parameter", "limit once"),
        (f"{RACE}&from_time=20261101", {}, 400, "repeated-parameter", "from_time once"),
        (f"{RACE}&colour=red", {}, 400, "unknown-parameter", "from_time, to_time"),
        (f"{RACE}&=x", {}, 400, "unknown-parameter", "from_time, to_time"),
        (f"{RACE}&%00=x", {}, 400, "unknown-parameter", "from_time, to_time"),
        (f"{RACE}&format=pickle", {}, 406, "unknown-format", "json"),
        (RACE, {"accept": "image/png"}, 406, "not-acceptable", "application/json"),
        (RACE, {"accept": "application/json;q=0"}, 406, "not-acceptable", "application/json"),
        (f"{RACE}&fields={'a' * 9000}", {}, 414, "uri-too-long", "8192"),
        (f"/{'a' * 9000}", {}, 414, "uri-too-long", "8192"),
        ("/nope", {}, 404, "not-found", "/docs"),
        ("/nope", {"accept": "text/html"}, 404, "not-found", "/docs"),
        ("/api/v1/data", {}, 404, "not-found", "/docs"),
        ("/api/v1/data/RACE%2FDIFN?from_time=20261101", {}, 404, "not-found", "/docs"),
        ("/api/v1/dataspecs/NOPE", {}, 404, "unknown-dataspec", "RACE"),
        ("/api/v1/records/ZZ", {}, 404, "unknown-record-type", "RA"),
        ("/api/v1/records/%00", {}, 404, "unknown-record-type", "RA"),
        ("/api/v1/codes/9999", {}, 404, "unknown-code-table", "2001"),
        ("/api/v1/codes/2001%0A", {}, 404, "unknown-code-table", "2001"),
        (SILKS, {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern=", {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern=%E3%80%80", {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern=%00", {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern=赤%0D%0A", {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern=%FF%FE", {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern=🏇", {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern={'赤' * 31}", {}, 400, "invalid-pattern", "full-width"),
        (f"{SILKS}?pattern=赤&pattern=白", {}, 400, "repeated-parameter", "pattern once"),
        (f"{SILKS}?colour=赤", {}, 400, "unknown-parameter", "pattern"),
        (f"{SILKS}?pattern=赤&format=png", {}, 400, "unknown-parameter", "pattern"),
        ("/api/v1/courses/tokyo", {}, 400, "invalid-key", "YYYYMMDDJJKKKKTT"),
        ("/api/v1/courses/2026023005240011", {}, 400, "invalid-key", "YYYYMMDD"),
        ("/api/v1/courses/9999999999240011", {}, 400, "invalid-key", "01-10"),
        ("/api/v1/courses/9999999905240099", {}, 400, "invalid-key", "2009"),
        ("/api/v1/courses/９９99999905240011", {}, 400, "invalid-key", "YYYYMMDDJJKKKKTT"),
        ("/api/v1/courses/9999999905240011%00/image", {}, 400, "invalid-key", "YYYYMMDDJJKKKKTT"),
        ("/api/v1/courses/9999999905240011/image?size=big", {}, 400, "unknown-parameter", "no parameters"),
        ("/api/v1/courses", {}, 404, "not-found", "/docs"),
        (f"{MOVIES}/04/202611150511", {}, 404, "unknown-movie-type", "03 patrol"),
        (f"{MOVIES}/11/202611150511", {}, 404, "unknown-movie-type", "?key="),
        (f"{MOVIES}/0/202611150511", {}, 404, "unknown-movie-type", "00 race"),
        (f"{MOVIES}/00/20261115", {}, 400, "invalid-key", "YYYYMMDDJJRR"),
        (f"{MOVIES}/00/202613150511", {}, 400, "invalid-key", "YYYYMMDD"),
        (f"{MOVIES}/00/202611150511?key=1", {}, 400, "unknown-parameter", "no parameters"),
        (f"{MOVIES}/00", {}, 404, "unknown-movie-type", "11 all horses"),
        (f"{MOVIES}/%E8%B5%A4?key=20261115", {}, 404, "unknown-movie-type", "11 all horses"),
        (f"{MOVIES}/11", {}, 400, "invalid-key", "YYYYMMDD"),
        (f"{MOVIES}/11?key=2026111", {}, 400, "invalid-key", "YYYYMMDD"),
        (f"{MOVIES}/12?key=20261115", {}, 400, "invalid-key", "YYYYMMDD + 10 digits"),
        (f"{MOVIES}/12?key=202613152023100001", {}, 400, "invalid-key", "YYYYMMDD"),
        (f"{MOVIES}/13?key=20231", {}, 400, "invalid-key", "10 digits"),
        (f"{MOVIES}/13?key=2023100001&key=2023100002", {}, 400, "repeated-parameter", "key once"),
        (f"{MOVIES}/13?horse=2023100001", {}, 400, "unknown-parameter", "key"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_can(web, url, headers, status, slug, allowed):
    document = is_problem(web.get(url, headers=headers), status, slug)
    assert allowed in document["detail"]
    assert allowed in document.get("allowed", document["detail"])


def test_a_query_error_names_its_parameter_and_the_value_given(web):
    document = web.get(f"{RACE}&limit=ten").json()
    assert (document["parameter"], document["value"]) == ("limit", "ten")
    assert document["instance"] == "/api/v1/data/RACE"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "url", [RACE, SILKS, f"{MOVIES}/11", "/api/v1/dataspecs", "/healthz", "/metrics", "/", "/docs"]
)
def test_another_method_is_not_allowed(web, method, url):
    response = web.request(method, url)
    assert "GET" in is_problem(response, 405, "method-not-allowed")["detail"]
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("url", [RACE, "/api/v1/dataspecs", "/healthz", "/readyz", "/metrics", "/", "/openapi.json"])
def test_head_is_answered_wherever_get_is(web, url):
    head, got = web.head(url), web.get(url)
    assert (head.status_code, head.content) == (got.status_code, b"") == (200, b"")


@pytest.mark.parametrize(
    "request_line",
    [
        b"FOO /api/v1/data/RACE HTTP/1.1",
        b"get /healthz HTTP/1.1",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
        b"GET /api/v1/data/RACE?from_time=20261101\xe3\x81\x82 HTTP/1.1",
        b"GET /api/v1/data/RACE?from_time=2026\x001101 HTTP/1.1",
        b"GET /\xff\xfe HTTP/1.1",
        b"nonsense",
    ],
    ids=["unknown method", "lower case", "URL of 70 KB", "UTF-8", "NUL", "bytes", "no HTTP"],
)
def test_what_is_no_request_at_all_is_a_problem_too(web, request_line):
    status, head, body = web.send_bytes(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert 400 <= status < 500
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/api/v1/data/RACE?from_time=%u3042", 400),
        (b"//", 404),
        (b"/../../etc/passwd", 404),
        (b"/api/v1/data/../healthz", 404),
        (b"*", 404),
        (b"http://elsewhere/api/v1/data/RACE?from_time=20261101", 200),
        (b"/api/v1/data/RACE?from_time=20261101#fragment", 200),
    ],
)
def test_a_strange_target_is_answered_and_hurts_nobody(web, target, status):
    answered, _, body = web.send_bytes(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answered == status
    assert json.loads(body)
    assert web.get(RACE).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        b"Accept: \xff\xfe",
        b"If-None-Match: \xff",
        b"If-None-Match: " + b'"x",' * 2000,
        b"Accept: " + b"text/html;q=0.1," * 2000,
        b"Cache-Control: \xe3\x81\x82",
        b"X-Request-Id: \xe3\x81\x82",
        b"Content-Length: 5\r\n\r\nhello",
        b"Range: bytes=0-5",
        b"Expect: 100-continue",
        b"Cookie: " + b"a" * 30_000,
    ],
    ids=lambda headers: headers[:20].decode("ascii", "replace"),
)
def test_strange_headers_hurt_nobody(web, headers):
    for _ in range(2):  # the route and the edge
        request = f"GET {RACE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode() + headers + b"\r\n\r\n"
        assert web.send_bytes(request)[0] in (100, 200, 406)
    assert web.get(RACE).status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET", f"GET {RACE} HTTP/1.1\r\nHo".encode(), f"GET {RACE}\r\n".encode() * 3])
def test_half_a_request_hurts_nobody(web, sent):
    with socket.create_connection((web.base_url.host, web.base_url.port)) as leaving:
        leaving.sendall(sent)
    assert web.get(RACE).status_code == 200


@pytest.fixture(scope="module")
def broken(serve, tmp_path_factory):
    """Servers on archives that cannot be read, by what is wrong with them."""
    place = tmp_path_factory.mktemp("broken")
    (place / "junk").mkdir()
    (place / "junk" / "letter.txt").write_text("Dear reader,\r\nthis is no JV-Data.\r\n")
    (place / "empty").mkdir()
    archive(place / "cut", *race_day(), record("SE")[:300])
    archive(place / "cut zst", zstandard.compress(b"".join(race_day()))[:-20], name=f"{FILE_NAME}.zst")
    archive(place / "no zst", *race_day(), name=f"{FILE_NAME}.zst")
    archive(place / "nothing", b"")
    return lambda name: serve(f"archive:{place / name}")


@pytest.mark.parametrize(
    ("name", "status", "slug", "said"),
    [
        ("not there", 503, "archive-unusable", "no such folder"),
        ("empty", 503, "archive-unusable", "no JV-Data"),
        ("junk", 503, "archive-unusable", "no JV-Data"),
        ("cut", 502, "downloaded-file-corrupt", FILE_NAME),
        ("cut zst", 502, "downloaded-file-corrupt", FILE_NAME),
        ("no zst", 502, "downloaded-file-corrupt", FILE_NAME),
        ("nothing", 502, "downloaded-file-corrupt", FILE_NAME),
    ],
)
def test_an_archive_that_cannot_be_read_is_a_problem_that_says_why(broken, name, status, slug, said):
    server = broken(name)
    assert said in is_problem(server.data(), status, slug)["detail"]
    assert server.get("/healthz").status_code == 200
    assert server.figure("jvgate_cache_bytes", tier="l1") == 0


def test_a_problem_of_jvlink_carries_its_code_and_what_to_do(broken):
    response = broken("cut").data()
    jvlink = response.json()["jvlink"]
    assert (jvlink["code"], jvlink["method"]) == (-403, "JVGets")
    assert all(jvlink[member] for member in ("meaning_ja", "meaning_en", "action"))
    assert int(response.headers["retry-after"]) > 0


def test_a_dataset_over_the_limit_says_how_to_ask_for_less(serve, folder):
    small = serve(f"archive:{folder}?date=2026-11-18", dataset_bytes=1024)
    document = is_problem(small.data(), 413, "dataset-too-large")
    assert document["limit_bytes"] == 1024
    assert all(word in document["allowed"] for word in ("to_time", "record=", "JVGATE_DATASET_BYTES"))
    assert small.data(record="HR").status_code == 200


def test_a_rendered_answer_over_the_limit_says_how_to_ask_for_less(serve, folder):
    small = serve(f"archive:{folder}?date=2026-11-18", answer_bytes=2000)
    for headers in ({}, {"accept-encoding": "gzip"}):
        document = is_problem(small.data(headers=headers), 413, "dataset-too-large")
        assert document["limit_bytes"] == 2000
        assert all(word in document["allowed"] for word in ("fields=", "limit=", "record=", "/api/v1/stream"))
        assert "JVGATE_ANSWER_BYTES" in document["allowed"]
    assert small.data(limit=0).status_code == small.data(fields="RecordSpec").status_code == 200
    assert small.get("/api/v1/stream/RACE", params={"from_time": "20261101", "format": "ndjson"}).status_code == 200


def test_a_request_past_its_deadline_is_one_job_too_many_where_there_may_be_none(serve, folder):
    slow = serve(f"archive:{folder}?open_ms=1000", deadline_s=0.1, jobs=0)
    response = slow.data()
    assert is_problem(response, 503, "session-busy")["place"] == 1
    assert int(response.headers["retry-after"]) > 0


def test_a_full_queue_is_told_to_come_again(serve, folder):
    full = serve(f"archive:{folder}?open_ms=500", sessions=1, queue=0)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(full.data)
        while not full.figure("jvgate_sessions", state="busy"):
            assert not first.done()
        response = full.data("DIFN")
        assert first.result().status_code == 200
    is_problem(response, 503, "session-busy")
    assert int(response.headers["retry-after"]) > 0


def test_what_nobody_expected_is_a_problem_without_a_word_of_our_insides(web, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr("jvgate.gateway.answers.render", fail)
    response = web.data(from_time="20261010")
    document = is_problem(response, 500, "internal-error")
    assert document["request_id"] == response.headers["x-request-id"]
    assert "secret" not in response.text
