"""What machines ask: alive, ready, figures."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import split_domain_port
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from wanjia.config import readiness
from wanjia.config.errors import MetricsClosed
from wanjia.scope.routes import PUBLIC, ViewerRequest, access
from wanjia.telemetry import metrics

# A proxy on this machine makes every visitor look like a neighbour; it says so in one of these.
THROUGH_A_PROXY = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via")
THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "[::1]"})


@access(PUBLIC)
@require_safe
def healthz(_request: ViewerRequest) -> HttpResponse:
    """The process answers; nothing else is asked, least of all the database."""
    return HttpResponse("ok", content_type="text/plain")


@access(PUBLIC)
@require_safe
def readyz(_request: ViewerRequest) -> HttpResponse:
    """200 when the process can do its work, otherwise 503 with the reasons as codes."""
    found = readiness.reasons()
    return JsonResponse({"ready": not found, "reasons": found}, status=503 if found else 200)


@access(PUBLIC)
@require_safe
def figures(request: ViewerRequest) -> HttpResponse:
    """Prometheus's text. Raises MetricsClosed."""
    if not _may_scrape(request):
        raise MetricsClosed
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    """With a token set, whoever holds it; without one, only who asks on this machine and through no proxy."""
    token = settings.WANJIA_METRICS_TOKEN
    if token:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}")
    return (
        _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and _host_of(request) in THIS_MACHINE
        and not any(name in request.headers for name in THROUGH_A_PROXY)
    )


def _host_of(request: HttpRequest) -> str:
    host, _ = split_domain_port(request.get_host())
    return host


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
