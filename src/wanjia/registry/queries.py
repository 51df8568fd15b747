"""Reading the registry: households and their lists, members, history, relatives. All cut to the viewer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import override

from wanjia.accounts.models import User
from wanjia.accounts.queries import names_of
from wanjia.kernel import names
from wanjia.kernel.errors import Language
from wanjia.kernel.identity import key_text
from wanjia.protection.masking import MASKS, mask_name
from wanjia.reference.queries import code_list
from wanjia.registry.choices import IN_HOUSEHOLD, Standing
from wanjia.registry.fields import FIELDS, Field
from wanjia.registry.models import (
    Change,
    Household,
    HouseholdAlias,
    HouseholdYear,
    Membership,
    Person,
    PersonAlias,
    PersonYear,
    Relocation,
)
from wanjia.scope.areas import AreaRange
from wanjia.scope.bulk import pieces
from wanjia.scope.keys import keyring
from wanjia.scope.models import range_q
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

READ = "registry.read"
PAGE = 50
PIECE = 1_000  # households read at a time
SUGGESTIONS = 10
COMMON = 2_000  # people; more of one name are not gathered to find the page they begin with
HUNDRED = 100
NUMBER_DIGITS = 10  # our own numbers are shorter than this
SHORTEST_NUMBER = 15  # characters from which a text is taken for an identity number


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of households is narrowed to. `text` is a name, a household number, or a whole identity number."""

    area: str = ""
    status: str = ""
    category: str = ""
    standing: str = Standing.LIVE.value
    text: str = ""

    def as_codes(self) -> dict[str, str]:
        """The filters as an audit entry may hold them: what was typed is only said to be there."""
        return {**asdict(self), "text": "typed" if self.text else ""}


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """A household in a list."""

    household_no: int
    village_code: str
    hamlet: str
    head_name: str
    member_count: int
    household_category: str
    poverty_status: str
    standing: str
    identified_year: int
    exit_year: int | None

    @property
    def head_masked(self) -> str:
        return mask_name(self.head_name)

    @property
    def standing_label(self) -> str:
        return str(Standing(self.standing).label)


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list read after a key; `next_cursor` continues it, None at the end.

    `at_least` says that `total` is where counting stopped: there are more.
    """

    rows: Sequence[HouseholdRow]
    total: int
    next_cursor: str | None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a household with the stay that belongs to it."""

    person: Person
    membership: Membership
    is_head: bool
    year: PersonYear | None

    @property
    def healths(self) -> list[str]:
        """The codes of his health in the year shown."""
        return self.year.health.split(",") if self.year and self.year.health else []


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One act on a household as a history tells it."""

    event_id: UUID
    at: datetime
    by_name: str
    reason: str
    case_no: int | None
    sentences: Sequence[str]


def current_no(household_no: int) -> int:
    """The number a household has now, after merges; its own if it was never merged."""
    found = HouseholdAlias.objects.filter(old_no=household_no).values_list("new_no", flat=True).first()
    return household_no if found is None else current_no(found)


def household_for(viewer: Viewer, household_no: int, action: str = READ) -> Household:
    """One household with the permission to do `action` on it. Raises NotVisible."""
    row = Household.objects.visible_to(viewer, action).filter(pk=household_no).first()
    return row or Household.objects.get_visible(viewer, action=action, pk=current_no(household_no))


def may_read(viewer: Viewer, household_no: int) -> bool:
    """Whether the viewer may read that household."""
    return Household.objects.visible_to(viewer).filter(pk=household_no).exists()


def person_for(viewer: Viewer, person_no: int, action: str = READ) -> Person:
    """One person with the permission to do `action` on him. Raises NotVisible."""
    return Person.objects.get_visible(viewer, action=action, pk=person_no)


def households(viewer: Viewer, filters: Filters | None = None, action: str = READ) -> QuerySet[Household]:
    """The households the viewer may do `action` on, narrowed, in village order."""
    wanted = filters or Filters()
    rows = Household.objects.visible_to(viewer, action)
    if wanted.area and not _confined(viewer, action, AreaRange.of(wanted.area)):
        rows = rows.filter(range_q("village_code", AreaRange.of(wanted.area)))
    for name, value in (
        ("poverty_status", wanted.status),
        ("household_category", wanted.category),
        ("standing", wanted.standing),
    ):
        if value:
            rows = rows.filter(**{name: value})
    if wanted.text.strip():
        rows = rows.filter(_found(viewer, wanted, action))
    return rows.order_by("village_code", "household_no")


def count_households(viewer: Viewer, filters: Filters | None = None, action: str = READ) -> int:
    """How many there are."""
    return households(viewer, filters, action).count()


def household_page(viewer: Viewer, filters: Filters, after: str = "", size: int = PAGE) -> Page:
    """A page of the list, continued after the cursor of the one before.

    One query where it holds the whole list, else two; of a name one more.
    """
    common = _common_name(viewer, filters)
    rows = households(viewer, filters) if common is None else _with_one_of(common.people, viewer, filters)
    key = _key_of(after)
    stretch = list(_rows(rows if key is None else rows.filter(_beyond(*key)), limit=size + 1))
    more = len(stretch) > size
    last = stretch[size - 1] if more else None
    cursor = f"{last.village_code}.{last.household_no}" if last else None
    if common is not None:
        total = _at_least(common, viewer, filters, len(stretch))
    else:
        total = len(stretch) if key is None and not more else rows.count()
    return Page(stretch[:size], total, cursor, at_least=common is not None)


class WholeList:
    """Every row of the list, a piece at a time, each found by the key of the row before it.

    So the first row need not wait for the last, and no statement stays open while a download is slow. The
    pieces are of different instants: whoever promises the list asks `as_it_is` after its last row.
    """

    def __init__(self, viewer: Viewer, filters: Filters, action: str = READ) -> None:
        self._list = households(viewer, filters, action)
        self._rows = 0
        self._sum = 0

    def __iter__(self) -> Iterator[HouseholdRow]:
        self._rows = self._sum = 0
        rows, more = self._list, True
        while more:
            piece = list(_rows(rows, limit=PIECE))
            for row in piece:
                self._rows += 1
                self._sum += row.household_no
                yield row
            if more := len(piece) == PIECE:
                rows = self._list.filter(_beyond(piece[-1].village_code, piece[-1].household_no))

    def as_it_is(self) -> bool:
        """Whether the rows read are those of the list now: as many, and their numbers add up to the same."""
        found = self._list.order_by().aggregate(rows=Count("*"), sum=Sum("household_no"))
        return (found["rows"], found["sum"] or 0) == (self._rows, self._sum)


def rows_for(viewer: Viewer, household_nos: Iterable[int]) -> list[HouseholdRow]:
    """List rows of those households the viewer may read, in village order; removed ones too."""
    return list(_rows(households(viewer, Filters(standing="")).filter(pk__in=list(household_nos))))


def members_of(viewer: Viewer, of: Household | int, year: int | None = None) -> list[Member]:
    """Who is and was in the household, head first, then who is there, with facts of `year`. Three queries at most.

    `of` is its number, or the household as the same viewer has fetched it.
    """
    household = household_for(viewer, of) if isinstance(of, int) else of
    stays = list(Membership.objects.visible_to(viewer).filter(household_no=household.pk))
    numbers = [stay.person_no for stay in stays]
    people = {person.pk: person for person in Person.objects.visible_to(viewer).filter(pk__in=numbers)}
    facts: dict[int, PersonYear] = {}
    if year is not None:
        rows = PersonYear.objects.visible_to(viewer).filter(person_no__in=numbers, year=year)
        facts = {row.person_no: row for row in rows}
    members = [
        Member(people[stay.person_no], stay, stay.person_no == household.head_person_no, facts.get(stay.person_no))
        for stay in stays
        if stay.person_no in people
    ]
    return sorted(members, key=lambda one: (not one.is_head, not one.membership.in_household, one.person.pk))


def years_of(viewer: Viewer, household_no: int) -> list[HouseholdYear]:
    """The household's yearly facts, oldest first."""
    return list(HouseholdYear.objects.visible_to(viewer).filter(household_no=household_no).order_by("year"))


