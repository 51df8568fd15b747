"""Cases, whom they are about, what happened to them, and the counters of the home page."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NoReturn, Self, TypeVar, cast

from django.db import models
from django.db.models import F, Q

from wanjia.casework import declared
from wanjia.casework.choices import Alarm, SubjectKind
from wanjia.casework.rules import Flow, Step
from wanjia.protection.masking import HIDDEN
from wanjia.scope.fields import EncryptedTextField
from wanjia.scope.models import NOTHING, Held, ScopedManager, ScopedModel, ScopeRule, Via, visible_q
from wanjia.scope.reach import stamped
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer
from wanjia.ui.addresses import address

EVERY_TOPIC = ""  # in the counters: all topics together
HELD = {Relation.OWN_CASES: Held("case", "case_no"), Relation.OWN_HOUSEHOLDS: Held("household", "household_no")}


class CaseManager(ScopedManager["Case"]):
    """Cuts each kind of case by the permission its own flow names for reading."""

    def visible_to(self, viewer: Viewer, action: str | None = None) -> models.QuerySet[Case]:
        """The cases `viewer` may reach; without `action`, those he may read."""
        if action is not None or viewer.is_system:
            return super().visible_to(viewer, action)
        permission = {flow.kind: flow.read_permission for flow in declared.flows()}
        wanted = NOTHING
        for kind, action_name in permission.items():
            wanted |= Q(kind=kind) & visible_q(Case.scope_rule, viewer, action_name)
        return stamped(self._rows().filter(wanted), viewer)

    def for_writing(self) -> models.QuerySet[Case]:
        """Rows this slice's services change after they fetched them for a viewer."""
        return self._rows()


