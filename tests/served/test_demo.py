"""The real command, serving the generated season: what a newcomer sees within a minute."""

import json
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.served.processes import COMMAND, serving
from tests.specs import JRA

pytestmark = pytest.mark.xdist_group("demo")  # one server, and one season in it

LIMIT_S = 200
TODAY, FRIDAY, SUNDAY = "2026-11-18", "20261113", "20261115"
SINCE = {"COMM": "20260101", "BLDN": "20261001", "BLOD": "20261001", "RCVN": "20261101", "RCOV": "20261101"}
COURSE_CHANGE = "20260809"  # a rare event: the last one of seed 1 before TODAY
STORED = [spec for spec in JRA.dataspecs.values() if not spec.is_realtime]
REAL_TIME = [spec for spec in JRA.dataspecs.values() if spec.is_realtime]


def demo_at(parameters):
    """Serve the generated season.

    It is generated while it is read, which takes long on a busy machine: one session alone, so that it is done once.
    """
    return serving(f"demo:?{parameters}", "--sessions", "1", "--deadline-s", str(LIMIT_S), limit_s=LIMIT_S)


@pytest.fixture(scope="module")
def demo():
    with demo_at(f"date={TODAY}") as (_, client):
        yield client


def get(client, dataspec, **parameters):
    response = client.get(f"/api/v1/data/{dataspec}", params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def is_sound(answer, spec):
    """Whether nothing was lost on the way and nothing came that the data spec does not deliver."""
    meta = answer["meta"]
    losses = [meta[name] for name in ("damaged_records", "damaged_fields", "padded_records", "lost_bytes")]
    assert (losses, meta["unknown_record_counts"]) == ([0] * 4, {})
    assert set(meta["record_counts"]) <= set(spec.record_types)
    return bool(meta["record_counts"])


def test_the_last_weekend_has_its_races_runners_payouts_and_odds(demo):
    answer = get(demo, "RACE", from_time=FRIDAY, record="RA,SE,HR,O1,O6", fields="RaceNum,MonthDay,Bamei,KakuteiJyuni")
    counts = answer["meta"]["record_counts"]
    assert counts["RA"] == counts["HR"] == counts["O1"] == counts["O6"] >= 24
    assert counts["SE"] > 5 * counts["RA"]
    assert {shown["MonthDay"] for shown in answer["data"]} == {"11-14", "11-15"}
    assert any(shown.get("KakuteiJyuni") == 1 and shown["Bamei"] for shown in answer["data"])


def test_the_second_request_comes_from_memory(demo):
    path = f"/api/v1/data/YSCH?from_time={FRIDAY}"
    first, second = demo.get(path), demo.get(path)
    assert "hit" in second.headers["cache-status"]
    assert first.content == second.content


@pytest.mark.parametrize("spec", STORED, ids=lambda spec: spec.id)
def test_every_stored_data_spec_brings_its_records_sound(demo, spec):
    assert is_sound(get(demo, spec.id, from_time=SINCE.get(spec.id, FRIDAY)), spec)


@pytest.mark.parametrize("spec", [spec for spec in REAL_TIME if spec.id != "0B16"], ids=lambda spec: spec.id)
def test_every_real_time_data_spec_tells_of_last_sunday_sound(demo, spec):
    key = SUNDAY if "YYYYMMDD" in spec.key_forms else f"{SUNDAY}0511"
    answer = get(demo, spec.id, key=key)
    assert is_sound(answer, spec)
    counts = answer["meta"]["record_counts"]
    for record, count in counts.items() if len(counts) > 1 else ():
        demo.delete(f"/api/v1/cache?dataspec={spec.id}")
        assert get(demo, spec.id, key=key, record=record, limit=1)["meta"]["record_counts"] == {record: count}


def test_every_announcement_of_the_day_can_be_asked_for_by_its_event(demo):
    for told in get(demo, "0B14", key=SUNDAY)["data"]:
        place = f"{told['Year']}{told['MonthDay'].replace('-', '')}{told['JyoCD']}{told.get('RaceNum', 0):02}"
        sent = f"{told['Year']}{re.sub('[-T:]', '', told['HappyoTime'])}00"
        answer = get(demo, "0B16", key=f"{told['RecordSpec']}{place}{sent}")
        assert told in answer["data"]
        assert is_sound(answer, JRA.dataspecs["0B16"])


def test_all_38_record_types_can_be_reached(demo):
    regular = [spec for spec in STORED if 1 in spec.options and not spec.replaced_by]
    with ThreadPoolExecutor(2) as several:
        stored = several.map(lambda spec: get(demo, spec.id, from_time=SINCE.get(spec.id, FRIDAY), limit="0"), regular)
        told = [get(demo, "0B14", key=SUNDAY), get(demo, "0B11", key=SUNDAY), *stored]
    rare = subprocess.run(
        [COMMAND, "fetch", "0B14", "--key", COURSE_CHANGE, "--source", "demo:?date=2026-08-12"],
        capture_output=True, check=True, timeout=LIMIT_S,
    )  # fmt: skip
    seen = {kind for answer in [*told, json.loads(rare.stdout)] for kind in answer["meta"]["record_counts"]}
    assert seen == set(JRA.layouts.types)


def test_a_stop_waits_for_the_answer_that_is_being_made():
    with demo_at(f"date={TODAY}&open_ms=1000") as (server, client), ThreadPoolExecutor(1) as other:
        asked = other.submit(client.get, f"/api/v1/data/YSCH?from_time={FRIDAY}")
        while 'jvgate_source_opens_total{dataspec="YSCH"}' not in client.get("/metrics").text:
            assert not asked.done()
        server.terminate()
        assert asked.result().json()["meta"]["record_counts"]["YS"]
        assert server.wait(LIMIT_S) in (0, -signal.SIGTERM)
        assert "Traceback" not in server.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to another process there")
def test_ctrl_c_ends_it_without_a_traceback():
    with demo_at(f"date={TODAY}") as (server, client):
        assert client.get("/healthz").status_code == 200
        server.send_signal(signal.SIGINT)
        assert server.wait(LIMIT_S) in (0, 130, -signal.SIGINT)
        assert "Traceback" not in server.stderr.read()


def test_the_same_seed_and_moment_give_the_same_bytes_in_another_process(demo):
    path = f"/api/v1/data/0B12?key={SUNDAY}"
    with demo_at(f"seed=1&date={TODAY}") as (_, client):
        assert client.get(path).content == demo.get(path).content
    with demo_at(f"seed=2&date={TODAY}") as (_, client):
        assert client.get(path).content != demo.get(path).content
