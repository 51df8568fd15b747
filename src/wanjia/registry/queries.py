"""Reading the registry: households and their lists, members, history, relatives. All cut to the viewer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, Sum
from django.utils.translation import override

from wanjia.accounts.models import User
from wanjia.accounts.queries import names_of
from wanjia.divisions.queries import near_name
from wanjia.kernel.errors import Language
from wanjia.protection.masking import MASKS, mask_name
from wanjia.reference.queries import code_list
from wanjia.registry import sealed, searching
from wanjia.registry.choices import IN_HOUSEHOLD, AsOf, Standing, YearState
from wanjia.registry.fields import FIELDS, Field, from_text
from wanjia.registry.models import (
    SCOPE,
    Change,
    HamletYear,
    Household,
    HouseholdYear,
    Membership,
    Person,
    PersonAlias,
    PersonYear,
    Relocation,
    ReportingYear,
    SheetFile,
    SheetImport,
    VillageYear,
    YearCorrection,
)
from wanjia.registry.searching import current_no
from wanjia.registry.spelling import Typed
from wanjia.scope.areas import AreaRange
from wanjia.scope.bulk import pieces
from wanjia.scope.models import holds, range_q
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

READ = "registry.read"
PAGE = 50
PIECE = 1_000  # households read at a time
SUGGESTIONS = searching.MOST_SUGGESTED
SUGGESTED_VILLAGES = 3
FEW_PAGES = 4  # pages' worth of households looked through at a time for those a list holds
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of households is narrowed to. `text` is what was typed: see `searching`."""

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
class SuggestedPerson:
    """Somebody a typed text may mean."""

    household_no: int
    person_no: int
    name: str
    village_code: str

    @property
    def masked(self) -> str:
        return mask_name(self.name)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What a typed text may mean: households, of the people among others; and villages, (code, name)."""

    households: Sequence[HouseholdRow] = ()
    people: Sequence[SuggestedPerson] = ()
    villages: Sequence[tuple[str, str]] = ()


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
class YearRecord:
    """A household in one reporting year. `facts` is a row of the open year, or what a sealed one holds of it.

    `corrected` names the fields in which what is known now differs from what was published; it is
    empty where the published figures were asked for.
    """

    year: int
    sealed: bool
    facts: HouseholdYear
    corrected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """Somebody who belonged to a household in one reporting year, with the facts recorded of him then, if any."""

    person_no: int
    name: str
    sex: str
    birth_date: date | None
    relation: str
    member_status: str
    is_head: bool
    facts: PersonYear | None
    corrected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One act on a household as a history tells it."""

    event_id: UUID
    at: datetime
    by_name: str
    reason: str
    case_no: int | None
    sentences: Sequence[str]


def household_for(viewer: Viewer, household_no: int, action: str = READ) -> Household:
    """One household with the permission to do `action` on it. Raises NotVisible."""
    row = Household.objects.visible_to(viewer, action).filter(pk=household_no).first()
    return row or Household.objects.get_visible(viewer, action=action, pk=current_no(household_no))


def current_person_no(person_no: int) -> int:
    """The number somebody has now, after merges; his own if he was registered once."""
    found = PersonAlias.objects.filter(old_no=person_no).values_list("new_no", flat=True).first()
    return person_no if found is None else current_person_no(found)


def may_read(viewer: Viewer, household_no: int) -> bool:
    """Whether the viewer may read that household."""
    return Household.objects.visible_to(viewer).filter(pk=household_no).exists()


def person_for(viewer: Viewer, person_no: int, action: str = READ) -> Person:
    """One person with the permission to do `action` on him. Raises NotVisible."""
    return Person.objects.get_visible(viewer, action=action, pk=person_no)


def households(viewer: Viewer, filters: Filters | None = None, action: str = READ) -> QuerySet[Household]:
    """The households the viewer may do `action` on, narrowed, in village order."""
    wanted = filters or Filters()
    rows = _narrowed(viewer, wanted, action)
    if wanted.text.strip():
        rows = rows.filter(searching.means(searching.find(viewer, wanted, action), viewer, wanted, action))
    return rows


