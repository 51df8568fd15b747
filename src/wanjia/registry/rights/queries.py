"""Everything the registry holds about one person, and who looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wanjia.accounts.queries import names_of
from wanjia.audit.access import access_store
from wanjia.kernel.errors import Language
from wanjia.registry import comparing
from wanjia.registry.fields import FIELDS, as_text, fields_of
from wanjia.registry.models import Change, Household, Membership, Person, PersonYear
from wanjia.registry.queries import words_for
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

REVEAL = "registry.reveal"
READINGS = 200
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


def held_about(viewer: Viewer, person_no: int, language: Language) -> Held:
    """Everything held about somebody whose full record the viewer may see. Raises NotVisible.

    Of former households only their number and days are told: the others in them are not the person asked about.
    """
    person = Person.objects.get_visible(viewer, action=REVEAL, pk=person_no)
    stays = list(Membership.objects.visible_to(SUBJECT).filter(person_no=person_no).order_by("joined_on", "pk"))
    years = list(PersonYear.objects.visible_to(SUBJECT).filter(person_no=person_no).order_by("year"))
    looked = _readings(person, language)
    return Held(
        person=person,
        household=Household.objects.visible_to(SUBJECT).get(pk=person.household_no),
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


def _changes(person_no: int, language: Language) -> list[ChangedField]:
    rows = list(Change.objects.visible_to(SUBJECT).filter(person_no=person_no).order_by("-id"))
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
    titles = [FIELDS[name].title.text(language) for name in names.split(",") if name in FIELDS]
    return "、".join(titles)
