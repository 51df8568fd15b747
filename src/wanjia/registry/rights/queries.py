"""Everything the registry holds about one person, and who looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from wanjia.accounts.queries import names_of
from wanjia.audit.access import access_store
from wanjia.kernel.errors import Language
from wanjia.registry import comparing
from wanjia.registry.choices import ErasureState
from wanjia.registry.fields import FIELDS, TITLES, as_text, fields_of
from wanjia.registry.models import Change, Erasure, Household, Membership, Person, PersonAlias, PersonYear
from wanjia.registry.photos.services import photos_of
from wanjia.registry.queries import words_for
from wanjia.registry.rights.policy import ERASE, left_before, require_not_erased
from wanjia.registry.searching import NUMBER_DIGITS
from wanjia.scope.areas import AreaRange
from wanjia.scope.models import range_q
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

REVEAL = "registry.reveal"
READINGS = 200
PAGE = 50
SUBJECT = system_viewer("registry.rights")


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One value of the person's that somebody changed: what, who, when and why; protected values masked."""

    title: str
    year: int | None
    old: str
    new: str
    at: datetime
    by_name: str
    reason: str
    case_no: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """Somebody looked at the person's record or his household's."""

    at: datetime
    by_name: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """The whole document."""

    person: Person
    household: Household
    facts: Sequence[tuple[str, str]]
    stays: Sequence[tuple[Membership, str]]
    years: Sequence[PersonYear]
    by_year: Sequence[comparing.Row]
    changes: Sequence[ChangedField]
    readings: Sequence[Reading]
    readings_cut: bool  # there are more than are shown
    photos: int  # of his household; they show the family, so the document only counts them


