"""What a case is about, as the registry has it now, read when first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from wanjia.casework.models import Case, CaseSubject
from wanjia.comparison import describing
from wanjia.comparison.choices import ALWAYS_OFFERED
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import HOME_REGION
from wanjia.registry.choices import IN_HOUSEHOLD
from wanjia.registry.fields import EARLIEST_YEAR
from wanjia.registry.models import Household, Membership, Person, PersonYear
from wanjia.ruleset.packs import declared_rules
from wanjia.scope.system import system_viewer

CASE = system_viewer("comparison.case")


class Unusable(Exception):
    """A proposal cannot be used, and why."""

    def __init__(self, zh: str, en: str) -> None:
        self.problem = Sentence(zh, en)
        super().__init__(en)


class Matter:
    """The households and people of one case; whoever asks has fetched it with permission."""

    def __init__(self, case: Case) -> None:
        self.case = case

    @cached_property
    def people(self) -> list[int]:
        """The people the case is about, the one its rule found first."""
        rows = CaseSubject.objects.visible_to(CASE).filter(case=self.case, person_no__isnull=False)
        numbers = {number for number in rows.values_list("person_no", flat=True) if number is not None}
        own = self.case.origin.get("person_no")
        first = [] if own is None else [int(own)]
        return [*first, *sorted(numbers - set(first))]

    @cached_property
    def households(self) -> list[int]:
        """The households of the case, its own first."""
        return list(self.case.households)

    @cached_property
    def _homes(self) -> dict[int, Household]:
        rows = Household.objects.visible_to(CASE).filter(pk__in=self.households)
        return {row.pk: row for row in rows}

    @cached_property
    def _persons(self) -> dict[int, Person]:
        return {row.pk: row for row in Person.objects.visible_to(CASE).filter(pk__in=self.people)}

    @cached_property
    def stays(self) -> dict[int, Membership]:
        """By person the stay his record stands on."""
        rows = Membership.objects.visible_to(CASE).filter(person_no__in=self.people, latest=True)
        return {row.person_no: row for row in rows}

    @cached_property
    def _members(self) -> dict[int, list[Membership]]:
        rows = Membership.objects.visible_to(CASE).filter(household_no__in=self.households, latest=True)
        found: dict[int, list[Membership]] = {number: [] for number in self.households}
        for row in rows.filter(member_status__in=sorted(IN_HOUSEHOLD)).order_by("person_no"):
            found[row.household_no].append(row)
        return found

    @cached_property
    def _names(self) -> dict[int, str]:
        numbers = [row.person_no for rows in self._members.values() for row in rows]
        rows = Person.objects.visible_to(CASE).filter(pk__in={*numbers, *self.people})
        return dict(rows.values_list("person_no", "name"))

    @cached_property
    def evidence(self) -> Mapping[str, Any]:
        """What the first record behind the case says; empty where it is not kept any more."""
        found = describing.behind(self.case.origin)
        return found[0][0].evidence if found else {}

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """What the rule that raised the case offers."""
        return offers_of([self.case])[self.case.case_no]

    def household(self, number: int) -> Household:
        """Raises Unusable."""
        found = self._homes.get(number)
        if found is None:
            raise Unusable("不是本件所涉的户", "it is not a household of this case")
        return found

    def person(self, number: int) -> Person:
        """Raises Unusable."""
        found = self._persons.get(number)
        if found is None:
            raise Unusable("不是本件所涉的人", "it is nobody this case is about")
        return found

    def home_of(self, person_no: int) -> Household:
        """The household somebody of the case belongs to now. Raises Unusable if he has left, or it has."""
        stay = self.stays.get(self.person(person_no).pk)
        if stay is None or not stay.in_household:
            raise Unusable("此人已不是在户成员", "the person is not a member any more")
        home = self.household(stay.household_no)
        if not home.is_live:
            raise Unusable("该户已清退或注销", "the household was removed or cancelled")
        return home

    def others(self, person_no: int) -> list[Membership]:
        """Who would stay if somebody of the case left."""
        stay = self.stays.get(person_no)
        return [] if stay is None else [row for row in self._members[stay.household_no] if row.person_no != person_no]

    def leads_others(self, person_no: int) -> bool:
        """Whether he is the head of a household others belong to."""
        stay = self.stays.get(person_no)
        home = None if stay is None else self._homes.get(stay.household_no)
        return home is not None and home.head_person_no == person_no and bool(self.others(person_no))

    def name(self, person_no: int) -> str:
        """What somebody of these households is called."""
        return self._names.get(person_no, str(person_no))

    def year_of(self, person_no: int) -> PersonYear | None:
        """The latest facts of somebody's year on record."""
        rows = PersonYear.objects.visible_to(CASE).filter(person_no=person_no)
        return rows.order_by("-year").first()


class Anybody(Matter):
    """Any case about one person of one household who leads nobody: what a sheet of many cases asks by."""

    def __init__(self) -> None:
        super().__init__(Case())
        self.people, self.households, self.stays, self.evidence = [0], [0], {}, {}

    def household(self, number: int) -> Household:
        """One that was identified when the first were."""
        return Household(household_no=number, identified_year=EARLIEST_YEAR)

    def year_of(self, person_no: int) -> None:
        """Nobody's."""
        del person_no


def offers_of(cases: Sequence[Case]) -> dict[int, tuple[str, ...]]:
    """What the rule behind each case offers, by case number: as it ran, or today's if its run kept nothing of this."""
    rules = describing.rules_by_run(case.origin["run"] for case in cases if "run" in case.origin)
    found, today = {}, None
    for case in cases:
        topic = case.origin.get("rule", case.topic)
        ran = rules.get(case.origin.get("run"), {}).get(topic)
        offered = ran.corrections if ran is not None else ()
        if not offered:
            today = today or {rule.id: rule.corrections for rule in declared_rules(region=HOME_REGION)}
            offered = today.get(topic, tuple(code.value for code in ALWAYS_OFFERED))
        found[case.case_no] = offered
    return found