def person_years_of(viewer: Viewer, person_nos: Collection[int]) -> dict[int, PersonYear]:
    """By person his latest yearly facts. One query."""
    rows = PersonYear.objects.visible_to(viewer).filter(person_no__in=list(person_nos)).order_by("year")
    return {row.person_no: row for row in rows}


def relocation_of(viewer: Viewer, household_no: int) -> Relocation | None:
    """The household's move, if it is registered."""
    return Relocation.objects.visible_to(viewer).filter(pk=household_no).first()


def matched_members(viewer: Viewer, household_nos: Iterable[int], text: str) -> dict[int, list[str]]:
    """Whose name the typed text begins, by household, masked: why a household stands in the list.

    Empty for a number, which names its household or person itself. One query.
    """
    text = text.strip()
    if not text or _is_number(text):
        return {}
    people = Person.objects.visible_to(viewer).filter(household_no__in=list(household_nos))
    # not `begins`: the people of fifty households are found by household, not among all of a common name
    rows = people.filter(name_match__startswith=names.match_form(text)).order_by("person_no")
    found: dict[int, list[str]] = {}
    for household_no, name in rows.values_list("household_no", "name"):
        found.setdefault(household_no, []).append(mask_name(name))
    return found


def _is_number(text: str) -> bool:
    return text.isdecimal() or len(key_text(text) or "") >= SHORTEST_NUMBER


