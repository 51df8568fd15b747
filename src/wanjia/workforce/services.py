"""Pairing contacts with households. A pairing and the holding that gives sight of the household go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import JSON, Kind, common_area, detail, record
from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.registry import queries as registry
from wanjia.registry.errors import ReasonMissing
from wanjia.scope import bulk
from wanjia.scope.errors import NotAllowed
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer
from wanjia.workforce.choices import Objection
from wanjia.workforce.errors import EndsBeforeItBegan, NotPaired, PairingRefused
from wanjia.workforce.models import Pairing
from wanjia.workforce.payloads import pairing_payload
from wanjia.workforce.queries import active_accounts

WRITE = "workforce.write"
LIMIT = "workforce.households_per_contact"
SUBJECT_KIND = "household"
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class NewPairing:
    """A contact to be paired with a household; from today if no day is given."""

    user_id: int
    household_no: int
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A pairing that was not made: its place in what was asked for, and why."""

    place: int
    objection: Objection


@dataclass(frozen=True, slots=True)
class PairingResult:
    """What was paired. `overloaded` are contacts with more households than the limit: a warning, no refusal."""

    event_id: UUID | None
    paired: int
    refused: tuple[Refused, ...]
    overloaded: Mapping[int, int]


@transaction.atomic
def load_pairings(*, viewer: Viewer, pairings: Sequence[NewPairing]) -> PairingResult:
    """Pair many at once, set-based, as one recorded act. Those a rule forbids are left out and reported.

    Raises NotAllowed unless the viewer may do `workforce.write` in every village concerned.
    """
    villages = registry.villages_of(each.household_no for each in pairings)
    for village in set(villages.values()):
        if not viewer.may_throughout(WRITE, village):
            raise NotAllowed(action=WRITE)
    objections = _objections(pairings, villages)
    refused = tuple(Refused(place, why) for place, why in sorted(objections.items()))
    made = [each for place, each in enumerate(pairings) if place not in objections]
    if not made:
        return PairingResult(None, 0, refused, {})
    event_id = _write(viewer, made, villages)
    return PairingResult(event_id, len(made), refused, _overloaded(each.user_id for each in made))


def pair(*, viewer: Viewer, user_id: int, household_no: int, valid_from: date | None = None) -> PairingResult:
    """Pair one contact with one household. Raises NotAllowed, PairingRefused."""
    result = load_pairings(viewer=viewer, pairings=[NewPairing(user_id, household_no, valid_from)])
    if result.refused:
        raise PairingRefused(household_no=household_no, objection=result.refused[0].objection.value)
    return result


@transaction.atomic
def unpair(*, viewer: Viewer, user_id: int, household_no: int, reason: str, valid_to: date | None = None) -> None:
    """End a pairing; `valid_to` is the first day on which it no longer holds, today if not said.

    Raises NotPaired (also where the viewer may not do `workforce.write`), EndsBeforeItBegan, ReasonMissing.
    """
    why = reason.strip()
    if not why or len(why) > LONGEST_REASON:
        raise ReasonMissing(shortest=1, longest=LONGEST_REASON)
    refuse_identity_numbers(why, "reason")
    rows = Pairing.objects.visible_to(viewer, WRITE).select_for_update()
    row = rows.filter(user_id=user_id, household_no=household_no, valid_to=None).first()
    if row is None:
        raise NotPaired(household_no=household_no)
    last = valid_to or clock.today()
    if last < row.valid_from:
        raise EndsBeforeItBegan(valid_from=row.valid_from.isoformat())
    row.valid_to, row.ended_by, row.end_reason = last, viewer.user_id, why
    row.save(update_fields=["valid_to", "ended_by", "end_reason"])
    Holding.objects.filter(
        user_id=user_id,
        relation=Relation.OWN_HOUSEHOLDS.value,
        subject_kind=SUBJECT_KIND,
        subject_id=household_no,
        valid_to=None,
    ).update(valid_to=last)
    record(
        Kind.ASSIGNMENT,
        viewer=viewer,
        area=row.village_code,
        act="workforce.unpair",
        subject=(SUBJECT_KIND, household_no),
        content={"contact": user_id, "from": last.isoformat(), "reason": why},
    )


