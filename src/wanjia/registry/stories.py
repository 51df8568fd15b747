"""What ever happened to a household, one thing after the other: its standing, its people, what was corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from wanjia.kernel import clock
from wanjia.kernel.errors import Language, Sentence
from wanjia.reference.queries import code_list
from wanjia.registry.choices import Standing
from wanjia.registry.models import Household, Membership
from wanjia.registry.queries import HistoryEntry, Member

IDENTIFIED = Sentence("识别为贫困户", "Identified as a poor household")
EXITED = Sentence("脱贫", "Left poverty")
RETURNED = Sentence("返贫", "Returned to poverty")
REMOVED = Sentence("错评清退", "Removed: was not eligible")
CANCELLED = Sentence("注销", "Cancelled: nobody is left")


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry: when (a day, or only a year), what, and who recorded it why, where that is known."""

    year: int
    day: date | None
    sentences: tuple[str, ...]
    by_name: str = ""
    reason: str = ""

    @property
    def key(self) -> tuple[int, date]:
        """Entries of a year that name no day stand at its end."""
        return (self.year, self.day or date(self.year, 12, 31))


def story_of(
    household: Household, members: Sequence[Member], history: Sequence[HistoryEntry], language: Language
) -> list[Happening]:
    """Everything, newest first."""
    found = [*_of_standing(household, language), *_of_members(members, household, language), *_of_history(history)]
    return sorted(found, key=lambda one: one.key, reverse=True)


def _of_standing(household: Household, language: Language) -> list[Happening]:
    years: list[tuple[int | None, Sentence]] = [
        (household.identified_year, IDENTIFIED),
        (household.exit_year, EXITED),
        (household.return_year, RETURNED),
    ]
    found = [Happening(year, None, (what.text(language),)) for year, what in years if year is not None]
    if household.removed_on is not None:
        what = REMOVED if household.standing == Standing.REMOVED else CANCELLED
        found.append(Happening(household.removed_on.year, household.removed_on, (what.text(language),)))
    return found


def _of_members(members: Sequence[Member], household: Household, language: Language) -> list[Happening]:
    by_day: dict[date, list[str]] = {}
    for member in members:
        stay = member.membership
        for day, gone in ((stay.joined_on, False), (stay.left_on, True)):
            if day is not None and (gone or day.year > household.identified_year):
                by_day.setdefault(day, []).append(_moved(member.person.name, stay, language, gone=gone))
    return [Happening(day.year, day, tuple(lines)) for day, lines in by_day.items()]


def _moved(name: str, stay: Membership, language: Language, *, gone: bool) -> str:
    reason = code_list("member_change_reason").label(stay.change_reason, language) if stay.change_reason else ""
    words: Mapping[bool, Sentence] = {
        True: Sentence("离开本户", "left the household"),
        False: Sentence("加入本户", "joined the household"),
    }
    told = reason if reason and (gone or stay.left_on is None) else words[gone].text(language)
    return f"{name} {told}" if language == "en" else f"{name}{told if told != reason else '：' + told}"


def _of_history(history: Sequence[HistoryEntry]) -> list[Happening]:
    return [
        Happening((day := clock.day_of(entry.at)).year, day, tuple(entry.sentences), entry.by_name, entry.reason)
        for entry in history
    ]
