"""Alive, able to serve, and the figures that are measured from outside under fixed names."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jvgate import __version__
from tests.raceday import RACE_KEY, archive, race_day, record

STAGES = {"edge", "l1", "l2", "wait", "open", "read", "decode", "render", "compress"}


def test_alive_says_which_version_runs(web):
    response = web.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "version": __version__})
    assert response.headers["cache-control"] == "no-store"


def test_ready_says_what_it_serves_from(web, folder):
    ready = web.get("/readyz").json()
    assert (ready["status"], ready["source"]) == ("ready", f"archive:{folder}?date=2026-11-18")
    assert ready["sessions"] == {"busy": 0, "idle": 5, "resting": 0, "waiting": 0}


def test_a_server_whose_source_fails_is_alive_and_not_ready(serve, tmp_path):
    lost = serve(f"archive:{tmp_path / 'later'}")
    assert lost.get("/healthz").status_code == 200
    response = lost.get("/readyz")
    assert (response.status_code, response.json()["type"]) == (503, "/problems/archive-unusable")
    archive(tmp_path / "later", *race_day())
    assert lost.get("/readyz").status_code == 200
    assert lost.data().status_code == 200


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("jvgate_requests_total", {"route", "status"}),
        ("jvgate_source_opens_total", {"dataspec"}),
        ("jvgate_source_errors_total", {"code"}),
        ("jvgate_cache_requests_total", {"tier", "result"}),
        ("jvgate_stage_seconds_bucket", {"stage", "le"}),
        ("jvgate_stage_seconds_sum", {"stage"}),
        ("jvgate_stage_seconds_count", {"stage"}),
        ("jvgate_sessions", {"state"}),
        ("jvgate_cache_bytes", {"tier"}),
    ],
)
def test_every_fixed_figure_is_there_with_its_labels(used, name, labels):
    families = text_string_to_metric_families(used.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    assert samples
    assert all(set(sample.labels) == labels for sample in samples)


@pytest.fixture(scope="module")
def used(serve, tmp_path_factory):
    """A server that has answered, answered again, refused and failed."""
    folder = archive(tmp_path_factory.mktemp("used"), *race_day())
    archive(folder, record("UM")[:100], dataspec="DIFN")
    client = serve(f"archive:{folder}?date=2026-11-18")
    statuses = [client.data().status_code for _ in range(2)]
    statuses += [client.data(spec).status_code for spec in ("DIFN", "NOPE")]
    assert statuses == [200, 200, 502, 404]
    return client


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("jvgate_requests_total", {"route": "/api/v1/data/{dataspec}", "status": "200"}, 2),
        ("jvgate_requests_total", {"route": "/api/v1/data/{dataspec}", "status": "502"}, 1),
        ("jvgate_requests_total", {"route": "/api/v1/data/{dataspec}", "status": "404"}, 1),
        ("jvgate_source_opens_total", {"dataspec": "RACE"}, 1),
        ("jvgate_source_errors_total", {"code": "-403"}, 1),
        ("jvgate_cache_requests_total", {"tier": "l1", "result": "hit"}, 1),
        ("jvgate_cache_requests_total", {"tier": "l1", "result": "miss"}, 1),
        ("jvgate_sessions", {"state": "idle"}, 5),
        ("jvgate_sessions", {"state": "busy"}, 0),
        ("jvgate_sessions", {"state": "waiting"}, 0),
        ("jvgate_stage_seconds_count", {"stage": "edge"}, 1),
        ("jvgate_stage_seconds_count", {"stage": "render"}, 1),
    ],
)
def test_the_figures_count_what_happened(used, name, labels, value):
    assert used.figure(name, **labels) == value


def test_the_stages_are_those_of_the_design(used):
    families = text_string_to_metric_families(used.get("/metrics").text)
    samples = [sample for family in families if family.name == "jvgate_stage_seconds" for sample in family.samples]
    assert {sample.labels["stage"] for sample in samples} == STAGES


def test_the_bytes_in_memory_are_counted(used):
    assert used.figure("jvgate_cache_bytes", tier="l1") > len(b"".join(race_day()))


def test_paths_that_clients_invent_do_not_grow_the_figures(used):
    for number in range(20):
        used.get(f"/invented/{number}")
        used.data(f"0B{number:02}", key=RACE_KEY)
    routes = {line for line in used.get("/metrics").text.splitlines() if line.startswith("jvgate_requests_total")}
    assert not [line for line in routes if "invented" in line]
    assert len(routes) < 15
