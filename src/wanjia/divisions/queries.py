"""Divisions by name, path, child and former code, from memory (18,091 in Guangxi)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from wanjia.divisions.models import Division, DivisionAlias, Revision
from wanjia.kernel.codes import LENGTHS
from wanjia.kernel.remember import Remembered
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Place:
    """A division in memory."""

    code: str
    name: str
    official_name: str
    level: str
    parent_code: str


@dataclass(frozen=True, slots=True)
class FormerCode:
    """A replaced code and what replaced it."""

    old_code: str
    old_name: str
    new_code: str
    valid_to: date


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """All divisions in force with their children in order of code, and the former codes."""

    places: dict[str, Place]
    children: dict[str, tuple[Place, ...]]
    former: dict[str, FormerCode]
    villages: tuple[Place, ...] = ()

    def current_code(self, code: str) -> str:
        """The code used today for a place that was re-coded; any other code as it is."""
        seen: set[str] = set()
        while code not in self.places and code not in seen:
            seen.add(code)
            for length in reversed(LENGTHS):
                former = self.former.get(code[:length]) if length <= len(code) else None
                if former is not None:
                    code = former.new_code + code[length:]
                    break
        return code

    def name_of(self, code: str) -> str:
        """The name of a division, of a former one the name it had then; the code itself if unknown."""
        if code in self.places:
            return self.places[code].name
        if code in self.former:
            return self.former[code].old_name
        found = self.places.get(self.current_code(code))
        return found.name if found is not None else code

    def path_of(self, code: str) -> list[tuple[str, str]]:
        """(code, name) from the province down; empty for a code nobody knows."""
        current = self.current_code(code)
        if current not in self.places:
            return []
        return [(current[:length], self.name_of(current[:length])) for length in LENGTHS if length <= len(current)]

    def full_name(self, code: str, *, below: str = "") -> str:
        """The names along the path, run together as Chinese addresses are; from below `below` if given."""
        return "".join(name for step, name in self.path_of(code) if len(step) > len(below))


def gazetteer() -> Gazetteer:
    """The divisions this process remembers."""
    return _remembered.get()


def _token() -> str:
    return Revision.objects.values_list("token", flat=True).first() or ""


def _load() -> Gazetteer:
    rows = Division.objects.filter(valid_to=None).order_by("code")
    fields = ("code", "name", "official_name", "level", "parent_code")
    places = {row[0]: Place(*row) for row in rows.values_list(*fields).iterator(chunk_size=5000)}
    children: dict[str, list[Place]] = {}
    for place in places.values():
        children.setdefault(place.parent_code, []).append(place)
    former = {
        alias.old_code: FormerCode(alias.old_code, alias.old_name, alias.new_code, alias.valid_to)
        for alias in DivisionAlias.objects.all()
    }
    villages = tuple(found for found in places.values() if found.level == "village")
    return Gazetteer(places, {code: tuple(below) for code, below in children.items()}, former, villages)


_remembered: Remembered[Gazetteer] = Remembered(_load, _token)


def look_again() -> None:
    """Notice a change of the tables at the next question."""
    _remembered.look_again()


def place(code: str) -> Place | None:
    """The division with this code, or with the one that replaced it; None if unknown."""
    return gazetteer().places.get(current_code(code))


def name_of(code: str) -> str:
    """The name of a division, of a former one the name it had then; the code itself if unknown."""
    return gazetteer().name_of(code)


def names_of(codes: Iterable[str]) -> dict[str, str]:
    """The names of those codes that are known."""
    known = gazetteer()
    return {code: name for code in set(codes) if (name := known.name_of(code)) != code}


def path_of(code: str) -> list[tuple[str, str]]:
    """(code, name) from the province down to `code`; empty for a code nobody knows."""
    return gazetteer().path_of(code)


def full_name(code: str, *, below: str = "") -> str:
    """The names along the path, run together as Chinese addresses are; from below `below` if given."""
    return gazetteer().full_name(code, below=below)


def near_name(code: str) -> str:
    """A place as its own county calls it: a village with its township; one above by its name."""
    return full_name(code, below=code[:6]) or name_of(code)


def known_name(code: str) -> str:
    """The names along the path without the province's; of a place not listed as far as known, with the code beside."""
    known = next((code[:length] for length in reversed(LENGTHS) if length <= len(code) and place(code[:length])), "")
    told = full_name(known, below=known[:2]) or (name_of(known) if known else "")
    return told if known == code else f"{told} {code}".strip()


def children(code: str) -> list[Place]:
    """The divisions one level below `code`, in order of code; the provinces for ""."""
    return list(gazetteer().children.get(current_code(code), ()))


def villages_under(code: str) -> list[str]:
    """The codes of all villages and communities in `code`, in order."""
    area = AreaRange.of(current_code(code))
    return [each for each, found in gazetteer().places.items() if found.level == "village" and each in area]


def villages_called(text: str) -> list[Place]:
    """The villages and communities in whose name `text` stands, in order of code."""
    return [found for found in gazetteer().villages if text in found.name or text in found.official_name]


def current_code(code: str) -> str:
    """The code used today for a place that was re-coded; any other code as it is.

    Re-coding a county kept the townships' and villages' own digits, so what is below follows.
    """
    return gazetteer().current_code(code)


def former_codes(code: str) -> list[str]:
    """The codes `code` had before, newest first; sealed data still carry them."""
    newest_first = sorted(gazetteer().former.values(), key=lambda each: each.valid_to, reverse=True)
    return [
        former.old_code + code[len(former.new_code) :] for former in newest_first if code.startswith(former.new_code)
    ]


def reachable_children(viewer: Viewer, code: str) -> list[Place]:
    """The children of `code` that lie in one of the viewer's areas, or lead to one."""
    return [each for each in children(code) if may_enter(viewer, each.code)]


def may_enter(viewer: Viewer, code: str) -> bool:
    """Whether `code` lies in one of the viewer's areas, or one of them lies in it."""
    if viewer.is_system:
        return True
    wanted = AreaRange.of(code)
    return any(grant.area.covers(wanted) or wanted.covers(grant.area) for grant in viewer.grants)
