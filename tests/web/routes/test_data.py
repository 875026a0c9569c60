"""`GET /api/v1/data/{dataspec}`: what is answered, under which headers, and how often JV-Link is opened for it."""

import asyncio
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from jvgate.gateway import answers
from jvgate.settings import Settings
from tests.raceday import RACE_KEY, archive, record
from tests.web.conftest import LIMIT_S, running

OPENS = "jvgate_source_opens_total"
CROWD = 1000


@pytest.fixture
def cold(serve, folder):
    """A server that has answered nothing yet."""
    return serve(f"archive:{folder}?date=2026-11-18")


def kinds(response):
    return [shown["RecordSpec"] for shown in response.json()["data"]]


def stages(response):
    return [stage.partition(";")[0] for stage in response.headers["server-timing"].split(", ")]


def test_a_race_comes_out_with_its_records(web):
    response = web.data()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert kinds(response) == ["RA", "SE", "SE", "SE", "HR", "O1"]
    assert response.json()["meta"]["record_counts"] == {"HR": 1, "O1": 1, "RA": 1, "SE": 3}


@pytest.mark.parametrize("key", [RACE_KEY, "2026111505050411"])
def test_real_time_data_is_asked_by_its_key(web, key):
    response = web.data("0B12", key=key)
    assert response.json()["meta"]["key"] == key
    assert kinds(response) == ["RA", "SE", "SE", "SE", "HR"]


def test_nothing_found_is_an_empty_answer(web):
    response = web.data(from_time="20261117")
    assert (response.status_code, response.json()["data"]) == (200, [])


@pytest.mark.parametrize(
    ("from_time", "to_time", "found"),
    [
        ("20261116135959", "20261116140000", True),
        ("20261116140000", None, False),
        ("20261101", "20261116135959", False),
    ],
)
def test_a_file_is_found_from_after_the_start_up_to_the_end(web, from_time, to_time, found):
    parameters = {"from_time": from_time} | ({"to_time": to_time} if to_time else {})
    assert bool(web.data(**parameters).json()["data"]) is found


def test_a_joined_data_spec_is_taken_apart_and_opened_one_by_one(cold):
    assert kinds(cold.data("RACEDIFN"))[-1] == "UM"
    assert [cold.figure(OPENS, dataspec=spec) for spec in ("RACE", "DIFN", "RACEDIFN")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("query", "same_as"),
    [
        ("from_time=2026%31101", "from_time=20261101"),
        ("from_time=20261101&record=RA%2CSE", "from_time=20261101&record=SE&record=RA"),
        ("from_time=20261101&", "from_time=20261101"),
        ("from_time=20261101&option=1&raw=0&offset=0", "from_time=20261101"),
        ("limit=2&from_time=20261101", "from_time=20261101000000&limit=2"),
    ],
)
def test_another_spelling_of_the_question_is_the_same_representation(web, query, same_as):
    one, other = (web.get(f"/api/v1/data/RACE?{text}") for text in (query, same_as))
    assert one.status_code == other.status_code == 200
    assert one.headers["etag"] == other.headers["etag"]


def test_the_second_request_comes_from_memory_with_the_same_bytes(cold):
    first, second = cold.data(), cold.data()
    assert first.headers["cache-status"].startswith("jvgate; fwd=miss; ttl=")
    assert second.headers["cache-status"].startswith("jvgate; hit; ttl=")
    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])
    assert cold.figure(OPENS) == 1
    assert cold.figure("jvgate_cache_requests_total", tier="l1", result="hit") == 1


def test_another_form_is_made_from_the_raw_records_in_memory(cold):
    cold.data()
    other = cold.data(fields="RaceNum")
    assert other.headers["cache-status"].startswith("jvgate; hit; detail=dataset; ttl=")
    assert cold.figure(OPENS) == 1


def test_a_refresh_reads_again_but_not_at_once(cold, monkeypatch):
    insist = {"cache-control": "no-cache"}
    cold.data()
    assert cold.data(headers=insist).headers["cache-status"].startswith("jvgate; hit")
    monkeypatch.setattr(answers, "REFRESH_AFTER_S", 0.0)
    assert cold.data(headers=insist).headers["cache-status"].startswith("jvgate; fwd=request")
    assert cold.figure(OPENS) == 2


def test_the_headers_of_a_miss_and_of_a_hit_are_complete(cold):
    for response in (cold.data(), cold.data()):
        headers = response.headers
        assert re.fullmatch(r'"[0-9a-f]{32}"', headers["etag"])
        assert headers["vary"] == "Accept, Accept-Encoding"
        windows = r"max-age=\d+, stale-while-revalidate=3600, stale-if-error=604800"
        assert re.fullmatch(windows, headers["cache-control"])
        assert 0 <= int(headers["age"]) < 60
        ttl_s = int(re.search(r"ttl=(\d+)", headers["cache-status"])[1])
        assert max_age(response) - 60 < ttl_s <= max_age(response)
        assert int(headers["content-length"]) == len(response.content)
        assert headers["x-request-id"]