def _narrowed(viewer: Viewer, wanted: Filters, action: str = READ) -> QuerySet[Household]:
    """The same, whatever was typed."""
    rows = Household.objects.visible_to(viewer, action)
    if wanted.area and not searching.confined(viewer, action, AreaRange.of(wanted.area)):
        rows = rows.filter(range_q("village_code", AreaRange.of(wanted.area)))
    for name, value in (
        ("poverty_status", wanted.status),
        ("household_category", wanted.category),
        ("standing", wanted.standing),
    ):
        if value:
            rows = rows.filter(**{name: value})
    return rows.order_by("village_code", "household_no")


def count_households(viewer: Viewer, filters: Filters | None = None, action: str = READ) -> int:
    """How many there are."""
    return households(viewer, filters, action).count()


def household_page(viewer: Viewer, filters: Filters, after: str = "", size: int = PAGE) -> Page:
    """A page of the list, continued after the cursor of the one before.

    One query where it holds the whole list, else two. A text costs those of `searching.find` besides.
    """
    key = _key_of(after)
    if filters.text.strip():
        return _searched_page(viewer, filters, key, size)
    rows = _narrowed(viewer, filters)
    stretch = list(_rows(_after(rows, key), limit=size + 1))
    total = len(stretch) if key is None and len(stretch) <= size else rows.count()
    return _page(stretch, size, total)


def _searched_page(viewer: Viewer, filters: Filters, key: searching.Key | None, size: int) -> Page:
    found, rows = searching.find(viewer, filters, READ), _narrowed(viewer, filters)
    if found.more:
        first = list(searching.walk(_after(rows, key), found, viewer, size + 1))
        stretch = _these(rows, first, size + 1)
        if key is None and len(stretch) <= size:
            return _page(stretch, size, len(stretch))
        return _page(stretch, size, _at_least(_count_of(found, rows, filters, len(stretch))), at_least=True)
    stretch = _these(rows, sorted(one for one in found.keys if key is None or one > key), size + 1)
    if found.villages:
        theirs = _after(rows.filter(village_code__in=found.villages), key)
        both = [*stretch, *_rows(theirs, limit=size + 1)]
        stretch = sorted(both, key=lambda row: (row.village_code, row.household_no))[: size + 1]
    if key is None and len(stretch) <= size:
        return _page(stretch, size, len(stretch))
    return _page(stretch, size, _count_of(found, rows, filters, 0))


def _page(stretch: Sequence[HouseholdRow], size: int, total: int, *, at_least: bool = False) -> Page:
    last = stretch[size - 1] if len(stretch) > size else None
    cursor = f"{last.village_code}.{last.household_no}" if last else None
    return Page(stretch[:size], total, cursor, at_least=at_least)


def _these(rows: QuerySet[Household], keys: Sequence[searching.Key], limit: int) -> list[HouseholdRow]:
    """The first of a list that are among `keys`, which are in its order."""
    found: list[HouseholdRow] = []
    for some in pieces(keys, FEW_PAGES * limit):
        found += _rows(rows.filter(household_no__among=[home for _, home in some]), limit=limit - len(found))
        if len(found) == limit:
            break
    return found


def _count_of(found: searching.Found, rows: QuerySet[Household], filters: Filters, seen: int) -> int:
    """How many of a list a text is known to mean, and at least as many as were seen."""
    keys = found.keys
    if replace(filters, text="") == Filters(area=filters.area, standing=""):  # whom one may read lives where one may
        count = len(keys)
    else:
        count = rows.filter(household_no__among=[home for _, home in keys]).order_by().count()
    if found.villages:
        count += rows.filter(village_code__in=found.villages).order_by().count()
    return max(seen, count)


def _at_least(count: int) -> int:
    """In whole hundreds where it is hundreds."""
    return count if count < HUNDRED else count // HUNDRED * HUNDRED


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
                rows = self._list.filter(searching.beyond(piece[-1].village_code, piece[-1].household_no))

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
    known = Person.objects.visible_to(viewer).filter(pk__in=numbers).exclude(name="")  # erased people have none
    people = {person.pk: person for person in known}
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


