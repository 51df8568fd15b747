"""A county at the end of its year: the earlier years are sealed, and in the open one an allowance lost a digit.

    WANJIA_HOME=… python -m tests.journeys.year_end

In a home that the demo has built. The registry's services let no such allowance in; a database another program
has written to holds it. Ends with one line of JSON: the household, and the year.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any

from bench import county

ALLOWANCE, TYPED = "2400.00", 240_00  # what the family gets, in yuan; and what stands there, in fen


def build() -> dict[str, Any]:
    from wanjia.accounts.models import User
    from wanjia.accounts.queries import viewer_for
    from wanjia.audit.testing import unrecorded
    from wanjia.registry.choices import Standing, YearState
    from wanjia.registry.models import Household, HouseholdYear, ReportingYear
    from wanjia.registry.services import Edit, checks_of, correct, seal_year
    from wanjia.scope.system import system_viewer

    builder = system_viewer("demo.build")
    for year in ReportingYear.objects.filter(state=YearState.EARLIER).order_by("year").values_list("year", flat=True):
        seal_year(viewer=builder, year=year, confirmed={each.code: each.count for each in checks_of(builder, year)})

    operator = viewer_for(User.objects.get_visible(builder, username="village"))
    homes = Household.objects.visible_to(operator).filter(standing=Standing.LIVE)
    household = homes.order_by("household_no")[0]
    parts = (("dibao_grant", ALLOWANCE), ("other_transfer", "360.00"))
    edits = [Edit(field, value, household_no=household.pk) for field, value in parts]
    correct(viewer=builder, edits=edits, reason="年度收入采集录入")
    with unrecorded():
        facts = HouseholdYear.objects.visible_to(builder).filter(household_no=household.pk, year=household.year)
        facts.update(dibao_grant=TYPED)
    return {"household": household.pk, "year": household.year}


def main() -> None:
    import django

    django.setup()
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    with county.on(date(2020, 11, 13)), serving(system_viewer("demo.build")):
        told = build()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
