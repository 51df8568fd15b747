"""Figures for Prometheus: what processes count as they work, and what is read when somebody asks.

Counted (`INSTRUMENTS`): requests, statements, jobs, sign-ins. Where the site runs as several
processes they count into files of a common folder (`share`), and whichever answers adds them up;
the worker's are among them.

Read (`Measure`): a slice offers `MEASURES = [...]` in `<slice>/measures.py`; each is asked again at
most every few seconds, whoever scrapes. A measure that fails is left out and named in
`wanjia_measure_failed`.

Labels are names from the code, states, and areas down to the city; never an account, a case or
anything narrower: a series with few people behind it tells about them.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from wanjia.telemetry.sharing import FOLDER_VARIABLE
from wanjia.ui.discovery import offered

log = logging.getLogger(__name__)

CITY_LENGTH = 4
LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
JOB_SECONDS = (0.1, 1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
QUERY_COUNTS = (0, 2, 5, 10, 20, 50, 100)

OWN = CollectorRegistry()

REQUESTS = Counter(
    "wanjia_requests", "Answers, by route name, method and status.", ["route", "method", "status"], registry=OWN
)
REQUEST_SECONDS = Histogram(
    "wanjia_request_seconds", "Time to answer.", ["route", "method"], buckets=LATENCIES, registry=OWN
)
REQUEST_QUERIES = Histogram(
    "wanjia_request_queries",
    "Statements a request sent to the database.",
    ["route"],
    buckets=QUERY_COUNTS,
    registry=OWN,
)
SLOW_STATEMENTS = Counter(
    "wanjia_slow_statements", "Statements slower than the limit, by route or job.", ["name"], registry=OWN
)
JOBS = Counter("wanjia_jobs", "Tries of background jobs, by task and how they ended.", ["job", "outcome"], registry=OWN)
JOB_TIME = Histogram("wanjia_job_seconds", "Time of one try of a job.", ["job"], buckets=JOB_SECONDS, registry=OWN)
SIGN_INS = Counter("wanjia_sign_ins", "Attempts to sign in: right, wrong or locked out.", ["outcome"], registry=OWN)

INSTRUMENTS = (REQUESTS, REQUEST_SECONDS, REQUEST_QUERIES, SLOW_STATEMENTS, JOBS, JOB_TIME, SIGN_INS)

Series = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that is read when asked: its name, what it means, its labels, and how to read it."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    read: Callable[[], Series]
    every: float = 10.0  # seconds for which one reading serves everybody


FAILED = Measure("wanjia_measure_failed", "1 where a measure could not be read.", ("measure",), lambda: ())


@cache
def measures() -> tuple[Measure, ...]:
    """What all slices offer, sorted by name; two of one name are refused."""
    found = [measure for _, module in offered("measures") for measure in module.MEASURES]
    names = [measure.name for measure in found]
    if len(set(names)) != len(names):
        raise ValueError(f"a measure is offered twice: {sorted({name for name in names if names.count(name) > 1})}")
    return tuple(sorted(found, key=lambda measure: measure.name))


def city_of(area: str) -> str:
    """An area as a label may hold it: nothing below the city."""
    return area[:CITY_LENGTH]


class Readings(Collector):
    """The measures, each read at most every few seconds."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: dict[str, tuple[float, list[tuple[tuple[str, ...], float]] | None]] = {}

    def collect(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily(FAILED.name, FAILED.meaning, labels=FAILED.labels)
        for measure in measures():
            series = self._reading(measure)
            if series is None:
                failed.add_metric([measure.name], 1)
                continue
            family = GaugeMetricFamily(measure.name, measure.meaning, labels=measure.labels)
            for labels, value in series:
                family.add_metric(labels, value)
            yield family
        yield failed

    def forget(self) -> None:
        """Read everything again at the next question."""
        with self._guard:
            self._held.clear()

    def _reading(self, measure: Measure) -> list[tuple[tuple[str, ...], float]] | None:
        with self._guard:  # one reader; the others wait and get what it read
            held = self._held.get(measure.name)
            if held is not None and time.monotonic() < held[0]:
                return held[1]
            series: list[tuple[tuple[str, ...], float]] | None
            try:
                series = list(measure.read())
            except Exception:
                log.exception("the measure %s could not be read", measure.name)
                series = None
            self._held[measure.name] = (time.monotonic() + measure.every, series)
            return series


READINGS = Readings()


def exposition() -> bytes:
    """Everything, in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(READINGS)
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and Path(folder).is_dir():
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(OWN) + generate_latest(registry)