def head_names(viewer: Viewer, household_nos: Iterable[int]) -> dict[int, str]:
    """The heads' names of those households the viewer may read."""
    rows = _with_head(Household.objects.visible_to(viewer).filter(pk__in=list(household_nos)))
    return dict(rows.values_list("household_no", "head_name"))


def history_of(viewer: Viewer, household_no: int, language: Language = "zh", limit: int = 100) -> list[HistoryEntry]:
    """What was changed in the household, newest act first; protected values masked. One query and the authors."""
    rows, people = _with_names(viewer, Change.objects.visible_to(viewer).filter(household_no=household_no), limit * 4)
    acts: dict[UUID, list[Change]] = {}
    for row in rows:
        acts.setdefault(row.event_id, []).append(row)
    authors = names_of(row.by_user for row in rows)
    return [
        HistoryEntry(
            event_id=event_id,
            at=changes[0].at,
            by_name=authors.get(changes[0].by_user, ""),
            reason=changes[0].reason,
            case_no=changes[0].case_no,
            sentences=[_sentence(change, people, language) for change in reversed(changes)],
        )
        for event_id, changes in list(acts.items())[:limit]
    ]


def changes_by_case(viewer: Viewer, case_no: int, language: Language = "zh") -> list[str]:
    """What was changed because of a case, value by value, oldest first; protected values masked."""
    rows, people = _with_names(viewer, Change.objects.visible_to(viewer).filter(case_no=case_no))
    return [_sentence(row, people, language) for row in reversed(rows)]


def earlier_name(person_no: int, household_no: int, at: datetime) -> str:
    """What a member of the household was called at an instant; empty where he has not been renamed since."""
    rows = _everyone(Change).filter(household_no=household_no, person_no=person_no, field="name", at__gte=at)
    return rows.order_by("id").values_list("old", flat=True).first() or ""


def belongs_somewhere(person_no: int) -> bool:
    """Whether somebody is a member of a live household now."""
    present = _everyone(Membership).filter(person_no=person_no, latest=True, member_status__in=sorted(IN_HOUSEHOLD))
    live = _everyone(Household).filter(pk__in=present.values("household_no"), standing=Standing.LIVE)
    return live.exists()


def suggest(viewer: Viewer, text: str) -> list[HouseholdRow]:
    """A few households that fit what was typed, for a search field."""
    if not text.strip() or "\0" in text:  # no column holds a NUL, and PostgreSQL refuses to be asked for one
        return []
    wanted = Filters(standing="", text=text)
    common = _common_name(viewer, wanted)
    rows = households(viewer, wanted) if common is None else _with_one_of(common.people, viewer, wanted)
    return list(_rows(rows, limit=SUGGESTIONS))


def shares_household(person_key: int, household_no: int) -> bool:
    """Whether somebody with this key is or was a member of the household."""
    numbers = _everyone(Person).filter(person_key=person_key).values("person_no")
    return _everyone(Membership).filter(household_no=household_no, person_no__in=numbers).exists()


def merged_into(person_nos: Collection[int]) -> dict[int, int]:
    """Former number → present one, for everybody whose record was merged into one of these, however often."""
    found: dict[int, int] = {}
    waiting = {number: number for number in person_nos}
    while waiting:
        beyond: dict[int, int] = {}
        for some in pieces(sorted(waiting)):
            rows = PersonAlias.objects.filter(new_no__in=some).values_list("old_no", "new_no")
            beyond |= {old: waiting[new] for old, new in rows if old not in found}
        found |= beyond
        waiting = beyond
    return found


def is_relative(user_id: int, household_no: int) -> bool:
    """Whether an account's own person is or was of the household; False where his number is not known.

    A household is all the registry knows of kinship, so relatives who live elsewhere are not found.
    """
    key = id_keys_of([user_id]).get(user_id)
    return key is not None and shares_household(key, household_no)


