"""What every response carries, and what a refusal looks like."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from wanjia.kernel.errors import Refusal
from wanjia.kernel.outages import outage
from wanjia.ui.refusals import refusal_response

log = logging.getLogger("wanjia.refusals")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Nothing inline: the office page's behaviour is one file of ours, so a name that contains
# markup and slips through a template still cannot run. Tabler draws its carets as data: images.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # here too: Django's own middleware is not asked when the host is wrong
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), browsing-topics=()",
    # Personal data on a shared office computer: neither the disk nor the back button keeps it.
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds the headers of trust.md S10 to every response; a view that says more about itself wins."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class RefusalPages:
    """Turns a `Refusal` that a view raised, or an outage behind its error, into an answer its reader understands."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        refusal = exception if isinstance(exception, Refusal) else outage(exception)
        if refusal is None:
            return None
        # The code and the route, never the facts or the address: those may be anything.
        level = logging.ERROR if refusal.status >= 500 else logging.INFO  # noqa: PLR2004 - HTTP's own line
        route = request.resolver_match.view_name if request.resolver_match else "-"
        log.log(level, "%s on %s %s", refusal.code, request.method, route, extra={"event": "refusal"})
        return refusal_response(request, refusal)
