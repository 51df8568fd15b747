"""Corrections of a household: removal, exit, the year it was identified."""

from __future__ import annotations

from wanjia.casework.declared import Ask, AskedField
from wanjia.comparison.corrections.kind import (
    DONE,
    Intent,
    Said,
    Why,
    editing,
    household_asked,
    household_said,
    planned,
)
from wanjia.comparison.corrections.matter import Matter, Unusable
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.registry import services as registry
from wanjia.registry.choices import EXITED, Standing
from wanjia.registry.fields import EARLIEST_YEAR, FIELDS
from wanjia.registry.models import Household
from wanjia.registry.services import Edit
from wanjia.scope.viewer import Viewer

EXITS_BACK = 4  # years


def removal_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    return household_asked(matter, language)


def removal(matter: Matter, said: Said) -> Intent:
    """T5. Two suspects of one household may both end so: the second finds it done."""
    home = household_said(matter, said)
    if not home.is_live:
        return DONE

    def write(viewer: Viewer, why: Why) -> object:
        return registry.remove_household(viewer=viewer, household_no=home.pk, reason=why.reason, case_no=why.case_no)

    return Intent([planned(home, "standing", Standing.REMOVED.value)], write)


def exit_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    years = tuple((str(year), str(year)) for year in _exit_years(matter))
    asked = AskedField(
        name="exit_year", title=FIELDS["exit_year"].title, kind=Ask.CHOICE, choices=years, usual=years[0][0]
    )
    return (*household_asked(matter, language), asked)


def _exit_years(matter: Matter) -> range:
    this_year = clock.today().year
    first = min((matter.household(number).identified_year for number in matter.households), default=this_year)
    return range(this_year, min(this_year, max(first, this_year - EXITS_BACK)) - 1, -1)


def exit(matter: Matter, said: Said) -> Intent:  # noqa: A001 - the word of the field
    """T3. A household that has exited already stays as it is."""
    home, year = _live(household_said(matter, said)), int(said["exit_year"])
    if home.poverty_status == EXITED:
        return DONE
    if year < home.identified_year:
        raise Unusable("脱贫年度早于识别年度", "the year of exit lies before the year it was identified")

    def write(viewer: Viewer, why: Why) -> object:
        return registry.exit_normally(
            viewer=viewer, household_no=home.pk, exit_year=year, reason=why.reason, case_no=why.case_no
        )

    return Intent([planned(home, "poverty_status", EXITED), planned(home, "exit_year", year)], write)


def identified_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    years = tuple((str(year), str(year)) for year in range(EARLIEST_YEAR, clock.today().year + 1))
    asked = AskedField(name="identified_year", title=FIELDS["identified_year"].title, kind=Ask.CHOICE, choices=years)
    return (*household_asked(matter, language), asked)


def identified(matter: Matter, said: Said) -> Intent:
    home, year = _live(household_said(matter, said)), int(said["identified_year"])
    if home.exit_year is not None and home.exit_year < year:
        raise Unusable("识别年度晚于脱贫年度", "the year it was identified lies after its year of exit")
    return editing(matter, [Edit("identified_year", year, household_no=home.pk)])


def field_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    parts = (("field", Sentence("登记项目", "Registered value")), ("new", Sentence("更正为", "New value")))
    return (*household_asked(matter, language), *(AskedField(name=name, title=title) for name, title in parts))


def field(matter: Matter, said: Said) -> Intent:
    home = household_said(matter, said)
    return editing(matter, [Edit(said["field"], said["new"], household_no=home.pk)])


def _live(home: Household) -> Household:
    if not home.is_live:
        raise Unusable("该户已清退或注销", "the household was removed or cancelled")
    return home
