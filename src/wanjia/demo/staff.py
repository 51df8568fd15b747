"""The people who work in the demo county: one login per role, and the colleagues around them.

The logins people try are short words; everybody else is numbered by area. All of them share
one password, printed when the demo starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from wanjia.demo import names

PASSWORD = "wanjia-demo-2020"  # noqa: S105 - of people who do not exist, on loopback, printed at start


@dataclass(frozen=True, slots=True)
class Post:
    """One account with one grant; `zh` and `en` say whose desk it is."""

    username: str
    display_name: str
    role: str
    area: str
    zh: str
    en: str
    department: str = ""
    shown: bool = False  # one of the logins printed at start


@dataclass(frozen=True, slots=True)
class Place:
    """A township of the county with its villages, as codes and names."""

    code: str
    name: str
    villages: Sequence[tuple[str, str]]


def posts(
    random: Random, *, county: tuple[str, str], city: tuple[str, str], places: Sequence[Place], stage: str
) -> Iterator[Post]:
    """Everybody. `county` and `city` are (code, name); `stage` is the village of the logins below the county."""
    yield from _offices(random, county, city)
    for place in places:
        yield from _township(random, place, first=stage.startswith(place.code))
        for village in place.villages:
            yield from _village(random, place, village, first=village[0] == stage)
    place = next(place for place in places if stage.startswith(place.code))
    yield from _secretary(random, place, next(village for village in place.villages if village[0] == stage))


def _name(random: Random) -> str:
    return names.full(random, male=random.random() < 0.6).replace("·", "")


def _offices(random: Random, county: tuple[str, str], city: tuple[str, str]) -> Iterator[Post]:
    province = county[0][:2]
    desks = (
        ("province", "province_data_officer", province, "自治区数据员", "province data officer", ""),
        ("leader", "province_manager", province, "自治区扶贫办负责人", "province manager", ""),
        ("traffic", "department_officer", province, "公安厅数据员", "public security officer", "gongan"),
        ("housing", "department_officer", province, "住建厅数据员", "housing officer", "zhujian"),
        ("auditor", "auditor", province, "审计员", "auditor", ""),
        ("sysadmin", "system_admin", province, "系统管理员", "system administrator", ""),
        ("secadmin", "security_admin", province, "安全管理员", "security administrator", ""),
        ("audadmin", "audit_admin", province, "审计管理员", "audit administrator", ""),
        ("city", "city_office", city[0], f"{city[1]}扶贫办", "city office", ""),
        ("county", "county_office", county[0], f"{county[1]}扶贫办", "county office", ""),
    )
    for username, role, area, zh, en, department in desks:
        yield Post(username, _name(random), role, area, zh, en, department, shown=True)


def _township(random: Random, place: Place, *, first: bool) -> Iterator[Post]:
    code = place.code
    yield Post(
        "township" if first else f"township-{code}",
        _name(random), "township_reviewer", code, f"{place.name}审核人", "township reviewer", shown=first,
    )  # fmt: skip
    for number in (1, 2):
        here = first and number == 1
        yield Post(
            "verifier" if here else f"officer-{code}-{number}",
            _name(random), "information_officer", code, f"{place.name}信息员(核查人)", "information officer (verifier)",
            shown=here,
        )  # fmt: skip


def _village(random: Random, place: Place, village: tuple[str, str], *, first: bool) -> Iterator[Post]:
    code, name = village
    yield Post(
        "village" if first else f"village-{code}",
        _name(random), "village_operator", code, f"{place.name}{name}村级操作员", "village operator", shown=first,
    )  # fmt: skip
    for number in (1, 2):
        here = first and number == 1
        yield Post(
            "contact" if here else f"contact-{code}-{number}",
            _name(random), "household_contact", code, f"{place.name}{name}帮扶联系人", "household contact",
            shown=here,
        )  # fmt: skip


def _secretary(random: Random, place: Place, village: tuple[str, str]) -> Iterator[Post]:
    """The first secretary of the logins' village; last, so that nobody else is named otherwise."""
    code, name = village
    yield Post(
        "secretary", _name(random), "village_secretary", code, f"{place.name}{name}第一书记", "first secretary",
        shown=True,
    )  # fmt: skip