class Case(ScopedModel):
    """One question that somebody must answer, where it stands and until when.

    `key` names the suspicion; while a case is open no second one is opened for the same key.
    `area_code` is the smallest area that holds all subjects, `holder_area` the desk it lies on,
    `assignee_id` the last person it was given to. `version` grows with every act and guards
    against two people acting at once. `origin` refers to what opened it; never personal data.
    """

    scope_rule = ScopeRule(
        action="cases.read",  # no role has it: each kind is read under its own flow's permission
        # Its own area holds all its subjects, so it is asked first; a wider case is where its subjects are.
        area=("area_code", Via("casework.CaseSubject", "case_id", "area_code")),
        department="department",
        held=HELD,
    )

    case_no = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    flow_version = models.PositiveSmallIntegerField()
    topic = models.CharField(max_length=20)
    key = models.CharField(max_length=80)
    department = models.CharField(max_length=40, blank=True, default="")
    household_no = models.BigIntegerField(null=True)
    area_code = models.CharField(max_length=15)
    step = models.CharField(max_length=30)
    holder_area = models.CharField(max_length=15)
    holder_user_id = models.BigIntegerField(null=True)
    assignee_id = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()
    step_entered_at = models.DateTimeField()
    warn_on = models.DateField(null=True)
    due_on = models.DateField(null=True)  # last day on which the step is in time
    alarm = models.CharField(max_length=6, blank=True, default=Alarm.NONE)
    raised_to = models.CharField(max_length=15, blank=True, default="")
    outcome = models.CharField(max_length=10, blank=True, default="")
    outcome_note = models.TextField(blank=True, default="")
    outcome_until = models.DateField(null=True)
    proposal = models.JSONField(null=True)
    proposal_sealed = EncryptedTextField(aad="case_no", null=True)  # its sealed parts, until they are written
    origin = models.JSONField(default=dict)
    closed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[CaseManager] = CaseManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "kind"], condition=Q(closed_at=None), name="case_one_open_per_key"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(closed_at__gte=F("opened_at")), name="case_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=False) | Q(due_on__isnull=False), name="case_open_has_a_deadline"
            ),
        ]
        indexes = [
            models.Index(
                fields=["holder_area", "due_on", "case_no"], condition=Q(closed_at=None), name="case_open_by_desk"
            ),
            models.Index(
                fields=["holder_user_id", "due_on"],
                condition=Q(closed_at=None, holder_user_id__isnull=False),
                name="case_open_in_hand",
            ),
            models.Index(
                fields=["area_code", "due_on", "case_no"], condition=Q(closed_at=None), name="case_open_by_area"
            ),
            models.Index(fields=["due_on", "case_no"], condition=Q(closed_at=None), name="case_open_by_deadline"),
            # What many cases due on one day do not tell apart; how many there are, the counters say.
            models.Index(fields=["step", "due_on", "case_no"], condition=Q(closed_at=None), name="case_open_in_step"),
            models.Index(fields=["topic", "due_on", "case_no"], condition=Q(closed_at=None), name="case_open_on_topic"),
            models.Index(fields=["case_no"], condition=Q(closed_at__isnull=False), name="case_closed"),
            models.Index(fields=["household_no"], name="case_by_household"),
            models.Index(fields=["key", "kind"], name="case_by_key"),  # by kind alone nobody looks
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_no}"

    def get_absolute_url(self) -> str:
        return address("casework:case", self.case_no)

    @property
    def flow(self) -> Flow:
        """The flow version the case was opened under."""
        return declared.offered_for(self.kind, self.flow_version).flow

    @property
    def proposed(self) -> dict[str, Any] | None:
        """The proposal with its sealed parts; for carrying it out, never for showing."""
        if self.proposal is None or self.proposal_sealed is None:
            return cast("dict[str, Any] | None", self.proposal)
        return {**self.proposal, **json.loads(self.proposal_sealed.clear())}

    def propose(self, correction: Mapping[str, object] | None) -> None:
        """Keep what was proposed; of sealed parts the row says in clear only that they are there."""
        said = dict(correction or {})
        hidden = {name: value for name, value in said.items() if name in self.flow.sealed}
        self.proposal = said | dict.fromkeys(hidden, HIDDEN) if correction is not None else None
        self.proposal_sealed = json.dumps(hidden, ensure_ascii=False) if hidden else None

    @cached_property
    def households(self) -> tuple[int, ...]:
        """The households the case is about, its own first, for whoever fetched it; they are given when it is opened."""
        rows = CaseSubject.objects.visible_to(system_viewer("casework.history")).filter(case_id=self.pk)
        numbers = {number for number in rows.values_list("household_no", flat=True) if number is not None}
        own = set[int]() if self.household_no is None else {self.household_no}
        return (*own, *sorted(numbers - own))

    @property
    def at(self) -> Step:
        """The step the case stands in."""
        return self.flow.step(self.step)


