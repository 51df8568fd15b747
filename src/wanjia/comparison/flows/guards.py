"""Who must not act on a suspect: who entered the data, the household's own people, its contact (§16.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from wanjia.casework.choices import Bar
from wanjia.casework.models import Case, CaseSubject
from wanjia.casework.rules import Action
from wanjia.registry import queries as registry
from wanjia.registry.choices import IN_HOUSEHOLD
from wanjia.registry.models import Household, Membership, Person
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation

GUARD = system_viewer("comparison.guards")
Barred = dict[tuple[int, int], Bar]

# Whoever approves, or refuses to, must not look after the household; its contact may verify it, and should.
APPROVALS = frozenset({"review", "send_back", "decide", "refuse", "take", "pass", "confirm", "reopen"})


def barred(user_ids: Collection[int], action: Action, cases: Sequence[Case]) -> Barred:
    """(user, case) → why not, for any household the case is about. Later reasons give way to earlier ones."""
    pairs = {(case.household_no, case.case_no) for case in cases if case.household_no is not None}
    subjects = CaseSubject.objects.visible_to(GUARD).filter(case__in=[case.case_no for case in cases])
    pairs |= {(number, case_no) for number, case_no in subjects.values_list("household_no", "case_id") if number}
    by_household: dict[int, list[int]] = {}
    for household_no, case_no in sorted(pairs):
        by_household.setdefault(household_no, []).append(case_no)
    found: Barred = {}
    for bars in (
        _kin(user_ids, by_household),
        _entered(user_ids, by_household) if action.code == "verify" else {},
        _paired(user_ids, by_household) if action.code in APPROVALS else {},
    ):
        for (user_id, household_no), bar in bars.items():
            for case_no in by_household[household_no]:
                found.setdefault((user_id, case_no), bar)
    return found


def _kin(user_ids: Collection[int], households: Collection[int]) -> Barred:
    """People who are, or were, of the household themselves: all the registry knows of kinship."""
    user_of = {key: user_id for user_id, key in registry.id_keys_of(user_ids).items()}
    if not user_of:
        return {}
    people = dict(
        Person.objects.visible_to(GUARD).filter(person_key__in=user_of).values_list("person_no", "person_key")
    )
    stays = Membership.objects.visible_to(GUARD).filter(person_no__in=people, household_no__in=households)
    found: Barred = {}
    for person_no, household_no, status in stays.values_list("person_no", "household_no", "member_status"):
        key = people[person_no]
        if key is not None:
            found[user_of[key], household_no] = Bar.OWN_HOUSEHOLD if status in IN_HOUSEHOLD else Bar.RELATIVE
    return found


def _entered(user_ids: Collection[int], households: Collection[int]) -> Barred:
    rows = Household.objects.visible_to(GUARD).filter(pk__in=households, entered_by__in=user_ids)
    return {(user_id, number): Bar.ENTERED_DATA for number, user_id in rows.values_list("household_no", "entered_by")}


def _paired(user_ids: Collection[int], households: Collection[int]) -> Barred:
    return dict.fromkeys(contacts(user_ids, households), Bar.PAIRED)


def contacts(user_ids: Collection[int], households: Collection[int]) -> set[tuple[int, int]]:
    """(user, household) for each contact among them; pairings are holdings, whoever wrote them."""
    rows = Holding.objects.filter(
        user_id__in=user_ids,
        relation=Relation.OWN_HOUSEHOLDS.value,
        subject_kind="household",
        subject_id__in=households,
        valid_to=None,
    )
    return set(rows.values_list("user_id", "subject_id"))
