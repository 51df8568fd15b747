"""A process that hands in files and looks at households without a pause; or one that opens every file.

python -m tests.backup.write [check]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django

django.setup()

from tests.common.operator import reach_everywhere  # noqa: E402

reach_everywhere()

from django.conf import settings  # noqa: E402

from wanjia.audit.models import Opening  # noqa: E402
from wanjia.audit.queries import verify_event  # noqa: E402
from wanjia.files import services, vault  # noqa: E402
from wanjia.files.models import StoredFile  # noqa: E402
from wanjia.files.uploads import sealed_from  # noqa: E402
from wanjia.scope.keys import require_installation  # noqa: E402
from wanjia.scope.system import system_viewer  # noqa: E402

SYSTEM = system_viewer("demo.build")


def write() -> None:
    """Until killed."""
    while True:
        content = b"%PDF-1.7\n" + os.urandom(4_000) + b"\n%%EOF\n"
        with sealed_from(content, "scan.pdf", "evidence") as upload:
            services.store(
                viewer=SYSTEM, upload=upload, owner_kind="note", owner_id=1, area="451228", purpose="evidence"
            )
        Path(settings.WANJIA_HOME, "writing").touch()


def check() -> None:
    files = list(StoredFile.objects.visible_to(SYSTEM))
    opened = sum(bool(b"".join(vault.read(stored.content_key))) for stored in files)
    acts = Opening.objects.visible_to(SYSTEM).filter(act="files.store").values_list("event_id", flat=True)
    untrue = [str(event) for event in acts if not verify_event(event).true]
    sys.stdout.write(json.dumps({"files": len(files), "opened": opened, "untrue": untrue}) + "\n")


require_installation()
check() if "check" in sys.argv else write()
