"""How long searches and suggestions take: mixed texts, by readers of a province, a county and a township.

Called by `bench.registering` in its own installation, after the load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from time import perf_counter

from bench.harness import Figures

SEARCHES = 150  # by each reader, and as many suggestions
WARMING = 5


def measured(county: str) -> Figures:
    """The 99th percentile of a page of the list and of suggestions, in ms, and the slowest text of each."""
    from wanjia.registry import queries
    from wanjia.registry.queries import Filters
    from wanjia.scope.areas import AreaRange
    from wanjia.scope.reach import serving
    from wanjia.scope.viewer import Grant, Viewer

    _settle()
    texts = _texts(Random(7))  # noqa: S311 - the same texts every time
    listed: list[tuple[float, str]] = []
    shown: list[tuple[float, str]] = []
    for number, area in enumerate((county[:2], county, _township(county), _village(county)), start=1):
        viewer = Viewer(number, "bench", (Grant("bench", frozenset({queries.READ}), AreaRange.of(area)),))

        def page(text: str, viewer: Viewer = viewer) -> None:
            found = queries.household_page(viewer, Filters(text=text, standing=""))
            queries.matched_members(viewer, [row.household_no for row in found.rows], text)

        def suggest(text: str, viewer: Viewer = viewer) -> None:
            queries.suggest(viewer, text)

        with serving(viewer):
            for text in texts[:WARMING]:
                page(text)
            for act, times in ((page, listed), (suggest, shown)):
                times += [(_ms(act, text), f"{len(area)} {text}") for text in texts]
    return {
        "search_p99_ms": _p99(listed),
        "suggest_p99_ms": _p99(shown),
        "search_slowest": max(listed)[1],
        "search_slowest_ms": round(max(listed)[0], 1),
        "suggest_slowest": max(shown)[1],
        "suggest_slowest_ms": round(max(shown)[0], 1),
    }


def _ms(act: Callable[[str], None], text: str) -> float:
    before = perf_counter()
    act(text)
    return (perf_counter() - before) * 1000


def _p99(times: list[tuple[float, str]]) -> float:
    return round(sorted(times)[int(len(times) * 0.99)][0], 1)


def _settle() -> None:
    """What the database does for itself within a minute after a load."""
    from django.db import connection

    from wanjia.scope.postgresql.ownership import as_owner

    if connection.vendor == "postgresql":
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _texts(random: Random) -> list[str]:
    """Names, parts, pinyin, initials, numbers, telephones and villages of people drawn, and what many are called."""
    from django.db.models import Max

    from wanjia.divisions.queries import name_of
    from wanjia.registry.models import Household, Person
    from wanjia.registry.spelling import tokens
    from wanjia.scope.system import system_viewer

    people = Person.objects.visible_to(system_viewer("demo.build"))
    homes = Household.objects.visible_to(system_viewer("demo.build"))
    last = people.aggregate(last=Max("person_no"))["last"]

    def drawn() -> Iterator[str]:
        yield from ("l", "lj", "hj", "h", "w", "wei", "li", "韦", "黄", "明", "建国", "zzz", "不在", "qin", "tan")
        while True:
            person = people.get(pk=random.randint(1, last))
            found = tokens(person.name_match)
            home = homes.get(pk=person.household_no)
            yield from (person.name_match, person.name_match[:2], random.choice(found), found[-1], found[-1][:2])
            yield from (found[-2], found[-3][:6], name_of(home.village_code)[:2], str(home.pk))
            if person.id_number is not None:
                yield person.id_number.clear()
            if home.phone is not None:
                yield home.phone.clear()

    each = drawn()
    return [next(each) for _ in range(SEARCHES)]


def _township(county: str) -> str:
    from wanjia.divisions.queries import children

    return children(county)[0].code


def _village(county: str) -> str:
    from wanjia.divisions.queries import children

    return children(_township(county))[0].code