def _objections(pairings: Sequence[NewPairing], villages: Mapping[int, str]) -> dict[int, Objection]:
    """For each place in the list the first rule it offends."""
    accounts = active_accounts(each.user_id for each in pairings)
    keys = registry.id_keys_of(accounts)
    poor = registry.registered_poor(keys.values())
    kin = registry.stays_of(keys.values())
    open_already = _open_pairs(villages)
    today = clock.today()
    found: dict[int, Objection] = {}
    for place, each in enumerate(pairings):
        pair_of = (each.user_id, each.household_no)
        key = keys.get(each.user_id)
        if each.user_id not in accounts:
            found[place] = Objection.ACCOUNT_UNKNOWN
        elif each.household_no not in villages:
            found[place] = Objection.HOUSEHOLD_UNKNOWN
        elif each.valid_from is not None and each.valid_from > today:
            found[place] = Objection.BACKWARDS
        elif pair_of in open_already:
            found[place] = Objection.ALREADY_PAIRED
        elif key is not None and (key, each.household_no) in kin:
            found[place] = Objection.CONTACT_IS_RELATIVE
        elif key is not None and key in poor:
            found[place] = Objection.CONTACT_IS_POOR
        else:
            open_already.add(pair_of)
    return found


def _open_pairs(villages: Mapping[int, str]) -> set[tuple[int, int]]:
    rows = Pairing.objects.visible_to(system_viewer("workforce.guards")).filter(valid_to=None)
    found: set[tuple[int, int]] = set()
    for numbers in bulk.pieces(sorted(villages)):
        found.update(rows.filter(household_no__in=numbers).values_list("user_id", "household_no"))
    return found


def _write(viewer: Viewer, made: Sequence[NewPairing], villages: Mapping[int, str]) -> UUID:
    event_id, today, count = uuid4(), clock.today(), len(made)
    shared: dict[str, list[Any]] = {
        "user_id": [each.user_id for each in made],
        "valid_from": [each.valid_from or today for each in made],
    }
    numbers = [each.household_no for each in made]
    details = [
        detail(pairing_payload(user, number, start))
        for user, number, start in zip(shared["user_id"], numbers, shared["valid_from"], strict=True)
    ]
    bulk.insert(
        Pairing,
        {
            **shared,
            "household_no": numbers,
            "village_code": [villages[number] for number in numbers],
            "event_id": [event_id] * count,
            "seq": list(range(count)),
            "salt": [item.salt for item in details],
            "paired_by": [viewer.user_id] * count,
            "end_reason": [""] * count,
        },
    )
    bulk.insert(
        Holding,
        {
            **shared,
            "relation": [Relation.OWN_HOUSEHOLDS.value] * count,
            "subject_kind": [SUBJECT_KIND] * count,
            "subject_id": numbers,
        },
    )
    content: dict[str, JSON] = {"households": len(set(numbers)), "contacts": len(set(shared["user_id"]))}
    record(
        Kind.ASSIGNMENT,
        viewer=viewer,
        area=common_area(villages[number] for number in numbers),
        act="workforce.pair",
        subject=(SUBJECT_KIND, numbers[0]) if count == 1 else None,
        content=content,
        details=(item.digest for item in details),
        event_id=event_id,
    )
    return event_id


def _overloaded(user_ids: Iterable[int]) -> dict[int, int]:
    """Contacts above the limit, with how many households they have now."""
    limit = int(parameter(LIMIT))
    rows = Pairing.objects.visible_to(system_viewer("workforce.guards")).filter(valid_to=None)
    counts: Counter[int] = Counter()
    for some in bulk.pieces(sorted(set(user_ids))):
        counts.update(rows.filter(user_id__in=some).values_list("user_id", flat=True))
    return {user: count for user, count in counts.items() if count > limit}