def reporting_years() -> list[ReportingYear]:
    """Every reporting year, newest first."""
    return list(ReportingYear.objects.order_by("-year"))


def open_year() -> int | None:
    """The year corrections of today go to; none before the first load."""
    return ReportingYear.objects.filter(state=YearState.OPEN).values_list("year", flat=True).first()


def years_of(viewer: Viewer, household_no: int, as_of: AsOf = AsOf.KNOWN) -> list[YearRecord]:
    """The household's yearly records, oldest first: sealed years as published or as now known, then the open one.

    Each is cut by where its own record lies: who reads the village a household lived in that year
    reads that year, whoever reads its present village the present one. Three queries at most.
    """
    now = HouseholdYear.objects.visible_to(viewer).filter(household_no=household_no).order_by("year")
    told = _corrections(viewer, household_no, as_of)
    found = [YearRecord(row.year, sealed=False, facts=row) for row in now]
    for year, index in _sealed_years():
        row = sealed.household_of(index, household_no)
        if row is not None and _reads(viewer, row):
            known = overlay_on(row, told.get((year, None), ()))
            found.append(YearRecord(year, sealed=True, facts=row, corrected=known))
    return sorted(found, key=lambda record: record.year)


def persons_of_year(viewer: Viewer, household_no: int, year: int, as_of: AsOf = AsOf.KNOWN) -> list[PersonRecord]:
    """Who belonged to the household in a reporting year, head first; nobody where the viewer reads no such record.

    Of the open year whoever is or was a member. Names are as published in a sealed year.
    """
    index = dict(_sealed_years()).get(year)
    if index is None:
        return _present_people(viewer, household_no, year)
    told = _corrections(viewer, household_no, as_of)
    found: list[PersonRecord] = []
    for person in sealed.people_of(index, household_no):
        facts, village = person["facts"], person.pop("village_code")
        if not _reads(viewer, {"village_code": village, "household_no": household_no}):
            continue
        edits = told.get((year, person["person_no"]), ())
        if edits and facts is None:
            facts = PersonYear(
                person_no=person["person_no"], household_no=household_no, year=year, village_code=village
            )
        corrected = overlay_on(facts, edits) if facts is not None else frozenset()
        found.append(PersonRecord(**person | {"facts": facts}, corrected=corrected))
    return sorted(found, key=lambda person: (not person.is_head, person.person_no))


def counts_of_year(viewer: Viewer, year: ReportingYear) -> dict[str, tuple[int, int]]:
    """Households and members of a sealed year by poverty status, as published, where the viewer reads everybody."""
    return sealed.counts_of(year.serving, viewer.ranges(READ)) if year.is_sealed else {}


def _present_people(viewer: Viewer, household_no: int, year: int) -> list[PersonRecord]:
    if not may_read(viewer, household_no):
        return []
    return [
        PersonRecord(
            person_no=one.person.pk,
            name=one.person.name,
            sex=one.person.sex,
            birth_date=one.person.birth_date,
            relation=one.membership.relation,
            member_status=one.membership.member_status,
            is_head=one.is_head,
            facts=one.year,
        )
        for one in members_of(viewer, household_no, year)
    ]


def _sealed_years() -> list[tuple[int, str]]:
    rows = ReportingYear.objects.filter(state=YearState.SEALED).order_by("year")
    return list(rows.values_list("year", "serving"))


def _reads(viewer: Viewer, row: HouseholdYear | Mapping[str, Any]) -> bool:
    values = row if isinstance(row, Mapping) else {"village_code": row.village_code, "household_no": row.household_no}
    return holds(SCOPE, viewer, values)


def _corrections(viewer: Viewer, household_no: int, as_of: AsOf) -> dict[tuple[int, int | None], list[YearCorrection]]:
    """What was corrected beside sealed years, by year and person, oldest first."""
    found: dict[tuple[int, int | None], list[YearCorrection]] = {}
    if as_of == AsOf.KNOWN:
        rows = YearCorrection.objects.visible_to(viewer).filter(household_no=household_no).order_by("id")
        for row in rows:
            found.setdefault((row.year, row.person_no), []).append(row)
    return found


