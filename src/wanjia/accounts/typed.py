"""What somebody typed to look for, kept with his session and out of every address.

A name or a number in an address stays in the browser's history, in Referer headers and in the logs
of whatever stands before the site. So a search is posted; the address it leads to carries a token,
and the text lies in the session, encrypted like any personal value.

    return redirect(f"{reverse('registry:households')}?typed={keep(request, text)}")
    ...
    text = recall(request, request.GET.get("typed", ""))
"""

from __future__ import annotations

import base64
import secrets

from django.http import HttpRequest

from wanjia.kernel.errors import Refusal
from wanjia.scope.keys import keyring

SESSION_KEY = "typed"
KEPT = 10  # searches a session remembers: a few tabs, and the way back


def keep(request: HttpRequest, text: str) -> str:
    """Remember `text` for this session; returns the token an address may carry."""
    token = secrets.token_hex(8)
    sealed = base64.b64encode(keyring().cipher.encrypt(text, _context(token))).decode()
    earlier = list(request.session.get(SESSION_KEY, {}).items())
    request.session[SESSION_KEY] = dict([*earlier, (token, sealed)][-KEPT:])
    return token


def recall(request: HttpRequest, token: str) -> str | None:
    """What was typed under that token; None when this session does not know it (any more)."""
    sealed = request.session.get(SESSION_KEY, {}).get(token) if token else None
    if sealed is None:
        return None
    try:
        return keyring().cipher.decrypt(base64.b64decode(sealed), _context(token))
    except (Refusal, ValueError):  # sealed with a key that is gone: as if it had been forgotten
        return None


def _context(token: str) -> str:
    return f"typed {token}"
