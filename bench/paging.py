"""How long the page of a household takes in the server, and how often it asks the database.

Called by `bench.registering` in its own installation, after the load. Time is what Django needs from
the request to the whole answer, in this process; what granian and the network add is in `bench.pages`.
"""

from __future__ import annotations

from random import Random
from time import perf_counter

from bench.harness import Figures

WARMING = 20


def measured(county: str, pages: int) -> Figures:
    """The 99th percentile of the page in ms and the most statements of one, by readers of three levels."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from tests.factories import accounts
    from wanjia.registry.models import Household
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    builder = system_viewer("demo.build")
    homes = Household.objects.visible_to(builder).filter(village_code__startswith=county)
    numbers = list(homes.order_by("pk").values_list("pk", flat=True))
    random = Random(11)  # noqa: S311 - the same households every time
    times, queries = list[float](), list[int]()
    for role, area in (("province_data_officer", county[:2]), ("county_office", county)):
        with serving(builder):
            client = accounts.client_for(accounts.account(f"bench-{len(area)}", role, area))
        drawn = random.sample(numbers, min(len(numbers), pages + WARMING))
        for place, number in enumerate(drawn):
            address = reverse("registry:household", args=[number])
            if place % 10 == 0:  # watched apart, for watching takes time
                with CaptureQueriesContext(connection) as asked:
                    _read(client, address)
                queries.append(len(asked) if place >= WARMING else 0)
                continue
            before = perf_counter()
            _read(client, address)
            if place >= WARMING:
                times.append((perf_counter() - before) * 1000)
    return {
        "household_page_p99_ms": round(sorted(times)[int(len(times) * 0.99)], 1),
        "household_page_queries": max(queries),
    }


def _read(client: object, address: str) -> None:
    answer = client.get(address, headers={"host": "localhost"})  # type: ignore[attr-defined]
    if answer.status_code != 200:  # noqa: PLR2004 - HTTP
        raise RuntimeError(f"{address}: {answer.status_code}")