def id_keys_of(user_ids: Iterable[int]) -> dict[int, int]:
    """The person_key of each account whose own number is known."""
    rows = _everyone(User).filter(id_key__isnull=False)
    found: dict[int, int] = {}
    for numbers in pieces(sorted(set(user_ids))):
        found |= rows.filter(pk__in=numbers).values_list("pk", "id_key")
    return found


def stays_of(person_keys: Iterable[int]) -> set[tuple[int, int]]:
    """(person_key, household_no) of every stay, present or past, of people with these keys."""
    found: set[tuple[int, int]] = set()
    for keys in pieces(sorted(set(person_keys))):
        people = dict(_everyone(Person).filter(person_key__in=keys).values_list("person_no", "person_key"))
        stays = _everyone(Membership).filter(person_no__in=people).values_list("person_no", "household_no")
        found.update((people[person_no], household_no) for person_no, household_no in stays)
    return found


def registered_poor(person_keys: Iterable[int]) -> set[int]:
    """Which of the keys belong to present members of live households (domain.md §11.2)."""
    present = _everyone(Membership).filter(
        person_no=OuterRef("person_no"), latest=True, member_status__in=sorted(IN_HOUSEHOLD)
    )
    people = _everyone(Person).filter(Exists(present))
    found: set[int] = set()
    for keys in pieces(sorted(set(person_keys))):
        found.update(people.filter(person_key__in=keys).values_list("person_key", flat=True))
    return found


def registered_keys(person_keys: Iterable[int]) -> set[int]:
    """Which of the keys belong to somebody registered, now a member or not."""
    found: set[int] = set()
    for keys in pieces(sorted(set(person_keys))):
        found.update(_everyone(Person).filter(person_key__in=keys).values_list("person_key", flat=True))
    return found


def entered_by(household_no: int) -> int | None:
    """The account that entered the household; he does not verify it (domain.md §6.1)."""
    return _everyone(Household).filter(pk=household_no).values_list("entered_by", flat=True).first()


def villages_of(household_nos: Iterable[int]) -> dict[int, str]:
    """The village of each live household of those; for slices that must place their own rows."""
    rows = _everyone(Household).filter(standing=Standing.LIVE)
    found: dict[int, str] = {}
    for numbers in pieces(sorted(set(household_nos))):
        found |= rows.filter(pk__in=numbers).values_list("household_no", "village_code")
    return found


def _everyone(model: Any) -> QuerySet[Any]:
    return model.objects.visible_to(system_viewer("registry.guards"))  # type: ignore[no-any-return]


def _with_head(rows: QuerySet[Household]) -> QuerySet[Any]:
    head = Person._base_manager.filter(person_no=OuterRef("head_person_no"))
    return rows.annotate(head_name=Subquery(head.values("name")))


def _rows(rows: QuerySet[Household], limit: int | None = None) -> Iterator[HouseholdRow]:
    columns = [field.name for field in fields(HouseholdRow)]
    return (HouseholdRow(*row) for row in _with_head(rows).values_list(*columns)[:limit])


def _key_of(cursor: str) -> tuple[str, int] | None:
    village, _, number = cursor.partition(".")
    return (village, int(number)) if village.isdigit() and number.isdigit() and len(number) < NUMBER_DIGITS else None


def _beyond(village: str, number: int) -> Q:
    return Q(village_code__gte=village) & (Q(village_code__gt=village) | Q(household_no__gt=number))


def _confined(viewer: Viewer, action: str, area: AreaRange) -> bool:
    """Whether the viewer reaches nothing outside `area` anyway; counting a county asks every row twice otherwise."""
    return not viewer.is_system and all(area.covers(grant.area) for grant in viewer.grants_for(action))


def _found(viewer: Viewer, filters: Filters, action: str) -> Q:
    """Households that a typed text means; it is looked for among people the viewer may reach."""
    text = filters.text.strip()
    if _is_identity_number(text):
        people = Person.objects.visible_to(viewer, action).filter(person_key=keyring().person_key(text))
        return Q(household_no__in=people.values("household_no"))
    if text.isdecimal():
        return Q(household_no=int(text)) if len(text) < NUMBER_DIGITS else Q(national_household_no=text)
    return Q(household_no__in=_named(viewer, filters, action).values("household_no"))


def _is_identity_number(text: str) -> bool:
    cleaned = key_text(text) or ""
    return len(cleaned) >= SHORTEST_NUMBER and cleaned[:-1].isdigit()