def overlay_on(
    row: HouseholdYear | PersonYear | VillageYear | HamletYear, edits: Iterable[YearCorrection]
) -> frozenset[str]:
    """Put what was corrected into the row; returns the fields in which it now differs."""
    published: dict[str, Any] = {}
    for edit in edits:
        field = FIELDS[edit.field]
        published.setdefault(field.id, getattr(row, field.name))
        setattr(row, field.name, from_text(field, edit.new))
    return frozenset(name for name, value in published.items() if getattr(row, FIELDS[name].name) != value)


def sealed_record(
    year: ReportingYear, *, household_no: int | None, person_no: int | None
) -> HouseholdYear | PersonYear | None:
    """The record of a sealed year as it is known now, whoever may see it; for services that ask for permission."""
    row: HouseholdYear | PersonYear | None
    row = sealed.household_of(year.serving, household_no) if household_no is not None else None
    if person_no is not None:
        row = sealed.person_of(year.serving, person_no)
    if row is None:
        return None
    row.year = year.year
    told = _corrections(system_viewer("registry.seal"), row.household_no, AsOf.KNOWN)
    overlay_on(row, told.get((year.year, person_no), ()))
    return row


def person_years_of(viewer: Viewer, person_nos: Collection[int]) -> dict[int, PersonYear]:
    """By person his latest yearly facts. One query."""
    rows = PersonYear.objects.visible_to(viewer).filter(person_no__in=list(person_nos)).order_by("year")
    return {row.person_no: row for row in rows}


def relocation_of(viewer: Viewer, household_no: int) -> Relocation | None:
    """The household's move, if it is registered."""
    return Relocation.objects.visible_to(viewer).filter(pk=household_no).first()


def matched_members(viewer: Viewer, household_nos: Iterable[int], text: str) -> dict[int, list[str]]:
    """Whose name the typed text finds, by household, masked: why a household stands in the list.

    Empty for a number, which names its household or person itself. One query.
    """
    text = text.strip()
    typed = Typed.of(text)
    if not typed.form or searching.is_number(text):
        return {}
    people = Person.objects.visible_to(viewer).filter(household_no__in=list(household_nos)).order_by("person_no")
    found: dict[int, list[str]] = {}
    for household_no, name, name_match in people.values_list("household_no", "name", "name_match"):
        if typed.fits(name_match):
            found.setdefault(household_no, []).append(mask_name(name))
    return found


def head_names(viewer: Viewer, household_nos: Iterable[int]) -> dict[int, str]:
    """The heads' names of those households the viewer may read."""
    rows = _with_head(Household.objects.visible_to(viewer).filter(pk__in=list(household_nos)))
    return dict(rows.values_list("household_no", "head_name"))


def history_of(viewer: Viewer, household_no: int, language: Language = "zh", limit: int = 100) -> list[HistoryEntry]:
    """What was changed in the household, newest act first; protected values masked. One query and the authors."""
    return told_by_act(viewer, changes_told(viewer).filter(household_no=household_no), language, limit)


def told_by_act(
    viewer: Viewer, changes: QuerySet[Change], language: Language = "zh", limit: int = 100
) -> list[HistoryEntry]:
    """What these changes did, newest act first; protected values masked. One query and the authors."""
    rows, people = _with_names(viewer, changes, limit * 4)
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


def changes_told(viewer: Viewer) -> QuerySet[Change]:
    """Changes that still say something: of people who were erased only digests are left."""
    return Change.objects.visible_to(viewer).filter(digest=None)


def changes_by_case(viewer: Viewer, case_no: int, language: Language = "zh") -> list[str]:
    """What was changed because of a case, value by value, oldest first; protected values masked."""
    rows, people = _with_names(viewer, changes_told(viewer).filter(case_no=case_no))
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


