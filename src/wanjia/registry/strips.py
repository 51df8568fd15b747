"""A household's status year by year, for the strip at the head of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wanjia.registry.choices import POOR
from wanjia.registry.models import Household, HouseholdYear

EXITED, RETURNED, POOR_STATUS = "1", "3", "0"


@dataclass(frozen=True, slots=True)
class YearStatus:
    """One year of the strip. Poor, exited and returned are told apart by word and shape (domain.md §4.8)."""

    year: int
    status: str
    recorded: bool  # from that year's record, not inferred from the years of identification, exit and return

    @property
    def tone(self) -> str:
        if self.status == RETURNED:
            return "warn"
        return "waiting" if self.status in POOR else "active" if self.status == "2" else "done"


def status_strip(household: Household, years: Sequence[HouseholdYear], this_year: int) -> list[YearStatus]:
    """From identification to this year, or to the year it left the registry."""
    recorded = {each.year: each.poverty_status for each in years if each.poverty_status}
    last = household.removed_on.year if household.removed_on else this_year
    strip = []
    for year in range(household.identified_year, last + 1):
        status = recorded.get(year)
        if status is None and year == last and household.is_live:
            strip.append(YearStatus(year, household.poverty_status, recorded=True))
        else:
            strip.append(YearStatus(year, status or _inferred(household, year), recorded=status is not None))
    return strip


def _inferred(household: Household, year: int) -> str:
    exited = household.exit_year is not None and year >= household.exit_year
    returned = household.return_year is not None and year >= household.return_year
    if exited and returned:
        assert household.exit_year is not None and household.return_year is not None  # noqa: S101, PT018 - just said
        return EXITED if household.exit_year > household.return_year else RETURNED
    if returned:
        return RETURNED
    return EXITED if exited else POOR_STATUS
