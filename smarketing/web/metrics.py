"""What ``/metrics`` says to Prometheus.

Requests are counted by each web process into a file of its own below ``HOME/run/metrics`` (the
multiprocess mode of prometheus_client), so that whichever process answers tells the sum. The state
of the work is read from the database at that moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from django.db import DatabaseError
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from smarketing.core import readings


def forget_dead_processes(directory: Path) -> None:
    """Remove the files of web processes that are no more; their counts start anew."""
    for file in directory.glob("*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            file.unlink(missing_ok=True)


_directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
if _directory:  # the counters below open their files at once
    Path(_directory).mkdir(parents=True, exist_ok=True)
    forget_dead_processes(Path(_directory))

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
requests = Counter("http_requests", "Requests answered.", ["view", "method", "status"])
seconds = Histogram("http_request_seconds", "Time to answer.", ["view"], buckets=_BUCKETS)


class WorkCollector:
    """The registered readings as gauges named ``smarketing_…``."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the database; without it there is one gauge that says so."""
        up = GaugeMetricFamily("smarketing_database_up", "1 when the database answers.")
        try:
            for reading, values in readings.read_all():
                labels = [reading.label] if reading.label else []
                gauge = GaugeMetricFamily(f"smarketing_{reading.name}", reading.help, labels=labels)
                for label, value in values:
                    gauge.add_metric([label] if labels else [], value)
                yield gauge
        except DatabaseError:
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
        yield up


def exposition() -> bytes:
    """The whole text."""
    registry = CollectorRegistry()
    if _directory:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(requests)
        registry.register(seconds)
    registry.register(WorkCollector())
    return generate_latest(registry)
