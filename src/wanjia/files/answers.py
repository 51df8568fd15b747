"""A stored file as its reader's browser may safely have it: pictures on the page, all else as a download.

For views that fetched the file with permission, each under a rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from django.http import HttpRequest, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from wanjia.files import services
from wanjia.files.models import StoredFile

# Whatever the bytes turn out to be, the browser runs nothing of them and asks nobody for anything.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def sent(request: HttpRequest, stored: StoredFile, recorded: Callable[[], None]) -> HttpResponseBase:
    """The file, or that the browser holds it already. `recorded` notes the reading before the first byte is sent."""
    etag = f'"{stored.content_key}"'
    if request.headers.get("If-None-Match") == etag:
        # the reader holds it already, and was allowed to a moment ago and still is
        return _guarded(HttpResponseNotModified(), etag)
    parts = _begun(services.contents(stored))
    recorded()
    response = StreamingHttpResponse(parts, content_type=stored.media_type)
    response["Content-Length"] = str(stored.size)
    response["Content-Disposition"] = content_disposition_header(not stored.is_picture, stored.name) or "attachment"
    return _guarded(response, etag)


def _guarded(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # kept by this browser only, and asked for each time, so that a revoked role counts at once
    response["Cache-Control"] = "private, no-cache"
    response["ETag"] = etag
    return response


def _begun(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same parts, the first one fetched now: a missing content is refused while a page still can be."""
    first = next(parts, b"")
    return chain([first], parts)
