"""Stored files for tests."""

from __future__ import annotations

from itertools import count

from tests.factories.walking import Example, Place
from wanjia.audit.testing import unrecorded
from wanjia.files import vault
from wanjia.files.models import StoredFile
from wanjia.kernel import clock
from wanjia.scope.keys import keyring

_numbers = count(900_001)  # owners nobody else has: cases and households count from 1


def examples(place: Place) -> list[Example]:
    """A department's file, the evidence of a case and that of a household at the place."""
    made = []
    for kind in ("batch", "case", "household"):
        number = next(_numbers)
        secret = f"内容{number}号"
        digest = keyring().content_digest()
        digest.update(secret.encode())
        vault.keep(digest.hexdigest(), iter([secret.encode()]))
        with unrecorded():
            stored = StoredFile.objects.create(
                owner_kind=kind,
                owner_id=number,
                case_no=number if kind == "case" else None,
                household_no=number if kind == "household" else None,
                area=place.area,
                department=place.department,
                purpose="department_file" if kind == "batch" else "evidence",
                name=f"文件{number}号.csv",
                media_type="text/csv",
                size=len(secret.encode()),
                content_key=digest.hexdigest(),
                stored_by=0,
                stored_at=clock.now(),
            )
        made.append(
            Example(
                "files:open",
                {"file_id": stored.pk},
                (secret,),
                by_department=True,
                held=(kind, number) if kind != "batch" else None,
            )
        )
    return made