def suggest(viewer: Viewer, text: str) -> Suggestions:
    """A few people, households and villages that a text may mean, for a search field.

    People with the households they are of; for a number or a village, households alone.
    """
    wanted = Filters(standing="", text=text)
    if not text.strip():
        return Suggestions()
    found, rows = searching.find(viewer, wanted, READ), _narrowed(viewer, wanted)
    best = found.best()
    if found.more and len(best) < SUGGESTIONS:
        keys = list(searching.walk(rows, replace(found, villages=()), viewer, SUGGESTIONS))
        best = _of_walk(viewer, keys, found)
    people = _suggested(viewer, best)
    homes = {person.household_no for person in people} | {home for _, home in sorted(found.homes)[:SUGGESTIONS]}
    shown = {row.household_no: row for row in _rows(rows.filter(pk__in=homes))}
    ordered = dict.fromkeys([person.household_no for person in people] + list(shown))
    villages = [(code, near_name(code)) for code in found.villages[:SUGGESTED_VILLAGES]]
    return Suggestions([shown[home] for home in ordered if home in shown], people, villages)


def _of_walk(viewer: Viewer, keys: Sequence[searching.Key], found: searching.Found) -> list[searching.Bearer]:
    """Those of the households met on a walk whom the text finds."""
    assert found.typed is not None  # noqa: S101 - only names are many
    people = Person.objects.visible_to(viewer).filter(household_no__among=[home for _, home in keys])
    rows = people.order_by("village_code", "household_no", "person_no")
    bearers = rows.values_list("name_match", "village_code", "household_no")
    return [bearer for bearer in bearers if found.typed.fits(bearer[0])][:SUGGESTIONS]


def _suggested(viewer: Viewer, best: Sequence[searching.Bearer]) -> list[SuggestedPerson]:
    """The people of these names in these households, in the order given."""
    if not best:
        return []
    rank = {(name, home): place for place, (name, _, home) in enumerate(best)}
    people = Person.objects.visible_to(viewer).filter(household_no__in={home for _, _, home in best})
    columns = ("name_match", "household_no", "person_no", "name", "village_code")
    rows = [row for row in people.values_list(*columns) if row[:2] in rank]
    rows.sort(key=lambda row: (rank[row[:2]], row[2]))
    return [SuggestedPerson(*row[1:]) for row in rows[:SUGGESTIONS]]


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


def _key_of(cursor: str) -> searching.Key | None:
    village, _, number = cursor.partition(".")
    whole = village.isdigit() and number.isdigit() and len(number) < searching.NUMBER_DIGITS
    return (village, int(number)) if whole else None


def _after(rows: QuerySet[Household], key: searching.Key | None) -> QuerySet[Household]:
    return rows if key is None else rows.filter(searching.beyond(*key))


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
    who = people.get(change.person_no, "") if change.person_no is not None else change.hamlet_code
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
        between, space = (", ", " ") if language == "en" else ("、", "")
        return between.join(f"{book.label(code, language)}{space}({code})" for code in value.split(","))
    return _plain_words(field, value, language)


def _plain_words(field: Field, value: str, language: Language) -> str:
    if field.unit is not None and value.isdecimal():
        return f"{_grouped(field.shown(int(value)))} {field.unit.symbol.text(language)}"
    if value in ("true", "false"):
        return {"zh": {"true": "是", "false": "否"}, "en": {"true": "yes", "false": "no"}}[language][value]
    return value


def _grouped(number: str) -> str:
    """23456.50 as pages write it: 23,456.50."""
    return f"{Decimal(number):,}"


def imports(viewer: Viewer) -> QuerySet[SheetImport]:
    """The imports of sheets in the viewer's area, the newest first."""
    return SheetImport.objects.visible_to(viewer).order_by("-pk")


def import_for(viewer: Viewer, import_id: int) -> SheetImport:
    """One of them. Raises NotVisible."""
    return SheetImport.objects.get_visible(viewer, pk=import_id)


def files_of(viewer: Viewer, row: SheetImport) -> QuerySet[SheetFile]:
    """The sheets of an import."""
    return SheetFile.objects.visible_to(viewer).filter(of=row).order_by("sheet")


def may_see_import(viewer: Viewer, import_id: int) -> bool:
    """Whether the viewer may see that import."""
    return SheetImport.objects.visible_to(viewer).filter(pk=import_id).exists()
