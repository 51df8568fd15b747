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
from wanjia.registry.models import Household  # noqa: E402
from wanjia.scope.keys import require_installation  # noqa: E402
from wanjia.scope.system import system_viewer  # noqa: E402

SYSTEM = system_viewer("demo.build")


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
        "again": compare_now(viewer=system_viewer("cli.compare")).digest if "compare" in sys.argv else "",
        "committed": committed,
    }))  # fmt: skip


main()
