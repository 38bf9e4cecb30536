"""`/metrics`: the whole service in numbers, for Prometheus, read from the database when it asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily as Counter
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from api.context import Context, context
from api.description import HEALTH_TAG, answers, blueprint_of, media
from api.server import cuts
from shared.processes.registry import total_sums
from shared.processes.sums import BUCKETS

blueprint = blueprint_of("metrics", HEALTH_TAG)

_COUNTERS = {
    "photos_done": ("Photos that workers have made final", "outcome"),
    "failures": ("Photos that failed, by error code", "code"),
    "reads_put_off": ("Photos whose bytes were out of reach for now", None),
    "messages_dropped": ("Messages on the broker that were no ring of ours", None),
    "leases_expired": ("Leases that ended because their worker died or fell silent, by photo", None),
}
_HISTOGRAMS = {
    "stage_seconds": ("A photo's share of its batch's time in each stage", "stage"),
    "batch_seconds": ("From the claim of a batch to its save", None),
    "batch_photos": ("Photos of a batch", None),
}


@blueprint.get("/metrics", responses=answers({200: media("text/plain")}))
def get_metrics() -> Response:
    """The whole service in numbers, for Prometheus; needs the scope `metrics`"""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(context()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Numbers(Collector):
    """Everything, read at once."""

    def __init__(self, service: Context) -> None:
        with service.database.read() as session:
            self._sums = total_sums(session)
        self._load = service.jobs.load()
        self._demand = service.jobs.demand()
        self._rings = service.doorbell.waiting()

    def collect(self) -> Iterator[Metric]:
        load = self._load
        yield _family(Gauge, "photos", "Photos of jobs that have not ended", "status", load.photos.items())
        yield _family(Gauge, "jobs", "Jobs", "state", load.jobs.items())
        yield _family(Gauge, "processes", "Processes seen lately", "kind", load.alive.items())
        yield _one(
            "oldest_queued_seconds", "Since the submit of the oldest waiting job", load.oldest_queued_s
        )
        yield _one("archives_waiting", "Archives that wait to be unpacked", load.archives)
        yield _one(
            "claimable_photos",
            "Photos a worker could take now: submitted, not paused, window open",
            self._demand.claimable_photos,
        )
        if self._demand.seconds_to_drain is not None:
            yield _one(
                "seconds_to_drain",
                "Until nothing is claimable, at the rate of the last minute",
                self._demand.seconds_to_drain,
            )
        if self._rings is not None:
            yield _one("broker_messages", "Doorbell messages that nobody has taken yet", self._rings)
        cut = sorted(cuts.counts().items())
        yield _family(Counter, "clients_cut_off", "Slow clients of this API process", "kind", cut)
        for name, (about, label) in _COUNTERS.items():
            yield _family(Counter, name, about, label, self._series("counters", name, label))
        for name, (about, label) in _HISTOGRAMS.items():
            histogram = HistogramMetricFamily(f"nightshift_{name}", about, labels=_labels(label))
            for value, entry in self._series("histograms", name, label):
                histogram.add_metric(
                    [value] if label else [], _cumulative(BUCKETS[name], entry["counts"]), entry["sum"]
                )
            yield histogram

    def _series(self, kind: str, name: str, label: str | None) -> Iterator[tuple[str, Any]]:
        found = self._sums.get(kind, {})
        if label is None:
            empty: Any = 0 if kind == "counters" else {"sum": 0.0, "counts": [0] * (len(BUCKETS[name]) + 1)}
            yield "", found.get(name, empty)
            return
        for series, value in sorted(found.items()):
            if series.startswith(f"{name}|"):
                yield series.partition("|")[2], value


def _labels(label: str | None) -> list[str]:
    return [label] if label else []


def _cumulative(bounds: Iterable[float], counts: Iterable[int]) -> list[tuple[str, float]]:
    buckets, total = [], 0
    for bound, count in zip([*map(str, map(float, bounds)), "+Inf"], counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets


def _family(
    kind: type[Counter | Gauge], name: str, about: str, label: str | None, values: Iterable[tuple[str, float]]
) -> Metric:
    family = kind(f"nightshift_{name}", about, labels=_labels(label))
    for value, number in values:
        family.add_metric([value] if label else [], number)
    return family


def _one(name: str, about: str, value: float) -> Metric:
    return Gauge(f"nightshift_{name}", about, value=value)
