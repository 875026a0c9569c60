"""The figures of the server for Prometheus: plain counters on the hot path, put into words when asked."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from jvgate.gateway.gateway import Gateway, GatewayFigures

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STAGES = ("edge", "l1", "l2", "wait", "open", "read", "decode", "render", "compress")
_BUCKETS = (
    1e-5,
    2.5e-5,
    5e-5,
    1e-4,
    2.5e-4,
    5e-4,
    1e-3,
    2.5e-3,
    5e-3,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
)


class _Times:
    """How long something took, as a histogram: plain counts, cheaper than a metric object on every request."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BUCKETS) + 1)
        self.total_s = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(_BUCKETS, seconds)] += 1
        self.total_s += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return the cumulated counts by upper bound, as Prometheus wants them."""
        bounds = [*map(str, _BUCKETS), "+Inf"]
        return [(bound, float(count)) for bound, count in zip(bounds, accumulate(self.counts), strict=True)]


class Metrics(Collector):
    """Counts requests and stages itself; asks the gateway for the rest at scrape time."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self._gateway: Gateway | None = None
        self._stages = {stage: _Times() for stage in STAGES}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def watch(self, gateway: Gateway) -> None:
        """Report the figures of *gateway* too."""
        self._gateway = gateway

    def observe(self, stage: str, seconds: float) -> None:
        """Note how long one stage of an answer took."""
        self._stages[stage].observe(seconds)

    def observe_all(self, stages: Mapping[str, float]) -> None:
        """Note how long each stage of one answer took, seconds."""
        for stage, seconds in stages.items():
            self.observe(stage, seconds)

    def text(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics that are plain counters elsewhere (called at scrape time)."""
        requests = CounterMetricFamily("jvgate_requests", "Requests answered.", labels=["route", "status"])
        for (route, status), count in self.requests.items():
            requests.add_metric([route, str(status)], count)
        yield requests
        about = "Seconds that answers spent in each stage."
        stages = HistogramMetricFamily("jvgate_stage_seconds", about, labels=["stage"])
        for stage, times in self._stages.items():
            stages.add_metric([stage], times.buckets(), times.total_s)
        yield stages
        if self._gateway is not None:
            yield from _gateway_metrics(self._gateway.figures())


def _gateway_metrics(figures: GatewayFigures) -> Iterable[Metric]:
    opens = CounterMetricFamily("jvgate_source_opens", "Times JV-Link was opened.", labels=["dataspec"])
    for dataspec, count in figures.opens.items():
        opens.add_metric([dataspec], count)
    errors = CounterMetricFamily("jvgate_source_errors", "Errors of JV-Link by return code.", labels=["code"])
    for code, count in figures.errors.items():
        errors.add_metric([str(code)], count)
    cache = CounterMetricFamily("jvgate_cache_requests", "Look-ups by tier and result.", labels=["tier", "result"])
    for (tier, result), count in figures.looks.items():
        cache.add_metric([tier, result], count)
    sessions = GaugeMetricFamily("jvgate_sessions", "Sessions by state.", labels=["state"])
    for state, number in asdict(figures.sessions).items():
        sessions.add_metric([state], number)
    faults = CounterMetricFamily("jvgate_session_faults", "Worker processes that were lost.", value=figures.faults)
    jobs = GaugeMetricFamily("jvgate_jobs", "Jobs by state.", labels=["state"])
    for state, number in figures.jobs.items():
        jobs.add_metric([state], number)
    streams = CounterMetricFamily("jvgate_streams", "Streams by how they ended.", labels=["end"])
    for end, count in figures.streams.items():
        streams.add_metric([end], count)
    is_open = GaugeMetricFamily("jvgate_streams_open", "Streams under way.", value=figures.open_streams)
    size = GaugeMetricFamily("jvgate_cache_bytes", "Bytes kept by tier.", labels=["tier"])
    size.add_metric(["l1"], figures.memory_bytes)
    return opens, errors, cache, sessions, faults, jobs, streams, is_open, size, *_shared_metrics(figures)


def _shared_metrics(figures: GatewayFigures) -> Iterable[Metric]:
    """Return the metrics of the tier behind memory and of the prefetches."""
    state = figures.shared
    redis = GaugeMetricFamily("jvgate_redis_state", "1 for how Redis is at present.", labels=["state", "reason"])
    redis.add_metric([state.state, state.reason], 1)
    refused = GaugeMetricFamily("jvgate_redis_writes_refused", "1 when Redis takes no writes.", labels=["reason"])
    listening = GaugeMetricFamily("jvgate_redis_listening", "1 when purges of other servers are heard at once.")
    if state.state != "off":
        refused.add_metric([state.writes], bool(state.writes))
        listening.add_metric([], state.is_listening)
    asked = CounterMetricFamily(
        "jvgate_redis_requests", "What was asked of Redis, and how that went.", labels=["request", "result"]
    )
    for (request, result), count in figures.shared_requests.items():
        asked.add_metric([request, result], count)
    prefetches = CounterMetricFamily("jvgate_prefetches", "Prefetches by what came of them.", labels=["result"])
    for result, count in figures.prefetches.items():
        prefetches.add_metric([result], count)
    return redis, refused, listening, asked, prefetches
