"""Names of places to codes: full names, abbreviations, former names (domain.md §18 trap 17).

Nothing is guessed. A name that fits one division inside the place given above it resolves;
anything else is refused with the candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from wanjia.divisions.errors import PlaceAmbiguous, PlaceElsewhere, PlaceMissing, PlaceUnknown
from wanjia.divisions.queries import Gazetteer, Place, gazetteer
from wanjia.divisions.rules import spoken_name, stem_of, written_form

SHOWN = 5  # candidates in a refusal
ALIKE = 0.5  # how similar a name must be to be offered

_LEVELS = ("province", "city", "county", "township", "village")


@dataclass(frozen=True, slots=True)
class _Names:
    """Codes of one level by exact name and by stem."""

    exact: dict[str, list[str]]
    stems: dict[str, list[str]]


class Resolver:
    """Resolves names against the divisions as they are when it is made: one per file or request.

    >>> Resolver().resolve(county="都安县", township="安阳镇")  # doctest: +SKIP
    '451228100'
    """

    def __init__(self, known: Gazetteer | None = None) -> None:
        self._known = known or gazetteer()
        self._names = {level: _Names({}, {}) for level in _LEVELS}
        for place in self._known.places.values():
            self._add(place, place.official_name)
            self._add(place, place.name)
        for former in self._known.former.values():
            if former.new_code in self._known.places:
                self._add(self._known.places[former.new_code], former.old_name)

    def _add(self, place: Place, name: str) -> None:
        names = self._names.get(place.level)
        if names is None:
            return
        for table, key in ((names.exact, written_form(name)), (names.stems, stem_of(name, place.level))):
            codes = table.setdefault(key, [])
            if place.code not in codes:
                codes.append(place.code)

    def resolve(
        self, *, province: str = "", city: str = "", county: str = "", township: str = "", village: str = ""
    ) -> str:
        """The code of the narrowest place named; levels may be left out.

        Raises PlaceMissing, PlaceUnknown, PlaceAmbiguous, PlaceElsewhere (all PlaceNotResolved).
        """
        code = ""
        given = zip(_LEVELS, (province, city, county, township, village), strict=True)
        wanted = [(level, name) for level, name in given if written_form(name)]
        if not wanted:
            raise PlaceMissing
        for level, name in wanted:
            code = self._step(level, name, code)
        return code

    def named(self, text: str, *, within: str = "") -> str:
        """The code a person means who typed a place: its code, a former code, or its name at any level.

        Of two places of one name the one under `within` is meant, if only one of them lies there.
        Raises PlaceMissing, PlaceUnknown, PlaceAmbiguous with the candidates and their codes.
        """
        if not written_form(text):
            raise PlaceMissing
        code = self._known.current_code(text.strip())
        if code in self._known.places:
            return code
        everywhere = [(level, code) for level in _LEVELS for code in self._candidates(level, text, "")]
        inside = [pair for pair in everywhere if pair[1].startswith(within)]
        if not inside:  # looked for everywhere, and said so; the nearest come first
            inside = sorted(everywhere, key=lambda pair: -_shared(pair[1], within))
            within = within[:2] if everywhere else within
        form = written_form(text)
        exact = [code for level, code in inside if code in self._names[level].exact.get(form, ())]
        codes = exact or [code for _level, code in inside]
        if len(codes) == 1:
            return codes[0]
        facts = {"name": form, "within": self._described(within)}
        if codes:
            raise PlaceAmbiguous(**facts, candidates=self._listed(codes))
        alike = [code for level in _LEVELS for code in self._similar(level, text, within)]
        raise PlaceUnknown(**facts, candidates=self._listed(alike))

    def of_one_place(self, table: str, within: str) -> dict[str, str]:
        """Names of two characters or more that fit one place alone in `within`, with its code."""
        named: dict[str, set[str]] = {}
        for names in self._names.values():
            for name, codes in getattr(names, table).items():
                named.setdefault(name, set()).update(code for code in codes if code.startswith(within))
        return {name: next(iter(codes)) for name, codes in named.items() if len(codes) == 1 and len(name) > 1}

    def _step(self, level: str, name: str, within: str) -> str:
        everywhere = self._candidates(level, name, "")
        inside = [code for code in everywhere if code.startswith(within)]
        if len(inside) > 1:
            # 三都社区 written in full is not 三都村; only when nothing fits in full do stems count
            inside = self._exactly(level, name, inside)
        if len(inside) == 1:
            return inside[0]
        facts = {"name": written_form(name), "within": self._described(within)}
        if inside:
            raise PlaceAmbiguous(**facts, candidates=self._listed(inside))
        if everywhere:
            raise PlaceElsewhere(**facts, candidates=self._listed(everywhere))
        raise PlaceUnknown(**facts, candidates=self._listed(self._similar(level, name, within)))

    def _candidates(self, level: str, name: str, within: str) -> list[str]:
        names = self._names[level]
        exact = names.exact.get(written_form(name), [])
        stems = names.stems.get(stem_of(name, level), [])
        return [code for code in dict.fromkeys([*exact, *stems]) if code.startswith(within)]

    def _exactly(self, level: str, name: str, codes: list[str]) -> list[str]:
        table = self._names[level].exact
        for form in (written_form(name), spoken_name(written_form(name))):
            exact = [code for code in table.get(form, []) if code in codes]
            if exact:
                return exact
        return codes

    def _similar(self, level: str, name: str, within: str) -> list[str]:
        wanted = stem_of(name, level)
        scored = [
            (SequenceMatcher(None, wanted, stem).ratio(), code)
            for stem, codes in self._names[level].stems.items()
            for code in codes
            if code.startswith(within) and set(stem) & set(wanted)
        ]
        return [code for score, code in sorted(scored, reverse=True)[:SHOWN] if score >= ALIKE]

    def _described(self, code: str) -> str:
        return self._known.full_name(code, below=code[:2]) or self._known.full_name(code) or "…"

    def _listed(self, codes: Iterable[str]) -> str:
        shown = list(codes)
        names = [f"{self._known.full_name(code, below=code[:2])}({code})" for code in shown[:SHOWN]]
        more = f"…({len(shown)})" if len(shown) > SHOWN else ""
        return "、".join(names) + more if names else "—"


def _shared(code: str, other: str) -> int:
    """How many digits two codes begin with together."""
    return next(
        (n for n, (one, two) in enumerate(zip(code, other, strict=False)) if one != two), min(len(code), len(other))
    )


def mentioned(text: str, *, within: str = "", known: Gazetteer | None = None) -> list[str]:
    """The cities and counties whose names stand in a text, such as a title or the name of a file.

    Short names (都安) count where there is none in full, or inside the place that is named in full;
    of a city and a county in it the county is meant.
    """
    known = known or gazetteer()
    upper = {code: place for code, place in known.places.items() if place.level in ("city", "county")}
    resolver, written = Resolver(Gazetteer(upper, {}, known.former)), written_form(text)
    full, short = (_found(resolver.of_one_place(table, within), written) for table in ("exact", "stems"))
    codes = full | {code for code in short if not full or any(code.startswith(each) for each in full)}
    return sorted(code for code in codes if not any(other != code and other.startswith(code) for other in codes))


def _found(names: dict[str, str], text: str) -> set[str]:
    longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return {names[name] for name in re.findall(longest_first, text) if name}
