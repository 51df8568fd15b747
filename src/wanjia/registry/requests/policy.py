"""Which correction stands at once, and which one a township or a county must look at first.

The policy is data: one parameter for each group of fields says how many levels look at a change (0 none, 1 the
township, 2 the township and then the county). Whoever may only propose is looked at by the township at least.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wanjia.kernel import clock
from wanjia.reference.queries import parameter
from wanjia.registry.choices import RequestState
from wanjia.registry.fields import FIELDS, YUAN, Field, fields_of
from wanjia.registry.models import Household, HouseholdYear, Membership, Person, PersonYear, Relocation
from wanjia.scope.viewer import Viewer

PROPOSE, WRITE, APPROVE = "registry.propose", "registry.write", "registry.approve"
TOWNSHIP_LENGTH, COUNTY_LENGTH = 9, 6
DIRECT, TOWNSHIP, COUNTY = 0, 1, 2  # how many levels look at it

_NAMED: Mapping[str, frozenset[str]] = MappingProxyType({
    "contact": frozenset({"phone", "member_phone", "bank_name", "bank_account", "hamlet", "longitude", "latitude"}),
    "standing": frozenset({
        "recognition_standard", "household_category", "identified_year", "main_cause", "other_causes", "cause_note",
        "village_no", "year_household_category", "year_poverty_status", "year_main_cause",
    }),
    "health": frozenset({"health", "disease_name", "disease_grade", "disability_type", "disability_grade",
                         "disability_cert_year", "on_dibao", "on_tekun"}),
    "income": frozenset(
        field.id for field in fields_of(HouseholdYear) if field.unit is YUAN
    ) | {"period_start", "period_end", "year_member_count"},
})  # fmt: skip
_BY_TABLE = {
    Household: "family", Person: "identity", Membership: "identity", HouseholdYear: "living", PersonYear: "work",
    Relocation: "relocation",
}  # fmt: skip
GROUPS = ("contact", "family", "standing", "identity", "income", "living", "work", "health", "relocation")


def group_of(field: Field) -> str:
    """The group whose parameter decides about a field."""
    for group, names in _NAMED.items():
        if field.id in names:
            return group
    return _BY_TABLE[field.model]  # type: ignore[index]


def levels_for(name: str, region: str, *, proposes_only: bool) -> int:
    """How many levels look at a change of the field `name` in an area: DIRECT, TOWNSHIP or COUNTY."""
    levels = int(parameter(f"registry.review.{group_of(FIELDS[name])}", clock.today(), region))
    return min(COUNTY, max(levels, TOWNSHIP if proposes_only else DIRECT))


def waits_in_sealed_year(name: str, region: str) -> bool:
    """Whether a second person looks at a correction of a sealed year: wherever anybody looks at one of the open year.

    The county decides about sealed years, so the second person is of the county whatever the group's levels.
    """
    return levels_for(name, region, proposes_only=False) > DIRECT


def first_step(viewer: Viewer, village_code: str, levels: int) -> RequestState:
    """Where a request begins: at the township, unless who proposes decides for townships by a post of his own.

    What he may do for a colleague he stands in for is no second pair of eyes.
    """
    decides = viewer.acting_for(0).may_throughout(APPROVE, village_code[:TOWNSHIP_LENGTH])
    return RequestState.COUNTY if levels == COUNTY and decides else RequestState.TOWNSHIP


def desk_of(state: RequestState, village_code: str) -> str:
    """The seat of the office that acts at a step."""
    return village_code[: COUNTY_LENGTH if state is RequestState.COUNTY else TOWNSHIP_LENGTH]