def test_the_lifetime_is_what_the_content_says(web):
    """A race long over does not change any more; that there is nothing yet holds for half a minute."""
    over, nothing_yet = web.data("0B12", key=RACE_KEY), web.data(from_time="20261117")
    assert 80_000 < max_age(over) <= 86_400
    assert 25 < max_age(nothing_yet) <= 30


def max_age(response):
    return int(re.match(r"max-age=(\d+)", response.headers["cache-control"])[1])


def test_server_timing_tells_every_stage_of_a_miss_and_the_edge_alone_of_a_hit(cold):
    assert stages(cold.data()) == ["l1", "wait", "open", "read", "decode", "render"]
    assert stages(cold.data()) == ["edge"]


def test_an_older_data_spec_links_to_its_successor_and_still_decodes(web):
    response = web.data("DIFF")
    assert response.headers["link"] == '</api/v1/data/DIFN>; rel="successor-version"'
    assert [horse["Bamei"] for horse in response.json()["data"]] == [None, "アイ"]
    assert "link" not in web.data("DIFN").headers


@pytest.mark.parametrize("how", ["{etag}", "W/{etag}", '"x", {etag}', '"x",W/{etag}', "*"])
def test_what_the_client_has_already_is_not_sent_again(web, how):
    first = web.data()
    for _ in range(2):  # from the route and from the edge
        again = web.data(headers={"if-none-match": how.format(etag=first.headers["etag"])})
        assert (again.status_code, again.content) == (304, b"")
        assert all(again.headers[name] == first.headers[name] for name in ("etag", "cache-control", "vary"))
        assert "age" in again.headers
        assert "content-type" not in again.headers


@pytest.mark.parametrize("tag", ['"0"', "", "etag", '"x", "y"', "W/"])
def test_what_the_client_does_not_have_is_sent(web, tag):
    assert web.data(headers={"if-none-match": tag}).status_code == 200


@pytest.mark.parametrize("place", ["first", "second"])
def test_a_tag_counts_in_whichever_header_line_it_stands(cold, place):
    """Lines of one name are one list (RFC 9110, section 5.3), for the edge as for the route."""
    etag = cold.data(limit="1").headers["etag"]
    tags = [etag, '"x"'] if place == "first" else ['"x"', etag]
    headers = [("if-none-match", tag) for tag in tags]
    by_edge = cold.data(limit="1", headers=headers)
    by_route = cold.data(headers=[*headers, ("cache-control", "no-cache")], limit="1")
    assert (by_edge.status_code, by_route.status_code) == (304, 304)