def held_about(viewer: Viewer, person_no: int, language: Language) -> Held:
    """Everything held about somebody whose full record the viewer may see. Raises NotVisible, PersonErased.

    Of former households only their number and days are told: the others in them are not the person asked about.
    """
    person = Person.objects.get_visible(viewer, action=REVEAL, pk=person_no)
    require_not_erased(person)
    stays = list(Membership.objects.visible_to(SUBJECT).filter(person_no=person_no).order_by("joined_on", "pk"))
    years = list(PersonYear.objects.visible_to(SUBJECT).filter(person_no=person_no).order_by("year"))
    looked = _readings(person, language)
    household = Household.objects.visible_to(SUBJECT).get(pk=person.household_no)
    return Held(
        person=person,
        household=household,
        photos=photos_of(household).count(),
        facts=[
            (field.title.text(language), words_for(field, as_text(getattr(person, field.name)), language))
            for field in fields_of(Person)
        ],
        stays=[(stay, words_for(FIELDS["relation"], stay.relation, language)) for stay in stays],
        years=years,
        by_year=comparing.side_by_side(years, [field.id for field in fields_of(PersonYear)], language),
        changes=_changes(person_no, language),
        readings=looked[:READINGS],
        readings_cut=len(looked) > READINGS,
    )


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody whose retention is over; `asked` is the number of the erasure that waits, if one does."""

    person_no: int
    name: str
    household_no: int
    village_code: str
    left_on: date
    asked: int | None


@dataclass(frozen=True, slots=True)
class DuePage:
    """A page of them, with the cursor of the next one."""

    rows: Sequence[Due]
    next_cursor: str | None


def due_page(viewer: Viewer, region: str, after: str = "", size: int = PAGE) -> DuePage:
    """People of an area who may be erased now, in the order of villages, continued after a cursor. Two queries.

    The retention period is that of `region`; of who left on a day nobody knows, his own page tells.
    """
    rows = Membership.objects.visible_to(viewer, ERASE).filter(latest=True, left_on__lte=left_before(region))
    rows = rows.filter(range_q("village_code", AreaRange.of(region)))
    rows = rows.exclude(Exists(PersonAlias.objects.filter(old_no=OuterRef("person_no"))))
    village, _, number = after.partition(".")
    if village.isdigit() and number.isdigit() and len(number) < NUMBER_DIGITS:
        beyond = Q(village_code__gt=village) | Q(person_no__gt=int(number))
        rows = rows.filter(beyond, village_code__gte=village)
    found = list(rows.order_by("village_code", "person_no")[: size + 1])
    shown = found[:size]
    numbers = [row.person_no for row in shown]
    people = dict(Person.objects.visible_to(viewer, ERASE).filter(pk__in=numbers).values_list("person_no", "name"))
    asked = Erasure.objects.visible_to(viewer).filter(person_no__in=numbers, state=ErasureState.ASKED)
    waiting = dict(asked.values_list("person_no", "pk"))
    last = shown[-1] if len(found) > size else None
    return DuePage(
        [
            Due(
                row.person_no,
                people.get(row.person_no, ""),
                row.household_no,
                row.village_code,
                row.left_on,
                waiting.get(row.person_no),
            )
            for row in shown
            if row.left_on is not None
        ],
        f"{last.village_code}.{last.person_no}" if last else None,
    )


def erasures(viewer: Viewer, *, waiting: bool) -> QuerySet[Erasure]:
    """Those that wait, the oldest first; or those that are over, the newest first."""
    rows = Erasure.objects.visible_to(viewer)
    return (
        rows.filter(state=ErasureState.ASKED).order_by("pk")
        if waiting
        else rows.exclude(state=ErasureState.ASKED).order_by("-pk")
    )


def erasure_for(viewer: Viewer, erasure_id: int) -> Erasure:
    """One of them. Raises NotVisible."""
    return Erasure.objects.get_visible(viewer, pk=erasure_id)


def names_for(viewer: Viewer, rows: Sequence[Erasure]) -> dict[int, str]:
    """What the people of these erasures are called, while they still are; by their numbers."""
    people = Person.objects.visible_to(viewer, ERASE).filter(pk__in=[row.person_no for row in rows])
    return dict(people.exclude(name="").values_list("person_no", "name"))


def _changes(person_no: int, language: Language) -> list[ChangedField]:
    rows = list(Change.objects.visible_to(SUBJECT).filter(person_no=person_no, digest=None).order_by("-id"))
    names = names_of(row.by_user for row in rows)
    return [_changed(row, names, language) for row in rows]


def _changed(row: Change, names: dict[int, str], language: Language) -> ChangedField:
    field = FIELDS.get(row.field)
    sides = []
    for plain, sealed in ((row.old, row.old_sealed), (row.new, row.new_sealed)):
        text = sealed.clear() if sealed is not None else plain
        sides.append(words_for(field, text, language) if field is not None else text)
    return ChangedField(
        title=field.title.text(language) if field is not None else row.field,
        year=row.year,
        old=sides[0],
        new=sides[1],
        at=row.at,
        by_name=names.get(row.by_user, ""),
        reason=row.reason,
        case_no=row.case_no,
    )


def _readings(person: Person, language: Language) -> list[Reading]:
    """Of the person himself and of the household's pages he stood on, newest first."""
    found: list[dict[str, Any]] = []
    for kind, number in (("person", person.pk), ("household", person.household_no)):
        found += access_store().readings([("", None)], limit=READINGS + 1, subject_kind=kind, subject_id=number)
    found.sort(key=lambda row: str(row["at"]), reverse=True)
    names = names_of({int(row["actor_id"]) for row in found})
    return [
        Reading(
            at=datetime.fromisoformat(str(row["at"])),
            by_name=names.get(int(row["actor_id"]), ""),
            what=_field_words(str(row["fields"]), language),
            reason=str(row.get("reason") or ""),
        )
        for row in found
    ]


def _field_words(names: str, language: Language) -> str:
    titles = [TITLES[name].text(language) for name in names.split(",") if name in TITLES]
    return (", " if language == "en" else "、").join(titles)
