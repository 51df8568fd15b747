"""Puts the viewer on each request, keeps sessions, and ends those that stood idle or lasted too long."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.contrib.auth import logout
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation

from wanjia.accounts import queries, sessions
from wanjia.kernel.outages import outage
from wanjia.scope.reach import serving
from wanjia.scope.viewer import ANONYMOUS

GetResponse = Callable[[HttpRequest], HttpResponseBase]
LANGUAGE_CODES = {"zh": "zh-hans", "en": "en"}
READING = ("GET", "HEAD")

log = logging.getLogger("wanjia.accounts")


class Sessions(SessionMiddleware):
    """Django's sessions; when the database takes no writes, only the note of a reader's last visit is lost."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except (DatabaseError, SessionInterrupted) as error:  # the second is what Django makes of the first
            refusal = outage(error)
            if refusal is None:
                raise
            if request.method in READING or response.status_code >= HTTPStatus.BAD_REQUEST:
                log.warning("%s; a visit was not noted", refusal.code)
                return response
            raise refusal from error


class ViewerMiddleware:
    """`request.viewer`: the account with the grants in force now, read with one query per request.

    Nothing about grants is kept between requests, so a role given or taken counts from the
    next one. The language is the account's, before sign-in the cookie's, and Chinese otherwise:
    what the browser was installed with says little about who sits before it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and sessions.over(request):
            logout(request)
            request.session_ended = True  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            viewer = queries.viewer_for(request.user)
            language = LANGUAGE_CODES[viewer.language]
        else:
            viewer = ANONYMOUS
            language = sessions.language_of(request)
        request.viewer = viewer  # type: ignore[attr-defined]
        request.LANGUAGE_CODE = language
        with serving(viewer), translation.override(language):
            return self.get_response(request)