class CaseSubject(ScopedModel):
    """Whom a case is about, with his own area: each side of a shared case sees its own part.

    `apart` says that his area is not the case's own, so that lists find what reaches them through him alone.
    """

    scope_rule = ScopeRule(action="cases.read", area="area_code")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="subjects")
    subject_kind = models.CharField(max_length=10, choices=[(item.value, item.value) for item in SubjectKind])
    household_no = models.BigIntegerField(null=True)
    person_no = models.BigIntegerField(null=True)
    key = models.BigIntegerField(null=True)
    area_code = models.CharField(max_length=15)
    apart = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(household_no__isnull=False) | Q(person_no__isnull=False) | Q(key__isnull=False),
                name="casesubject_is_somebody",
            )
        ]
        indexes = [
            models.Index(fields=["area_code", "case"], name="casesubject_by_area"),
            models.Index(fields=["area_code", "case"], condition=Q(apart=True), name="casesubject_apart_by_area"),
            models.Index(fields=["household_no"], name="casesubject_by_household"),
            models.Index(fields=["person_no"], name="casesubject_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.subject_kind}"


class HistoryIsWritten(TypeError):
    """The program tried to change what happened; a fault of the program, never of a user."""


class CaseEventRows(models.QuerySet["CaseEvent"]):
    """Rows of history: they can be read and added to."""

    def update(self, **_: Any) -> NoReturn:
        raise HistoryIsWritten("case events are append-only")

    def delete(self) -> NoReturn:
        raise HistoryIsWritten("case events are append-only")


class CaseEventManager(ScopedManager["CaseEvent"]):
    def _rows(self) -> CaseEventRows:
        return CaseEventRows(self.model, using=self._db)

    def of(self, case: Case) -> models.QuerySet[CaseEvent]:
        """What happened to a case its caller was already allowed to fetch."""
        return self.of_many([case.pk])

    def of_many(self, case_nos: Collection[int]) -> models.QuerySet[CaseEvent]:
        """As `of`, for a set."""
        # the area of a case of two counties is the city, which neither reaches
        return stamped(self._rows().filter(case_id__in=case_nos), system_viewer("casework.history"))

    def of_acts(self, actions: Collection[str]) -> models.QuerySet[CaseEvent]:
        """These acts on whichever case, to ask beside cases their reader may fetch whether there was one."""
        return stamped(self._rows().filter(action__in=actions), system_viewer("casework.history"))


class CaseEvent(ScopedModel):
    """One act on one case. Append-only; `salt` blinds its line in the audit entry `event_id`.

    `by_user` is 0 where the platform itself acted; `by_system` then names the work.
    """

    scope_rule = ScopeRule(action="cases.read", area="area_code")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    by_user = models.BigIntegerField()
    by_system = models.CharField(max_length=60, blank=True, default="")
    action = models.CharField(max_length=30)
    from_step = models.CharField(max_length=30, blank=True)
    to_step = models.CharField(max_length=30)
    holder_area = models.CharField(max_length=15)
    holder_user_id = models.BigIntegerField(null=True)
    due_on = models.DateField(null=True)
    outcome = models.CharField(max_length=10, blank=True, default="")
    note = models.TextField(blank=True, default="")
    data = models.JSONField(default=dict)
    area_code = models.CharField(max_length=15)
    event_id = models.UUIDField()
    salt = models.BinaryField(max_length=32)

    objects: ClassVar[CaseEventManager] = CaseEventManager()

    class Meta:
        indexes = [
            models.Index(fields=["case", "id"], name="caseevent_by_case"),
            models.Index(fields=["area_code", "at"], name="caseevent_by_area"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise HistoryIsWritten("case events are append-only")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise HistoryIsWritten("case events are append-only")

    def payload(self) -> dict[str, Any]:
        """What the audit commits to for this row: everything but the salt, in plain values."""
        return payload_of({field.name: getattr(self, field.attname) for field in self._meta.concrete_fields})


@lru_cache(maxsize=64)  # all rows of a bulk act have the same
def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def payload_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a row of history given as values by field name, before it is written."""
    return {
        "action": row["action"],
        "area": row["area_code"],
        "at": _in_utc(row["at"]),
        "by_system": row["by_system"],
        "by_user": row["by_user"],
        "case_no": row["case"],
        "data": row["data"],
        "due_on": row["due_on"].isoformat() if row["due_on"] else None,
        "from": row["from_step"],
        "holder": [row["holder_area"], row["holder_user_id"]],
        "note": row["note"],
        "outcome": row["outcome"],
        "to": row["to_step"],
        "version": row["version"],
    }


C = TypeVar("C", bound=ScopedModel)


class FigureManager(ScopedManager[C]):
    """Figures are for those who oversee an area; a single household's contact sees none."""

    def overseen_by(self, viewer: Viewer) -> models.QuerySet[C]:
        """The figures of each kind inside the areas whose cases the viewer reads in full."""
        if viewer.is_system:
            return stamped(self._rows(), viewer)
        return self._cut(viewer, cast("type[ScopedModel]", self.model).scope_rule)

    def _cut(self, viewer: Viewer, rule: ScopeRule) -> models.QuerySet[C]:
        wanted = NOTHING
        for kind, permission in {flow.kind: flow.read_permission for flow in declared.flows()}.items():
            wanted |= Q(kind=kind) & visible_q(rule, viewer, permission)
        return stamped(self._rows().filter(wanted), viewer)


ON_DESKS = ScopeRule(action="cases.read", area="holder_area")


class CounterManager(FigureManager["CaseCounter"]):
    """The same by where cases are about, which is where their readers look, or by where they lie."""

    def lying_with(self, viewer: Viewer) -> models.QuerySet[CaseCounter]:
        """The figures of the desks inside the areas whose cases the viewer reads in full."""
        return self.overseen_by(viewer) if viewer.is_system else self._cut(viewer, ON_DESKS)


class CaseCounter(ScopedModel):
    """How many open cases lie on a desk, of which place and topic, in a step with these dates; added up, never counted.

    Each case is in two rows: its own topic's, and that of every topic together. `place` is the
    case's area cut to its township; a wider case keeps its own. Acts add rows, `n` of them more or
    fewer; `folded` is the row they are put into. Overdue is a question of the dates, so no row is
    touched when a day passes.
    """

    scope_rule = ScopeRule(action="cases.read", area="place")

    holder_area = models.CharField(max_length=15)
    place = models.CharField(max_length=9)
    kind = models.CharField(max_length=20)
    flow_version = models.PositiveSmallIntegerField()
    topic = models.CharField(max_length=20, blank=True, default=EVERY_TOPIC)
    step = models.CharField(max_length=30)
    raised_to = models.CharField(max_length=15, blank=True, default="")
    warn_on = models.DateField()
    due_on = models.DateField()
    n = models.IntegerField()
    folded = models.BooleanField(default=False)

    objects: ClassVar[CounterManager] = CounterManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "holder_area", "place", "kind", "flow_version", "topic", "step", "raised_to", "warn_on", "due_on",
                ],
                condition=Q(folded=True),
                name="casecounter_one_per_desk_place_step_and_dates",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["topic", "place"], name="casecounter_by_place"),
            models.Index(fields=["topic", "holder_area"], name="casecounter_by_desk"),
            models.Index(fields=["id"], condition=Q(folded=False), name="casecounter_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.holder_area} {self.kind} {self.step} {self.due_on}: {self.n}"


class CaseMove(ScopedModel):
    """How many cases of a township made this move on this day; what reports add up.

    Acts add rows; `folded` is the row they are put into.
    """

    scope_rule = ScopeRule(action="cases.read", area="area_code")

    area_code = models.CharField(max_length=15)
    kind = models.CharField(max_length=20)
    topic = models.CharField(max_length=20)
    on = models.DateField()
    action = models.CharField(max_length=30)
    to_step = models.CharField(max_length=30)
    outcome = models.CharField(max_length=10, blank=True)
    n = models.IntegerField()
    folded = models.BooleanField(default=False)

    objects: ClassVar[FigureManager[Self]] = FigureManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["area_code", "kind", "topic", "on", "action", "to_step", "outcome"],
                condition=Q(folded=True),
                name="casemove_one_per_township_day_and_move",
            ),
        ]
        indexes = [
            models.Index(fields=["on", "area_code"], name="casemove_by_day"),
            models.Index(fields=["area_code"], name="casemove_by_place"),
            models.Index(fields=["id"], condition=Q(folded=False), name="casemove_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.area_code} {self.on} {self.action}: {self.n}"


class AnswerSheet(models.Model):
    """The sheet of answers somebody uploaded last: kept for him alone until he applies it or sends another.

    `rows` is what its cells said, as JSON, encrypted; nothing of it is on a case before it is
    applied. `token` tells one upload from the next, so a page that shows an older one applies nothing.
    """

    user_id = models.BigIntegerField(unique=True)
    token = models.UUIDField()
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    rows = EncryptedTextField(aad="token")
    blank = models.PositiveIntegerField(default=0)  # rows nothing was filled into
    applied_at = models.DateTimeField(null=True)
    applied = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list)  # of an applied sheet: [row, code, zh, en]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at}"
