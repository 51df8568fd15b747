"""The policy that comes with the program, read from `data/` into unsaved rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import holidays
import yaml

from wanjia.reference.choices import DayKind, LineKind
from wanjia.reference.errors import DataFileInvalid
from wanjia.reference.models import CalendarDay, Code, CodeList, Parameter, PovertyLine, Profile, ProfileSwitch

DATA = Path(__file__).parent / "data"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it was built: ten times as fast
FROM_THE_START = date(2014, 1, 1)  # the first national registration
LINES_SOURCE = "domain.md §4.9 ({mark})"
HOLIDAYS_SOURCE = "国务院办公厅放假通知（holidays {version}）"


@dataclass(slots=True)
class Files:
    """All rows the files hold, not yet saved."""

    code_lists: list[CodeList] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    lines: list[PovertyLine] = field(default_factory=list)
    days: list[CalendarDay] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    switches: list[ProfileSwitch] = field(default_factory=list)


def read(folder: Path = DATA) -> Files:
    """Read every file. Raises DataFileInvalid with the file and what is wrong in it."""
    files = Files()
    for path in sorted((folder / "codes").glob("*.yaml")):
        _reading(path, lambda held: _add_code_lists(files, held))
    _reading(folder / "parameters.yaml", lambda held: files.parameters.extend(_parameters(held)))
    _reading(folder / "poverty_lines.yaml", lambda held: files.lines.extend(_lines(held)))
    _reading(folder / "calendar.yaml", lambda held: files.days.extend(_days(held)))
    _reading(folder / "profiles.yaml", lambda held: _add_profiles(files, held))
    return files


def _reading(path: Path, use: Any) -> None:
    try:
        use(yaml.load(path.read_text("utf-8"), _LOADER))  # noqa: S506 - both are safe loaders
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise DataFileInvalid(file=path.name, problem=f"{type(fault).__name__}: {fault}") from fault


def _add_code_lists(files: Files, held: dict[str, Any]) -> None:
    for name, body in held.items():
        if any(known.name == name for known in files.code_lists):
            raise ValueError(f"{name}: the list stands in another file too")
        code_list = CodeList(
            name=name,
            number=body.get("number", ""),
            title_zh=body["title"]["zh"],
            title_en=body["title"]["en"],
            source=body["source"],
        )
        files.code_lists.append(code_list)
        codes = list(_codes(code_list, body))
        _refuse_repetition(name, codes, body)
        files.codes.extend(codes)


def _codes(code_list: CodeList, body: dict[str, Any]) -> Iterator[Code]:
    for position, (code, zh, en, *rest) in enumerate(body["codes"], 1):
        validity = rest[0] if rest else {}
        yield Code(
            code_list=code_list,
            code=code,
            label_zh=zh,
            label_en=en,
            synonyms=body.get("synonyms", {}).get(code, []),
            traits=body.get("traits", {}).get(code, {}),
            position=position,
            valid_from=validity.get("valid_from", FROM_THE_START),
            valid_to=validity.get("valid_to"),
            source=body["source"],
        )
    for vintage, rows in body.get("vintages", {}).items():
        for position, (code, zh, en, means) in enumerate(rows, 1):
            yield Code(
                code_list=code_list,
                vintage=vintage,
                code=code,
                means=means,
                label_zh=zh,
                label_en=en,
                position=position,
                valid_from=FROM_THE_START,
                source=body["source"],
            )


def _refuse_repetition(name: str, codes: list[Code], body: dict[str, Any]) -> None:
    """A code twice, or a synonym or trait of a code that is not there, is a slip of the pen."""
    own = [code.code for code in codes if not code.vintage]
    if len(set(own)) != len(own):
        raise ValueError(f"{name}: a code stands twice")
    strangers = {*body.get("synonyms", {}), *body.get("traits", {})} - set(own)
    strangers |= {code.means for code in codes if code.means} - set(own)
    if strangers:
        raise ValueError(f"{name}: no code {', '.join(sorted(strangers))}")


def _parameters(held: dict[str, Any]) -> Iterator[Parameter]:
    for name, body in held["parameters"].items():
        said = {**held["defaults"], **body}
        yield Parameter(
            name=name,
            region=said["region"],
            value=said["value"],
            value_type=said["type"],
            title_zh=said["title"]["zh"],
            title_en=said["title"]["en"],
            valid_from=said["valid_from"],
            valid_to=said.get("valid_to"),
            source=said["source"],
        )


def _lines(held: dict[str, Any]) -> Iterator[PovertyLine]:
    for kind in LineKind:
        for year, amount, mark in held[kind.value]:
            yield PovertyLine(
                year=year,
                kind=kind,
                amount=Decimal(amount),
                valid_from=date(year, 1, 1),
                source=LINES_SOURCE.format(mark=mark),
            )


def _days(held: dict[str, Any]) -> Iterator[CalendarDay]:
    first, last = held["years"]
    yield from _national_days(first, last)
    own = held["own"]
    for day in own["days"]:
        yield CalendarDay(
            day=day,
            region=own["region"],
            kind=DayKind.HOLIDAY,
            name_zh=own["name"]["zh"],
            name_en=own["name"]["en"],
            source=own["source"],
        )


def _national_days(first: int, last: int) -> Iterator[CalendarDay]:
    source = HOLIDAYS_SOURCE.format(version=version("holidays"))
    chinese, english = _country(first, last, "zh_CN"), _country(first, last, "en_US")
    for day, name in chinese.items():
        yield CalendarDay(day=day, kind=DayKind.HOLIDAY, name_zh=name[:60], name_en=english[day][:80], source=source)
    for day in sorted(chinese.weekend_workdays):
        if first <= day.year <= last:  # the package hands out make-up days of other years as well
            yield CalendarDay(
                day=day, kind=DayKind.MAKEUP, name_zh="调休上班", name_en="Make-up working day", source=source
            )


@lru_cache(maxsize=4)
def _country(first: int, last: int, language: str) -> holidays.HolidayBase:
    return holidays.country_holidays("CN", years=range(first, last + 1), language=language)


def _add_profiles(files: Files, held: dict[str, Any]) -> None:
    for body in held["profiles"]:
        missing = set(held["term_keys"]) ^ set(body["terms"])
        strangers = set(body["switched_on"]) - {switch["code"] for switch in held["switches"]}
        if missing or strangers:
            raise ValueError(f"{body['code']}: {', '.join(sorted(missing | strangers))}")
        profile = Profile(
            code=body["code"],
            title_zh=body["title"]["zh"],
            title_en=body["title"]["en"],
            terms=body["terms"],
            valid_from=body["valid_from"],
            valid_to=body.get("valid_to"),
            source=body["source"],
        )
        files.profiles.append(profile)
        for switch in held["switches"]:
            is_on = switch["code"] in body["switched_on"]
            files.switches.append(
                ProfileSwitch(
                    profile=profile,
                    code=switch["code"],
                    is_on=is_on,
                    title_zh=switch["title"]["zh"],
                    title_en=switch["title"]["en"],
                    legal_source=switch["allowed" if is_on else "forbidden"],
                )
            )
