"""`/api/v1/silks` and `/api/v1/courses/{key}`: pictures, their headers, and how often JV-Link is asked for them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.waiting import wait_until
from tests.web.offering import GIF, offering
from tests.web.test_bad_input import is_problem

SILKS = "/api/v1/silks"
TOKYO = "/api/v1/courses/9999999905240011"
NOWHERE = "/api/v1/courses/9999999905240012"


@pytest.fixture(scope="module")
def demo(serve):
    return serve("demo:?date=2026-11-18")


@pytest.fixture(scope="module")
def offered(tmp_path_factory):
    """A server on a JV-Link that has pictures, and what that was asked for."""
    with offering(tmp_path_factory.mktemp("pictures")) as served:
        yield served


def silks(client, pattern="水色，赤山形一本輪，水色袖", **given):
    return client.get(SILKS, params={"pattern": pattern}, **given)


def test_silks_come_as_a_bitmap_of_50_by_50(demo):
    response = silks(demo)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/bmp")
    assert response.content[:2] == b"BM"
    assert [int.from_bytes(response.content[at : at + 4], "little") for at in (18, 22)] == [50, 50]


def test_the_silks_of_every_runner_are_drawn(demo):
    runners = demo.data(from_time="20261112", record="SE", fields="Fukusyoku", limit="40").json()["data"]
    described = {runner["Fukusyoku"] for runner in runners}
    assert len(described) > 20
    assert {silks(demo, pattern).status_code for pattern in described} == {200}


def test_a_picture_is_kept_for_a_day_and_asked_for_once(demo):
    first, second = (silks(demo, "黒，赤十字襷，黄袖") for _ in range(2))
    assert first.headers["cache-control"] == second.headers["cache-control"] == "max-age=86400"
    assert first.headers["cache-status"].startswith("jvgate; fwd=miss; ttl=")
    assert second.headers["cache-status"].startswith("jvgate; hit; ttl=")
    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])


@pytest.mark.parametrize("how", ["{etag}", "W/{etag}", '"x", {etag}', "*"])
def test_a_picture_that_the_client_has_is_not_sent_again(demo, how):
    etag = silks(demo).headers["etag"]
    again = silks(demo, headers={"if-none-match": how.format(etag=etag)})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize("filled", ["水色，赤山形一本輪，水色袖\u3000\u3000", " 水色，赤山形一本輪，水色袖"])
def test_what_a_record_is_filled_up_with_describes_nothing(demo, filled):
    assert silks(demo, filled).headers["etag"] == silks(demo).headers["etag"]


def test_silks_that_nobody_knows_are_a_problem_and_no_picture(demo):
    is_problem(silks(demo, "なし"), 404, "no-picture")


def test_head_has_the_headers_of_the_picture(demo):
    head, got = demo.head(SILKS, params={"pattern": "白，赤縦縞，白袖"}), silks(demo, "白，赤縦縞，白袖")
    assert (head.status_code, head.content) == (200, b"")
    assert all(head.headers[name] == got.headers[name] for name in ("etag", "content-length", "content-type"))


@pytest.mark.parametrize(
    ("url", "lacking"),
    [(f"{SILKS}?pattern=白", "silks"), (TOKYO, "pictures of courses"), (f"{TOKYO}/image", "pictures of courses")],
)
def test_a_source_without_pictures_says_so(web, url, lacking):
    assert lacking in is_problem(web.get(url), 501, "not-offered")["detail"]


def test_a_course_is_explained_and_leads_to_its_picture(offered):
    client, _ = offered
    about = client.get(TOKYO).json()
    assert about == {"key": TOKYO[-16:], "found": True, "explanation": "左回り", "image": f"{TOKYO}/image"}
    picture = client.get(about["image"])
    assert (picture.status_code, picture.headers["content-type"], picture.content) == (200, "image/gif", GIF)


def test_explanation_and_picture_of_a_course_are_one_call(offered):
    client, offer = offered
    urls = ["/api/v1/courses/2026111505240011", "/api/v1/courses/2026111505240011/image"]
    etags = {client.get(url).headers["etag"] for url in urls * 3}
    assert len(etags) == 2
    assert offer.calls.count(("JVCourseFile", "2026111505240011")) == 1


def test_a_course_without_a_picture_says_so(offered):
    client, _ = offered
    response = client.get(NOWHERE)
    assert response.json() == {"key": NOWHERE[-16:], "found": False, "explanation": "", "image": None}
    assert response.headers["cache-control"] == "max-age=600"
    is_problem(client.get(f"{NOWHERE}/image"), 404, "no-picture")


def test_many_who_want_the_same_picture_make_one_call(tmp_path):
    with offering(tmp_path) as (client, offer), ThreadPoolExecutor(8) as crowd:
        offer.gate.clear()
        asked = [crowd.submit(client.get, f"{TOKYO}/image") for _ in range(8)]
        wait_until(lambda: offer.calls)
        offer.gate.set()
        assert {one.result().content for one in asked} == {GIF}
        assert len(offer.calls) == 1


def test_a_call_past_the_deadline_is_told_to_come_again_and_there_the_next_time(tmp_path):
    with offering(tmp_path, deadline_s=0.1) as (client, offer):
        offer.gate.clear()
        response = client.get(TOKYO)
        is_problem(response, 504, "jvlink-timeout")
        assert int(response.headers["retry-after"]) > 0
        offer.gate.set()
        wait_until(lambda: client.get(TOKYO).status_code == 200)
        assert len(offer.calls) == 1
