"""Who did what: trails of subjects and people, and whether an entry still tells the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.audit import acts, names, rules, subjects
from wanjia.audit.access import access_store
from wanjia.audit.details import DetailSource, sources
from wanjia.audit.errors import NoSuchEvent
from wanjia.audit.models import Opening, Outbox
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.tlog.merkle import RootBuilder

TRAIL_LENGTH = 200
COMMITTING = "audit.commit_access"  # the system's work that would fill the log: one entry each minute
ROWS_OF_A_PAGE = 50  # a list shows as many subjects; each has a row of its own


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One line of a history: who, when, what, as a sentence in the reader's language."""

    event_id: UUID
    at: datetime
    actor: str
    actor_id: int
    roles: tuple[str, ...]
    act: str
    sentence: str
    count: int  # of the rows a bulk act touched, 1 of any other
    area: str
    subject_kind: str
    subject_title: str
    subject_url_name: str
    subject_id: int | None
    erased: bool
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DetailVerdict:
    """Whether the detail rows of a bulk act are still those its entry covers; None if not looked at."""

    count: int
    intact: bool | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked of an entry. `problems` are codes of `PROBLEMS`; none means it is true."""

    event_id: UUID
    at: datetime
    problems: tuple[str, ...]
    erased: bool
    details: DetailVerdict | None

    @property
    def true(self) -> bool:
        return not self.problems


PROBLEMS = {
    "entry_missing": ("存证条目不存在", "the entry is gone"),
    "entry_differs": ("存证条目与登记内容不一致", "the entry does not belong to this content"),
    "commitment_differs": ("登记内容被改动过", "the recorded content was altered"),
    "details_differ": ("明细被改动、增加或缺失", "detail rows were altered, added or removed"),
}


def trail(viewer: Viewer, subject_kind: str, subject_id: int, *, limit: int = TRAIL_LENGTH) -> list[TrailEntry]:
    """What was done to one subject, newest first, as far as `viewer` may know.

    Whoever may open the subject reads all of its history (`subjects.declare`); others the part
    that lies in an area where they hold `audit.read`.
    """
    reader = system_viewer("audit.trail") if subjects.may_read_history(viewer, subject_kind, subject_id) else viewer
    rows = Opening.objects.visible_to(reader).filter(subject_kind=subject_kind, subject_id=subject_id)
    return told(rows.order_by("-id")[:limit])


def acts_of(viewer: Viewer, actor_id: int) -> QuerySet[Opening]:
    """What one person did, newest first, in the areas where `viewer` holds `audit.read`."""
    return found(viewer, {"actor": actor_id})


def found(viewer: Viewer, lookup: Mapping[str, Any], *, oldest_first: bool = False) -> QuerySet[Opening]:
    """What was recorded in the areas where `viewer` holds `audit.read`, newest first unless asked otherwise.

    `lookup` narrows it: actor, subject_kind, subject_id, kind, since and until (days in China,
    both included), and `by_people` without what commits the access record each minute. Raises KeyError
    for anything else.
    """
    rows = Opening.objects.visible_to(viewer).order_by("id" if oldest_first else "-id")
    for name, value in lookup.items():
        rows = rows.filter(_NARROWING[name](value))
    return rows


_BEFORE_ANYTHING = date(1949, 10, 1)  # the first days of the calendar are no instants in UTC


def _begins(day: date) -> datetime:
    """The first instant of a day in China, as far back as anything was recorded."""
    return clock.start_of(max(day, _BEFORE_ANYTHING))


_NARROWING: dict[str, Callable[[Any], Q]] = {
    "actor": lambda number: Q(actor_id=number),
    "subject_kind": lambda kind: Q(subject_kind=kind),
    "subject_id": lambda number: Q(subject_id=number),
    "kind": lambda kind: Q(kind=kind),
    "since": lambda day: Q(at__gte=_begins(day)),
    "by_people": lambda _: ~Q(actor_system=COMMITTING),
    "until": lambda day: Q(at__lt=_begins(day + timedelta(days=1))) if day < date.max else Q(),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of the access record: who looked at what of whom, on which page and why.

    A page that shows many subjects is one line; `subject_ids` are all of them.
    """

    at: datetime
    actor: str
    actor_id: int
    action: str
    subject_title: str
    subject_ids: tuple[int, ...]
    fields: str
    page: str
    reason: str
    area: str

    @property
    def listed(self) -> str:
        """All the subjects' numbers."""
        return ", ".join(map(str, self.subject_ids))


