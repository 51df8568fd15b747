"""What a typed text means: whose name, whose number, which village; and where the households of that stand.

A name is looked up in the dictionary of names, and who bears it among the people the reader may reach:
nothing of the dictionary itself is shown. Where a text is borne by a few thousand people at most, all
are gathered; where by more (a surname is a sixth of a county, and `l` begins a quarter of all
pinyin), a list is walked along until a page of it is full, which then does not take long.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from wanjia.divisions.queries import villages_called
from wanjia.kernel.identity import key_text
from wanjia.protection.phone_key import phone_text
from wanjia.registry.models import Household, HouseholdAlias, NameToken, Person
from wanjia.registry.national import numbered
from wanjia.registry.spelling import Typed
from wanjia.scope.areas import EVERYWHERE, AreaRange
from wanjia.scope.keys import keyring
from wanjia.scope.models import range_q
from wanjia.scope.viewer import Viewer

if TYPE_CHECKING:
    from wanjia.registry.queries import Filters

NAMES = 2_000  # of the dictionary; where a text begins more tokens than that, the list is walked along
SAMPLE = 300  # names, whose bearers stand for all where there are more names
COMMON = 6_000  # people; where more bear what was typed, the list is walked along
STRIDE = 200  # households looked at first on such a walk; then twice as many, and again
LONGEST_STRIDE = 1_600
MOST_VILLAGES = 200  # a text that stands in the names of more (社区) means none of them
SHORTEST_VILLAGE = 2  # characters of a village's name
NUMBER_DIGITS = 10  # our own numbers are shorter than this
PHONE_DIGITS = (11, 12)  # with the code of the place
SHORTEST_NUMBER = 15  # characters from which a text is taken for an identity number
MOST_SUGGESTED = 10
_LETTERED = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,35}[0-9]{3}")  # the national system's numbers, 40 characters at most

Key = tuple[str, int]  # village and number of a household: the order of lists
Bearer = tuple[str, str, int]  # name in the form names are compared in, village, number of the household


@dataclass(frozen=True, slots=True)
class Found:
    """Where the households stand that a text means.

    `bearers` are people who are named so: all of them, unless `more`; `exactly` the names the text is
    in full, as pinyin or initials too. `homes` are named by a number of theirs. `villages` are named so.
    """

    typed: Typed | None = None
    bearers: Sequence[Bearer] = ()
    more: bool = False
    exactly: frozenset[str] = frozenset()
    homes: frozenset[Key] = frozenset()
    villages: tuple[str, ...] = ()

    @property
    def keys(self) -> set[Key]:
        """The households of people and numbers found, but those of the villages found."""
        inside = frozenset(self.villages)
        keys = {(village, home) for _, village, home in self.bearers} | self.homes
        return {key for key in keys if key[0] not in inside} if inside else keys

    def best(self, most: int = MOST_SUGGESTED) -> list[Bearer]:
        """The bearers to suggest: who is called exactly so, then short names before long ones, in village order."""
        form = self.typed.form if self.typed else ""

        def rank(bearer: Bearer) -> tuple[int, int, str, int]:
            name = bearer[0]
            place = 0 if name == form else 1 if name in self.exactly else 2
            return place, len(name), *bearer[1:]

        return nsmallest(most, self.bearers, key=rank)


NOTHING = Found()


def find(viewer: Viewer, filters: Filters, action: str) -> Found:
    """What `filters.text` means among what the viewer may do `action` on, in the area of the filters."""
    text = filters.text.strip()
    if "\0" in text:  # no column holds a NUL, and PostgreSQL refuses to be asked for one
        return NOTHING
    if is_number(text):
        return Found(homes=frozenset(_by_number(viewer, text, action)))
    typed = Typed.of(text)
    if not typed.form:
        return NOTHING
    people = named_within(viewer, filters, action)
    found = replace(_bearers(people, typed), typed=typed)
    return replace(found, villages=_villages(viewer, typed.form, action))


def is_number(text: str) -> bool:
    """Whether a text is a number that names its household or person itself: none of it is looked for in names."""
    return text.isdecimal() or bool(_national(text)) or _is_phone(text) or _is_identity_number(text)


def named_within(viewer: Viewer, filters: Filters, action: str) -> QuerySet[Person]:
    """The people among whom names are looked for."""
    people = Person.objects.visible_to(viewer, action)
    if not filters.area or confined(viewer, action, AreaRange.of(filters.area)):
        return people
    return people.filter(range_q("village_code", AreaRange.of(filters.area)))


def confined(viewer: Viewer, action: str, area: AreaRange) -> bool:
    """Whether the viewer reaches nothing outside `area` anyway; counting a county asks every row twice otherwise."""
    return not viewer.is_system and all(area.covers(grant.area) for grant in viewer.grants_for(action))


def means(found: Found, viewer: Viewer, filters: Filters, action: str) -> Q:
    """The condition on households for a list that is read to its end."""
    condition = Q(household_no__among=[home for _, home in found.keys])
    if found.villages:
        condition |= Q(village_code__in=found.villages)
    if not found.more or found.typed is None:
        return condition
    people = named_within(viewer, filters, action)
    named = [people.filter(name_match__begins=found.typed.form)]
    for beginning in found.typed.beginnings:
        names = NameToken.objects.filter(token__begins=beginning).values("name_match")
        named.append(people.filter(name_match__in=names))
    for some in named:
        condition |= Q(household_no__in=some.values("household_no"))
    return condition


def walk(rows: QuerySet[Household], found: Found, viewer: Viewer, most: int) -> Iterator[Key]:
    """The first households of a list, in its order, that a text means of which there is `more`."""
    assert found.typed is not None  # noqa: S101 - only names are many
    people = Person.objects.visible_to(viewer)
    left, stride, last = most, STRIDE, None
    while left > 0:
        stretch = rows if last is None else rows.filter(beyond(*last))
        keys: list[Key] = list(stretch.values_list("village_code", "household_no")[:stride])
        names: dict[int, list[str]] = {}
        here = people.filter(household_no__among=[home for _, home in keys]).order_by()
        for home, name in here.values_list("household_no", "name_match"):
            names.setdefault(home, []).append(name)
        for key in keys:
            if key[0] in found.villages or any(map(found.typed.fits, names.get(key[1], ()))):
                yield key
                left -= 1
                if not left:
                    return
        if len(keys) < stride:
            return
        last, stride = keys[-1], min(2 * stride, LONGEST_STRIDE)


def beyond(village: str, number: int) -> Q:
    """What stands behind a household in lists."""
    return Q(village_code__gte=village) & (Q(village_code__gt=village) | Q(household_no__gt=number))


def current_no(household_no: int) -> int:
    """The number a household has now, after merges; its own if it was never merged."""
    found = HouseholdAlias.objects.filter(old_no=household_no).values_list("new_no", flat=True).first()
    return household_no if found is None else current_no(found)


def _bearers(people: QuerySet[Person], typed: Typed) -> Found:
    columns = ("name_match", "village_code", "household_no")
    people = people.order_by()
    begin = list(people.filter(name_match__begins=typed.form).values_list(*columns)[: COMMON + 1])
    if len(begin) > COMMON:
        return Found(bearers=begin[:COMMON], more=True)
    names, more = _names(typed)
    looked_at = list(names)[:SAMPLE] if more else list(names)
    most = SAMPLE if more else COMMON
    have = list(people.filter(name_match__among=looked_at).values_list(*columns)[: most + 1]) if names else []
    more |= len(have) > most
    exactly = frozenset(name for name, whole in names.items() if whole)
    return Found(bearers=list({*begin, *have[:most]}), more=more, exactly=exactly)


def _names(typed: Typed) -> tuple[Mapping[str, bool], bool]:
    """Names one of whose tokens begins so, each with whether a token is exactly that; and whether there are more."""
    names: dict[str, bool] = {}
    for beginning in typed.beginnings:
        rows = NameToken.objects.filter(token__begins=beginning).values_list("token", "name_match")[: NAMES + 1]
        for token, name in rows:
            names[name] = names.get(name, False) or token == beginning
        if len(rows) > NAMES:
            return names, True
    return names, False


def _by_number(viewer: Viewer, text: str, action: str) -> set[Key]:
    """The households that a number names: an identity number, a telephone's, the national one or our own."""
    people = Person.objects.visible_to(viewer, action).order_by()
    homes = Household.objects.visible_to(viewer, action).order_by()
    key = ("village_code", "household_no")
    if national := _national(text):
        return set(homes.filter(numbered("national_household_no", national)).values_list(*key))
    if not text.isdecimal() and not _is_phone(text):
        return set(people.filter(person_key=keyring().person_key(text)).values_list(*key))
    if len(text) < NUMBER_DIGITS:
        return set(homes.filter(pk=current_no(int(text))).values_list(*key)) | set(
            homes.filter(pk=int(text)).values_list(*key)
        )
    found = set(homes.filter(numbered("national_household_no", [text])).values_list(*key))
    if len(text) >= SHORTEST_NUMBER:
        found |= set(people.filter(person_key=keyring().person_key(text)).values_list(*key))
    if _is_phone(text):
        phone = keyring().phone_key(text)
        found |= set(homes.filter(phone_key=phone).values_list(*key))
        found |= set(people.filter(phone_key=phone).values_list(*key))
    return found


def _national(text: str) -> list[str]:
    """What a text with letters before its digits is as a national number: as typed and in capitals; [] if it is none.

    Pinyin with tones has one digit to a syllable, never three together.
    """
    plain = unicodedata.normalize("NFKC", text)
    return list(dict.fromkeys([plain, plain.upper()])) if _LETTERED.fullmatch(plain) else []


def _is_identity_number(text: str) -> bool:
    cleaned = key_text(text) or ""
    return len(cleaned) >= SHORTEST_NUMBER and cleaned[:-1].isdigit()


def _is_phone(text: str) -> bool:
    return len(phone_text(text) or "") in PHONE_DIGITS


def _villages(viewer: Viewer, form: str, action: str) -> tuple[str, ...]:
    if len(form) < SHORTEST_VILLAGE or form.isascii():
        return ()
    within = [EVERYWHERE] if viewer.is_system else [grant.area for grant in viewer.grants_for(action)]
    codes = [place.code for place in villages_called(form) if any(place.code in area for area in within)]
    return tuple(codes) if len(codes) <= MOST_VILLAGES else ()