@pytest.mark.parametrize("accepts", [["text/csv", "application/json"], ["application/json", "text/csv"]])
def test_a_form_counts_in_whichever_header_line_it_stands(web, accepts):
    assert web.data(headers=[("accept", accept) for accept in accepts]).status_code == 200


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/*;q=0.1", "text/csv, application/json;q=0.2", "", "json"]
)
def test_json_goes_to_all_who_accept_it(web, accept):
    assert web.data(headers={"accept": accept}).status_code == 200


def test_the_format_parameter_wins_over_accept(web):
    assert web.data(format="json", headers={"accept": "text/csv"}).status_code == 200


def test_an_answer_kept_for_one_client_does_not_go_to_another_who_refuses_it(web):
    web.data()
    assert web.data(headers={"accept": "application/json;q=0"}).status_code == 406
    assert web.data().status_code == 200


def test_head_has_the_headers_of_get_and_no_content(cold):
    before, got, after = cold.data(method="HEAD"), cold.data(), cold.data(method="HEAD")
    for head in (before, after):
        assert (head.status_code, head.content) == (200, b"")
        assert all(head.headers[name] == got.headers[name] for name in ("etag", "content-length", "content-type"))


def test_head_of_what_the_client_has_is_304(web):
    etag = web.data().headers["etag"]
    assert web.data(method="HEAD", headers={"if-none-match": etag}).status_code == 304


def test_head_of_a_problem_has_its_status_and_no_content(web):
    response = web.data("NOPE", method="HEAD")
    assert (response.status_code, response.content) == (404, b"")


def test_a_request_id_comes_back(web):
    for _ in range(2):
        assert web.data(headers={"x-request-id": "mine-1.2_3"}).headers["x-request-id"] == "mine-1.2_3"


@pytest.mark.parametrize("given", ["with space", "x" * 65, "", "semi;colon", '"quoted"'])
def test_a_request_id_that_could_do_harm_is_replaced(web, given):
    made = [web.data(headers={"x-request-id": given}).headers["x-request-id"] for _ in range(2)]
    assert given not in made
    assert len(set(made)) == 2


def test_labels_fields_and_raw_come_through(web):
    assert web.data(record="RA", fields="JyoCD", labels="ja").json()["data"] == [
        {"JyoCD": "05", "JyoCDLabel": "東京競馬場"}
    ]
    assert web.data(record="RA", fields="RaceNum", raw="1").json()["data"] == [{"RaceNum": "11"}]


def get(target=b"/api/v1/data/RACE?from_time=20261101", *lines, version=b"1.1"):
    return b"\r\n".join([b"GET " + target + b" HTTP/" + version, b"Host: x", *lines, b"", b""])


CLOSE = b"Connection: close"
HIT, MISS, LOST = b"/api/v1/data/RACE?from_time=20261101", b"/api/v1/data/RACE?from_time=20261102", b"/nope"


@pytest.mark.parametrize(
    "targets", [[HIT, HIT], [HIT, MISS, HIT], [MISS, HIT, LOST, HIT], [LOST, HIT, MISS], [HIT] * 50, [MISS, MISS, MISS]]
)
def test_requests_sent_without_waiting_are_answered_in_their_order(cold, targets):
    """Whether an answer is at hand or has to be read first."""
    alone = {target: cold.send_bytes(get(target, CLOSE))[2] for target in {HIT, LOST}}
    requests = [get(target) for target in targets[:-1]] + [get(targets[-1], CLOSE)]
    whole = b"HTTP/1.1 " + cold.send_bytes(b"".join(requests))[2]
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", whole)]
    assert len(alone[HIT]) > len(alone[LOST])
    assert statuses[-len(targets) + 1 :] == [404 if target == LOST else 200 for target in targets[1:]]


@pytest.mark.parametrize("extra", [b"", b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n0"])
def test_a_body_that_nobody_asked_for_does_not_become_the_next_request(cold, extra):
    cold.data()
    status, _, answers = cold.send_bytes(get(HIT, *([extra] if extra else [])) + get(LOST, CLOSE))
    assert (status, answers.count(b"HTTP/1.1 404")) == (200, 1)


@pytest.mark.parametrize("lines", [[CLOSE], [b"Cache-Control: max-age=0"], [b'If-None-Match: "x"'], [b"Accept: */*"]])
def test_a_hit_looks_the_same_on_every_way_out(cold, lines):
    """However it is asked for: names and fixed values of the headers, and the body."""
    cold.data()
    fast = cold.data()
    _, head, body = cold.send_bytes(get(HIT, *lines, *([] if CLOSE in lines else [CLOSE])))
    slow = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert body == fast.content
    assert {name.decode() for name in slow} - {"connection"} == set(fast.headers)
    for name in ("content-type", "content-length", "etag", "cache-control", "vary"):
        assert slow[name.encode()].decode() == fast.headers[name].lower()


async def crowd(client, count, path="/api/v1/data/RACE?from_time=20261101"):
    """Ask *count* times at once, each on a connection of its own; return the bodies of the 200 answers."""

    async def ask():
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 200"), head
        return body

    return await asyncio.gather(*(ask() for _ in range(count)))


@pytest.fixture
def many_files():
    """Room for both ends of a thousand connections."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * CROWD
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"only {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_at_once_on_a_cold_cache_open_jvlink_once_and_all_get_the_right_answer(serve, folder):
    slow = serve(f"archive:{folder}?date=2026-11-18&open_ms=200")
    bodies = asyncio.run(crowd(slow, CROWD))
    assert len(bodies) == CROWD
    assert len(set(bodies)) == 1
    assert json.loads(bodies[0])["meta"]["total"] == 6
    assert slow.figure(OPENS, dataspec="RACE") == 1
    assert slow.figure("jvgate_requests_total", status="200", route="/api/v1/data/{dataspec}") == CROWD


def test_many_who_share_one_read_count_its_stages_once(serve, folder):
    slow = serve(f"archive:{folder}?date=2026-11-18&open_ms=200")
    asyncio.run(crowd(slow, 20))
    assert slow.figure("jvgate_stage_seconds_count", stage="open") == slow.figure(OPENS) == 1


def test_a_client_that_leaves_leaves_its_answer_to_the_others(serve, folder):
    slow = serve(f"archive:{folder}?date=2026-11-18&open_ms=300")
    with ThreadPoolExecutor(1) as other, socket.create_connection((slow.base_url.host, slow.base_url.port)) as leaving:
        staying = other.submit(slow.data)
        leaving.sendall(b"GET /api/v1/data/RACE?from_time=20261101 HTTP/1.1\r\nHost: x\r\n\r\n")
        while not slow.figure(OPENS):
            assert not staying.done()
        leaving.close()
        assert staying.result(LIMIT_S).status_code == 200
    assert slow.figure(OPENS) == 1


def test_new_files_appear_with_a_refresh(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "REFRESH_AFTER_S", 0.0)
    archive(tmp_path, record("RA"), name="RA20261116140000.jvd")
    with running(Settings(source=f"archive:{tmp_path}")) as client:
        assert kinds(client.data()) == ["RA"]
        archive(tmp_path, record("HR"), name="HR20261116150000.jvd")
        assert kinds(client.data()) == ["RA"]
        assert kinds(client.data(headers={"cache-control": "no-cache"})) == ["RA", "HR"]
        assert kinds(client.data()) == ["RA", "HR"]
