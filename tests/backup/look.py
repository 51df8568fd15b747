"""What somebody finds in an installation, from signing in to comparing again; one line of JSON.

python -m tests.backup.look [compare]
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from hashlib import sha256

import django

django.setup()

from tests.common.operator import reach_everywhere  # noqa: E402

reach_everywhere()

from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from wanjia.audit.access import access_store  # noqa: E402
from wanjia.audit.models import Opening  # noqa: E402
from wanjia.audit.queries import verify_event  # noqa: E402
from wanjia.audit.services import commit_access  # noqa: E402
from wanjia.comparison.models import Run  # noqa: E402
from wanjia.comparison.services import compare_now  # noqa: E402
from wanjia.demo.staff import PASSWORD  # noqa: E402
from wanjia.files.models import StoredFile  # noqa: E402
from wanjia.kernel import clock  # noqa: E402
from wanjia.registry import queries, services  # noqa: E402
from wanjia.registry.choices import AsOf, YearState  # noqa: E402
from wanjia.registry.models import Household, ReportingYear  # noqa: E402
from wanjia.scope.keys import require_installation  # noqa: E402
from wanjia.scope.stores import lake  # noqa: E402
from wanjia.scope.system import system_viewer  # noqa: E402

SYSTEM = system_viewer("demo.build")


def sealed_year(correct: bool) -> dict[str, object]:
    """The oldest year: its digest, whether its files are still those, one record of it both ways."""
    year = ReportingYear.objects.filter(state=YearState.SEALED).order_by("year").first()
    numbers = Household.objects.visible_to(SYSTEM).order_by("pk").values_list("pk", flat=True)
    number = next(one for one in numbers if any(each.sealed for each in queries.years_of(SYSTEM, one)))
    if correct:
        edits = [services.Edit("wage_income", "4321", household_no=number)]
        services.correct_sealed(viewer=SYSTEM, year=year.year, edits=edits, reason="年报核对后更正")
    lake().verify(year.address)
    promised = lake().read_manifest(year.address).facts["digest"]
    [known] = [one for one in queries.years_of(SYSTEM, number) if one.year == year.year]
    [published] = [one for one in queries.years_of(SYSTEM, number, AsOf.PUBLISHED) if one.year == year.year]
    return {
        "year": year.year,
        "digest": year.digest,
        "as_promised": promised == year.digest,
        "wages": [published.facts.wage_income, known.facts.wage_income],
        "counts": queries.counts_of_year(SYSTEM, year),
    }


def main() -> None:
    clock.use(clock.running_from(dt.datetime(2020, 11, 16, 10, 0, tzinfo=clock.CHINA)))
    require_installation()
    client = Client(SERVER_NAME="localhost")
    signed_in = client.post("/sign-in/", {"username": "county", "password": PASSWORD})
    household = Household.objects.visible_to(SYSTEM).order_by("pk").first()
    photo = StoredFile.objects.visible_to(SYSTEM).filter(media_type="image/jpeg").order_by("pk").first()
    page = client.get(reverse("registry:household", args=[household.household_no]))
    shown = client.get(f"/files/{photo.pk}/")
    picture = b"".join(shown.streaming_content)
    clock.use(clock.running_from(dt.datetime(2020, 11, 16, 10, 2, tzinfo=clock.CHINA)))
    committed = commit_access() if "commit" in sys.argv else 0
    openings = list(Opening.objects.visible_to(SYSTEM).order_by("pk"))
    sys.stdout.write(json.dumps({
        "signed_in": signed_in.status_code,
        "household": page.status_code,
        "photo": sha256(picture).hexdigest(),
        "is_a_picture": picture[:2] == b"\xff\xd8",
        "openings": len(openings),
        "untrue": [row.act for row in openings if not verify_event(row.event_id).true],
        "leaves": sum(row.act == "audit.commit_access" for row in openings),
        "readings": len(list(access_store().readings([("", None)]))),
        "run": Run.objects.order_by("pk").first().digest,
        "sealed": sealed_year("commit" in sys.argv),
        "again": compare_now(viewer=system_viewer("cli.compare")).digest if "compare" in sys.argv else "",
        "committed": committed,
    }))  # fmt: skip


main()
