"""One line, one reference and the figures for every request; stands outermost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse

from wanjia.telemetry import metrics
from wanjia.telemetry.work import UNNAMED, Facts, Work, new_reference, working

log = logging.getLogger("wanjia.requests")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

HEADER = "X-Request-ID"
STATIC = "static"
QUIET = frozenset({STATIC, "healthz", "readyz", "metrics"})  # asked every few seconds: counted, not logged
LARGEST_NUMBER = 10**10 - 1  # a telephone number has eleven digits
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FAILURE = 500


class Observe:
    """Gives the request its reference: in the answer's header, on error pages, on every log line."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        work = Work("request", new_reference(), lambda: route_of(request), lambda: _facts(request))
        request.reference = work.reference  # type: ignore[attr-defined]
        with working(work):
            response = self.get_response(request)
            response.headers[HEADER] = work.reference
            if isinstance(response, StreamingHttpResponse) and request.resolver_match is not None:
                content: Iterable[Any] = response.streaming_content  # type: ignore[assignment]
                response.streaming_content = _streamed(content, request, response, work)
            else:
                _tell(request, response, work)
        return response


def route_of(request: HttpRequest) -> str:
    """The name of the route, never the address: that may hold whatever the visitor typed."""
    match = request.resolver_match
    if match is not None:
        return match.view_name or UNNAMED
    return STATIC if request.path_info.startswith("/static/") else UNNAMED


def _facts(request: HttpRequest) -> Facts:
    facts: dict[str, str | int] = {}
    viewer = getattr(request, "viewer", None)
    if viewer is not None:
        facts["user"] = int(viewer.user_id)
    if request.resolver_match is not None:
        # the converters' numbers and UUIDs; texts in an address are not ours to repeat, nor a number
        # that is no number of ours: somebody typed a person's in its place
        found = request.resolver_match.kwargs.items()
        facts |= {
            name: value if isinstance(value, int) else str(value)
            for name, value in found
            if not isinstance(value, str) and not (isinstance(value, int) and value > LARGEST_NUMBER)
        }
    return facts


def _streamed(content: Iterable[Any], request: HttpRequest, response: HttpResponseBase, work: Work) -> Iterator[Any]:
    """What is sent piece by piece is finished when the last piece is."""
    try:
        with working(work):
            yield from content
    finally:
        _tell(request, response, work)


def _tell(request: HttpRequest, response: HttpResponseBase, work: Work) -> None:
    route, seconds = work.name(), work.seconds
    method = request.method if request.method in METHODS else "OTHER"
    metrics.REQUESTS.labels(route, method, str(response.status_code)).inc()
    metrics.REQUEST_SECONDS.labels(route, method).observe(seconds)
    metrics.REQUEST_QUERIES.labels(route).observe(work.queries)
    usual = logging.ERROR if response.status_code >= FAILURE else logging.INFO
    level = logging.DEBUG if route in QUIET else usual
    with working(work):
        log.log(
            level, "%s %s", method, response.status_code,
            extra={
                "event": "request", "method": method, "status": response.status_code,
                "ms": round(seconds * 1000, 1), "queries": work.queries,
                "query_ms": round(work.query_seconds * 1000, 1),
            },
        )  # fmt: skip
