"""What the policy says, on a day and in a region; from memory, a few seconds behind the tables at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from wanjia.kernel import clock
from wanjia.kernel.remember import Remembered
from wanjia.kernel.workdays import WorkCalendar
from wanjia.reference.choices import LineKind
from wanjia.reference.errors import NoValue
from wanjia.reference.models import (
    CalendarDay,
    Code,
    CodeList,
    Parameter,
    PovertyLine,
    Profile,
    ProfileSwitch,
    Revision,
)
from wanjia.reference.rules import CodeBook, CodeItem, Dated, LineKey, Phase, Reference, Switch, amount, in_force

HOME_REGION = "45"
PROFILE_OVERRIDE = "profile.code"  # a parameter that fixes the phase; else the day decides


def _token() -> str:
    return Revision.objects.values_list("token", flat=True).first() or ""


def _load() -> Reference:
    return Reference(
        code_lists={row.name: (row.title_zh, row.title_en) for row in CodeList.objects.all()},
        codes=_codes(),
        parameters=_parameters(),
        lines=_lines(),
        days=_days(),
        phases=_phases(),
    )


def _codes() -> dict[str, list[tuple[str, CodeItem]]]:
    codes: dict[str, list[tuple[str, CodeItem]]] = {}
    for row in Code.objects.order_by("code_list_id", "vintage", "position"):
        item = CodeItem(
            code=row.code,
            means=row.means if row.vintage else row.code,
            label_zh=row.label_zh,
            label_en=row.label_en,
            synonyms=tuple(row.synonyms),
            traits=row.traits,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        codes.setdefault(row.code_list_id, []).append((row.vintage, item))
    return codes


def _parameters() -> dict[str, list[Dated]]:
    found: dict[str, list[Dated]] = {}
    for row in Parameter.objects.all():
        found.setdefault(row.name, []).append(Dated(row.region, row.valid_from, row.valid_to, row.value, row.source))
    return found


def _lines() -> dict[LineKey, list[Dated]]:
    found: dict[LineKey, list[Dated]] = {}
    for row in PovertyLine.objects.all():
        found.setdefault(LineKey(row.year, row.kind), []).append(
            Dated(row.region, row.valid_from, row.valid_to, amount(row.amount), row.source)
        )
    return found


def _days() -> dict[date, dict[str, str]]:
    found: dict[date, dict[str, str]] = {}
    for row in CalendarDay.objects.all():
        found.setdefault(row.day, {})[row.region] = row.kind
    return found


def _phases() -> list[Phase]:
    switches: dict[str, dict[str, Switch]] = {}
    for row in ProfileSwitch.objects.order_by("id"):
        switches.setdefault(row.profile_id, {})[row.code] = Switch(
            row.code, row.is_on, row.title_zh, row.title_en, row.legal_source
        )
    return [
        Phase(row.code, row.title_zh, row.title_en, row.valid_from, row.valid_to, row.terms, switches.get(row.code, {}))
        for row in Profile.objects.order_by("valid_from")
    ]


_remembered: Remembered[Reference] = Remembered(_load, _token)


def look_again() -> None:
    """Notice a change of the tables at the next question."""
    _remembered.look_again()


def code_list(name: str, on: date | None = None) -> CodeBook:
    """The code list `name` as it stands on a day, today if not said.

    Raises UnknownCodeList.
    """
    return _remembered.get().book(name, on or clock.today())


def label_of(name: str, code: str, lang: str) -> str:
    """The label of a code, "" when the list or the code is unknown; for screens, which never fail."""
    reference = _remembered.get()
    if name not in reference.code_lists:
        return ""
    label = reference.book(name, clock.today()).label(code, lang)
    return "" if label == code else label


def parameter(name: str, on: date | None = None, region: str = HOME_REGION) -> Any:
    """The value of a parameter on a day in a region (a division code; the nearest region's value).

    Raises NoValue.
    """
    return parameter_in_force(name, on, region).value


def parameter_in_force(name: str, on: date | None = None, region: str = HOME_REGION) -> Dated:
    """The same with where it comes from and since when it holds. Raises NoValue."""
    day = on or clock.today()
    found = in_force(_remembered.get().parameters.get(name, ()), day, region)
    if found is None:
        raise NoValue(name=name, on=day.isoformat(), region=region)
    return found


def poverty_line(year: int, kind: str = LineKind.WORKING, region: str = HOME_REGION, on: date | None = None) -> Decimal:
    """The line of a year in yuan per head and year, as it was known on `on` (today if not said).

    An exit is judged by the line of the year of the exit (domain.md §4.9). Raises NoValue.
    """
    day = on or clock.today()
    found = in_force(_remembered.get().lines.get(LineKey(year, str(kind)), ()), day, region)
    if found is None:
        raise NoValue(name=f"poverty_line {kind} {year}", on=day.isoformat(), region=region)
    return amount(found.value)


def calendar(region: str = HOME_REGION) -> WorkCalendar:
    """The working days of a region: the country's days off, the region's own, and make-up days."""
    return _remembered.get().calendar(region)


def profile(on: date | None = None) -> Phase:
    """The phase of a day: the one an administrator has fixed, else the one the day lies in.

    Raises NoValue.
    """
    day = on or clock.today()
    reference = _remembered.get()
    fixed = in_force(reference.parameters.get(PROFILE_OVERRIDE, ()), day, HOME_REGION)
    for phase in reference.phases:
        if phase.code == fixed.value if fixed and fixed.value else phase.holds_on(day):
            return phase
    raise NoValue(name="profile", on=day.isoformat(), region=HOME_REGION)


def phases() -> Sequence[Phase]:
    """All phases, oldest first."""
    return _remembered.get().phases


@dataclass(frozen=True, slots=True)
class ParameterToday:
    """A parameter with the value in force; `value` None while none is."""

    name: str
    title: str
    value: Dated | None
    n_values: int


def parameters_today(on: date, language: str, region: str = HOME_REGION) -> list[ParameterToday]:
    """Every parameter with its value in force on a day in a region, by name; for the page."""
    titles = dict(Parameter.objects.values_list("name", f"title_{language}"))
    held = _remembered.get().parameters
    return [
        ParameterToday(name, titles[name], in_force(held.get(name, ()), on, region), len(held.get(name, ())))
        for name in sorted(titles)
    ]


def parameter_rows(name: str) -> list[Parameter]:
    """Every value of a parameter, newest first within a region; for the page."""
    if "\0" in name:  # no column holds one, and PostgreSQL refuses to be asked
        return []
    return list(Parameter.objects.filter(name=name).order_by("region", "-valid_from"))


def line_rows() -> list[PovertyLine]:
    """Every poverty line, newest first; for the page."""
    return list(PovertyLine.objects.order_by("-year", "kind", "region", "-valid_from"))


def list_titles() -> list[CodeList]:
    """The code lists by number; for the page."""
    return list(CodeList.objects.order_by("number", "name"))