def _named(viewer: Viewer, filters: Filters, action: str = READ) -> QuerySet[Person]:
    """The people in the area looked at whose names begin with what was typed."""
    people = Person.objects.visible_to(viewer, action).filter(name_match__begins=names.match_form(filters.text.strip()))
    if not filters.area or _confined(viewer, action, AreaRange.of(filters.area)):
        return people
    return people.filter(range_q("village_code", AreaRange.of(filters.area)))


@dataclass(frozen=True, slots=True)
class _Common:
    """Many people of one name, and where the first of them live."""

    people: QuerySet[Person]
    homes: frozenset[int]


def _common_name(viewer: Viewer, filters: Filters) -> _Common | None:
    """Those who bear what was typed, if it is a name and many do; a surname may be borne by a sixth of a county."""
    text = filters.text.strip()
    if not text or text.isdecimal() or _is_identity_number(text):
        return None
    people = _named(viewer, filters)
    homes = list(people.values_list("household_no", flat=True)[: COMMON + 1])
    return _Common(people, frozenset(homes[:COMMON])) if len(homes) > COMMON else None


def _with_one_of(people: QuerySet[Person], viewer: Viewer, filters: Filters) -> QuerySet[Household]:
    """The households of a list that have one of many people, found by walking along the list until a page is full."""
    rows = households(viewer, replace(filters, text=""))
    return rows.filter(Exists(people.filter(household_no=OuterRef("household_no"))))


def _at_least(common: _Common, viewer: Viewer, filters: Filters, seen: int) -> int:
    """How many households of a list the first of many people live in, in whole hundreds where it is hundreds."""
    narrower = replace(filters, text="")
    if narrower == Filters(area=filters.area, standing=""):  # whom one may read lives where one may read
        found = len(common.homes)
    else:
        some = common.people.values("household_no")[:COMMON]
        found = households(viewer, narrower).filter(household_no__in=some).count()
    found = max(seen, found)
    return found if found < HUNDRED else found // HUNDRED * HUNDRED


def _with_names(
    viewer: Viewer, changes: QuerySet[Change], limit: int | None = None
) -> tuple[Sequence[Change], Mapping[int, str]]:
    """The changes, newest first, and the names of the people they are of, as far as the viewer may read them."""
    person = Person.objects.visible_to(viewer).filter(person_no=OuterRef("person_no"))
    rows = list(changes.annotate(who=Subquery(person.values("name"))).order_by("-id")[:limit])
    return rows, {row.person_no: row.who for row in rows if row.person_no is not None and row.who is not None}


def _sentence(change: Change, people: Mapping[int, str], language: Language) -> str:
    field = FIELDS.get(change.field)
    old, new = (_shown(change, side, field, language) for side in ("old", "new"))
    who = people.get(change.person_no, "") if change.person_no is not None else ""
    return changed_in_words(field or change.field, old, new, language, who=who, year=change.year)


def changed_in_words(  # noqa: PLR0913 - the parts of one sentence
    field: Field | str, old: str, new: str, language: Language, *, who: str = "", year: int | None = None
) -> str:
    """One value before and after, both in words already."""
    title = field if isinstance(field, str) else field.title.text(language)
    title = f"{title} ({year})" if year is not None else title
    title = f"{who} · {title}" if who else title
    if language == "en":
        return f"{title}: {old or 'nothing'} → {new or 'nothing'}"
    return f"{title}:{old or '空'} → {new or '空'}"


def _shown(change: Change, side: str, field: Field | None, language: Language) -> str:
    if field is not None and field.protected:
        sealed = getattr(change, f"{side}_sealed")
        return words_for(field, sealed.clear(), language) if sealed is not None else ""
    value = str(getattr(change, side))
    return words_for(field, value, language) if field is not None else value


def words_for(field: Field, value: str, language: Language) -> str:
    """A value as people read it: labels instead of codes, amounts with their unit, protected values masked."""
    if not value:
        return value
    if field.protected:
        return MASKS[field.column.mask](value)  # type: ignore[attr-defined]
    if field.name == "standing":
        with override("en" if language == "en" else "zh-hans"):  # not the language of whoever asks
            return str(Standing(value).label)
    if field.code_list:
        book = code_list(field.code_list)
        return "、".join(f"{book.label(code, language)}({code})" for code in value.split(","))
    return _plain_words(field, value, language)


def _plain_words(field: Field, value: str, language: Language) -> str:
    if field.unit is not None and value.isdecimal():
        return f"{field.shown(int(value))} {field.unit.symbol.text(language)}"
    if value in ("true", "false"):
        return {"zh": {"true": "是", "false": "否"}, "en": {"true": "yes", "false": "no"}}[language][value]
    return value
