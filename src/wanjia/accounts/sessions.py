"""How long a session lasts and which language a visitor reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest

from wanjia.kernel import clock

STARTED, SEEN = "started_at", "seen_at"
BACKGROUND = "X-Wanjia-Background"  # a page that polls says so: polling is not somebody at work


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of an office session (domain.md §16.5, D). `settings.WANJIA_SESSION` replaces single ones."""

    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=8)
    noted_every: timedelta = timedelta(minutes=1)  # so that reading pages does not write on each of them


def limits() -> Limits:
    """The limits of this installation."""
    return Limits(**getattr(settings, "WANJIA_SESSION", {}))


def begin(request: HttpRequest) -> None:
    """Note that a session starts now; called once the visitor has signed in."""
    request.session[STARTED] = request.session[SEEN] = clock.now().timestamp()


def over(request: HttpRequest) -> bool:
    """Whether the session has run out; notes the visit if it has not."""
    rules = limits()
    now = clock.now().timestamp()
    started, seen = request.session.get(STARTED, 0.0), request.session.get(SEEN, 0.0)
    if now - started > rules.absolute.total_seconds() or now - seen > rules.idle.total_seconds():
        return True
    if now - seen >= rules.noted_every.total_seconds() and BACKGROUND not in request.headers:
        request.session[SEEN] = now
    return False


def language_of(request: HttpRequest) -> str:
    """The language of a visitor who has not signed in: the cookie's, otherwise Chinese."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
