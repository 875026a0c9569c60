"""`/api/v1/jobs`: what takes longer than a client wants to wait for goes on, and can be asked after."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from tests.raceday import FILE_NAME, archive, race_day, record
from tests.waiting import wait_until
from tests.web.conftest import Client
from tests.web.test_bad_input import is_problem
from tests.web.wire import UNPACK, ask

OPENS = "jvgate_source_opens_total"
JOBS = "/api/v1/jobs"
ASYNC = "respond-async"
SHORT_MS, LONG_MS = 200, 60_000
DAYS = (date(2026, 7, 1) + timedelta(days=number) for number in count())


@dataclass
class Asked:
    """A question that no other test asks: what comes of it, and how often JV-Link was opened since."""

    client: Client
    opened: int
    from_time: str = field(default_factory=lambda: next(DAYS).strftime("%Y%m%d"))

    def data(self, prefer=None, **given):
        headers = {} if prefer is None else {"prefer": prefer}
        return self.client.data(**{"from_time": self.from_time, "headers": headers} | given)

    @property
    def opens(self):
        return self.client.figure(OPENS) - self.opened

    @property
    def jobs(self):
        return [job for job in self.client.get(JOBS).json() if self.from_time in job["question"]]


@pytest.fixture(scope="module")
def slow(serve, folder):
    """A server whose every open takes a moment."""
    return serve(f"archive:{folder}?date=2026-11-18&open_ms={SHORT_MS}", sessions=2, prefetch=False)


@pytest.fixture
def asked(slow):
    wait_until(lambda: slow.figure("jvgate_sessions", state="idle") == 2)  # what another test began is read to its end
    return Asked(slow, slow.figure(OPENS))


@pytest.fixture(scope="module")
def stuck(serve, folder):
    """A server whose one session opens for a minute: what it reads is not done while a test lasts."""
    return serve(f"archive:{folder}?date=2026-11-18&open_ms={LONG_MS}", sessions=1)


def accepted(response):
    """Whether *response* is a whole 202; returns where its job is."""
    assert (response.status_code, response.headers["cache-control"]) == (202, "no-store")
    assert int(response.headers["retry-after"]) > 0
    assert response.headers["location"] == response.json()["href"]
    return response.headers["location"]


def ended(client, job):
    """The job once it runs no more."""
    return wait_until(lambda: (shown := client.get(job).json())["state"] != "running" and shown)


@pytest.mark.parametrize("begun", ["identity", *UNPACK])
def test_a_result_comes_in_the_coding_of_who_comes_for_it(asked, begun):
    client = asked.client
    url = f"/api/v1/data/RACE?from_time={asked.from_time}"
    _, told = ask(client, url, prefer=ASYNC, accept_encoding=begun)
    result = ended(client, json.loads(told)["href"])["result"]
    whole = ask(client, url)[1]
    for coding in ("identity", *UNPACK, "identity;q=0, gzip"):
        response, content = ask(client, result, accept_encoding=coding)
        known = coding.rpartition(" ")[2]
        assert response.headers.get("content-encoding", "identity") == known
        assert UNPACK.get(known, bytes)(content) == whole
        assert response.headers["etag"] == ask(client, url, accept_encoding=coding)[0].headers["etag"]
    assert ask(client, result, accept_encoding="identity;q=0")[0].status_code == 406


def test_who_prefers_not_to_wait_gets_a_job_with_the_same_answer_as_data(asked):
    client, job = asked.client, accepted(asked.data(ASYNC))
    shown = ended(client, job)
    assert (shown["state"], shown["result"]) == ("done", f"{job}/result")
    result, data = client.get(shown["result"]), asked.data()
    assert (result.status_code, result.content) == (200, data.content)
    assert all(result.headers[name] == data.headers[name] for name in ("etag", "content-type", "cache-control", "vary"))
    assert asked.opens == 1


def test_a_result_that_the_client_has_is_not_sent_again(asked):
    job = accepted(asked.data(ASYNC))
    ended(asked.client, job)
    etag = asked.data().headers["etag"]
    assert asked.client.get(f"{job}/result", headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize(
    ("prefer", "status"),
    [
        ("respond-async, wait=20", 200),
        ("wait=20, respond-async", 200),
        ('respond-async, wait = "20"', 200),
        ("respond-async, wait=0", 202),
        ("RESPOND-ASYNC", 202),
        ("respond-async, wait=soon", 202),
        ("wait=0", 200),
        ("return=minimal", 200),
        ("", 200),
    ],
)
def test_the_client_says_how_long_it_wants_to_wait(asked, prefer, status):
    assert asked.data(prefer).status_code == status


def test_preferences_count_in_whichever_header_line_they_stand(asked):
    assert asked.data(headers=[("prefer", "respond-async"), ("prefer", "wait=20")]).status_code == 200


def test_what_is_in_memory_is_answered_at_once_in_spite_of_the_preference(asked):
    asked.data()
    response = asked.data(ASYNC)
    assert (response.status_code, response.headers["cache-status"][:12]) == (200, "jvgate; hit;")
    assert asked.jobs == []


@pytest.mark.parametrize("prefer", [None, "respond-async, wait=3600"])
def test_what_outlasts_the_deadline_becomes_a_job_whatever_the_client_prefers(serve, folder, prefer):
    client = serve(f"archive:{folder}?date=2026-11-18&open_ms={SHORT_MS}", sessions=1, deadline_s=0.05)
    asked = Asked(client, 0)
    job = accepted(asked.data(prefer))
    assert ended(client, job)["state"] == "done"
    assert client.get(f"{job}/result").content == asked.data().content


def test_a_running_job_tells_how_long_it_runs_and_its_result_is_not_there_yet(stuck):
    job = accepted(Asked(stuck, 0, "20261101").data(ASYNC))
    response = stuck.get(job)
    shown = response.json()
    assert (shown["state"], shown["question"].split("|")[1]) == ("running", "jra:RACE:20261101000000-:1")
    assert (shown["elapsed_s"] >= 0, shown["eta_s"], "result" in shown) == (True, None, False)
    assert int(response.headers["retry-after"]) > 0
    assert accepted(stuck.get(f"{job}/result")) == job
    stuck.delete(job)


def test_progress_and_the_time_left_are_told_while_records_are_read(serve):
    client = serve("demo:?date=2026-11-18&read_us=2000", sessions=1)
    job = accepted(Asked(client, 0, "20261112").data(ASYNC))
    shown = wait_until(lambda: (now := client.get(job).json())["progress"] and now["progress"][0]["files_read"] and now)
    reads = shown["progress"][0]
    assert 0 < reads["files_read"] <= reads["files"]
    assert reads["records_read"] > 0
    assert shown["eta_s"] > 0


def test_equal_questions_are_one_job_and_one_open(asked):
    jobs = {accepted(asked.data(ASYNC)) for _ in range(5)}
    assert len(jobs) == len(asked.jobs) == 1
    with ThreadPoolExecutor(4) as crowd:
        assert {one.status_code for one in crowd.map(lambda _: asked.data(), range(4))} == {200}
    ended(asked.client, jobs.pop())
    assert asked.opens == 1


def test_different_questions_are_different_jobs(slow):
    questions = [Asked(slow, 0) for _ in range(3)]
    jobs = [accepted(question.data(ASYNC)) for question in questions]
    assert [[job["href"] for job in question.jobs] for question in questions] == [[job] for job in jobs]
    assert len(set(jobs)) == 3


def test_a_job_survives_its_client(asked):
    lines = [f"GET /api/v1/data/RACE?from_time={asked.from_time} HTTP/1.1", "Host: x", "Prefer: respond-async"]
    status, _, body = asked.client.send_bytes("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    assert status == 202
    assert ended(asked.client, json.loads(body)["href"])["state"] == "done"


def test_a_cancelled_job_is_gone_and_its_session_free(stuck):
    job = accepted(Asked(stuck, 0).data(ASYNC))
    assert stuck.delete(job).status_code == 204
    for url in (job, f"{job}/result"):
        is_problem(stuck.get(url), 404, "unknown-job")
    assert stuck.get(JOBS).json() == []
    wait_until(lambda: stuck.figure("jvgate_sessions", state="idle"))


def test_a_job_cancelled_in_the_midst_of_its_open_frees_the_session_too(stuck):
    job = accepted(Asked(stuck, 0).data(ASYNC))
    wait_until(lambda: stuck.get("/api/v1/sessions").json()["sessions"][0]["doing"] == "JVOpen")
    stuck.delete(job)
    wait_until(lambda: stuck.figure("jvgate_sessions", state="idle"))


def test_cancelling_a_job_leaves_its_answer_to_the_others(asked):
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(asked.data)
        wait_until(lambda: asked.opens)
        asked.client.delete(accepted(asked.data(ASYNC)))
        assert waiting.result().status_code == 200
    assert asked.opens == 1


def test_deleting_an_ended_job_throws_its_result_away_but_not_the_data(asked):
    job = accepted(asked.data(ASYNC))
    ended(asked.client, job)
    assert asked.client.delete(job).status_code == 204
    is_problem(asked.client.get(job), 404, "unknown-job")
    assert asked.data().headers["cache-status"].startswith("jvgate; hit")


def test_a_failed_job_shows_its_problem_and_gives_it_as_its_result(serve, tmp_path):
    archive(tmp_path, *race_day(), record("SE")[:300])
    client = serve(f"archive:{tmp_path}?open_ms=20", sessions=1)
    job = accepted(Asked(client, 0).data(ASYNC))
    shown = ended(client, job)
    assert (shown["state"], "result" in shown) == ("failed", False)
    result = is_problem(client.get(f"{job}/result"), 502, "downloaded-file-corrupt")
    for problem in (shown["problem"], result):
        assert FILE_NAME in problem["detail"]
        assert problem["jvlink"]["code"] == -403


def test_one_job_too_many_is_told_its_place_and_to_come_again(serve, folder):
    client = serve(f"archive:{folder}?open_ms={LONG_MS}", sessions=1, jobs=1)
    first, second = Asked(client, 0), Asked(client, 0)
    job = accepted(first.data(ASYNC))
    response = second.data(ASYNC)
    assert is_problem(response, 503, "session-busy")["place"] == 2
    assert int(response.headers["retry-after"]) > 0
    assert accepted(first.data(ASYNC)) == job  # it runs already


def test_results_are_forgotten_after_their_time(serve, folder):
    client = serve(f"archive:{folder}?date=2026-11-18&open_ms=20", sessions=1, job_keep_s=0.2)
    asked = Asked(client, 0)
    job = accepted(asked.data(ASYNC))
    wait_until(lambda: client.get(job).status_code == 404)
    is_problem(client.get(f"{job}/result"), 404, "unknown-job")
    assert asked.data().headers["cache-status"].startswith("jvgate; hit")


def test_a_result_that_was_dropped_for_want_of_room_is_gone_and_the_other_one_kept(serve, folder):
    client = serve(f"archive:{folder}?date=2026-11-18&open_ms=20", sessions=1, job_bytes=1024)
    questions = [Asked(client, 0), Asked(client, 0)]
    jobs = [accepted(asked.data(ASYNC)) for asked in questions]
    wait_until(lambda: not client.figure("jvgate_jobs", state="running") and len(client.get(JOBS).json()) == 1)
    (gone,) = [job for job in jobs if client.get(job).status_code != 200]
    for method, url in (("GET", gone), ("GET", f"{gone}/result"), ("DELETE", gone)):
        document = is_problem(client.request(method, url), 410, "job-evicted")
        assert "JVGATE_JOB_BYTES" in document["detail"]
        assert document["allowed"] == "ask the question again"
    (kept,) = set(jobs) - {gone}
    assert client.get(f"{kept}/result").status_code == 200
    assert questions[jobs.index(gone)].data().status_code == 200


def test_a_job_tells_until_when_its_result_is_kept(serve, folder):
    client = serve(f"archive:{folder}?date=2026-11-18&open_ms={SHORT_MS}", sessions=1, job_keep_s=600)
    response = Asked(client, 0).data(ASYNC)
    assert "kept_until" not in response.json()
    shown = ended(client, accepted(response))
    left = datetime.fromisoformat(shown["kept_until"]) - datetime.now(UTC)
    assert timedelta(seconds=540) < left <= timedelta(seconds=600)


def test_an_equal_question_after_the_end_is_another_job_with_another_id(asked):
    job = accepted(asked.data(ASYNC))
    ended(asked.client, job)
    asked.client.delete("/api/v1/cache?dataspec=RACE")
    again = accepted(asked.data(ASYNC))
    ended(asked.client, again)
    assert job != again
    assert [asked.client.get(f"{one}/result").status_code for one in (job, again)] == [200, 200]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("job_id", ["0", "nonsense", "0" * 16, "%00", "..%2F..", "ジョブ", "a" * 5000])
def test_unknown_jobs_are_problems(web, method, job_id):
    document = is_problem(
        web.request(method, f"{JOBS}/{job_id}"), 404, "not-found" if "%2F" in job_id else "unknown-job"
    )
    assert len(document["detail"]) < 6000


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/x", f"{JOBS}/x/result"])
def test_head_is_answered_as_get_is(web, path):
    head, got = web.head(path), web.get(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("path", "allowed", "methods"),
    [
        (JOBS, "GET, HEAD", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
        (f"{JOBS}/x", "GET, HEAD, DELETE", ["POST", "PUT", "PATCH", "OPTIONS"]),
        (f"{JOBS}/x/result", "GET, HEAD", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    ],
)
def test_other_methods_are_problems_that_name_the_right_ones(web, path, allowed, methods):
    for method in methods:
        response = web.request(method, path)
        assert allowed in is_problem(response, 405, "method-not-allowed")["detail"]
        assert response.headers["allow"] == allowed


def test_every_route_of_jobs_is_described(web):
    paths = web.get("/openapi.json").json()["paths"]
    described = {path: list(methods) for path, methods in paths.items() if path.startswith(JOBS)}
    assert described == {JOBS: ["get"], f"{JOBS}/{{job_id}}": ["get", "delete"], f"{JOBS}/{{job_id}}/result": ["get"]}
