"""The figures for Prometheus: counted here or asked of the gateway, in its text format."""

from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jvgate.cache.shared import TierState
from jvgate.gateway.gateway import GatewayFigures
from jvgate.sessions.session_status import SessionCounts
from jvgate.web.metrics import STAGES, Metrics

REDIS_AWAY = TierState(state="open", reason="refused")


def samples(metrics):
    """Every sample by its name and its labels, these sorted by their names."""
    found = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in found
        for sample in family.samples
    }


def watched(**figures):
    nothing = {"opens": {}, "errors": {}, "faults": 0, "sessions": SessionCounts(1, 2, 3, 4), "looks": {}, "jobs": {},
               "streams": {}, "open_streams": 0, "memory_bytes": 0, "shared": TierState("off"), "shared_requests": {},
               "prefetches": {}}  # fmt: skip
    metrics = Metrics()
    metrics.watch(SimpleNamespace(figures=lambda: GatewayFigures(**nothing | figures)))
    return samples(metrics)


def test_requests_are_counted_by_route_and_status():
    metrics = Metrics()
    metrics.requests["/healthz", 200] += 2
    metrics.requests["none", 404] += 1
    told = samples(metrics)
    assert told["jvgate_requests_total", "/healthz", "200"] == 2
    assert told["jvgate_requests_total", "none", "404"] == 1


@pytest.mark.parametrize(("seconds", "bound"), [(0.01, "0.01"), (0.0101, "0.025"), (31, "+Inf"), (0, "1e-05")])
def test_a_stage_falls_into_its_bucket_and_those_above(seconds, bound):
    metrics = Metrics()
    metrics.observe("read", seconds)
    told = samples(metrics)
    counts = {key[1]: value for key, value in told.items() if key[0] == "jvgate_stage_seconds_bucket" and "read" in key}
    order = sorted(counts, key=float)
    assert [counts[one] for one in order] == [
        float(one == bound or order.index(one) > order.index(bound)) for one in order
    ]
    assert told["jvgate_stage_seconds_sum", "read"] == seconds
    assert told["jvgate_stage_seconds_count", "read"] == 1


def test_every_stage_is_there_from_the_start_and_no_other_can_be_noted():
    told = samples(metrics := Metrics())
    assert all(told["jvgate_stage_seconds_count", stage] == 0 for stage in STAGES)
    with pytest.raises(KeyError):
        metrics.observe_all({"read": 1.0, "lunch": 1.0})


def test_the_figures_of_the_gateway_are_asked_for_when_they_are_told():
    told = watched(opens={"RACE": 5}, errors={-303: 2}, faults=1, looks={("l1", "hit"): 7}, jobs={"done": 3},
                   streams={"left": 4}, open_streams=6, memory_bytes=99, prefetches={"read": 8})  # fmt: skip
    assert told["jvgate_source_opens_total", "RACE"] == 5
    assert told["jvgate_source_errors_total", "-303"] == 2
    assert told["jvgate_session_faults_total",] == 1
    assert told["jvgate_cache_requests_total", "hit", "l1"] == 7
    assert told["jvgate_jobs", "done"] == 3
    assert (told["jvgate_streams_total", "left"], told["jvgate_streams_open",]) == (4, 6)
    assert (told["jvgate_cache_bytes", "l1"], told["jvgate_prefetches_total", "read"]) == (99, 8)
    states = {key[1]: value for key, value in told.items() if key[0] == "jvgate_sessions"}
    assert states == {"busy": 1, "idle": 2, "resting": 3, "waiting": 4}


def test_without_redis_there_is_its_state_alone():
    told = watched()
    assert told["jvgate_redis_state", "", "off"] == 1
    assert not any(key[0].startswith(("jvgate_redis_writes", "jvgate_redis_listening")) for key in told)


@pytest.mark.parametrize(("writes", "refused"), [("", 0), ("full", 1)])
def test_how_redis_is_is_told(writes, refused):
    state = TierState(state="closed", writes=writes, is_listening=True)
    told = watched(shared=state, shared_requests={("get", "ok"): 3})
    assert told["jvgate_redis_state", "", "closed"] == 1
    assert told["jvgate_redis_writes_refused", writes] == refused
    assert (told["jvgate_redis_listening",], told["jvgate_redis_requests_total", "get", "ok"]) == (1, 3)


def test_why_redis_is_away_is_told():
    assert watched(shared=REDIS_AWAY)["jvgate_redis_state", "refused", "open"] == 1