def readings(viewer: Viewer, lookup: Mapping[str, Any]) -> list[Reading]:
    """The newest readings of personal data in the areas where `viewer` holds `audit.read`.

    Of this machine; `lookup` narrows it by actor, subject_kind, subject_id, since and until.
    """
    columns = {"actor": "actor_id", "subject_kind": "subject_kind", "subject_id": "subject_id"}
    equal = {columns[name]: value for name, value in lookup.items() if name in columns}
    first, last = lookup.get("since"), lookup.get("until")
    since = None if first is None else _begins(first)
    before = None if last is None or last == date.max else _begins(last + timedelta(days=1))
    ranges = [(area.lo, area.hi) for area in viewer.ranges("audit.read")]
    rows = access_store().readings(ranges, limit=TRAIL_LENGTH * ROWS_OF_A_PAGE, since=since, before=before, **equal)
    views = [list(rows) for _, rows in islice(groupby(rows, key=_view), TRAIL_LENGTH)]
    people = names.of(view[0]["actor_id"] for view in views)
    language = get_language() or "zh"
    return [
        Reading(
            at=datetime.fromisoformat(row["at"]),
            actor=_called(people, row["actor_id"], row["actor_system"]),
            subject_title=subjects.title(row["subject_kind"], language),
            subject_ids=tuple(sorted(each["subject_id"] for each in view)),
            page=subjects.page_read(row["action"], row["subject_kind"], row["fields"], language),
            fields=subjects.fields_read(row["fields"], language),
            **{name: row[name] for name in ("actor_id", "action", "reason", "area")},
        )
        for view in views
        for row in view[:1]
    ]


# What the rows of one look have in common: they were appended at one instant.
_view = itemgetter("at", "actor_id", "actor_system", "action", "subject_kind", "fields", "reason")


def _called(people: Mapping[int, str], actor_id: int, system: str) -> str:
    """A person's name, the system with the name of the work it did, or a bare number."""
    if not actor_id and system:
        return _("系统（%(work)s）") % {"work": system}
    return people.get(actor_id, "") or f"#{actor_id}"


def told(rows: Iterable[Opening]) -> list[TrailEntry]:
    """Openings as lines of a history, in the reader's language."""
    lines = list(rows)
    people = names.of(row.actor_id for row in lines)
    language = get_language() or "zh"
    return [_line(row, people, language) for row in lines]


def _line(row: Opening, people: dict[int, str], language: str) -> TrailEntry:
    payload = row.payload or {}
    count = payload.get("details", {}).get("count", 1)
    return TrailEntry(
        event_id=row.event_id,
        at=row.at,
        actor=_called(people, row.actor_id, row.actor_system),
        actor_id=row.actor_id,
        roles=tuple(payload.get("actor", {}).get("roles", ())),
        act=row.act,
        sentence=acts.sentence(row.act, language, {"count": count} | row.content),
        count=count,
        area=row.area,
        subject_kind=row.subject_kind,
        subject_title=subjects.title(row.subject_kind, language),
        subject_url_name=subjects.url_name(row.subject_kind),
        subject_id=row.subject_id,
        erased=row.payload is None,
        content=row.content,
    )


