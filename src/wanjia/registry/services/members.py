"""Who belongs to a household: who leaves, joins or was registered twice, and its head (domain.md §4.8 T7, T8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID, uuid4

from django.db import transaction

from wanjia.kernel import clock, identity
from wanjia.kernel.identity import Problem
from wanjia.reference.queries import code_list
from wanjia.registry.choices import CERTIFICATE_TYPES, DELETED, HEAD, LEFT_STATUSES, Standing
from wanjia.registry.errors import HeadMustBeNamed, NotAMember, NotOnePerson, NumberRegistered, ValueNotAccepted
from wanjia.registry.fields import FIELDS
from wanjia.registry.models import Household, Membership, Person, PersonAlias
from wanjia.registry.problems import BEFORE_JOINING, NO_CODE, OF_NUMBERS
from wanjia.registry.services.numbers import reserve
from wanjia.registry.services.rows import (
    WRITE,
    by_number,
    closed,
    ended,
    household_writes,
    live_household,
    present_members,
    write,
)
from wanjia.registry.services.writing import Act, Changed, Write, checked_reason, done_before, perform
from wanjia.scope.errors import NotVisible
from wanjia.scope.keys import keyring
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

ANYWHERE = system_viewer("registry.numbers")


@dataclass(frozen=True, slots=True)
class Leaving:
    """A member who leaves: as what (CL-13), why (CL-14) and when."""

    person_no: int
    member_status: str
    change_reason: str
    left_on: date


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who joins: sex, date of birth and kind of certificate are what his number says."""

    name: str
    id_number: str
    relation: str  # CL-06
    change_reason: str  # CL-14
    joined_on: date
    ethnicity: str = ""


@transaction.atomic
def remove_members(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    household_no: int,
    leaving: Sequence[Leaving],
    reason: str,
    new_head: int | None = None,
    former_relations: Mapping[int, str] | None = None,
    case_no: int | None = None,
    event_id: UUID | None = None,
    action: str = WRITE,
) -> Changed:
    """T8: members leave the household. When nobody remains it is cancelled (T7).

    A leaving head needs `new_head` among those who remain; `former_relations` states how others
    are related to the new head, where that changes. Asks for `action`. Raises NotVisible, HouseholdNotLive,
    NotAMember, HeadMustBeNamed, ValueNotAccepted, ReasonMissing.
    """
    act = Act("registry.remove_members", viewer, checked_reason(reason), case_no, event_id)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    household = live_household(viewer, action, household_no)
    return perform(act, _departure(household, leaving, new_head, former_relations or {}))


@transaction.atomic
def change_head(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    household_no: int,
    new_head: int,
    relations: Mapping[int, str],
    reason: str,
    case_no: int | None = None,
    event_id: UUID | None = None,
) -> Changed:
    """Make another member the head; `relations` gives the former head's (and others') relation to him.

    Raises NotVisible, HouseholdNotLive, HeadMustBeNamed, ValueNotAccepted, ReasonMissing.
    """
    act = Act("registry.change_head", viewer, checked_reason(reason), case_no, event_id)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    household = live_household(viewer, WRITE, household_no)
    staying = {member.person_no: member for member in present_members(household)}
    return perform(act, _head_writes(household, staying, new_head, relations))


@transaction.atomic
def add_member(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    household_no: int,
    newcomer: Newcomer,
    reason: str,
    case_no: int | None = None,
    event_id: UUID | None = None,
    action: str = WRITE,
) -> Changed:
    """T8: somebody who was not registered joins the household, as what his reason says (CL-13).

    Asks for `action`. Raises NotVisible, HouseholdNotLive, NumberRegistered, ValueNotAccepted,
    ReasonMissing.
    """
    act = Act("registry.add_member", viewer, checked_reason(reason), case_no, event_id)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    household = live_household(viewer, action, household_no)
    person, stay = newcomer_values(newcomer)
    key = keyring().person_key(str(person["id_number"]))
    if Person.objects.visible_to(ANYWHERE).filter(person_key=key).exists():
        raise NumberRegistered
    at = {"household_no": household_no, "village_code": household.village_code}
    number = reserve("person", 1)
    row = Person(person_no=number, national_person_no="", name="", name_match="", id_valid=False, **at)
    row.save(force_insert=True)
    member = Membership(person_no=number, relation="", member_status="", **at)
    member.save(force_insert=True)
    writes = [write(FIELDS[name], row, value) for name, value in person.items()]
    writes += [write(FIELDS[name], member, value) for name, value in stay.items()]
    return perform(act, [*writes, *household_writes(household, {"member_count": household.member_count + 1})])


