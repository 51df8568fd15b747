"""Who must not act on a suspect: who entered the data, the household's own people, its contact (§16.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wanjia.casework.choices import Bar
from wanjia.casework.models import Case, CaseSubject
from wanjia.comparison import kinship
from wanjia.comparison.services.run import REGION
from wanjia.registry import queries as registry
from wanjia.registry.choices import IN_HOUSEHOLD
from wanjia.registry.models import Household, Membership, Person
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation

GUARD = system_viewer("comparison.guards")
Barred = dict[tuple[int, int], Bar]

VERIFY = "verify"
# Whoever approves, or refuses to, must not look after the household; its contact may verify it, and should.
APPROVALS = frozenset(
    {"review", "send_back", "decide", "refuse", "stand_by", "look_again", "take", "pass", "confirm", "reopen"}
)


def barred(user_ids: Collection[int], actions: Collection[str], cases: Sequence[Case]) -> dict[str, Barred]:
    """(user, case) → why not, for any household the case is about. Later reasons give way to earlier ones."""
    pairs = {(case.household_no, case.case_no) for case in cases if case.household_no is not None}
    if len(cases) == 1:
        pairs |= {(number, case.case_no) for case in cases for number in case.households}
    else:
        subjects = CaseSubject.objects.visible_to(GUARD).filter(case__in=[case.case_no for case in cases])
        pairs |= {(number, case_no) for number, case_no in subjects.values_list("household_no", "case_id") if number}
    by_household: dict[int, list[int]] = {}
    for household_no, case_no in sorted(pairs):
        by_household.setdefault(household_no, []).append(case_no)
    kin = _kin(user_ids, by_household)
    entered = _entered(user_ids, by_household) if VERIFY in actions else {}
    paired = _paired(user_ids, by_household) if APPROVALS.intersection(actions) else {}
    found: dict[str, Barred] = {code: {} for code in actions}
    for code, own in found.items():
        for bars in (kin, entered if code == VERIFY else {}, paired if code in APPROVALS else {}):
            for (user_id, household_no), bar in bars.items():
                for case_no in by_household[household_no]:
                    own.setdefault((user_id, case_no), bar)
    return found


def _kin(user_ids: Collection[int], households: Collection[int]) -> Barred:
    """Who is, or was, of the household himself, shared a home with one of its people, or stands in a book with one.

    The registry knows a daughter who married out and brothers who parted; the register of public
    security also those who were never poor.
    """
    user_of = {key: user_id for user_id, key in registry.id_keys_of(user_ids).items()}
    if not user_of:
        return {}
    found = _home(user_of, households)
    for pair in _in_one_book(user_of, households):
        found.setdefault(pair, Bar.SAME_BOOK)
    return found


def _home(user_of: Mapping[int, int], households: Collection[int]) -> Barred:
    """By shared homes in the registry; `user_of` are the users by the keys of their own numbers."""
    owns = _people(person_key__in=user_of)
    homes = _stays(person_no__in=owns)
    found: Barred = {}
    wanted = set(households)
    for person_no, household_no, status in homes:
        if household_no in wanted:
            bar = Bar.OWN_HOUSEHOLD if status in IN_HOUSEHOLD else Bar.RELATIVE
            pair = user_of[owns[person_no]], household_no
            found[pair] = bar if found.get(pair) is not Bar.OWN_HOUSEHOLD else Bar.OWN_HOUSEHOLD
    shared: dict[int, set[int]] = {}  # home → the users who ever lived there
    for person_no, household_no, _ in homes:
        shared.setdefault(household_no, set()).add(user_of[owns[person_no]])
    lived_with: dict[int, set[int]] = {}
    for person_no, household_no, _ in _stays(household_no__in=shared):
        lived_with.setdefault(person_no, set()).update(shared[household_no])
    # one of them may be registered a second time where he lives now
    keys = {key: person_no for person_no, key in _people(person_no__in=lived_with).items()}
    for person_no, key in _people(person_key__in=keys).items():
        lived_with.setdefault(person_no, set()).update(lived_with[keys[key]])
    for person_no, household_no, _ in _stays(person_no__in=lived_with, household_no__in=wanted):
        for user_id in lived_with[person_no]:
            found.setdefault((user_id, household_no), Bar.RELATIVE)
    return found


def _in_one_book(user_of: Mapping[int, int], households: Collection[int]) -> set[tuple[int, int]]:
    """(user, household) where somebody who is, or was, of the household stands in a household book with the user."""
    found: set[tuple[int, int]] = set()
    beside: dict[int, set[int]] = {}  # key → the users in whose book it stands
    for key, others in kinship.in_one_book(user_of, REGION).items():
        for other in others:
            beside.setdefault(other, set()).add(user_of[key])
    if not beside:
        return found
    people = _people(person_key__in=beside)
    for person_no, household_no, _ in _stays(person_no__in=people, household_no__in=set(households)):
        found |= {(user_id, household_no) for user_id in beside[people[person_no]]}
    return found


def _people(**which: Any) -> dict[int, int]:
    """Person number → the key of his number; who has none is left out."""
    rows = Person.objects.visible_to(GUARD).filter(person_key__isnull=False, **which)
    return {person_no: key for person_no, key in rows.values_list("person_no", "person_key") if key is not None}


def _stays(**which: Any) -> list[tuple[int, int, str]]:
    rows = Membership.objects.visible_to(GUARD).filter(**which)
    return list(rows.values_list("person_no", "household_no", "member_status"))


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
