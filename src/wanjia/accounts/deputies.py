"""Standing in for a colleague on leave: naming and ending it, and who counts as one person with whom.

A deputy holds no grant of his own for it. `queries.viewer_for` reads the principal's grants at their
common office while a deputyship is in force, cut to the words `roles.yaml` lets deputies have.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from wanjia.accounts import content
from wanjia.accounts.errors import DeputyEnded, DeputyExists, DeputyPeriodUnusable, NotOfYourOffice
from wanjia.accounts.models import Deputyship, GrantRow, User
from wanjia.accounts.queries import in_force
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import Kind, record
from wanjia.divisions.queries import near_name
from wanjia.kernel import clock
from wanjia.kernel.codes import LENGTHS
from wanjia.reference.queries import parameter
from wanjia.scope.areas import level_of
from wanjia.scope.errors import NotVisible
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer

LIMIT = "accounts.deputy_days_at_most"
OFFICE = system_viewer("accounts.own")


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody with a post at the same office."""

    user_id: int
    name: str
    area_code: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Two people who are one for the separation of duties, on these days."""

    user_id: int
    other_id: int
    valid_from: date
    valid_to: date

    def on(self, *days: date) -> bool:
        """Whether it held on one of the days."""
        return any(self.valid_from <= day < self.valid_to for day in days)


def offices(viewer: Viewer) -> list[str]:
    """Where the viewer himself has cases to act on by a post for everything there, not for single households."""
    own = viewer.acting_for(0).grants
    posts = {(grant.role, grant.area.lo) for grant in own if grant.relation is Relation.ALL}
    return sorted(
        {
            grant.area.lo
            for grant in own
            if len(grant.area.lo) in LENGTHS
            and (grant.role, grant.area.lo) in posts
            and any(not action.endswith(".read") for action in content.deputised(grant.actions))
        }
    )


def colleague_named(viewer: Viewer, typed: str, area_code: str) -> Colleague | None:
    """The one colleague there with this name or login; None for nobody and for several.

    Nobody is shown a list: who has an account is for whoever looks after accounts.
    """
    text = typed.strip()
    logins = dict(_posts().filter(area_code=area_code).values_list("user_id", "user__username"))
    found = [
        one for one in colleagues(viewer) if one.area_code == area_code and text in (one.name, logins.get(one.user_id))
    ]
    return found[0] if len(found) == 1 else None


def colleagues(viewer: Viewer) -> list[Colleague]:
    """Who could stand in for the viewer: people with a post of the office itself where he has his.

    Whoever only looks after households there, or comes from another level, is not of the office;
    nor is an administrator of the platform.
    """
    rows = _posts().filter(area_code__in=offices(viewer), relation=Relation.ALL.value).exclude(user_id=viewer.user_id)
    barred = set(_posts().exclude(role__duty="").values_list("user_id", flat=True))
    found = {
        (area, user_id): Colleague(user_id, name, area)
        for user_id, name, area, level in rows.values_list("user_id", "user__display_name", "area_code", "role__level")
        if user_id not in barred and level == level_of(area)
    }
    return sorted(found.values(), key=lambda item: (item.area_code, item.name, item.user_id))


def deputies_of(viewer: Viewer) -> list[Deputyship]:
    """Who stands in for the viewer now or will, the next to begin first."""
    rows = Deputyship.objects.visible_to(OFFICE).filter(principal_id=viewer.user_id, valid_to__gt=clock.today())
    return list(rows.select_related("deputy").order_by("valid_from", "pk"))


def principals_of(viewer: Viewer) -> list[Deputyship]:
    """For whom the viewer stands in now or will."""
    rows = Deputyship.objects.visible_to(OFFICE).filter(deputy_id=viewer.user_id, valid_to__gt=clock.today())
    return list(rows.select_related("principal").order_by("valid_from", "pk"))


def links_of(user_ids: Collection[int]) -> list[Linked]:
    """With whom these people ever were one, both ways; past ones too, for what was done then.

    A deputyship that stood at any moment of a day counts for that whole day: what was done in the morning is not
    undone by ending it at noon.
    """
    rows = Deputyship.objects.visible_to(OFFICE).filter(Q(principal_id__in=user_ids) | Q(deputy_id__in=user_ids))
    found = []
    for row in rows:
        principal, deputy, start, end = row.principal_id, row.deputy_id, row.valid_from, _counts_until(row)
        found += [Linked(principal, deputy, start, end), Linked(deputy, principal, start, end)]
    wanted = set(user_ids)
    return [link for link in found if link.user_id in wanted]


@transaction.atomic
def name_deputy(  # noqa: PLR0913 - what a deputyship is made of
    *, viewer: Viewer, deputy_id: int, area_code: str, valid_from: date, valid_to: date, reason: str
) -> Deputyship:
    """Let a colleague of the same office do the viewer's cases from `valid_from` until before `valid_to`.

    It reaches as far as the viewer's own grants at that office, whatever he is himself deputy for.
    Raises NotOfYourOffice, DeputyPeriodUnusable, DeputyExists.
    """
    refuse_identity_numbers(reason, "reason")
    principal = User.objects.visible_to(OFFICE).select_for_update().get(pk=viewer.user_id)
    if not any(item.user_id == deputy_id and item.area_code == area_code for item in colleagues(viewer)):
        raise NotOfYourOffice(area=near_name(area_code))
    today, most = clock.today(), int(parameter(LIMIT))
    if not today <= valid_from < valid_to or (valid_to - valid_from).days > most:
        raise DeputyPeriodUnusable(valid_from=valid_from, last_day=valid_to - timedelta(days=1), most=most)
    same = Deputyship.objects.visible_to(OFFICE).filter(principal=principal, area_code=area_code)
    if same.filter(valid_from__lt=valid_to, valid_to__gt=valid_from).exists():
        raise DeputyExists(area=near_name(area_code))
    row = Deputyship.objects.create(
        principal=principal, deputy_id=deputy_id, area_code=area_code, valid_from=valid_from, valid_to=valid_to,
        reason=reason.strip(), named_at=clock.now(),
    )  # fmt: skip
    _record(viewer, row, "accounts.name_deputy")
    return row


@transaction.atomic
def end_deputy(*, viewer: Viewer, deputyship_id: int) -> Deputyship:
    """End a deputyship from today on: one's own, or where the viewer looks after accounts.

    The rights end at once; for four eyes the two are still one until the end of the day.
    Raises NotVisible, DeputyEnded.
    """
    rows = Deputyship.objects.visible_to(OFFICE).select_for_update(of=("self",))
    row = rows.filter(pk=deputyship_id).first()
    looked_after = Deputyship.objects.visible_to(viewer, "accounts.write").filter(pk=deputyship_id)
    if row is None or (row.principal_id != viewer.user_id and not looked_after.exists()):
        raise NotVisible(kind="deputyship")
    today = clock.today()
    if row.valid_to <= today:
        raise DeputyEnded(on=row.valid_to)
    row.valid_to, row.ended_by, row.ended_at = max(today, row.valid_from), viewer.user_id, clock.now()
    row.save(update_fields=["valid_to", "ended_by", "ended_at"])
    _record(viewer, row, "accounts.end_deputy")
    return row


def _counts_until(row: Deputyship) -> date:
    """The first day on which the two no longer count as one; `valid_from` if it was ended before it began."""
    if row.ended_by is None:
        return row.valid_to
    if row.ended_at is not None and clock.day_of(row.ended_at) < row.valid_from:
        return row.valid_from
    return row.valid_to + timedelta(days=1)


def _posts() -> QuerySet[GrantRow]:
    rows = GrantRow.objects.visible_to(OFFICE).filter(in_force(clock.today()), user__is_active=True)
    return rows.order_by("pk")


def _record(viewer: Viewer, row: Deputyship, act: str) -> None:
    record(
        Kind.GRANT,
        viewer=viewer,
        area=row.area_code,
        act=act,
        subject=("account", row.deputy_id),
        content={
            "deputyship": row.pk,
            "principal": row.principal_id,
            "deputy": row.deputy_id,
            "area": row.area_code,
            "from": row.valid_from.isoformat(),
            "to": row.valid_to.isoformat(),
            "last_day": (row.valid_to - timedelta(days=1)).isoformat(),
            "reason": row.reason,
        },
    )