@transaction.atomic
def merge_person(  # noqa: PLR0913 - what an act needs to be recorded
    *,
    viewer: Viewer,
    keep: int,
    drop: int,
    reason: str,
    new_head: int | None = None,
    former_relations: Mapping[int, str] | None = None,
    case_no: int | None = None,
    event_id: UUID | None = None,
    action: str = WRITE,
) -> Changed:
    """Somebody registered twice stays where he is `keep`; as `drop` he leaves today, and that number means `keep`.

    A household nobody is left in is cancelled (T7). Asks for `action` where he leaves. Raises
    NotVisible, NotOnePerson when the two do not hold one number, HouseholdNotLive, NotAMember,
    HeadMustBeNamed, ReasonMissing.
    """
    facts = {"person": drop, "now": keep}
    done_as = event_id or uuid4()
    act = Act("registry.merge_person", viewer, checked_reason(reason), case_no, done_as, facts)
    if (earlier := done_before(event_id)) is not None:
        return earlier
    stays = by_number(Membership, viewer, action, [drop], latest=True)
    if drop not in stays:
        raise NotVisible(kind="person")
    keys = dict(Person.objects.visible_to(ANYWHERE).filter(pk__in=[keep, drop]).values_list("person_no", "person_key"))
    if keep == drop or keys.get(keep) is None or keys.get(keep) != keys.get(drop):
        raise NotOnePerson
    household = live_household(viewer, action, stays[drop].household_no)
    leaving = Leaving(drop, DELETED, "", clock.today())
    writes = _departure(household, [leaving], new_head, former_relations or {})
    PersonAlias.objects.create(old_no=drop, new_no=keep, event_id=done_as)
    alias = replace(write(FIELDS["change_reason"], stays[drop], keep), field=FIELDS["new_no"], row=drop, old="")
    return perform(act, [*writes, alias])


def newcomer_values(newcomer: Newcomer) -> tuple[dict[str, object], dict[str, object]]:
    """What the registry will say of somebody who joins, and of his stay. Raises ValueNotAccepted."""
    person = {
        "name": FIELDS["name"].parse(newcomer.name),
        **number_values(newcomer.id_number),
        "ethnicity": FIELDS["ethnicity"].parse(newcomer.ethnicity),
    }
    reasons, relation = code_list("member_change_reason"), FIELDS["relation"].parse(newcomer.relation)
    if not reasons.trait(newcomer.change_reason, "increase"):
        raise ValueNotAccepted(field=FIELDS["change_reason"].title, problem=NO_CODE)
    if relation == HEAD:
        raise ValueNotAccepted(field=FIELDS["relation"].title, problem=NO_CODE)
    stay = {
        "relation": relation,
        "member_status": reasons.trait(newcomer.change_reason, "member_status"),
        "joined_on": FIELDS["joined_on"].parse(newcomer.joined_on),
        "change_reason": newcomer.change_reason,
    }
    return person, stay


def number_values(raw: str) -> dict[str, object]:
    """An identity number with what follows from it: kind of certificate, date of birth, sex (domain.md §3.2, §3.3).

    Raises ValueNotAccepted for a number that is not sound as it stands.
    """
    judged = identity.judge(raw, clock.today())
    if not judged.valid or judged.problem is not None:
        raise ValueNotAccepted(
            field=FIELDS["id_number"].title, problem=OF_NUMBERS[judged.problem or Problem.CHARACTERS]
        )
    return {
        "id_number": judged.text,
        "id_type": CERTIFICATE_TYPES[judged.kind],
        "birth_date": judged.born_on,
        "sex": judged.sex,
    }


def _departure(
    household: Household, leaving: Sequence[Leaving], new_head: int | None, relations: Mapping[int, str]
) -> list[Write]:
    """Members go; those who stay have a head, and where nobody stays the household is cancelled."""
    present = {member.person_no: member for member in present_members(household)}
    chosen = {item.person_no: item for item in leaving}
    if not chosen or len(chosen) != len(leaving) or not chosen.keys() <= present.keys():
        raise NotAMember(household_no=household.household_no)
    writes = [each for item in leaving for each in _leaves(present[item.person_no], item)]
    staying = {number: member for number, member in present.items() if number not in chosen}
    if not staying:
        return [*writes, *closed(household, Standing.CANCELLED)]
    if household.head_person_no in chosen or new_head is not None:
        writes += _head_writes(household, staying, new_head, relations)
    return [*writes, *household_writes(household, {"member_count": len(staying)})]


def _leaves(member: Membership, item: Leaving) -> list[Write]:
    left_on = FIELDS["left_on"].parse(item.left_on)
    reason = FIELDS["change_reason"].parse(item.change_reason)
    if item.member_status not in LEFT_STATUSES or item.member_status not in code_list("member_status").items:
        raise ValueNotAccepted(field=FIELDS["member_status"].title, problem=NO_CODE)
    if not isinstance(left_on, date) or (member.joined_on is not None and left_on < member.joined_on):
        raise ValueNotAccepted(field=FIELDS["left_on"].title, problem=BEFORE_JOINING)
    return list(ended([member], item.member_status, str(reason), left_on))


def _head_writes(
    household: Household, staying: Mapping[int, Membership], new_head: int | None, relations: Mapping[int, str]
) -> list[Write]:
    """The new head's relation, everybody else's stated new one, and the household's pointer to him."""
    if new_head is None or new_head not in staying:
        raise HeadMustBeNamed(household_no=household.household_no)
    field = FIELDS["relation"]
    news = {number: str(field.parse(code)) for number, code in relations.items()} | {new_head: HEAD}
    if not news.keys() <= staying.keys():
        raise NotAMember(household_no=household.household_no)
    after = {number: news.get(number, member.relation) for number, member in staying.items()}
    if list(after.values()).count(HEAD) != 1:
        raise HeadMustBeNamed(household_no=household.household_no)
    writes = [write(field, staying[number], code) for number, code in news.items()]
    return [*writes, *household_writes(household, {"head_person_no": new_head})]
