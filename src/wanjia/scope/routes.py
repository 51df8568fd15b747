"""Every route says who may call it, or the site does not start.

    @access("registry.read")      # signed in, and some grant allows the action
    @access(SIGNED_IN)            # anybody who is signed in
    @access(PUBLIC)               # anybody at all

The decorator marks the view; the check `scope.E001` walks the URL table at start-up and the
walker test walks it again with every role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.checks import CheckMessage, Error, register
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, URLResolver, get_resolver

from wanjia.scope.errors import NotAllowed
from wanjia.scope.viewer import Viewer

P = ParamSpec("P")

PUBLIC = "public"
SIGNED_IN = "signed_in"


class ViewerRequest(HttpRequest):
    """A request on which the accounts middleware has put the viewer."""

    viewer: Viewer


View = Callable[Concatenate[ViewerRequest, P], HttpResponseBase]


def access(action: str) -> Callable[[View[P]], View[P]]:
    """Declare what a view's caller must be allowed to do; refuses others before the view runs."""

    def declare(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: ViewerRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            viewer = request.viewer
            if action != PUBLIC:
                if not viewer.user_id:
                    return _to_sign_in(request)
                if action != SIGNED_IN and not viewer.may(action):
                    raise NotAllowed(action=action)
            return view(request, *args, **kwargs)

        guarded.access = action  # type: ignore[attr-defined]
        return cast("View[P]", guarded)

    return declare


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Off to the sign-in page, and afterwards back to the page the visitor was looking at.

    That is not the address he asked for when it was a form or a fragment of a page.
    """
    target = request.get_full_path()
    fragment = "HX-Request" in request.headers
    sent = request.method not in ("GET", "HEAD")
    if fragment or sent:
        seen = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
        target = urlunsplit(("", "", seen.path or "/", seen.query, ""))
    answer: HttpResponse = redirect_to_login(target, settings.LOGIN_URL)
    if sent:  # the sign-in page says that nothing of it was taken
        answer["Location"] += "&lost=1"
    elif getattr(request, "session_ended", False):
        answer["Location"] += "&ended=1"
    if fragment:  # a redirect would put the sign-in page inside the page
        answer = HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": answer["Location"]})
    return answer


def declared_access(callback: Any) -> str | None:
    """The action a view declares, or None."""
    return getattr(callback, "access", None)


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every route of the site with its full pattern text."""
    for item in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from routes(item.url_patterns, path)
        else:
            yield path, item


@register("urls")
def every_route_declares_access(**_: Any) -> list[CheckMessage]:
    """Refuse to start with a route nobody has thought about."""
    return [
        Error(
            f"The route /{path} does not say who may call it.",
            hint="Decorate the view with @access(…).",
            id="scope.E001",
        )
        for path, pattern in routes()
        if declared_access(pattern.callback) is None
    ]
