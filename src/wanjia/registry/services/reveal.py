"""Showing one protected value in clear: with a reason, and recorded before it is shown (domain.md §16.4)."""

from __future__ import annotations

from wanjia.audit.services import record_access
from wanjia.registry.errors import NotProtected
from wanjia.registry.fields import FIELDS
from wanjia.registry.models import Household, Person
from wanjia.registry.services.writing import checked_reason
from wanjia.scope.errors import NotVisible
from wanjia.scope.viewer import Viewer

REVEAL = "registry.reveal"


def reveal(
    *, viewer: Viewer, field: str, reason: str, person_no: int | None = None, household_no: int | None = None
) -> str:
    """A protected value in clear; "" if there is none. Name the person or the household, as the field asks.

    The access is recorded even if nothing is shown afterwards. Raises NotVisible unless the viewer
    may do `registry.reveal` there, NotProtected, ReasonMissing.
    """
    declared = FIELDS.get(field)
    if declared is None or not declared.protected:
        raise NotProtected(field=field)
    why = checked_reason(reason)
    kind, number = ("household", household_no) if declared.of_household else ("person", person_no)
    if number is None:
        raise NotVisible(kind=kind)
    model = Household if declared.of_household else Person
    row = model.objects.get_visible(viewer, action=REVEAL, pk=number)
    record_access(
        viewer=viewer,
        action=REVEAL,
        subject_kind=kind,
        subject_ids=[number],
        fields=[field],
        reason=why,
        area=row.village_code,
    )
    value = getattr(row, field)
    return value.clear() if value is not None else ""
