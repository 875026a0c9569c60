"""`POST /api/v1/batch`: many questions at once, each with its own end, whatever becomes of the others."""

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import pytest

from jvgate.gateway import answers
from jvgate.gateway.gateway import Gateway
from jvgate.web.routes.batch import MAX_BODY_BYTES, MAX_ENTRIES
from tests.raceday import RACE_KEY
from tests.waiting import wait_until
from tests.web.conftest import LIMIT_S
from tests.web.test_bad_input import is_problem
from tests.web.test_stream_forms import Reader
from tests.web.wire import UNPACK

BATCH = "/api/v1/batch"
OPENS = "jvgate_source_opens_total"
RACE = {"dataspec": "RACE", "from_time": "20261101"}
LIVE = {"dataspec": "0B12", "key": RACE_KEY}
NOPE = {"dataspec": "NOPE"}
LINES = {"accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def stuck(serve, folder):
    """A server whose every open takes a minute: what it reads is not done while a test lasts."""
    return serve(f"archive:{folder}?date=2026-11-18&open_ms=60000", sessions=2)


def batch(client, *entries, **given):
    return client.post(BATCH, json={"requests": list(entries)}, **given)


def replies(client, *entries, **given):
    """What each entry of a batch got."""
    response = batch(client, *entries, **given)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert int(response.headers["content-length"]) == len(response.content)
    found = response.json()["responses"]
    assert len(found) == len(entries)
    return found


def lines(response):
    """The replies of a batch in lines, by the index of their entry; the last line says how many there are."""
    assert response.content.endswith(b"\n")
    *found, end = [json.loads(line) for line in response.content.splitlines()]
    assert end == {"end": {"responses": len(found)}}
    return {reply.pop("index"): reply for reply in found}


def kinds(reply):
    return [record["RecordSpec"] for record in reply["body"]["data"]]


def is_refused(reply, status, slug):
    """Whether one entry got the right problem; returns it."""
    assert (reply["status"], reply["headers"]["content-type"]) == (status, "application/problem+json")
    document = reply["body"]
    assert (document["type"], document["status"]) == (f"/problems/{slug}", status)
    return document


def test_every_entry_gets_what_data_gives_in_the_order_of_asking(web):
    entries = [RACE | {"record": "SE"}, LIVE, RACE | {"record": ["RA", "HR"], "limit": 1}, LIVE | {"raw": True}]
    found = replies(web, *entries)
    asked = [
        web.data(record="SE"), web.data("0B12", key=RACE_KEY), web.data(record="RA,HR", limit="1"),
        web.data("0B12", key=RACE_KEY, raw="1"),
    ]  # fmt: skip
    assert [reply["status"] for reply in found] == [200] * 4
    assert [reply["body"] for reply in found] == [response.json() for response in asked]
    for reply, response in zip(found, asked, strict=True):
        names = ("etag", "content-type", "cache-control")
        assert all(reply["headers"][name] == response.headers[name] for name in names)
        assert reply["headers"].get("link") == response.headers.get("link")
        assert int(reply["headers"]["age"]) >= 0


def test_the_bytes_of_a_body_are_those_of_data(web):
    assert web.data().content in batch(web, NOPE, RACE, RACE).content


def test_entries_say_how_they_came_about(serve, folder):
    cold = serve(f"archive:{folder}?date=2026-11-18")
    (first,) = replies(cold, RACE)
    (second,) = replies(cold, RACE)
    assert first["headers"]["cache-status"].startswith("jvgate; fwd=miss; ttl=")
    assert second["headers"]["cache-status"].startswith("jvgate; hit; ttl=")


def test_equal_entries_are_read_once(serve, folder):
    cold = serve(f"archive:{folder}?date=2026-11-18&open_ms=200")
    found = replies(cold, *[RACE] * MAX_ENTRIES)
    assert len({json.dumps(reply["body"]) for reply in found}) == 1
    assert cold.figure(OPENS) == 1
    assert cold.figure("jvgate_stage_seconds_count", stage="open") == 1


def test_no_cache_reads_anew(serve, folder, monkeypatch):
    cold = serve(f"archive:{folder}?date=2026-11-18")
    replies(cold, RACE)
    monkeypatch.setattr(answers, "REFRESH_AFTER_S", 0.0)
    (again,) = replies(cold, RACE, headers={"cache-control": "no-cache"})
    assert again["headers"]["cache-status"].startswith("jvgate; fwd=request")
    assert cold.figure(OPENS) == 2


def test_pages_and_conditions_hold_in_a_batch_too(web):
    page, found = replies(web, RACE | {"limit": 1, "record": "SE"}, RACE | {"where": ["Umaban=2..3", "JyoCD=05"]})
    assert 'rel="next"' in page["headers"]["link"]
    assert kinds(found) == ["SE", "SE"]


@pytest.mark.parametrize(
    ("entry", "status", "slug", "said"),
    [
        (NOPE, 404, "unknown-dataspec", "RACE"),
        ({"dataspec": "RACE"}, 400, "invalid-from-time", "from_time"),
        (RACE | {"from_time": 20269999}, 400, "invalid-from-time", "YYYYMMDD"),
        (RACE | {"key": "20261115"}, 400, "parameter-not-allowed", "from_time"),
        (RACE | {"colour": "red"}, 400, "unknown-parameter", "record"),
        (RACE | {"colour": []}, 400, "invalid-batch", "a list of texts"),
        (RACE | {"record": "ZZ"}, 400, "unknown-record", "RA"),
        (RACE | {"fields": "Bameii"}, 400, "unknown-field", "Did you mean Bamei"),
        (RACE | {"where": "Bameii=1"}, 400, "unknown-field", "selected by"),
        (RACE | {"where": "JyoCD=5"}, 400, "invalid-where", "2 characters"),
        (RACE | {"where": {"JyoCD": "05"}}, 400, "invalid-batch", "a list of texts"),
        (RACE | {"limit": -1}, 400, "invalid-limit", "1000000"),
        (RACE | {"limit": 1.5}, 400, "invalid-batch", "a whole number"),
        (RACE | {"limit": 10**30}, 400, "invalid-batch", "a whole number"),
        (RACE | {"limit": [1, 2]}, 400, "repeated-parameter", "limit once"),
        (RACE | {"record": ["RA", None]}, 400, "invalid-batch", "a list of texts"),
        (RACE | {"record": [["RA"]]}, 400, "invalid-batch", "a list of texts"),
        (RACE | {"format": "csv"}, 406, "unknown-format", "json"),
        (RACE | {"format": "ndjson"}, 406, "unknown-format", "json"),
        (RACE | {"charset": "latin-1"}, 400, "invalid-charset", "shift_jis"),
        (RACE | {"charset": "shift_jis"}, 400, "parameter-not-allowed", "format=csv"),
        (RACE | {"record": "R" * 10_000}, 400, "invalid-batch", "8192 bytes"),
        (RACE | {"where": json.loads("[" * 300 + "]" * 300)}, 400, "invalid-batch", "too deep"),
        ({"from_time": "20261101"}, 400, "invalid-batch", "RACE"),
        ({"dataspec": None}, 400, "invalid-batch", "RACE"),
        ({"dataspec": ["RACE", "DIFN"]}, 400, "invalid-batch", "RACE"),
        ({"dataspec": "レース\x00"}, 404, "unknown-dataspec", "RACE"),
        ({}, 400, "invalid-batch", "RACE"),
        ([], 400, "invalid-batch", "dataspec"),
        ("RACE", 400, "invalid-batch", "dataspec"),
        (None, 400, "invalid-batch", "dataspec"),
        (7, 400, "invalid-batch", "dataspec"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict | list | str) else None,
)
def test_a_bad_entry_gets_its_problem_and_harms_no_other(web, entry, status, slug, said):
    before, bad, after = replies(web, RACE, entry, LIVE)
    assert said in is_refused(bad, status, slug)["detail"]
    assert bad["body"]["instance"] == "/api/v1/batch#/requests/1"
    assert bad["headers"]["cache-control"] == "no-store"
    assert (before["status"], after["status"]) == (200, 200)


def test_a_member_that_is_null_is_left_out(web):
    one, other = replies(web, RACE | {"limit": None, "format": None}, RACE | {"format": "json"})
    assert one["body"] == other["body"]


@pytest.mark.parametrize(
    ("body", "slug", "said"),
    [
        (b"", "not-json", "requests"),
        (b"RACE", "not-json", "requests"),
        (b'{"requests": [{"dataspec": "RACE"}', "not-json", "requests"),
        (b'{"requests": [NaN]}', "not-json", "requests"),
        (b'{"requests": ["\xff\xfe"]}', "not-json", "requests"),
        (b'{"requests": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not-json", "requests"),
        (b"[]", "invalid-batch", "requests"),
        (b"null", "invalid-batch", "requests"),
        (b"{}", "invalid-batch", "no list"),
        (b'{"requests": {}}', "invalid-batch", "no list"),
        (b'{"requests": null}', "invalid-batch", "no list"),
        (b'{"requests": []}', "invalid-batch", "1 to 100"),
        (json.dumps({"requests": [RACE] * (MAX_ENTRIES + 1)}).encode(), "invalid-batch", "101 entries"),
        (b'{"requests": [{}], "format": "csv"}', "invalid-batch", "format"),
    ],
    ids=lambda value: value[:40].decode("ascii", "replace") if isinstance(value, bytes) else None,
)
def test_what_is_no_batch_is_refused_whole(web, body, slug, said):
    response = web.post(BATCH, content=body, headers={"content-type": "application/json"})
    assert said in is_problem(response, 400, slug)["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_another_type_of_body_is_not_supported(web, headers):
    response = web.post(BATCH, content=b'{"requests": []}', headers=headers)
    assert "Allowed" in is_problem(response, 415, "unsupported-media-type")["detail"]


def test_the_type_of_the_body_may_name_its_charset(web):
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert web.post(BATCH, content=json.dumps({"requests": [RACE]}), headers=headers).status_code == 200


def test_a_body_that_is_too_large_is_not_taken_and_the_connection_lives(web):
    content = b'{"requests": [{"dataspec": "' + b"R" * MAX_BODY_BYTES + b'"}]}'
    headers = {"content-type": "application/json"}
    is_problem(web.post(BATCH, content=content, headers=headers), 413, "request-too-large")
    chunks = (b"x" * 65536 for _ in range(100))
    is_problem(web.post(BATCH, content=chunks, headers=headers), 413, "request-too-large")
    assert replies(web, RACE)[0]["status"] == 200


@pytest.mark.parametrize("accept", ["text/html", "text/csv", "application/json;q=0"])
def test_a_batch_comes_as_json_or_lines_alone(web, accept):
    response = batch(web, RACE, headers={"accept": accept})
    assert "application/x-ndjson" in is_problem(response, 406, "not-acceptable")["allowed"]


def test_a_batch_takes_no_parameters_of_its_own(web):
    response = web.post(f"{BATCH}?format=json", json={"requests": [RACE]})
    is_problem(response, 400, "unknown-parameter")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_a_batch_is_posted(web, method):
    response = web.request(method, BATCH)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "accept", ["application/x-ndjson", "application/jsonl", "application/json;q=0.5, application/x-ndjson"]
)
def test_lines_carry_their_index_and_a_last_one_ends_them(web, accept):
    entries = [RACE, NOPE, LIVE]
    response = batch(web, *entries, headers={"accept": accept})
    assert response.headers["content-type"] in accept
    assert (response.headers["vary"], "content-length" in response.headers) == ("Accept, Accept-Encoding", False)
    found = lines(response)
    assert [found[index]["status"] for index in range(3)] == [200, 404, 200]
    whole = replies(web, *entries)
    assert [found[index]["body"] for index in range(3)] == [reply["body"] for reply in whole]


def test_a_line_comes_as_soon_as_it_is_ready(stuck):
    """The second entry is refused while the first one still opens JV-Link."""
    body = {"requests": [RACE, NOPE]}
    with stuck.stream("POST", BATCH, json=body, headers=LINES) as response:
        first = json.loads(next(response.iter_lines()))
        assert (first["index"], first["status"]) == (1, 404)
    wait_until(lambda: stuck.figure("jvgate_sessions", state="busy") == 0)


@pytest.mark.parametrize("coding", UNPACK)
def test_a_packed_line_can_be_read_as_soon_as_it_has_come(stuck, coding):
    headers = LINES | {"accept-encoding": coding}
    reader, texts = Reader(coding), [b""]
    with stuck.stream("POST", BATCH, json={"requests": [RACE, NOPE]}, headers=headers) as response:
        for piece in response.iter_raw():
            texts.append(reader.read(piece))
            if texts[-1].endswith(b"\n"):
                break
        first = json.loads(b"".join(texts))
        assert (first["index"], first["status"], reader.is_at_end()) == (1, 404, False)
    wait_until(lambda: stuck.figure("jvgate_sessions", state="busy") == 0)


def sent_packed(client, coding, *entries, unpack="", **headers):
    """The response to a batch as it comes over the wire, and what it says when it is unpacked."""
    given = {"accept-encoding": coding} | headers
    with client.stream("POST", BATCH, json={"requests": list(entries)}, headers=given) as response:
        return response, UNPACK[unpack or coding](b"".join(response.iter_raw()))


@pytest.mark.parametrize("coding", UNPACK)
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_a_batch_is_packed_as_the_client_likes_it(web, accept, coding):
    response, text = sent_packed(web, coding, RACE, NOPE, RACE, accept=accept)
    headers = ("content-type", "content-encoding", "vary", "content-length")
    told = (accept, coding, "Accept, Accept-Encoding", None)
    assert (response.status_code, *map(response.headers.get, headers)) == (200, *told)
    found = json.loads(text)["responses"] if accept == "application/json" else [*map(json.loads, text.splitlines())]
    assert sorted(reply["status"] for reply in found if "status" in reply) == [200, 200, 404]
    assert text.count(web.data().content) == 2


@pytest.mark.parametrize("levels", [{}, {"gzip": 1}])
def test_a_batch_is_packed_at_the_level_that_is_set(serve, folder, levels):
    server = serve(f"archive:{folder}?date=2026-11-18", compression_levels=levels)
    with server.stream("POST", BATCH, json={"requests": [RACE]}, headers={"accept-encoding": "gzip"}) as response:
        is_quickest = b"".join(response.iter_raw())[8] == 4  # RFC 1952, section 2.3: XFL
    assert is_quickest == bool(levels)


def test_a_tiny_document_is_not_packed(web):
    assert replies(web, NOPE, headers={"accept-encoding": "gzip"})[0]["status"] == 404


@pytest.mark.parametrize("coding", UNPACK)
def test_a_tiny_document_is_packed_for_whoever_takes_no_other(web, coding):
    response, text = sent_packed(web, f"{coding}, *;q=0", NOPE, unpack=coding)
    assert (response.headers["content-encoding"], len(json.loads(text)["responses"])) == (coding, 1)


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize("encoding", ["identity;q=0", "*;q=0", "identity;q=0, compress"])
def test_when_no_coding_is_accepted_nor_none_nothing_is_asked(web, accept, encoding):
    response = batch(web, RACE, headers={"accept": accept, "accept-encoding": encoding})
    document = is_problem(response, 406, "not-acceptable")
    assert (document["parameter"], document["allowed"]) == ("Accept-Encoding", "zstd, br, gzip, deflate, lz4, identity")


@pytest.mark.parametrize(
    "accept", [b"application/json", b"application/x-ndjson", b"application/x-ndjson\r\nAccept-Encoding: gzip"]
)
def test_a_client_that_leaves_ends_what_nobody_else_waits_for(stuck, accept):
    body = json.dumps({"requests": [RACE, LIVE]}).encode()
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: %b\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection((stuck.base_url.host, stuck.base_url.port)) as leaving:
        leaving.sendall(head % (BATCH.encode(), accept, len(body)) + body)
        wait_until(lambda: stuck.figure("jvgate_sessions", state="busy") == 2)
    wait_until(lambda: stuck.figure("jvgate_sessions", state="busy") == 0)


def test_a_client_that_leaves_within_its_body_hurts_nobody(web):
    head = f"POST {BATCH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    with socket.create_connection((web.base_url.host, web.base_url.port)) as leaving:
        leaving.sendall(head.encode() + b'{"requests": [')
    assert wait_until(lambda: web.figure("jvgate_requests_total", route=BATCH, status="499"))
    assert replies(web, RACE)[0]["status"] == 200


def test_what_takes_too_long_becomes_a_job_and_the_rest_does_not_wait_for_it(serve, folder):
    slow = serve(f"archive:{folder}?date=2026-11-18&open_ms=400", deadline_s=0.1)
    job, refused = replies(slow, RACE, NOPE)
    assert (job["status"], refused["status"]) == (202, 404)
    assert job["headers"]["location"] == job["body"]["href"]
    assert wait_until(lambda: slow.get(job["body"]["href"]).json()["state"] == "done")
    assert slow.get(f"{job['body']['href']}/result").json() == slow.data().json()


def test_few_datasets_of_a_batch_are_held_at_once_however_many_are_asked_for(serve, folder, monkeypatch):
    at_once, most, ask = Counter(), Counter(), Gateway.ask

    async def counted(gateway, question, **given):
        kind = question.queries[0].is_realtime
        at_once[kind] += 1
        most[kind] = max(most[kind], at_once[kind])
        try:
            return await ask(gateway, question, **given)
        finally:
            at_once[kind] -= 1

    monkeypatch.setattr(Gateway, "ask", counted)
    client = serve(f"archive:{folder}?date=2026-11-18&open_ms=50", sessions=2, prefetch=False)
    entries = [{"dataspec": "RACE", "from_time": f"202611{day:02}"} for day in range(1, 16)]
    live = [LIVE | {"fields": name} for name in ("RaceNum", "JyoCD", "Kaiji", "Nichiji", "Year", "MonthDay")]
    found = replies(client, *entries, *live * 2)
    assert {reply["status"] for reply in found} == {200}
    assert (most[False], most[True]) == (8, 12)


def test_a_batch_ends_by_one_deadline_however_many_entries_wait_for_their_turn(serve, folder):
    slow = serve(f"archive:{folder}?date=2026-11-18&open_ms=60000", sessions=1, deadline_s=0.2)
    began = time.monotonic()
    found = replies(slow, *[{"dataspec": "RACE", "from_time": f"202611{day:02}"} for day in range(1, 31)])
    assert {reply["status"] for reply in found} == {202}
    assert time.monotonic() - began < LIMIT_S / 2
    for reply in found:
        slow.delete(reply["body"]["href"])


def test_one_job_too_many_is_the_problem_of_its_entry(serve, folder):
    slow = serve(f"archive:{folder}?date=2026-11-18&open_ms=400", deadline_s=0.1, jobs=1)
    found = replies(slow, RACE, LIVE)
    assert sorted(reply["status"] for reply in found) == [202, 503]
    (busy,) = [reply for reply in found if reply["status"] == 503]
    assert int(busy["headers"]["retry-after"]) > 0
    is_refused(busy, 503, "session-busy")


def test_answers_beyond_the_limit_are_refused_one_by_one(serve, folder):
    small = serve(f"archive:{folder}?date=2026-11-18", batch_bytes=4096)
    fits, whole = RACE | {"limit": 0}, RACE
    assert len(small.data().content) > 4096
    found = replies(small, fits, whole, fits, NOPE)
    assert [reply["status"] for reply in found] == [200, 413, 200, 404]
    document = is_refused(found[1], 413, "batch-too-large")
    assert (document["limit_bytes"], document["instance"]) == (4096, "/api/v1/batch#/requests/1")
    for headers in (LINES, LINES | {"accept-encoding": "gzip"}):
        assert [reply["status"] for reply in lines(batch(small, fits, whole, headers=headers)).values()].count(413) == 1


def test_the_answers_share_the_limit(serve, folder):
    size = len(serve(f"archive:{folder}?date=2026-11-18").data(record="SE").content)
    small = serve(f"archive:{folder}?date=2026-11-18", batch_bytes=3 * size)
    found = replies(small, *[RACE | {"record": "SE"}] * 5)
    assert sorted(reply["status"] for reply in found) == [200] * 3 + [413] * 2


def test_an_entry_that_fails_unexpectedly_says_nothing_of_our_insides(web, monkeypatch):
    def fail(question, datasets):
        raise ZeroDivisionError("a secret of the house")

    replies(web, LIVE)
    monkeypatch.setattr("jvgate.gateway.answers.render", fail)
    broken, whole = replies(web, RACE | {"from_time": "20261009"}, LIVE)
    assert "secret" not in json.dumps(is_refused(broken, 500, "internal-error"))
    assert whole["status"] == 200


def test_many_batches_at_once_all_get_everything(web):
    entries = [RACE | {"offset": number} for number in range(10)]
    with ThreadPoolExecutor(8) as clients:
        found = list(clients.map(lambda _: replies(web, *entries), range(16), timeout=LIMIT_S))
    assert all([len(reply["body"]["data"]) for reply in each] == [6, 5, 4, 3, 2, 1, 0, 0, 0, 0] for each in found)


def test_a_body_that_does_not_come_to_its_end_is_not_waited_for(serve, folder):
    client = serve(f"archive:{folder}?date=2026-11-18", stream_stall_s=0.2)
    url = client.base_url
    with socket.create_connection((url.host, url.port), timeout=LIMIT_S) as connection:
        head = "Host: test\r\nContent-Type: application/json\r\nContent-Length: 100"
        connection.sendall(f"POST {BATCH} HTTP/1.1\r\n{head}\r\n\r\n{{".encode())
        with HTTPResponse(connection) as answer:
            answer.begin()
            assert (answer.status, json.load(answer)["type"]) == (408, "/problems/request-timeout")


def test_the_longest_batch_of_empty_answers_is_answered(web):
    found = replies(web, *[RACE | {"from_time": "20261117", "offset": number} for number in range(MAX_ENTRIES)])
    assert {reply["status"] for reply in found} == {200}