def opening_for(viewer: Viewer, event_id: UUID) -> Opening:
    """One opening, if it lies where `viewer` holds `audit.read` or belongs to a subject he may open.

    Raises NoSuchEvent.
    """
    row = Opening.objects.visible_to(system_viewer("audit.trail")).filter(event_id=event_id).first()
    if row is None:
        raise NoSuchEvent(event_id=event_id)
    if not readable(viewer, [row]):
        raise NoSuchEvent(event_id=event_id)
    return row


def readable(viewer: Viewer, rows: Iterable[Opening]) -> frozenset[UUID]:
    """The events among `rows` that lie where `viewer` holds `audit.read`, or belong to a subject he may open."""
    found = list(rows)
    mine = Opening.objects.visible_to(viewer).filter(pk__in=[row.pk for row in found])
    seen = set(mine.values_list("event_id", flat=True))
    asked: dict[tuple[str, int], bool] = {}
    for row in found:
        if row.event_id in seen or row.subject_id is None:
            continue
        subject = (row.subject_kind, row.subject_id)
        if subject not in asked:
            asked[subject] = subjects.may_read_history(viewer, *subject)
        if asked[subject]:
            seen.add(row.event_id)
    return frozenset(seen)


def entry_of(event_id: UUID) -> dict[str, Any] | None:
    """The public entry of an event, or None when there is none."""
    stored = Outbox.objects.filter(event_id=event_id).values_list("entry", flat=True).first()
    return None if stored is None else json.loads(bytes(stored))


def verify_event(event_id: UUID, *, most_details: int | None = None) -> Verdict:
    """Recompute what an entry committed to: payload, both digests, and the root over its details.

    With `most_details`, an act over more rows than that is verified without them, and the verdict
    says so. Raises NoSuchEvent. Answers for anybody; show it only for an event fetched with permission.
    """
    row = Opening.objects.visible_to(system_viewer("audit.verify")).filter(event_id=event_id).first()
    if row is None:
        raise NoSuchEvent(event_id=event_id)
    entry = entry_of(event_id)
    problems: list[str] = []
    if entry is None:
        problems.append("entry_missing")
    if row.payload is None or row.salt is None:
        return Verdict(event_id, row.at, tuple(problems), erased=True, details=None)
    if entry is not None:
        commitment = rules.commit(bytes(row.salt), row.payload)
        if (entry["commit"], entry["sm3"]) != (commitment.sha256, commitment.sm3):
            problems.append("commitment_differs")
        if not _belongs(entry, row):
            problems.append("entry_differs")
    details = _verify_details(event_id, row.payload, most_details)
    if details is not None and details.intact is False:
        problems.append("details_differ")
    return Verdict(event_id, row.at, tuple(problems), erased=False, details=details)


def _belongs(entry: dict[str, Any], row: Opening) -> bool:
    payload = row.payload or {}
    subject = [row.subject_kind, row.subject_id] if row.subject_kind else None
    said = (entry["event_id"], entry["at"], entry["area"], entry["kind"])
    meant = (payload["event_id"], payload["at"], rules.public_area(payload["area"]), row.kind)
    columns = (str(row.event_id), row.act, row.area, row.actor_id, subject)
    opened = (payload["event_id"], payload["act"], payload["area"], payload["actor"]["user"], payload["subject"])
    return said == meant and columns == opened


def _verify_details(event_id: UUID, payload: dict[str, Any], most: int | None) -> DetailVerdict | None:
    expected = payload.get("details")
    if expected is None:
        return None
    if most is not None and expected["count"] > most:
        return DetailVerdict(expected["count"], intact=None)
    for source in sources():
        if _root_of(source, event_id) == (expected["count"], expected["root"]):
            return DetailVerdict(expected["count"], intact=True, source=source.label)
    return DetailVerdict(expected["count"], intact=False)


def _root_of(source: DetailSource, event_id: UUID) -> tuple[int, str]:
    builder = RootBuilder()
    for salt, payload in source.rows(event_id):
        builder.add(rules.row_digest(salt, payload))
    return builder.size, builder.root().hex()
