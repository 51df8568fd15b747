"""A request to export a long list at every place of the walk."""

from __future__ import annotations

from itertools import count
from uuid import uuid4

from tests.factories.walking import MINE, Example, Place
from wanjia.audit.testing import unrecorded
from wanjia.exports import queries
from wanjia.exports.models import ExportRequest
from wanjia.kernel import clock
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.models import Parameter, Revision
from wanjia.scope.viewer import Viewer

NOBODY = 10**8  # no account has so high a number
_numbers = count(1)


def limit(rows: int) -> None:
    """From now on a list of more rows than these needs an approval."""
    with unrecorded():
        Parameter.objects.filter(name=queries.MOST).update(value=rows)
        Revision.objects.update_or_create(pk=1, defaults={"token": uuid4().hex})
    look_again_everywhere()


def request_at(area: str, reason: str = "月报核对", **more: object) -> ExportRequest:
    """A request that waits; whoever asked for it is nobody the tests know unless they say so."""
    facts = {"listing": "households", "query": f"area={area}&standing=live", "area": area, "expected": 1_200}
    with unrecorded():
        return ExportRequest.objects.create(
            **{**facts, "reason": reason, "asked_by": NOBODY, "asked_at": clock.now(), **more}
        )


def examples(place: Place) -> list[Example]:
    reason = f"用途{next(_numbers)}号"
    which = {"request_id": request_at(place.area, reason).pk}
    action = "exports.approve"
    asking = [Example("exports:ask", {"code": "households"}, (), seen_by=_exports)] if place is MINE else []
    return [
        Example("exports:request", which, (reason,), action),
        Example("exports:request", which, (reason,), action, method="post", data={"decision": ""}),
        *asking,
    ]


def _exports(viewer: Viewer) -> bool:
    return viewer.may("registry.export")
